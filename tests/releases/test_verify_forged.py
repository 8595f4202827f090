"""Verifying what a forger made anew: manifest, card and SHA256SUMS agree with the change, and a rule still finds it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.canonical_json import canonical_json
from malmoi.releases.verification.sha256sums import seal
from tests.builders.small_release import sealed
from tests.releases.test_verify import EVIDENCE, SHARD, checked, edited, first, forged

Change = Callable[[Path], object]
PLACE = SHARD.removeprefix("data/")
KOGL, CC0 = "LicenseRef-KOGL-1", "CC0-1.0"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def said(**changes: object) -> Change:
    """Change keys of the manifest."""

    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(canonical_json(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")

    return change


def replaced(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def columns(change: Callable[[pa.Table], pa.Table]) -> Change:
    return lambda folder: pq.write_table(change(pq.read_table(folder / SHARD, partitioning=None)), folder / SHARD)


def moved(old: str, new: str) -> Change:
    """Move a file of data/ and its morphemes."""

    def change(folder: Path) -> None:
        for top in ("data", "morphemes"):
            target = folder / top / PLACE.replace(old, new)
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / top / PLACE).rename(target)

    return change


def count_more(folder: Path) -> None:
    path = folder / "audit/residue.parquet"
    edited(path, lambda rows: [row | {"n": row["n"] + (row["outcome"] == "values")} for row in rows])


# (what was changed, what is named, what is said, the change): only SHA256SUMS is made anew
RESEALED: list[tuple[str, str, str, Change]] = [
    ("version", "card.json", "the manifest gives '1.0.9'", said(version="1.0.9")),
    ("name", "card.json", "the manifest gives 'other'", said(name="other")),
    ("number of documents", "manifest.json", "says 99 documents", said(documents=99)),
    ("commitment", "manifest.json", "another commitment", said(members="0" * 64)),
    ("root", "manifest.json", "the files give the root", said(root="0" * 64)),
    ("list of files", "audit/stages.parquet", "lacks this audit table", said(files=[])),
    ("unknown key", "manifest.json", "unknown keys", said(certified=True)),
    ("key that is there twice", "manifest.json", "not canonical", replaced("manifest.json", "{", '{"name": "x",')),
    ("spelling of the card", "card.json", "not canonical", replaced("card.json", "{", "{ ")),
    ("licence page", "LICENSE.md", "missing", lambda folder: (folder / "LICENSE.md").unlink()),
    ("script", "index.ko.html", "not the rendering", replaced("index.ko.html", "</body>", "<script></script></body>")),
    ("metadata", "croissant.json", "not the rendering", replaced("croissant.json", "{", "{ ")),
    (
        "claim of a loss",
        "withdrawn.json",
        "extra",
        lambda folder: (folder / "withdrawn.json").write_text('{"files":[]}'),
    ),
]
# manifest, card and renderings are made anew, too
REMADE: list[tuple[str, str, str, Change]] = [
    ("column removed", SHARD, "columns", columns(lambda table: table.drop_columns(["author"]))),
    ("column added", SHARD, "columns", columns(lambda table: table.append_column("x", table["id"]))),
    ("field", SHARD.replace("/general/", "/law/"), "another file", moved("/general/", "/law/")),
    ("split", SHARD.replace("train", "test"), "another file", moved("train", "test")),
    ("folder of a licence", SHARD.replace(KOGL, CC0), "another file", moved(KOGL, CC0)),
    ("licence of a text", SHARD, "another file", lambda folder: edited(folder / SHARD, first(license=CC0))),
    ("licence of evidence", EVIDENCE, "does not name", lambda folder: edited(folder / EVIDENCE, first(licence=CC0))),
    ("title of a source", "audit/sources.parquet", "not those of the manifest",
     lambda folder: edited(folder / "audit/sources.parquet", first(title="other"))),
    ("table too many", "audit/more.parquet", "columns",
     lambda folder: shutil.copy(folder / "audit/stages.parquet", folder / "audit/more.parquet")),
]  # fmt: skip


@pytest.mark.one_case_in(8)
@pytest.mark.parametrize(("path", "says", "change"), [c[1:] for c in RESEALED], ids=[c[0] for c in RESEALED])
def test_it_is_named_though_the_sums_are_made_anew(release: Path, path: str, says: str, change: Change) -> None:
    change(release)
    seal(release)
    findings = checked(release)
    assert [f for f in findings if f.path == path and says in f.says], findings


@pytest.mark.one_case_in(9)
@pytest.mark.parametrize(("path", "says", "change"), [c[1:] for c in REMADE], ids=[c[0] for c in REMADE])
def test_it_is_named_though_the_whole_is_made_anew(release: Path, path: str, says: str, change: Change) -> None:
    change(release)
    findings = forged(release)
    assert [f for f in findings if f.path == path and says in f.says], findings


def test_counts_of_the_second_detector_are_taken_again_though_the_manifest_is_made_anew(release: Path) -> None:
    count_more(release)
    seal(release)
    assert [f.path for f in checked(release) if f.check == "residue" and "a new scan differs" in f.says]
