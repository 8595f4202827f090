"""A release that a stranger made to harm: every command that reads one ends in time, and names the file."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi import limits
from malmoi.releases.verification.sha256sums import seal
from tests.builders.command_process import CommandProcess
from tests.builders.small_release import sealed

SHARD = "data/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet"
SECONDS = 180  # on a busy machine; an idle one takes a tenth
READERS = ("contains --url", "contains --text", "diff", "publish", "export", "tokens", "check", "why")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


@pytest.fixture(scope="module")
def running() -> Iterator[list[CommandProcess]]:
    found: list[CommandProcess] = []
    yield found
    for one in found:
        one.kill()


@pytest.fixture
def commands(running: list[CommandProcess]) -> CommandProcess:
    """The process of the tests before, or a new one if a command had to be killed."""
    if not running or running[-1].process.poll() is not None:
        running.append(CommandProcess())
    return running[-1]


def command(name: str, release: Path, whole: Path) -> list[object]:
    folder = release.parent
    (folder / "work.txt").write_text("어느 글이다. " * 40, encoding="utf-8")
    shutil.rmtree(folder / "out", ignore_errors=True)
    return {
        "verify": ["verify", release],
        "contains --url": ["contains", release, "--url", "https://ga.example.kr/1"],
        "contains --text": ["contains", release, "--text", folder / "work.txt"],
        "diff": ["diff", whole, release],
        "publish": ["publish", release, folder / "out"],
        "export": ["export", release, folder / "out"],
        "tokens": ["tokens", release],
        "check": ["check", release],
        "why": ["why", release, "ga/1"],
    }[name]


def write_long_footer(path: Path) -> None:
    """A file whose footer claims 2 GiB: a hole, which takes no room on the disk."""
    with path.open("wb") as stream:
        stream.write(b"PAR1")
        stream.seek(3 << 30)
        stream.write(struct.pack("<I", (2 << 30) - 256) + b"PAR1")


def write_rows(path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), ["x"])
    pq.write_table(pa.table({"id": column}), path, compression="zstd")


def write_bytes(path: Path) -> None:
    pq.write_table(pa.table({"text": ["0" * 40_000_000] * 4}), path, compression="zstd", use_dictionary=False)


def write_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def write_hole(path: Path) -> None:
    with path.open("ab") as stream:
        stream.truncate(4 << 30)


def link_outside(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


REFUSED: list[tuple[str, str, Callable[[Path], None], str]] = [
    (name, path, make, says)
    for name, make, says, paths in (
        ("a footer of 2 GiB", write_long_footer, limits.VERIFY_FOOTER.describe(), (SHARD, "audit/members.parquet")),
        ("a million rows", write_rows, limits.VERIFY_ROWS.describe(), (SHARD, "audit/sketches.parquet")),
        ("columns that unpack", write_bytes, limits.VERIFY_UNPACKED.describe(), (SHARD,)),
        ("a pipe", write_pipe, "not a plain file", ("manifest.json", SHARD, "audit/licence_evidence.parquet")),
        ("a link", link_outside, "not a plain file", (SHARD, "card.json")),
        ("a file of 4 GiB", write_hole, limits.VERIFY_TEXT.describe(), ("manifest.json", "card.json")),
    )
    for path in paths
]


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize(
    ("path", "make", "says"), [one[1:] for one in REFUSED], ids=[f"{one[0]}: {one[1]}" for one in REFUSED]
)
def test_what_cannot_be_read_safely_is_refused_by_every_command(
    whole: Path, release: Path, commands: CommandProcess, path: str, make: Callable[[Path], None], says: str
) -> None:
    make(release / path)
    for name in READERS:
        status, said = commands.run(*command(name, release, whole), seconds=SECONDS)
        if status == 2:  # a pipe in place of the manifest: that is no release
            assert (path, "manifest.json" in said) == ("manifest.json", True), name
        else:
            assert (status, path in said, says in said) == (1, True, True), (name, said)
    assert not (release.parent / "out").exists()


def edit(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    def apply(release: Path) -> None:
        value = json.loads((release / name).read_text(encoding="utf-8"))
        change(value)
        (release / name).write_text(json.dumps(value), encoding="utf-8")

    return apply


def rename_files(old: str, new: str) -> Callable[[Path], None]:
    return edit("manifest.json", lambda v: [f.update(path=f["path"].replace(old, new)) for f in v["files"]])


def nest(name: str) -> Callable[[Path], None]:
    return lambda release: (release / name).write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8") and None


def repeat_files(value: dict) -> None:
    value["files"] = [value["files"][0] | {"path": f"data/a/b/c/train-{i:05}-of-00002.parquet"} for i in range(50_000)]


def repeat_tables(value: dict) -> None:
    value["tables"] = {f"t{i}": {"columns": [], "rows": [], "sql": "SELECT 1", "inputs": []} for i in range(100_000)}


def write_script(release: Path) -> None:
    (release / "index.html").write_text("<script>alert(1)</script>", encoding="utf-8")


def write_word(name: str) -> Callable[[Path], None]:
    """Strings that repeat one long word: the file is small, and so is each number of its footer."""

    def apply(release: Path) -> None:
        path = release / name
        word = pa.DictionaryArray.from_arrays(pa.array([0] * 90_000, pa.int32()), ["가" * 300_000])
        table = pq.read_table(path, partitioning=None)
        same = {n: pa.array([table[n][0].as_py()] * 90_000, table.schema.field(n).type) for n in table.column_names}
        column = "text" if "text" in same else "quote"
        pq.write_table(pa.table(same | {column: word}), path, compression="zstd", store_schema=False)
        assert path.stat().st_size < 1_000_000

    return apply


HOSTILE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "paths that leave the folder": ("../", rename_files("data/", "data/../../../etc/")),
    "paths with NUL and escapes": ("train", rename_files("train", "tr\0ain\x1b[2J\u202e")),
    "a name that leaves the folder": ("manifest.json", edit("manifest.json", lambda v: v.update(name="../../evil"))),
    "a version with escapes": ("manifest.json", edit("manifest.json", lambda v: v.update(version="1.0.0\x1b[2J"))),
    "deep JSON: manifest": ("manifest.json", nest("manifest.json")),
    "deep JSON: card": ("card.json", nest("card.json")),
    "deep JSON: changes": ("changes.json", nest("changes.json")),
    "deep JSON: withdrawn": ("withdrawn.json", nest("withdrawn.json")),
    "deep JSON: proof": ("erasure_proof.json", nest("erasure_proof.json")),
    "a long number": ("manifest.json", lambda r: (r / "manifest.json").write_text("9" * 10_000_000) and None),
    "50,000 files": ("data/a/b/c/train-00000-of-00002.parquet", edit("manifest.json", repeat_files)),
    "100,000 tables": ("card.json", edit("card.json", repeat_tables)),
    "a page with a script": ("index.html", write_script),
    "a picture with a script": ("x.svg", lambda r: (r / "x.svg").write_text("<svg><script>1</script></svg>") and None),
}


@pytest.mark.one_case_in(5)
@pytest.mark.parametrize(
    "case", [pytest.param(one, marks=[pytest.mark.heavy] if one[0].isdigit() else []) for one in HOSTILE]
)
def test_every_command_ends_in_time_and_steers_no_terminal(
    whole: Path, release: Path, commands: CommandProcess, case: str
) -> None:
    path, make = HOSTILE[case]
    make(release)
    seal(release)
    for name in ("verify", *READERS):
        status, said = commands.run(*command(name, release, whole), seconds=SECONDS)
        assert status in (0, 1, 2), (name, said)  # 3 is a bug, or a call for help
        assert not {"\x1b", "\0", "\u202e"} & set(said), name
        assert name != "verify" or (status, path in said) == (1, True), said[-2000:]
    assert not (release.parent.parent / "evil").exists() and not (release.parent / "evil").exists()


EVIDENCE = "audit/licence_evidence.parquet"
FEW = [(SHARD, "export"), (EVIDENCE, "why")]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("path", "name"),
    [
        *FEW,
        *(
            pytest.param(path, name, marks=pytest.mark.soak)
            for path in (SHARD, EVIDENCE)
            for name in ("verify", *READERS)
            if (path, name) not in FEW
        ),
    ],
)
def test_one_long_word_that_is_repeated_meets_the_limit_of_memory(
    whole: Path, release: Path, commands: CommandProcess, path: str, name: str
) -> None:
    write_word(path)(release)
    status, said = commands.run(*command(name, release, whole), seconds=SECONDS)
    assert status in (0, 1), said
    assert ((path, name) not in FEW) or "cannot be read (ArrowMemoryError)" in said
