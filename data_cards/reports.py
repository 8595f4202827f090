"""Write a report of the operator as two pages: NAME.html in English and NAME.ko.html in Korean."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from data_cards.charts import Chart, draw_chart
from data_cards.render import render_page
from data_cards.words import LANGUAGES, load_words
from malmoi.storage.atomic_files import replace_file


def write_report(template: str, place: Path, **values: Any) -> None:
    """Write the page at `place` in English and beside it in Korean; each links to the other."""
    places = dict(zip(LANGUAGES, (place, place.with_name(f"{place.stem}.ko{place.suffix}")), strict=True))
    for language, path in places.items():
        (other,) = (one.name for one in places.values() if one != path)
        words = load_words(language)
        page = render_page(
            template, language=language, other=quote(other), words=words, say=words.say, draw=draw_counts, **values
        )
        replace_file(path, page)


def draw_counts(title: str, labels: list[str], counts: list[int]) -> Markup:
    """Draw one bar for each count."""
    return draw_chart(Chart(title, tuple(labels), (("", tuple(counts)),)))
