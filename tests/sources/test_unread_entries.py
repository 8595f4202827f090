"""An entry that the functions of a source cannot read costs one document; a source that reads few of them stops."""

import io
import json
import shlex
from pathlib import Path

import pytest

from crawlers.withdrawn import drop
from flows import why
from flows.collect import collect
from flows.console import SafeConsole
from flows.curate import Curated, curate
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.probing.forecast import forecast, read_results
from flows.probing.probe_source import probe
from flows.purge import purge_stages
from flows.run import recipe_of
from malmoi.archive import collection
from malmoi.archive.capture import warc_record
from malmoi.erasure.tombstones import Matcher, Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.errors import SourceError, StageError
from malmoi.ledger import Failure, Ledger, total
from malmoi.statistics import Sample
from malmoi.storage import shard
from malmoi.workspace import Workspace

WHEN = "2030-01-02T03:04:05Z"
BASE = "https://data.example/entry"
ERROR_PAGE = "<!doctype html><html><body><p>잠시 후 다시 시도하십시오.</p></body></html>".encode()
TEXT = "맑은 날에는 창문을 열고 책을 말린다. "
SOURCE = """
import json
from pathlib import Path
from crawlers import tables
from crawlers.formats.unreadable import Unreadable
from malmoi.errors import CaptureError
from malmoi.source import Extracted, Item, LicenceRule, Source, Warc
SOURCE = Source("rows", "견본", "발행처", Warc((Path({place!r}),)),
    rule=LicenceRule(("field",), fields=("이용조건",), expected=("LicenseRef-KOGL-1",)))
"""
BY_ROWS = """
def items(capture):
    return tables.rows(capture, text="본문", key="no", licence="이용조건")
"""
BY_HAND = """
def items(capture):
    for entry in json.loads(capture.body):
        yield Item(entry["no"], capture.url, entry["본문"], "text/plain", "", capture.record)
"""


def entry(number: int, **changes: object) -> dict[str, object]:
    return {"no": f"e{number}", "본문": f"{number} {TEXT}", "이용조건": "공공누리 제1유형"} | changes


def write(folder: Path, functions: str, answers: dict[str, bytes]) -> str:
    """Write an archive of answers and a source of it; returns the path of the source."""
    (folder / "warc").mkdir()
    json_type = (("Content-Type", "application/json"),)
    records = [warc_record(f"{BASE}/{name}", WHEN, 200, json_type, body) for name, body in answers.items()]
    (folder / "warc" / "a.warc").write_bytes(b"".join(records))
    path = folder / "rows.py"
    path.write_text(SOURCE.format(place=str(folder / "warc")) + functions, encoding="utf-8")
    return str(path)


def run(folder: Path, *names: str) -> tuple[Curated, str]:
    """Collect and curate sources; returns the result and the words of the run."""
    said = io.StringIO()
    progress = Progress(SafeConsole(file=said, width=2_000))
    for name in names:
        collect(Workspace.open(folder / "w"), name, progress)
    worker_pool.close()  # a worker keeps the functions of a source that it has loaded
    done = curate(Workspace(folder / "w"), recipe_of("general"), names, thread_mapper(1), progress)
    return done, said.getvalue()


def ids(folder: Path, ledgers: tuple[Ledger, ...], name: str) -> list[str]:
    tables = [shard.read(Workspace(folder / "w").stage("2-documents", one.key) / name) for one in ledgers]
    return [id for table in tables for id in table["id"].to_pylist()]


def lines(*rows: dict[str, object]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def explain(folder: Path, id: str) -> str:
    out = io.StringIO()
    why.show(folder / "w", id, SafeConsole(file=out, width=2_000))
    return out.getvalue()


def renamed(number: int) -> bytes:
    row = entry(number)
    return lines({"내용" if name == "본문" else name: value for name, value in row.items()})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ERROR_PAGE, "this is html, not a table"),
        (renamed(3), "there is no column '본문' for text. Found: no, 내용, 이용조건"),
        (lines(entry(3, no="")), "the row has no key in column 'no'"),
        (b'[{"no": 1', "broken JSON"),
    ],
)
def test_a_bad_entry_is_one_dropped_document_and_its_error_is_kept(tmp_path: Path, body: bytes, words: str) -> None:
    answers = {f"{n}": lines(entry(n)) for n in range(3)} | {"3": body}
    done, said = run(tmp_path, write(tmp_path, BY_ROWS, answers))
    ledgers = done.ledgers("2-documents")
    _, kept, dropped, failed = total(ledgers)
    assert (kept.total(), dict(dropped), failed) == (3, {("rows", "extract", "unreadable-table"): 1}, [])
    assert ids(tmp_path, ledgers, "dropped.parquet") == [f"rows/{BASE}/3"]
    assert f"rows: 1 of 4 documents could not be read (unreadable-table 1), first rows/{BASE}/3: " in said
    assert words in said and f"malmoi why {shlex.quote(str(tmp_path / 'w'))} rows/{BASE}/3" in said
    shown = explain(tmp_path, f"rows/{BASE}/3")
    assert "dropped by extract: unreadable-table" in shown and words in shown


