"""Find words that forbid or limit the use of a text; only in separate notices. The rules are data: refusals.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from crawlers.formats.html.runs import Run
from crawlers.rights.rules import MAX_KNOWN, Patterns, gate, load, match_any, may_match_any

MAX_NOTICE = 300  # code points of a run in the item; a longer one is prose that may discuss such words
MAX_READ = 2_000  # code points of a text that are read
MAX_MATCHES = 8  # of one rule in a text
END = "‥"  # marks the end of a match in its sentence


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that forbid the same, and where they apply; refusals.toml explains the fields."""

    name: str
    forbids: str
    rules: Patterns
    most: int  # code points of a text
    requires: str
    unless: Patterns
    described: Patterns


_DATA, _compile = load("refusals.toml")
SUBJECTS = {name: _compile(patterns) for name, patterns in _DATA["subjects"].items()}
GROUPS = tuple(
    Group(
        name=row["name"],
        forbids=row.get("forbids", row["name"]),
        rules=_compile(rule["pattern"] for rule in row["rule"]),
        most=row.get("most", MAX_READ),
        requires=row.get("requires", ""),
        unless=_compile(row.get("unless", ())),
        described=_compile(row.get("described", ())),
    )
    for row in _DATA["group"]
)
_may_refuse = gate(*(rule for group in GROUPS for rule in group.rules))


def may_refuse(shown: Sequence[Run]) -> bool:
    """Whether a run of a page may forbid anything."""
    return may_match_any(_may_refuse, (run.text for run in shown))


def refusal(run: Run) -> str:
    """Return what a run forbids: "training", "copying", "free-use", "commercial", "limits", "reserved", or ""."""
    if run.refused is None:
        if len(run.text) <= MAX_NOTICE:
            run.refused = _find_known_refusal(run.text)
        else:  # prose, unless it is in a mark block or in the site frame
            framed = run.state.mark is not None or run.state.part == "site"
            run.refused = find_refusal(run.text[:MAX_READ]) if framed else ""
    return run.refused


def find_refusal(text: str) -> str:
    """Return what a notice forbids, in the terms of `refusal`; a notice about pictures alone does not apply to a text.

    >>> find_refusal("무단 전재를 금지합니다."), find_refusal("회의실 무단 사용을 금지합니다.")
    ('copying', '')
    """
    if not _may_refuse(text) or (_is_about("picture", text) and not _is_about("text", text)):
        return ""
    return next((group.forbids for group in GROUPS if _has_refusal(group, text)), "")


_find_known_refusal = lru_cache(maxsize=MAX_KNOWN)(find_refusal)


def _has_refusal(group: Group, text: str) -> bool:
    if len(text) > group.most or not _is_about(group.requires, text) or match_any(group.unless, text):
        return False
    work = _is_about("work", text)
    for match in (match for rule in group.rules for match in islice(rule.finditer(text), MAX_MATCHES)):
        begin = max(text.rfind(end, 0, match.start()) for end in (". ", "? ", "! ", "\n")) + 1
        ends = [place for end in (". ", "? ", "! ") if (place := text.find(end, match.end())) >= 0]
        before, after = text[begin : match.start()], text[match.end() : min(ends, default=len(text)) + 1]
        if _is_about("reported", f"{before} {END}{after}"):  # the sentence mentions the words, it does not assert them
            continue
        if work or not match_any(group.described, f"{before}{match[0]}{END}{after}"):
            return True
    return False


def _is_about(subject: str, text: str) -> bool:
    return not subject or match_any(SUBJECTS[subject], text)


def is_about_work(text: str) -> bool:
    """Whether a short notice is about a work and its use, rather than about machines, money or menus."""
    return _is_about("work", text) and _is_about("use", text)


def denies(value: str) -> bool:
    """Whether a value of metadata refuses; "all rights reserved" does not count, as it is customary."""
    return _has_group(value, "copying", "free-use", "training", "limits")


def forbids(value: str) -> bool:
    """Whether a value of a field refuses, or reserves all rights."""
    return _has_group(value, "copying", "reserved", "free-use", "training")


def _has_group(value: str, *names: str) -> bool:
    return any(match_any(group.rules, value[:MAX_READ]) for group in GROUPS if group.name in names)
