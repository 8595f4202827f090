"""Messenger and social media handles: 카톡 아이디 maru_7, open chats, t.me links, @names after a service name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.contacts import handles
from filters.pii_rules.contacts.handles import BLANK
from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.table_columns import find_cells

_B: Final = f"{BLANK}{{0,3}}"
_STRONG: Final = (
    "카[ .·]톡|카카오톡|카카오|카톡|까톡|깨톡|오픈채팅방?|오픈카톡|오픈톡|갠톡|개인톡|텔레그램|텔레|인스타그램|"
    "인스타|디스코드|디코|"
    "쓰레드|인별그램|인★|네이트온|페이스북|페북|틱톡|위챗|왓츠앱|스카이프|블루스카이|마스토돈|시그널|트위치|"
    "배틀넷|카카오스토리|카스 |스냅챗|까까오톡|[Kk]톡|카t|ㅋㅋㅇㅌ|스팀 ?(?:아이디|친추|닉)|ㅋㅌ|ㅋㅋㅇ|ㅌㄹ|ㅇㅅㅌ|"
    "[Kk]akao(?:[Tt]alk)?|KAKAO(?:TALK)?|[Tt]elegram|TELEGRAM|[Ii]nstagram|[Ii]nsta(?:\\b|_|ID|Id)|INSTAGRAM|[Dd]iscord|[Ww]hats[Aa]pp|"
    "[Ww]e[Cc]hat|[Ss]kype"
)
_WEAK: Final = (  # words with other meanings too
    "인별|플친|플러스친구|[Ii][Gg][ :：]|라인|밴드|텔[ :：]|톡|트위터|트윗|스레드|LINE|Line|[Tt]witter|SNS|DM|디엠"
)
_SERVICE: Final = f"{_STRONG}|{_WEAK}"
_FILLER: Final = (
    f"(?:{BLANK}?(?:플러스친구|오픈프로필|프로필|검색|[.]?아[ .]이[ .]디|[.]?아[.]디|"
    "있으(?:세요|신가요)[?]?|주세요|주셔요|동일|문의|상담|연락처?|추가|"
    "친추|친구|주문|예약|신청|제보|해 ?주(?:세요|셔요)|아이디|아뒤|아디|계정|닉네임|닉|핸들|"
    "주소|채널|플친|디엠|태그|명|"
    "은요?|는요?|이|가|도|만|으로|로|말고|[_-]?(?:ID|Id|id|DM|account|handle)[ \t\"':：=)/]))"
)
_MARK: Final = (
    f"[\"'`]?{_B}[])）,:：=>▶►▷→➡➜☞⇒/|~\u2600-\u27bf\U0001f000-\U0001faff\ufe0f\u2013\u2014ㅡ-]{{0,3}}"
    f"{_B}[\"'「『<(\\[{{“‘]?{BLANK}?"
)
_LEAD: Final = f"(?:{_SERVICE}){_FILLER}{{0,4}}{_MARK}"
_LABEL: Final = re2.compile(f"^{_LEAD}")
# A weak word inside another word does not count: 온라인, 호텔.
WORD: Final = f"(?:{_STRONG})|(?:^|[^가-힣A-Za-z])(?:{_WEAK})"
_WORD: Final = re2.compile(WORD)
_STARTS: Final = re2.compile(f"^(?:{_SERVICE})")
_STRONG_WORD: Final = re2.compile(f"^(?:{_STRONG})")
_ASKS: Final = (
    "아이디",
    "아 이 디",
    "아.이.디",
    "아.디",
    "🆔",
    "아뒤",
    "아디",
    "ID",
    "id",
    "Id",
    "계정",
    "핸들",
    "친추",
    "추가",
    "주소",
    "account",
    "handle",
)
_SPEAKER: Final = (
    f"(?:{_B}[-–—•]{_B})?(?:\\[[^\\]\n]{{1,14}}\\]{_B})?(?:[^\n:：]{{1,14}}[:：]{_B})?"
    f"(?:[네예][,.]?{_B})?[\"'「『<(\\[“‘]?{BLANK}?"
)
_LONGEST_QUESTION = 30  # code points from the service name to the end of its line
_ASKING: Final = re2.compile(
    "[도는은]$|^[가-힣A-Za-z]{2,5}(?: ?(?:아이디|ID|계정))?[:：]?$|"
    "뭐|머임|머야|뭔|어떻게|무엇|알려|말해|불러|적어|남겨|찍어|보내|주세요|줘|줄래|좀|[?？]|요$|(?:아이디|ID|id)$"
)
_ANSWER: Final = re2.compile(f"^{_SPEAKER}")
# 응 maru_7, 저는 maru.7
_SHORTLY: Final = re2.compile(
    f"^(?:{_B}[-–—•]{_B})?(?:\\[[^\\]\n]{{1,14}}\\]{_B})?(?:[^\n:：]{{1,14}}[:：]{_B})?"
    f"((?:[가-힣ㅇ]{{1,5}}[,.?!~]{{0,2}}{BLANK}){{1,2}})[@A-Za-z]"
)
_BEHIND: Final = re2.compile(
    "^(?:카카오톡|카톡|텔레그램|텔레|인스타그램|인스타|디스코드|디코)"
    "(?:[)）\\]]|임|이에요|예요|이요|입니다|이고|으로|로|아이디|계정|추가|친추|에서|"
    "(?: ?(?:검색|친추|추가|찾|연락|아이디|ID|계정|주세요|주셔|줘|보내)))"
)
_FURTHER_REACH = 70
_THE: Final = "(?:아이디|아뒤|아디|계정|핸들|주소|닉네임|닉|ID|[Ll]ine id|id|Id)"
_FILL: Final = "[가-힣 .,?!~ㅋㅎㅠㅜ^()（:;'\"·-]"
_FURTHER: Final = re2.compile(
    f"^((?:{_FILL}{{0,30}}?{_THE}{_FILL}{{0,24}}?|{BLANK}?(?:초대|가입|친추|연락|닉)[은는])"
    "[ :：=(\"'「『<\\[→]{1,4})[@＠A-Za-z0-9Ａ-Ｚａ-ｚⓐ-ⓩ]"
)
# 카톡에서 maru.7 찾아서, 인스타에 maru.7 검색
_SOUGHT: Final = re2.compile(f"^((?:은|는|에서?|으?로)?{BLANK}(?:{_FILL}{{0,20}}? )?[\"'「『<\\[]?)[@＠A-Za-z]")
_SEEK: Final = re2.compile(
    "^[\"'」』>\\]]?(?:(?:로|으로) ?(?:검색|찾아|추가|친추|연락|디엠|DM|톡)|"
    "(?:을|를|라고)? ?(?:검색(?:하|해|$)|찾아(?:서|주| )|치면|치시|"
    "추가 ?(?:해|하|부탁|주)|친추|등록해|팔로|디엠|DM)|한테|에게)"
)
_PRODUCT: Final = re2.compile(
    "^(?i:iphone|ipad|galaxy|win|windows|python|java|covid|ios|android|llama|gpt|"
    "note|version|ver|usb|web|office)[-_. ]?[0-9.]+$"
)
_NO_HANDLE: Final = re2.compile(
    "메일|비밀 ?번호|비번|암호|버전|파일|코드|공식|게임|홈페이지|누리집|기기|서버|링크|모델|와이파이|예약번호"
)
_LEAST = 5  # code points of a handle that is not next to its service name
_BEFORE: Final = re2.compile(
    f"(?:^|[^A-Za-z0-9_/@.:=-])({handles.DISGUISED}|[A-Za-z0-9][A-Za-z0-9_.-]{{3,30}})"
    f"{BLANK}{{0,2}}(?:으?로{BLANK}{{1,2}})?[(（\\[]?$"
)
_SPELLED_BEFORE: Final = re2.compile(f"(?:^|[^가-힣])({handles.SPELLED}){BLANK}?(?:으?로)?{BLANK}{{0,2}}$")
_HEADING: Final = re2.compile(
    f"(?:카카오톡|카카오|카톡|인스타그램|인스타|텔레그램|텔레|라인|디스코드|디코|트위터){BLANK}?(?:아이디|ID|id|계정)?|메신저|"
    "(?i:(?:kakao(?:talk)?|insta(?:gram)?|telegram|discord)_?(?:id|account)?|line_?id)"
)
_CELL: Final = re2.compile("^@?[A-Za-z0-9][A-Za-z0-9._-]{2,40}(?:#[0-9]{4})?$")
GATES: Final = (WORD,)


def find_messenger_handles(text: str, data: bytes) -> Iterator[Match]:
    """Find handles after, before or below a service name or in its column; linear in the length of `text`.

    Without the word 아이디, a handle needs a digit, dot, underscore or at sign, which ordinary words do not have.
    """
    done = -1
    for start, end in matches(_WORD, text, data):
        if _STARTS.match(text[start:end]) is None:
            start += 1
        if start < done:
            continue
        for item in _find_around_service(text, start, end):
            done = item.end
            yield item
        done = max(done, 0)
    for start, end in find_cells(text, data, _HEADING) if done >= 0 else ():
        value = text[start:end]
        if _CELL.match(value) is not None and any(c.isalpha() for c in value):
            yield Match(start, end, "messenger", 0.9, "column of handles")


def _find_around_service(text: str, start: int, end: int) -> Iterator[Match]:
    """Find handles near the service name in text[start:end]: after it, in the answer below, or before it."""
    before = text[start - 1 : start]
    strong = _STRONG_WORD.match(text[start:end]) is not None
    if text[start : end + 1] in ("텔레비", "텔레파", "텔레마"):
        return
    if not strong and "가" <= before <= "힣":
        return  # 온라인, 가이드라인, 호텔
    if text[start].isascii() and (
        (before.isascii() and before.isalnum()) or before == "." or _is_part_of_word(text, end)
    ):
        return  # install, guidelines, www.instagram
    item = _match_labelled_handle(text, start, strong)
    if item is not None:
        yield item
        return
    item = _match_answer(text, start, end) or _match_later_handle(text, start, end)
    if item is not None:
        yield item
    if strong and _BEHIND.match(text[start : end + 8]) is not None:
        yield from _find_before_service(text, start)


def _match_labelled_handle(text: str, start: int, strong: bool) -> Match | None:
    match = _LABEL.match(text[start : start + 60])
    if match is None:
        return None
    label = match.group()
    at = start + len(label)
    asked = any(word in label for word in _ASKS)
    if "가" <= text[at : at + 1] <= "힣" and text[at] != "골":
        stop = handles.find_spelled_end(text, at) if asked else at
        return Match(at, stop, "messenger", 0.85, "letters told by their names") if stop > at else None
    stop, disguised = handles.find_handle_end(text, at)
    value = handles.to_half_width(text[at:stop])
    if stop == at or (label[0].isascii() and "=" in label and not (asked and any(c.isdigit() for c in value))):
        return None  # a program attribute
    if "공식" in text[max(0, start - 4) : at] or (text[at] in "_-." and text[at - 1].isalnum()):
        return None  # an official account; kakao_sdk_v2
    if not strong and not asked and not _is_certain_handle(value, label, disguised):
        return None
    if label.startswith(("트위터", "트윗")) and label.endswith("(") and text[stop : stop + 1] == ")":
        return None  # an account attributed to a third party
    if not strong and _SERIAL.match(value) is not None and label.startswith(("라인", "밴드", "LINE", "Line")):
        return None  # 라인 ID L3-A17 of a factory, 밴드 BTS7
    if not handles.is_handle(text, at, stop, asked=asked, disguised=disguised):
        return None
    facts = "in disguise" if disguised else f"{len(value)} characters"
    return Match(at, stop, "messenger", 0.93 if asked else 0.85, f"label {label.strip()[:4]} before; {facts}")


_SERIAL: Final = re2.compile("^[A-Z]{1,3}[0-9]*(?:-[A-Z0-9]{1,6})*$")


def _is_certain_handle(value: str, label: str, disguised: bool) -> bool:
    """Whether the value is a handle although the word before it has other meanings: 라인, 톡, DM."""
    if value.startswith("@"):
        return True
    return not disguised and handles.is_mixed(value) and label[:2] not in ("DM", "SN", "디엠") and value[0].isalpha()


def _match_answer(text: str, start: int, end: int) -> Match | None:
    line = text.find("\n", end, end + _LONGEST_QUESTION)
    if line < 0:
        return None
    question = text[start:line]
    asked = any(word in question for word in _ASKS)
    match = _ANSWER.match(text[line + 1 : line + 60])
    strong = _STRONG_WORD.match(question) is not None
    if match is None or not (strong or asked) or _ASKING.search(question) is None:
        return None
    at = line + 1 + len(match.group())
    if "가" <= text[at : at + 1] <= "힣" and text[at] != "골":
        stop = handles.find_spelled_end(text, at)
        if stop > at:
            return Match(at, stop, "messenger", 0.85, "letters told by their names, an answer")
    stop, disguised = handles.find_handle_end(text, at)
    shortly = _SHORTLY.match(text[line + 1 : line + 60]) if stop == at else None
    if shortly is not None:
        at = line + 1 + shortly.end(1)
        stop, disguised = handles.find_handle_end(text, at)
        asked = False
    value = handles.to_half_width(text[at:stop])
    if stop == at or not (asked or disguised or handles.is_mixed(value)):
        return None
    if not handles.is_handle(text, at, stop, asked=asked, disguised=disguised):
        return None
    return Match(at, stop, "messenger", 0.9, f"answer to a question for a handle; {len(value)} characters")


def _match_later_handle(text: str, start: int, end: int) -> Match | None:
    """Match a handle later in the line, after a word for handles and only Hangul: 카톡만 써서요. 제 아이디 maru.7."""
    window = text[end : end + _FURTHER_REACH]
    match = _FURTHER.match(window)
    sought = match is None
    match = match or _SOUGHT.match(window)
    if match is None or _NO_HANDLE.search(match.group(1)) is not None:
        return None
    at = end + len(match.group(1))
    stop, disguised = handles.find_handle_end(text, at)
    value = handles.to_half_width(text[at:stop])
    goes_on = text[stop : stop + 2].strip()[:1] in tuple("/(")
    if len(value) < _LEAST or not handles.is_mixed(value.lstrip("@")) or goes_on:
        return None
    if disguised and "골뱅이" in text[at : stop + 8]:
        return None  # an e-mail address
    if sought and (_SEEK.match(text[stop : stop + 12]) is None or _PRODUCT.match(value) is not None):
        return None
    if not handles.is_handle(text, at, stop, asked=True, disguised=disguised):
        return None
    return Match(at, stop, "messenger", 0.85, f"service before, word for a handle between; {len(value)} characters")


def _find_before_service(text: str, start: int) -> Iterator[Match]:
    """Find the handle before a service name: maru_7 (카톡), maru-7-x 텔레그램임."""
    left = text[max(0, start - handles.REACH) : start].rpartition("\n")[2]
    match = _BEFORE.search(left)
    if match is None:
        match = _SPELLED_BEFORE.search(left) if left[-3:].strip()[-1:] == "로" else None
    if match is None:
        return
    value = match.group(1).strip(" ._-")
    first = start - len(left) + left.rindex(value)
    if handles.find_spelled_end(value, 0) == len(value):
        yield Match(first, first + len(value), "messenger", 0.85, "letters told by their names, service behind")
        return
    mixed = handles.is_mixed(value) and any(c.isdigit() or c == "_" for c in value)
    if any(c.isalpha() for c in value) and (mixed or " " in value):
        yield Match(first, first + len(value), "messenger", 0.85, f"service behind; {len(value)} characters")


def _is_part_of_word(text: str, end: int) -> bool:
    """Whether the service name continues as a longer word (install), except with an ID: kakaoId:, lineID."""
    after = text[end : end + 1]
    return after.isascii() and after.isalpha() and text[end : end + 2].lower() != "id"
