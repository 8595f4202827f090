"""Documents in formats of others: what they say is in card and manifest, and an edited one is found."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import data_cards
from crawlers.fetch.politeness import AGENT
from data_cards.documents import render_documents
from data_cards.header import list_configurations
from filters.duplicates.index_lookup import sketch_texts
from malmoi.document import Document
from malmoi.release_files import CATALOGUE, CHECKLIST, CROISSANT, DOCUMENTS, PROVENANCE, TRAINING_SUMMARY
from malmoi.releases import manifest as manifests
from malmoi.releases import patch_release
from malmoi.releases.patch_release import ErasedDocument, Erasure
from malmoi.releases.publish import publish
from malmoi.releases.release_schema import COLUMNS, MORPHEME_COLUMNS
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from tests.builders.small_release import document, documents, inputs

HOSTS = 31  # of the crawled source
PUBLISHER = {"name": "견본 출판사", "contact": "corpus@example.kr", "url": "https://example.kr/corpus"}
UNLIKE = re.compile(r"[0-9][0-9.,:TZ-]*[0-9]|[0-9]")


def place(number: int) -> Document:
    """A document of a host of its own; the text of host201 is the longest."""
    made = document("ga", number)
    url = f"https://host{number}.example.kr/1"
    text = made.text + " 더 긴 글이다." * 20 * (201 + HOSTS - number)
    return replace(made, text=text, provenance=replace(made.provenance, url=url))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("documents")
    (root / "tmp").mkdir()
    docs = [*documents(), *(place(number) for number in range(201, 201 + HOSTS))]
    given = inputs(root / "in", docs)
    sources = tuple(replace(one, access="Site" if one.name == "ga" else "Folder") for one in given.sources)
    publish(replace(given, sources=sources), root / "release", tmp=root / "tmp", sketch=sketch_texts)
    data_cards.write(root / "release")
    seal(root / "release")
    return root / "release"


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def values(node: Any) -> list[Any]:
    """All leaves of a JSON value."""
    found = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [leaf for one in found for leaf in values(one)] if isinstance(node, dict | list) else [node]


def test_a_release_has_all_documents_and_verifies(whole: Path) -> None:
    assert all((whole / name).is_file() for name in DOCUMENTS)
    assert verify(whole, render=data_cards.render_texts) == []


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_edited_or_missing_document_is_found(release: Path, name: str) -> None:
    text = (release / name).read_text(encoding="utf-8")
    (release / name).write_text(text.replace("1.0.0", "9.0.0", 1), encoding="utf-8")
    seal(release)
    assert [(f.check, f.path) for f in verify(release, render=data_cards.render_texts)] == [("render", name)]
    (release / name).unlink()
    seal(release)
    assert [(f.check, f.path) for f in verify(release, render=data_cards.render_texts)] == [("render", name)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_of_a_document_is_in_card_or_manifest_or_the_same_for_all_releases(whole: Path, name: str) -> None:
    card, manifest = read(whole, "card.json"), read(whole, "manifest.json")
    shown = [leaf for fact in card["numbers"].values() for leaf in values(fact["value"])]
    shown += [leaf for fact in card["tables"].values() for leaf in values(fact["rows"])] + values(manifest)
    known = {token.replace(",", "") for leaf in shown for token in UNLIKE.findall(str(leaf))}
    blank = json.loads(json.dumps(card))
    for fact in blank["numbers"].values():
        fact["value"] = 0 if isinstance(fact["value"], int) else None
    for key in blank["tables"].keys() - {"partitions", "by_licence"}:
        blank["tables"][key]["rows"] = []
    ours = set(UNLIKE.findall(data_cards.render_texts(blank, manifest)[name]))
    said = {token for token in UNLIKE.findall((whole / name).read_text(encoding="utf-8")) if token not in ours}
    sizes = {str(sum(f["bytes"] for f in manifest["files"] if f["path"].startswith(p))) for p in folders(card)}
    assert {token.replace(",", "") for token in said} <= known | sizes


def folders(card: dict) -> set[str]:
    return {folder.rpartition("/")[0] + "/" for one in list_configurations(card) for folder in one.folders}


def test_the_summary_lists_a_tenth_of_the_crawled_hosts_by_size(whole: Path) -> None:
    card = read(whole, "card.json")
    crawled = card["numbers"]["crawled_hosts"]["value"]
    rows = card["tables"]["largest_hosts"]["rows"]
    assert crawled == HOSTS + 1 and len(rows) == 4  # ga.example.kr is a host too
    assert rows == sorted(rows, key=lambda row: -row[3])
    assert {row[0] for row in rows} >= {"host201.example.kr", "host202.example.kr"}
    summary = (whole / TRAINING_SUMMARY).read_text(encoding="utf-8")
    assert all(f"| {row[0]} |" in summary for row in rows) and "host230.example.kr" not in summary


@pytest.mark.parametrize("name", [TRAINING_SUMMARY, CHECKLIST])
def test_a_document_names_the_crawler_as_it_names_itself(whole: Path, name: str) -> None:
    assert f"`{AGENT}`" in (whole / name).read_text(encoding="utf-8")


def test_croissant_describes_each_file_and_each_configuration_once(whole: Path) -> None:
    made, manifest = read(whole, CROISSANT), read(whole, "manifest.json")
    objects = {one["contentUrl"]: one for one in made["distribution"] if one["@type"] == "cr:FileObject"}
    files = {f["path"]: f["sha256"] for f in manifest["files"] if f["path"].startswith(("data/", "morphemes/"))}
    assert {path: one["sha256"] for path, one in objects.items()} == files
    names = [one.name for one in list_configurations(read(whole, "card.json"))]
    assert [one["@id"] for one in made["recordSet"]] == names
    for records in made["recordSet"]:
        columns = MORPHEME_COLUMNS if records["@id"].startswith("morphemes") else COLUMNS
        assert [field["@id"] for field in records["field"]] == [f"{records['@id']}/{one.name}" for one in columns]
        patterns = next(one["includes"] for one in made["distribution"] if one["@id"] == f"files-{records['@id']}")
        assert patterns and all(list(whole.glob(pattern)) for pattern in patterns)
    ids = Counter(id_ for id_ in find_ids(made) if not id_.startswith("references "))
    assert max(ids.values()) == 1
    assert {id_.removeprefix("references ") for id_ in find_ids(made) if id_.startswith("references ")} <= ids.keys()


def find_ids(node: Any) -> list[str]:
    """The ids that a JSON-LD value defines, and those that it refers to."""
    if isinstance(node, list):
        return [id_ for one in node for id_ in find_ids(one)]
    if not isinstance(node, dict):
        return []
    if node.keys() == {"@id"}:
        return [f"references {node['@id']}"]
    inner = [id_ for key, one in node.items() if key != "@context" for id_ in find_ids(one)]
    return inner + ([node["@id"]] if "@id" in node else [])


def test_croissant_gives_the_archived_response_of_each_row_as_its_provenance(whole: Path) -> None:
    for records in read(whole, CROISSANT)["recordSet"]:
        if records["@id"].startswith("morphemes"):
            assert "annotation" not in records
            continue
        origin = records["annotation"]
        assert origin["equivalentProperty"] == "prov:wasDerivedFrom"
        columns = [field["source"]["extract"]["column"] for field in origin["subField"]]
        assert columns == ["url", "record", "revision", "fetched", "source"]
        assert set(columns) <= set(pq.read_schema(next(whole.glob("data/**/*.parquet"))).names)


def test_each_licence_is_a_distribution_with_the_bytes_of_its_files(whole: Path) -> None:
    found = {one["dct:title"]: one for one in read(whole, CATALOGUE)["dcat:distribution"]}
    rows = read(whole, "card.json")["tables"]["by_licence"]["rows"]
    assert found.keys() == {f"{licence}, {use}" for use, licence, *_ in rows}
    for one in found.values():
        place = (whole / "documents" / one["dcat:accessURL"]["@id"]).resolve()
        assert sum(path.stat().st_size for path in place.rglob("*.parquet")) == int(one["dcat:byteSize"]["@value"])


def test_the_22_fields_have_an_answer_or_are_left_to_the_publisher(whole: Path) -> None:
    made = read(whole, PROVENANCE)
    assert [len(made[group]) for group in ("source", "provenance", "use")] == [6, 8, 8]
    empty = {
        f"{group}.{key}" for group in ("source", "provenance", "use") for key, v in made[group].items() if v is None
    }
    assert empty == set(made["for_publisher"])


def test_a_publisher_is_named_in_every_document_and_none_is_invented(whole: Path) -> None:
    card, manifest = read(whole, "card.json"), read(whole, "manifest.json")
    named = data_cards.render_texts(card, manifest | {"publisher": PUBLISHER})
    for name in (CROISSANT, CATALOGUE, PROVENANCE, TRAINING_SUMMARY, CHECKLIST):
        assert PUBLISHER["contact"] in named[name], name
    made = {
        name: json.loads(text) for name, text in render_documents(card, manifest | {"publisher": PUBLISHER}).items()
    }
    assert made[CROISSANT]["creator"]["name"] == made[CATALOGUE]["dct:publisher"]["foaf:name"] == PUBLISHER["name"]
    assert made[CATALOGUE]["dcat:contactPoint"]["vcard:hasEmail"] == {"@id": "mailto:corpus@example.kr"}
    assert made[PROVENANCE]["source"]["dataset_issuer"] == PUBLISHER
    bare = {name: json.loads(text) for name, text in render_documents(card, manifest).items()}
    assert not {"creator", "publisher"} & bare[CROISSANT].keys()
    assert not {"dct:publisher", "dcat:contactPoint"} & bare[CATALOGUE].keys()
    assert "source.dataset_issuer" in bare[PROVENANCE]["for_publisher"]


def test_a_document_that_shows_what_is_erased_leaves_the_earlier_version(release: Path) -> None:
    made = manifests.read(release)
    row = pq.read_table(next(release.glob("data/**/*.parquet"))).slice(0, 1).to_pylist()[0]
    for name in DOCUMENTS:
        (release / name).write_text(f"… {row['url']} …", encoding="utf-8")
    erased = Erasure(
        (ErasedDocument(row["id"], row["source"], row["text_sha256"], row["n_chars"]),), frozenset({row["id"]})
    )
    gone = patch_release.withdraw_files(release, made, erased, "1.0.1", "2026-11-24")
    assert set(DOCUMENTS) <= set(gone) and not any((release / name).exists() for name in DOCUMENTS)
