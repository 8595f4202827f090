"""The set that tunes personal data: `python -m benchmarks.personal_data.personal_data_make` writes its template rows anew.

Rows written by hand (`how: written`) live only in tests/data/personal_data/tune.jsonl and are kept as they are; rows of
`how: template` are made here from a seed. `--check` changes nothing and fails where the file is not what this would write.

A template is prose with slots: «p.l» is a phone number whose form is "labelled", «n.k» a linked name, a "?" makes the
span optional, «L.p» a label of that kind, «은» a particle fitted to what stands before it, ⟦a|b⟧ a choice. Values belong
to nobody: old resident numbers fail their check sum, telephone blocks are unassigned, accounts are runs of zeros.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

OUT = Path(__file__).parents[2] / "tests" / "data" / "personal_data" / "tune.jsonl"
SEED = 20260417
FIRST = 1001  # the number of the first row of a template; those written by hand come before
SHORTEST, LONGEST = 80, 1500

KINDS = {
    "p": "phone", "e": "email", "r": "rrn", "f": "frn", "pp": "passport", "dl": "driver_license", "ms": "messenger",
    "b": "brn", "cr": "crn", "ac": "account", "cd": "card", "hi": "health_insurance", "v": "vehicle", "a": "address",
    "z": "postcode", "bd": "birth_date", "n": "name", "ip": "ip", "mac": "mac", "us": "url_secret", "k": "key",
}  # fmt: skip
FORMS = {
    "c": "canonical", "l": "labelled", "s": "spelled", "o": "obfuscated", "m": "masked", "b": "split", "k": "linked",
    "x": "context", "keep": "keep",
}  # fmt: skip

# --- what values are made of ------------------------------------------------------------------------------------------

SURNAMES = "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 홍 전 고 문 손 양 배 백 허 남 심 노 하 곽 성 차 주 우 구 민 진".split()
RARE = "남궁 황보 제갈 사공 선우 독고 서문 탁 견 옥 빙 국 편 용 예 봉 사 부 가 복 태 목 형 피 두 감 음 호 반 왕".split()
GIVEN = (
    "다온 하람 서율 이든 라온 도담 채운 예솔 은별 해솔 로운 새봄 나래 여울 소율 미르 윤슬 태린 서담 다올 보늬 마루 이룬 초롬 "
    "누림 별하 도은 유담 하슬 지음 세온 나린 우솔 채담 이레 로담 예담 온새 시담 결하 빛솔 바름 "
    "영숙 경자 말순 복순 광식 인숙 옥분 점례 재춘 길녀 형구 필례 두식 끝순"
).split()
ROMAN = "KIM LEE PARK CHOI JUNG KANG CHO YOON JANG LIM HAN OH SEO SHIN".split()
ROMAN_GIVEN = "HARAM DAON SEOYUL IDEUN RAON DODAM YESOL GARAM EUNBYEOL HAESOL ROUN SAEBOM HAYUL YEOUL".split()
FOREIGN = "NGUYEN VAN MALMOI|TRAN THI DAON|BATBAYAR MALMOI|LI MALMOI|SINGH MALMOI|IVANOVA DAONA|SITI MALMOI".split("|")
HANJA = "金多溫 李河藍 朴瑞律 崔利敦 鄭羅溫 尹道談 張恩別 韓海率".split()

MAIL_NAMES = (
    "haram daon.kim seoyul_lee raon93 dodam.park yesol2020 garam_88 byeol.choi haesol roun.j saebom+news hayul-han "
    "yeoul.s malmoi.lee noeul_0 sandeul.k miru.77 onsae narin.w chaedam"
).split()
MAIL_HOSTS = (
    "examp.m.com examp.m.org examp.m.net mail.x.or.kr hanbit.x.or.kr studio.x.or.kr farm.x.or.kr lab.x.or.kr "
    "school.x.or.kr co.x.or.kr club.x.or.kr"
).split()
MAIL_REAL = "naver.com gmail.com hanmail.net daum.net kakao.com nate.com".split()
HANDLES = (
    "maru_daon sol_bread byeol.note dodam_log haram88 noeul.pic onsae_cafe narin_dog mulbit_studio garam_run yeoul.knit "
    "sandeul_farm chaun_art miru.bike roun_tutor"
).split()

REGIONS = {
    "서울특별시": "마포구 은평구 노원구 강서구 송파구 성북구 관악구 동작구 중랑구", "부산광역시": "해운대구 사하구 동래구 금정구",
    "대구광역시": "수성구 달서구 북구", "인천광역시": "남동구 연수구 부평구", "광주광역시": "북구 광산구",
    "대전광역시": "유성구 서구", "울산광역시": "남구 울주군", "경기도": "수원시 팔달구|고양시 덕양구|파주시|이천시|양평군|용인시 기흥구|김포시",
    "강원특별자치도": "춘천시 강릉시 홍천군", "충청북도": "청주시 흥덕구|충주시|괴산군", "충청남도": "천안시 동남구|아산시|홍성군",
    "전북특별자치도": "전주시 완산구|군산시|고창군", "전라남도": "여수시 순천시 담양군", "경상북도": "포항시 남구|경주시|안동시|봉화군",
    "경상남도": "창원시 성산구|진주시|거제시|남해군", "제주특별자치도": "제주시 서귀포시",
}  # fmt: skip
SHORT = {
    "서울특별시": "서울 서울시", "부산광역시": "부산 부산시", "대구광역시": "대구", "인천광역시": "인천 인천시", "광주광역시": "광주",
    "대전광역시": "대전 대전시", "울산광역시": "울산", "경기도": "경기", "강원특별자치도": "강원 강원도", "충청북도": "충북",
    "충청남도": "충남", "전북특별자치도": "전북 전라북도", "전라남도": "전남", "경상북도": "경북", "경상남도": "경남", "제주특별자치도": "제주 제주도",
}  # fmt: skip
STEMS = "달무리 새벽별 물빛 솔바람 하늬 느티마루 갈대울 은모래 안개뜰 별무리 꽃두레 돌담울 고래마루 나래울 미르내 윤슬 바람결 도담뜰".split()
DONGS = "다솜동 새뜸동 가온동 늘품동 한울동".split()
RIS = "새뜸면 다솜리|너른면 가온리|맑은읍 늘품리|고운면 한울리".split("|")

PLATES = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"
CABS = "바사아자"
HIRED = "하허호"
AREAS = "02 031 032 033 041 042 043 044 051 052 053 054 055 061 062 063 064".split()

BANKS = {
    "국민": "000ddd-0d-00dddd", "국민은행": "000d0d-04-000ddd", "신한": "110-000-dddddd", "신한은행": "110-00d-0ddddd",
    "우리": "1002-000-0ddddd", "우리은행": "1005-000-00dddd", "하나": "000-910ddd-0dd07", "하나은행": "000-890ddd-00d05",
    "기업은행": "000-00dddd-01-0dd", "IBK기업": "000-0ddddd-04-01d", "농협": "302-0000-dddd-d1", "NH농협": "355-0000-0ddd-d3",
    "카카오뱅크": "3333-00-0ddddd0", "카뱅": "3333-00-dddd00d", "토스뱅크": "1000-0000-dddd", "케이뱅크": "100-000-dddddd",
    "SC제일": "000-20-0ddddd", "대구은행": "000-12-00dddd-1", "부산은행": "000-0000-0ddd-0d", "경남은행": "000-00-000dddd",
    "광주은행": "000-000-0ddddd", "전북은행": "000-13-000dddd", "수협": "000-01-00dddd", "우체국": "000ddd-02-000ddd",
    "새마을금고": "9003-0000-0ddd-d", "신협": "000dd-01-000ddd", "산업은행": "000-0000-dddd-000",
}  # fmt: skip

LABELS = {
    "p": "전화 전화번호 휴대폰 휴대전화 핸드폰 연락처 HP H.P. TEL Tel 손전화 연_락_처 전___화 ☎ 📞 M. Mobile 비상연락처".split(),
    "e": "이메일 메일 E-mail e-mail Email 전자우편 이_메_일 메일주소 E.".split(),
    "r": "주민등록번호 주민번호 주민_등록_번호 주민등록_번호 RRN 주_민_번_호 주민(등록)번호".split(),
    "f": "외국인등록번호 외국인_등록번호 등록번호(외국인) 국내거소신고번호 외국인번호".split(),
    "pp": "여권번호 여권_번호 여권 Passport_No. 여권No. 여권(PASSPORT)_번호".split(),
    "dl": "운전면허번호 면허번호 운전면허_번호 면허증_번호 운전면허".split(),
    "ms": "카톡 카톡_아이디 카카오톡_ID 카톡ID 텔레그램 인스타 인스타그램_아이디 라인_ID 카카오톡".split(),
    "b": "사업자등록번호 사업자번호 사업자_등록번호 사업자등록_번호 등록번호(사업자)".split(),
    "cr": "법인등록번호 법인번호 법인_등록번호".split(),
    "cd": "카드번호 카드_번호 신용카드 체크카드_번호 결제카드 CARD_NO".split(),
    "hi": "건강보험증번호 건강보험증_번호 보험증번호 건강보험_증번호".split(),
    "v": "차량번호 차_번호 차량_번호 자동차번호 차량 차_량_번_호".split(),
    "a": "주소 주___소 거주지 사는_곳 배송지 자택_주소 ADDRESS 받는_곳 주소지".split(),
    "z": "우편번호 우편_번호 우 〒 (우)".split(),
    "bd": "생년월일 생_년_월_일 생일 출생일 DOB 생년_월일".split(),
    "n": "성명 이름 성_명 성___명 신청인 예금주 수령인 받는_분 NAME 고객명".split(),
    "ip": "IP 접속_IP IP주소 client_ip 접속지".split(),
    "mac": "MAC MAC주소 물리적_주소 mac_addr 하드웨어_주소".split(),
    "ac": "계좌 계좌번호 입금_계좌 입금계좌 받을_계좌 계_좌 통장".split(),
}  # fmt: skip
PRIVATE = "신청인 민원인 피해자 환자 청구인 임차인 임대인 지원자 보호자 수험생 입소자 유족 의뢰인".split()
ORGS = "솔빛누리 가온물산 한울문화원 도담복지관 새뜸도서관 물빛상사 나래공방 미르학원 늘품협동조합 다솜의원".split()
OFFICIALS = "건설국장 총무과장 위원장 구청장 교육장 본부장 사무국장 감사관 소방서장 면장".split()
THINGS = "책상|자전거|전기밥솥|접이식 의자|그림책|화분|통기타|공기 청정기|텐트|카메라|재봉틀|유아 식탁|러닝화".split(
    "|"
)
PLACES = "역 앞 광장|시립 도서관|호수 공원|중앙 시장|체육관 정문|강변 주차장|문화 회관 2층|버스 터미널|마을 회관".split(
    "|"
)
EMOJI = "🙂☎🍀✨📱🌸"


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is written; `form` where writing it changed the form asked for."""

    text: str
    form: str = ""
    note: str = ""


def digits(r: Random, n: int) -> str:
    return "".join(r.choice("0123456789") for _ in range(n))


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and (c.isdigit() or c in "-@.") else c for c in text)


def resident_sum(ds: list[int]) -> int:
    return (11 - sum(w * d for w, d in zip((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), ds, strict=False)) % 11) % 10


def passes(kind: str, text: str) -> bool:
    """Whether the number passes the check sum it would have if it were somebody's."""
    ds = [int(c) for c in text if c.isdigit()]
    if kind in ("rrn", "frn") and len(ds) == 13:
        return ds[12] in (resident_sum(ds), (resident_sum(ds) + 2) % 10 if kind == "frn" else -1)
    if kind == "brn" and len(ds) == 10:
        total = sum(w * d for w, d in zip((1, 3, 7, 1, 3, 7, 1, 3, 5), ds, strict=False)) + ds[8] * 5 // 10
        return (10 - total % 10) % 10 == ds[9]
    if kind == "crn" and len(ds) == 13:
        return (10 - sum(w * d for w, d in zip((1, 2) * 6, ds, strict=False)) % 10) % 10 == ds[12]
    return False


