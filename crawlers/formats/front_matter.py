"""Parse the YAML front matter of a Markdown file: without aliases, bounded in size, values and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from malmoi.boundary import input_errors
from malmoi.limits import FRONT_MATTER_CHARS, FRONT_MATTER_DEPTH, FRONT_MATTER_VALUES

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml implements the same language ten times as fast


class _NotYaml(Exception):
    """The front matter is not YAML, or exceeds a limit that no hand-written one reaches."""


def fields(front: str) -> Mapping[str, Any]:
    """Return the fields of a front matter; of one that is not YAML or exceeds a limit, the plain `key: value` lines.

    Aliases are refused: an alias repeats its anchor, so nested ones expand exponentially ("billion laughs").

    >>> fields("title: 낱말\\ntags: [하나, 둘]\\n")
    {'title': '낱말', 'tags': ['하나', '둘']}
    >>> fields("a: &a [x, x]\\ntitle: 낱말\\nb: *a\\n")["title"]
    '낱말'
    """
    try:
        with input_errors(_NotYaml):
            _check_limits(front)
            found = yaml.load(front, Loader=_LOADER)  # both loaders are safe loaders
    except _NotYaml:
        return _parse_plain(front)
    return found if isinstance(found, dict) else {}


def find_identifier(body: bytes, names: Sequence[str]) -> tuple[str, str]:
    """Return (name, value) of the first of `names` with a value in the front matter of a file; ("", "") if none has.

    The line is read as it is written: YAML would make the number 513 of an unquoted 001001.

    >>> find_identifier("---\\n법령ID: '001001'\\n제목: 가\\n---\\n본문".encode(), ("행정규칙ID", "법령ID"))
    ('법령ID', '001001')
    >>> find_identifier("법령ID: '1'".encode(), ("법령ID",))
    ('', '')
    """
    text = body[: 4 * FRONT_MATTER_CHARS.value].decode("utf-8", "replace").removeprefix("\ufeff").replace("\r", "")
    end = text.find("\n---", 3)
    if not text.startswith("---\n") or end < 0:
        return "", ""
    found = _parse_plain(text[4:end])
    return next(((name, value) for name in names if (value := found.get(name, "").strip())), ("", ""))


def _check_limits(front: str) -> None:
    if len(front) > FRONT_MATTER_CHARS.value:
        raise _NotYaml(FRONT_MATTER_CHARS.describe())
    depth = values = 0
    for event in yaml.parse(front, Loader=_LOADER):
        values += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise _NotYaml("an alias")
        if values > FRONT_MATTER_VALUES.value or depth > FRONT_MATTER_DEPTH.value:
            raise _NotYaml(FRONT_MATTER_VALUES.describe())


def _parse_plain(front: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in front.split("\n") if not line.startswith((" ", "#")))
    return {key.strip(): value.strip().strip("\"'") for key, sep, value in pairs if sep}
