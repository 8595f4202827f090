"""What earlier and later visits say of a page: that its mark was another one, that it is there no more.

Notes, not refusals: what follows from them is the recipe's choice (filters/rights.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crawlers.catalogue import Evidence, Items, Text
from crawlers.formats import ParsedItem
from malmoi.archive.capture import Capture, IndexRow
from malmoi.archive.collection import Past
from malmoi.document import Signal
from malmoi.errors import CaptureError
from malmoi.licensing.rights_decision import decide

RELICENSED, GONE = "relicensed", "gone"  # names of the signals
# What the last visit met, by the status that the index holds for it.
MET = {301: "moved", 403: "disallowed", 404: "not found", 410: "removed"}


def disappearance_signals(past: Past) -> tuple[Signal, ...]:
    """The note that the page of a capture is there no more; () where it is."""
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
    """The licence of each item of an earlier capture, by key; "none" where none was decided, {} where it is lost."""
    try:
        found = list(map(ParsedItem, items(load(row))))
    except CaptureError:  # an earlier archive that somebody has cleaned away says nothing
        return {}
    return {one.item.key: decide(*evidence(one.set_date(text(one).date))).licence for one in found}


def relicensing_signals(
    key: str, now: str, fetched: str, earlier: Iterable[tuple[IndexRow, dict[str, str]]]
) -> tuple[Signal, ...]:
    """The note that the item `key` was under another licence than `now` when it was last different; () if never.

    `earlier` comes oldest first, each capture with its `licences`.
    """
    for row, said in reversed(list(earlier)):
        before = said.get(key, now)
        if before != now:
            told = f"{before or 'none'} on {row.fetched[:10]}, {now or 'none'} on {fetched[:10]}"
            return (Signal(RELICENSED, "note", told, row.url, row.record),)
    return ()
