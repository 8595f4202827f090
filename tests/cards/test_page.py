"""The card as a page: one language each, readable without script and network, and gone is what was erased."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

import data_cards
import data_cards.page
from data_cards.charts import Chart, draw_chart
from data_cards.facts import TABLES, expand
from data_cards.words import LANGUAGES, Words, has_hangul, load_words
from filters.domain import DOMAINS
from filters.register import KINDS
from malmoi.document import Note
from malmoi.licensing.licences import LICENCES
from malmoi.releases import patch_release, residue
from malmoi.releases.publish import publish
from tests.builders.small_release import document, documents, inputs
from tests.releases.test_erasure import CALM, ID, World, made, stone, world  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]
STYLE = (ROOT / "data_cards/templates/style.css").read_text(encoding="utf-8")
CODE = {"pre", "code", "style", "script"}  # in the language of machines
VOID = {"meta", "link", "input", "br"}


class Reader(HTMLParser):
    """Texts with the language of their element and the tags around them; ids, anchors and labels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str, str]] = []  # tag, language, class
        self.texts: list[tuple[str, str, set[str]]] = []  # language, text, tags and classes around it
        self.ids: list[str] = []
        self.links: list[str] = []
        self.charts: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = {k: v or "" for k, v in attrs}
        language = found.get("lang", self.open[-1][1] if self.open else "")
        if tag not in VOID:
            self.open.append((tag, language, found.get("class", "")))
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if "href" in found else []
        self.charts += [found.get("aria-label", "")] if tag == "svg" else []
        self.addresses += [v for k, v in found.items() if k in ("src", "href", "action", "srcset", "poster", "data")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            around = {word for tag, _, names in self.open for word in (tag, *names.split())}
            self.texts.append((self.open[-1][1], data, around))


def rendered(folder: Path) -> dict[str, str]:
    return {language: (folder / name).read_text(encoding="utf-8") for language, name in data_cards.PAGES.items()}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    (root / "tmp").mkdir()
    docs = [replace(d, text=f"{'가' * (n % 9)} {d.text}", morphemes=None) for n, d in enumerate(documents(40))]
    publish(replace(inputs(root / "in", docs), purpose="시험용 한국어"), root / "r", tmp=root / "tmp")
    data_cards.write(root / "r")
    return root / "r"


@pytest.fixture(scope="module")
def pages(release: Path) -> dict[str, str]:
    return rendered(release)


def test_the_english_page_has_korean_words_only_where_they_are_marked_as_korean(pages: dict[str, str]) -> None:
    mixed = [text for language, text, around in Reader(pages["en"]).texts if has_hangul(text) and language != "ko"
             and not around & CODE]  # fmt: skip
    assert mixed == []


def test_the_korean_page_has_no_english_sentence(pages: dict[str, str]) -> None:
    data = {"blockquote", "sample", "code"}  # words of sources, ids
    found = [text for language, text, around in Reader(pages["ko"]).texts if not around & (CODE | data)
             and language == "ko" and re.search(r"[a-z]+( [a-z]+){3}", text)]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_links_to_itself_in_the_other_language(pages: dict[str, str], language: str) -> None:
    other = next(one for one in LANGUAGES if one != language)
    assert f'<html lang="{language}">' in pages[language]
    assert f'href="{data_cards.PAGES[other]}" lang="{other}" hreflang="{other}"' in pages[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_needs_no_network_and_every_anchor_leads_somewhere(
    pages: dict[str, str], release: Path, language: str
) -> None:
    read = Reader(pages[language])
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    files = {link for link in read.links if not link.startswith("#")}
    assert all((release / file).is_file() for file in files - {"CHANGELOG.md"})
    assert not [one for one in read.addresses if re.match(r"[a-z]+:|//", one)]
    assert "@import" not in pages[language] and "url(" not in pages[language]
    assert len(pages[language].encode()) < 1_000_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sample_is_there_without_the_script_that_searches_them(
    pages: dict[str, str], release: Path, language: str
) -> None:
    rows = json.loads((release / "card.json").read_text("utf-8"))["tables"]["samples"]["rows"]
    words = [text for _, text, around in Reader(pages[language]).texts if "sample" in around]
    assert len(rows) == 20 and all(row[0] in words for row in rows)
    assert '<section class="card sample">' in pages[language]
    assert '<p class="search" hidden><label for="search">' in pages[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_has_a_name_in_the_language_of_the_page(pages: dict[str, str], language: str) -> None:
    charts = Reader(pages[language]).charts
    assert len(charts) >= 10
    assert {has_hangul(name) for name in charts} == {language == "ko"}


def test_no_code_of_the_machine_is_shown_without_words(pages: dict[str, str]) -> None:
    plain = [text for _, text, around in Reader(pages["en"]).texts if not around & (CODE | {"code", "sample"})]
    codes = {code for kind in ("evidence", "reason", "by", "stage", "keeper") for code in load_words("en").tables[kind]}
    shown = {word.strip(" ,;:.") for text in plain for word in text.split()}
    assert not {code for code in codes if "-" in code} & shown


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_bars_stand_out_from_what_is_behind_them(scheme: str) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for text, 3 for what is drawn."""
    blocks = [dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", STYLE)]
    colours = blocks[0] | (blocks[1] if scheme == "dark" else {})
    for text in ("ink", "soft", "link", "warn"):
        assert min(contrast(colours[text], colours[behind]) for behind in ("paper", "card", "tint")) >= 4.5, text
    for bar in ("keep", "drop", "fail", "mute", *(f"s{n}" for n in range(8))):
        assert contrast(colours[bar], colours["card"]) >= 3, bar


def test_every_sentence_and_every_code_has_words_in_both_languages() -> None:
    english, korean = (load_words(language) for language in LANGUAGES)
    for kind, table in english.tables.items():
        for code, text in table.items():
            other = korean.tables[kind][code]
            assert text and other and not has_hangul(text), (kind, code)
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other)), (kind, code)
            if kind == "say":
                assert has_hangul(other), code
                assert re.findall(r"</?\w+", text).sort() == re.findall(r"</?\w+", other).sort()
    wanted = {"domain": DOMAINS, "register": KINDS, "pii": residue.KINDS}
    for kind, codes in wanted.items():
        assert not set(codes) - english.tables[kind].keys(), kind
    korean_names = {id_ for id_, row in LICENCES.items() if has_hangul(row.name)}
    assert not korean_names - english.tables["licence"].keys()


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert Words("en", {"stage": {}}).label("stage", "7-new") == "7-new"


def test_a_chart_is_the_same_each_time_and_escapes_what_it_names() -> None:
    chart = Chart("<b>\x1b", ("<script>", "가\x00"), (("a<b\x07", (1, 0)), ("c", (2, 10**30))))
    assert draw_chart(chart) == draw_chart(chart)
    assert "<script>" not in draw_chart(chart) and "&lt;script&gt;" in draw_chart(chart)
    assert not set(draw_chart(chart)) & set("\x00\x07\x1b")
    assert 'role="img"' in draw_chart(chart) and "<title>&lt;script&gt;, c: 2</title>" in draw_chart(chart)


def test_samples_come_from_every_licence_and_field_and_do_not_depend_on_shards(release: Path, tmp_path: Path) -> None:
    card = json.loads((release / "card.json").read_text("utf-8"))
    rows, groups = card["tables"]["samples"]["rows"], card["tables"]["partitions"]["rows"]
    assert {(row[3] or "general", row[4]) for row in rows} == {(row[2], row[1]) for row in groups}
    docs = [replace(d, text=f"{'가' * (n % 9)} {d.text}", morphemes=None) for n, d in enumerate(documents(40))]
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", docs, cuts=3, flip=True, shards=1), tmp_path / "r", tmp=tmp_path / "tmp")
    assert data_cards.derive(tmp_path / "r")["tables"]["samples"]["rows"] == rows


def test_no_sample_leads_to_a_page_that_still_shows_a_harmful_number(tmp_path: Path) -> None:
    docs = [document("ga", n) for n in range(1, 7)]
    docs = [replace(d, trail=(Note("redact", "mend", "1", "pii:account", 1.0),)) if n < 3 else d
            for n, d in enumerate(docs)]  # fmt: skip
    (tmp_path / "tmp").mkdir()
    publish(replace(inputs(tmp_path / "in", docs), clusters=()), tmp_path / "r", tmp=tmp_path / "tmp")
    rows = data_cards.derive(tmp_path / "r")["tables"]["samples"]["rows"]
    assert {row[0] for row in rows} == {"ga/4", "ga/5", "ga/6"}


def test_the_beginning_of_a_text_ends_at_a_blank(tmp_path: Path) -> None:
    long = replace(document("ga", 1), text="가나다라 " * 90, trail=(), morphemes=None)
    (tmp_path / "tmp").mkdir()
    publish(replace(inputs(tmp_path / "in", [long]), clusters=()), tmp_path / "r", tmp=tmp_path / "tmp")
    ((*_, start),) = data_cards.derive(tmp_path / "r")["tables"]["samples"]["rows"]
    assert long.text.startswith(start) and start.endswith("가나다라 ") and len(start) <= 280


def strings(value: object) -> set[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(strings, value)) if value else set()
    return {value} if isinstance(value, str) else set()


@pytest.mark.heavy
def test_no_text_is_quoted_in_which_the_second_detector_finds_something() -> None:
    """Else the card would stop the publication, and no document could be left out for it."""
    files = [path for name in ("pii", "personal_data") for path in (ROOT / "tests/data" / name).rglob("*.jsonl")]
    texts = set().union(*(strings(json.loads(line)) for path in files for line in path.open(encoding="utf-8")))
    found = [text for text in texts if any(residue.kinds(text))]
    assert len(found) > 3_000
    with duckdb.connect() as base:
        base.execute("CREATE TABLE texts (x VARCHAR)")
        base.executemany("INSERT INTO texts VALUES (?)", [[text] for text in found])
        assert base.execute(f"SELECT x FROM texts WHERE {expand('{plain:x}')}").fetchall() == []
        plain = ["2024년 3월 15일에 문을 열었습니다.", "관람료는 12,000원이다.", "Attribution 4.0 International"]
        base.execute("CREATE TABLE others AS SELECT unnest(?) AS x", [plain])
        assert [x for (x,) in base.execute(f"SELECT x FROM others WHERE {expand('{plain:x}')}").fetchall()] == plain


def test_an_erased_document_is_on_no_page_of_any_version(world: World) -> None:  # noqa: F811
    before = rendered(world.first)
    start = CALM["13"][:20]
    assert all(start in page and ID in page for page in before.values())
    world.erase(stone("id", ID))
    new = rendered(world.version("1.0.1"))
    assert all(start not in page and ID not in page for page in new.values())
    gone = json.loads((world.first / "withdrawn.json").read_text("utf-8"))["files"]
    assert {"card.json", *data_cards.PAGES.values()} <= {file["path"] for file in gone}
    left = "".join(path.read_text("utf-8") for path in world.first.glob("*") if path.is_file())
    assert start not in left and ID not in left


@pytest.mark.parametrize("word", ["it's/1.txt", 'a "b" & <c>'])
def test_an_erasure_finds_a_word_as_a_page_spells_it(word: str) -> None:
    page = data_cards.page.Page({}, {}, load_words("en"))
    assert str(page.mark(word)) in patch_release._spell(word)


PUBLISHER = {"name": "가나다 <연구소>", "contact": "data@example.kr", "url": "https://example.kr"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_whom_to_write_to_or_that_nobody_is_named(release: Path, language: str) -> None:
    card, made_of = (json.loads((release / name).read_text("utf-8")) for name in ("card.json", "manifest.json"))
    name = data_cards.PAGES[language]
    unknown = load_words(language).say("publisher_unknown")
    without = {key: value for key, value in made_of.items() if key != "publisher"}
    assert unknown in data_cards.render_card(card, without)[name]
    page = data_cards.render_card(card, without | {"publisher": PUBLISHER})[name]
    assert unknown not in page and "data@example.kr" in page and "가나다 &lt;연구소&gt;" in page
    empty = dict.fromkeys(PUBLISHER, "")
    assert unknown in data_cards.render_card(card, without | {"publisher": empty})[name]


def test_the_code_that_loads_the_release_names_its_first_configuration_and_files(release: Path) -> None:
    page = rendered(release)["en"].replace("&#34;", '"').replace("&#39;", "'")
    # `datasets` takes the name of the data set from the path, and refuses ".".
    assert 'load_dataset("1.0.0", "default", split="train")' in page
    assert list(release.glob(re.findall(r"FROM '1\.0\.0/([^']+)' LIMIT", page)[0]))


def test_the_tables_of_the_page_are_those_of_the_card(pages: dict[str, str]) -> None:
    shown = set(Reader(pages["en"]).ids)
    listed = set(TABLES) - {"proofs", "samples"}  # shown as cards, not as tables
    assert listed <= shown
