"""Draw the charts of a page as SVG with pygal: bars of whole numbers, coloured by the style sheet of the page.

Positions depend on the values alone, not on fonts of the machine, so that the same card gives the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from lxml import etree
from markupsafe import Markup

from malmoi.printable import escape_controls

WIDTH: Final = 400  # units of the drawing: a phone shows them at five sixths, a desktop at six fifths
_BAR: Final = 25  # height of a bar with its gap
_COLUMNS: Final = 160  # height of a chart of columns
_LETTER: Final = 7.0  # width of a Latin letter at 13 units, the size on a phone
_SQUARE: Final = 13.0  # of a Hangul letter
_LABELS: Final = 205  # at most, beside the bars; a longer label ends in …
_TICKS: Final = 10  # labels below columns, at most
_SVG: Final = "{http://www.w3.org/2000/svg}"
# What pygal draws beside bars and labels: tags and classes.
_GONE: Final = frozenset({"defs", "desc", "path", "title", "background", "titles", "overlay", "tooltip-overlay"})
_FRACTION: Final = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: a title for those who do not see it, the name of each bar, and series of one number for each bar."""

    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]
    columns: bool = False  # upright bars, for values in an order


@lru_cache(maxsize=128)  # `malmoi verify` renders a card twice
def draw_chart(chart: Chart) -> Markup:
    """Return the chart as an SVG element for a page: bars, their labels, and the value of each bar on request."""
    made = _make_columns(chart) if chart.columns else _make_bars(chart)
    root = made.render_tree()
    _simplify(root, chart)
    root.set("role", "img")
    root.set("aria-label", escape_controls(chart.title))
    return Markup(etree.tostring(root, encoding="unicode"))


def measure_text(text: str) -> float:
    """Return the width of a label in units, by the width of its letters.

    >>> measure_text("ab"), measure_text("가나")
    (14.0, 26.0)
    """
    return sum(_SQUARE if unicodedata.east_asian_width(letter) in "WF" else _LETTER for letter in text)


def _make_bars(chart: Chart) -> Any:
    import pygal

    alone = len(chart.series) == 1
    beside = 10 + max(map(measure_text, map(_shorten, chart.labels)), default=0)
    room = 10 + (max((measure_text(f"{v:,}") for v in chart.series[0][1]), default=0) if alone else 0)
    made = (pygal.HorizontalBar if alone else pygal.HorizontalStackedBar)(
        **_OPTIONS,
        style=_load_style(),
        height=_BAR * len(chart.labels),
        margin_left=beside,
        margin_right=room,
        show_x_labels=False,
        print_values=alone,
        print_values_position="top",
    )
    return _fill(made, chart, reverse=True)


def _make_columns(chart: Chart) -> Any:
    import pygal

    every = -(-len(chart.labels) // _TICKS)
    made = (pygal.Bar if len(chart.series) == 1 else pygal.StackedBar)(
        **_OPTIONS,
        style=_load_style(),
        height=_COLUMNS,
        margin_bottom=22,
        margin_top=4,
        show_y_labels=False,
        x_labels_major_every=every,
        show_minor_x_labels=every == 1,
    )
    return _fill(made, chart, reverse=False)


_OPTIONS: Final[dict[str, Any]] = {
    "width": WIDTH,
    "margin": 0,
    "spacing": 0,
    "show_legend": False,
    "no_prefix": True,
    "js": (),
    "css": (),
    "classes": ("chart",),
    "disable_xml_declaration": True,
    "formatter": "{:,}".format,
    "truncate_label": 30,
}


@cache
def _load_style() -> Any:
    """Return a style in which labels take no room: pygal does not know the width of Hangul, so margins give it."""
    from pygal.style import Style

    return Style(label_font_size=0, major_label_font_size=0)


def _fill(made: Any, chart: Chart, *, reverse: bool) -> Any:
    step = -1 if reverse else 1
    made.x_labels = [_shorten(escape_controls(label)) for label in chart.labels][::step]
    made.range = (0, max(map(sum, zip(*(values for _, values in chart.series), strict=True)), default=0) or 1)
    for name, values in chart.series:
        made.add(escape_controls(name), list(values)[::step])
    return made


def _shorten(label: str) -> str:
    """Cut a label to the room beside the bars."""
    if measure_text(label) <= _LABELS:
        return label
    return _shorten(label[:-2].removesuffix("…") + "…")


def _simplify(root: Any, chart: Chart) -> None:
    """Keep bars, labels and values: the style sheet of the page has the colours, and a bar has its number as title."""
    for element in list(root.iter()):
        tag, kind = str(element.tag).removeprefix(_SVG), element.get("class", "")
        if tag == "g" and kind == "bar":
            _name_bar(element, chart)
        elif not isinstance(element.tag, str) or tag in _GONE or set(kind.split()) & _GONE:
            _remove(element)
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _FRACTION.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value))
        if "value" in element.get("class", "") and not chart.columns:  # beside the end of its bar, not across it
            element.set("text-anchor", "start")
            element.set("dx", "-4")
    etree.cleanup_namespaces(root)


def _name_bar(bar: Any, chart: Chart) -> None:
    """Give a bar its label, its series and its number as title, which browsers show on request."""
    shape, about = bar[0], {one.get("class"): one.text or "" for one in bar[1:]}
    number = int(bar.getparent().getparent().get("class").split("serie-")[1].split()[0])
    words = [about.get("x_label", ""), escape_controls(chart.series[number][0]) if len(chart.series) > 1 else ""]
    title = etree.SubElement(shape, f"{_SVG}title")
    title.text = f"{', '.join(filter(None, words))}: {about['value']}"
    shape.attrib.pop("class")


def _remove(element: Any) -> None:
    if element.getparent() is not None:
        element.getparent().remove(element)
