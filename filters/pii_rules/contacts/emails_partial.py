"""Incomplete e-mail addresses: wrapped over lines, without the host's ending or the at sign, or with spaced letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.contacts.emails import ENDS, HOSTS, SERVICES, is_top_level_domain
from filters.pii_rules.contacts.handles import LETTER_NAME
from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match

_SERVICE: Final = "(?:" + "|".join((*SERVICES, "NAVER")) + ")"
_LOCAL: Final = "[A-Za-z0-9][A-Za-z0-9._+-]*"
_HOST: Final = "[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)*[.][A-Za-z]{2,12}"
_SNAIL: Final = "골[뱅벵]이"
_DOT: Final = " ?(?:점|쩜|닷|[.])"
_TOP: Final = f"(?:{ENDS}|com|net|co[.]kr|kr)"
FOLDED: Final = (
    "[A-Za-z0-9._+-]\n[@＠][A-Za-z0-9-]|[A-Za-z0-9][@＠][A-Za-z0-9.-]*\n[A-Za-z0-9.]|"
    "[A-Za-z0-9][._-]\n[A-Za-z0-9._-]+[@＠]|[A-Za-z0-9]\n> ?[0-9]+[@＠]"
)
_FOLDED: Final = re2.compile(
    f"{_LOCAL}(?:\n[@＠]{_HOST}|\n> ?[0-9]{{1,4}}[@＠]{_HOST}|[._-]\n[A-Za-z0-9._+-]*[@＠]{_HOST}|[@＠]\n{_HOST}|"
    f"[@＠](?:[A-Za-z0-9-]+[.])*[A-Za-z0-9-]+(?:[.]\n|\n[.]|-\n)(?:[A-Za-z0-9-]+[.])*[A-Za-z]{{2,12}})"
)
# hong@naver, hong@네이버; hong★naver.com
BARE: Final = f"[A-Za-z0-9._-](?:[@＠] ?(?:{_SERVICE}|{HOSTS})|[★☆*#♡♥●◎&$^]{_SERVICE}[.])"
_BARE: Final = re2.compile(
    f"{_LOCAL}(?:[@＠] ?(?:{_SERVICE}|(?:{HOSTS})(?:(?:점|쩜|닷| )?컴)?)|[★☆*#♡♥●◎&$^]{_SERVICE}[.](?:com|net|co[.]kr))"
)
QUOTED: Final = '[A-Za-z0-9]"[@＠][A-Za-z0-9-]+[.][A-Za-z]'
_QUOTED: Final = re2.compile(f'"[A-Za-z0-9._ +-]{{1,40}}"[@＠]{_HOST}')
# hong123 네이버 쩜 컴, 홍길동 골뱅이 네이버 점 컴, hong123 뒤에 골뱅이 네이버
_SIGNLESS: Final = re2.compile(
    f"(?:[A-Za-z0-9][A-Za-z0-9._+-]{{2,}} ?(?:{HOSTS})|"
    f"[가-힣A-Za-z0-9._-]{{1,12}} ?{_SNAIL} ?(?:{HOSTS}|[a-z][a-z0-9-]{{1,20}}))"
    f"{_DOT} ?{_TOP}|"
    f"[A-Za-z0-9][A-Za-z0-9._+-]{{2,}},? [가-힣 ]{{1,8}}{_SNAIL} ?(?:{HOSTS}|{_SERVICE})(?:{_DOT}? ?{_TOP})?|"
    f"[A-Za-z][A-Za-z0-9._+-]*[0-9._-](?: ?골[뱅벵]이? ?| (?:[@＠]|at) ?|[@＠] ){_SERVICE}(?:[.](?:com|net|co[.]kr))?"
)
SPACED: Final = (
    "[A-Za-z0-9]AT[a-z0-9-]+DOT(?:com|net|co|kr|org)|"
    "[A-Za-z0-9._-] [@＠] [A-Za-z0-9-] [A-Za-z0-9-] |[A-Za-z0-9] [A-Za-z0-9] [@＠] ?[A-Za-z0-9]+ ?[.]"
)
_SPACED: Final = re2.compile(
    f"{_LOCAL} ?[@＠](?: [A-Za-z0-9-]){{3,30}} ?[.] ?(?:c o m|n e t|o r g|c o ?[.] ?k r|k r)|"
    "[a-z0-9._+-]{3,40}AT[a-z0-9-]{2,30}DOT(?:com|net|org|kr|co(?:DOT|[.])kr)|"
    "(?:[A-Za-z0-9._-] ){2,40}[@＠](?: [A-Za-z0-9-]){2,30} [.](?: [A-Za-z.]){2,8}|"
    "(?:[A-Za-z0-9._-] ){4,40}[@＠] ?[A-Za-z0-9-]{2,30} ?[.] ?(?:c ?o ?m|n ?e ?t|o ?r ?g|(?:[a-z] ?[a-z] ?[.] ?)?k ?r)"
)
# As in hong.a # example.com (#을 @로) and hong.a📧example💫com
_SIGN: Final = "[★☆*#♡♥●◎&$^%]"
_PICTURE: Final = "[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?"
_BY_SIGN: Final = f"{_LOCAL} ?{_SIGN} ?{_HOST}"
_REPLACED: Final = f"{_SIGN}[을를은는]? ?(?:[@＠]|골뱅이)"
_TOLD: Final = re2.compile(f"{_BY_SIGN} ?[(（,]? ?{_REPLACED}")
_OWN: Final = re2.compile(f"^{_BY_SIGN}")
PICTURED: Final = f"[A-Za-z0-9]{_PICTURE}[a-z0-9-]+(?:{_PICTURE}|[.])[a-z]"
_PICTURED: Final = re2.compile(f"{_LOCAL}{_PICTURE}[a-z0-9-]{{2,30}}(?:{_PICTURE}|[.])(?:com|net|org|kr|co[.]kr|io|me)")
# 에이치 오 오 엔 지일이삼 골뱅이 지메일 닷컴
_LETTERS: Final = re2.compile(
    f"(?:^|[^가-힣A-Za-z0-9._-]){LETTER_NAME}(?:[ ,]{{0,2}}{LETTER_NAME}){{2,24}}"
    f" ?(?:{_SNAIL}|앳|엣|에트) ?(?:{HOSTS})(?:{_DOT} ?{_TOP})?"
)
# 네이버 메일 hong123, hong123 지메일
_NAMES: Final = "네이버 ?(?:메일|아이디)|지메일|한메일|다음 ?메일|네이트 ?메일|구글 ?메일"
NAMED: Final = f"(?:{_NAMES})[^A-Za-z\n@]{{0,8}}[A-Za-z][A-Za-z0-9._-]{{4}}|[A-Za-z0-9._-]{{4}}[0-9] ?(?:{_NAMES})"
_NAMED: Final = re2.compile(
    f"(?:{_NAMES})[^A-Za-z\n@]{{0,8}}[A-Za-z][A-Za-z0-9._-]{{4,30}}|[A-Za-z][A-Za-z0-9._-]{{3,30}} ?(?:{_NAMES})"
)
_HANDLE: Final = re2.compile("[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]")
_CALLED: Final = re2.compile("(?i:메일|mail|주소|연락|회신|문의|보내)")
# Prefilter expressions match rare parts only: counted repetition gives an automaton many states.
_WORDS: Final = f"골[뱅벵]|(?:{HOSTS}){_DOT} ?(?:컴|com|넷|net)|[0-9._-](?: (?:[@＠]|at) ?|[@＠] ){_SERVICE}"
GATES: Final = (FOLDED, BARE, QUOTED, _WORDS, SPACED, _REPLACED, PICTURED, _NAMES)


def find_partial_emails(text: str, data: bytes) -> Iterator[Match]:
    """Find matches of kind `email`; linear in the length of `text`."""
    for start, end in matches(_FOLDED, text, data) if b"\n" in data else ():
        if _is_folded(text, start, end):
            yield Match(start, end, "email", 0.985, "address folded in a cell or line")
    for start, end in matches(_BARE, text, data):
        goes_on = text[end : end + 1] == "." and text[end + 1 : end + 2].isalnum()
        if (
            text[start:end].replace("＠", "@").find("@") not in (1, 2)
            and _is_standalone(text, start, end)
            and not goes_on
            and text[end : end + 1] not in tuple("/:-")
        ):
            yield Match(start, end, "email", 0.85, "host of a mail service without its end")
    patterns = (
        (_QUOTED, "local part in quotes"),
        (_SIGNLESS, "host of a mail service in words"),
        (_SPACED, "letters apart"),
        (_PICTURED, "pictures for its signs"),
    )
    for pattern, reason in patterns:
        for start, end in matches(pattern, text, data):
            if _is_standalone(text, start, end):
                yield Match(start, end, "email", 0.79, reason)  # below the confidence of a complete obfuscated address
    for start, end in matches(_TOLD, text, data):
        own = _OWN.match(text[start:end])
        if own is not None and _is_standalone(text, start, start + len(own.group())):
            yield Match(start, start + len(own.group()), "email", 0.85, "sign for the at sign told behind")
    for start, end in matches(_LETTERS, text, data):
        start += not "가" <= text[start] <= "힣"
        yield Match(start, end, "email", 0.95, "letters told by their names")
    for start, end in matches(_NAMED, text, data):
        handle = _HANDLE.search(text[start:end])
        if handle is None or len(handle.group()) < 5 or not any(c.isdigit() for c in handle.group()):
            continue
        first, last = start + handle.start(), start + handle.end()
        if _is_standalone(text, first, last) and text[last : last + 1] not in tuple("@＠="):
            yield Match(first, last, "email", 0.76, "local part beside the name of a mail service")


def _is_folded(text: str, start: int, end: int) -> bool:
    """Whether a line end splits an address: a label precedes it, or its local part has a sign or digit."""
    whole = text[start:end]
    if not is_top_level_domain(whole.rpartition(".")[2].strip().lower()) or not _is_standalone(text, start, end):
        return False
    if text[end : end + 1] in tuple("(=@"):
        return False
    line = text.rfind("\n", 0, start) + 1
    called = any(c in text[line:start] for c in "|│\t") or _CALLED.search(text[max(0, start - 24) : start]) is not None
    host = whole.rpartition("@")[2].replace("\n", "").partition(".")[0]
    return called or host in SERVICES or any(c.isdigit() or c in "_+" for c in whole.partition("@")[0])


def _is_standalone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and ((before.isascii() and before.isalnum()) or before in "._@/+-"):
        return False
    return not (after and ((after.isascii() and after.isalnum()) or after == "_"))
