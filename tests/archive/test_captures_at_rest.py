"""Files of a collection that were damaged since are named where they are read, and the advice helps."""

import gzip
import json
import random
import shutil

import pytest

from crawlers import collect as collecting
from crawlers import extract
from malmoi.archive import capture, collection
from malmoi.errors import CaptureError
from malmoi.source import Folder, LicenceClaim, Source, Warc
from malmoi.storage import shard
from malmoi.workspace import Workspace
from tests.archive.test_archive_damage import plain
from tests.fetch.test_dump import collected, export, written


def release_input(home):
    """All that a release takes from the captures of a source."""
    runs = collection.runs(home)
    rows = [row for _, standing in collection.select_current(runs, gone=True) for row in standing]
    rows += collection.licence_records(runs).values()
    said = [(row, found.headers, found.body) for row in rows if (found := extract.load_capture(row))]
    return said, [run.facts.get("torn_records") for run in runs]


def folder_source(root):
    (root / "papers").mkdir()
    for name in ("one", "two", "three"):
        (root / "papers" / f"{name}.txt").write_text(f"글 {name}")
    (root / "papers" / "LICENCE").write_text("CC BY 4.0")
    claim = (LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),)
    return Source("here", "", "", Folder(root / "papers", include=("*.txt",)), claim=claim)


def warc_source(root):
    path = root / "a.warc.gz"
    path.write_bytes(b"".join(gzip.compress(plain(number)) for number in range(6)) + b"damage")
    return Source("here", "", "", Warc((path,)))


def gather(source, home):
    return collecting.collect_local(source, collection.open_run(home), collection.runs(home))


@pytest.mark.parametrize("made", [folder_source, warc_source])
def test_a_flipped_bit_is_refused_with_the_file_named_or_changes_nothing(tmp_path, made):
    home = tmp_path / "c"
    gather(made(tmp_path), home)
    check_flips(home, [*home.rglob("*"), *tmp_path.glob("*.warc.gz")], 120)


def test_a_flipped_bit_in_the_captures_of_a_dump_is_refused_and_its_advice_helps(tmp_path):
    (tmp_path / "d.xml").write_bytes(export(range(1, 200)))
    source = written(tmp_path, None, access=f"path=Path({str(tmp_path / 'd.xml')!r})")
    collected(tmp_path, source)
    home = Workspace(tmp_path / "ws").captures("wiki")
    check_flips(home, list(home.rglob("*")), 60)
    before = release_input(home)[0]
    archive = home / "0001" / "pages.warc.gz"
    archive.write_bytes(archive.read_bytes()[:-400])  # a closed archive that was cut off since
    with pytest.raises(CaptureError, match=r"delete .*0001 and the later runs of the source beside it") as raised:
        release_input(home)
    assert str(archive) in str(raised.value)
    shutil.rmtree(home / "0001")
    collected(tmp_path, source)
    assert [body for _, _, body in release_input(home)[0]] == [body for _, _, body in before]


def check_flips(home, files, count):
    """Flip `count` bits of each file, one at a time, and see what comes of it."""
    before, rng, refused = release_input(home), random.Random(14), 0
    for path in sorted(file for file in files if file.is_file()):
        raw = path.read_bytes()
        for at in [rng.randrange(len(raw)) for _ in range(count if raw else 0)]:
            spoilt = bytearray(raw)
            spoilt[at] ^= 1 << rng.randrange(8)
            path.write_bytes(spoilt)
            try:
                assert release_input(home) == before, f"byte {at} of {path.name} changes the release in silence"
            except CaptureError as error:
                refused += 1
                assert str(path) in str(error), f"byte {at} of {path.name}: {error}"
                assert "collect again" in str(error)
        path.write_bytes(raw)
    assert refused > count  # a damaged index and a damaged archive are noticed
    assert release_input(home) == before


@pytest.mark.parametrize("name", ["index.parquet", "run.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "other"])
def test_a_damaged_file_of_a_run_is_named_and_deleting_the_run_helps(tmp_path, name, damage):
    source, home = folder_source(tmp_path), tmp_path / "c"
    gather(source, home)
    before = release_input(home)[0]
    file = home / "0001" / name
    spoilt = {"cut": file.read_bytes()[:-9], "empty": b"", "gone": b"", "other": b'{"a": 1}'}[damage]
    file.write_bytes(spoilt)
    if damage == "gone":
        file.unlink()
    if (name, damage) == ("run.json", "gone"):
        assert not collection.runs(home)  # then the run is not over, and collect takes it up
    elif (name, damage) == ("run.json", "other"):
        with pytest.raises(CaptureError, match="cannot be read as it was written"):
            file.write_text(json.dumps({"a": 1, collection.OWN_DIGEST: "0"}))
            collection.runs(home)
        shutil.rmtree(home / "0001")
    else:
        with pytest.raises(CaptureError, match=rf"{name}: cannot be read as it was written") as raised:
            collection.runs(home)
        assert f"delete {home / '0001'}" in str(raised.value)
        shutil.rmtree(home / "0001")
    gather(source, home)
    assert release_input(home)[0] == before


def test_one_flip_in_the_name_of_a_digest_does_not_make_a_run_an_old_one(tmp_path):
    gather(folder_source(tmp_path), tmp_path / "c")
    file = tmp_path / "c" / "0001" / "run.json"
    whole = file.read_text()
    for name in (collection.OWN_DIGEST, collection.INDEX_DIGEST):
        file.write_text(whole.replace(name, f"x{name[1:]}"))
        with pytest.raises(CaptureError, match=r"run\.json"):
            collection.runs(tmp_path / "c")


def test_a_run_of_an_earlier_version_is_read_and_its_odd_rows_are_counted(tmp_path):
    home = tmp_path / "c"
    (home / "0001").mkdir(parents=True)
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(map(plain, range(3))))
    rows, _ = capture.index(path, str(path))
    odd = [
        capture.IndexRow("r1", "javascript:x()", rows[0].fetched, 200, "", "", str(path), 0, 1, "response"),
        capture.IndexRow("r2", "https://a.example/9", "<b>zz</b>", 200, "", "", str(path), 0, 1, "response"),
    ]
    collection.finish(home / "0001", [*rows, *odd], {})
    (home / "0001" / "run.json").write_text("{}")  # as it was written before there were digests
    (run,) = collection.runs(home)
    assert [row.url for row in run.rows] == [row.url for row in rows]
    assert [said.rpartition(" ")[2] for said in run.facts["torn_records"]] == ["invalid-date", "invalid-address"]
    assert shard.read(home / "0001" / "index.parquet").num_rows == 5
