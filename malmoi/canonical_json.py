"""Canonical JSON: equal values give equal bytes, so that they can be hashed and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, an indent of 1 and a line feed at the end; no escapes, no NaN.

    >>> canonical_json({"b": 1, "a": "말"})
    '{\\n "a": "말",\\n "b": 1\\n}\\n'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"


def spell_on_one_line(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Return `value` as JSON with sorted keys on one line, for digests and lines; `default` encodes other types.

    >>> spell_on_one_line({"b": 1, "a": "말"})
    '{"a": "말", "b": 1}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=default)
