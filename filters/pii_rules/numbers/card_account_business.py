"""Payment cards, bank accounts and business registration numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.numbers.phone_checks import prefix_of
from filters.pii_rules.text.checksums import has_valid_business_checksum, has_valid_luhn_checksum
from filters.pii_rules.text.digit_runs import SLASHED, WRAP, Run, Window
from filters.pii_rules.text.labels import has_bank_after, has_owner_after
from filters.pii_rules.text.match import Match

CARD_SHAPES: Final = ((4, 4, 4, 4), (4, 6, 5), (16,), (15,))
BUSINESS_SHAPES: Final = ((3, 2, 5), (10,))
_UNITS: Final = ("원", "달러", "명", "건", "주", "개", "톤", "엔", "유로", "위안", "만", "억", "천", "호", "년")
_ACCOUNT_DIGITS: Final = range(10, 17)
_INSIDE: Final = ("-", " ", "~", ".", WRAP, *SLASHED)
_NEAR = 8  # code points in which the label of another kind overrides the format
_PAYMENT: Final = re2.compile("(?i:카드|결제|승인|비자|마스터|할부|visa|master|amex|jcb|unionpay|diners|비씨|페이|pay)")
_MOST_GROUPS = 5
_SUREST: Final = 0.85  # confidence: accounts have no check digit that could confirm them
_NAMES: Final = ("계좌", "통장번호", "account", "acct")
_PAID_TO: Final = re2.compile("[가-힣](?:으로|로|에) ?$")
_BUSINESS: Final = (3, 2, 5)
_BANK_AND_NUMBER: Final = re2.compile("^[ ,|\t]{1,3}[가-힣A-Za-z]{2,8}[ ,|\t:]{1,3}[0-9]{2,6}-[0-9]")
_NUMBER_OF_TIME: Final = ("19", "20")


def match_card(window: Window) -> Match | None:
    """Match a payment card: after a label, or grouped with a known first digit and a valid Luhn checksum.

    A word of payment nearby can replace the checksum. Ungrouped digits need both.
    """
    if _is_part_of_longer_number(window) or not _has_even_separators(window):
        return None
    digits, label = window.digits, window.label
    amex = len(digits) == 15
    if amex and digits[:2] not in ("34", "37") and label.kind != "card":
        return None
    summed = has_valid_luhn_checksum(digits)
    facts = "Luhn holds" if summed else "Luhn fails"
    if label.kind == "card":
        return Match(window.start, window.end, "card", 0.98 if summed else 0.93, f"label {label.word} before; {facts}")
    if label.kind in ("other", "account", "bank") and label.distance <= _NEAR:
        return None
    spoken = _PAYMENT.search(window.text[max(0, window.start - 60) : window.end + 30]) is not None
    joined = len(window.groups) == 1
    if (joined and not (summed and spoken)) or not (summed or spoken):
        return None
    if not (amex or digits[0] in "4569" or digits[:2] == "35" or "2221" <= digits[:4] <= "2720"):
        return None
    round_numbers = all(g.endswith("00") for g in window.groups)
    alone = window.is_standalone or (window.separators[:1] == ("-",) and not window.is_continued_by("-"))
    if not alone or round_numbers or window.text.startswith(_UNITS, window.end):
        return None
    reason = "grouped; known issuer" + ("; word of payment near" if spoken else "")
    return Match(window.start, window.end, "card", 0.9 if summed else 0.86, f"{reason}; {facts}")


def match_business_number(window: Window) -> Match | None:
    """Match a business registration number: NNN-NN-NNNNN, or any format after its label."""
    if _is_part_of_longer_number(window) or not _has_even_separators(window):
        return None
    digits, label = window.digits, window.label
    summed = has_valid_business_checksum(digits)
    facts = ("check digit holds" if summed else "check digit fails") + f"; type {digits[3:5]}"
    if label.kind == "brn":
        return Match(window.start, window.end, "brn", 0.98 if summed else 0.93, f"label {label.word} before; {facts}")
    # On tax invoices, 등록번호 alone is the label of the business number.
    others = ("other", "account", "bank", "card", "phone")
    if label.word == "등록번호" and label.distance == 0 and _is_of_a_business(window):
        return Match(window.start, window.end, "brn", 0.85, f"label 등록번호 before, on a paper of businesses; {facts}")
    if label.kind in others and label.distance <= 8 and label.word != "등록번호" and not _is_before_an_account(window):
        return None
    if window.separators[:1] != ("-",) or digits[0] == "0":  # tax office codes start at 100
        return None
    before, after = window.char_before, window.char_after
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()):
        return None
    return Match(window.start, window.end, "brn", 0.95 if summed else 0.75, f"canonical form; {facts}")


_PAPER: Final = re2.compile("사업자|상호|법인명|대표자|업태|종목|공급자|공급받는")
_PAPER_REACH = 120  # code points before 등록번호 in which a business term counts


def _is_of_a_business(window: Window) -> bool:
    """Whether 등록번호 labels a business number, as in 등록번호: 922 07 00831 below 상호."""
    lettered = tuple(map(len, window.groups)) == _BUSINESS and window.digits[0] != "0"
    return lettered and _PAPER.search(window.text[max(0, window.start - _PAPER_REACH) : window.start]) is not None


def find_accounts(text: str, run: Run, sure: list[Match]) -> Iterator[Match]:
    """Find account numbers: ten to sixteen digits in any grouping, in the context of a bank or an account.

    Skips spans that `sure` covers with more confidence than an account can have.
    """
    # A bracket or a plus may precede the first group.
    covered = {f.start + i for f in sure if f.confidence > _SUREST for i in (0, 1)}
    first = 0
    while first < len(run.groups):
        last = first + 1
        mark = WRAP
        while last < len(run.groups) and run.separators[last] in _INSIDE:
            if run.separators[last] != WRAP:
                if mark not in (WRAP, run.separators[last]) and not _is_labelled_account(text, run, first):
                    break
                mark = run.separators[last]
            last += 1
        digits = sum(map(len, run.groups[first:last])) if last - first <= _MOST_GROUPS else 0
        if digits in _ACCOUNT_DIGITS and covered.isdisjoint(run.starts[first:last]):
            yield from _match_account(Window(text, run, first, last))
        first = last


def _is_labelled_account(text: str, run: Run, first: int) -> bool:
    """Whether a label for an account or a bank directly precedes; then any separators may occur between groups."""
    label = run.label(text, run.starts[first], numbered=False)
    return label.kind in ("account", "bank") and label.distance <= 1


def _match_account(window: Window) -> Iterator[Match]:
    if _is_something_else(window):
        return
    reason = _explain_account(window)
    if reason is None or _is_glued(window):
        return
    yield Match(window.start, window.end, "account", _SUREST if len(window.groups) > 2 else 0.8, reason)


def _explain_account(window: Window) -> str | None:
    """Return why the window is an account number, or None without a label, bank or holder nearby."""
    label, parts = window.label, len(window.groups)
    spaced = window.separators[:1] in ((" ",), (".",), ("/",), ("_",))
    reach = 4 if spaced or parts == 2 else 30
    if spaced and parts > 2 and "\n" in window.text[max(0, window.start - 16) : window.start]:
        reach = 20  # requested in the line before
    if parts == 1 and prefix_of(window.digits):
        reach = 4  # may be a telephone number, so the label must directly precede
    if label.kind == "account" and label.distance <= reach:
        return f"label {label.word} before"
    if label.kind == "bank" and label.distance <= (1 if parts == 1 else 4 if spaced or parts == 2 else 12):
        return f"bank {label.word} before"
    if label.kind == "bank-short" and label.distance == 0 and (parts >= 3 or 11 <= len(window.digits) <= 14):
        return f"bank {label.word} before"
    if label.kind in ("bank", "bank-short") and parts >= 3 and _BANK_ABOVE.search(_line_above(window)) is not None:
        return f"bank {label.word} in the line before"
    whole = len(window.digits) >= (12 if label.kind == "bank-short" else 10 if parts >= 3 else 11)
    if whole and label.kind in ("bank", "bank-short") and label.distance <= 2 and _is_paid_to(window):
        return f"bank {label.word} before"
    # 전화해서 과태료를 0 (신한)로: the telephone number is before the label
    called = label.kind == "phone" and label.distance > 0 and not prefix_of(window.digits) and parts >= 3
    near = label.kind in ("", "bank", "bank-short", "account") or label.distance > 8
    if called and has_bank_after(window.text, window.end):
        return "bank behind"
    if "." in window.separators:
        return None  # a version
    if near and parts >= 3 and has_owner_after(window.text, window.end):
        return "account holder or bank behind"
    if near and len(window.digits) >= 11 and has_bank_after(window.text, window.end):
        return "bank behind"
    return None


_BANK_ABOVE: Final = re2.compile(
    "[가-힣a-zA-Z]{2,6}(?:은행|뱅크)?(?:이?요|이에요|예요|입니다)?[.]?\n"
    "(?:\\[[^\\]\n]{1,12}\\] ?|[^\n:：]{1,10}[:：] ?)?$"
)


def _line_above(window: Window) -> str:
    """Return the end of the previous line: 나: 신한, followed by 나: 0."""
    return window.text[max(0, window.start - 24) : window.start]


def _is_before_an_account(window: Window) -> bool:
    """Whether bank and account follow the business number, as in company lists: 941-31-03898 국민 000-…."""
    if tuple(map(len, window.groups)) != _BUSINESS:
        return False
    right = window.text[window.end : window.end + 24]
    return _BANK_AND_NUMBER.match(right) is not None and has_bank_after(window.text, window.end)


def _is_paid_to(window: Window) -> bool:
    """Whether a payment particle precedes: 농협으로 0, 국민에 0."""
    return _PAID_TO.search(window.text[max(0, window.start - 4) : window.start]) is not None


def _is_something_else(window: Window) -> bool:
    """Whether the number is an amount, an ISBN, a time or the like, whatever its label.

    Runs first because looking up a label is expensive.
    """
    before, groups = window.char_before, window.groups
    if _is_before_an_account(window):
        return True
    if (before.isascii() and before.isalpha()) or window.is_continued_by("."):
        return True
    if window.text.startswith(_UNITS, window.end):
        return True
    book = groups[0] in ("978", "979") or (window.digits.startswith(("978", "979")) and len(window.digits) == 13)
    # 2024-01-31-001 and 20240131123000 are times; 2019-12-… are document numbers
    joined = len(groups) == 1
    time = groups[0][:2] in _NUMBER_OF_TIME and (len(groups[0]) == 4 or (joined and _is_timestamp(window.digits)))
    named = joined and (book or time) and window.label.distance == 0 and window.label.word.startswith(_NAMES)
    return (book or time) and not named


def _is_glued(window: Window) -> bool:
    """Whether it is part of something longer (소득46011-20123, /110-000-000000) without a label directly before it."""
    before, distance = window.char_before, window.label.distance
    return (before != "" and before in "./,_$#@" and distance > 0) or (is_hangul(before) and distance > 1)


def _is_timestamp(digits: str) -> bool:
    month, day = digits[4:6], digits[6:8]
    return "01" <= month <= "12" and "01" <= day <= "31"


def _has_even_separators(window: Window) -> bool:
    """Whether all separators are equal; dots, slashes and underscores only after the label of a business or card."""
    return set(window.separators) in (set(), {"-"}, {" "}) or (
        window.label.kind in ("brn", "card")
        and window.separators[0] in (".", *SLASHED)
        and len(set(window.separators)) == 1
    )


def _is_part_of_longer_number(window: Window) -> bool:
    """Whether the digits are part of a longer number."""
    before, after = window.char_before, window.char_after
    if window.is_continued_by("-") or (len(window.groups) == 1 and window.is_continued_by(".")):
        return True
    if len(window.groups) > 1:
        return False
    if after and (after == "_" or (after.isascii() and after.isalpha())):
        return True
    glued = before in "./_#" or (before.isascii() and before.isalpha())
    return bool(before) and glued and window.label.distance > 0
