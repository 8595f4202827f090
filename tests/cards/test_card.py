"""The card: every number from card.json, a header that hubs read, and no harm from what sources call themselves."""

import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import yaml

import data_cards
from data_cards.facts import NUMBERS, TABLES
from data_cards.header import render_header
from data_cards.render import format_value
from malmoi.errors import DataError
from malmoi.licensing.licences import LICENCES
from malmoi.releases.publish import publish
from malmoi.releases.release_schema import AUDIT, AUDIT_SAYS, COLUMNS, MORPHEME_COLUMNS
from malmoi.storage.duckdb_tables import open_tables
from tests.builders.small_release import documents, inputs

DOCS = (Path(__file__).parents[2] / "docs" / "releases.md").read_text(encoding="utf-8")
TEMPLATES = Path(data_cards.__file__).parent / "templates"
NUMBER = r"\d+(?:[.,]\d+)*"
HOSTILE = "<script>alert(1)</script> | [x](javascript:1) {{ 7 * 6 }} `"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("card")
    (root / "tmp").mkdir()
    given = inputs(root / "in", documents(40))
    hostile = replace(given.sources[0], title=HOSTILE)
    publish(replace(given, purpose=HOSTILE, sources=(hostile, given.sources[1])), root / "r", tmp=root / "tmp")
    data_cards.write(root / "r")
    return root / "r"


