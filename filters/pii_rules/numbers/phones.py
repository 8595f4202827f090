"""Personal telephone numbers: mobile, land line, 070, 050x, 080, and all of them after +82.

Representative numbers (15xx-xxxx, 16xx-xxxx, 18xx-xxxx) belong to organisations and have no rule.
"""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.text.digit_runs import BREAK, LINE, SLASHED, Window
from filters.pii_rules.text.match import Match

# Prefix → lengths of the complete national number; Telecommunications numbering plan of Korea (MSIT notice).
_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("010", "011", "016", "017", "018", "019"), (10, 11)),
    "02": (9, 10),
    **{f"0{n}": (10, 11) for n in (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64, 70, 80)},
    **{f"050{n}": (11, 12) for n in range(2, 9)},
}
# 0101 472 1109, 01 00 41 72 21 0: eleven digits of a mobile number in disguising groups.
_ODD_GROUPS: Final = frozenset(
    (
        (4, 3, 4),
        (2, 2, 2, 2, 2, 1),
        (3, 2, 2, 2, 2),
        (3, 2, 2, 4),
        (3, 4, 2, 2),
        (4, 4, 3),
        (3, 3, 5),
        (3, 5, 3),
        (1, 2, 4, 4),
    )
)
SHAPES: Final = tuple(
    sorted(
        {(len(p), n - len(p) - 4, 4) for p, lengths in _LENGTHS.items() for n in lengths}  # 02-NNN-NNNN …
        | {(len(p), n - len(p)) for p, lengths in _LENGTHS.items() for n in lengths}  # 010-NNNNNNNN
        | {(n - 4, 4) for p, lengths in _LENGTHS.items() if p.startswith("01") for n in lengths}  # 010NNNN-NNNN
        | {(n,) for lengths in _LENGTHS.values() for n in lengths}
        | {(2, a, b, 4) for a in (1, 2, 3) for b in (3, 4)}  # 82 10 NNNN NNNN
        | {(2, 1, a, b, 4) for a in (1, 2) for b in (3, 4)}  # 82 (0)10 NNNN NNNN
        | {(4, 2, 3, 4), (4, 2, 4, 4), (2, 4, 4), (10,)}
        | {(2, 8), (2, 9), (2, 10), (2, 2, 8), (2, 3, 8)}
        | _ODD_GROUPS
    )
)
LONGEST_ROW = 30  # groups; bounds the work for each group
_REPRESENTATIVE: Final = ("15", "16", "18")  # lines of organisations, also dialled from abroad
_BLOCKING_REACH = 4  # code points: the label and a particle, without a verb between
_BLOCKING: Final = ("other", "account", "bank", "card", "crn", "license", "health", "brn", "passport", "postcode")
BEHIND: Final = re2.compile("^[)\"'」 ]{0,2}(?:번?으?로|에|번)? ?(?:전화|문자|연락|통화|카톡)")
_CALL: Final = re2.compile("전화|연락|문자|번호|통화|문의|톡|폰|[Tt][Ee][Ll]|☎")
_EXTENSION: Final = re2.compile(
    "^[ ,]{0,2}(?:[(（] ?)?(?:내선|교환|구내|[Ee][Xx][Tt][.]?)(?: ?번호)?[ :.]{0,2}[0-9]{1,5}[)）]?"
)
_COUNTED: Final = frozenset("원명건개대회장권점세년월일만억천kK%℃")  # a unit after the number makes it a quantity


def match_phone(window: Window) -> Match | None:
    """Match a telephone number.

    Grouped mobile numbers need no label. Land lines need a label, a hyphen or bracket, or blanks around and an existing
    exchange. Ungrouped numbers need a label unless they begin with 010.
    """
    dialled = window.groups[0].removeprefix("00") if window.groups[0].startswith("0082") else window.groups[0]
    abroad = dialled.startswith("82")
    plus = abroad and (window.char_before == "+" or dialled != window.groups[0])
    whole = len(window.groups) == 4 and window.groups[1] == "10" and window.is_standalone
    if abroad and not plus and not whole and window.label.kind != "phone" and not _is_in_gateway_log(window):
        return None
    groups = _to_national((dialled, *window.groups[1:])) if abroad else window.groups
    if _is_missing_leading_zero(window):
        groups = ("0" + groups[0], *groups[1:])
    number = "".join(groups)
    prefix = _find_prefix(number)
    if not prefix or len(number) not in _LENGTHS[prefix]:
        return None
    if (
        abroad
        and prefix[1] != "1"
        and len(number) == len(prefix) + 8
        and number[len(prefix) :].startswith(_REPRESENTATIVE)
    ):
        return None
    if groups[0] != prefix and not _may_split(window, groups, prefix):
        return None
    if groups[0] != prefix and tuple(map(len, groups)) in _ODD_GROUPS:
        return _match_oddly_grouped(window, number)
    if _is_part_of_something(window) or _is_document_number(window):
        return None
    sure = plus or (abroad and (whole or _is_in_gateway_log(window)))
    judged = (0.97, "82 for Korea") if sure else _score_phone(window, groups, prefix)
    if judged is None:
        return None
    start, end = _extend_to_extension(window, window.char_before == "+")
    return Match(start, end, "phone", judged[0], f"{judged[1]}; prefix {prefix}")


