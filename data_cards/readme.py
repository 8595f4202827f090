"""Values of the templates readme.md.j2 and readme.ko.md.j2: the data card as Markdown in one language."""

from __future__ import annotations

from typing import Any

from data_cards.header import list_configurations, render_header
from data_cards.page import Page
from malmoi.publisher import Publisher


def list_readme_values(page: Page) -> dict[str, Any]:
    """Return what the templates show; `other` is the largest configuration of a field, best of the first's family."""
    configurations = list_configurations(page.card)
    first = next(iter(configurations), None)
    fields = [one for one in configurations if one.by_field and one.parts[0].domain != "general"]
    other = max(fields, key=lambda one: (first and one.family == first.family, one.documents), default=first)
    filters = page.manifest["recipe"].get("filters", {})
    return {
        "page": page,
        "card": page.card,
        "manifest": page.manifest,
        "numbers": page.numbers(),
        "tables": page.card["tables"],
        "header": render_header(page.card, page.manifest),
        "configurations": configurations,
        "other": other,
        "shares": {row[1]: row[5] for row in page.card["tables"]["by_licence"]["rows"]},
        "masked": {"personal_data", "redact"} <= set(filters),
        "publisher": page.manifest.get("publisher", Publisher().model_dump()),
    }