def test_the_rows_of_a_lost_answer_weigh_as_rows(tmp_path: Path) -> None:
    renamed_rows = [{"내용" if name == "본문" else name: value for name, value in entry(n).items()} for n in range(5)]
    answers = {"1": lines(*map(entry, range(5, 12))), "2": lines(*renamed_rows)}
    _, said = run(tmp_path, write(tmp_path, BY_ROWS, answers))
    assert "rows: 5 of 12 documents could not be read (unreadable-table 5), first rows/" in said
    (tmp_path / "b").mkdir()
    answers = {"1": lines(*map(entry, range(5, 9))), "2": lines(*renamed_rows)}
    with pytest.raises(SourceError, match="5 of 9 documents could not be read"):
        run(tmp_path / "b", write(tmp_path / "b", BY_ROWS, answers))


@pytest.mark.parametrize(
    ("functions", "why_failed", "words"),
    [
        (BY_HAND, "error:KeyError", "KeyError: '본문' (rows.py, line "),
        (BY_HAND.replace('["본문"]', '.get("본문") + ""'), "error:TypeError", "TypeError: unsupported operand"),
        (
            BY_HAND.replace('["본문"]', '["no"] if "본문" in entry else [].index(0)'),
            "error:ValueError",
            "ValueError: 0",
        ),
    ],
)
def test_a_bug_of_a_function_is_a_failed_document_with_its_line(
    tmp_path: Path, functions: str, why_failed: str, words: str
) -> None:
    answers = {f"{n}": lines(entry(n)) for n in range(3)} | {"3": renamed(3)}
    done, said = run(tmp_path, write(tmp_path, functions, answers))
    _, kept, dropped, failed = total(done.ledgers("2-documents"))
    assert (
        kept.total() == 3 and not dropped and [(one.id, one.why) for one in failed] == [(f"rows/{BASE}/3", why_failed)]
    )
    # The message may quote the document, so only `why` shows it.
    name = why_failed.removeprefix("error:")
    assert f"({why_failed} 1), first rows/{BASE}/3: {name} (rows.py, line " in said and words not in said
    assert words in explain(tmp_path, f"rows/{BASE}/3")


def test_what_a_generator_gave_before_an_error_stays_under_the_same_ids(tmp_path: Path) -> None:
    rows = [entry(n) for n in range(5)]
    del rows[3]["본문"]
    name = write(tmp_path, BY_HAND, {"a": lines(*rows), "b": lines(entry(7)), "c": lines(entry(8))})
    done, said = run(tmp_path, name)
    ledgers = done.ledgers("2-documents")
    assert ids(tmp_path, ledgers, "documents.parquet") == ["rows/e0", "rows/e1", "rows/e2", "rows/e7", "rows/e8"]
    assert [one.id for one in total(ledgers)[3]] == [f"rows/{BASE}/a#after-3"]
    assert "1 of 6 documents could not be read" in said


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        ('CaptureError("no heading")', "unreadable-capture"),
        ('Unreadable("damaged")', "damaged"),
        ('KeyError("heading")', ""),
    ],
)
def test_an_error_of_text_costs_its_own_item(tmp_path: Path, raised: str, reason: str) -> None:
    text = f"""
def text(parsed):
    if parsed.item.key == "e1":
        raise {raised}
    return Extracted(parsed.item.body)
"""
    done, _ = run(tmp_path, write(tmp_path, BY_HAND + text, {"a": lines(*(entry(n) for n in range(4)))}))
    ledgers = done.ledgers("2-documents")
    assert ids(tmp_path, ledgers, "documents.parquet") == ["rows/e0", "rows/e2", "rows/e3"]
    _, _, dropped, failed = total(ledgers)
    assert dict(dropped) == ({("rows", "extract", reason): 1} if reason else {})
    assert [(one.id, one.why) for one in failed] == ([] if reason else [("rows/e1", "error:KeyError")])


