"""Derive the data card of a release, and render it as Markdown and as a page, each in English and in Korean."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from data_cards.documents import render_documents
from data_cards.facts import FACTS_VERSION, NUMBERS, TABLES, Listing, Number
from data_cards.formats import format_value as format_value
from data_cards.header import list_configurations, render_header
from data_cards.page import Page
from data_cards.words import load_words
from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError
from malmoi.printable import escape_controls
from malmoi.publisher import Publisher
from malmoi.release_files import CHECKLIST, TRAINING_SUMMARY
from malmoi.storage.duckdb_tables import open_tables

READMES = {"README.md": "en", "README.ko.md": "ko"}  # the card as Markdown → its language
PAGES = {"en": "index.html", "ko": "index.ko.html"}  # language → the card as a page
_DOCUMENTS = {TRAINING_SUMMARY: "training_summary.md.j2", CHECKLIST: "personal_data_checklist.ko.md.j2"}
_KEYS = {"release", "version", "root", "facts_version", "numbers", "tables", "previous"}
_ANSWERS = {"numbers": {"value"}, "tables": {"columns", "rows"}}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")


def derive(folder: Path) -> dict[str, Any]:
    """Return the card of the release in `folder`: every question with its answer from the data.

    DataError if the folder is not a finished release.
    """
    made = _read_manifest(folder)
    with open_tables(folder) as tables:
        numbers = {k: _describe(f) | {"value": tables.ask(f.sql).rows[0][0]} for k, f in NUMBERS.items()}
        listings = {}
        for key, listing in TABLES.items():
            answer = tables.ask(listing.sql)
            listings[key] = _describe(listing) | {
                "columns": list(answer.columns),
                "rows": [list(row) for row in answer.rows],
            }
    return {
        "release": made["name"],
        "version": made["version"],
        "root": made["root"],
        "facts_version": FACTS_VERSION,
        "numbers": numbers,
        "tables": listings,
    }


def _describe(fact: Number | Listing) -> dict[str, Any]:
    """Return what a card says about a number or a table besides its answer."""
    said = {"title": fact.title, "title_ko": fact.title_ko, "sql": fact.sql, "inputs": list(fact.inputs)}
    return said | ({"unit": fact.unit} if isinstance(fact, Number) else {})


def write(folder: Path, previous: Mapping[str, Any] | None = None) -> None:
    """Write card.json, the README files, the pages and the documents for others into the release `folder`.

    `previous` compares it with the version before: version, compared, added, removed, changed.
    """
    card = derive(folder) | ({"previous": dict(previous)} if previous else {})
    (folder / "card.json").write_text(canonical_json(card), encoding="utf-8")
    for name, text in render_texts(card, _read_manifest(folder)).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def render_card(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    """Render the README files and the pages of a card; the same card and manifest give the same bytes.

    DataError if the queries of the card differ from this list: they define what the numbers mean.
    """
    _check_questions(card)
    texts = {name: _render_readme(name, card, manifest) for name in READMES}
    return texts | {name: _render_index(card, manifest, language) for language, name in PAGES.items()}


def render_texts(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    """Render the card and the documents for others: path in the release → text.

    DataError as for `render_card`, and if the card has titles, units or keys that are not those of the list.
    """
    values = {
        "card": card,
        "manifest": manifest,
        "numbers": card["numbers"],
        "tables": card["tables"],
        "heads": {key: listing.heads for key, listing in TABLES.items()},
        "configurations": list_configurations(card),
    }
    texts = render_card(card, manifest)
    _check_words(card)
    texts |= {name: _load_environment(name).get_template(text).render(values) for name, text in _DOCUMENTS.items()}
    return texts | render_documents(card, manifest)


def _render_readme(name: str, card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    page, configurations = Page(card, manifest, load_words(READMES[name])), list_configurations(card)
    first = next(iter(configurations), None)
    fields = [one for one in configurations if one.by_field and one.parts[0].domain != "general"]
    return (
        _load_environment(name)
        .get_template(f"{name.lower()}.j2")
        .render(
            page=page,
            card=card,
            manifest=manifest,
            numbers=page.numbers(),
            tables=card["tables"],
            header=render_header(card, manifest),
            configurations=configurations,
            # The largest of a field, best of the first's family.
            other=max(fields, key=lambda one: (first and one.family == first.family, one.documents), default=first),
            shares={row[1]: row[5] for row in card["tables"]["by_licence"]["rows"]},
            masked={"personal_data", "redact"} <= set(manifest["recipe"].get("filters", {})),
            publisher=manifest.get("publisher", Publisher().model_dump()),
        )
    )


def _render_index(card: Mapping[str, Any], manifest: Mapping[str, Any], language: str) -> str:
    page = Page(card, manifest, load_words(language))
    return render_page(
        "index.html",
        language=language,
        other=next(name for one, name in PAGES.items() if one != language),
        page=page,
        card=card,
        manifest=manifest,
        numbers=page.numbers(),
        tables=card["tables"],
        say=page.words.say,
        script=_load_script(),
    )


@cache
def _load_script() -> Mapping[str, str]:
    """Return the script of a page, which only filters the samples, and the digest that allows it to run."""
    text = (Path(__file__).parent / "templates" / "search.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return {"text": Markup(text), "digest": f"sha256-{digest}"}


def _check_questions(card: Mapping[str, Any]) -> None:
    if card.get("facts_version") != FACTS_VERSION:
        raise DataError(
            f"card.json has facts_version {card.get('facts_version')}, this version renders {FACTS_VERSION}; "
            "verify it with the malmoi version in its manifest."
        )
    for kind, known in (("numbers", NUMBERS), ("tables", TABLES)):
        try:
            asked = {k: f["sql"] for k, f in card[kind].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"card.json: {kind} have no SQL queries ({type(error).__name__}).") from error
        wanted = {k: f.sql for k, f in known.items()}
        differ = sorted(k for k in asked.keys() | wanted.keys() if asked.get(k) != wanted.get(k))
        if differ:
            raise DataError(f"card.json: {kind} {', '.join(differ)} differ from the queries of this version.")


def _check_words(card: Mapping[str, Any]) -> None:
    """Check that a card has no words but those of the list of facts; its questions were checked before."""
    if unknown := sorted(card.keys() - _KEYS):
        raise DataError(f"card.json: has unknown keys: {', '.join(unknown)}.")
    for kind, known in (("numbers", NUMBERS), ("tables", TABLES)):
        words = {k: {n: v for n, v in f.items() if n not in _ANSWERS[kind]} for k, f in card[kind].items()}
        wanted = {k: _describe(f) for k, f in known.items()}
        if differ := sorted(k for k, said in words.items() if said != wanted[k]):
            raise DataError(f"card.json: {kind} {', '.join(differ)} have other titles, units or inputs than ours.")


def render_page(name: str, **values: Any) -> str:
    """Render a report page by the template `name`, such as "collection.html"."""
    return _load_environment(name).get_template(f"{name}.j2").render(**values)


def escape_markdown(value: str) -> str:
    """Escape text of a source for Markdown, so that it cannot form a table, link or tag.

    >>> escape_markdown("a|b <i>")
    'a\\\\|b \\\\<i\\\\>'
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(value.split()))


