"""Two things that mkdocs.yml cannot say: the list of decisions, and the language of a page."""

from pathlib import Path
from typing import Any

DECISIONS = Path(__file__).parents[1] / "decisions"


def on_config(config: Any) -> Any:
    """List every page of docs/decisions in the navigation, newest last."""
    for section in config.nav:
        if "Decisions" in section:
            section["Decisions"] = [f"decisions/{path.name}" for path in sorted(DECISIONS.glob("*.md"))]
    return config


def on_post_page(output: str, *, page: Any, config: Any) -> str:
    """Mark Korean pages (`*.ko.md`) as Korean, for screen readers and for the choice of fonts."""
    return output.replace('<html lang="en"', '<html lang="ko"', 1) if page.file.src_uri.endswith(".ko.md") else output
