"""An export: files that foreign readers open, the chosen texts and no others, licences, an id map, the same bytes."""

import gzip
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cards.header import list_configurations
from flows.export import Plan, explain, export
from malmoi.errors import CallError, DataError
from malmoi.export import mixture
from malmoi.export.selection import Selection
from malmoi.storage.locks import try_lock
from tests.builders.small_release import documents, sealed
from tests.builders.small_texts import row, write_texts

TEXTS = {d.id: d.text for d in documents()}
TRAIN_ONLY = {d.id for d in documents() if ("use", "train-only") in d.labels}
OPEN = {d.id for d in documents() if ("licence", "LicenseRef-KOGL-1") in d.labels}
BOTH = Selection(families=("open", "share-alike"))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("release"))


def read_files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_json_lines_have_the_texts_in_a_seeded_order(release, tmp_path):
    export(release, tmp_path / "a", Plan(selection=BOTH))
    export(release, tmp_path / "b", Plan(selection=BOTH, seed=1))
    lines = read_lines(tmp_path / "a" / "part-00000.jsonl")
    assert {one["id"]: one["text"] for one in lines} == {k: v for k, v in TEXTS.items() if k not in TRAIN_ONLY}
    assert lines[0].keys() == {"id", "text", "meta"}
    assert lines[0]["meta"]["license"] in ("CC-BY-SA-4.0", "LicenseRef-KOGL-1")
    order = [one["id"] for one in lines]
    assert order != sorted(order) and order != [one["id"] for one in read_lines(tmp_path / "b" / "part-00000.jsonl")]


def test_two_exports_have_the_same_bytes(release, tmp_path):
    for plan in (
        Plan(compression="gzip"),
        Plan(compression="zstd", flat=True),
        Plan("megatron", tokenizer="bytes"),
        Plan("mds", BOTH, "bytes", tokens="1K", mix="general=0.5,semiconductor=0.5"),
    ):
        for name in ("a", "b"):
            export(release, tmp_path / plan.format / plan.compression / name, plan)
        folder = tmp_path / plan.format / plan.compression
        assert read_files(folder / "a") == read_files(folder / "b")


def test_the_bytes_do_not_depend_on_the_files_of_the_release(tmp_path):
    rows = [row(i) for i in range(60)]
    for name, files, group, order in (("a", 1, 100, rows), ("b", 4, 3, rows[::-1])):
        release = write_texts(tmp_path / "in" / name, order, files=files, group=group)
        export(release, tmp_path / name, Plan(tokenizer="bytes", tokens="2K"))
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")


def test_a_small_memory_gives_the_same_bytes(tmp_path, monkeypatch):
    release = write_texts(tmp_path / "in", [row(i) for i in range(80)])
    export(release, tmp_path / "a", Plan())
    read = mixture.read_in_order
    monkeypatch.setattr("flows.export.read_in_order", lambda *a: read(*a, bucket=500))
    export(release, tmp_path / "b", Plan())
    one, other = read_files(tmp_path / "a"), read_files(tmp_path / "b")
    assert one["part-00000.jsonl"] == other["part-00000.jsonl"]
    ids = [pq.read_table(tmp_path / name / "ids.parquet") for name in "ab"]
    assert ids[0].equals(ids[1])
    assert one.keys() == other.keys()


def test_files_are_cut_by_size_and_compressed(tmp_path):
    release = write_texts(tmp_path / "in", [row(i) for i in range(50)])
    export(release, tmp_path / "out", Plan(compression="gzip", shard_size=4000))
    files = sorted((tmp_path / "out").glob("part-*.jsonl.gz"))
    contents = [gzip.decompress(path.read_bytes()) for path in files]
    assert len(files) > 3 and all(len(one) <= 4000 for one in contents)
    lines = [json.loads(line) for one in contents for line in one.decode().splitlines()]
    assert Counter(one["id"] for one in lines) == {f"a/{i}": 1 for i in range(50)}
    for found in pq.read_table(tmp_path / "out" / "ids.parquet").to_pylist():
        content = gzip.decompress((tmp_path / "out" / found["file"]).read_bytes())
        assert json.loads(content[found["start"] : found["start"] + found["length"]])["id"] == found["id"]


