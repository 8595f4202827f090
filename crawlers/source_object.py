"""Read the source of a page that a caller gives as a JSON object: what a source file declares, without its access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from crawlers import licence_rules, rights_engine
from malmoi.errors import CallError
from malmoi.licensing.proofs import OPEN_WEB
from malmoi.source import LicenceRule, Source

_NAMES = (*(one.name for one in fields(LicenceRule)), "publisher")
_TYPES = {"author": "a string", "publisher": "a string", "selector": "a list of pairs of strings"}


def read_source(given: object, called: str) -> Source:
    """Return the source that an object declares; {} or None declares nothing.

    The keys are the fields of `LicenceRule` (proofs, selector, fields, boards, author, expected) and `publisher`;
    `selector` is a list of pairs [address prefix, CSS selector]. `called` names the object in messages.

    Raises:
        CallError: a key or a proof is unknown, a value has another type, a proof lacks its place, a selector or an
            expression cannot be read.

    >>> read_source({"proofs": ["field"], "fields": ["이용조건"]}, "line 1").rule.fields
    ('이용조건',)
    """
    if not isinstance(given, Mapping | None):
        raise CallError(f"{called}: field 'source' must be an object; correct the line.")
    said = dict(given or {})
    if unknown := sorted(map(str, said.keys() - set(_NAMES))):
        raise CallError(f"{called}: 'source' has no key {unknown[0]!r}; use {', '.join(_NAMES)}.")
    if wrong := [name for name, value in said.items() if not _has_type(name, value)]:
        takes = _TYPES.get(wrong[0], "a list of strings")
        raise CallError(f"{called}: key {wrong[0]!r} of 'source' must be {takes}; correct the line.")
    publisher = said.pop("publisher", "")
    source = rights_engine.make_source(LicenceRule(**{name: _freeze(value) for name, value in said.items()}), publisher)
    licence_rules.check(source, called)
    return source


def read_trust(given: object, called: str) -> tuple[str, ...]:
    """Return the names of the proofs that count on a page of the open web; CallError for anything else."""
    names = [] if given is None else given
    if not isinstance(names, list) or not all(name in OPEN_WEB for name in names):
        raise CallError(f"{called}: field 'trust' must be a list of {', '.join(OPEN_WEB)}; correct the line.")
    return tuple(names)


def _has_type(name: str, value: Any) -> bool:
    if name in ("author", "publisher"):
        return isinstance(value, str)
    if name == "selector":
        return isinstance(value, list) and all(_is_list(pair) and len(pair) == 2 for pair in value)
    return _is_list(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list) else value