def luhn(text: str) -> bool:
    total = 0
    for i, d in enumerate(reversed([int(c) for c in text if c.isdigit()])):
        total += d if i % 2 == 0 else d * 2 - 9 * (d > 4)
    return total % 10 == 0


def reformed(text: str) -> bool:
    """Whether a resident number is of a birth from October 2020 on, when the check sum had gone."""
    ds = "".join(str(int(c)) for c in text if c.isdigit())
    return len(ds) == 13 and ds[6] in "3478" and "2010" <= ds[:4] < "3000"


def failing(kind: str, head: str, tail: str) -> str:
    """The tail, its last digit moved on until the sum fails; births after the reform stay as they fell."""
    if kind in ("rrn", "frn") and reformed(head + tail):
        return tail
    while passes(kind, head + tail):
        tail = tail[:-1] + str((int(tail[-1]) + 1) % 10)
    return tail


# --- writers, one a kind ----------------------------------------------------------------------------------------------


def phone(r: Random, form: str) -> Value:  # noqa: C901
    roll = r.random()
    if roll < 0.7 or form in "so":
        parts = ["010", r.choice("01") + digits(r, 3), digits(r, 4)]
        if parts[1:] == ["0000", "0000"]:
            parts[2] = "0417"
    elif roll < 0.74:
        parts = [r.choice(["011", "016", "017", "018", "019"]), "0" + digits(r, 2), digits(r, 4)]
    elif roll < 0.88:
        parts = [r.choice(AREAS), r.choice(["000", "0" + digits(r, 3)]), digits(r, 4)]
    elif roll < 0.93:
        parts = ["070", "0" + digits(r, 3), digits(r, 4)]
    elif roll < 0.98:
        parts = [r.choice(["0502", "0503", "0504", "0505", "0507", "0508"]), "0" + digits(r, 3), digits(r, 4)]
    else:
        parts = ["080", "000", digits(r, 4)]
    if form == "s":
        zero = r.choice("공영")
        names = dict(zip("0123456789", zero + "일이삼사오육칠팔구", strict=True))
        share = r.choice([1.0, 1.0, 0.5])
        said = ["".join(names[c] if r.random() < share else c for c in part) for part in parts]
        if share < 1 and not any(c in "공영일이삼사오육칠팔구" for c in "".join(said)):
            said[0] = zero + said[0][1:]
        return Value(r.choice([" ", "-", " ", "에 ", ", ", "", " - "]).join(said))
    if form == "o":
        return Value(hidden(r, parts))
    if form == "b":
        return Value(r.choice(["-\n", "\n-", "\n", "- \n"]).join([parts[0] + "-" + parts[1], parts[2]]))
    roll = r.random()
    if roll < 0.5:
        text = "-".join(parts)
    elif roll < 0.62:
        text = "".join(parts)
    elif roll < 0.72:
        text = " ".join(parts)
    elif roll < 0.79:
        text = ".".join(parts)
    elif roll < 0.85:
        text = r.choice([" - ", "–", "‑", "−", "·", "―", "/"]).join(parts)
    elif roll < 0.9:
        text = f"+82{r.choice(['-', ' ', ''])}{parts[0][1:]}{r.choice(['-', ' '])}{parts[1]}-{parts[2]}"
    elif roll < 0.94:
        text = f"{r.choice(['({})', '({}) ', '{})'])}{parts[1]}-{parts[2]}".format(parts[0])
    elif roll < 0.97:
        text = wide("-".join(parts))
    else:
        text = f"{parts[0]}-{parts[1]}{parts[2]}"
    return Value(text)


