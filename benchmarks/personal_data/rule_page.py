"""`python -m benchmarks.personal_data.rule_page`: write docs/personal-data-kinds.md from the rule tables.

The text between two headings of a kind is generated; everything else of the page is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filters.pii_rules.rule_table import MARKS, Row, read_tables

PAGE: Final = Path(__file__).parents[2] / "docs" / "personal-data-kinds.md"
_BEGIN, _END = "<!-- rules of {} -->", "<!-- end of {} -->"
_EXAMPLE = 60  # code points of an example on the page; longer ones stay in the tables


def render_page(page: str) -> str:
    """Return the page with the list of rules between the marks of each kind written anew.

    Raises ValueError if the page has no place for a kind that has rules.
    """
    for kind, rows in _group_rows().items():
        begin, end = _BEGIN.format(kind), _END.format(kind)
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{PAGE.name} has no {begin} … {end}; add both under the heading of the kind")
        page = "\n".join((before + begin, *_render_kind(rows), end + after))
    return page


def _group_rows() -> dict[str, list[tuple[str, Row]]]:
    kinds: dict[str, list[tuple[str, Row]]] = {}
    for name, table in read_tables().items():
        for row in table.rule:
            kinds.setdefault(row.kind, []).append((name, row))
    return kinds


def _render_kind(rows: list[tuple[str, Row]]) -> Iterator[str]:
    yield "Found:"
    yield ""
    yield from (f"- {_render_about(row)}" for _, row in rows)
    left, missed = [row.leaves for _, row in rows], [row.misses for _, row in rows]
    for title, lines in (("Left alone", left), ("Known false negatives", missed)):
        if any(lines):
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"- {line}" for line in lines if line)
    tables = sorted({name for name, _ in rows})
    yield ""
    yield f"Rules: {', '.join(f'`filters/pii_rules/{name}.toml`' for name in tables)}."


def _render_about(row: Row) -> str:
    """Return the line of a rule with its first example if that is short."""
    example = next((one for one in row.found if len(one) <= _EXAMPLE and "\n" not in one and "`" not in one), "")
    if not example:
        return row.about
    for mark, sign in zip(MARKS, "‹›", strict=True):
        example = example.replace(mark, sign)
    return f"{row.about}: `{example}`"


if __name__ == "__main__":
    PAGE.write_text(render_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
