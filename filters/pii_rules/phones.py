"""Telephone numbers with an owner: mobile, land line, 070, 050x, 080, and all of them behind +82.

Representative numbers (15xx-xxxx, 16xx-xxxx, 18xx-xxxx) belong to organisations and have no rule.
"""

from __future__ import annotations

from typing import Final

from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import BREAK, Window

# Prefix → lengths of the whole national number; Telecommunications numbering plan of Korea (MSIT notice).
_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("010", "011", "016", "017", "018", "019"), (10, 11)),
    "02": (9, 10),
    **{f"0{n}": (10, 11) for n in (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64, 70, 80)},
    **{f"050{n}": (11, 12) for n in range(2, 9)},
}
SHAPES: Final = tuple(
    sorted(
        {(len(p), n - len(p) - 4, 4) for p, lengths in _LENGTHS.items() for n in lengths}  # 02-NNN-NNNN …
        | {(len(p), n - len(p)) for p, lengths in _LENGTHS.items() for n in lengths}  # 010-NNNNNNNN
        | {(n - 4, 4) for p, lengths in _LENGTHS.items() if p.startswith("01") for n in lengths}  # 010NNNN-NNNN
        | {(n,) for lengths in _LENGTHS.values() for n in lengths}
        | {(2, a, b, 4) for a in (1, 2, 3) for b in (3, 4)}  # 82 10 NNNN NNNN
        | {(2, 1, a, b, 4) for a in (1, 2) for b in (3, 4)}  # 82 (0)10 NNNN NNNN
        | {(2, 8), (2, 9), (2, 10), (2, 2, 8), (2, 3, 8)}
    )
)
LONGEST_ROW = 30  # groups; bounds the work at each of them
_COUNTED: Final = frozenset("원명건개대회장권점세년월일만억천kK%℃")  # a unit behind makes it a quantity


def phone(window: Window) -> Found | None:
    """A telephone number in `window`.

    Grouped mobile numbers need no label. Land lines need one, or a hyphen or bracket, or blanks
    around and an exchange that exists. Numbers in one piece need one unless they begin with 010.
    """
    abroad = window.groups[0].startswith("82")
    plus = abroad and window.char_before == "+"
    if abroad and not plus and window.label.kind != "phone":
        return None
    groups = _national(window.groups) if abroad else window.groups
    number = "".join(groups)
    prefix = _prefix(number)
    if not prefix or len(number) not in _LENGTHS[prefix]:
        return None
    if len(groups) > 2 and groups[0] != prefix:
        return None
    if len(groups) == 2 and groups[0] != prefix and not prefix.startswith("01"):
        return None
    if _is_part_of_something(window) or _is_document_number(window):
        return None
    judged = (0.97, "+82") if plus else _judged(window, groups, prefix)
    if judged is None:
        return None
    start, end = _with_bracket_and_extension(window, plus)
    return Found(start, end, "phone", judged[0], f"{judged[1]}; prefix {prefix}")


def _judged(window: Window, groups: tuple[str, ...], prefix: str) -> tuple[float, str] | None:
    label, mobile = window.label, prefix.startswith("01")
    said = label.kind == "phone"
    reason = f"label {label.word} before" if said else "canonical form"
    if len(groups) == 1:
        if said and label.distance <= 12:
            return 0.95, reason
        return (
            (0.85, "eleven digits from 010")
            if prefix == "010" and len(window.digits) == 11 and _is_bare_mobile(window)
            else None
        )
    marks = set(window.separators)
    if marks & {BREAK, "("} and not (marks <= {"(", ")", "-", " "}):
        return None
    if mobile and prefix == "010":
        return 0.98 if said or "-" in marks else 0.95, reason
    if label.kind == "other" and label.distance <= 8:
        return None
    if said:
        return 0.97, reason
    if len(groups) == 2:
        return None
    if marks & {"-", ")"}:
        return (0.95 if groups[1][0] in "23456789" else 0.85), reason
    exists = groups[1][0] in "23456789" and window.stands_alone
    return (0.75, "grouped; known exchange") if exists else None


def _national(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups as dialled at home: 82 10 … and 82 (0)10 … begin with 010."""
    rest = (groups[0][2:], *groups[1:]) if len(groups[0]) > 2 else groups[1:]
    if rest and rest[0] == "0":
        rest = rest[1:]
    return (rest[0] if rest[0].startswith("0") else "0" + rest[0], *rest[1:]) if rest else ()


def _prefix(number: str) -> str:
    return next((number[:n] for n in (4, 3, 2) if number[:n] in _LENGTHS), "")


def _is_part_of_something(window: Window) -> bool:
    if (len(window.groups) == 1 and window.continues(".")) or (window.continues("-") and not _in_row(window)):
        return True
    before, after = window.char_before, window.char_after
    if before.isascii() and before.isalpha():  # TEL010… and Kim010-… are numbers, abc010… is none
        canonical = window.groups[0] == "010" and set(window.separators) == {"-"}
        return not canonical and (window.label.kind != "phone" or window.label.distance > 0)
    if len(window.groups) == 1 and after.isascii() and (after.isalpha() or after == "_"):
        return True
    return before in ("$", "_")


def _in_row(window: Window) -> bool:
    """Whether only mobile numbers follow each other in the run: 010-0000-1234-010-0000-5678."""
    groups = window.run.groups
    return len(groups) <= LONGEST_ROW and len(groups) % 3 == 0 and window.first % 3 == 0 and set(groups[::3]) == {"010"}


def _is_document_number(window: Window) -> bool:
    """제 02-000-0000 호, and quantities such as 02-000-0000원."""
    left = window.text[max(0, window.start - 2) : window.start].rstrip()
    right = window.text[window.end : window.end + 2].lstrip()
    if left.endswith("제") and right.startswith("호"):
        return True
    return len(window.groups) == 1 and window.char_after != "" and window.char_after in _COUNTED


def _is_bare_mobile(window: Window) -> bool:
    before, after = window.char_before, window.char_after
    if (before and before in "_#$&%@-") or (after and after in "_@"):
        return False
    if before == "/" and not window.text[window.start - 2 : window.start - 1].isdigit():
        return False  # a path; beside a digit the slash stands between two numbers
    if after == "/" and not window.text[window.end + 1 : window.end + 2].isdigit():
        return False
    return set(window.digits) != {"0", "1"} and window.label.kind not in ("other", "account", "bank", "card", "crn")


def _with_bracket_and_extension(window: Window, plus: bool) -> tuple[int, int]:
    start, end, text = window.start, window.end, window.text
    if plus or (window.char_before in ("(", "（") and window.separators[:1] == (")",)):
        start -= 1
    if text[end : end + 1] in ("~", "∼", "～", "/"):  # 02-000-1230~5: the last line of a row of lines
        stop = end + 1
        while stop < len(text) and stop - end <= 5 and text[stop].isdigit():
            stop += 1
        if 1 < stop - end <= 5 and text[stop : stop + 1] not in ("-", ".", ")"):
            end = stop
    return start, end
