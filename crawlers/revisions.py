"""Signals `relicensed` and `gone` of a page, from its earlier and later visits.

They are notes, not refusals: the recipe decides what follows from them (filters/rights.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from crawlers.catalogue import Evidence, Items, Text
from crawlers.formats import ParsedItem
from malmoi.archive.capture import Capture, IndexRow
from malmoi.archive.collection import DAMAGED, Past
from malmoi.boundary import input_errors
from malmoi.document import Signal
from malmoi.errors import CaptureError
from malmoi.licensing.rights_decision import decide

RELICENSED, GONE = "relicensed", "gone"  # names of the signals
# The result of the last visit, by the status that the index holds for it.
MET = {DAMAGED: "a damaged record of the visit", 301: "moved", 403: "disallowed", 404: "not found", 410: "removed"}


def disappearance_signals(past: Past) -> tuple[Signal, ...]:
    """Return the note that the page of a capture is gone; () if it is not."""
    row = past.gone
    if row is None:
        return ()
    met = MET.get(row.status, f"status {row.status}")
    return (Signal(GONE, "note", f"{met} on {row.fetched[:10]}", row.url, row.record),)


def licences(
    row: IndexRow,
    load: Callable[[IndexRow], Capture],
    items: Items,
    evidence: Evidence,
    text: Text,
) -> dict[str, str]:
    """Return the licence of each item of an earlier capture, by key; "none" if undecided.

    A capture that was deleted or cannot be read gives those of its items before the error.
    """
    found = {}
    with suppress(CaptureError), input_errors(CaptureError, MemoryError):
        for one in map(ParsedItem, items(load(row))):
            found[one.item.key] = decide(*evidence(one.complete(text(one)))).licence
    return found


def relicensing_signals(
    key: str, now: str, fetched: str, earlier: Iterable[tuple[IndexRow, dict[str, str]]]
) -> tuple[Signal, ...]:
    """Return the note that the item `key` had another licence than `now` when it last differed; () if never.

    `earlier` is listed oldest first, each capture with its `licences`.
    """
    for row, said in reversed(list(earlier)):
        before = said.get(key, now)
        if before != now:
            told = f"{before or 'none'} on {row.fetched[:10]}, {now or 'none'} on {fetched[:10]}"
            return (Signal(RELICENSED, "note", told, row.url, row.record),)
    return ()
