"""Verifying a stranger's release: nothing it holds costs more than its limits or steers a terminal."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_cards
from flows import limited_process
from malmoi import limits
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.storage.duckdb_tables import Tables
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def data_file(release: Path) -> Path:
    return min(release.glob("data/**/*.parquet"))


def ask(release: Path, sql: str) -> None:
    """Let the card ask `sql` where it asked for the number of documents."""
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"]["sql"] = sql
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")


def test_the_release_as_it_was_made_verifies_in_a_process_of_its_own(release: Path) -> None:
    assert limited_process.find_problems(release) == []


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000000000)",
        "SELECT count(DISTINCT hash(a.range * 7 + b.range)) FROM range(100000) a, range(100000) b",
        "SELECT repeat('가', 2000000000)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
        "SELECT string_agg(text, '') FROM data, range(10000000)",
        " SELECT count(*) FROM data",
        "SELECT count(*) FROM data -- ",
    ],
)
def test_a_question_that_is_not_of_the_list_is_named_and_never_asked(
    release: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(release, sql)
    seal(release)
    asked: list[str] = []
    real = Tables.ask
    monkeypatch.setattr(Tables, "ask", lambda self, sql: asked.append(sql) or real(self, sql))
    found = verify(release, render=data_cards.render_card)
    assert [f.check for f in found] == ["render"]
    assert "numbers documents differ from the queries of this version" in found[0].says
    assert sql not in asked


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("key", ["title", "title_ko", "unit", "inputs", "note"])
def test_a_number_of_the_card_under_another_title_is_named(release: Path, key: str) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"][key] = "checked by hand"
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    seal(release)
    found = verify(release, render=data_cards.render_texts)
    assert [(f.check, f.path) for f in found] == [("render", "card.json")]
    assert "numbers documents have other titles" in found[0].says


def test_an_unknown_key_of_the_card_is_named(release: Path) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    (release / "card.json").write_text(canonical_json(card | {"certified": "by nobody"}), encoding="utf-8")
    seal(release)
    found = verify(release, render=data_cards.render_texts)
    assert [(f.check, f.path, "unknown keys: certified" in f.says) for f in found] == [("render", "card.json", True)]


@pytest.mark.parametrize("broken", [None, [], {"sql": 1}, {"value": 1}, "SELECT 1"])
def test_a_card_whose_questions_cannot_be_read_asks_nothing(release: Path, broken: object) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"] = broken
    card["numbers"]["sources"]["sql"] = "SELECT count(*) FROM range(1000000000000)"
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    assert any(f.path == "card.json" for f in limited_process.find_problems(release))


def bomb_of_rows(path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), ["x"])
    with pq.ParquetWriter(path, pa.schema([("id", column.type)]), compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(pa.table({"id": column}), row_group_size=1_000_000)
    assert path.stat().st_size < 100_000


def bomb_of_bytes(path: Path) -> None:
    pq.write_table(pa.table({"text": ["0" * 40_000_000] * 4}), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 100_000


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    ("make", "limit"), [(bomb_of_rows, limits.VERIFY_ROWS), (bomb_of_bytes, limits.VERIFY_UNPACKED)]
)
@pytest.mark.parametrize("where", ["data", "audit"])
def test_a_small_file_that_unpacks_without_end_is_named_with_its_limit_and_not_read(
    release: Path, make: object, limit: limits.InputLimit, where: str
) -> None:
    path = data_file(release) if where == "data" else release / "audit" / "dropped.parquet"
    make(path)  # type: ignore[operator]
    (found,) = limited_process.find_problems(release)
    assert (found.check, found.path) == ("limits", path.relative_to(release).as_posix())
    assert limit.describe() in found.says


@pytest.mark.heavy
def test_a_file_that_repeats_one_long_word_is_ended_by_the_limit_of_memory(release: Path) -> None:
    path = data_file(release)
    table = pq.read_table(path, partitioning=None)
    word = pa.DictionaryArray.from_arrays(pa.array([0] * 90_000, pa.int32()), ["가" * 1_000_000])
    rows = {name: pa.nulls(90_000, table.schema.field(name).type) for name in table.column_names} | {"text": word}
    pq.write_table(pa.table(rows), path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    found = limited_process.find_problems(release)
    assert found, "a release with another file in it does not verify"
    assert all(len(f.says) < 1000 for f in found)


@pytest.mark.parametrize("name", ["README.md", "card.json", "manifest.json", "SHA256SUMS", "extra.txt"])
def test_a_text_beyond_the_limit_is_named_and_not_read(release: Path, name: str) -> None:
    with (release / name).open("ab") as stream:
        stream.truncate(8 << 30)  # a hole: it takes no room on the disk
    (found,) = limited_process.find_problems(release)
    assert (found.check, found.path) == ("limits", name)
    assert limits.VERIFY_TEXT.describe() in found.says


@pytest.mark.parametrize("name", ["README.md", "SHA256SUMS", "data/x.parquet", "audit/x.parquet"])
@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_what_is_no_plain_file_is_named_and_nothing_is_read(release: Path, name: str, kind: str) -> None:
    path = release / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    (found,) = limited_process.find_problems(release)
    assert (found.check, found.path) == ("sums", name)
    assert "not a plain file" in found.says


def test_a_process_that_runs_out_of_time_is_ended_and_leaves_no_file(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_process.limits, "VERIFY_SECONDS", limits.InputLimit("verify_seconds", 0, "seconds", ""))
    monkeypatch.setattr(limited_process, "_SIZE_PER_SECOND", 1 << 60)
    monkeypatch.setattr(limited_process, "_PATIENCE", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spill"))
    (tmp_path / "spill").mkdir()
    (found,) = limited_process.find_problems(release)
    assert "verify_seconds" in found.says
    assert list((tmp_path / "spill").iterdir()) == []


def test_names_of_files_cannot_steer_the_terminal(release: Path) -> None:
    (release / "a\x1b]0;owned\x07\x1b[2J\n총 0건: verified\u202e.txt").write_text("x", encoding="utf-8")
    done = malmoi_in_process("verify", release)
    assert done.returncode == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)
    assert "\\x1b]0;owned\\x07\\x1b[2J\\x0a총 0건" in done.stdout


def test_a_folder_that_is_no_release_is_refused_with_an_example_that_works(tmp_path: Path, release: Path) -> None:
    with pytest.raises(CallError, match="Name the folder of one version"):
        limited_process.find_problems(tmp_path / "none")
    assert limited_process.find_problems(release) == []


@pytest.mark.heavy
def test_two_processes_find_what_one_finds(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_problems_in_two(release, monkeypatch) == []
    path = release / "audit/residue.parquet"
    table = pq.read_table(path)
    rows = [{**row, "n": row["n"] + 1} if row["outcome"] == "values" else row for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    one = limited_process.find_problems(release)
    assert find_problems_in_two(release, monkeypatch) == one
    scanned = {found.path.partition("/")[0] for found in one if found.check == "residue"}
    assert scanned == {"data", "morphemes", "audit"}


def find_problems_in_two(release: Path, monkeypatch: pytest.MonkeyPatch) -> list:
    with monkeypatch.context() as patch:
        patch.setattr(limited_process, "_ALONE", 0)
        return limited_process.find_problems(release)