@pytest.mark.parametrize("functions", [BY_ROWS, BY_HAND])
def test_a_source_most_of_whose_entries_cannot_be_read_stops_with_the_first_error(
    tmp_path: Path, functions: str
) -> None:
    answers = {"0": lines(entry(0)), "1": renamed(1), "2": renamed(2)}
    name = write(tmp_path, functions, answers)
    words = (
        r"rows: 2 of 3 documents could not be read \((.+) 2\), first rows/https://data.example/entry/1: "
        r".*(?:본문|KeyError).*rows.py"
    )
    with pytest.raises(SourceError, match=words):
        run(tmp_path, name)
    with pytest.raises(SourceError) as raised:
        forecast(Workspace.open(tmp_path / "f"), name, recipe_of("general"), Sample(9), Progress(quiet=True))
    assert "documents could not be read" in str(raised.value) and "malmoi why" not in str(raised.value)
    path = Path(name)
    path.write_text(path.read_text("utf-8") + BY_HAND.replace('["본문"]', '.get("본문", entry.get("내용"))'), "utf-8")
    done, said = run(tmp_path, name)
    assert total(done.ledgers("2-documents"))[1].total() == 3 and "could not be read" not in said


def test_many_failures_of_a_shard_name_the_first_error(tmp_path: Path) -> None:
    answers = {f"{n}": lines(entry(n)) if n < 30 else renamed(n) for n in range(45)}
    with pytest.raises(StageError, match=r"\d+ of \d+ documents of shard .* first rows/.*: KeyError \(rows.py, "):
        run(tmp_path, write(tmp_path, BY_HAND, answers))


def test_the_other_sources_are_extracted_before_the_run_stops(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir(), bad.mkdir()
    one = write(good, BY_ROWS, {"0": lines(entry(0))})
    other = write(bad, BY_ROWS, {"0": renamed(0)})
    Path(other).write_text(Path(other).read_text("utf-8").replace('"rows"', '"other"'), "utf-8")
    with pytest.raises(SourceError, match=r"^other: 1 of 1 document could not be read"):
        run(tmp_path, one, other)
    workspace = Workspace(tmp_path / "w")
    found = [workspace.ledger("2-documents", path.name) for path in workspace.shards("2-documents")]
    assert total([one for one in found if one])[1] == {"rows": 1}


def test_an_archive_without_functions_may_hold_anything(tmp_path: Path) -> None:
    done, said = run(tmp_path, write(tmp_path, "", {"0": b'{"a": 1}', "1": b'{"a": 2}', "2": b'{"a": 3}'}))
    assert dict(total(done.ledgers("2-documents"))[2]) == {("rows", "extract", "unreadable-table"): 3}
    assert "rows: 3 of 3 documents could not be read" in said and "no column is called text" in said


def test_entries_are_tried_again_when_the_source_changes_and_an_erasure_finds_them(tmp_path: Path) -> None:
    answers = {"0": lines(entry(0), entry(1)), "1": lines(entry(2)), "2": renamed(3)}
    name = write(tmp_path, BY_HAND, answers)
    done, _ = run(tmp_path, name)
    workspace = Workspace(tmp_path / "w")
    (failed,) = total(done.ledgers("2-documents"))[3]
    runs = collection.runs(workspace.captures("rows"))
    rows = [row for _, held in collection.select_current(runs) for row in held]
    units, _ = read_results(workspace, done, rows, {})
    assert units[failed.url]["dropped: failed: error:KeyError"] == 1
    assert purge_stages(workspace, {f"{BASE}/2"}) >= 1, "by the address of its capture"
    Path(name).write_text(Path(name).read_text("utf-8") + BY_HAND.replace('"본문"', "min(entry)"), "utf-8")
    done, said = run(tmp_path, name)
    assert not total(done.ledgers("2-documents"))[3] and "could not be read" not in said


def test_the_probe_names_the_error_of_an_entry(tmp_path: Path) -> None:
    name = write(tmp_path, BY_HAND, {"0": renamed(0), "1": renamed(1)})
    found = probe(Workspace(tmp_path / "w"), name)
    says = {one.field: one.says for one in found.checks}
    assert found.outcome == "differs" and "KeyError (rows.py, line " in says["reading"]


def test_a_withdrawn_entry_that_failed_loses_its_name_and_the_words_of_its_error() -> None:
    key, value = b"k" * 32, "010-9999-0000"
    failed = Failure("rows/e1", "rows", "error:KeyError", f"{BASE}/1", f"KeyError: '{value}' (rows.py, line 3)")
    by_value = Matcher([Tombstone("value", digest_value(value, key), "2030-01-02", "요청")], key)
    by_id = Matcher([Tombstone("id", "rows/e1", "2030-01-02", "요청")], key)
    for matcher in (by_value, by_id):
        dropped = drop(failed, matcher)
        assert isinstance(dropped, Failure) and dropped.why == failed.why
        assert dropped.id != failed.id and not dropped.url and not dropped.detail
    assert drop(failed, Matcher([Tombstone("id", "rows/e2", "2030-01-02", "요청")], key)) == failed
