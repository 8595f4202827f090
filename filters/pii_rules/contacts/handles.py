"""Forms of a messenger handle: maru_7, @maru.7, m a r u 7, maru 언더바 7, 엠 에이 알 유 칠."""

from __future__ import annotations

import unicodedata
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH

BLANK: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
_B: Final = f"{BLANK}{{0,3}}"
_W: Final = "[A-Za-z0-9_.＿．－Ａ-Ｚａ-ｚ０-９-]"
# Circled and mathematical letters; after the first letter also zero-width characters.
_STYLED: Final = f"{_W[:-2]}ⓐ-ⓩⒶ-Ⓩ\U0001d400-\U0001d7ff"
_SIGN_WORD: Final = (
    f"{_B}[(（\\[]?(?:언더바|언더스코어|언더라인|언더|밑줄|하이픈|대시|쩜|점|닷|underscore|dot)[)）\\]]?{_B}"
)
_IN_WORDS: Final = f"{_W}{{1,20}}(?:{_SIGN_WORD}{_W}{{1,20}}){{1,4}}"
_APART: Final = "[A-Za-z0-9](?:[ \u00a0]{1,2}[A-Za-z0-9_.]){4,40}"
_DOTTED: Final = f"{_W}{{1,16}}(?:{_B}[·･ㆍ•]{_B}{_W}{{1,16}}){{1,20}}"
_PARTED: Final = f"{_W}{{1,16}}(?:{BLANK}{{1,2}}(?:[_＿]{{1,3}}|[.-]){BLANK}{{1,2}}{_W}{{1,16}}){{1,4}}"
_IN_PIECES: Final = "[a-z]{2,10}(?: [a-z]{1,8}){0,2} [0-9]{1,4}(?: [a-z]{1,8})?"
_PLAIN: Final = f"(?:live:)?{_STYLED}-](?:{_STYLED}{ZERO_WIDTH}-]){{2,40}}(?:#[0-9]{{4}})?"
DISGUISED: Final = f"(?:{_IN_WORDS}|{_APART}|{_DOTTED}|{_PARTED})"
_HANDLE: Final = re2.compile(f"^(?:골뱅이{_B})?[@＠]?{BLANK}?(?:{DISGUISED}|{_IN_PIECES}|{_PLAIN})")
# Letter names as spoken on the telephone.
LETTER_NAME: Final = (
    "(?:에이치|에이|비|씨|시|디|이|에프|지|쥐|아이|제이|케이|엘|엠|엔|오|피|큐|알|아르|에스|티|유|브이|더블유|더블류|"
    "엑스|와이|제트|지트|언더바|언더|밑줄|하이픈|대시|점|쩜|[영공일이삼사오육칠팔구0-9]{1,4})"
)
SPELLED: Final = f"{LETTER_NAME}(?:[ ,]{{1,2}}{LETTER_NAME}){{3,24}}"
_SPELLED_JOINED: Final = re2.compile(f"^{LETTER_NAME}{{6,14}}")
_SPELLED: Final = re2.compile(f"^{SPELLED}")
_CALL: Final = re2.compile(
    "(?:^|[^0-9A-Za-z_.])[+]?(?:01[016789]|02|0[3-6][1-5]|070|050[0-9]|82)[-. ·)]{1,3}[0-9]{3,4}"
)
_NARROW: Final = str.maketrans(
    {0xFF21 + i: chr(0x41 + i) for i in range(26)}
    | {0xFF41 + i: chr(0x61 + i) for i in range(26)}
    | {0xFF10 + i: chr(0x30 + i) for i in range(10)}
    | {0x24B6 + i: chr(0x41 + i) for i in range(26)}
    | {0x24D0 + i: chr(0x61 + i) for i in range(26)}
    | {i: unicodedata.normalize("NFKC", chr(i)) for i in range(0x1D400, 0x1D800)}
    | {"＠": "@", "＿": "_", "．": ".", "－": "-"}
)
_SAID: Final = "[공영일이삼사오육륙칠팔구]"
# maru공공45, maru 일일사육: digits as words after the letters.
_WORDED: Final = re2.compile(f"^({_SAID}{{2,6}}[0-9]{{0,4}}| {_SAID}{{3,6}})(?:[^가-힣]|$)")
REACH = 80  # code points in which a handle ends
NO_HANDLES: Final = frozenset(
    "api sdk bot app web pc mac win windows ver version beta chat talk plus www com http https login "
    "oauth id dm pay for the and with ios android channel link "
    "url feed post story messenger inc corp games bank story.com github google apple line kakao telegram "
    "instagram".split()
)
_NO_ENDS: Final = tuple(
    (
        ".com .net .kr .png .html .js .py .ts .io .json .txt .jpg .jpeg .gif .pdf .zip .apk .exe .dmg .mp4 .md .xml "
        ".yml _token _id _key _url _name"
    ).split()
)


