"""`malmoi diff`: what changed between two releases, why documents are gone, and that a stranger's release is safe."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_cards
from flows.limited_process import compare_releases
from malmoi.canonical_json import canonical_json
from malmoi.document import Document
from malmoi.errors import DataError
from malmoi.releases.compare import compare
from malmoi.releases.publish import publish
from malmoi.releases.verification.sha256sums import seal
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_page import read_page
from tests.builders.small_papers import PAPERS, run, written
from tests.builders.small_release import SOURCES, documents, inputs
from tests.builders.withdrawn import withdraw


def made(root: Path, docs: list[Document], version: str, **given: object) -> Path:
    (root / "tmp").mkdir(parents=True)
    publish(replace(inputs(root / "in", docs), version=version, **given), root / "release", tmp=root / "tmp")
    data_cards.write(root / "release")
    seal(root / "release")
    return root / "release"


def later() -> list[Document]:
    """The documents of the next version: three are gone, two new, one of each change."""
    docs = {one.id: one for one in documents(26) if one.id not in ("ga/1", "na/3", "ga/10")}
    docs["ga/2"] = replace(docs["ga/2"], text=docs["ga/2"].text + " 더한 문장이다.", title="새 제목")
    docs["ga/5"] = replace(docs["ga/5"], title="다른 제목")
    docs["ga/7"] = replace(docs["ga/7"], measures=(("hangul_share", 0.5), ("quality", 0.5)))
    again = docs["ga/11"]
    docs["ga/11"] = replace(
        again,
        provenance=replace(again.provenance, fetched="2026-11-21T00:00:00Z", record="urn:uuid:n"),
        evidence=tuple(replace(one, record="urn:uuid:n") for one in again.evidence),
    )
    return list(docs.values())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("diff")
    return made(root / "a", documents(24), "1.0.0"), made(root / "b", later(), "1.1.0")


def test_what_was_added_removed_and_changed_is_counted_and_listed(pair: tuple[Path, Path]) -> None:
    found = compare(*pair)
    assert (found.added, found.added_ids) == (2, ("ga/25", "ga/26"))
    assert [(one.id, one.why) for one in found.removed_ids] == [("ga/1", "gone"), ("ga/10", "gone"), ("na/3", "gone")]
    assert found.changed == {"text": 1, "licence": 0, "title": 1, "metadata": 1, "recaptured": 1}
    assert {one.id: one.change for one in found.changed_ids} == {
        "ga/2": "text",
        "ga/5": "title",
        "ga/7": "metadata",
        "ga/11": "recaptured",
    }
    assert found.before.size.documents + found.added - found.removed == found.after.size.documents
    assert {share.value: share.documents for share in found.shares["sources"]} == {"ga": (16, 16), "na": (8, 7)}
    assert found.files.unchanged + found.files.changed + found.files.added == found.after.size.files
    assert found.files.unchanged > 0


def test_a_licence_that_changed_goes_before_a_title(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    docs = {one.id: one for one in documents(24)}
    free = next(one for one in docs.values() if dict(one.labels)["use"] == "train-only")
    labels = {**dict(free.labels), "use": "redistribute", "licence": "LicenseRef-KOGL-1"}
    evidence = tuple(replace(one, licence="LicenseRef-KOGL-1", quote="공공누리 제1유형") for one in free.evidence[:1])
    docs[free.id] = replace(free, title="새 제목", labels=tuple(labels.items()), evidence=evidence)
    found = compare(pair[0], made(tmp_path, list(docs.values()), "1.1.0"))
    ((changed),) = found.changed_ids
    assert (changed.id, changed.change) == (free.id, "licence") and "title" in changed.columns


def test_a_removed_document_has_the_reason_that_the_audit_tables_give(tmp_path: Path) -> None:
    """na/104 is a copy of a document of an earlier release, na/107 was dropped, ga/103 failed; na/3 has a new id."""
    first = documents(24)
    gone = [
        replace(first[0], id=id, text=f"{id}의 글이다.", morphemes=None)
        for id in ("na/104", "na/107", "ga/103", "old/1")
    ]
    gone[3] = replace(gone[3], provenance=replace(gone[3].provenance, source="old"))
    sources = (*SOURCES, replace(SOURCES[0], name="old"))
    a = made(tmp_path / "a", [*first, *gone], "1.0.0", sources=sources)
    renamed = [replace(one, id="na/moved") if one.id == "na/3" else one for one in first]
    found = compare(a, made(tmp_path / "b", renamed, "1.1.0"))
    assert [(one.id, one.why, one.by, one.reason) for one in found.removed_ids] == [
        ("ga/103", "failed", "3-clean", "cpu-limit"),
        ("na/104", "copy", "na/900", ""),
        ("na/107", "dropped", "quality", "low-quality"),
        ("na/3", "renamed", "na/moved", ""),
        ("old/1", "source-left-out", "", ""),
    ]
    assert sum(n for *_, n in found.reasons) == found.removed == 5


def test_the_ids_of_withdrawn_documents_are_not_shown(tmp_path: Path) -> None:
    calm = {name: PAPERS[name] for name in ("02", "03", "13", "31", "32")}
    source, recipe = written(tmp_path, calm)
    home, *_, first = run(source, recipe, tmp_path / "w")
    withdraw(home, ["papers/13.txt"])
    *_, second = run(source, recipe, tmp_path / "w")
    found = compare(first.folder, second.folder)
    assert [(one.id, one.why) for one in found.removed_ids] == [("papers/[withheld]", "withheld")]
    assert found.masked == (("papers", "withdrawals", "withdrawn", 1),)
    assert "13.txt" not in canonical_json(found.to_value())


@pytest.mark.heavy
def test_the_command_prints_tables_json_and_a_page(pair: tuple[Path, Path], tmp_path: Path) -> None:
    shown = malmoi_in_process("diff", *pair, "--html", tmp_path / "page.html")
    assert shown.returncode == 0, shown.stderr
    assert "sample 1.0.0" in shown.stdout and "na/3  page gone" in shown.stdout
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page and "http" not in page.replace("http-equiv", "") and "na/3" in page
    once, again = (malmoi_in_process("diff", *pair, "--json").stdout for _ in range(2))
    assert once == again == canonical_json(json.loads(once))
    assert json.loads(once)["recipe"] == [f"no difference: both have the digest {'cd' * 32}"]


def test_the_page_is_in_english_and_beside_it_in_korean(pair: tuple[Path, Path], tmp_path: Path) -> None:
    assert malmoi_in_process("diff", *pair, "--html", tmp_path / "page #1.html").returncode == 0
    english, korean = (read_page(tmp_path / name) for name in ("page #1.html", "page #1.ko.html"))
    assert (english.language, korean.language) == ("en", "ko")
    assert english.links == ["page%20%231.ko.html"] and korean.links == ["page%20%231.html"]
    assert not english.has_hangul() and not korean.has_english_sentence()
    assert "page gone" in english.text and "페이지 없음" in korean.text and "na/3" in korean.text


def test_equal_releases_differ_in_nothing(pair: tuple[Path, Path]) -> None:
    found = compare(pair[0], pair[0])
    assert (found.added, found.removed, sum(found.changed.values()), found.files.changed) == (0, 0, 0, 0)


def test_what_is_no_release_is_a_wrong_call(pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = malmoi_in_process("diff", "general/9.9.9", str(pair[0]), "--workspace", str(tmp_path))
    assert done.returncode == 2 and "is not a release" in done.stderr


def broken(pair: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(pair[1], tmp_path / "broken"))


def test_a_bomb_and_a_link_are_refused_before_they_are_read(pair: tuple[Path, Path], tmp_path: Path) -> None:
    copy = broken(pair, tmp_path)
    target = min(copy.glob("data/*/*/*/*.parquet"))
    target.unlink()
    target.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="not a plain file"):
        compare_releases(pair[0], copy)
    target.unlink()
    pq.write_table(pa.table({"id": pa.repeat("a", 3_000_000)}), target)
    with pytest.raises(DataError, match="limit verify_rows"):
        compare_releases(pair[0], copy)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda t: t.drop_columns(["text_sha256"]), "text_sha256"),
        (lambda t: pa.concat_tables([t, t]), "no id of their own"),
        (lambda t: t.set_column(0, "id", pa.array(range(t.num_rows))), "cannot be compared|cannot be read|failed"),
    ],
    ids=["no-column", "repeated", "numbers"],
)
def test_a_release_that_identifies_no_documents_is_refused(pair, tmp_path, edit, says) -> None:
    copy = broken(pair, tmp_path)
    for target in copy.glob("data/*/*/*/*.parquet"):
        pq.write_table(edit(pq.read_table(target, partitioning=None)), target)
    with pytest.raises(DataError, match=says):
        compare_releases(pair[0], copy)


def test_a_name_with_markup_and_control_characters_is_shown_as_it_is(pair: tuple[Path, Path], tmp_path: Path) -> None:
    copy = broken(pair, tmp_path)
    target = min(copy.glob("data/*/*/*/*.parquet"))
    table = pq.read_table(target, partitioning=None)
    ids = ["[/red]\x1b[2J\nna/1", *table["id"].to_pylist()[1:]]
    sources = pa.array(["[bold]"] * len(ids))
    table = table.set_column(0, "id", pa.array(ids))
    pq.write_table(table.set_column(table.schema.get_field_index("source"), "source", sources), target)
    done = malmoi_in_process("diff", pair[0], copy)
    assert done.returncode == 0, done.stderr
    assert "[/red]" in done.stdout and "[bold]" in done.stdout and "\x1b" not in done.stdout