def test_a_line_is_one_line_for_every_reader(tmp_path):
    text = "가\u2028나\u2029다\x85라\n마\r바"
    export(write_texts(tmp_path / "in", [row(1, text=text)]), tmp_path / "out", Plan())
    (line,) = (tmp_path / "out" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["text"] == text


def test_a_flat_line_has_every_column(release, tmp_path):
    export(release, tmp_path / "out", Plan(flat=True))
    (lines,) = [read_lines(path) for path in (tmp_path / "out").glob("*.jsonl")]
    schema = pa.unify_schemas([pq.read_schema(path) for path in release.glob("data/**/*.parquet")])
    assert list(lines[0]) == schema.names


def read_megatron(folder: Path) -> tuple[list[list[int]], list[int]]:
    """Read token files by the layout that Megatron-Core documents: sequences, and document indices."""
    index, tokens = (folder / "tokens.idx").read_bytes(), (folder / "tokens.bin").read_bytes()
    assert index[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, bounds = struct.unpack("<QBQQ", index[9:34])
    assert version == 1
    letter, width = {8: ("H", 2), 4: ("i", 4)}[code]
    lengths = struct.unpack_from(f"<{sequences}i", index, 34)
    starts = struct.unpack_from(f"<{sequences}q", index, 34 + 4 * sequences)
    indices = struct.unpack_from(f"<{bounds}q", index, 34 + 12 * sequences)
    assert len(index) == 34 + 12 * sequences + 8 * bounds
    assert len(tokens) == width * sum(lengths)
    read = [list(struct.unpack_from(f"<{n}{letter}", tokens, at)) for at, n in zip(starts, lengths, strict=True)]
    return read, list(indices)


def test_megatron_files_are_read_by_their_layout(release, tmp_path):
    facts = export(release, tmp_path / "out", Plan("megatron", tokenizer="bytes"))
    sequences, indices = read_megatron(tmp_path / "out")
    ids = pq.read_table(tmp_path / "out" / "ids.parquet").to_pylist()
    assert indices == list(range(len(sequences) + 1))
    assert [bytes(one[:-1]).decode() for one in sequences] == [TEXTS[one["id"]] for one in ids]
    assert {one[-1] for one in sequences} == {256}
    flat = [token for one in sequences for token in one]
    assert all(flat[one["start"] : one["start"] + one["length"]] == s for one, s in zip(ids, sequences, strict=True))
    assert facts["layout"] == {"dtype": "uint16", "tokens_with_ends": len(flat), "unit": "tokens"}
    assert facts["tokens"] == {"bytes": len(flat) - len(sequences)}


def read_mds(folder: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Read an MDS folder by its layout: (shard, number of the sample) → columns."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index["version"] == 2
    found = {}
    for shard in index["shards"]:
        content = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(content) == shard["raw_data"]["bytes"]
        (count,) = struct.unpack_from("<I", content)
        starts = struct.unpack_from(f"<{count + 1}I", content, 4)
        head = json.loads(content[8 + 4 * count : starts[0]])
        assert head["column_names"] == shard["column_names"] == sorted(shard["column_names"])
        assert count == shard["samples"] and starts[-1] == len(content)
        for number, (start, end) in enumerate(pairwise(starts)):
            names = shard["column_names"]
            sizes = struct.unpack_from(f"<{len(names)}I", content, start)
            at, sample = start + 4 * len(names), {}
            for name, size in zip(names, sizes, strict=True):
                sample[name] = content[at : at + size].decode()
                at += size
            assert at == end
            found[shard["raw_data"]["basename"], number] = sample
    return found


def test_mds_shards_are_read_by_their_layout(release, tmp_path):
    export(release, tmp_path / "out", Plan("mds", shard_size=2500))
    samples = read_mds(tmp_path / "out")
    ids = pq.read_table(tmp_path / "out" / "ids.parquet").to_pylist()
    assert [(one["file"], one["start"]) for one in ids] == list(samples)
    assert [one["id"] for one in samples.values()] == [one["id"] for one in ids]
    assert all(one["text"] == TEXTS[one["id"]] and one["attribution"] for one in samples.values())
    shards = sorted((tmp_path / "out").glob("*.mds"))
    assert len(shards) > 1 and all(path.stat().st_size <= 2500 for path in shards)


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(families=("open",)), lambda r: r["license"] != "CC-BY-SA-4.0"),
        (Selection(licences=("CC0-1.0",)), lambda r: r["license"] == "CC0-1.0"),
        (Selection(), lambda r: r["license"] != "CC-BY-SA-4.0"),
        (Selection(licences=("CC-BY-SA-4.0",)), lambda r: r["license"] == "CC-BY-SA-4.0"),
        (replace(BOTH, domains=("law", "semiconductor")), lambda r: True),
        (
            replace(BOTH, domains=("law",), min_quality=0.5),
            lambda r: r["domain"] == "law" and (r["quality"] or 0) >= 0.5,
        ),
        (replace(BOTH, splits=("train",)), lambda r: r["split"] == "train"),
    ],
)
def test_rows_are_selected_by_their_columns(tmp_path, selection, kept):
    licences = ("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0")
    rows = [
        row(i, license=licences[i % 3], domain="law" if i % 2 else "semiconductor",
            quality=i / 40 if i % 4 else None, split="test" if i % 7 == 0 else "train")
        for i in range(40)
    ]  # fmt: skip
    export(write_texts(tmp_path / "in", rows), tmp_path / "out", Plan(selection=selection))
    found = {one["id"] for one in read_lines(tmp_path / "out" / "part-00000.jsonl")}
    assert found == {one["id"] for one in rows if kept(one)}