def hidden(r: Random, parts: list[str]) -> str:
    joined = "-".join(parts)
    roll = r.randrange(9)
    if roll == 0:
        return r.choice(["\u200b-", "-\u200b", "\u2060", "\ufeff-", "\u200d-\u200b"]).join(parts)
    if roll == 1:
        return r.choice(EMOJI).join(parts)
    if roll == 2:
        return joined.replace("0", "O").replace("1", r.choice("lI1"), 1)
    if roll == 3:
        return joined.translate(str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨"))
    if roll == 4:
        return " ".join(joined.replace("-", r.choice(["", "-"])))
    if roll == 5:
        return r.choice(["*", "_", "~", "ㅡ", "=", "//", "…", ",", " / ", "-*-"]).join(parts)
    if roll == 6:
        return joined.translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    if roll == 7:
        return "\u200b".join("".join(parts))
    return f"{parts[0]}-{'-'.join(parts[1:]).translate(str.maketrans('13', '일삼')).replace('0', '공', 1)}"


def email(r: Random, form: str) -> Value:
    if r.random() < 0.25:
        local, host = f"{r.choice(['malmoi.test', 'malmoi_try', 'nobody.malmoi'])}.{digits(r, 4)}", r.choice(MAIL_REAL)
    else:
        local, host = r.choice(MAIL_NAMES) + r.choice(["", digits(r, 2)]), r.choice(MAIL_HOSTS)
    if form == "c" and r.random() < 0.06:
        local = r.choice(["말모이", "하람이네", "물빛공방"]) + digits(r, 2)
    if form == "b":
        return Value(f"{local}\n@{host}" if r.random() < 0.5 else f"{local}@\n{host}")
    if form == "o":
        at = r.choice(
            ["골뱅이", " 골뱅이 ", "(at)", "[at]", " at ", " AT ", "＠", " @ ", "(골뱅이)", "앳", "{at}", "#"]
        )
        if at == "#":
            at = "\u200b@"
        dot = r.choice([".", ".", " dot ", "[.]", "(dot)", " 점 ", " 닷 ", " . "])
        return Value(local + at + host.replace(".", dot))
    if form in "cl" and r.random() < 0.04:
        return Value(wide(f"{local}@{host}"))
    return Value(f"{local}@{host}".upper() if r.random() < 0.03 else f"{local}@{host}")


def resident(r: Random, form: str, foreign: bool = False) -> Value:
    kind = "frn" if foreign else "rrn"
    year = r.choice([r.randrange(1932, 1999), r.randrange(1955, 2006), r.randrange(2000, 2026)])
    month, day = r.randrange(1, 13), r.randrange(1, 29)
    sex = r.choice("12" if year < 2000 else "34")
    lead = str(int(sex) + 4) if foreign else sex
    head = f"{year % 100:02d}{month:02d}{day:02d}"
    tail = failing(kind, head, lead + digits(r, 6))
    if form == "m":
        star = r.choice("***xX●○#•")
        return Value(f"{head}{r.choice(['-', '-', ' - ', '–', ''])}{lead}{star * 6}")
    if form == "b":
        return Value(f"{head}-\n{tail}")
    if form == "o":
        zero = r.choice(["\u200b", "\u2060", "\ufeff"])
        return Value(r.choice([f"{head}{zero}-{tail}", f"{head}-{zero}{tail}", zero.join(head) + "-" + tail]))
    joins = ["-", "-", "-", "-", "–", "‑", " - "] if form == "c" else ["-", "-", "-", "", " ", "–", " - ", "·", "―"]
    text = f"{head}{r.choice(joins)}{tail}"
    roll = r.random()
    if roll < 0.05:
        return Value(wide(text))
    if roll < 0.09 and form == "l":
        return Value(" ".join(text.replace(" ", "")))
    return Value(text)


def alien(r: Random, form: str) -> Value:
    return resident(r, form, foreign=True)


def passport(r: Random, form: str) -> Value:
    roll = r.random()
    if roll < 0.5:
        text = f"{r.choice('MMMSRD')}000{r.choice('ABCDEFGH')}{digits(r, 4)}"
    elif roll < 0.8:
        text = f"{r.choice('MMSRG')}000{digits(r, 5)}"
    else:
        text = f"{r.choice(['JN', 'CN', 'EA', 'PE', 'GK'])}000{digits(r, 4)}"
    if form in "lx" and r.random() < 0.12:
        text = text.lower() if r.random() < 0.4 else f"{text[:1]} {text[1:]}" if text[1].isdigit() else text
    return Value(text)


def licence(r: Random, form: str) -> Value:
    year, serial, check = f"{r.randrange(70, 126) % 100:02d}", "000" + digits(r, 3), digits(r, 2)
    if r.random() < 0.35:
        name = r.choice("서울 부산 경기 강원 충북 충남 전북 전남 경북 경남 제주 대구 인천 광주 대전 울산".split())
        return Value(f"{name}{r.choice([' ', ' ', '', '-'])}{year}-{serial}-{check}")
    region = r.choice([*range(11, 27), 28])
    join = r.choice(["-", "-", "-", " ", "", "–", " - "]) if form != "c" else r.choice(["-", "-", "–"])
    return Value(join.join([str(region), year, serial, check]))


def messenger(r: Random, form: str) -> Value:
    handle = r.choice(HANDLES) + r.choice(["", "_", ""]) + digits(r, 2)
    if form == "c":
        link = r.choice(
            [
                "https://open.kakao.com/o/",
                "open.kakao.com/o/",
                "https://t.me/",
                "t.me/",
                "https://pf.kakao.com/_",
                "instagram.com/",
            ]
        )
        if "kakao" in link:
            handle = f"g{handle[:4].title().replace('_', 'x').replace('.', 'y')}{digits(r, 4)}z"
        return Value(link + handle)
    return Value(("@" if r.random() < 0.15 else "") + handle)


def business(r: Random, form: str, company: bool = False) -> Value:
    head = f"{r.randrange(101, 680)}"
    middle = f"{r.randrange(81, 89) if company else r.randrange(1, 80):02d}"
    tail = failing("brn", head + middle, f"00{digits(r, 3)}")
    join = r.choice(["-", "-", "-", "-", "", " ", "–", " - "])
    text = join.join([head, middle, tail])
    return Value(wide(text) if r.random() < 0.04 else text)


def corporate(r: Random, form: str) -> Value:
    head = f"{r.choice(['110111', '110114', '130111', '134111', '160111', '180111', '200111'])}"
    return Value(f"{head}-{failing('crn', head, '00' + digits(r, 5))}")


def account(r: Random, form: str) -> Value:
    bank = r.choice(sorted(BANKS))
    number = "".join(digits(r, 1) if c == "d" else c for c in BANKS[bank])
    if form == "b":
        number = number.replace("-", "-\n", 1) if r.random() < 0.5 else number[::-1].replace("-", "\n-", 1)[::-1]
    else:
        roll = r.random()
        if roll < 0.2:
            number = number.replace("-", "")
        elif roll < 0.3:
            number = number.replace("-", r.choice([" ", "–", " - ", "."]))
        elif roll < 0.33:
            number = wide(number)
        elif roll < 0.36:
            return Value(number.replace("-", "-\u200b"), "obfuscated", bank)
    return Value(number, note=bank)


def card(r: Random, form: str) -> Value:
    right = form == "c" or r.random() < 0.5
    groups: tuple[int, ...]
    if r.random() < 0.12:
        body, groups = f"{r.choice(['3782', '3714'])}000000{digits(r, 4)}", (4, 6, 5)
    else:
        head = r.choice("4012 4111 4579 5105 5310 5555 3530 6200 9400 9445 9490 2223".split())
        body, groups = f"{head}0000{r.choice(['0000', '1111', digits(r, 4)])}{digits(r, 3)}", (4, 4, 4, 4)
    last = next(str(d) for d in range(10) if luhn(body + str(d)) == right)
    text, at, parts = body + last, 0, []
    for size in groups:
        parts.append(text[at : at + size])
        at += size
    if form == "b":
        return Value(
            "-".join(parts[:2]) + "-\n" + "-".join(parts[2:]), note=f"Luhn sum {'right' if right else 'wrong'}"
        )
    joins = ["-", "-", " ", " - ", "–"] if form == "c" else ["-", "-", " ", "", "–", " - "]
    out = r.choice(joins).join(parts)
    return Value(wide(out) if r.random() < 0.04 else out, note=f"Luhn sum {'right' if right else 'wrong'}")


def insurance(r: Random, form: str) -> Value:
    lead, rest = r.choice("12357"), f"0000{digits(r, 6)}"
    return Value(r.choice([f"{lead}-{rest}", f"{lead}-{rest}", lead + rest]))


def plate(r: Random, form: str) -> Value:
    serial = "0" + digits(r, 3)
    gap = r.choice(["", "", " ", " "])
    roll = r.random()
    if roll < 0.38:
        text = f"{r.randrange(100, 700)}{r.choice(PLATES)}{gap}{serial}"
    elif roll < 0.68:
        text = f"{r.randrange(1, 70):02d}{r.choice(PLATES)}{gap}{serial}"
    elif roll < 0.82:
        text = f"{r.choice(['서울', '부산', '경기', '전남', '강원', '대구'])}{gap}{r.randrange(30, 90)}{r.choice(CABS)}{gap}{serial}"
    elif roll < 0.9:
        text = f"{r.randrange(10, 400)}{r.choice(HIRED)}{gap}{serial}"
    else:
        text = f"{r.choice(['경기', '서울', '충북', '경남'])} {r.randrange(1, 70)}{r.choice(PLATES)} {serial}"
    if form in "lx" and r.random() < 0.05:
        text = re.sub(r"(\d{4})$", r"-\1", text.replace(" ", ""))
    return Value(text)


def address(r: Random, form: str) -> Value:
    region = r.choice(sorted(REGIONS))
    town = r.choice(REGIONS[region].split("|" if "|" in REGIONS[region] else " "))
    if r.random() < 0.45:
        region = r.choice(SHORT[region].split())
    number = str(r.randrange(900, 1990)) + (f"-{r.randrange(1, 40)}" if r.random() < 0.3 else "")
    if r.random() < 0.78:
        road = r.choice(STEMS) + r.choice(
            ["로", "길", "길", f"로{r.randrange(2, 90)}번길", f"로{r.randrange(2, 40)}길"]
        )
        text = f"{region} {town} {road} {number}"
    elif town.endswith("구"):
        text = f"{region} {town} {r.choice(DONGS)} {number}{r.choice(['', '번지'])}"
    else:
        text = f"{region} {town} {r.choice(RIS)} {r.choice(['', '산 '])}{number}{r.choice(['', '번지'])}"
    if r.random() < 0.5:
        door = r.choice(
            [f"{r.randrange(101, 130)}동 {r.randrange(1, 30)}0{r.randrange(1, 9)}호", f"{r.randrange(1, 9)}층",
             f"{r.randrange(1, 20)}0{r.randrange(1, 9)}호", f"B동 {r.randrange(101, 900)}호", "지하 1층"]
        )  # fmt: skip
        text += r.choice([", ", ", ", " "]) + door
    if form == "b":
        cut = text.rindex(" ", 0, text.index(number))
        text = text[:cut] + "\n" + text[cut + 1 :]
    return Value(text)


def postcode(r: Random, form: str) -> Value:
    if r.random() < 0.08:
        return Value(f"{r.randrange(110, 770)}-{digits(r, 3)}")
    return Value(f"{r.randrange(1000, 63645):05d}")


def birth(r: Random, form: str) -> Value:
    y, m, d = r.randrange(1935, 2022), r.randrange(1, 13), r.randrange(1, 29)
    shapes = [
        f"{y}년 {m}월 {d}일",
        f"{y}년 {m}월 {d}일",
        f"{y}. {m}. {d}.",
        f"{y}.{m:02d}.{d:02d}",
        f"{y}-{m:02d}-{d:02d}",
    ]
    if form == "l":
        shapes += [
            f"{y % 100:02d}{m:02d}{d:02d}",
            f"{y}{m:02d}{d:02d}",
            f"{y % 100:02d}.{m:02d}.{d:02d}",
            f"{y}/{m:02d}/{d:02d}",
        ]
        shapes += [f"{y}년{m:02d}월{d:02d}일", f"{y % 100:02d}년 {m}월 {d}일"]
    text = r.choice(shapes)
    return Value(wide(text) if r.random() < 0.03 else text)


def name(r: Random, form: str) -> Value:
    roll = r.random()
    if roll < 0.84:
        surname = r.choice(RARE) if r.random() < 0.15 else r.choice(SURNAMES)
        text = surname + r.choice(GIVEN)
        if form == "l" and r.random() < 0.06:
            text = r.choice([" ", "  "]).join(text)
    elif roll < 0.92 and form == "l":
        text = r.choice(FOREIGN) if r.random() < 0.4 else f"{r.choice(ROMAN)} {r.choice(ROMAN_GIVEN)}"
    elif roll < 0.95 and form == "l":
        text = r.choice(HANJA)
    else:
        text = r.choice(SURNAMES) + r.choice(GIVEN)
    return Value(text)


def ip(r: Random, form: str) -> Value:
    if r.random() < 0.15:
        return Value(f"2001:{r.choice(['e60', '2d8'])}:0:{r.randrange(1, 4096):x}::{r.randrange(1, 256):x}")
    return Value(f"{r.choice(['223', '1'])}.{r.randrange(201, 256)}.0.{r.randrange(1, 255)}")


def mac(r: Random, form: str) -> Value:
    pairs = [r.choice(["02", "06", "0A", "0E"])] + [f"{r.randrange(256):02X}" for _ in range(5)]
    text = r.choice([":", ":", "-"]).join(pairs)
    if r.random() < 0.08:
        flat = "".join(pairs)
        text = ".".join([flat[:4], flat[4:8], flat[8:]])
    return Value(text.lower() if r.random() < 0.5 else text)


def word(r: Random, n: int, alphabet: str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789") -> str:
    return "".join(r.choice(alphabet) for _ in range(n))


def url_secret(r: Random, form: str) -> Value:
    if form == "x":  # user and password before the host
        return Value(
            f"{r.choice(['admin', 'app', 'deploy', 'backup', 'malmoi'])}:{word(r, 5)}-{digits(r, 4)}{r.choice(['!', '', '_x'])}"
        )
    return Value(
        r.choice([word(r, 20), word(r, 32, "0123456789abcdef"), word(r, 24) + "%3D%3D", word(r, 12) + "-" + word(r, 8)])
    )


def key(r: Random, form: str) -> Value:
    if form == "l":
        return Value(
            r.choice(
                [
                    word(r, 32),
                    word(r, 40, "0123456789abcdef"),
                    f"{word(r, 6)}!{digits(r, 4)}{word(r, 3)}",
                    word(r, 43) + "=",
                ]
            )
        )
    return Value(
        r.choice(
            [f"AKIA{word(r, 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}", f"ghp_{word(r, 36)}", f"sk-proj-{word(r, 40)}",
             f"eyJhbGciOiJIUzI1NiJ9.eyJ{word(r, 24)}.{word(r, 43)}", f"mm_live_{word(r, 28)}", f"npm_TEST{word(r, 28)}",
             f"-----BEGIN PRIVATE KEY-----\n{word(r, 64)}\n{word(r, 40)}==\n-----END PRIVATE KEY-----"]
        )
    )  # fmt: skip


WRITERS: dict[str, Callable[[Random, str], Value]] = {
    "p": phone, "e": email, "r": resident, "f": alien, "pp": passport, "dl": licence, "ms": messenger, "b": business,
    "cr": corporate, "ac": account, "cd": card, "hi": insurance, "v": plate, "a": address, "z": postcode, "bd": birth,
    "n": name, "ip": ip, "mac": mac, "us": url_secret, "k": key,
}  # fmt: skip


def official(r: Random) -> str:
    return f"{r.choice(OFFICIALS)} {r.choice(SURNAMES)}{r.choice(GIVEN)}"


def label(r: Random, kind: str) -> str:
    return r.choice(LABELS[kind]).replace("_", " ") + r.choice(
        [": ", ": ", ": ", " : ", " ", "：", ":", " - ", " | ", "  ", ":\t", "\n", " = ", "> "]
    )


PLAIN: dict[str, Callable[[Random], str]] = {
    "date": lambda r: r.choice(["{}. {}. {}.", "{}년 {}월 {}일", "{}-{:02d}-{:02d}", "{}.{:02d}.{:02d}"]).format(r.randrange(2003, 2027), r.randrange(1, 13), r.randrange(1, 29)),
    "ymd": lambda r: f"{r.randrange(2003, 2027)}{r.randrange(1, 13):02d}{r.randrange(1, 29):02d}",
    "iso": lambda r: f"2026-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}",
    "time": lambda r: f"{r.randrange(24):02d}:{r.randrange(60):02d}",
    "hms": lambda r: f"{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}",
    "clock": lambda r: f"{r.randrange(24):02d}{r.randrange(60):02d}{r.randrange(60):02d}",
    "won": lambda r: f"{r.randrange(1, 9000) * 100:,}원",
    "big": lambda r: f"{r.randrange(1000, 99999 if r.random() < 0.8 else 99999999):,}",
    "year": lambda r: str(r.randrange(1392, 2026)),
    "range": lambda r: (lambda a: f"{a}-{a + r.randrange(1, 40)}")(r.randrange(1401, 1990)),
    "num": lambda r: str(r.randrange(2, 30) if r.random() < 0.8 else r.randrange(30, 400)),
    "dec": lambda r: f"{r.randrange(1, 99)}.{r.randrange(1, 99)}",
    "org": lambda r: r.choice(ORGS),
    "off": official,
    "thing": lambda r: r.choice(THINGS),
    "place": lambda r: r.choice(PLACES),
    "role": lambda r: r.choice(PRIVATE),
    "epoch": lambda r: f"17{digits(r, 11)}",
    "hex40": lambda r: word(r, 40, "0123456789abcdef"),
    "hex64": lambda r: word(r, 64, "0123456789abcdef"),
    "uuid": lambda r: "-".join(word(r, n, "0123456789abcdef") for n in (8, 4, 4, 4, 12)),
    "ver": lambda r: ".".join(str(r.randrange(0, 40)) for _ in range(r.choice([3, 3, 4]))),
    "lan": lambda r: r.choice([f"192.168.{r.randrange(20)}.{r.randrange(1, 255)}", f"10.{r.randrange(99)}.{r.randrange(99)}.{r.randrange(1, 255)}", f"172.{r.randrange(16, 32)}.0.{r.randrange(1, 255)}"]),
    "doc": lambda r: r.choice(["192.0.2.", "198.51.100.", "203.0.113."]) + str(r.randrange(1, 255)),
    "ean": lambda r: f"880{digits(r, 10)}",
    "isbn": lambda r: f"{r.choice(['978-89', '979-11'])}-0000-{digits(r, 3)}-{digits(r, 1)}",
    "case": lambda r: f"{r.randrange(1995, 2026)}{r.choice(['다', '도', '두', '나', '가합', '가단', '고단', '노', '헌바', '구합', '카합', '느단', '허'])}{r.randrange(17, 299999)}",
    "pat": lambda r: r.choice([f"10-{r.randrange(2005, 2026)}-00{digits(r, 5)}", f"10-{digits(r, 7)}", f"20-{r.randrange(2005, 2020)}-000{digits(r, 4)}"]),
    "art": lambda r: f"제{r.randrange(1, 130)}조" + r.choice(["", f"의{r.randrange(2, 9)}"]) + r.choice(["", f"제{r.randrange(1, 9)}항"]) + r.choice(["", f"제{r.randrange(1, 20)}호"]),
    "rep": lambda r: f"{r.choice(['1577', '1588', '1544', '1599', '1600', '1644', '1661', '1670', '1800', '1833', '1899'])}-{r.choice(['0000', digits(r, 4)])}",
    "cas": lambda r: f"{r.randrange(50, 99999)}-{digits(r, 2)}-{digits(r, 1)}",
    "hs": lambda r: f"{digits(r, 4)}.{digits(r, 2)}-{r.choice(['0000', '1000', '9090'])}",
    "ks": lambda r: f"KS {r.choice('XCBADMK')} {r.choice(['ISO ', ''])}{r.randrange(1001, 9999)}",
    "model": lambda r: r.choice([f"DDR{r.choice('45')}-{r.choice(['3200', '5600', '6400'])}", f"SM-{r.choice('SAG')}{digits(r, 3)}N", f"HX-{digits(r, 4)}-{digits(r, 2)}B", f"RT-AX{digits(r, 2)}U", f"{digits(r, 2)}GP{digits(r, 3)}-B"]),
    "part": lambda r: r.choice([f"{digits(r, 3)}-{digits(r, 2)}-{digits(r, 6)}", f"{digits(r, 5)}-{digits(r, 3)}A{digits(r, 2)}", f"010-{digits(r, 4)}A-{digits(r, 2)}", f"PN{digits(r, 4)}-{digits(r, 4)}"]),
    "lot": lambda r: f"{r.choice(['LOT ', 'L', '로트 '])}{digits(r, 6)}-{digits(r, 2)}{r.choice('ABC')}",
    "geo": lambda r: f"3{r.randrange(3, 8)}.{digits(r, 5)}, 12{r.randrange(6, 10)}.{digits(r, 5)}",
    "track": lambda r: r.choice([digits(r, 12), f"6{digits(r, 3)}-{digits(r, 4)}-{digits(r, 4)}", f"1{digits(r, 4)}-{digits(r, 4)}-{digits(r, 4)}"]),
    "stu": lambda r: f"{r.randrange(2010, 2027)}{digits(r, 4)}{r.choice(['', digits(r, 2)])}",
    "code": lambda r: f"{r.choice('ABCDEFGH')}{digits(r, 4)}",
    "pct": lambda r: f"{r.randrange(1, 99)}.{r.randrange(10)}%",
    "score": lambda r: f"{r.randrange(60, 120)}-{r.randrange(60, 120)}",
    "d4": lambda r: str(r.randrange(1000, 9999)), "d6": lambda r: digits(r, 6), "d2": lambda r: str(r.randrange(10, 99)), "d3": lambda r: str(r.randrange(100, 999)), "d5": lambda r: digits(r, 5), "d8": lambda r: digits(r, 8),
    "bank": lambda r: r.choice(sorted(BANKS)),
    "gap": lambda r: r.choice([" ", "  ", "\t", " / ", ", ", " | ", "\n"]),
}  # fmt: skip

# ruff: noqa: E501 - a template is one line
# --- templates: register|text, ⏎ for a line break ---------------------------------------------------------------------

POSITIVE = """
board|⟦중고|거의 새것인|이사로 정리하는⟧ «thing» 팝니다. 값은 «won»이고 «place»에서 직접 드려요. «p.c»«로» 문자 주세요.
board|«place»에서 «thing»«을» 잃어버렸어요. 보신 분은 «L.p»«p.l» 꼭 연락 부탁드립니다. 사례하겠습니다.
board|이번 모임 총무는 «n.k» 님(«p.c»)입니다. 회비 «won»«은» «+ac.l» 로 보내 주세요.
board|공동 구매 마감합니다. 못 받으신 분은 카톡 ⟦아이디|ID|id⟧ «ms.l»«로» 말씀해 주세요. 남은 수량은 «num»개예요.
board|번호 올리면 지워진대서 이렇게 적어요. «p.s»«으로» 연락 주세요. «thing» 상태는 아주 좋습니다.
board|연락처는 «p.o» 입니다. 잠깐 올렸다가 지울게요. «thing» 나눔이고 «place»에서 드립니다.
board|메일은 «e.o» ⟦로 주세요|이에요|여기로⟧. 파일이 크면 나누어 보내 주시고 «date»까지만 받습니다.
board|동네 러닝 모임 새로 열었어요. 오픈채팅 «ms.c» 들어오시면 됩니다. 매주 «num»명쯤 모여요.
board|«v.x» 차주분 창문이 열려 있어요. «place» 쪽이고 «time»쯤 봤습니다. 비가 온다니 빨리 닫으세요.
board|차 팝니다. 번호는 «v.l», «num»천 킬로미터 탔고 값은 «won» 생각해요. «p.c» 연락 주세요.
board|모금 통장은 «+ac.l» (예금주 «n.k») 하나뿐입니다. 다른 계좌로 보내 달라는 글은 모두 가짜예요.
board|방 보러 오실 분은 «a.x» 로 오세요. 비밀번호는 오시면 알려 드리고, «time» 이후에는 어렵습니다.
board|저는 «bd.x»생인데 이 나이에 시작해도 될까요? 도수는 «dec»이고 하루 «num»분씩 하고 있어요.
chat|번호 좀 줘⏎«p.c»⏎ㅇㅋ 저장함 내일 «time»에 봐⏎«place» 맞지? 응 거기 맞아 늦지 마
chat|계좌 불러 줘⏎«+ac.l»⏎이름은?⏎«n.k»⏎보냈어 «won» 맞지?
chat|주소 찍어 줘⏎«a.x»⏎몇 층이야?⏎들어와서 오른쪽이야 «time»까지 와
chat|주민번호 불러 주세요⏎«r.x»⏎네 확인됐습니다 증명서는 «date»에 나와요
chat|외국인등록번호가 어떻게 되세요⏎«f.x» 입니다⏎네 접수 번호는 «d6»이에요 잠시만 기다려 주세요
chat|카드 번호 다시요⏎«cd.x»⏎승인이 안 떨어지네요 한도를 봐 주시겠어요⏎네 확인하고 다시 할게요
chat|여권 번호 적어 주시면 예약해 드릴게요⏎«pp.x»⏎영문 이름도요⏎적어 보냈어요 «date» 출발 맞습니다
chat|카톡 아이디가 뭐예요⏎«ms.x» 요⏎친구 추가했어요 사진 보내 드릴게요⏎네 «time»쯤 볼게요
chat|전화 되나요? «p.b» 여기예요⏎지금 회의 중이라 «num»분 뒤에 할게요⏎네 기다릴게요
chat|메일이 자꾸 돌아와요 «e.c» 아닌가요?⏎⟦맞는데|네 맞아요⟧ 파일이 커서 그럴 거예요 «num»MB 넘으면 안 돼요
qna|질문: «L.r»«r.l»«을» 넣으면 없는 번호라고 나와요. ⟦이름|성명⟧은 «n.k»입니다. 왜 그런가요?⏎답변: 번호를 지우고 창구로 가 보세요.
qna|등본에 «r.m»«로» 나오는데 회사에서는 전부 나온 것을 달라고 합니다. 꼭 내야 하나요? «date»까지 내라고 해요.
qna|«L.f»«f.l» 인데 보험 자격이 안 나옵니다. 친구는 «num»일 만에 나왔다는데 왜 저만 늦을까요?
qna|«L.dl»«dl.l» 로 조회가 안 됩니다. 적성 검사는 «date»에 받았어요. 다시 등록해야 하나요?
qna|«L.pp»«pp.l» 을 잘못 적어 예약했습니다. 고치는 데 «won»«이» 든다는데 맞나요? 출발은 «date»입니다.
qna|«L.hi»«hi.l» 로 병원에서 조회하면 예전 직장이 나옵니다. 퇴사는 «date»였어요. 얼마나 걸리나요?
qna|«L.b»«b.l» 로 현금 영수증을 떼려는데 오류 «code»가 납니다. 혼자 하는 작은 가게예요. 어떻게 하나요?
qna|«L.cd»«cd.l» 이 해외에서 안 됩니다. 한도는 «won» 남았어요. 설정을 바꿔야 하나요?
qna|공유기에 모르는 기기 «mac.c»«이» 붙어 있어요. 안쪽 주소는 «lan»입니다. 막아도 다시 붙는데 어떻게 하죠?
qna|해외 로그인 알림에 «ip.x»«이» 찍혔습니다. 저는 그 시간 «time»에 자고 있었어요. 비밀번호만 바꾸면 되나요?
qna|https://api.example.com/v1/list?⟦serviceKey|apikey|access_token⟧=«us.c»&page=«num» 이렇게 부르면 «d2»번 오류가 나요. 열쇠가 틀린 걸까요?
qna|우편물이 «a.x»(우 «z.l») 로 가야 하는데 엉뚱한 데로 갔어요. 등기번호는 «track»입니다.
review|사장님이 직접 «p.c»«로» 전화 주셔서 일정을 맞췄어요. «thing» 상태도 좋고 «won»«이» 아깝지 않습니다.
review|교환하려고 «e.c»«로» 사진을 보냈더니 «num»시간 만에 답이 왔어요. 별 다섯 개 드립니다. 무게는 «dec»kg이에요.
review|기사 «n.k»(«p.c») 님 친절하세요. «num»층까지 계단으로 올려 주셨는데 추가 요금도 «won»만 받으셨습니다.
review|민박 이름은 없고 «a.c» 찍고 가시면 됩니다. 밤에 별이 많아요. 하루 «won»이고 아침은 안 줍니다.
review|정비 맡긴 제 차(«v.x»)를 깨끗하게 세차까지 해 주셨어요. 견적 «won»에서 조금 깎아 주셨고 «num»분 걸렸습니다.
mail|안녕하세요. 말씀하신 자료를 붙입니다.⏎⏎«n.k» 드림⏎«L.p»«p.l»⏎«L.e»«e.l»
mail|보낸 사람: «n.k» <«e.c»>⏎날짜: «date» «time»⏎제목: Re: «thing» 견적⏎⏎금액은 «won»이고 부가세는 따로입니다.
mail|원고료를 받을 계좌를 알려 드립니다. «+ac.l», 예금주 «n.k». 세금을 뗀 «won»«이» 맞는지도 봐 주세요.
mail|책 보내실 곳은 (우)«z.l» «a.l», 받는 이 «n.k»입니다. 두 권이면 무게가 «dec»kg쯤 될 거예요.
mail|비밀번호 재설정: https://⟦my|id|account⟧.example.com/reset?⟦token|key|code⟧=«us.c» («num»분 동안만 씁니다). 요청하지 않으셨으면 지우세요.
mail|발권에 필요한 것 보내 드려요. «n.k» / «L.bd»«bd.l» / «L.pp»«pp.l». 출발은 «date»입니다.
mail|임시 계정을 드립니다. 아이디 guest«d2», 비밀번호: «k.l» 입니다. 첫 접속 뒤에 바꾸세요. 창구는 «time»까지 엽니다.
mail|문의 주신 «thing» 건은 ⟦다음 주|내일|이번 달 안⟧에 답을 드리겠습니다. 급하시면 «p.c» ⟦로|으로⟧ 문자 주셔도 됩니다.
ad|«thing» 고칩니다! 출장비 없음. ☎ «p.l» ⟦24시간|연중무휴|일요일 쉼⟧. 처음 오신 분은 «won» 깎아 드려요.
ad|과외합니다. 한 달 «won», 주 «d2»분씩 세 번. 카톡 «ms.l» / 전화 «p.l». 시범 수업은 돈을 받지 않습니다.
ad|급전 당일! 상담 «p.o» 텔레 «ms.l» ⟦누구나|무직도⟧ 됩니다. 한도 «won», 오늘만 이자 없음.
ad|직원 구함. «time»부터 여덟 시간, 시급 «won». 이력서는 «e.c»«로» 보내세요. 궁금한 점은 «p.c».
ad|농장에서 바로 보냅니다. «num»kg «won». 입금 «+ac.l» «n.k», 주문 «p.l». 섬은 배송비가 더 붙어요.
ad|연락처 «p.s» 입니다. 광고 글이라 숫자를 못 씁니다. «thing» 대여도 하고 하루에 «won» 받아요.
ad|인스타 ⟦아이디|ID⟧ «ms.l» 팔로우하면 «won» 쿠폰! 매장은 «place», «time»에 엽니다. 재고 «num»개.
notice|잃어버린 분을 찾습니다. «n.k», «bd.x»생, 키 1«d2»cm. 보신 분은 «p.l»«로» 알려 주십시오. 사례합니다.
notice|부고. 장지는 공원 «num»구역. 연락 «p.l», 마음 전하실 곳 «+ac.l»(«n.k»). 조화는 받지 않습니다.
notice|당번 안내: 첫째 주 «n.k» «p.c», 둘째 주 «n.k» «p.c», 셋째 주 «n.k» «p.c». 바꿀 때는 서로 알려 주세요.
notice|지하 주차장에 오래 세워 둔 «v.x», «v.x» 차주는 «date»까지 옮겨 주십시오. 그 뒤에는 견인합니다.
notice|공시 송달. ⟦성명|이름⟧ «n.k» «L.bd»«bd.l» «L.a»«a.l». 서류는 «date»까지 찾아가십시오. 문서 번호 «d4»-«d5».
notice|⟦담당|문의⟧: 시설과 ☎ «pd.l?» (대표 «rep»). 신청한 «role» «n.l» 님께는 «p.l»«로» 따로 알려 드렸습니다.
notice|안심 번호 «p.l» ⟦로|으로⟧ 연락하시면 학부모 대표 «n.k» 님이 받습니다. 소풍은 «date» «time»에 떠납니다.
form|신 청 서⏎«L.n»«n.l»⏎«L.r»«r.l»⏎«L.a»«a.l»⏎«L.p»«p.l»⏎신청 과목: «thing» 만들기 (수강료 «won»)
form|환불 요청⏎예금주 : «n.l»⏎은행/계좌번호 : «+ac.l»⏎환불 금액 : «won»⏎사유 : 일정이 바뀜. 접수 번호 «d6»
form|외국인 고용 신고⏎성명 «n.l»⏎«L.f»«f.l»⏎«L.pp»«pp.l»⏎근무 시작일 «date»  업종 «code»
form|문진표⏎«L.n»«n.l»  «L.bd»«bd.l»⏎«L.hi»«hi.l»⏎키 1«d2»cm 체온 36.5 혈압 1«d2»/80⏎알레르기: 없음
form|차량 등록⏎«L.v»«v.l»⏎소유자 «n.l»  «L.p»«p.l»⏎기간 «date»부터 «num»일⏎요금은 다달이 «won»
form|대여 계약⏎임차인 «n.l»⏎«L.dl»«dl.l»⏎차량 «v.l»⏎결제 카드번호 «cd.l»⏎보증금 «won», 반납 «time»
form|정기 후원 약정⏎후원자 «n.l» («L.bd»«bd.l»)⏎«L.cd»«cd.l»⏎매달 «won»⏎영수증 받을 곳 «e.l»
form|사업자 정보⏎대표자 «n.l»⏎«L.b»«b.l»⏎사업장 «a.l»⏎업태 소매, 종목 «thing», 과세 유형 간이
form|법인 정보⏎상호 주식회사 «org»⏎«L.cr»«cr.keep»⏎«L.b»«bc.l?»⏎자본금 «won»⏎임원 수 «num»
form|택배 보내기⏎보내는 사람 «n.l» «p.l»⏎받는 사람 «n.l» «p.l»⏎«z.x» «a.l»⏎내용물 «thing», «dec»kg, 운송장 «track»
table|| 이름 | 전화 | 비고 |⏎|---|---|---|⏎| «n.k» | «p.c» | 회장 |⏎| «n.k» | «p.c» | 총무 |⏎| «n.k» | «p.c» | - |⏎회비 «won»
table|성명,생년월일,이메일⏎«n.k»,«bd.l»,«e.c»⏎«n.k»,«bd.l»,«e.c»⏎이 표는 «date»까지만 쓰고 지운다. 모두 «num»줄 가운데 두 줄이다.
table|사번	성명	주민등록번호	지급액⏎«code»	«n.k»	«r.c»	«big»⏎«code»	«n.k»	«r.c»	«big»⏎합계는 다음 쪽에 있다.
table|성명|은행|계좌번호|금액⏎«n.k»|농협|«ac.c»|«big»⏎«n.k»|신한|«ac.c»|«big»⏎지급일 «date», 모두 «num»명
table|방문 차량⏎«v.c» | «n.k» | «time»⏎«v.c» | «n.k» | «time»⏎«v.c» | «n.k» | «time»⏎기록은 하루 뒤에 지운다.
table|이름 | 주소 | 전화⏎«n.k» | «a.b» | «p.b»⏎칸이 좁아 두 줄로 나뉘었다. 접수 번호 «d6», 처리 «date», 다음 쪽에 이어짐
table|기기,MAC,IP⏎노트북,«mac.c»,«lan»⏎인쇄기,«mac.c»,«lan»⏎서버,«mac.c»,«ip.c»⏎조사한 날 «date», 모두 «num»대
table|번호 | 환자 | 생년월일 | 과⏎«d5» | «n.l» | «bd.l» | 내과⏎«d5» | «n.l» | «bd.l» | 외과⏎대기 «num»분
minutes|«off»«이» 배수로 공사를 설명함. 주민 «n.k» 씨(«p.c»)가 담이 기울었다고 말함. 예산은 «won»이며 «date»에 다시 보기로 함.
minutes|민원인 «n.l»의 글을 읽음. «a.x» 앞길에 물이 고인다는 내용임. 위원 «num»명 가운데 셋이 현장을 보기로 함.
minutes|피해자 «n.l» 쪽에서 서면을 냄. 연락은 «p.l»«로» 하기로 함. «off»«은» 절차를 «art»에 따라 설명함. «time»에 마침.
minutes|참고인 «n.l»(«bd.x»생)이 나와 말함. 기록은 «d2»쪽이며 «off»«이» 보관함. 다음 회의는 «date»에 열기로 함.
law|매도인 «n.k»(주민등록번호 «r.l»)와 매수인 «n.k»(주민등록번호 «r.l»)는 다음과 같이 계약한다. ⟦제1조|1.⟧ 값은 «won»으로 한다.
law|위임장. 위임인 «n.l», 주소 «a.l». 위 사람은 «art»에 따른 신청을 맡긴다. «date». 서류는 «num»통을 만든다.
law|합의서. 가해자 «n.k»(«r.c»)는 «won»«을» «date»까지 «+ac.l» 로 보낸다. 이를 어기면 연 «pct»의 이자를 문다. 민법 «art» 참조.
court|원고 «n.k»(«r.c»)은 «a.c»에 산다. 피고는 갚지 아니하였다. 대법원 «date» 선고 «case» 판결 참조.
court|사건 «case»⏎원고 «n.l» (주민등록번호 «r.l»)⏎주소 «a.l»⏎피고 주식회사 «org»⏎주문: 피고는 원고에게 «won»«을» 지급하라.
court|피고인 «n.k»(«bd.x»생)는 «date» «time»경 «v.x» 차를 몰고 가다가 신호를 어겼다. 증거 기록 «num»쪽. 사건 «case».
court|피해자 «n.l»은 속아서 «+ac.x» 계좌로 «won»«을» 보냈다. 피고인은 «p.c» 전화를 썼다. 사건 «case».
ocr|성 명  «n.l»⏎주 민 등 록 번 호  «r.l»⏎전 화  «p.l»⏎위 사람은 과정을 마쳤으므로 이 증서를 줍니다. «date»
ocr|영 수 증⏎카 드 번 호  «cd.l»⏎승 인 번 호  «d8»⏎금 액  «won»⏎«date» «time»  단 말 기  «d8»  할 부  00
ocr|명 함⏎대 표  «n.k»⏎H.P «p.l»⏎E-mail «e.l»⏎«a.c»⏎가구 · 칠 · 수리  토요일은 예약만 받음
ocr|받는 분 «n.k»⏎«a.l»⏎우편번호 «z.l»⏎전화 «p.o»⏎등기 «track»  무게 «num»g  요금 «won»
ocr|면 허 증⏎«dl.l»⏎«n.k»⏎«r.l»⏎«a.l»⏎적성 검사 «date» ~ «date»  조건 A
log|«iso» «hms» INFO login ok user=«d4» ip=«ip.l»⏎«iso» «hms» WARN slow query «d4»ms⏎«iso» «hms» INFO logout user=«d4»
log|«ip.c» - - [17/Apr/2026:«hms» +0900] "GET /my?⟦session|sid|token|auth⟧=«us.c» HTTP/1.1" 200 «d4»⏎«lan» - - "GET /health" 200 2
log|«iso»T«hms»Z sms.send to=«p.c» tmpl=otp result=ok⏎«iso»T«hms»Z mail.send to=«e.c» id=«d8» result=ok
log|{"ts":«epoch»,"ev":"join","mail":"«e.c»","ip":"«ip.c»","trace":"«uuid»"}⏎{"ts":«epoch»,"ev":"ping","ms":«num»}
log|dhcp: «lan» leased to «mac.c» for 7200s⏎dhcp: «lan» leased to «mac.c» for 7200s⏎dhcp: pool «num» free, «iso» «hms»
log|[bot] 무엇을 도와 드릴까요⏎[user] 제 번호 «r.x» 로 조회해 주세요⏎[bot] 번호를 적지 마세요⏎[system] took=«num»ms ver=«ver»
code|# 설정⏎API_KEY = "«k.l»"⏎HOST = "«lan»"⏎PORT = 8«d2»0⏎# ⟦버전|버전|판|v⟧ «ver», 커밋 «hex40»
code|token = "«k.c»"  # 지울 것⏎base = "https://api.example.org/v«d2»"⏎assert len(token) > 10⏎print(base, 200)
code|url = "postgresql://«us.x»@db.example.net:5432/app"⏎pool = «num»⏎# 비밀번호는 환경 변수로 옮긴다 (이슈 «d4»)
code|member = {"name": "«n.k»", "phone": "«p.c»", "email": "«e.c»"}⏎assert post(member).status == 201⏎# 시험 값, «iso»에 적음
code|/* 만든이 «n.k» <«e.c»>⏎ * «iso» ⟦버전|버전|판|v⟧ «ver»⏎ */⏎#define LIMIT «d6»⏎static const long T = «epoch»L;
code|curl "https://apis.data.example/list?serviceKey=«us.c»&numOfRows=«num»"⏎# 답은 JSON이고 resultCode는 «d2»이다. 하루 «d4»번까지 부른다.
essay|외할머니는 «bd.x»에 태어나 «a.x» 그 집에서 늙으셨다. 마당에는 감나무가 «num»그루 있었다고 한다.
essay|수첩 첫 장에 «n.k» «p.c»«이»라고 적혀 있었다. 걸어 보니 없는 번호였다. 그해 겨울은 «num»일 동안 눈이 왔다.
essay|첫 주민등록증의 번호 «r.x»«을» 외우며 걸어왔다. 그날 빵집에서 «won»어치 빵을 사서 동생과 나누어 먹었다.
news|경찰은 피해자 «n.l» 씨의 전화 «p.l» 기록을 살피고 있다. 피해액은 «won»이며 비슷한 일이 올해 «num»건 있었다.
news|후원은 «+ac.l»(예금주 «n.k»)로 하면 된다. 지금까지 «num»명이 «won»«을» 보냈다. «off»도 뜻을 함께했다.
news|독자 «n.k» 씨(«e.c»)는 막차를 늦춰 달라고 적었다. «off»«은» «date»까지 답하겠다고 밝혔다. 탄 사람은 하루 «num»명이다.
wiki|토론: «ip.x»에서 같은 문단을 «num»번 지웠습니다. 급하면 «e.c»«로» 알려 주세요. «date» «time» (KST)
wiki|이 가게는 사업자등록번호 «b.l»«로» 등록되어 있고 «year»년에 문을 열었다고 적혀 있으나 출처가 없다. ISBN «isbn» 참고.
manual|보기처럼 적습니다. 이름 «n.k», 휴대폰 «p.l», 메일 «e.l». 인증 번호 여섯 자리는 «num»초 안에 넣습니다. ⟦버전|버전|판|v⟧ «ver».
manual|기기 밑면의 MAC 주소(예: 제 것은 «mac.l»)를 허용 목록에 넣습니다. 관리 화면은 «lan», 포트는 80«d2»입니다.
manual|입금 화면에서 «+ac.l» «n.k»«이» 맞는지 봅니다. «won»«을» 넘으면 한 번 더 묻습니다. 오류 «code»는 다시 해 보세요.
patent|(72) 발명자⏎«n.l»⏎«a.l»⏎(21) 출원번호 «pat»⏎(54) 손잡이가 접히는 «thing»⏎(57) 요약: 길이는 «dec»mm이다.
board|숫자 쓰면 잘려서 한글로 남겨요: «p.s». «thing» 두 개에 «won»이고 «place»에서 뵐 수 있어요.
board|연락 ☞ «p.o» ☜ «thing» 나눔합니다. 가져가실 날은 «date» 저녁이면 좋겠어요. 먼저 오신 분께 드려요.
board|자료 받으실 분은 «e.o» 로 제목에 닉네임을 적어 보내 주세요. «num»MB라 조금 늦게 갈 수 있어요.
chat|번호 뭐예요⏎«p.s»⏎아 한글로 쓰니 헷갈리네요⏎그래도 이래야 안 가려져요 «time»에 전화 주세요
chat|메일 주소 알려 주세요⏎«e.o» 예요⏎네 파일 «num»개 보낼게요⏎받으면 말씀드릴게요
chat|폰 바꿨어요 «p.o»⏎이렇게 써도 알아보시죠?⏎네 저장했어요 «place»에서 봬요
ad|문의 «p.o» / 메일 «e.o» / 카톡 «ms.l» ⟦이사|청소|도배⟧ 다 됩니다. 평당 «won»부터이고 «date»까지 깎아 드려요.
ad|전화 «p.s» 또는 «p.s». 캠핑 «thing» 빌려 드립니다. 하루 «won», 보증금 없음. «time» 전에 찾아가세요.
review|업체 번호가 글에서 자꾸 지워지네요. «p.s» 입니다. 견적은 «won»이고 «num»분 만에 왔어요. 다시 부를 거예요.
ocr|연 락 처 : «p.o»⏎성 명 : «n.l»⏎접 수 «date»  번 호 «d6»⏎요 금 «won»  미 납 없 음
qna|법인이 아니라 개인인데 «L.b»«b.l» 로 세금계산서를 받으면 되나요? 금액은 «won»이고 거래일은 «date»입니다.
form|사업자 확인서⏎상호 «org»  대표 «n.l»⏎«L.b»«b.l»⏎«L.cr»«cr.keep»⏎발급 «date», 유효 «num»일
table|대표자,사업자등록번호,전화⏎«n.k»,«b.l»,«p.c»⏎«n.k»,«b.l»,«p.c»⏎«n.k»,«b.l»,«p.c»⏎확인한 날 «date»
qna|보험증에 «hi.l» 이라고 적힌 건강보험증 번호는 가족이 모두 같은가요? 병원에서 «L.hi»«hi.l» 를 다시 달라고 해요.
form|검진 신청⏎«L.n»«n.l»⏎«L.r»«r.m»⏎«L.hi»«hi.l»⏎«L.p»«p.l»⏎검진일 «date», 굶는 시간 8시간, 비용 «won»
table|운전자|면허번호|차량번호⏎«n.k»|«dl.c»|«v.c»⏎«n.k»|«dl.c»|«v.c»⏎«n.k»|«dl.c»|«v.c»⏎배차 «date» «time»
notice|습득물: 면허증(«n.k», «dl.x»), 지갑, 우산 «num»개. «date»까지 찾아가지 않으시면 파출소로 보냅니다. 신분증을 가져오세요.
chat|렌트하려고요⏎면허 번호 주세요⏎«dl.x» 이고 «date»에 땄어요⏎보험은 «won» 더 내시면 돼요
table|성명(영문)|등록번호|체류자격⏎«n.l»|외국인등록번호 «f.l»|E-9⏎«n.l»|외국인등록번호 «f.l»|E-7⏎조사 «date», 모두 «num»명
court|신청인 «n.l»(외국인등록번호 «f.l»)의 사건 «case»에서 법원은 «date» 결정을 하였다. 송달할 곳은 «a.l»이다.
law|등기 권리자 «n.k» «r.m»⏎등기 의무자 «n.k» «r.m»⏎원인: «date» 매매, 값 «won». «art»에 따라 신청한다.
news|공개된 문서에는 «n.k» 씨의 주민등록번호가 «r.m» 꼴로 남아 있었다. 기관은 «date» 글을 내렸다. 본 사람은 «num»명이다.
log|WARN pii raw=«r.c» field=memo⏎WARN pii raw=«f.c» field=memo⏎INFO scanned=«d6» hit=2 took=«dec»s «iso» «hms»
code|rows = [("«n.k»", "«r.c»"), ("«n.k»", "«f.c»")]⏎assert all(len(x[1]) == 14 for x in rows)⏎# 지어낸 값, «iso»
mail|송장에 적을 것: «n.k», «L.p»«p.l», «L.a»«a.l», 우편번호 «z.l». 내용물은 «thing»이고 «dec»kg입니다.
chat|통장 사본 말고 숫자만 주세요⏎«ac.b»⏎«bank» 맞죠 계좌 확인했어요⏎네 «won» 부탁드려요
chat|외국인등록증 «f.b»⏎여기까지가 번호예요⏎네 두 줄로 왔지만 알아봤어요 접수 «d6»번입니다
form|주민등록번호 «r.b»⏎성명 «n.l»⏎칸을 넘겨 적었음. 접수 «date», 처리 기간 «num»일, 수수료 «won»
ocr|사 업 자 등 록 번 호 «b.l»⏎대 표 자 «n.l»⏎품 목 «thing»  금 액 «won»⏎승 인 «d8»  «date» «time»
patent|(71) 출원인⏎«n.l» («r.m»)⏎«a.l»⏎(11) 등록번호 «pat»⏎청구범위는 «num»항이다.
"""

NEGATIVE = """
wiki|years of history|이 싸움은 «range»년에 이어졌고 성은 «year»년에 다시 지었다. 기록은 «range»년의 것이 가장 자세하다. 넓이는 «big»㎡이다.
wiki|ISBN and pages|책은 «year»년에 나왔다. 고친 판은 ISBN «isbn», 먼저 판은 «isbn»이다. 쪽수는 «num»쪽이고 그림은 «num»장이다.
wiki|CAS numbers|이 물질의 CAS 번호는 «cas»이고 비슷한 물질은 «cas», «cas»이다. 녹는점은 «dec»도, 끓는점은 «dec»도이다.
wiki|coordinates|자리는 «geo»이고 높이는 «dec»m이다. 같은 줄기의 봉우리는 «geo»에 있다. «year»년에 길이 놓였다.
wiki|populations|인구는 «big»명, 가구는 «big»세대이다. «year»년보다 «pct» 줄었다. 면적은 «dec»㎢이고 동네는 «num»개이다.
wiki|sports|경기는 «score»로 끝났고 앞선 경기는 «score»였다. 관중은 «big»명이다. 두 팀은 «range»년에 «num»번 만났다.
law|numbered articles|«art» 및 «art»에 따라 «won» 아래의 과태료를 물린다. 다만 «art»의 경우는 그러하지 아니하다. <개정 «date»>
law|law numbers and dates|이 규칙(부령 제«d4»호)은 «date»부터 시행한다. «art»의 개정 규정은 «date» 뒤에 처음 신청하는 때부터 적용한다.
law|clause numbers like an address|계약 «ver»항과 1.2.3.«num»항에 따라 을은 «num»일 안에 검수한다. 별표 «d2»의 값은 «dec»부터로 한다. «art» 참조.
law|definitions of kinds without values|주민등록번호, 여권번호, 운전면허번호는 «art»에 따라 암호로 두며, 전화번호와 계좌번호는 목적을 이루면 «num»일 안에 없앤다.
court|case numbers|대법원 «date» 선고 «case» 판결, «case» 판결 참조. 원심 «case»의 판단은 옳다. 상고를 기각한다. «art»를 적용한다.
court|blanked names|원고 김○○은 피고 이○○에게 «won»«을» 빌려주었다. A, B, C의 진술은 서로 맞지 않는다. 사건 «case», 기록 «num»쪽.
court|exhibits and sums|증거: 갑 제«num»호증의 1 내지 «num», 을 제«num»호증. 손해는 «won»이고 책임은 «pct»로 줄인다. 재판장 판사 박서담, 사건 «case».
patent|patent numbers|(21) 출원번호 «pat»⏎(11) 등록번호 «pat»⏎(56) 선행 기술: KR «pat», KR «pat»⏎(54) 물빠짐이 좋은 «thing»
patent|claims|청구항 «num»에 있어서 받침부(«num»)와 덮개(«num»)는 «dec»mm 떨어지고 두께는 «dec»-«dec»㎛이다. 인용발명 1은 «pat»이다.
notice|document number|문서번호: 총무과-«d5»(«date»)⏎수신: 각 부서⏎제목: 비품 조사⏎1. 관련: 시설과-«d5»(«date»)⏎2. 붙임 서식으로 내 주십시오. 끝.
notice|representative lines of organisations|문의는 «org» 대표 번호 «rep», 분실 신고는 «rep», 긴급은 119입니다. 점검은 «time»부터 «num»분 동안입니다.
notice|exam numbers|합격자 수험번호: «d8», «d8», «d8», «d8». 등록은 «date»까지이고 등록금은 «won»입니다. 예비 번호는 «num»번까지입니다.
notice|bus numbers|«num»번, «d4»번, «num»-1번 버스가 «date»부터 «place»에 서지 않습니다. 정류장 번호 «d2»-«d3» 쪽을 이용하세요.
notice|registered mail|등기번호 «track» 우편물이 «date»에 나갑니다. 보관은 «num»일이며 그 뒤에는 돌려보냅니다. 요금 «won».
notice|officials with title|«off»«은» «date» «place»에서 설명회를 연다고 알렸다. 예산은 «won»이다. «off»도 참석한다. 자리는 «num»석이다.
manual|versions|버전 «ver», 펌웨어 «ver», 드라이버 «ver»에서 확인했습니다. 버전 «ver» 아래에서는 메뉴가 다릅니다. 모델은 «model»입니다.
manual|private and documentation addresses|관리 화면은 «lan», 보기에는 «doc»«을» 씁니다. 서브넷은 255.255.255.0, 되돌이는 127.0.0.1입니다. 포트 «d4».
manual|parts and models|부품 «part», «part»«을» 쓰고 나사는 M«d2»x«num»이다. 모델 «model»과 맞는다. 점검은 «big»km마다 한다.
manual|placeholders|전화번호는 010-XXXX-XXXX, 생년월일은 YYYYMMDD, 계좌는 ***-**-****** 꼴입니다. 오류 «code»가 나면 ⟦버전|버전|판|v⟧ «ver»인지 보세요.
manual|standards|시험은 «ks», «ks», ISO «d4»-1, IEC «d5»에 따른다. 공차는 «dec»mm이고 온도는 «num»도이다. 고친 날 «date».
manual|lot numbers|«lot», «lot» 제품은 «date» 전에 씁니다. 한 번에 «dec»mL, «num»시간 사이를 둡니다. 품목 코드 «d8».
manual|empty form|성명: ________  전화: ____-____-____⏎생년월일: ____년 __월 __일⏎주소: ____________⏎칸은 모두 «num»개이며 검은 펜으로 적습니다.
code|hashes|커밋 «hex40»에서 고쳤다.⏎sha256: «hex64»⏎다음 ⟦버전|판⟧은 «ver»이고 시험은 «num»개다.
code|uuids|작업 «uuid»가 두 번 돌았다. 앞선 것은 «uuid»이다. 걸린 시간 «dec»초, 줄 수 «big».
code|epoch and digits|assert parse("«epoch»") == «epoch»⏎assert day("«ymd»") == "«iso»"⏎LIMIT = «d6»⏎# 열세 자리는 밀리초다
code|lock file|numpy==«ver» --hash=sha256:«hex64»⏎rich==«ver»⏎# «iso»에 다시 잠갔다. 손으로 고치지 않는다
code|SQL|SELECT no, amt FROM orders WHERE no IN («ymd»«d4», «ymd»«d4») AND at >= '«iso» «hms»';⏎-- 주문 번호는 날짜와 차례로 되어 있다
code|placeholders of secrets|API_KEY=your-key-here⏎PASSWORD=<비밀번호>⏎TOKEN=${TOKEN}⏎HOST=«lan»⏎# ⟦버전|버전|판|v⟧ «ver». 실제 값은 따로 적는다
log|timestamps|«ymd»«clock» INFO worker-«d2» took «d4»ms rows=«d5»⏎«ymd»«clock» WARN worker-«d2» retry=2⏎모두 «big»줄을 처리했다.
log|private addresses|[«hms»] dhcp: «lan» leased 7200s⏎[«hms»] dhcp: «lan» leased 7200s⏎[«hms»] get «doc»/docs 200⏎안쪽 망만 담았다.
log|trace ids|trace=«hex40» dur=«dec»ms⏎trace=«hex40» dur=«dec»ms⏎id=«uuid» epoch=«epoch»
log|tracking numbers|송장 «track» 집하, 송장 «track» 상차, 송장 «track» 배달 출발. 오늘 «big»건, 잘못 나눈 것 «num»건. «iso» «hms»
table|statistics|구분 | 2022 | 2023 | 2024⏎쌀 | «big» | «big» | «big»⏎보리 | «big» | «big» | «big»⏎단위는 톤이며 끝수는 버렸다.
table|prices and parts|품번,품명,단가,재고⏎«part»,«thing»,«d4»,«num»⏎«part»,«thing»,«d4»,«num»⏎«part»,«thing»,«d4»,«num»⏎부가세를 뺀 값이다.
table|HS codes|품목번호(HS) | 품명 | 세율⏎«hs» | «thing» | «pct»⏎«hs» | «thing» | «pct»⏎«hs» | «thing» | «pct»⏎협정에 따라 다르다.
table|barcodes|상품 바코드 기한⏎«code» «ean» «iso»⏎«code» «ean» «iso»⏎«code» «ean» «iso»⏎읽히지 않으면 손으로 넣는다.
table|scores|수험번호 국어 수학 합계⏎«d8» 88 «d2» 1«d2»⏎«d8» 91 «d2» 1«d2»⏎«d8» 75 «d2» 1«d2»⏎평균 «dec»점, 합격선 «num»점
table|student numbers without names|학번 과목 학점⏎«stu» KOR«d4» A⏎«stu» MAT«d4» B⏎«stu» PHY«d4» A⏎분반은 «d2», 강의실은 «num»호이다.
minutes|officials and budgets|«off»: 예산이 «won»에서 «won»«으로» 늘었습니다. «off»: 까닭이 무엇입니까? 의안번호 21«d5», 찬성 «num», 반대 «num».
minutes|votes|재석 «num»인 가운데 찬성 «num»인, 반대 «num»인으로 의사일정 제«num»항은 가결되었습니다. «time»에 마치겠습니다.
news|prices and stocks|주가는 «dec»포인트(«pct») 내렸다. 종목코드 0«d5»는 «won», 거래 대금은 «num»조«d4»억 원이었다. 환율은 1,«num».«d2»원이었다.
news|anonymised people|재판부는 김모(«d2») 씨에게 벌금 «won»«을» 선고했다. A씨는 «num»차례 돈을 받았다. 사건 «case», 다음 재판은 «date»이다.
news|disaster|불은 «time»에 나서 «num»분 만에 꺼졌다. 소방차 «num»대, 사람 «num»명이 나섰다. «off»«은» 현장을 찾았다. 119 신고는 «num»건이었다.
review|models and prices|«model» 쓰다가 «model» 샀어요. «won»에 쿠폰 «won» 썼고 무게는 «num»g입니다. 배터리는 4,«d3»mAh예요.
review|recipes|강력분 «num»g, 물 «num»g, 소금 «d2»g. 1차 «num»분, 2차 35도 «num»분. 책 «num»쪽 그대로 했더니 조금 짜요. 값은 «won».
board|game and lottery|이번 주 번호 4, 17, 28, 30, 41, 45. 제«d4»회에는 «won» 받았어요. 레벨 «num», 공격력 «big», 확률 «pct»입니다.
board|parts that look like phones|부품 번호 010-«d4»A-«d2» 찾습니다. «part»도 맞는다고 해요. 값은 «won»쯤이고 바코드는 «ean»입니다.
board|units that look like plates|빵 12개«d4»원, 우유 10병«d4»원, 예산은 «num»조«d4»억이라네요. 줄은 «num»미터쯤 됐어요. «time»에 끝납니다.
qna|how to hide numbers|게시판에서 전화번호와 계좌번호를 가려 주나요? 주문 번호 «ymd»«d4»까지 가려져요. 앱 버전은 «ver»이고 오류는 «code»입니다.
qna|tax sums|작년에 «won» 벌고 경비는 «won» 썼어요. 세율 «pct»가 맞나요? 공제 «won»«을» 빼면 얼마일까요? «date»까지라는데요.
chat|tickets and codes|주문번호 B«d4»-«d4»-«d2» 확인되나요⏎네 쿠폰 SPRING«d4» 쓰시면 «won» 덜 내세요⏎인증번호 «d6» 넣고 «num»초 기다리세요
mail|invoices|청구 번호 INV-«iso»-«d2», 금액 «won»(부가세 별도). 컨테이너 TCLU«d6»1, 무게 «big»kg. 납기는 발주 뒤 «num»일입니다.
ad|prices only|오늘만 «won»에서 «won»! 상품 번호 «track» 검색. 모델 «model». «date»까지, 남은 수량 «num»개. 배송 «won».
form|blank application|지원서⏎성명:            생년월일:      .    .    .⏎연락처: (    )      -⏎E-mail:          @⏎서식 KF-«d4»-«d2» («date» 고침). 수수료 «won»
ocr|label of goods|M O D E L : «model»⏎L O T : «d6» - «d4»⏎정 격  220V 60Hz «dec»A⏎제 조  «date»⏎KC R-R-KX1-«d4»B
ocr|colophon|초 판  «date»⏎«num» 쇄  «date»⏎값 «won»⏎ISBN «isbn» 0«d4»⏎잘못된 책은 바꾸어 드립니다
essay|memories with numbers|열일곱 살이던 «year»년, 나는 «num»번 버스를 타고 바다에 갔다. 주머니에 «won»«이» 있었고 일기는 «num»쪽이었다.
essay|names without identifiers|가온이는 나보다 «num»센티미터쯤 컸다. 새봄이는 책을 하루에 두 권씩 읽었다. 둑길은 «dec»킬로미터였고 갈대는 누런 채로 서 있었다.
"""

FILL = {
    "casual": """읽어 주셔서 고맙습니다.|어제는 비가 와서 사진을 못 찍었어요.|댓글은 저녁에 몰아서 볼게요.|가격은 조금 깎아 드릴 수 있어요.|상자는 버려서 없습니다.
|저는 «num»번쯤 써 봤는데 괜찮았어요.|혹시 비슷한 일 겪으신 분 계신가요?|«place» 근처는 주차가 어렵습니다.|직장인이라 평일 낮에는 답이 늦어요.|처음 올리는 글이라 서툽니다.
|아이들이 커서 이제 쓸 일이 없네요.|색은 사진보다 조금 진합니다.|며칠 고민하다가 적어 봅니다.|예전에 산 것은 «year»년 것이었어요.|값을 비교해 보니 «won»쯤 차이가 나요.
|그래도 결과가 좋아서 다행입니다.|다음 주에는 여행을 가서 답을 못 드려요.|설명서는 «num»쪽이 빠져 있습니다.|날이 추워지니 다들 건강 챙기세요.|앱 버전을 «ver»«로» 올리니 느려졌어요.""",
    "formal": """자세한 것은 누리집에 올려 두었습니다.|양해하여 주시기 바랍니다.|접수는 «date»까지이며 늦은 것은 받지 않습니다.|참가비는 «won»입니다.|준비물은 필기구와 편한 옷입니다.
|점심시간은 «time»부터 한 시간입니다.|장소는 «place»입니다.|관련 근거: «art».|붙임: 계획서 1부.|지난해에는 모두 «num»명이 참여하였습니다.
|비가 오면 일정을 미룰 수 있습니다.|대표 번호 «rep»에서도 안내합니다.|승강기는 점검 중이므로 계단을 이용해 주십시오.|제출한 서류는 돌려드리지 않습니다.|회의 자료는 «num»쪽입니다.
|«off»«이» 인사말을 하였습니다.|예산은 «won» 안에서 씁니다.|의견이 있으면 회의 때 말씀해 주십시오.|다음 모임은 «date»에 엽니다.|문서번호는 총무과-«d5»입니다.""",
    "story": """그해 여름은 유난히 길었다.|강물은 «dec»미터까지 불어났다.|사람들은 저마다 다른 이야기를 했다.|골목 끝에는 오래된 우물이 있었다.|«year»년의 일이라고 한다.
|시장에는 «num»개의 가게가 늘어서 있다.|전문가들은 조금 더 지켜보아야 한다고 말한다.|지난달보다 «pct» 늘었다.|비슷한 기록은 «range»년에도 보인다.|해가 지자 바람이 차가워졌다.
|«off»«은» 말을 아꼈다.|버스는 한 시간에 두 번 다닌다.|그 뒤로 아무도 그 일을 말하지 않았다.|통계는 «year»년부터 모았다.|마을에는 «num»가구가 산다.
|감나무에는 까치밥이 몇 알 남아 있었다.|이 책의 번호는 «isbn»이다.|철길을 따라 코스모스가 피었다.|값은 «won»으로 올랐다.|오래된 사진 한 장이 남아 있다.""",
    "legal": """이 부분 주장은 이유 없다.|«art»에 따른다.|그 밖의 사항은 따로 정한다.|소송 비용은 각자 부담한다.|이 사건 계약은 «date» 맺어졌다.|원심의 판단에 잘못이 없다.
|별표 «num»의 기준에 따라 «won»으로 한다.|다만 부득이한 사유가 있으면 그러하지 아니하다.|대법원 «case» 판결의 취지도 같다.|을 제«num»호증은 믿기 어렵다.|이 규정은 «date»부터 적용한다.
|상기 구성은 도 «num»에 보인 바와 같다.|선행 기술은 «pat»에 나타나 있다.|변제기는 정하지 아니하였다.|이자는 연 «pct»로 한다.|기한은 첫날을 넣지 아니하고 센다.""",
    "tech": """# 다음 판에서 고친다|# 커밋 «hex40»|«iso» «hms» INFO gc «num»ms|«iso» «hms» DEBUG cache hit ratio=«pct»|retry = «num»|# 이슈 «d4» 참조|timeout = «num»|build «ver» ok («dec»s)
|request_id=«uuid» dur=«dec»ms|# 시험은 «num»개이며 모두 통과한다|«iso» «hms» WARN queue len=«num» lag=«dec»s|MAX_ROWS = «d6»|listen 0.0.0.0:8«d3»|epoch=«epoch» seq=«d6»|from «lan» bytes=«d5»""",
    "sheet": """단위는 천 원이다.|끝수는 반올림하였다.|다음 쪽에 이어짐|고친 날: «date»|합계: «big»|자료: «org»|모두 «num»건|참고: 서식 «code»|확인: (인)|쪽 «num»/400|접수 «time»|비고: 없음""",
}  # fmt: skip
GROUP = {
    "board": "casual", "chat": "casual", "qna": "casual", "review": "casual", "ad": "casual", "notice": "formal", "mail": "formal",
    "form": "sheet", "minutes": "formal", "manual": "formal", "news": "story", "essay": "story", "wiki": "story", "law": "legal",
    "court": "legal", "patent": "legal", "code": "tech", "log": "tech", "table": "sheet", "ocr": "sheet",
}  # fmt: skip

# --- rendering --------------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"«([^»]+)»|⟦([^⟧]+)⟧")
PARTICLES = {"은": "은는", "이": "이가", "을": "을를", "과": "과와", "로": "으로 로", "으로": "으로 로"}
SPLITTABLE = {"phone", "account", "card"}
BRACKETS = ["()", "[]", "「」", "<>", "【】", "''", '""', "（）", "{}"]
LINES = {"chat", "form", "table", "log", "code", "ocr"}


@dataclass(slots=True)
class Piece:
    """A run of text; a value where `kind` says so."""

    text: str
    kind: str = ""
    form: str = ""
    optional: bool = False


def particle(before: str, which: str) -> str:
    """The particle after what stands before it; brackets and signs are passed over."""
    last = next((c for c in reversed(before) if c.isalnum()), "가")
    if "가" <= last <= "힣":
        final = (ord(last) - 0xAC00) % 28
        closed, liquid = final > 0, final == 8
    elif last.isdigit():
        closed, liquid = last in "013678０１３６７８", last in "178１７８"
    else:
        closed, liquid = last.lower() in "lmnr", last.lower() in "lr"
    if which in ("로", "으로"):
        return "으로" if closed and not liquid else "로"
    return PARTICLES[which][0 if closed else 1]


def render(r: Random, template: str) -> tuple[list[Piece], list[str]]:
    """Pieces of one filled template and what to say of its values."""
    pieces: list[Piece] = []
    notes: list[str] = []
    at = 0

    def put(text: str) -> None:
        if text.startswith(".") and pieces and not pieces[-1].kind and pieces[-1].text.endswith("."):
            text = text[1:]  # a date has brought its full stop
        if pieces and not pieces[-1].kind:
            pieces[-1].text += text
        elif text:
            pieces.append(Piece(text))

    for found in TOKEN.finditer(template):
        put(template[at : found.start()].replace("⏎", "\n"))
        at = found.end()
        if found[2]:
            put(r.choice(found[2].split("|")))
            continue
        token = found[1]
        if token in PARTICLES:
            put(particle("".join(p.text for p in pieces), token))
        elif token in PLAIN:
            put(PLAIN[token](r))
        elif token.startswith("L."):
            put(label(r, token[2:]))
        else:
            optional = token.endswith("?")
            short, form = token.rstrip("?").split(".")
            if short == "bc":
                value, short = business(r, form, company=True), "b"
            elif short == "pd":  # the desk of an office
                value, short = Value(f"{r.choice(AREAS)}-{r.choice(['000', '0' + digits(r, 3)])}-{digits(r, 4)}"), "p"
            else:
                value = WRITERS[short.lstrip("+")](r, "" if form == "keep" else form)
            if short.startswith("+"):
                put(value.note + r.choice([" ", " ", " ", "은행 " if "은행" not in value.note else " ", ": ", "  "]))
                short = short[1:]
            elif short == "cd":
                notes.append(value.note)
            pieces.append(Piece(value.text, KINDS[short], value.form or FORMS[form], optional or form == "keep"))
    put(template[at:].replace("⏎", "\n"))
    return pieces, notes


def mutate(r: Random, pieces: list[Piece], register: str) -> list[str]:
    """Change how values stand in their text; what was changed."""
    said: list[str] = []
    for i, piece in enumerate(pieces):
        if not piece.kind or register in ("code", "log"):
            continue
        tight = (i and pieces[i - 1].text[-1:] in "([<「【'\"@/=:>") or (
            i + 1 < len(pieces) and pieces[i + 1].text[:1] in ")]>」】'\""
        )
        roll = r.random()
        if roll < 0.05 and not tight and piece.kind in {"phone", "email", "account", "card", "messenger", "rrn"} and i:
            pair = r.choice(BRACKETS)
            pieces[i - 1].text += pair[0]
            if i + 1 == len(pieces) or pieces[i + 1].kind:
                pieces.insert(i + 1, Piece(""))
            pieces[i + 1].text = pair[1] + pieces[i + 1].text
            said.append(f"{piece.kind} in brackets")
        elif (
            roll < 0.08
            and piece.kind in SPLITTABLE
            and piece.form in ("canonical", "labelled")
            and piece.text.count("-") >= 2
        ):
            cut = piece.text.rindex("-") + r.randrange(2)
            piece.text = piece.text[:cut] + "\n" + piece.text[cut:]
            piece.form = "split"
            said.append(f"{piece.kind} broken over a line")
        elif roll < 0.1 and i and not pieces[i - 1].kind:
            pieces[i - 1].text += r.choice(["\u200b", "\ufeff", "\u2060"])
            said.append("a character of no width before a value")
        elif (
            roll < 0.12
            and piece.kind in {"phone", "rrn", "account"}
            and piece.form in ("canonical", "labelled")
            and "-" in piece.text
        ):
            piece.text = piece.text.replace("-", r.choice(["\u200b-", "-\u200b", "\u00ad-"]), 1)
            piece.form = "obfuscated"
            said.append(f"{piece.kind} with a character of no width")
    if r.random() < 0.05:
        space = r.choice(["\u00a0", "\u3000", "  "])
        for piece in pieces:
            if not piece.kind:
                piece.text = "".join(space if c == " " and r.random() < 0.3 else c for c in piece.text)
        said.append("odd spaces")
    return said


def row_of(number: int, register: str, template: str, why: str, copy: int, others: list[str]) -> dict[str, Any]:
    """One row; some are made of several templates of their register, `others` among them."""
    r = Random(f"{SEED}/{register}/{template}/{copy}")
    pieces, notes = render(r, template)
    more = r.choices([0, 1, 2, 4], [80, 10, 6, 4])[0]
    for extra in r.sample(others, min(more, len(others))):
        further, noted = render(r, extra)
        pieces += [Piece(r.choice(["\n", "\n", "\n\n"])), *further]
        notes += noted
    said = mutate(r, pieces, register) if not why else []
    join = "\n" if register in LINES else " "
    bank = [s.strip() for s in FILL[GROUP[register]].split("|")]
    wanted = r.choices([0, 1, 2, 3, 5, 9, 14, 19], [22, 15, 14, 14, 13, 10, 7, 5])[0]
    order = r.sample(bank, len(bank)) + r.sample(bank, len(bank))
    before, after = "", ""
    size = sum(len(p.text) for p in pieces)
    for i, sentence in enumerate(order):
        if i >= wanted and size + len(before) + len(after) >= SHORTEST:
            break
        filled = "".join(p.text for p in render(r, sentence)[0])
        if size + len(before) + len(after) + len(filled) + 2 > LONGEST:
            break
        if r.random() < 0.5:
            before += filled + ("\n" if register in LINES or r.random() < 0.15 else join)
        else:
            after += ("\n" if register in LINES or r.random() < 0.15 else join) + filled
    spans: list[dict[str, Any]] = []
    text = before
    for piece in pieces:
        if piece.kind:
            span: dict[str, Any] = {
                "kind": piece.kind,
                "start": len(text),
                "end": len(text) + len(piece.text),
                "form": piece.form,
            }
            spans.append(span | ({"optional": True} if piece.optional else {}))
        text += piece.text
    text += after
    if not why:
        kinds = list(dict.fromkeys(f"{s['kind']} ({s['form']})" for s in spans))
        why = f"{register}: {', '.join(kinds)}" + "".join(f"; {s}" for s in dict.fromkeys(said + notes))
    else:
        why = f"Nothing personal: {why}"
    return {
        "id": f"g/{number:04d}",
        "register": register,
        "how": "template",
        "text": text,
        "spans": spans,
        "why": why + ".",
    }


def made(positives: int = 1040, negatives: int = 430) -> list[dict[str, Any]]:
    """Rows of every template in turn, `positives` and `negatives` of them."""
    full = [line.split("|", 1) for line in POSITIVE.strip().splitlines()]
    bare = [line.split("|", 2) for line in NEGATIVE.strip().splitlines()]
    plain = {register: [t for q, _, t in bare if q == register] for register in GROUP}
    dense = {register: [t for q, t in full if q == register] + plain[register] for register in GROUP}
    rows = []
    for i in range(positives):
        register, template = full[i % len(full)]
        others = [t for t in dense[register] if t != template]
        rows.append(row_of(FIRST + i, register, template, "", i // len(full), others))
    for i in range(negatives):
        register, why, template = bare[i % len(bare)]
        others = [t for t in plain[register] if t != template]
        rows.append(row_of(FIRST + positives + i, register, template, why, i // len(bare), others))
    return rows


# --- checks -----------------------------------------------------------------------------------------------------------

UNASSIGNED = re.compile(
    r"(82)?0?(10[01]\d{7}|1[16-9]0\d{6}|2(000|0\d{3})\d{4}|[3-6][1-5](000|0\d{3})\d{4}|70?0\d{7}|50[2-8]0\d{7}|80000\d{4})"
)
DIGIT = {"rrn": 13, "frn": 13, "brn": 10, "crn": 13}


def faults(rows: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the set: places, repeats, values that could belong to somebody."""
    out: list[str] = []
    ids = Counter(row["id"] for row in rows)
    out += [f"{i}: twice" for i, n in ids.items() if n > 1]
    texts = Counter(row["text"] for row in rows)
    out += [f"text twice: {t[:40]!r}" for t, n in texts.items() if n > 1]
    for row in rows:
        text, end = row["text"], 0
        if not SHORTEST <= len(text) <= LONGEST:
            out.append(f"{row['id']}: {len(text)} code points")
        if row["register"] not in GROUP:
            out.append(f"{row['id']}: register {row['register']}")
        for span in row["spans"]:
            value = text[span["start"] : span["end"]]
            where = f"{row['id']} {span['kind']} {value!r}"
            if span["start"] < end or not value or value != value.strip() or span["end"] > len(text):
                out.append(f"{where}: place")
            end = span["end"]
            if span["kind"] not in KINDS.values() or span["form"] not in FORMS.values():
                out.append(f"{where}: {span}")
            number = "".join(str(int(c)) for c in value if c.isdecimal())
            if span["kind"] in DIGIT and span["form"] != "masked":
                if len(number) != DIGIT[span["kind"]]:
                    out.append(f"{where}: length")
                elif passes(span["kind"], number) and not (span["kind"] in ("rrn", "frn") and reformed(number)):
                    out.append(f"{where}: passes its sum")
            elif span["kind"] == "phone" and span["form"] not in ("spelled", "obfuscated") and not span.get("optional"):
                out += [f"{where}: may be assigned"] * (not UNASSIGNED.fullmatch(number))
    return out


def table(rows: list[dict[str, Any]]) -> None:
    for title, counts in (
        ("kind", Counter(s["kind"] for row in rows for s in row["spans"])),
        ("form", Counter(s["form"] for row in rows for s in row["spans"])),
        ("register", Counter(row["register"] for row in rows)),
        ("how", Counter(row["how"] + (" without spans" if not row["spans"] else "") for row in rows)),
    ):
        print(f"{title}: " + ", ".join(f"{k} {n}" for k, n in counts.most_common()))


def main() -> int:
    """Write the file, or compare it where `--check` is given."""
    there = [json.loads(line) for line in OUT.read_text(encoding="utf-8").splitlines()] if OUT.exists() else []
    rows = [row for row in there if row["how"] == "written"] + made()
    rows.sort(key=lambda row: row["id"])
    wrong = faults(rows)
    for line in wrong:
        print(line, file=sys.stderr)
    if "--check" in sys.argv[1:]:
        if rows != there:
            print(f"{OUT}: not what this would write", file=sys.stderr)
        return int(bool(wrong) or rows != there)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="\n")
    table(rows)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
