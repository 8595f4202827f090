"""Write the report of an ablation: index.html and index.ko.html in the folder of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_cards.reports import write_report
from data_cards.words import load_words
from flows.ablation.results import format_result
from malmoi.ablation.intervals import MEAN

PAGE = "index.html"
LINE, LABEL, WIDTH = 24, 250, 1000  # units of the chart: height of a line, width of its label, width of all


def write(facts: Mapping[str, Any], results: Path) -> Path:
    """Write the report of ablation.json and return its page."""
    names = [one["name"] for one in facts["inputs"]]
    write_report(
        "ablation.html",
        results / PAGE,
        d=facts,
        names=names,
        tables=[_describe_table(facts, key, names) for key in ("bits", "probes")],
        mean=MEAN,
        notes=[(f"ablation_note_{one['code']}", _format_values(one)) for one in facts["notes"]],
        seconds=sum(one["cpu_seconds"] for one in facts["runs"]),
    )
    return results / PAGE


def list_notes(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what limits the result, in English."""
    for one in facts["notes"]:
        yield str(load_words("en").say(f"ablation_note_{one['code']}", **_format_values(one)))


def _format_values(note: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"{value:,}" if isinstance(value, int) else str(value) for key, value in note.items()}


def _describe_table(facts: Mapping[str, Any], key: str, names: Sequence[str]) -> dict[str, Any]:
    found = facts[key]
    return {
        "key": key,
        "sets": list(found),
        "rows": [(name, [format_result(found[one][name]) for one in found]) for name in names],
        "differences": [(name, [_describe_difference(found[one][name]) for one in found]) for name in names[1:]],
        "chart": _draw_differences(found, names[1:]),
    }


def _describe_difference(result: Mapping[str, Any]) -> dict[str, Any]:
    one = result["difference"]
    return {
        "text": format_result(one, "+"),
        "seeds": " ".join(f"{seed:+.3f}" for seed in one["seeds"]),
        "decided": one["low"] > 0 or one["high"] < 0,
        "same_sign": one["same_sign"],
    }


def _draw_differences(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the lines of a chart, each from `low` to `high` with a dot at `mean`, in units of the chart."""
    rows = [(name, one, found[one][name]["difference"]) for name in names for one in found]
    low = min((row["low"] for *_, row in rows), default=0.0)
    high = max((row["high"] for *_, row in rows), default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)

    def place(value: float) -> float:
        return round(LABEL + (WIDTH - LABEL - 10) * (value - low) / ((high - low) or 1.0), 1)

    return {
        "zero": place(0.0),
        "ticks": [
            {"x": place(low), "anchor": "start", "text": f"{low:+.3f}"},
            {"x": place(high), "anchor": "end", "text": f"{high:+.3f}"},
        ],
        "height": LINE * len(rows),
        "lines": [
            {"name": name, "set": one, "y": LINE * (at + 0.5), "text": format_result(row, "+")}
            | {key: place(row[key]) for key in ("low", "mean", "high")}
            for at, (name, one, row) in enumerate(rows)
        ],
    }