def _may_split(window: Window, groups: tuple[str, ...], prefix: str) -> bool:
    """Whether the first group may end elsewhere than after the prefix.

    0100000-1234 may, text/shared/01/05120000.html may not.
    """
    if len(groups) != 2:
        return len(groups) == 1 or tuple(map(len, groups)) in _ODD_GROUPS
    return prefix.startswith("01") and (groups[0].startswith(prefix) or window.separators[0] not in SLASHED)


def _match_oddly_grouped(window: Window, number: str) -> Match | None:
    marks = set(window.separators)
    said = _CALL.search(window.text[max(0, window.start - 24) : window.start]) is not None
    if not number.startswith("010") or len(number) != 11 or len(marks) != 1 or not window.is_standalone or not said:
        return None
    return Match(window.start, window.end, "phone", 0.8, "word of telephones before; oddly cut; prefix 010")


def _is_in_gateway_log(window: Window) -> bool:
    """Whether the number is in a gateway log: to=821000001234."""
    mobile = window.digits.startswith("8210") and len(window.digits) == 12
    return mobile and _SENT.search(window.text[max(0, window.start - 16) : window.start]) is not None


_SENT: Final = re2.compile(
    "(?i:(?:^|[^a-z])(?:to|from|dst|src|dest|sender|receiver|recipient|caller|callee|msisdn)"
    "[\"' ]{0,2}[:=][\"' ]{0,2}$)"
)


def _is_missing_leading_zero(window: Window) -> bool:
    """Whether the leading zero is missing directly after a label (10-0000-1234, 1000001234), as tables drop it."""
    if not window.groups[0].startswith("10") or tuple(map(len, window.groups)) not in ((2, 4, 4), (10,)):
        return False
    return window.label.kind == "phone" and window.label.distance <= 1


def _score_phone(window: Window, groups: tuple[str, ...], prefix: str) -> tuple[float, str] | None:
    if prefix == "010" and set(window.separators) == {"-"}:
        return 0.98, "canonical form"  # regardless of the label: no other number has this form
    label, mobile = window.label, prefix.startswith("01")
    said = label.kind == "phone"
    reason = f"label {label.word} before" if said else "canonical form"
    if len(groups) == 1:
        if said and label.distance <= 12:
            return 0.95, reason
        return _score_unseparated(window, prefix)
    marks = set(window.separators)
    if marks & {BREAK, "("} and not (marks <= {"(", ")", "-", " "}):
        return None
    if LINE in marks and not (mobile and window.separators == ("-", LINE)):
        return None
    if mobile and prefix == "010":
        return 0.98 if said or "-" in marks else 0.95, reason
    if label.kind == "other" and label.distance <= 8:
        return None
    if said:
        return 0.97, reason
    if window.char_after == "호":
        return None
    if window.char_before == "-" and "가" <= window.text[window.start - 2 : window.start - 1] <= "힣":
        return None  # 시설-02-0417-2024: a document number of that office
    if len(groups) == 2:
        return (0.8, "prefix and one group") if marks == {"-"} and not window.is_continued_by("-.") else None
    if marks & {"-", ")"}:
        return (0.95 if groups[1][0] in "23456789" else 0.85), reason
    return (0.75, "grouped; known prefix") if window.is_standalone and len(marks) == 1 else None


def _score_unseparated(window: Window, prefix: str) -> tuple[float, str] | None:
    """Score ungrouped digits without a label: mobile and 070 numbers need no context, others need 전화 after them."""
    if BEHIND.match(window.text[window.end : window.end + 12]):
        return 0.85, "word of telephones behind"
    if not _is_bare_mobile(window):
        return None
    size = len(window.digits)
    if (
        (prefix[:2] == "01" and size == (11 if prefix == "010" else 10))
        or (prefix == "070" and size == 11)
        or (prefix[:3] == "050" and size == 12)
    ):
        return (0.85 if prefix == "010" else 0.75), f"{len(window.digits)} digits"
    return None


