"""Check that a Latin word of a list has the shape of a user id: not a product, file, domain or part of a program."""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.contacts.handles import is_handle, is_product
from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import read_word_set
from filters.pii_rules.text.name_model import read_words

_PARTS: Final = re2.compile("(?:^|[._-])[0-9]*([a-z]+)")  # not of tofu2min: there a digit joins two words
_LONG: Final = re2.compile("[A-Za-z]{3}")
_SHAPE: Final = re2.compile("^[A-Za-z0-9_][A-Za-z0-9._-]{2,28}[A-Za-z0-9_]$")
_SIGNED: Final = re2.compile(
    "[a-z0-9]_+[a-z0-9]|^__?[a-z]|[a-z]_$|[a-z][.][a-z]|[a-z]{4}[._]?[0-9]{1,8}$|[a-z][0-9]+[a-z]"
)
_CODE: Final = re2.compile(
    "^[a-z]{1,3}[0-9]+[a-z]{0,2}$|^[a-z]{1,4}_(?:0[0-9]{4,}|[0-9a-f]{6,})$|^[a-z]+2(?:vec|seq|text|image|img|speech|[a-z]{2})$"
)
_TERMS: Final = frozenset(read_words("program_terms"))
_LAST: Final = read_word_set("contacts/user_ids", "last_part")
_RECEIVERS: Final = read_word_set("contacts/user_ids", "receiver")
_PEER: Final = re2.compile("(?:^|[^A-Za-z0-9가-힣@/=._-])([A-Za-z0-9_][A-Za-z0-9._-]{2,28}[A-Za-z0-9_])")
PEER_REACH: Final = 240  # code points on either side, in which other members of the same list stand


def is_user_id(candidate: Candidate) -> bool:
    """Whether the value has the shape of a user id, with an at sign before or a digit, underscore or dot inside."""
    plain = candidate.value.lstrip("@")
    signed = plain != candidate.value or _SIGNED.search(plain.lower()) is not None
    return signed and _is_name(plain) and not is_product(candidate) and is_handle(candidate)


def is_plain_user_id(candidate: Candidate) -> bool:
    """Whether the value is an unusual word of letters and hyphens."""
    return candidate.value.islower() and _is_name(candidate.value) and is_handle(candidate)


def is_in_record(candidate: Candidate) -> bool:
    """Whether the value has one of the two shapes; beside other fields of a person, letters alone are enough."""
    return is_user_id(candidate) or is_plain_user_id(candidate)


def has_peer(candidate: Candidate) -> bool:
    """Whether another user id with a digit, an underscore or a dot stands near the value."""
    first = max(0, candidate.start - PEER_REACH)
    window = candidate.text[first : candidate.end + PEER_REACH]
    for match in _PEER.finditer(window):
        peer = Candidate(window, *match.span(1))
        if peer.value != candidate.value and is_user_id(peer):
            return True
    return False


def _is_name(plain: str) -> bool:
    low = plain.lower()
    if _SHAPE.match(plain) is None or _CODE.match(low) is not None or _LONG.search(plain) is None or plain.isupper():
        return False
    pieces = low.split(".")
    if len(pieces) > 1 and (pieces[-1] in _LAST or pieces[0] in _RECEIVERS):
        return False
    return _TERMS.isdisjoint(_PARTS.findall(low))
