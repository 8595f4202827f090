"""Passwords after a label: on the same line, in the answer below it, or next to an account name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.secrets import placeholders
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match

_S: Final = "[ \t\u00a0\u3000]"
_Z: Final = f"[{ZERO_WIDTH}]?"
_HANGUL: Final = "비밀 ?번호|비번|패스워드|암호|비밀 번호"
WORD: Final = f"(?i:password|passwd|passphrase|passcode|pwd|{_HANGUL}|[_ /(.]pass[\"']?{_S}?[:=]|(?:^|[^a-z])pw[^a-z])"
_WORD: Final = re2.compile(f"(?i)(?:password|passwd|passphrase|passcode|pwd|pass|pw|{_HANGUL})")
_IS_HANGUL: Final = re2.compile(f"^(?:{_HANGUL})")
_OPEN: Final = f"{_Z}[\"'`「<(\\[]?{_Z}"
_MARKED: Final = re2.compile(
    f"^(?:[(（\\[][가-힣 ]{{1,8}}[)）\\]])?[\"'`)\\]]?"
    f"(?:{_S}{{0,3}}(?:=>|:=|[:：=]|[→▶➡ㅡ]|->|[|]){{1,2}}\\s{{0,3}}|"
    f"(?:은|는|이|도)요?,?{_S}|{_S}{{0,2}}[\"'`「\\[]{_Z}){_OPEN}"
)
_BLANK: Final = re2.compile(f"^{_S}{{1,3}}{_OPEN}")
_VALUE: Final = re2.compile("^[!-~]{4,80}")
_OF_FOURS: Final = re2.compile("^[a-z]{4}(?: [a-z]{4}){3}")  # app passwords of mail services
_BELOW: Final = re2.compile(
    f"^[^\n:=]{{0,20}}\n{_S}{{0,4}}(?:\\[[^\\]\n]{{1,14}}\\]{_S}?)?(?:[^\n:：]{{1,12}}[:：]{_S}?)?([!-~]{{6,40}})"
    "(?:[ \n가-힣]|$)"
)
_ASKED: Final = re2.compile(
    "^[ )\\]]*$|뭐|뭔|머임|머야|알려|말해|불러|적어|주세요|줘|[?？]|이거|여기|[은는요]$|공유|드립|드려|보내|입니다"
)
_BESIDE: Final = re2.compile(f"^[^\n]{{0,40}}?[A-Za-z0-9_.@-]{{2,40}}{_S}?/{_S}?([!-~]{{6,40}})")
OPTION: Final = "(?:-u|--user|sshpass -p)[ =]"
_OPTION: Final = re2.compile("(?:(?:-u|--user)[ =][\"']?[A-Za-z0-9._@-]{1,40}:|sshpass -p ?[\"']?)[!-~]{4,60}")
GATES: Final = (WORD, OPTION)
_PLACEHOLDERS: Final = (
    *"example your xxxx **** changeme placeholder dummy sample sha1 sha2 sha5 base64 md5 bcrypt argon".split(),
    "<",
    "{",
    "$",
    "...",
)
# Words that describe the value: MY-DB-PASSWORD-1. A password of other words counts as a password.
_TELLING: Final = re2.compile(
    "(?i)(?:^|[-_.])(?:password|passwd|passphrase|pw|pwd|secret|key|token|here|change|my)[0-9]*(?:[-_.]|$)"
)
# An algorithm or a program identifier: AES-128-CBC, user.password2
_NAME: Final = re2.compile(
    "(?i)^(?:(?:aes|rsa|sha|md|des|3des|ecc|ecdsa|aria|seed|lea|tls|wpa)[-_]?[0-9][a-z0-9_-]*|[a-z_]+[.][a-z_]+[0-9]?)$"
)
_OF_A_DOOR: Final = re2.compile("^[*#]?[0-9]{4,8}[*#]$")
_OF_WORDS: Final = re2.compile("^[A-Z][a-z]+(?:[-._][A-Za-z]+){1,3}[-._]?[0-9]{1,4}$")
_SIGNS: Final = frozenset("!@#$%^&*?~+=")
_BAD_EXAMPLE: Final = ("같은", "처럼", "따위", "등과", "등은")
_COUNTED: Final = tuple("자비개년월일회번글원분초")
_REACH = 90  # code points after a label in which its value ends


def find_passwords(text: str, data: bytes) -> Iterator[Match]:
    """Find passwords (kind `key`): letters with digits or signs; skips function calls and placeholders."""
    done = 0
    for start, end in matches(_WORD, text, data):
        if start < done or not _is_label(text, start, end):
            continue
        item = _match_password_behind(text, start, end)
        if item is not None:
            done = item.end
            yield item
    for start, end in matches(_OPTION, text, data) if b"-" in data else ():
        whole = text[start:end]
        first = whole.rindex(":", 0, whole.index(":") + 1) + 1 if ":" in whole else whole.index("-p") + 2
        value = _trim_password(whole[first:].lstrip(" \"'"), quoted=True)
        if first and _is_password(value, quoted=True) and whole[:2] in ("-u", "--", "ss"):
            at = text.index(value, start + first)
            yield Match(at, at + len(value), "key", 0.9, "password of an option")


def _is_label(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    word = text[start:end].lower()
    if word in ("pass", "pw"):
        alone = not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalpha())
        return alone and (word == "pw" or (before in tuple("_ /(.\n\t") and after in tuple(":= \"'")) or not before)
    return not (before.isascii() and before.isalnum() and text[start].islower())  # mypassword


def _match_password_behind(text: str, start: int, end: int) -> Match | None:
    hangul = _IS_HANGUL.match(text[start:end]) is not None or text[start:end].lower() in ("pw", "pwd")
    window = text[end : end + _REACH]
    marked = _MARKED.match(window)
    lead = marked or _BLANK.match(window)
    if lead is not None:
        at = end + len(lead.group())
        value = _extract_password(text, at, bool(marked), hangul, lead.group()[-1:] in tuple("\"'`"))
        template = text[at - 1] == "<" and text[at + len(value) : at + len(value) + 1] == ">"  # <password1>
        if value and not (template and _TELLING.search(value) is not None):
            return Match(at, at + len(value), "key", 0.85, "label of a password before")
    below = _BELOW.match(window) if hangul else None
    asked = below is not None and _ASKED.search(window.partition("\n")[0]) is not None
    if below is not None and asked and _is_strong(below.group(1)):
        at = end + window.index(below.group(1), window.index("\n"))
        return Match(at, at + len(below.group(1)), "key", 0.8, "label of a password in the line above")
    beside = _BESIDE.match(window)
    if beside is not None:
        value = _trim_password(beside.group(1), quoted=False)
        if _is_strong(value) and "://" not in beside.group():
            at = end + len(beside.group()) - len(beside.group(1))
            return Match(at, at + len(value), "key", 0.8, "beside the name of an account, label of a password before")
    return None


def _extract_password(text: str, at: int, marked: bool, hangul: bool, quoted: bool) -> str:
    """Return the password that begins at `at`, or ""."""
    fours = _OF_FOURS.match(text[at : at + 20])
    if fours is not None and marked and not _is_latin(text[at + 19 : at + 20]):
        return str(fours.group())
    match = _VALUE.match(text[at : at + _REACH])
    if match is None:
        return ""
    raw = match.group()
    value = _trim_password(raw, quoted)
    if raw[len(value) : len(value) + 1] in ("(", "[", "{", "<") and raw[len(value) :]:
        return ""  # a function call or an index
    if text[at + len(value) : at + len(value) + 4].lstrip(" \"'”’").startswith(_BAD_EXAMPLE):
        return ""  # password123 같은 것은 피하세요
    after = text[at + len(value) : at + len(value) + 1]
    if marked and hangul and value.strip("*#").isdigit() and 4 <= len(value) <= 10:
        return "" if after in _COUNTED and after else value
    if hangul and _OF_A_DOOR.match(value) is not None:
        return value
    if marked:
        return value if len(value) >= (4 if hangul else 6) and _is_password(value, quoted) else ""
    signed = any(c in _SIGNS for c in value[:-1]) and any(c.isdigit() for c in value)
    worded = hangul and _OF_WORDS.match(value) is not None  # 초기 암호 Maru-Dasom77
    return value if worded or (_is_strong(value) and (hangul or signed)) else ""


def _trim_password(value: str, quoted: bool) -> str:
    stop = next((i for i, c in enumerate(value) if c in "\"'`<>,;()[]{}|\\&" or not c.isascii()), len(value))
    return value[:stop] if quoted else value[:stop].rstrip(".:")


def _is_password(value: str, quoted: bool) -> bool:
    """Whether the value mixes letters with digits or signs; a bare word is a variable name or prose."""
    if any(p in value.lower() for p in _PLACEHOLDERS) or "://" in value or value.startswith(("/", "-", "#")):
        return False
    if _NAME.match(value) is not None or placeholders.repetition_share(value.lower()) == 1.0:
        return False
    if _TELLING.search(value) is not None and placeholders.is_placeholder(value):
        return False
    letters, digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    return (letters and digits) or (quoted and letters and any(c in "!@#%^&*?" for c in value))


def _is_strong(value: str) -> bool:
    """Whether the value is a password even without a label.

    It has letters, digits and a sign; or letters with three digits or a sign, if it does not look like an identifier or
    a path.
    """
    if not _is_password(value, quoted=True) or len(value) < 6:
        return False
    digits, signs = sum(c.isdigit() for c in value), sum(c in _SIGNS for c in value)
    if "/" in value or "_" in value or "=" in value.rstrip("="):
        return digits > 0 and signs > 0 and "/" not in value and "=" not in value
    return (digits > 0 and signs > 0) or (digits >= 3 and value.isalnum()) or (signs > 0 and value[0].isalpha())


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
