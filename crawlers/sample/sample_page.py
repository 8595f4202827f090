"""Read the pages of the sample site: header lines, a blank line, a body in a very small Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby
from pathlib import Path

PAGES = Path(__file__).parent / "pages"

# Sections in the order of the menu, with the name that the site shows.
SECTIONS = {
    "news": "소식",
    "notices": "알림",
    "law": "생활 법률",
    "encyclopedia": "백과",
    "semiconductor": "반도체",
    "manufacturing": "제조",
    "content": "콘텐츠",
    "essay": "수필",
    "tale": "동화",
    "qa": "묻고 답하기",
    "minutes": "회의록",
    "archive": "자료실",
    "about": "안내",
    "private": "내부 자료",
}
KOGL = frozenset({"kogl-0", "kogl-1", "kogl-2", "kogl-3", "kogl-4", "kogl-4-ai"})
LICENCES = KOGL | {"cc-by-4.0", "cc-by-sa-4.0", "reserved", "none"}
TEMPLATES = frozenset({"article", "bare", "legend", "nav", "broken", "comment", "legacy"})
ENCODINGS = frozenset({"utf-8", "euc-kr"})
FORMS = frozenset({"nfc", "nfd"})
REQUIRED = frozenset({"title", "date", "licence"})
KEYS = REQUIRED | {"author", "encoding", "form", "template", "trap", "meta", "until"}


@dataclass(frozen=True)
class Page:
    """One page as its file states it. `meta` is `name=content` of one more meta element, or empty."""

    section: str
    slug: str
    title: str
    date: date
    licence: str
    body: str
    author: str = ""
    encoding: str = "utf-8"
    form: str = "nfc"
    template: str = "article"
    trap: str = ""
    meta: str = ""

    @property
    def path(self) -> str:
        """The page's path on the site."""
        return f"/{self.section}/{self.slug}.html"


def read_pages(edition: int = 1, folder: Path = PAGES) -> tuple[Page, ...]:
    """Return all pages of one edition, in menu order, then by slug.

    `slug.md` is in every edition, `slug@2.md` replaces (or adds) it from edition 2 on,
    and `until: 1` removes a page from the site after edition 1.
    """
    chosen: dict[tuple[str, str], tuple[int, Path]] = {}
    for file in sorted(folder.glob("*/*.md")):
        slug, _, since = file.stem.partition("@")
        first = int(since or 1)
        key = (file.parent.name, slug)
        if first <= edition and first >= chosen.get(key, (0, file))[0]:
            chosen[key] = (first, file)
    pages = [page for _, file in chosen.values() if (page := read_page(file, edition))]
    order = list(SECTIONS)
    return tuple(sorted(pages, key=lambda page: (order.index(page.section), page.slug)))


def read_page(file: Path, edition: int = 1) -> Page | None:
    """Read one file strictly; None if the page is no longer part of the edition.

    Raises ValueError, naming the file, for an unknown key or value.
    """
    head, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    fields: dict[str, str] = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in KEYS:
            raise ValueError(f"{file}: header line {line!r}; known keys: {', '.join(sorted(KEYS))}")
        fields[key.strip()] = value.strip()
    if missing := REQUIRED - fields.keys():
        raise ValueError(f"{file}: no {', '.join(sorted(missing))} in the header")
    if edition > int(fields.pop("until", edition)):
        return None
    page = Page(
        section=file.parent.name,
        slug=file.stem.partition("@")[0],
        date=date.fromisoformat(fields.pop("date")),
        body=body.strip() + "\n",
        title=fields.pop("title"),
        licence=fields.pop("licence"),
        **fields,
    )
    for name, value, known in (
        ("section", page.section, SECTIONS.keys()),
        ("licence", page.licence, LICENCES),
        ("template", page.template, TEMPLATES),
        ("encoding", page.encoding, ENCODINGS),
        ("form", page.form, FORMS),
    ):
        if value not in known:
            raise ValueError(f"{file}: {name} {value!r}; known: {', '.join(sorted(known))}")
    return page


def blocks(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the blocks of a body as (kind, lines); kind is one of heading, list, table, text."""
    for blank, lines in groupby(body.splitlines(), key=lambda line: not line.strip()):
        if not blank:
            for kind, same in groupby(lines, key=_kind):
                yield kind, list(same)


def _kind(line: str) -> str:
    for kind, start in (("heading", "## "), ("list", "- "), ("table", "|")):
        if line.startswith(start):
            return kind
    return "text"


def body_html(body: str) -> str:
    """Render the body as HTML: one element per block, one line per element.

    >>> body_html("## 제목\\n\\n가 < 나\\n\\n- 하나\\n- 둘\\n")
    '<h2>제목</h2>\\n<p>가 &lt; 나</p>\\n<ul>\\n<li>하나</li>\\n<li>둘</li>\\n</ul>\\n'
    """
    out: list[str] = []
    for kind, lines in blocks(body):
        if kind == "heading":
            out += [f"<h2>{escape(line[3:].strip())}</h2>" for line in lines]
        elif kind == "list":
            items = [f"<li>{escape(line[2:].strip())}</li>" for line in lines]
            out += ["<ul>", *items, "</ul>"]
        elif kind == "table":
            out += ["<table>", *_rows(lines), "</table>"]
        else:
            out.append(f"<p>{escape(' '.join(line.strip() for line in lines))}</p>")
    return "\n".join(out) + "\n"


def _rows(lines: list[str]) -> Iterator[str]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    ruled = [row for row in rows if not all(set(cell) <= set(":- ") for cell in row)]
    for number, row in enumerate(ruled):
        tag = "th" if number == 0 else "td"
        yield "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
