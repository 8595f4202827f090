"""Handles with an at sign, offered as a contact by a word before or after: 메신저 @maru.7, @maru_7 로 디엠."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.contacts import handles
from filters.pii_rules.contacts.handles import BLANK
from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match

AT: Final = "(?:^|[^A-Za-z0-9/._@(-])[@＠][A-Za-z0-9_]"
_AT: Final = re2.compile(AT)
_OFFERED: Final = re2.compile(
    "메신저|브런치|유튜브|블로그|밴드|라인|슬랙|채널|프사|계정|예약|문의|연락|주문|상담|제보|신고|팔로우|"
    "맞팔|친추|아이디|DM|디엠|인스타|트위터|스레드|쓰레드|블루스카이|카톡|텔레|프로필"
)
_TAKEN_UP: Final = re2.compile(
    f"^{BLANK}?[)」』\"']?{BLANK}?(?:으?로 ?(?:연락|문의|DM|디엠|예약|주문|주세요|오세요|보내|쪽지|친추|톡)|"
    f"이?{BLANK}?계정|한테|에게|님|팔로우|DM|디엠|친추|맞팔)"
)
_SOCIAL: Final = re2.compile(
    "메신저|브런치|유튜브|블로그|밴드|라인|슬랙|DM|디엠|인스타|트위터|스레드|쓰레드|블루스카이|카톡|텔레|팔로우"
)
_REACH_BEFORE, _REACH_BEHIND = 18, 16


def find_at_handles(text: str, data: bytes) -> Iterator[Match]:
    """Find handles with an at sign that a word before or after offers as a contact."""
    for _, end in matches(_AT, text, data):
        yield from _find_at_handle(text, end - 2)


def _find_at_handle(text: str, start: int) -> Iterator[Match]:
    """Find one handle, such as @maru.7, that a word before or after offers as a contact."""
    before = text[start - 1 : start]
    if (before.isascii() and before.isalnum()) or (before and before in "/._-@("):
        return
    left = text[max(0, start - _REACH_BEFORE) : start].rpartition("\n")[2]
    stop, disguised = handles.find_handle_end(text, start)
    if "공식" in left or text[start + 1 : stop].isdigit() or text[stop : stop + 2] == "](":
        return
    if _OFFERED.search(left) is None and _TAKEN_UP.match(text[stop : stop + _REACH_BEHIND]) is None:
        return
    plain = text[start + 1 : stop].isalpha()  # @deprecated
    if plain and _SOCIAL.search(left) is None and _TAKEN_UP.match(text[stop : stop + _REACH_BEHIND]) is None:
        return
    if handles.is_handle(text, start, stop, asked=False, disguised=disguised) and text[stop : stop + 1] != "/":
        yield Match(start, stop, "messenger", 0.8, f"at sign, offered; {stop - start - 1} characters")