def find_handle_end(text: str, at: int) -> tuple[int, bool]:
    """Return the end of the handle at `at` and whether it is obfuscated; (at, False) if no handle begins there.

    >>> (find_handle_end("maru 언더바 7 로", 0), find_handle_end("m a r u 7", 0), find_handle_end("maru_7", 0),
    ...  find_handle_end("마루", 0))
    ((10, True), (9, True), (6, False), (0, False))
    """
    window = text[at : at + REACH]
    match = _HANDLE.match(window)
    if match is None:
        return at, False
    value = match.group()
    call = _CALL.search(value)
    if call is not None:  # maru_7 - 010-…: the telephone number begins
        value = value[: call.start()]
    if (
        len(value) < len(window)
        and value[-2:-1] == " "
        and _is_word_char(window[len(value)])
        and _is_word_char(value[-1:])
    ):
        value = value[:-2]  # m a r u 7 to …
    value = value.rstrip(".- ·･ㆍ•－．\u00a0" + ZERO_WIDTH)
    worded = _WORDED.match(window[len(value) :]) if value[-1:].isalpha() else None
    if worded is not None:
        return at + len(value) + len(worded.group(1)), True
    bare = value.lstrip("@＠")
    return at + len(value), not all(_is_word_char(c) or c in ".-#" for c in to_half_width(bare)) or value.startswith(
        "골뱅이"
    )


def find_spelled_end(text: str, at: int) -> int:
    """Return the end of the letter names that begin at `at`: 지 더블유 에이 엔 지."""
    match = _SPELLED.match(text[at : at + REACH]) or _SPELLED_JOINED.match(text[at : at + REACH])
    if match is None:
        return at
    end = at + len(match.group())
    return end - (text[end - 1] == "이" and "가" <= text[end : end + 1] <= "힣")  # 칠이에요


def to_half_width(value: str) -> str:
    """Return the same letters, digits and signs at half width."""
    return value.translate(_NARROW)


def is_handle(text: str, at: int, end: int, *, asked: bool, disguised: bool = False) -> bool:
    """Whether text[at:end] is a handle, not a URL, a function call or a version.

    `asked`: a label for handles precedes; without it, a handle needs a sign or a digit.
    """
    value = to_half_width(text[at:end])
    plain = value.removeprefix("@")
    follows = text[end : end + 1]
    if follows == "@" or text[end : end + 3] == "://" or plain.lower() in NO_HANDLES:
        return False  # an e-mail address or a link
    if follows in ("(", "=", "[") and follows and text[end - 1 : end + 3].isascii():
        return False  # a function call
    if follows == "/" and text[end + 1 : end + 2].isalnum() and text[end + 1].isascii():
        return False
    if (plain.isdigit() and not asked) or len(plain) < 3:
        return False
    if " " in plain and plain.split(" ", 1)[0] in NO_HANDLES:
        return False  # 카톡 pc 10
    if plain.startswith(("010", "02-", "http", "www.", "com.", "org.")) or plain.lower().endswith(_NO_ENDS):
        return False
    return asked or disguised or value.startswith("@") or is_mixed(plain)


def is_mixed(plain: str) -> bool:
    """Whether `plain` has letters and a digit, underscore or dot, or is a long lower-case word with two hyphens."""
    letters = any(c.isalpha() for c in plain)
    signs = plain[1:].strip("0123456789_.") != plain[1:] or any(c in "_.#" or c.isdigit() for c in plain)
    hyphens = plain.count("-") >= 2 and plain.islower() and len(plain) >= 8
    return letters and (signs or hyphens) and not _is_version(plain)


def _is_version(plain: str) -> bool:
    """Whether `plain` is a version such as v1.2 or 3.x: fewer than three letters."""
    return sum(c.isalpha() for c in plain) < 3


def _is_word_char(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())