def _to_national(groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the groups in national form: 82 10 … and 82 (0)10 … begin with 010."""
    rest = (groups[0][2:], *groups[1:]) if len(groups[0]) > 2 else groups[1:]
    if rest and rest[0] == "0":
        rest = rest[1:]
    return (rest[0] if rest[0].startswith("0") else "0" + rest[0], *rest[1:]) if rest else ()


def prefix_of(number: str) -> str:
    """Return the prefix of a complete national number, or "" if the numbering plan has none of that length.

    >>> prefix_of("01000001234"), prefix_of("0100000123456")
    ('010', '')
    """
    prefix = _find_prefix(number)
    return prefix if prefix and len(number) in _LENGTHS[prefix] else ""


def _find_prefix(number: str) -> str:
    for size in (3, 2, 4):
        if number[:size] in _LENGTHS:
            return number[:size]
    return ""


def _is_part_of_something(window: Window) -> bool:
    if (len(window.groups) == 1 and window.is_continued_by(".")) or (
        window.is_continued_by("-") and not _is_in_row(window)
    ):
        return True
    before, after = window.char_before, window.char_after
    if before == "/" and _is_in_path(window):
        return True
    if before.isascii() and before.isalpha():  # TEL010… and Kim010-… are numbers, abc010… is not
        canonical = window.groups[0] == "010" and set(window.separators) == {"-"}
        return not canonical and (window.label.kind != "phone" or window.label.distance > 0)
    if len(window.groups) == 1 and after.isascii() and (after.isalpha() or after == "_"):
        return True
    return before in ("$", "_")


def _is_in_path(window: Window) -> bool:
    """Whether the number is part of a path: notes/0212345678.html, but not TEL/0212345678 nor with hyphens."""
    folder = window.text[max(0, window.start - 2) : window.start - 1]
    if not (folder.isascii() and folder.isalpha()) or not set(window.separators) <= set(SLASHED):
        return False
    return window.label.kind != "phone" or window.label.distance > 0


def _is_in_row(window: Window) -> bool:
    """Whether the run consists of consecutive mobile numbers: 010-0000-1234-010-0000-5678."""
    groups = window.run.groups
    return len(groups) <= LONGEST_ROW and len(groups) % 3 == 0 and window.first % 3 == 0 and set(groups[::3]) == {"010"}


def _is_document_number(window: Window) -> bool:
    """Whether it is a document number (제 02-000-0000 호) or a quantity (02-000-0000원)."""
    left = window.text[max(0, window.start - 2) : window.start].rstrip()
    right = window.text[window.end : window.end + 2].lstrip()
    if left.endswith("제") and right.startswith("호"):
        return True
    return len(window.groups) == 1 and window.char_after != "" and window.char_after in _COUNTED


def _is_bare_mobile(window: Window) -> bool:
    """Whether ungrouped digits may be a mobile number: not in a path or identifier, no label of another kind."""
    before, after = window.char_before, window.char_after
    if (before and before in "_#$&%@-") or (after and after in "_@"):
        return False
    beside = window.text[max(0, window.start - 2) : window.start - 1] if before == "/" else ""
    listed = "가" <= beside <= "힣"  # 아무개/01000001234/hong@…
    if before == "/" and not beside.isdigit() and not listed:
        return False  # a path; next to a digit the slash separates two numbers
    if after == "/" and not listed and not window.text[window.end + 1 : window.end + 2].isdigit():
        return False
    blocked = window.label.kind in _BLOCKING and window.label.distance <= _BLOCKING_REACH
    return set(window.digits) != {"0", "1"} and not blocked


def _extend_to_extension(window: Window, plus: bool) -> tuple[int, int]:
    """Return start and end including the plus or bracket before, and a line range or extension after."""
    start, end, text = window.start, window.end, window.text
    if plus or (window.char_before in ("(", "（") and window.separators[:1] == (")",)):
        start -= 1
    if text[end : end + 1] in ("~", "∼", "～", "/"):  # 02-000-1230~5: the last line of a range of lines
        stop = end + 1
        while stop < len(text) and stop - end <= 5 and text[stop].isdigit():
            stop += 1
        if 1 < stop - end <= 5 and text[stop : stop + 1] not in ("-", ".", ")"):
            end = stop
    elif (extension := _EXTENSION.match(text[end : end + 20])) is not None:
        end += len(extension.group())
        end -= text[end - 1] in ")）" and "(" not in extension.group().replace("（", "(")
    return start, end
