"""`python -m flows.catalogue_page en|ko [WORKSPACE]`: print docs/sources.md or docs/sources.ko.md.

The pages of the docs are printed without a workspace, and a test compares them with the source files. With a workspace,
the column of states says when each source was probed and collected there.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

from crawlers import catalogue, denylist
from crawlers.fetch.job import needs_permission
from flows.probing.probe_records import SourceState, find_state
from flows.source_files import licences
from malmoi.source import Api, Folder, Source, Warc

HERE: Final = Path(__file__).parent
RECIPES: Final = HERE / "recipes"


class Words(NamedTuple):
    """The words of the table in one language."""

    template: str
    terms: str
    key: str
    files: str
    unknown: str
    none: str
    review: tuple[str, str]
    by_item: tuple[str, str]
    never: str


LANGUAGES: Final = {
    "en": Words(
        "sources.md.txt", "terms check", "key `{}`", "the files", "not estimated", "—", ("review", "review"),
        ("by item", "by item"), "never seen",
    ),
    "ko": Words(
        "sources.ko.md.txt", "약관 확인", "키 `{}`", "파일 내려받기", "추정 없음", "—", ("review", "검토 필요"),
        ("by item", "항목별"), "본 적 없음",
    ),
}  # fmt: skip


def render(language: str, workspace: Path | None = None) -> str:
    """Render the page: the sources, what is unverified, the origins of the estimates, and the denylist.

    Raises KeyError for a language without words.
    """
    words = LANGUAGES[language]
    sources = [catalogue.load(name).source for name in catalogue.names()]
    uses = find_recipes()
    parts = {
        "catalogue": "\n".join(_render_row(s, words, uses.get(s.name, []), workspace) for s in sources),
        "estimates": "\n".join(f"- `{s.name}`: {_escape_cell(s.estimate.origin)}" for s in sources if s.estimate),
        "unverified": "\n".join(f"- `{s.name}`: {_escape_cell(s.unverified)}" for s in sources if s.unverified),
        "denied": "\n".join(map(_render_denied, denylist.DENIED)),
    }
    page = (HERE / words.template).read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], page)


def find_recipes() -> dict[str, list[str]]:
    """Return name of a source → names of the recipes that collect it by themselves."""
    found: dict[str, list[str]] = {}
    for path in sorted(RECIPES.glob("*.toml")):
        for name in tomllib.loads(path.read_text(encoding="utf-8")).get("sources", ()):
            found.setdefault(name, []).append(path.stem)
    return found


def list_first_steps(source: Source, words: Words) -> list[str]:
    """Return the steps of a person before a collection: record a terms check, ask for a key, download files."""
    if isinstance(source.access, Folder | Warc):
        return [words.files]
    key = source.access.key if isinstance(source.access, Api) else ""
    steps = [words.terms] * needs_permission(source) + ([words.key.format(key)] if key else [])
    return steps or [words.none]


def _render_row(source: Source, words: Words, recipes: list[str], workspace: Path | None) -> str:
    state = find_state(workspace, source.name) if workspace else SourceState()
    cells = (
        f"`{source.name}`",
        f"{source.title} · {source.publisher}",
        type(source.access).__name__,
        licences(source).replace(*words.by_item).replace(*words.review),
        f"{source.estimate.characters / 1e6:,.0f}" if source.estimate else words.unknown,
        words.never if state == SourceState() else state.describe(),
        ", ".join(list_first_steps(source, words)),
        ", ".join(recipes) or words.none,
    )
    return f"| {' | '.join(map(_escape_cell, cells))} |"


def _render_denied(entry: denylist.DenylistEntry) -> str:
    return (
        f"- **{_escape_cell(entry.title)}** (`{entry.id}`): {_escape_cell(entry.reason)}"
        f"{'; allowed if the source declares a proof of each item' if entry.unless_marked else ''}. "
        f"Basis: {_escape_cell(entry.basis)}. Hosts: {' '.join(f'`{host}`' for host in entry.hosts) or 'none'}"
    )


def _escape_cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None))