def permille(value: int | None, of: int | None) -> int:
    """Return the length of a bar in thousandths of the longest; never shown as a number."""
    return 1000 * (value or 0) // of if of else 0


@cache
def _load_environment(name: str) -> Environment:
    page = name.endswith(".html")
    made = Environment(
        loader=PackageLoader("data_cards"),
        autoescape=page,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_escape_value,
    )
    made.filters |= {"shown": format_value}
    made.globals |= {"permille": permille}
    if not page:
        made.filters |= {
            "e": escape_markdown,
            "cell": lambda v: format_value(v) if isinstance(v, int | None) else escape_markdown(format_value(v)),
        }
    else:
        made.filters |= {"cell": lambda v: Markup.escape(format_value(v))}
    return made


def _escape_value(value: Any) -> Any:
    """Escape control characters in a printed value; markup stays markup."""
    return type(value)(escape_controls(value)) if isinstance(value, str) else value


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        made: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return made if {"name", "version", "root"} <= made.keys() else _refuse(folder, "a key is missing")
    except (OSError, ValueError, AttributeError) as error:
        return _refuse(folder, str(error))


def _refuse(folder: Path, why: str) -> dict[str, Any]:
    raise DataError(f"{folder / 'manifest.json'}: cannot be read ({why}); publish the release first.")
