"""The first exam of the personal-data detector: `python -m benchmarks.personal_data.personal_data_exam`.

Writes tests/data/personal_data/first-exam.jsonl anew: rows of `how` "written" stay as they are, rows of "template" are
made from the templates below and a fixed seed. `--check` only reads the file and reports what is wrong with it. It
measured once and has been read since (docs/personal-data.md). No value is of a person: see the makers.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

EXAM = Path(__file__).parents[2] / "tests" / "data" / "personal_data" / "first-exam.jsonl"
SEED = 20260417
WANTED = 990

KINDS = {
    "rr": "rrn", "fr": "frn", "pp": "passport", "dl": "driver_license", "ph": "phone", "em": "email",
    "ms": "messenger", "br": "brn", "cr": "crn", "ac": "account", "cd": "card", "hi": "health_insurance",
    "ve": "vehicle", "ad": "address", "pc": "postcode", "bd": "birth_date", "nm": "name", "ip": "ip", "mc": "mac",
    "us": "url_secret", "ky": "key",
}  # fmt: skip
FORMS = {
    "c": "canonical", "l": "labelled", "s": "spelled", "o": "obfuscated", "m": "masked", "x": "split", "k": "linked",
    "t": "context", "keep": "keep",
}  # fmt: skip
REGISTERS = frozenset(
    "news law minutes board review chat qna manual form table mail ad essay wiki code log court patent notice ocr".split()
)
OPTIONAL = "optional"

# Where one of these stands before a value on its line, the value is labelled.
LABELS = {
    "rr": r"주민\s?등록|주민\s?번호|주 민 등 록|rrn",
    "fr": r"외국인\s?등록|거소신고|등록번호",
    "pp": r"여권|passport|旅券",
    "dl": r"면허",
    "ph": r"전화|연락처|휴대|핸드폰|폰|문의|tel|mobile|phone|電話|T\.|M\.|전번|HP|번호",
    "em": r"메일|mail|user|From|To|보낸|받는|E\.",
    "ms": r"카톡|카카오톡|텔레|라인|인스타|위챗|디코|아이디|ID|까톡",
    "br": r"사업자|등록번호",
    "cr": r"법인",
    "ac": r"계좌|은행|농협|신협|수협|카뱅|뱅크|금고|우체국|국민|신한|기업|하나|송금|account",
    "cd": r"카드|card|아멕스|JCB|Visa",
    "hi": r"건강보험|증번호|증 번호",
    "ve": r"차량|차량번호|번호판|차번|번호",
    "ad": r"주소|주거|거주지|소재지|Address|받는곳|수령지|본적|등록기준지",
    "pc": r"우편번호|우\s*$|\(우",
    "bd": r"생년월일|생일|출생|birth|생\s*:",
    "ip": r"\bip\b|IP|client|아이피",
    "mc": r"MAC|맥",
    "us": r"=$",
    "ky": r"[=:]\s*[\"']?$|Bearer|token|토큰",
}
ROLES = re.compile(
    r"(?:신청인|환자|민원인|피해자|피해학생|학생|보호자|고객|원고|피고|피고인|피 고 인|고인|채무자)[ :는은]*$"
)
SLOT = re.compile(r"\[\[(?P<kind>[a-z]{2})(?:\.(?P<form>[a-z]+))?(?P<optional>\??):(?P<value>.*?)\]\]", re.DOTALL)


def read(marked: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and spans of marked text: `[[ph.o:010-…]]`, a question mark after kind and form makes a span optional."""
    text, spans, last = "", [], 0
    for found in SLOT.finditer(marked):
        text += marked[last : found.start()]
        last = found.end()
        kind, value = found["kind"], found["value"]
        row: dict[str, Any] = {"kind": KINDS[kind], "start": len(text), "end": len(text) + len(value)}
        row["form"] = FORMS[found["form"]] if found["form"] else _form(kind, text)
        if found["optional"]:
            row[OPTIONAL] = True
        text += value
        spans.append(row)
    return text + marked[last:], spans


def _form(kind: str, before: str) -> str:
    line = before.rsplit("\n", 1)[-1][-16:]
    if kind == "nm":
        return "context" if ROLES.search(line) else "linked"
    label = LABELS.get(kind)
    return "labelled" if label and re.search(label, line, re.IGNORECASE) else "canonical"


# ---- values nobody has -------------------------------------------------------------------------------------------

SURNAMES = "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 전 홍 고 문 양 손 배 백 허 유 남 심 노 하 곽 성 차 주 우 구 민 진 지 엄 채 원 천 방 공 현 함 변 염 여 추 도 소 석 선 설 마 길 연 위 표 명 기 반 라 왕 금 옥 육 인 맹 제 모 탁 국 어 은 편 용 남궁 황보 제갈 사공 선우".split()
GIVEN = "가율 나율 도혁 모란 소율 수담 시목 예목 우솔 유담 이담 재목 정률 지솔 찬율 채목 태솔 하목 해담 현률 혜솔 경솔 명돌 병팔 복순 상필 순덕 영길 용배 종팔 판석 필순 현돌 미랑 동배 금녀 길순 두식 만복 봉임 삼룡 성팔 애순 옥분 일목 점례 정팔 창배 철목 태복 향순 화목 희률".split()
PLACES = (
    "서울특별시 마포구|서울 은평구|서울시 관악구|부산광역시 사하구|부산 동래구|대구 달서구|인천광역시 남동구|광주 광산구|"
    "대전 유성구|울산광역시 북구|경기도 수원시 팔달구|경기 고양시 덕양구|경기 남양주시|경기도 시흥시|강원특별자치도 춘천시|"
    "강원 강릉시|충청북도 충주시|충북 제천시|충남 아산시|충청남도 서산시|전북특별자치도 정읍시|전남 여수시|전라남도 나주시|"
    "경북 포항시 남구|경상북도 영주시|경남 창원시 의창구|경상남도 통영시|제주특별자치도 서귀포시|제주 제주시"
).split("|")
ROADS = "은하마루길 별솔로 달무리로 새물결로 봄누리길 온새미로 솔바람로 꽃잠로 가람누리길 해오름로 물안개길 미리내로 늘봄길 아라마루로 한울숲로 도담길".split()
HAMLETS = "달래리 은새리 별내울리 감은동 솔밭동 새터골리 너른동 햇골리".split()
BLOCKS = "해솔빌 나루마을 가람빌라 한울타운 미리내아파트 은빛주택".split()
BANKS: dict[str, tuple[int, ...]] = {
    "국민은행": (6, 2, 6), "신한은행": (3, 3, 6), "우리은행": (4, 3, 6), "하나은행": (3, 6, 5), "기업은행": (3, 6, 2, 3),
    "농협": (3, 4, 4, 2), "카카오뱅크": (4, 2, 7), "토스뱅크": (4, 4, 4), "케이뱅크": (3, 3, 6), "부산은행": (3, 4, 4, 2),
    "경남은행": (3, 2, 7), "수협": (3, 2, 6), "우체국": (6, 2, 6), "새마을금고": (4, 4, 4, 1), "신협": (5, 2, 6),
    "광주은행": (3, 3, 6), "전북은행": (3, 2, 7), "제주은행": (2, 2, 6), "iM뱅크": (3, 2, 6, 1),
}  # fmt: skip
HEADS = {
    "카카오뱅크": "3333",
    "토스뱅크": "1000",
    "케이뱅크": "100",
    "농협": "352",
    "신한은행": "110",
    "우리은행": "1002",
}
CARDS = (  # the numbers that payment services publish for tests
    "4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "5555555555554444",
    "5105105105105100", "5200828282828210", "2223003122003222", "378282246310005", "371449635398431",
    "3566002020360505", "3530111333300000", "6200000000000005",
)  # fmt: skip
PLATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호"
HANGUL = str.maketrans("0123456789", "공일이삼사오육칠팔구")
WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")
LOOKS = str.maketrans("01", "Ol")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
KEYCAPS = {d: f"{d}️⃣" for d in "0123456789"}


