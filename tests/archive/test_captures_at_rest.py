"""Files of a collection that were damaged since are named where they are read, and the advice helps."""

import gzip
import json
import random
import shutil
from dataclasses import replace

import pytest

from crawlers import catalogue, extract, repair
from crawlers import collect as collecting
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
    for name in ("index.parquet", "run.json"):
        (home / "0001" / name).write_bytes((home / "0001" / name).read_bytes()[:-9])
        with pytest.raises(CaptureError, match=r"Restore it from a copy; or call `malmoi sources repair wiki`"):
            release_input(home)
        assert [one.describe() for one in repair.repair(home, catalogue.load(source).source)] == [
            f"run 0001: 0 damaged of {len(before)} records left out, index made anew"
        ]
        assert release_input(home)[0] == before
    archive = home / "0001" / "pages.warc.gz"
    archive.write_bytes(archive.read_bytes()[:-400])  # a closed archive that was cut off since
    with pytest.raises(CaptureError, match=r"Restore it from a copy; or call `malmoi sources repair wiki`") as raised:
        release_input(home)
    assert str(archive) in str(raised.value)
    (done,) = repair.repair(home, None)
    assert done.describe() == f"run 0001: 1 damaged of {len(before)} records left out"
    (lost,) = [one for one in before if one not in (after := release_input(home))[0]]
    assert len(after[0]) == len(before) - 1 and lost[0].url in after[1][0][0]
    assert collection.runs(home)[0].facts["lost"] == 1


def crawl(home, number, pages):
    """A finished run of a crawl with these answers, URL → (kind, body); return the place of each record."""
    folder = home / f"{number:04}"
    folder.mkdir(parents=True)
    raw = [capture.warc_record(url, f"2026-01-0{number}T00:00:00Z", 200, (), body) for url, (_, body) in pages.items()]
    (folder / "pages.warc.gz").write_bytes(b"".join(raw))
    rows, _ = capture.index(folder / "pages.warc.gz", "pages.warc.gz")
    collection.finish(folder, [replace(row, kind=pages[row.url][0]) for row in rows], {"source": "here"})
    return {row.url: row for row in rows}


@pytest.mark.parametrize("case", ["page", "earlier page", "policy", "policy asked again", "licence", "all"])
def test_a_repair_costs_the_damaged_record_only_and_grants_nothing(tmp_path, case):
    base = "https://a.kr/"
    first = {
        f"{base}1": ("response", b"one"), f"{base}2": ("response", b"two"), f"{base}ai.txt": ("instrument", b"User"),
        f"{base}licence": ("licence", b"CC BY"),
    }  # fmt: skip
    second = {f"{base}1": ("response", b"one again")} | (
        {f"{base}ai.txt": first[f"{base}ai.txt"]} if "again" in case else {}
    )
    places = {1: crawl(tmp_path, 1, first), 2: crawl(tmp_path, 2, second)}
    number, url = {"page": (2, "1"), "earlier page": (1, "1"), "licence": (1, "licence"), "all": (1, "")}.get(
        case, (1, "ai.txt")
    )
    archive = tmp_path / f"{number:04}" / "pages.warc.gz"
    raw = bytearray(archive.read_bytes())
    if case == "all":
        archive.unlink()
    else:
        raw[places[number][base + url].offset + 40] ^= 4
        archive.write_bytes(raw)
    done = {one.run: one for one in repair.repair(tmp_path, None)}[f"{number:04}"]
    runs = collection.runs(tmp_path)
    stays = case in ("policy", "all")
    assert done.stay == ((f"{base}ai.txt",) if stays else ()) and done.left_out == (3 if case == "all" else not stays)
    current = {row.url[len(base) :]: row for _, rows in collection.select_current(runs, gone=True) for row in rows}
    assert sorted(current) == (["1"] if case == "all" else ["1", "2"])
    gone = collection.history(runs).get(f"{base}1", collection.Past()).gone
    # The text of before is not current by itself: its licence may have been withdrawn in the damaged answer.
    assert (gone is not None and gone.status == collection.DAMAGED) == (case == "page")
    assert {*collection.licence_records(runs)} == (set() if case in ("licence", "all") else {f"{base}licence"})
    assert repair.repair(tmp_path, None)[number - 1].left_out == 0


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
