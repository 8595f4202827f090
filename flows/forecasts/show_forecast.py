"""Print a forecast: how the sample was drawn, then each total with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.engine.progress import format_seconds
from flows.forecasts.estimates import Estimate
from flows.forecasts.forecast import COPIES, DISK, FETCH, Forecast
from flows.forecasts.unit_results import (
    CAPTURES,
    CPU,
    DOCUMENTS,
    DROPPED,
    EXTRACTED,
    KEPT,
    KEPT_DOCUMENTS,
    LICENCE,
    PAYLOAD,
    UNDER,
)
from flows.plurals import count_of, count_plural
from flows.reports.crawl_progress import format_size

AIM = 0.10  # half the width of an interval of kept characters, as a share; the sample size for it is printed
SHOWN = 12  # rows of a split
Spell: TypeAlias = Callable[[float], str]


def show(found: Forecast, out: Console) -> None:
    """Print a forecast."""
    sampled = count_of(found.sampled, "sampled capture")
    out.print(f"{found.source} by the recipe {found.recipe}, from {sampled}", markup=False)
    out.print(f"  drawn    {found.drawn}", markup=False)
    out.print(f"  whole    {_describe_whole(found)}", markup=False)
    if found.certainty == "at least":
        out.print(
            "  The size of the whole is not known, because its lists were not read to their end: the totals below are "
            "of the part that is known. A larger --sample reads more lists.",
            markup=False,
        )
    if found.most is not None and found.totals[CAPTURES].value > found.most:
        out.print(
            f"  A collection takes at most max_pages={found.most:,} captures; the totals below are of all of them. "
            "Raise max_pages in the source file, or narrow what it collects.",
            markup=False,
        )
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="bold")
    table.add_column("")
    for name in ("estimate", "from", "to"):
        table.add_column(name, justify="right")
    for name, one, spell in _list_rows(found):
        table.add_row(Text(name), *(spell(value) for value in (one.value, one.low, one.high)))
    out.print(table, soft_wrap=False)
    out.print(f"  Intervals: 95 %, from the sample alone. {_advise(found)}".rstrip(), markup=False)


def _describe_whole(found: Forecast) -> str:
    """Return the number of units, how it is known, and how many captures the source expects."""
    words = {"counted": "", "estimated": "about ", "at least": "at least "}
    said = f"{words[found.certainty]}{count_plural(found.units, found.of)}"
    if found.expected is None:
        return said
    low, high = found.expected
    return f"{said}; the source expects {low:,} to {high:,} captures"


def _advise(found: Forecast) -> str:
    """Return what the width of the interval of kept characters says about the size of the sample."""
    kept = found.totals[KEPT]
    drawn = sum(len(one.chosen) for one in found.strata)
    if not kept.value:
        return (
            "Nothing of the sample is kept, so no licence is shown: look at the drops, and at `malmoi sources probe`."
            if found.totals.get(DOCUMENTS)
            else "The sample holds no document: `malmoi sources probe` says what its answers hold instead."
        )
    if kept.half_width <= AIM or drawn >= found.units:
        return ""
    # The width decreases with the root of the sample; the finite population correction makes the need smaller.
    wanted = drawn * (kept.half_width / AIM) ** 2
    wanted = wanted / (1 + wanted / found.units)
    return f"Kept characters are known to ± {kept.half_width:.0%}; for ± {AIM:.0%} take --sample {wanted:,.0f}."


def _list_rows(found: Forecast) -> Iterator[tuple[str, Estimate, Spell]]:
    def count(value: float) -> str:
        return f"{value:,.0f}"

    rows: tuple[tuple[str, Spell], ...] = (
        (CAPTURES, count), (DOCUMENTS, count), (EXTRACTED, count), (KEPT_DOCUMENTS, count), (KEPT, count),
        (COPIES, count),
        (CPU, format_seconds), (DISK, lambda value: format_size(round(value))),
        (PAYLOAD, lambda value: format_size(round(value))), (FETCH, format_seconds),
    )  # fmt: skip
    for name, spell in rows:
        if name in found.totals:
            yield _NAMES.get(name, name), found.totals[name], spell
    yield from _list_licences(found, count)
    parts = [(name, one) for name, one in found.totals.items() if name.startswith(DROPPED)]
    whole = sum(one.value for _, one in parts) or 1.0
    for name, one in sorted(parts, key=lambda pair: (-pair[1].value, pair[0]))[:SHOWN]:
        yield f"{name} ({one.value / whole:.0%} of dropped documents)", one, count


def _list_licences(found: Forecast, spell: Spell) -> Iterator[tuple[str, Estimate, Spell]]:
    """Yield the characters of each licence, and its shares; that of documents is known better where lengths vary."""
    shares = {name: one for name, one in found.shares.items() if name.startswith(LICENCE)}
    for name, share in sorted(shares.items(), key=lambda pair: (-pair[1].value, pair[0]))[:SHOWN]:
        yield name, found.totals[name], spell
        yield "  share of kept characters", share, "{:.0%}".format
        yield "  share of kept documents", found.shares[name.replace(LICENCE, UNDER, 1)], "{:.0%}".format


_NAMES = {
    CPU: "CPU",
    DISK: "disk",
    PAYLOAD: "bytes to fetch or read",
    FETCH: "time of fetching",
    KEPT: "kept characters, without copies",
    COPIES: "characters of copies, left out",
}