def passes_rrn(digits: str, modulus: int = 11) -> bool:
    """True when 13 digits satisfy the sum used before October 2020 (13 for foreigners)."""
    total = sum(int(d) * w for d, w in zip(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    return (modulus - total % 11) % 10 == int(digits[12])


def passes_luhn(digits: str) -> bool:
    """True when the Luhn sum is right."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def passes_brn(digits: str) -> bool:
    """True when the check digit of a business number is right."""
    total = sum(int(d) * w for d, w in zip(digits[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    return (10 - (total + int(digits[8]) * 5 // 10) % 10) % 10 == int(digits[9])


def passes_crn(digits: str) -> bool:
    """True when the check digit of a corporate number is right."""
    total = sum(int(d) * (1 + i % 2) for i, d in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])


class Maker:
    """The values of one document."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.bank = rng.choice(list(BANKS))

    def digits(self, count: int) -> str:
        """So many digits."""
        return "".join(self.rng.choice("0123456789") for _ in range(count))

    def day(self, first: int, last: int) -> date:
        """A day from the first year to the end of the last."""
        start = date(first, 1, 1)
        return start + timedelta(days=self.rng.randrange((date(last, 12, 31) - start).days + 1))

    def ph(self, form: str) -> str:
        """Numbers of blocks that are not assigned."""
        pick = self.rng.random()
        if pick < 0.72 or form in "osxm":
            groups = ["010", self.rng.choice("01") + self.digits(3), self.digits(4)]
        elif pick < 0.86:
            area = self.rng.choice("02 031 032 033 041 042 043 044 051 052 053 054 055 061 062 063 064".split())
            groups = [area, self.rng.choice(["000", "0" + self.digits(3)]), self.digits(4)]
        elif pick < 0.95:
            groups = [self.rng.choice("070 0507 0504 0502 0505".split()), "0" + self.digits(3), self.digits(4)]
        else:
            groups = [self.rng.choice("011 016 017 018 019".split()), "0" + self.digits(2), self.digits(4)]
        if form == "s":
            return self._spelled(groups)
        if form == "o":
            return self._hidden(groups)
        if form == "m":
            return f"{groups[0]}-{groups[1][:2]}**-{groups[2]}"
        if form == "x":
            return self.rng.choice(["-\n", " | ", "\n", "- "]).join(groups)
        if pick < 0.06:
            return f"+82-10-{groups[1]}-{groups[2]}"
        separator = self.rng.choice(["-"] * 6 + [".", " ", "", "–"])
        return separator.join(groups)

    def _spelled(self, groups: list[str]) -> str:
        separator = self.rng.choice([" ", "-", " 다시 ", ""])
        if self.rng.random() < 0.4:
            return separator.join([groups[0], groups[1].translate(HANGUL), groups[2]])
        said = separator.join(g.translate(HANGUL) for g in groups)
        return said.replace("공", "영") if self.rng.random() < 0.25 else said

    def _hidden(self, groups: list[str]) -> str:
        joined = "-".join(groups)
        ways: list[Callable[[], str]] = [
            lambda: joined.translate(WIDE),
            lambda: joined.translate(LOOKS),
            lambda: joined.translate(CIRCLED),
            lambda: "".join(KEYCAPS.get(c, c) for c in joined),
            lambda: self.rng.choice("★♡*_~/|").join(groups),
            lambda: " ".join("".join(groups)),
            lambda: ".".join("".join(groups)),
            lambda: "\u200b-".join(groups),
            lambda: "\u200b".join("".join(groups)),
            lambda: "\u2060".join(groups),
            lambda: joined.replace("-", " - "),
            lambda: groups[0] + ") " + groups[1] + " " + groups[2],
        ]
        return self.rng.choice(ways)()

    def _resident(self, form: str, foreign: bool) -> str:
        late = self.rng.random() < 0.12 and form not in "s"
        born = self.day(2020, 2025) if late else self.day(1938, 2019)
        late = born >= date(2020, 10, 1)
        base = (7 if born.year >= 2000 else 5) if foreign else (3 if born.year >= 2000 else 1)
        head, sign = f"{born:%y%m%d}", str(base + self.rng.randrange(2))
        tail = sign + self.digits(6)
        modulus = 13 if foreign else 11
        while not late and passes_rrn(head + tail, modulus):
            tail = sign + self.digits(6)
        if form == "m":
            shown = self.rng.choice([1, 1, 1, 2, 4])
            return f"{head}-{tail[:shown]}" + self.rng.choice("*X●x") * (7 - shown)
        if form == "o":
            return self.rng.choice(
                [f"{head}-{tail}".translate(WIDE), " ".join(f"{head}-{tail}"), f"{head}\u200b-\u200b{tail}",
                 f"{head}—{tail}", f"{head}/{tail}", f"{head}~{tail}"]
            )  # fmt: skip
        if form == "s":
            return f"{head.translate(HANGUL)} 다시 {tail.translate(HANGUL)}"
        if form == "x":
            return self.rng.choice([f"{head}-\n{tail}", f"{head} | {tail}", f"{head} / 뒷자리 {tail}"])
        return head + self.rng.choice(["-"] * 6 + ["", " - ", " ", "–", "·"] if form != "c" else ["-"]) + tail

    def rr(self, form: str) -> str:
        """Resident numbers whose old sum is wrong, or of children."""
        return self._resident(form, foreign=False)

    def fr(self, form: str) -> str:
        """Foreigners' numbers, likewise."""
        return self._resident(form, foreign=True)

    def pp(self, form: str) -> str:
        """Passports of both types, with zeros in front."""
        if self.rng.random() < 0.5:
            value = f"{self.rng.choice('MMMSRD')}0{self.digits(2)}{self.rng.choice('ABCDEFGH')}0{self.digits(3)}"
        else:
            value = f"{self.rng.choice('MMMSR')}000{self.digits(5)}"
        if form == "o":
            return f"{value[0]} {value[1:4]} {value[4:]}"
        return value.lower() if self.rng.random() < 0.08 else value

    def dl(self, form: str) -> str:
        """Licences, by region number or name, with a serial of zeros."""
        serial, year, tail = "000" + self.digits(3), f"{self.day(1985, 2023):%y}", self.digits(2)
        if form == "x":
            return f"{self.rng.randrange(11, 27)}-{year} | {serial}-{tail}"
        if self.rng.random() < 0.35:
            name = self.rng.choice(
                "서울 부산 경기 강원 충북 충남 전북 전남 경북 경남 제주 대구 인천 광주 대전 울산".split()
            )
            return f"{name}{self.rng.choice([' ', ' ', ''])}{year}-{serial}-{tail}"
        separator = self.rng.choice(["-"] * 5 + [" ", ""])
        return separator.join([str(self.rng.choice([*range(11, 27), 28])), year, serial, tail])

    def em(self, form: str) -> str:
        """Mail under host names of one letter, which nobody gets, or with a local part that nobody would have."""
        word = self.rng.choice("nabi moss lamp kite dusk reed fern tide plum quill ember maple".split())
        local = self.rng.choice(
            [f"zz.{word}.{self.digits(4)}", f"zz{word}{self.digits(3)}", f"{word}_zz-{self.digits(4)}"]
        )
        host = self.rng.choice(["examp.m.com", "examp.m.org", "examp.m.net", "mail.sori.x.or.kr", "naru.x.or.kr"])
        if self.rng.random() < 0.25:
            local = f"malmoi.test.{self.digits(4)}"
            host = self.rng.choice(["naver.com", "daum.net", "hanmail.net", "gmail.com", "nate.com"])
        if form == "o":
            sign = self.rng.choice([" 골뱅이 ", "골뱅이", " [at] ", "(at)", " AT ", "＠", " @ ", "\u200b@\u200b", "앳"])
            dot = self.rng.choice([".", ".", " [dot] ", " 닷 "])
            return local + sign + host.replace(".", dot)
        if form == "x":
            return f"{local}\n@{host}"
        return f"{local}@{host}"

    def ms(self, form: str) -> str:
        """Handles that nobody would choose."""
        return f"zz{self.rng.choice(['_', '.', ''])}{self.rng.choice('moon river noodle pebble cedar otter'.split())}{self.digits(3)}"

    def br(self, form: str) -> str:
        """Business numbers of offices that do not exist (9xx), some with a right sum and some not."""
        kind = self.rng.randrange(1, 80) if form != "keep" else self.rng.randrange(81, 89)
        nine = f"9{self.digits(2)}{kind:02d}{self.digits(4)}"
        right = next(d for d in "0123456789" if passes_brn(nine + d))
        last = right if self.rng.random() < 0.5 else str((int(right) + 3) % 10)
        return f"{nine[:3]}-{nine[3:5]}-{nine[5:]}{last}"

    def cr(self, form: str) -> str:
        """Corporate numbers of a registry that does not exist, with a wrong sum."""
        digits = f"99{self.digits(2)}11{self.digits(7)}"
        while passes_crn(digits):
            digits = digits[:-1] + self.digits(1)
        return f"{digits[:6]}-{digits[6:]}"

    def ac(self, form: str) -> str:
        """Accounts in the shape of the bank of this document."""
        shape = BANKS[self.bank]
        total = sum(shape)
        head = HEADS.get(self.bank, self.digits(2))
        number = head + "0" * (total - len(head) - 4) + self.digits(4)
        if number[0] == "0":
            number = "4" + number[1:]
        groups, at = [], 0
        for size in shape:
            groups.append(number[at : at + size])
            at += size
        if form == "x":
            return "-\n".join(["-".join(groups[:-1]), groups[-1]])
        return self.rng.choice(["-", "-", "-", "", " "]).join(groups)

    def cd(self, form: str) -> str:
        """Published test numbers, a third of them with a wrong last digit."""
        number = self.rng.choice(CARDS)
        if self.rng.random() < 0.34:
            number = number[:-1] + str((int(number[-1]) + self.rng.randrange(1, 9)) % 10)
        sizes = (4, 6, 5) if len(number) == 15 else (4, 4, 4, 4)
        groups, at = [], 0
        for size in sizes:
            groups.append(number[at : at + size])
            at += size
        if form == "x":
            return " | ".join(groups)
        if form == "o":
            return "-".join(groups).translate(WIDE)
        return self.rng.choice(["-", "-", " ", ""]).join(groups)

    def hi(self, form: str) -> str:
        """Insurance numbers of zeros."""
        return f"{self.rng.choice('12357')}{self.rng.choice(['-', '-', ''])}0000{self.digits(6)}"

    def ve(self, form: str) -> str:
        """Plates with a serial below 0100, which is not given out."""
        space = self.rng.choice(["", "", " "])
        if self.rng.random() < 0.2:
            region = self.rng.choice("서울 부산 경기 인천 대구 강원 충남 전북 경남 제주".split())
            return f"{region}{self.rng.choice([' ', ''])}{self.rng.randrange(10, 99)}{self.rng.choice('바사아자배')}{space}00{self.digits(2)}"
        first = self.rng.choice([self.rng.randrange(1, 70), self.rng.randrange(100, 700)])
        return f"{first:02d}{self.rng.choice(PLATE)}{space}00{self.digits(2)}"

    def ad(self, form: str) -> str:
        """Real districts, invented roads and hamlets, numbers too high."""
        rng = self.rng
        place, number = rng.choice(PLACES), rng.randrange(1400, 5600)
        if rng.random() < 0.2:
            return f"{place} {rng.choice(HAMLETS)} {number}{rng.choice(['', '번지', f'-{rng.randrange(1, 40)}'])}"
        road = f"{place} {rng.choice(ROADS)} {number}{rng.choice(['', '', f'-{rng.randrange(1, 60)}'])}"
        door = rng.choice(
            ["", f", {rng.randrange(101, 120)}동 {rng.randrange(1, 25)}0{rng.randrange(1, 5)}호",
             f" {rng.randrange(2, 9)}층", f" {rng.choice(BLOCKS)} {rng.randrange(1, 9)}0{rng.randrange(1, 9)}호",
             f" ({rng.choice(BLOCKS)}) 나동 {rng.randrange(101, 509)}호"]
        )  # fmt: skip
        if form == "x":
            return road + rng.choice(["\n", ",\n"]) + f"{rng.randrange(101, 120)}동 {rng.randrange(101, 2405)}호"
        return road + door

    def pc(self, form: str) -> str:
        """Five digits in the range in use."""
        return f"{self.rng.randrange(1000, 63645):05d}"

    def bd(self, form: str) -> str:
        """A day of birth in one of the usual writings."""
        d = self.day(1935, 2019)
        if form == "t":
            return self.rng.choice([f"{d:%y%m%d}", f"{d:%Y%m%d}", f"{d:%y.%m.%d}"])
        return self.rng.choice(
            [f"{d:%Y-%m-%d}", f"{d:%Y.%m.%d}", f"{d.year}. {d.month}. {d.day}.", f"{d.year}년 {d.month}월 {d.day}일",
             f"{d:%y.%m.%d}", f"{d:%y%m%d}", f"{d:%Y%m%d}", f"{d:%Y/%m/%d}"]
        )  # fmt: skip

    def nm(self, form: str) -> str:
        """Common surnames, given names that nobody known has."""
        surname, given = self.rng.choice(SURNAMES), self.rng.choice(GIVEN)
        return " ".join(surname + given) if form == "o" else surname + given

    def ip(self, form: str) -> str:
        """Public addresses at the bottom of their ranges."""
        if self.rng.random() < 0.2:
            return f"2001:2d8:0:{self.rng.randrange(0x1000, 0xFFFF):x}::{self.rng.randrange(1, 9)}"
        return self.rng.choice([f"223.{self.rng.randrange(32, 63)}.0.{self.rng.randrange(0, 20)}",
                                f"1.{self.rng.randrange(208, 255)}.0.{self.rng.randrange(0, 20)}"])  # fmt: skip

    def mc(self, form: str) -> str:
        """Locally administered addresses."""
        return self.rng.choice(":-").join(["02", "00", *(f"{self.rng.randrange(256):02X}" for _ in range(4))])

    def _token(self, count: int, letters: str) -> str:
        return "".join(self.rng.choice(letters) for _ in range(count))

    def us(self, form: str) -> str:
        """A secret of a URL."""
        alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return self.rng.choice([self._token(32, "0123456789abcdef"), "zz" + self._token(26, alphabet)])

    def ky(self, form: str) -> str:
        """Keys in the shapes of well-known services; none was ever given out."""
        alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return self.rng.choice(
            ["AKIAZZ" + self._token(14, "ABCDEFGHJKLMNPQRSTUVWXYZ234567"), "ghp_zz" + self._token(34, alphabet),
             "sk-zz" + self._token(46, alphabet), "AIzaZZ" + self._token(33, alphabet),
             "xoxb-000000000417-" + self._token(24, alphabet), "sk_live_zz" + self._token(24, alphabet)]
        )  # fmt: skip

    def fill(self, what: str) -> str:
        """What is not personal: `d4` digits, `h12` hexadecimals, `won`, `day`, `year`, `stamp`, `a,b,c` one of these."""
        rng = self.rng
        if re.fullmatch(r"d\d+", what):
            return self.digits(int(what[1:]))
        if re.fullmatch(r"h\d+", what):
            return self._token(int(what[1:]), "0123456789abcdef")
        if "," in what:
            return rng.choice(what.split(","))
        d = self.day(2001, 2024)
        made = {
            "won": lambda: f"{rng.randrange(10, 99_999) * 10:,}",
            "n": lambda: str(rng.randrange(2, 99)),
            "k": lambda: str(rng.randrange(2, 10)),
            "land": lambda: f"0{rng.choice([31, 32, 33, 41, 42, 43, 51, 53, 62, 63])}-000-{self.digits(4)}",
            "num": lambda: f"{rng.randrange(1000, 999_999):,}",
            "day": lambda: f"{d.year}. {d.month}. {d.day}.",
            "iso": lambda: d.isoformat(),
            "ymd": lambda: f"{d:%Y%m%d}",
            "yymmdd": lambda: f"{d:%y%m%d}",
            "year": lambda: str(d.year),
            "time": lambda: f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}",
            "hour": lambda: f"{rng.randrange(8, 20)}:{rng.randrange(0, 60, 5):02d}",
            "epoch": lambda: str(rng.randrange(1_500_000_000_000, 1_750_000_000_000)),
            "bank": lambda: self.bank,
            "ean": lambda: f"880{self.digits(10)}",
            "plate": lambda: rng.choice("다누도마라나가카타파하허호바사아자"),
            "surname": lambda: rng.choice(SURNAMES[:20]),
            "name": lambda: self.nm("k"),
            "dong": lambda: f"{rng.randrange(101, 130)}동",
        }
        return made[what]()


ASKED = re.compile(r"<<(?P<kind>[a-z]{2})(?:\.(?P<form>[a-z]+))?(?P<optional>\??)>>|<<#(?P<fill>[^<>]+)>>")
PARTICLE = re.compile(r"(?P<before>.)(?P<close>(?:\]\])?)<<~(?P<what>로|을|이|은|과)>>", re.DOTALL)
PAIRS = {"로": ("으로", "로"), "을": ("을", "를"), "이": ("이", "가"), "은": ("은", "는"), "과": ("과", "와")}


def _particle(found: re.Match[str]) -> str:
    last, what = found["before"], found["what"]
    closed = (ord(last) - 0xAC00) % 28 if "가" <= last <= "힣" else 1 if last in "013678mntl" else 0
    ends_in_l = closed == 8 or last in "178"
    first, second = PAIRS[what]
    if what == "로":
        chosen = first if closed and not ends_in_l else second
    else:
        chosen = first if closed or last in "178" else second
    return found["before"] + found["close"] + chosen


def fill(template: str, rng: random.Random) -> str:
    """One document in marked text."""
    maker = Maker(rng)

    def made(found: re.Match[str]) -> str:
        if found["fill"]:
            return maker.fill(found["fill"])
        kind, form = found["kind"], found["form"]
        value = getattr(maker, kind)(form or "-")
        return f"[[{kind}{'.' + form if form else ''}{found['optional']}:{value}]]"

    return PARTICLE.sub(_particle, ASKED.sub(made, template))


# Register and reason, then the text; a slot asks for a value (`<<ph.o>>`), for filling (`<<#day>>`) or for a particle.
_TEXTS = """\
@@board|sale post with a mobile number
<<#책상,의자,전기밥솥,유모차,기타,캠핑 의자>> 팝니다. <<#won>>원이고 상태 좋아요. <<ph>><<~로>> 문자 주세요. <<#hour>> 이후 가능합니다.
@@board|number hidden from the filter
<<#과외,알바,룸메이트,동행>> 구해요. 연락은 <<ph.o>> 쪽지는 잘 안 봐요.
@@board|number spelled out
급매 <<#자전거,냉장고,노트북>> 내놓아요 전화 <<ph.s>> 네고 됩니다
@@board|mail spelled around the sign
악보 파일 보내드려요. <<em.o>> 여기로 곡 이름만 적어 주세요.
@@board|KakaoTalk id
<<#중고 카메라,콘서트 표,헬스장 회원권>> 양도합니다. 카톡 ID <<ms>> 사진 있습니다.
@@board|lost thing with name and number
<<#지갑,우산,이어폰,보조배터리>> 잃어버렸습니다. <<#day>> 버스에서요. 보관하고 계신 분은 <<nm>> <<ph>><<~로>> 부탁드립니다.
@@board|account for a group purchase
공구 마감합니다! <<#bank>> <<ac>> 예금주 <<nm>> 앞으로 <<#won>>원 보내주세요.
@@board|plate of a car that blocks the road
<<#dong>> 앞에 세우신 <<ve>> 차주분, 소방차 자리입니다. 빼주세요.
@@board|names and birth dates of a club
등산회 신규 회원: <<nm>>(<<bd>>생), <<nm>>(<<bd>>생). 환영합니다.
@@board|scam post
사기 당했어요. 입금 계좌 <<#bank>> <<ac>>, 이름은 <<nm>>, 번호 <<ph>>. <<#won>>원 날렸습니다.
@@board|invite links
단톡방 초대 https://[[ms:open.kakao.com/o/zz<<#h8>>]] 비번은 공지에 있어요
@@chat|delivery address
기사님 <<ad>> 이고요 문 앞에 두시면 됩니다. 도착하면 <<ph>> 문자 부탁드려요
@@chat|account asked and told
[오후 <<#hour>>] 회비 어디로 보내?
[오후 <<#hour>>] <<#bank>> <<ac>> (<<nm>>)
@@chat|birth date told to a clerk
상담원: 생년월일을 말씀해 주세요.
고객: <<bd.t>> 입니다. 이름은 <<nm>> 이고요.
@@chat|number in two messages
번호 적어드릴게요 <<ph.x>>
네 감사합니다
@@chat|resident number told to family
엄마 주민번호 좀 알려줘
응 <<rr.t>> 야 어디에 쓰려고?
@@chat|parking registration
방문차량 <<ve>> 등록 부탁드립니다 <<#hour>>까지 있을 거예요
@@chat|game server
서버 주소 <<ip>> 포트 <<#d4>> 들어오면 말해줘
@@chat|spelled resident number
주민번호 불러드릴게요 <<rr.s>> 다 적으셨죠
@@qna|hospital question
환자 <<nm>>, 생년월일 <<bd>>입니다. <<#k>>일 예약을 오후로 바꾸고 싶습니다. 연락처 <<ph>>
@@qna|immigration question
외국인등록번호 <<fr>> 로 본인인증이 안 됩니다. <<#day>>에 갱신했어요.
@@qna|passport question
여권번호 <<pp>> 인데 항공권에 이름을 잘못 적었어요. 수수료가 <<#won>>원 맞나요?
@@qna|insurance question
건강보험증 번호 <<hi>> 조회가 안 돼요. 피부양자는 <<nm>>, 생년월일 <<bd>>입니다.
@@qna|licence question
면허번호 <<dl>> 적성검사 기간이 언제까지인지 알고 싶어요.
@@qna|sole trader question
사업자등록번호 <<br>> 간이과세자입니다. 부가세 신고 기한이 <<#day>> 맞나요?
@@qna|tenant's question with address
주소 <<ad>>에 전입신고를 했는데 확정일자를 못 받았어요. 답은 <<em>><<~로>> 부탁드립니다.
@@qna|wrong bank transfer
<<#bank>> <<ac>><<~로>> <<#won>>원을 잘못 보냈어요. 예금주가 <<nm>> 씨로 나오는데 어떻게 돌려받나요?
@@form|application
신청인 성명: <<nm>>
주민등록번호: <<rr>>
주소: <<ad>>
연락처: <<ph>>
@@form|masked resident number
성명 <<nm>> / 주민등록번호 <<rr.m>> / 전화 <<ph>>
@@form|cells
휴대전화 | <<ph.x>> |
주민등록번호 | <<rr.x>> |
@@form|foreign worker
성명(영문) 생략
외국인등록번호: <<fr>>
여권번호: <<pp>>
체류지: <<ad>>
@@form|school form
학생: <<nm>> (<<#n>>번)
보호자: <<nm>>  비상연락처: <<ph>>
@@form|transfer
은행명 <<#bank>> 계좌번호 <<ac>> 예금주 <<nm>> 금액 <<#won>>원
@@form|insurance claim
피보험자: <<nm>>, 생년월일: <<bd>>, 건강보험증번호: <<hi>>, 차량번호: <<ve>>
@@form|licence in parts
면허증 번호 | <<dl.x>> |
성명 | <<nm>>
@@form|postcode and address
우편번호: <<pc>>
주소: <<ad>>
@@form|card consent
카드번호: <<cd>>
카드주 성명: <<nm>> (서명)
@@form|masked foreigner number and handle
등록번호 <<fr.m>> / 위챗 <<ms>>
@@table|bars
번호|성명|연락처|주소
1|<<nm>>|<<ph>>|<<ad>>
2|<<nm>>|<<ph>>|<<ad>>
@@table|comma separated
name,birth,phone,email
<<nm>>,<<bd>>,<<ph>>,<<em>>
@@table|tabs without a header
<<nm>>	<<ph>>	<<em>>	<<#won>>
<<nm>>	<<ph>>	<<em>>	<<#won>>
@@table|payroll
성명|은행|계좌번호|지급액
<<nm>>|<<#bank>>|<<ac>>|<<#num>>
<<nm>>|<<#bank>>|<<ac>>|<<#num>>
@@table|cars
동호수,차량번호,세대주
<<#dong>>,<<ve>>,<<nm>>
@@table|resident numbers in a column
순번;성명;주민등록번호
1;<<nm>>;<<rr>>
2;<<nm>>;<<rr.m>>
@@table|lines of a PDF table
성명
<<nm>>
여권번호
<<pp>>
생년월일
<<bd>>
@@table|split by bars in cells
| <<nm>> | <<ph.x>> | <<#won>> |
@@mail|signature
검토 부탁드립니다.
<<nm>> 대리
M. <<ph>> / E. <<em>>
@@mail|headers
From: <<nm>> <<<em>>>
To: <<nm>> <<<em>>>
Subject: Re: <<#견적,계약,일정>>
@@mail|tax papers
급여 신고용으로 주민등록번호 <<rr>>, 계좌 <<#bank>> <<ac>> 확인 부탁드립니다. <<nm>> 드림
@@mail|landlord
<<nm>> 님, 월세는 <<#bank>> <<ac>> 계좌로 보내 주시고 문의는 <<ph>><<~로>> 주세요.
@@mail|mail address broken over the line
회신은 다음 주소로 부탁드립니다: <<em.x>>
@@mail|address with a split door
택배는 <<ad.x>> 로 보내 주세요. 받는 사람은 <<nm>>입니다.
@@notice|wedding
신랑 <<nm>> <<ph>>
신부 <<nm>> <<ph>>
마음 전하실 곳: <<#bank>> <<ac>>
@@notice|unserved mail
공시송달 대상자: <<nm>>, 주소 <<ad>>, 사유 폐문부재, 게시 <<#day>>
@@notice|winners by mistake with full data
당첨자: <<nm>> <<ph>>, <<nm>> <<ph>>. 경품은 <<#day>>에 발송합니다.
@@notice|donation
<<#뇌수술,화재,수해>>로 힘든 <<nm>> 씨를 도와주세요. <<#bank>> <<ac>>
@@notice|club treasurer
회비 납부: <<#bank>> <<ac>> (총무 <<nm>>, <<ph>>)
@@notice|parking fines
사전통지 대상 차량: <<ve>>, <<ve>>. 의견 제출 <<#day>>까지.
@@notice|inquiries at an office line and a role mailbox
<<#day>> 설명회를 엽니다. 문의는 총무과 [[ph?:<<#land>>]], 메일 [[em?:<<#info,help,contact,webmaster,recruit>>@naru.example]]
@@court|head of a judgment
원고 <<nm>> (<<rr>>)
<<ad>>
피고 <<nm>> (<<rr>>)
<<ad>>
@@court|accused
피고인 <<nm>> (<<rr.m>>), 무직
주거 <<ad>>
@@court|plate and victim
피고인은 <<#day>> <<#hour>>경 <<ve>> 승용차를 운전하다가 피해자 <<nm>><<~을>> 들이받았다.
@@court|phone in stalking
피고인은 피해자의 휴대전화 <<ph>><<~로>> <<#n>>회 전화하였다(2022고단<<#d4>>).
@@court|fraud account
피해자 <<nm>><<~은>> <<#day>> 피고인이 알려 준 <<#bank>> 계좌(<<ac>>)로 <<#won>>원을 송금하였다.
@@court|company
원고 주식회사 온새미 (법인등록번호 <<cr.keep?>>), 소장 접수 <<#day>>
@@law|form filled by way of a leak in an annex
[별지 제<<#n>>호서식 작성 사례] 성명 <<nm>>, 주민등록번호 <<rr>>, 주소 <<ad>>
@@minutes|petitioner
청원인 <<nm>>, 주소 <<ad>>. 요지: 가로등 <<#n>>개 설치.
@@minutes|refund
탈퇴 조합원 <<nm>>에게 <<#won>>원을 <<#bank>> <<ac>> 계좌로 돌려주기로 의결.
@@minutes|phone tree
비상연락: <<nm>>(<<ph>>), <<nm>>(<<ph>>). 다음 모임 <<#day>>
@@news|obituary
▲ <<nm>> 씨 부친상, 발인 <<#k>>일, 연락처 <<ph>>
@@news|leaked row
유출된 자료에는 '<<nm>>, <<rr>>, <<ad>>' 같은 행이 <<#num>>건 들어 있었다.
@@review|courier
기사 <<nm>> 님(<<ph>>) 친절하세요. <<#k>>층까지 올려다 주심. 별 다섯.
@@review|mail of the reviewer
환불이 <<#n>>일째 안 됩니다. <<em>><<~로>> 답 주세요.
@@manual|operators
장애가 <<#n>>분을 넘으면 <<nm>>(<<ph>>)에게 알리고 <<em>><<~로>> 기록을 보낸다.
@@manual|MAC label
장비 <<#d4>>호기의 MAC 주소는 <<mc>>이며 펌웨어는 3.<<#n>>.1이다.
@@ad|mover
포장이사 <<ph>> 당일 견적. <<#n>>% 할인 중.
@@ad|loan
대출 상담 <<ph.o>> 텔레그램 @<<ms>>
@@ad|lesson
피아노 레슨 월 <<#won>>원 <<ph.s>> 문자만
@@essay|eulogy
벗 <<nm>><<~은>> <<bd>>에 태어나 <<ad>>에서 살았다.
@@wiki|private person in a draft page
<<nm>>(<<bd>> 출생)은 마을의 이장이며 전화는 <<ph>>이다. 이 문서는 삭제 신청 중이다.
@@code|fixture
user = {"name": "<<nm>>", "phone": "<<ph>>", "email": "<<em>>"}
@@code|insert
INSERT INTO users VALUES (<<#d4>>, '<<nm>>', '<<rr>>', '<<ad>>');
@@code|key
client = Client(api_key="<<ky>>")  # <<#iso>>
@@code|key in an environment file
NARU_TOKEN=<<ky>>
DEBUG=<<#true,false,0,1>>
@@code|secret in a URL
requests.get("https://api.sori.example/v1?page=<<#n>>&serviceKey=<<us>>")
@@code|password in a URL
BROKER = "amqp://zz:<<us>>@10.0.<<#n>>.3:5672/"
@@log|access
<<ip>> - - [<<#time>> +0900] "GET /list?page=<<#n>> HTTP/1.1" 200 <<#d4>>
@@log|failed login
<<#iso>> <<#time>> WARN login failed user=<<em>> ip=<<ip>>
@@log|gateway
sms to=<<ph>> seq=<<#d4>> result=<<#OK,FAIL,RETRY>>
@@log|lease
DHCPACK on 192.168.0.<<#n>> to <<mc>> lease=<<#d4>>
@@log|token
GET /reset?token=<<us>>&lang=ko 302 <<#n>>ms
@@log|card
pay card=<<cd>> amt=<<#d4>> appr=<<#d8>>
@@patent|inventor
(72) 발명자 <<nm>>
<<ad>>
(43) 공개일자 <<#day>>
@@patent|applicant
출원인 성명 <<nm>> 주민등록번호 <<rr.m>> 전화 <<ph>>
@@ocr|read badly
성 명 : <<nm.o>> 연 락 처 : <<ph.o>>
@@ocr|resident number read badly
주민등록번호 <<rr.o>> 발급일 <<#day>>
@@ocr|licence
자동차운전면허증 <<nm>> <<dl>> 1종보통
@@ocr|sole trader
등록번호 : <<br>> 성명 : <<nm>> 생년월일 : <<bd>>
@@ocr|company paper
법인사업자 등록번호 : <<br.keep?>> 법인등록번호 : <<cr.keep?>>
@@ocr|card slip
카드번호 <<cd>> 승인 <<#d8>> 금액 <<#won>>
@@ocr|envelope
받는 사람 <<nm>> 귀하
<<ad>>
우 <<pc>>
@@ocr|passport by blanks
여권번호 <<pp.o>> 발급 <<#day>>
@@ocr|card in full width
카드번호 <<cd.o>> 유효기간 생략
@@board|no number told
<<#책상,의자,자전거>> 팝니다. <<#won>>원, 구매일 <<#day>> 쪽지로만 연락 주세요.
@@board|sizes
옷 정리합니다 <<#n>>벌 일괄 <<#won>>원, 사이즈 090-095-100, <<#year>>-<<#year>> 제품.
@@board|version
앱이 <<#n>>.<<#n>>.<<#n>>.<<#n>> 버전부터 튕깁니다. 저만 그런가요?
@@chat|order number
주문번호 <<#ymd>>-<<#d7>> 배송 언제 되나요?
네 내일 출고됩니다
@@chat|Hangul digits in words
육이오 이야기 듣다가 팔일오 행사 갔어. <<#n>>명 왔더라. 삼일절에도 갈래?
@@qna|statute
민법 제<<#d3>>조 제<<#n>>항과 대법원 <<#day>> 선고 <<#year>>다<<#d5>> 판결을 보세요. 기간은 <<#n>>년입니다.
@@qna|words about numbers
주민등록번호는 앞 6자리와 뒤 7자리로 되어 있고 <<#n>>번 질문처럼 뒤 첫 자리가 성별입니다.
@@form|empty
신청인 성명            생년월일            연락처
접수번호 <<#d8>> 처리기간 <<#n>>일
@@form|all masked
성명: <<#surname>>○○ / 주민등록번호: ******-******* / 전화: 010-****-**** / 접수 <<#iso>>
@@table|barcodes
품명|바코드|수량
보리차|<<#ean>>|<<#n>>
현미차|<<#ean>>|<<#n>>
@@table|document numbers
문서번호|제목
총무-<<#year>>-<<#d4>>|비품 구매
시설-<<#year>>-<<#d4>>|보수 공사
@@table|coordinates
지점,위도,경도
<<#d2>>,37.<<#d6>>,126.<<#d6>>
@@table|timestamps
시각,값
<<#epoch>>,<<#n>>
<<#epoch>>,<<#n>>
@@table|parts with two hyphens
부품번호|단가
0<<#n>>-0<<#d2>>-<<#d4>>|<<#won>>
KX-<<#d4>>-<<#d4>>|<<#won>>
@@table|lots
LOT번호|판정
<<#yymmdd>>-<<#d6>>A|적합
<<#yymmdd>>-<<#d6>>B|재검
@@mail|invoice numbers
세금계산서 승인번호 <<#ymd>>-<<#d8>>-<<#d8>>, 합계 <<#won>>원입니다.
@@mail|conference codes
회의 ID <<#d3>> <<#d4>> <<#d4>>, 암호 <<#d6>>, <<#day>> <<#hour>> 시작.
@@mail|message id
Message-ID: <<<#ymd>><<#d6>>.<<#d4>>.qmail@mx<<#n>>.sori.example>
@@notice|tender
공고번호 <<#year>><<#d7>>-00, 추정가격 <<#num>>,000원, 개찰 <<#day>> <<#hour>>
@@notice|numbers of candidates
합격자 수험번호: <<#year>><<#d4>>, <<#year>><<#d4>>, <<#year>><<#d4>>. 등록 <<#day>>까지.
@@notice|masked winners
당첨자: <<#surname>>*<<#연,호,민,아>>(<<#d4>>), <<#surname>>*<<#수,진,희>>(<<#d4>>). 발표일 <<#day>>
@@notice|representative numbers
접수는 대표전화 1588-<<#d4>> 또는 국번 없이 110, 신고는 <<#112,119,1332>>. 기간 <<#n>>일.
@@court|old case signs like plates
대법원 <<#day>> 선고 9<<#1,2,3,4,5,6,7,8>><<#다,누,도,마,모,두>><<#d4>> 판결, 8<<#d1>><<#다,누,도>><<#d4>> 판결 참조.
@@court|new case signs
서울중앙지방법원 <<#day>> 선고 2019가합<<#d6>>, 2020나<<#d7>>, 헌법재판소 2017헌바<<#d3>> 참조.
@@court|blanked parties
원고 A는 <<#day>> 피고 B에게 <<#won>>원을 빌려주었다. 피고 B(<<#surname>>○○)는 이를 갚지 않았다(갑 제<<#n>>호증의 2).
@@court|official with title
재판장 판사 <<#name>>, 판사 <<#name>>. 선고 <<#day>>
@@law|amendments
<개정 <<#day>>, <<#day>>> [법률 제<<#d5>>호, <<#day>>, 일부개정]
@@law|chained articles
제<<#n>>조의<<#n>>제<<#n>>항 및 <<#n>>.<<#n>>.<<#n>>.<<#n>>항에 따른 기준은 별표 <<#n>>과 같다.
@@law|tariffs
관세율표 제85<<#d2>>.<<#d2>>-<<#d4>>호부터 제85<<#d2>>.<<#d2>>-<<#d4>>호까지는 <<#n>>%로 한다.
@@minutes|votes and titles
위원장 <<#name>>: 표결 결과 찬성 <<#n>>, 반대 <<#n>>으로 가결되었음을 선포합니다. 예산 <<#won>>원.
@@minutes|agenda
제<<#n>>차 회의 <<#day>> <<#hour>>, 안건 2024-<<#d4>>호 원안 의결. 내선 <<#d4>>.
@@news|anonymous people
경찰은 <<#surname>>모(<<#n>>) 씨를 <<#day>> 구속했다. 피해자는 <<#num>>명, 피해액은 <<#n>>억 <<#d4>>만 원이다.
@@news|sums like plates
내년 예산은 <<#d3>>조<<#d4>>억 원, 지원 대상은 <<#n>>만<<#d4>>가구, 국채는 <<#n>>조<<#d4>>억 원이다.
@@news|byline and model
[소리신문=<<#name>> 기자] 신형 굴착기 1644-<<#d4>> 모델이 <<#num>>대 팔렸다.
@@review|purchase
<<#day>> <<#time>> 주문, 모델 K<<#d4>>-<<#d4>>. 별 <<#k>>개 드리고 싶어요. <<#won>>원.
@@review|messengers as words
카톡 답이 <<#n>>분 만에 와서 좋았어요. 인스타 감성 카페고 라인 좋은 의자가 있음. <<#won>>원.
@@manual|addresses of a router
192.168.<<#n>>.1에 접속하여 포트 <<#d4>><<~을>> 열고 10.0.<<#n>>.2를 넣습니다. 예시 주소 203.0.113.<<#n>><<~은>> 쓰지 마세요.
@@manual|parts like passports
부품 M<<#d4>>-<<#d4>>, 도면 S<<#d8>>, 볼트 M<<#n>>-1.25는 <<#n>>N·m로 조인다.
@@manual|production line
라인 ID L<<#n>>-A<<#n>> 설비에서 알람 <<#d4>><<~이>> 나면 라인 B로 전환한다.
@@manual|field formats
전화번호는 010-XXXX-XXXX, 생년월일은 YYYYMMDD, 우편번호는 5자리로 적는다. 화면 <<#d4>>.
@@ad|prices
<<#n>>% 할인 <<#won>>원! <<#day>>까지. 전국 <<#d3>>개 매장, 무료배송.
@@essay|years
<<#n>>년 전 가을, <<#day>>의 일기에는 커피 <<#won>>원, 버스 1,<<#d3>>원이라고만 적혀 있다.
@@wiki|history
나루성은 1592-1598년 전란에 무너져 <<#n>>년 뒤 고쳐 쌓았고 둘레는 <<#d4>>보이다.
@@wiki|books
《물의 길》, 마루, <<#year>>, ISBN 979-11-<<#d4>>-<<#d3>>-<<#d1>>, ISBN 97911<<#d8>>.
@@wiki|historic birth
<<#surname>>씨 조선의 문신 '아무개'는 16<<#d2>>년 태어나 17<<#d2>>년 세상을 떠났다. 문집 <<#n>>권이 전한다.
@@code|hashes
commit <<#h40>>
sha256:<<#h64>>
@@code|constants
EPOCH = <<#epoch>>
LIMIT = <<#d10>>  # 상한
VERSION = "<<#n>>.<<#n>>.<<#n>>.<<#n>>"
@@code|placeholders
API_KEY = os.environ["API_KEY_<<#d3>>"]
TOKEN = "<your-token>"
@@code|packages and decorators
"@types/node<<#d3>>": "18.<<#n>>.<<#n>>",
@app.route("/v<<#n>>/items")
@@log|internal
<<#iso>> <<#time>> INFO 10.0.<<#n>>.<<#n>> seq=<<#epoch>> took=<<#d3>>ms
@@log|stamps
<<#ymd>><<#d6>> START job=<<#d4>> rc=0 rows=<<#d7>>
@@log|trace
trace=<<#h32>> span=<<#h16>> code=1588 line=<<#d3>>
@@patent|numbers
출원번호 10-<<#year>>-<<#d7>>, 공개번호 10-<<#year>>-<<#d7>>, 등록번호 10-<<#d7>>-0000, 출원일 <<#day>>
@@patent|reference signs
제어부(<<#d3>>)는 센서(<<#d3>>-1, <<#d3>>-2)의 값을 저장부(<<#d4>>)에 적고 통신부(1<<#d3>>)로 보낸다.
@@ocr|receipt
승인번호 <<#d8>> 일시 <<#iso>> <<#time>> 합계 <<#won>> 카드 4***-****-****-<<#d4>>
@@ocr|meter
계기번호 <<#n>>-<<#d4>>-<<#d3>> 전월 <<#d5>> 당월 <<#d5>> 금액 <<#won>>
@@ocr|colophon
초판 <<#day>> 등록 제1-<<#d3>>호 값 <<#won>>원 ISBN 89-<<#d4>>-<<#d3>>-X
@@form|health insurance and vehicle
가입자 <<nm>> 건강보험증번호 <<hi>>
차량번호 <<ve>>
@@ocr|insurance card
건강보험증 증번호 <<hi>> 가입자 <<nm>> 발급 <<#day>>
@@table|insurance numbers in a column
성명|건강보험증번호
<<nm>>|<<hi>>
<<nm>>|<<hi>>
@@form|old and new postcodes
우편번호 <<pc>> 주소 <<ad>> 성명 <<nm>>
@@mail|return address
반송지: (우 <<pc>>) <<ad>> <<nm>> 앞
@@log|wireless association
wlan0: STA <<mc>> associated, ip=192.168.1.<<#n>> rssi=-<<#n>>
@@qna|MAC of a phone
공유기에 맥 주소 <<mc>> 가 계속 붙는데 제 폰이 아니에요. 차단은 어떻게 하나요?
@@wiki|company page with its numbers
(주)온누리는 <<#year>>년 설립된 회사이다. 사업자등록번호 <<br.keep?>>, 법인등록번호 <<cr.keep?>>.
@@news|company in a report
공시에 따르면 온누리제약(법인등록번호 <<cr.keep?>>)은 <<#num>>주를 새로 발행한다.
@@board|seller's duty to show the business number
판매자 <<nm>> / 사업자등록번호 <<br>> / 전화 <<ph>>
@@table|sole traders
상호|대표|사업자번호
담은분식|<<nm>>|<<br>>
솔밭상회|<<nm>>|<<br>>
@@table|rental drivers
성명|면허번호|생년월일
<<nm>>|<<dl>>|<<bd>>
<<nm>>|<<dl>>|<<bd>>
@@mail|rental booking
예약자 <<nm>>, 면허번호 <<dl>>, 차량 <<ve>> 입니다. <<#hour>> 인수 예정입니다.
@@table|foreign workers
연번|외국인등록번호|여권번호
1|<<fr>>|<<pp>>
2|<<fr>>|<<pp>>
@@court|foreign accused
피고인 <<nm>> (외국인등록번호 <<fr.m>>), 국적 생략. 여권번호 <<pp>>.
@@chat|card number sent
결제 안 돼서요 카드번호 <<cd>> 이거 맞죠
네 고객님 번호는 지워 주세요
@@table|card split into cells
카드번호 | <<cd.x>> | <<#won>>
@@log|IPv6 and v4 clients
client=<<ip>> tls=1.3 path=/v<<#k>>/list
client=10.0.<<#n>>.7 tls=1.3 path=/v<<#k>>/list
@@qna|postcodes and area codes explained
우편번호는 2015년부터 5자리이고 예전에는 <<#d3>>번대처럼 3-3자리였어요. <<#n>>번 답변도 보세요.
@@manual|card and insurance terms
카드번호 16자리와 CVC를 넣고, 건강보험증 번호 칸은 비워 둡니다. 오류 <<#d4>><<~이>> 나면 <<#n>>쪽을 보세요.
@@law|identifier words
제<<#d2>>조(주민등록번호, 여권번호, 운전면허번호, 외국인등록번호의 처리) 제<<#k>>항 <개정 <<#day>>>
@@essay|role words
환자 안내, 학생 지도, 고객 성향, 민원인 상담을 <<#n>>년 하고 나니 <<#day>>의 나는 목소리가 낮아졌다.
@@code|css and paths
@media (max-width: <<#d3>>px) { .a { margin: 0<<#n>>px 010px 1234px; } } /* <<#h8>> */
@@board|number hidden in a rental post
원룸 <<#k>>평 월 <<#won>>원 즉시 입주. 문의 <<ph.o>> 부동산 아님
@@review|number spelled in a review
사장님 번호 <<ph.s>> 로 미리 예약하고 가세요. <<#n>>분 기다렸어요.
@@ocr|number with blanks in a form
연 락 처 <<ph.o>> 접 수 <<#iso>>
@@notice|club notice with a spelled number
신입 회원 모집, 총무 <<nm>> <<ph.s>> 문자 주세요. 회비 <<#won>>원.
@@ad|mail around the filter
대량 문의 환영 <<em.o>> / 방문 상담은 <<#hour>>부터
@@qna|mail around the filter in an answer
자세한 자료는 <<em.o>> 메일 주시면 보내드릴게요. <<#k>>일쯤 걸립니다.
@@minutes|mail with a spelled sign
간사 <<nm>> 메일 <<em.o>> 로 의견을 <<#day>>까지 내기로 함.
@@chat|hidden number and mail
번호 막히네 ㅋㅋ <<ph.o>> 아니면 <<em.o>>
@@wiki|number put by a vandal
이 문단은 낙서입니다 전화 <<ph.o>> 많은 관심 <<#n>>
@@news|number spelled by an interviewee's banner
현수막에는 "빌려드립니다 <<ph.s>>"라고 적혀 있었다. <<#n>>곳에서 발견됐다.
@@form|resident number in odd signs
주민등록번호 <<rr.o>> 성명 <<nm>>
@@form|foreigner number in odd signs
외국인등록번호 <<fr.o>> 체류기간 <<#day>>까지
@@table|account over lines
예금주|계좌
<<nm>>|<<#bank>> <<ac.x>>
@@court|card in evidence
피고인은 피해자의 신용카드(카드번호 <<cd>>)로 <<#k>>회 결제하였다.
@@essay|phone in an essay
전봇대에는 '하숙 <<ph>>'이라고 적힌 종이가 <<#k>>년째 붙어 있었다.
"""


def marked(texts: str) -> tuple[tuple[str, str, str], ...]:
    """Register, reason and marked text of every text under a line `@@register|reason`."""
    out = []
    for part in texts.split("@@")[1:]:
        head, body = part.split("\n", 1)
        register, why = head.split("|", 1)
        out.append((register, why, body.strip("\n")))
    return tuple(out)


TEMPLATES = marked(_TEXTS)


def generated() -> list[dict[str, Any]]:
    """The rows of templates, every template in turn."""
    rng = random.Random(SEED)
    seen: set[str] = set()
    rows: list[dict[str, Any]] = []
    turn = 0
    while len(rows) < WANTED:
        register, why, template = TEMPLATES[turn % len(TEMPLATES)]
        turn += 1
        text, spans = read(fill(template, rng))
        if text in seen:
            continue
        seen.add(text)
        row = {"id": f"held/t{len(rows) + 1:04d}", "register": register, "how": "template", "text": text}
        rows.append({**row, "spans": spans, "why": with_sum(why, text, spans)})
    return rows


def with_sum(why: str, text: str, spans: Iterable[dict[str, Any]]) -> str:
    """The reason, with the Luhn sum of the cards in the text."""
    sums = []
    for span in spans:
        digits = re.sub(r"\D", "", text[span["start"] : span["end"]].translate(NARROW))
        if span["kind"] == "card" and len(digits) > 13:
            sums.append("right" if passes_luhn(digits) else "wrong")
    return f"{why}; Luhn sum {' and '.join(sums)}" if sums else why


NARROW = str.maketrans("０１２３４５６７８９－⓪①②③④⑤⑥⑦⑧⑨", "0123456789-0123456789")


def faults(rows: list[dict[str, Any]]) -> list[str]:
    """What is wrong with rows: places, forms, identifiers, values that could be somebody's."""
    out = [f"{i} stands {n} times" for i, n in Counter(r["id"] for r in rows).items() if n > 1]
    out += [f"text stands {n} times: {t[:40]!r}" for t, n in Counter(r["text"] for r in rows).items() if n > 1]
    if [r["id"] for r in rows] != sorted(r["id"] for r in rows):
        out.append("rows are not sorted by id")
    for row in rows:
        if row["register"] not in REGISTERS or ("[[" in row["text"] and "]]" in row["text"]) or "<<~" in row["text"]:
            out.append(f"{row['id']}: register or marks")
        last = 0
        for span in row["spans"]:
            value = row["text"][span["start"] : span["end"]]
            if span["start"] < last or span["end"] > len(row["text"]) or not value.strip() or value != value.strip():
                out.append(f"{row['id']}: place of {value!r}")
            last = span["end"]
            if span["kind"] not in KINDS.values() or span["form"] not in FORMS.values():
                out.append(f"{row['id']}: kind or form of {value!r}")
            wrong = _could_be(span, value)
            if wrong:
                out.append(f"{row['id']}: {wrong}: {value!r}")
    return out


def _could_be(span: dict[str, Any], value: str) -> str:
    plain = value.translate(NARROW)
    digits = re.sub(r"\D", "", plain)
    kind = span["kind"]
    if kind in ("rrn", "frn") and len(digits) == 13:
        born = ("20" if digits[6] in "3478" else "19") + digits[:6]
        if born < "20201001" and passes_rrn(digits, 13 if kind == "frn" else 11):
            return "a resident number with a right sum"
    if kind == "phone" and span["form"] in ("canonical", "labelled") and len(digits) > 8:
        local = re.sub(r"^(?:0082|82|\+82)0?", "0", digits)
        if not re.match(r"010[01]|01[6-9]0|01[1]0|02(?:0)|0[3-6]\d0|0700|050\d0|0800", local):
            return "a phone of an assigned block"
    if kind == "email" and span["form"] in ("canonical", "labelled"):
        host = value.lower().rsplit("@", 1)[-1]
        if not re.search(
            r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|m\.(?:com|org|net)|x\.or\.kr)$", host
        ) and not value.startswith("malmoi."):
            return "a mail address outside the names that nobody gets"
    if kind in ("brn", "crn") and not digits.startswith("9"):
        return "a registry that exists"
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only read the file and report faults")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in EXAM.read_text("utf-8").splitlines()] if EXAM.is_file() else []
    if not options.check:
        rows = sorted([r for r in rows if r["how"] == "written"] + generated(), key=lambda r: str(r["id"]))
        EXAM.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    found = faults(rows)
    for line in found:
        print(line, file=sys.stderr)
    spans = [s for r in rows for s in r["spans"]]
    print(f"{len(rows)} documents, {sum(not r['spans'] for r in rows)} without a span, {len(spans)} spans")
    for title, counts in (
        ("how", Counter(r["how"] for r in rows)),
        ("register", Counter(r["register"] for r in rows)),
        ("kind", Counter(s["kind"] for s in spans)),
        ("form", Counter(s["form"] for s in spans)),
        ("optional", Counter(s["kind"] for s in spans if s.get(OPTIONAL))),
    ):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in counts.most_common()))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