def test_texts_for_training_only_need_asking(release, tmp_path):
    for uses, expected in (
        (("redistribute",), OPEN),
        (("train-only",), TRAIN_ONLY),
        (("redistribute", "train-only"), OPEN | TRAIN_ONLY),
    ):
        folder = tmp_path / "-".join(uses)
        export(release, folder, Plan(selection=Selection(uses)))
        assert {one["id"] for one in read_lines(folder / "part-00000.jsonl")} == expected


def test_licences_and_attribution_go_along(release, tmp_path):
    facts = export(release, tmp_path / "out", Plan(selection=Selection(families=("open",))))
    page = (tmp_path / "out" / "LICENSE.md").read_text(encoding="utf-8")
    assert "## LicenseRef-KOGL-1" in page and "CC-BY-SA" not in page and "below `data/`" not in page
    ids = pq.read_table(tmp_path / "out" / "ids.parquet")
    credits = pq.read_table(tmp_path / "out" / "attribution.parquet")
    assert credits["id"].to_pylist() == ids["id"].to_pylist()
    assert all("가나부" in one for one in credits["attribution"].to_pylist())
    assert set(ids["license"].to_pylist()) == {"LicenseRef-KOGL-1"}
    written = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(facts))
    files = {name: hashlib.sha256(c).hexdigest() for name, c in read_files(tmp_path / "out").items()}
    assert {name: sum_ for name, sum_ in files.items() if name != "export.json"} == written["files"]
    assert written["release"]["root"] == json.loads((release / "manifest.json").read_text(encoding="utf-8"))["root"]


def test_full_texts_of_licences_go_along_where_they_must(tmp_path):
    export(write_texts(tmp_path / "in", [row(1, license="GPL-3.0-only")]), tmp_path / "out", Plan())
    assert "GNU GENERAL PUBLIC LICENSE" in (tmp_path / "out/LICENSES/GPL-3.0-only.txt").read_text(encoding="utf-8")


def test_files_with_other_columns_are_read_by_name(tmp_path):
    release = write_texts(tmp_path / "in", [row(i) for i in range(10)])
    write_texts(release, [dict(reversed(row(i, license="CC0-1.0", extra="x").items())) for i in range(10, 20)])
    export(release, tmp_path / "out", Plan(flat=True))
    lines = read_lines(tmp_path / "out" / "part-00000.jsonl")
    assert Counter(one["extra"] for one in lines) == {None: 10, "x": 10}
    assert {one["id"]: one["text"] for one in lines} == {f"a/{i}": row(i)["text"] for i in range(20)}


def test_a_mixture_of_families_is_said(release, tmp_path):
    said = " ".join(explain(tmp_path / "a", export(release, tmp_path / "a", Plan(selection=BOTH))))
    assert "mixes the licence families open, share-alike; --family open keeps one of them" in said
    facts = export(release, tmp_path / "b", Plan(selection=Selection(families=("open",))))
    assert len(list(explain(tmp_path / "b", facts))) == 1


def test_export_and_load_dataset_have_the_same_default_and_what_it_leaves_out_is_said(release, tmp_path):
    facts = export(release, tmp_path / "out", Plan())
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    first = list_configurations(card)[0]
    assert first.name == "default" and [one["family"] for one in facts["by_family"]] == [first.family]
    assert facts["documents"] == first.documents
    assert list(explain(tmp_path / "out", facts))[1] == (
        "Exported is open, the default of load_dataset. Left out: share-alike (7 documents); --family selects families."
    )