@pytest.fixture(scope="module")
def card(release: Path) -> dict:
    return json.loads((release / "card.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def manifest(release: Path) -> dict:
    return json.loads((release / "manifest.json").read_text(encoding="utf-8"))


def masked(card: dict) -> dict:
    """The card with every number of the data taken out."""
    copy = json.loads(json.dumps(card))
    for fact in copy["numbers"].values():
        fact["value"] = None
    for fact in copy["tables"].values():
        fact["rows"] = []
    copy["numbers"]["documents"]["value"] = 0
    return copy


def test_the_card_has_every_fact_with_its_question(card: dict) -> None:
    assert card["numbers"].keys() == NUMBERS.keys()
    assert card["tables"].keys() == TABLES.keys()
    for fact in [*card["numbers"].values(), *card["tables"].values()]:
        assert fact["sql"].startswith("SELECT")
        assert fact["inputs"]
        assert all(re.search(rf"\b{name}\b", fact["sql"]) for name in fact["inputs"])
    for key, listing in TABLES.items():
        assert len(card["tables"][key]["columns"]) == len(listing.heads)


def test_the_numbers_are_those_of_the_documents(card: dict) -> None:
    value = {key: fact["value"] for key, fact in card["numbers"].items()}
    docs = documents(40)
    assert value["documents"] == 40
    assert value["characters"] == sum(len(d.text) for d in docs)
    assert value["bytes"] == sum(len(d.text.encode()) for d in docs)
    assert (value["morphemes"], value["sentences"], value["sources"]) == (80, 40, 2)
    assert (value["entered"], value["dropped"], value["failed"], value["torn"]) == (48, 7, 1, 0)
    assert (value["with_evidence"], value["evidence_share"]) == (40, "100.00")
    assert (value["clusters"], value["copies"], value["largest_cluster"], value["earlier_copies"]) == (3, 4, 3, 1)
    assert (value["undated"], value["opt_outs"], value["personal_data"]) == (8, 7, 13)
    assert value["overlapping"] == 6


def test_characters_are_counted_by_licence_and_by_share_of_hangul(card: dict) -> None:
    docs, tables = documents(40), card["tables"]
    total = sum(len(d.text) for d in docs)
    sizes = Counter[str]()
    for d in docs:
        share = dict(d.measures)["hangul_share"]
        sizes[f"0.{int(share * 10)}–{'1.0' if share >= 0.9 else f'0.{int(share * 10) + 1}'}"] += len(d.text)
    rows = tables["by_hangul_share"]["rows"]
    assert {row[0]: row[2] for row in rows} == sizes
    assert [row[3] for row in rows] == [f"{10_000 * row[2] // total / 100:.2f}" for row in rows]
    assert [row[5] for row in tables["by_licence"]["rows"]] == [
        f"{10_000 * row[3] // total / 100:.2f}" for row in tables["by_licence"]["rows"]
    ]


def test_the_funnel_holds_and_ends_in_the_documents(card: dict) -> None:
    rows = card["tables"]["funnel"]["rows"]
    assert [row[0] for row in rows] == ["2-documents", "3-clean", "4-judged", "5-curated", "6-release"]
    assert all(entered == kept + dropped + failed for _, entered, kept, dropped, failed in rows)
    assert rows[-1][2] == card["numbers"]["documents"]["value"]


def test_the_tables_of_copies_are_those_of_the_clusters(card: dict) -> None:
    rows = {key: fact["rows"] for key, fact in card["tables"].items()}
    assert rows["copies"] == [["exact", 1], ["near", 3]]
    assert rows["cluster_sizes"] == [["1", 38, 38, 38], ["2", 2, 4, 1], ["3–5", 1, 3, 1]]
    assert rows["similarities"] == [
        ["0.80–0.85", 1, 1],
        ["0.85–0.90", 1, 0],
        ["0.90–0.95", 0, 0],
        ["0.95–1.00", 1, 0],
        ["1.00", 1, 1],
    ]
    assert rows["keeper_reasons"] == [
        ["completeness", 1, 1],
        ["date", 1, 1],
        ["earlier-release", 1, 1],
        ["id", 1, 1],
    ]
    assert rows["earlier_releases"] == [["sample/0.9.0", 1, 1]]
    assert rows["most_copied"] == [["ga.example.kr", "ga/1", 1], ["na.example.kr", "na/3", 1]]
    assert rows["evaluation_sets"] == [["klue-mrc", 0, 6], ["klue-ynat", 1, 0]]


def asked(key: str, tmp: Path, clusters: list[tuple], data: list[tuple]) -> list[list]:
    """What a table of the card gives for clusters (keeper, member) and data (id, url)."""
    named = [("c", k, m, "near", 0.9, "estimated", "date", "") for k, m in clusters]
    names = AUDIT["clusters"].names
    for place, table in (
        ("audit/clusters", pa.table([list(c) for c in zip(*named, strict=True)], names=names)),
        ("data/use/licence/part", pa.table([list(c) for c in zip(*data, strict=True)], names=["id", "url"])),
    ):
        (tmp / place).parent.mkdir(parents=True)
        pq.write_table(table, tmp / f"{place}.parquet")
    with open_tables(tmp) as tables:
        return [list(row) for row in tables.ask(TABLES[key].sql).rows]


def test_one_host_does_not_fill_the_table_of_the_most_copied(tmp_path: Path) -> None:
    big = [(f"a/{i}", f"x/{i}-{j}") for i in range(5) for j in range(9 - i)]
    small = [(f"b/{i}", f"y/{i}") for i in range(12)]
    gone = [("z/1", f"v/{i}") for i in range(50)]  # its keeper is not published
    data = [(f"a/{i}", "https://a.kr/") for i in range(5)] + [(f"b/{i}", f"https://b{i % 4}.kr/") for i in range(12)]
    rows = asked("most_copied", tmp_path, [*big, *small, *gone], data)
    assert rows[:4] == [["a.kr", "a/0", 9], ["a.kr", "a/1", 8], ["a.kr", "a/2", 7], ["b0.kr", "b/0", 1]]
    assert len(rows) == 10
    assert max(Counter(host for host, _, _ in rows).values()) == 3


def test_where_nobody_looked_for_overlaps_the_card_says_so(tmp_path: Path) -> None:
    plain = [replace(d, labels=d.labels[:3]) for d in documents(6)]
    (tmp_path / "tmp").mkdir()
    publish(replace(inputs(tmp_path / "in", plain), clusters=()), tmp_path / "r", tmp=tmp_path / "tmp")
    card = data_cards.derive(tmp_path / "r")
    assert card["numbers"]["overlapping"]["value"] is None
    empty = ("copies", "similarities", "keeper_reasons", "earlier_releases", "most_copied")
    assert not any(card["tables"][key]["rows"] for key in empty)
    assert card["tables"]["cluster_sizes"]["rows"] == [["1", 6, 6, 6]]


def test_every_number_shown_stands_in_card_or_manifest(release: Path, card: dict, manifest: dict) -> None:
    values = [f["value"] for f in card["numbers"].values()]
    values += [v for f in card["tables"].values() for row in f["rows"] for v in row]
    known = {token for v in values for token in re.findall(NUMBER, format_value(v))}
    header = yaml.safe_load((release / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    known |= {str(sum(split["num_examples"] for split in one["splits"])) for one in header["dataset_info"]}
    for name, blank in data_cards.render_card(masked(card), manifest).items():
        text = (release / name).read_text(encoding="utf-8").rpartition("\n---\n")[2]
        body = re.sub(r"<[^<>]*>|&#\d+;", " ", text)  # positions of bars are drawn, not shown
        prose = set(re.findall(NUMBER, re.sub(r"<[^<>]*>|&#\d+;", " ", blank)))
        assert set(re.findall(NUMBER, body)) - prose <= known
        for value in values if name.startswith("index") else ():  # a README shows few of them
            if isinstance(value, int):
                assert format_value(value) in text


def test_the_header_is_yaml_that_hubs_read(release: Path) -> None:
    fenced = (release / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert fenced[0] == ""
    value = yaml.safe_load(fenced[1])
    assert (value["language"], value["size_categories"]) == (["ko"], ["n<1K"])
    assert (value["license"], value["license_link"]) == ("other", "LICENSE.md")
    assert (release / value["license_link"]).is_file()
    configs = opened_by(value)
    free, alike, trained = (
        "redistribute/LicenseRef-KOGL-1",
        "redistribute/CC-BY-SA-4.0",
        "train-only/LicenseRef-KOGL-4-AI",
    )
    assert configs == {
        "default": [f"data/{free}/*/train-*.parquet"],
        "open": [f"data/{free}/*/train-*.parquet"],
        "share-alike": [f"data/{alike}/*/train-*.parquet"],
        "train-only-ai-training": [f"data/{trained}/*/train-*.parquet"],
        "general": [f"data/{free}/general/train-*.parquet"],
        "semiconductor-share-alike": [f"data/{alike}/semiconductor/train-*.parquet"],
        "train-only-general-ai-training": [f"data/{trained}/general/train-*.parquet"],
        "train-only-semiconductor-ai-training": [f"data/{trained}/semiconductor/train-*.parquet"],
        "LicenseRef-KOGL-1": [f"data/{free}/*/train-*.parquet"],
        "CC-BY-SA-4.0": [f"data/{alike}/*/train-*.parquet"],
        "train-only-LicenseRef-KOGL-4-AI": [f"data/{trained}/*/train-*.parquet"],
        "morphemes": [f"morphemes/{free}/*/train-*.parquet"],
        "morphemes-share-alike": [f"morphemes/{alike}/*/train-*.parquet"],
        "morphemes-train-only-ai-training": [f"morphemes/{trained}/*/train-*.parquet"],
    }
    assert all(list(release.glob(path)) for paths in configs.values() for path in paths)


def test_the_header_gives_columns_and_sizes_of_each_configuration(release: Path) -> None:
    value = yaml.safe_load((release / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    assert [one["config_name"] for one in value["dataset_info"]] == [one["config_name"] for one in value["configs"]]
    for one, paths in zip(value["dataset_info"], opened_by(value).values(), strict=True):
        files = [file for path in paths for file in sorted(release.glob(path))]
        tables = [pq.read_table(file, partitioning=None) for file in files]
        assert one["download_size"] == sum(file.stat().st_size for file in files)
        rows = sum(table.num_rows for table in tables)
        assert [(split["name"], split["num_examples"]) for split in one["splits"]] == [("train", rows)]
        names = [column["name"] for column in one["features"]]
        assert names == tables[0].column_names
        texts = sum(row for table in tables for row in table["n_bytes"].to_pylist()) if "n_bytes" in names else 0
        assert one["dataset_size"] == one["splits"][0]["num_bytes"] == (texts or one["download_size"])


def opened_by(header: dict) -> dict[str, list[str]]:
    paths = {c["config_name"]: c["data_files"][0]["path"] for c in header["configs"]}
    return {name: [path] if isinstance(path, str) else path for name, path in paths.items()}


FAMILIES = {  # rows of the card, what `default` opens, and what each family opens
    "five families": (
        [
            ("redistribute", "CC-BY-4.0", 3),
            ("redistribute", "CC-BY-SA-3.0", 50),
            ("redistribute", "CC-BY-SA-4.0", 9),
            ("redistribute", "GPL-2.0-only", 70),
            ("redistribute", "MPL-2.0", 2),
            ("redistribute", "MIT", 4),
            ("train-only", "LicenseRef-KOGL-2-AI", 5),
        ],
        "open",
        {
            "open": ["CC-BY-4.0", "MIT"],
            "share-alike": ["CC-BY-SA-3.0", "CC-BY-SA-4.0"],
            "copyleft": ["GPL-2.0-only", "MPL-2.0"],
            "train-only-ai-training": ["LicenseRef-KOGL-2-AI"],
        },
    ),
    "nothing open: the largest": (
        [("redistribute", "CC-BY-SA-4.0", 9), ("redistribute", "GPL-2.0-only", 70)],
        "copyleft",
        {"share-alike": ["CC-BY-SA-4.0"], "copyleft": ["GPL-2.0-only"]},
    ),
    "equally large: by name": (
        [("redistribute", "CC-BY-SA-4.0", 9), ("redistribute", "MPL-2.0", 9)],
        "copyleft",
        {"share-alike": ["CC-BY-SA-4.0"], "copyleft": ["MPL-2.0"]},
    ),
    "a choice is as free as its freest": (
        [("redistribute", "CC-BY-SA-4.0 OR MIT", 1), ("redistribute", "MIT AND MPL-2.0", 9)],
        "open",
        {"open": ["CC-BY-SA-4.0_OR_MIT"], "copyleft": ["MIT_AND_MPL-2.0"]},
    ),
    "for training only: no default": (
        [("train-only", "LicenseRef-KOGL-2-AI", 5), ("train-only", "CC-BY-4.0", 5)],
        None,
        {"train-only-ai-training": ["LicenseRef-KOGL-2-AI"], "train-only-open": ["CC-BY-4.0"]},
    ),
}


@pytest.mark.parametrize("case", FAMILIES)
def test_no_configuration_mixes_families_and_default_is_one_of_them(case: str, card: dict, manifest: dict) -> None:
    rows, default, families = FAMILIES[case]
    parts = [[use, name, "law", "train", n, 1, 1] for use, name, n in rows]
    told = card | {"tables": card["tables"] | {"partitions": {"rows": parts}}}
    configs = opened_by(yaml.safe_load(render_header(told, manifest)))
    beside = {name: configs.pop(name) for name in list(configs) if name.startswith("morphemes")}
    wanted = {"morphemes" if name == default else f"morphemes-{name}": configs[name] for name in families}
    assert beside == {n: [path.replace("data/", "morphemes/", 1) for path in paths] for n, paths in wanted.items()}
    fields = {name: configs.pop(name) for name in list(configs) if "law" in name}
    assert len(fields) == len(families)
    assert {tuple(sorted(path.replace("/law/", "/*/") for path in paths)) for paths in fields.values()} == {
        tuple(configs[name]) for name in families
    }
    named = {name: [path.split("/")[2] for path in paths] for name, paths in configs.items()}
    assert named.get("default") == (families[default] if default else None)
    assert {name: named[name] for name in families} == families
    assert all(len(found) == 1 for name, found in named.items() if name not in (*families, "default"))
    assert len(configs) == len(rows) + len(families) + bool(default)
    uses = {name: {path.split("/")[1] for path in paths} for name, paths in configs.items()}
    assert all(
        found == {"train-only" if name.startswith("train-only-") else "redistribute"} for name, found in uses.items()
    )


def test_the_page_says_which_family_default_opens(release: Path) -> None:
    for name, loads in (("README.md", "loads the family"), ("index.html", "loads the family"), ("index.ko.html", "는")):
        said = re.search(f"default[`<].*{loads} .*open[`<]", (release / name).read_text(encoding="utf-8"))
        assert said, name


def test_one_licence_that_hubs_know_is_named(card: dict, manifest: dict) -> None:
    def named(licence: str) -> dict:
        rows = [["redistribute", licence, "law", "train", 1, 1, 1]]
        return yaml.safe_load(render_header(card | {"tables": {"partitions": {"rows": rows}}}, manifest))

    assert named("CC-BY-SA-4.0")["license"] == "cc-by-sa-4.0"
    assert "license_name" not in named("CC-BY-SA-4.0")
    assert named("LicenseRef-KOGL-1")["license_name"] == "licenseref-kogl-1"


@pytest.mark.parametrize("name", data_cards.PAGES.values())
def test_what_a_source_calls_itself_stays_words(release: Path, name: str) -> None:
    found: list[str] = []
    ours = {"LICENSE.md", "README.md", "README.ko.md", "CHANGELOG.md", *data_cards.PAGES.values()}

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list) -> None:
            found.append(tag)
            assert not [v for k, v in attrs if k in ("src", "href") and v not in ours and not v.startswith("#")]
            assert not [k for k, _ in attrs if k.startswith("on")]

    page = (release / name).read_text(encoding="utf-8")
    Tags().feed(page)
    assert not set(found) & {"iframe", "img", "link", "object", "base", "form"}
    script = (TEMPLATES / "search.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert found.count("script") == 1 and f"<script>{script}</script>" in page  # ours, and no other may run
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'\"" in page
    assert "42" not in re.findall(r"alert\(1\).*", page)[0]
    readme = (release / "README.md").read_text(encoding="utf-8")
    assert "<script>" not in readme
    assert r"\[x\](javascript:1)" in readme


def test_rendering_is_pure_and_the_order_of_keys_leaves_no_trace(card: dict, manifest: dict, release: Path) -> None:
    turned = json.loads(json.dumps(card), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    for name, text in data_cards.render_card(turned, manifest).items():
        assert text == (release / name).read_text(encoding="utf-8")


def test_a_card_of_another_list_is_refused(card: dict, manifest: dict) -> None:
    with pytest.raises(DataError, match="facts_version 99"):
        data_cards.render_card(card | {"facts_version": 99}, manifest)
    fewer = {k: v for k, v in card["numbers"].items() if k != "failed"}
    with pytest.raises(DataError, match="failed"):
        data_cards.render_card(card | {"numbers": fewer}, manifest)


def test_a_folder_that_is_no_release_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="publish the release first"):
        data_cards.derive(tmp_path)


def test_the_docs_describe_every_column_and_table() -> None:
    for column in (*COLUMNS, *MORPHEME_COLUMNS[1:]):
        assert f"| `{column.name}` | {column.type if column.type.num_fields == 0 else 'nested'} |" in DOCS, column.name
        assert column.says in DOCS
    for name in AUDIT:
        assert f"| `{name}` | {AUDIT_SAYS[name]} |" in DOCS


def test_the_examples_of_the_docs_run(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(release)
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    ran = [b for b in blocks if "import datasets" not in b and "import polars" not in b]
    assert len(ran) >= 2
    for block in ran:
        exec(block, {})
    assert ds.dataset("data/redistribute", format="parquet").count_rows() == 35
    assert duckdb.sql("SELECT count(*) FROM 'data/redistribute/**/*.parquet'").fetchall() == [(35,)]


def test_the_sample_card_is_what_its_facts_render_to() -> None:
    sample = Path(data_cards.__file__).parent / "sample"
    card, manifest = (json.loads((sample / n).read_text(encoding="utf-8")) for n in ("card.json", "manifest.json"))
    for name, text in data_cards.render_card(card, manifest).items():
        assert (sample / name).read_text(encoding="utf-8") == text, f"{name}: run the demo and copy its card anew"


STEERING = "제목\x1b[31m\x07\x9b2J\u202e뒤집힌\u2066\x00\x7f"


@pytest.mark.parametrize("name", ["README.md", "index.html", "index.ko.html"])
def test_what_sources_say_cannot_steer_a_terminal_or_turn_a_page_around(card: dict, manifest: dict, name: str) -> None:
    """Control characters and marks that reorder text are shown as escapes, wherever a card or a manifest holds them."""

    def poison(value: object) -> object:
        if isinstance(value, dict):
            return {key: one if key in ("sql", "path", "config_name") else poison(one) for key, one in value.items()}
        if isinstance(value, list):
            return [poison(one) for one in value]
        if (
            not isinstance(value, str) or value in LICENCES or "/" in value
        ):  # licences and paths are read, not shown alone
            return value
        return value + STEERING

    text = data_cards.render_card(poison(card), poison(manifest))[name]
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2066\x00\x7f")
    assert "제목\\" in text
    assert "뒤집힌" in text
