"""Documents about a release in formats of others, rendered from its card and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_cards.documents.croissant import render_croissant
from data_cards.documents.dcat import render_catalogue
from data_cards.documents.provenance_standards import render_provenance
from malmoi.release_files import CATALOGUE, CROISSANT, PROVENANCE


def render_documents(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    """Render the documents for machines: path in the release → text; the same input gives the same bytes."""
    makers = {CROISSANT: render_croissant, CATALOGUE: render_catalogue, PROVENANCE: render_provenance}
    return {path: render(card, manifest) for path, render in makers.items()}