@pytest.mark.parametrize("licences", [("CC-BY-SA-4.0", "GPL-3.0-only"), ("GPL-3.0-only",), ("GPL-3.0-only", "MIT")])
def test_a_release_without_open_licences_has_a_default_family_too(tmp_path, licences):
    rows = [row(i, license=licences[i % len(licences)]) for i in range(9)]
    facts = export(write_texts(tmp_path / "in", rows), tmp_path / "out", Plan())
    expected = "open" if "MIT" in licences else "share-alike" if len(licences) > 1 else "copyleft"
    assert [one["family"] for one in facts["by_family"]] == [expected]


def test_an_export_that_fails_leaves_nothing(release, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.export.licence_files", fail)
    with pytest.raises(OSError):
        export(release, tmp_path / "deep" / "out", Plan())
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_release_that_is_damaged_or_changes_is_no_internal_error(tmp_path, monkeypatch):
    release = write_texts(tmp_path / "in", [row(i) for i in range(30)], files=1)
    path = next(release.glob("data/**/*.parquet"))
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes(200) + content[240:])
    with pytest.raises(DataError, match="Run malmoi verify on it"):
        export(release, tmp_path / "out", Plan())
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="Run malmoi verify on it"):
        export(release, tmp_path / "out", Plan())
    path.write_bytes(content)
    read = mixture.read_in_order

    def change(*given):
        write_texts(release, [row(i, id=f"b/{i}") for i in range(30)], files=1)
        return read(*given)

    monkeypatch.setattr("flows.export.read_in_order", change)
    with pytest.raises(DataError, match="changed while it was read"):
        export(release, tmp_path / "out", Plan())
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(release, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(CallError, match="exists; name a folder that does not"):
        export(release, tmp_path / "out", Plan())


LEFT = f".out.{'0' * 32}"


def leave_part(folder: Path) -> Path:
    """The folder of an export that was killed."""
    (folder / LEFT).mkdir()
    (folder / LEFT / "export.json").touch()
    return folder / LEFT


def test_the_leftover_of_a_killed_export_is_deleted_and_what_belongs_to_others_stays(release, tmp_path):
    leave_part(tmp_path)
    (tmp_path / ".out.mine").mkdir()
    export(release, tmp_path / "out", Plan())
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.mine", "out"]


def test_the_folder_of_an_export_that_still_writes_stays(release, tmp_path):
    with (leave_part(tmp_path) / "export.json").open("a") as stream:
        assert try_lock(stream)
        export(release, tmp_path / "out", Plan())
        assert sorted(path.name for path in tmp_path.iterdir()) == [LEFT, "out"]


def test_an_export_that_writes_is_not_deleted_by_another_to_the_same_target(release, tmp_path, monkeypatch):
    read = mixture.read_in_order

    def export_twice(*given):
        monkeypatch.setattr("flows.export.read_in_order", read)
        export(release, tmp_path / "out", Plan())
        return read(*given)

    monkeypatch.setattr("flows.export.read_in_order", export_twice)
    with pytest.raises(CallError, match="exists; name a folder that does not"):
        export(release, tmp_path / "out", Plan())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert read_lines(tmp_path / "out" / "part-00000.jsonl")


def test_every_file_is_on_disk_before_the_folder_has_its_name(release, tmp_path, monkeypatch):
    flushed, fsync, rename = set(), os.fsync, Path.rename

    def note(handle):
        flushed.add(os.fstat(handle).st_ino)
        fsync(handle)

    def check(path, target):
        assert {one.stat().st_ino for one in (path, *path.rglob("*"))} <= flushed
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "rename", check)
    export(release, tmp_path / "out", Plan("mds"))
    assert {tmp_path.stat().st_ino, (tmp_path / "out").stat().st_ino} <= flushed


def test_a_killed_export_leaves_no_folder_of_that_name_and_the_next_one_cleans_up(release, tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from flows import export as e\n"
        "e.licence_files = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "e.export(Path(sys.argv[1]), Path(sys.argv[2]), e.Plan())"
    )
    done = subprocess.run([sys.executable, "-c", code, release, tmp_path / "out"], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.")
    export(release, tmp_path / "out", Plan())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
