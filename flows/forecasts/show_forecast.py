"""Print a forecast: how the sample was drawn, then each total with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.engine.progress import format_seconds
from flows.forecasts.estimates import Estimate
from flows.forecasts.forecast import COPIES, DISK, FETCH, Forecast
from flows.forecasts.unit_results import CPU, DOCUMENTS, DROPPED, EXTRACTED, KEPT, KEPT_DOCUMENTS, LICENCE, PAYLOAD
from flows.reports.crawl_progress import format_size

AIM = 0.10  # half the width of an interval of kept characters, as a share; the sample size for it is printed
SHOWN = 12  # rows of a split


def show(found: Forecast, out: Console) -> None:
    """Print a forecast."""
    low, high = found.expected
    words = {"counted": "", "estimated": ", estimated from the pages that lead to them", "at least": ", at least"}
    out.print(f"{found.source} by the recipe {found.recipe}, from {found.sampled:,} sampled captures", markup=False)
    out.print(f"  drawn    {found.drawn}", markup=False)
    out.print(
        f"  whole    {found.units:,.0f} captures{words[found.certainty]}; the source expects {low:,} to {high:,}",
        markup=False,
    )
    if found.certainty == "at least":
        out.print(
            "  The size of the whole is not known, because its lists were not read to their end: the totals below are "
            "of the part that is known. A larger --sample reads more lists.",
            markup=False,
        )
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="bold")
    table.add_column("")
    for name in ("estimate", "from", "to"):
        table.add_column(name, justify="right")
    for name, one, spell in _list_rows(found):
        table.add_row(Text(name), *(spell(value) for value in (one.value, one.low, one.high)))
    out.print(table, soft_wrap=False)
    out.print(f"  Intervals: 95 %, from the sample alone. {_advise(found)}", markup=False)


def _advise(found: Forecast) -> str:
    """Return what the width of the interval of kept characters says about the size of the sample."""
    kept = found.totals[KEPT]
    drawn = sum(len(one.chosen) for one in found.strata)
    if not kept.value:
        return "Nothing of the sample is kept: look at the drops, and at `malmoi sources probe`."
    if kept.half_width <= AIM or drawn >= found.units:
        return ""
    # The width decreases with the root of the sample; the finite population correction makes the need smaller.
    wanted = drawn * (kept.half_width / AIM) ** 2
    wanted = wanted / (1 + wanted / found.units)
    return f"Kept characters are known to ± {kept.half_width:.0%}; for ± {AIM:.0%} take --sample {wanted:,.0f}."


def _list_rows(found: Forecast) -> Iterator[tuple[str, Estimate, Callable[[float], str]]]:
    def count(value: float) -> str:
        return f"{value:,.0f}"

    rows: tuple[tuple[str, Callable[[float], str]], ...] = (
        (DOCUMENTS, count), (EXTRACTED, count), (KEPT_DOCUMENTS, count), (KEPT, count), (COPIES, count),
        (CPU, format_seconds), (DISK, lambda value: format_size(round(value))),
        (PAYLOAD, lambda value: format_size(round(value))), (FETCH, format_seconds),
    )  # fmt: skip
    for name, spell in rows:
        if name in found.totals:
            yield _NAMES.get(name, name), found.totals[name], spell
    for prefix in (LICENCE, DROPPED):
        parts = [(name, one) for name, one in found.totals.items() if name.startswith(prefix)]
        whole = sum(one.value for _, one in parts) or 1.0
        for name, one in sorted(parts, key=lambda pair: (-pair[1].value, pair[0]))[:SHOWN]:
            unit = "of kept characters" if prefix == LICENCE else "of dropped documents"
            yield f"{name} ({one.value / whole:.0%} {unit})", one, count


_NAMES = {
    CPU: "CPU",
    DISK: "disk",
    PAYLOAD: "bytes to fetch or read",
    FETCH: "time of fetching",
    KEPT: "kept characters, without copies",
    COPIES: "characters of copies, left out",
}
