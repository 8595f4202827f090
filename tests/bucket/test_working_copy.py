"""A workspace in a bucket: what one machine finishes another has; nothing half done is seen; nobody is overwritten."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from malmoi.errors import CallError, StageError, is_disk_full
from malmoi.ledger import File, Ledger
from malmoi.storage import downloads, lease, working_copy
from malmoi.storage.bucket import Bucket
from malmoi.storage.downloads import CopyRecord
from malmoi.storage.location import find_address, locate
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.workspace import Workspace

Machine = Callable[[str], None]


def fill(text: str, key: str = "k1") -> Callable[[Path], Ledger]:
    def write(folder: Path) -> Ledger:
        (folder / "a.txt").write_text(text)
        return Ledger("3-clean", key, {"a": 1}, {"a": 1}, {}, files=(File("a.txt", "", 1, len(text)),))

    return write


def objects(bucket: Bucket) -> set[str]:
    return {one.path for one in bucket.list_objects()}


def test_an_address_and_its_copy_name_each_other(place: str, machine: Machine) -> None:
    root = locate(place)
    assert root.is_absolute() and find_address(root) == place
    assert locate(root) == root and not root.exists()


def test_the_objects_are_the_files_of_a_workspace(place: str, bucket: Bucket) -> None:
    workspace = Workspace.open(locate(place))
    with workspace.lock():
        workspace.commit("3-clean", "k1", fill("once"))
        workspace.terms.write_text("{}")
        assert "3-clean/k1/ledger.json" in objects(bucket)  # before the run ends
    assert objects(bucket) == {"malmoi.json", "terms.json", "3-clean/k1/a.txt", "3-clean/k1/ledger.json"}
    assert bucket.read("3-clean/k1/a.txt") == (b"once", bucket.read("3-clean/k1/a.txt")[1])  # type: ignore[index]


def test_a_second_machine_has_what_the_first_finished_and_goes_on(place: str, machine: Machine) -> None:
    with (first := Workspace.open(locate(place))).lock():
        first.commit("3-clean", "k1", fill("once"))
    machine("two")
    with (second := Workspace.open(locate(place))).lock():
        assert second.root != first.root and second.ledger("3-clean", "k1") is not None
        second.commit("3-clean", "k2", fill("two", "k2"))
        second.terms.write_text("{}")
    machine("one")
    with first.lock():
        assert first.ledger("3-clean", "k2") is not None and first.terms.read_text() == "{}"


@pytest.mark.parametrize("how", ["the whole copy", "a folder of it"])
def test_a_copy_that_is_deleted_is_downloaded_again(place: str, bucket: Bucket, how: str) -> None:
    with (workspace := Workspace.open(locate(place))).lock():
        workspace.commit("3-clean", "k1", fill("once"))
    before = objects(bucket)
    shutil.rmtree(workspace.root if how == "the whole copy" else workspace.stage("3-clean", ""))
    working_copy.find_copy.cache_clear()
    with (again := Workspace.open(locate(place))).lock():
        assert again.ledger("3-clean", "k1") is not None
    assert objects(bucket) == before


def test_what_a_run_deletes_and_changes_is_so_on_every_machine(place: str, machine: Machine, bucket: Bucket) -> None:
    with (first := Workspace.open(locate(place))).lock():
        first.commit("3-clean", "k1", fill("once"))
        first.terms.write_text("{}")
        (first.stage("3-clean", "k1") / ".facts.json").write_text("about a.txt")
    machine("two")
    with (second := Workspace.open(locate(place))).lock():
        shutil.rmtree(second.stage("3-clean", "k1"))
        second.terms.write_text('{"a": 1}')
    assert objects(bucket) == {"malmoi.json", "terms.json"}
    machine("one")
    Workspace.open(first.root)
    assert first.ledger("3-clean", "k1") is None and first.terms.read_text() == '{"a": 1}'
    assert not first.stage("3-clean", "k1").exists()  # an empty folder would count as damaged


class _Killed(BaseException):
    """What ends a process at once."""


@pytest.mark.parametrize("at", ["a.txt", "ledger.json"])
def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_that_counts(
    place: str, machine: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    workspace = Workspace.open(locate(place))
    send = working_copy.WorkingCopy._send

    def stop(self: working_copy.WorkingCopy, path: str, tag: str) -> str:
        if path.endswith(at):
            raise _Killed
        return send(self, path, tag)

    with monkeypatch.context() as patch, pytest.raises(_Killed), workspace.lock():
        patch.setattr(working_copy.WorkingCopy, "_send", stop)
        workspace.commit("3-clean", "k1", fill("once"))
    assert "3-clean/k1/ledger.json" not in objects(bucket)
    machine("two")
    with (second := Workspace.open(locate(place))).lock():
        assert second.ledger("3-clean", "k1") is None and not second.stage("3-clean", "k1").exists()
    machine("one")
    with workspace.lock():  # the copy still has it, and uploads it
        pass
    assert {"3-clean/k1/a.txt", "3-clean/k1/ledger.json"} <= objects(bucket)


def test_of_what_a_run_deleted_the_first_stage_goes_last_from_the_bucket(
    place: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.open(locate(place))
    with workspace.lock():
        for stage in ("2-documents", "4-judged"):
            (workspace.stage(stage, "k")).mkdir(parents=True)
            for name in ("a.txt", "ledger.json"):
                (workspace.stage(stage, "k") / name).write_text("{}")
        (workspace.report("r").parent).mkdir()
        workspace.report("r").write_text("r")
    gone: list[str] = []
    monkeypatch.setattr(Bucket, "delete", lambda _, paths: gone.extend(sorted(paths)))
    with workspace.lock():
        for stage in ("2-documents", "4-judged"):
            shutil.rmtree(workspace.stage(stage, "k"))
        workspace.report("r").unlink()
    assert gone == [
        "reports/r.html", "4-judged/k/ledger.json", "4-judged/k/a.txt", "2-documents/k/ledger.json",
        "2-documents/k/a.txt", lease.NAME,
    ]  # fmt: skip


def test_a_damaged_record_is_named_and_the_copy_goes_on_without_it(place: str, bucket: Bucket) -> None:
    with (workspace := Workspace.open(locate(place))).lock():
        workspace.commit("3-clean", "k1", fill("once"))
    before, record = objects(bucket), workspace.root / ".bucket.sqlite"
    record.write_bytes(b"no database" * 100)
    with pytest.raises(StageError, match=r"\.bucket\.sqlite: .* delete this file"):
        Workspace.open(workspace.root)
    record.unlink()
    with Workspace.open(workspace.root).lock():
        assert workspace.ledger("3-clean", "k1") is not None
    assert objects(bucket) == before


def test_a_full_disk_under_the_record_is_an_error_of_the_machine(tmp_path: Path) -> None:
    record = CopyRecord(tmp_path / "r")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with pytest.raises(OSError, match="No space left") as found, record._open():
        raise full
    assert is_disk_full(found.value)


def test_a_file_is_flushed_before_the_record_knows_it(
    place: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (first := Workspace.open(locate(place))).lock():
        first.commit("3-clean", "k1", fill("once"))
    machine("two")
    flushed: list[str] = []
    monkeypatch.setattr(downloads, "sync", lambda path: flushed.append(path.name))
    note = working_copy.CopyRecord.note

    def look(self: working_copy.CopyRecord, rows: list[tuple[str, working_copy.Known]]) -> None:
        rows = list(rows)
        assert {Path(path).name for path, _ in rows} <= {*flushed, "malmoi.json"}
        note(self, rows)

    monkeypatch.setattr(working_copy.CopyRecord, "note", look)
    Workspace.open(locate(place))
    assert {"a.txt", "ledger.json", "3-clean", "whole"} <= {*flushed}  # `whole` is the file that becomes malmoi.json


def test_orphans_of_killed_uploads_are_deleted_once_they_are_old(
    place: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.open(locate(place))
    with workspace.lock():
        pass
    bucket.create("3-clean/dead/documents.parquet", b"x")
    bucket.create("1-captures/a/0001/pages.warc.gz.open", b"a crawl that continues")
    with workspace.lock():
        pass
    assert "3-clean/dead/documents.parquet" in objects(bucket)
    monkeypatch.setattr(working_copy, "ORPHAN", working_copy.timedelta(seconds=-1))
    with workspace.lock():
        pass
    assert objects(bucket) == {"malmoi.json", "1-captures/a/0001/pages.warc.gz.open"}
    assert (workspace.captures("a") / "0001" / "pages.warc.gz.open").exists()


@pytest.mark.usefixtures("fast_lease")
def test_of_two_machines_one_runs_and_the_other_is_refused_by_name(place: str, machine: Machine) -> None:
    first = Workspace.open(locate(place))
    with first.lock():
        machine("two")
        second = Workspace.open(locate(place))
        with pytest.raises(CallError, match=r"s3://.* is in use by another run \(process \d+ on "), second.lock():
            pass
    with second.lock():
        pass


@pytest.mark.usefixtures("fast_lease")
def test_of_two_machines_the_second_waits_by_name_until_the_first_has_ended(place: str, machine: Machine) -> None:
    first = Workspace.open(locate(place))
    taken, ended = threading.Event(), threading.Event()

    def run() -> None:
        with request_locks(LockRequest("malmoi curate")), first.lock():
            taken.set()
            ended.wait(60)

    thread = threading.Thread(target=run)
    thread.start()
    assert taken.wait(60)
    machine("two")
    second, shown = Workspace.open(locate(place)), []

    def show(line: str) -> None:
        shown.append(line)
        ended.set()

    with request_locks(LockRequest("malmoi run", 60.0, show)), second.lock():
        assert len(shown) == 1
        assert shown[0].startswith(f"{place} is in use by another run (malmoi curate, process ")
    thread.join()


@pytest.mark.usefixtures("fast_lease")
def test_the_lease_of_a_dead_run_is_taken_over_at_once_on_its_machine_and_after_it_expired_on_another(
    place: str, machine: Machine, bucket: Bucket
) -> None:
    with (first := Workspace.open(locate(place))).lock():
        pass
    mine = working_copy.CopyRecord(first.root / ".bucket.sqlite").read_id()
    bucket.create(lease.NAME, f'{{"copy": "{mine}", "holder": "process 1"}}'.encode())
    with first.lock():
        pass
    bucket.create(lease.NAME, b'{"copy": "of another machine", "holder": "process 1"}')
    with first.lock():
        pass
    assert lease.NAME not in objects(bucket)


@pytest.mark.usefixtures("fast_lease")
def test_a_run_that_lost_its_lease_writes_nothing_more(place: str, machine: Machine, bucket: Bucket) -> None:
    workspace = Workspace.open(locate(place))
    with pytest.raises(StageError, match="the lease of this run has expired"), workspace.lock():
        bucket.delete([lease.NAME])
        bucket.create(lease.NAME, b'{"copy": "of another machine", "holder": "process 1"}')
        working_copy.time.sleep(1.0)
        workspace.commit("3-clean", "k1", fill("once"))
    assert "3-clean/k1/a.txt" not in objects(bucket)
    assert bucket.read(lease.NAME) is not None  # it belongs to the other


def test_what_another_run_changed_is_not_overwritten(place: str, bucket: Bucket) -> None:
    with (workspace := Workspace.open(locate(place))).lock():
        workspace.terms.write_text("{}")
    with pytest.raises(StageError, match=r"terms\.json: was changed by another run"), workspace.lock():
        workspace.terms.write_text('{"mine": 1}')
        bucket.upload("terms.json", workspace.mark)  # by a run that does not respect the lease
    found = bucket.read("terms.json")
    assert found and found[0] == workspace.mark.read_bytes()
    Workspace.open(workspace.root)
    assert workspace.terms.read_text() == '{"mine": 1}'  # a reader leaves it
    with workspace.lock():  # a run takes the change over
        assert workspace.terms.read_bytes() == found[0]


def test_a_prefix_with_objects_of_others_is_not_taken_for_a_workspace(place: str, bucket: Bucket) -> None:
    bucket.create("thesis.txt", b"mine")
    with pytest.raises(CallError, match=r"has the object thesis\.txt .* not a Malmoi workspace"):
        Workspace.open(locate(place))


def test_names_in_any_script_are_kept(place: str, machine: Machine, bucket: Bucket) -> None:
    names = ["말뭉치.html", "a b+c%2F.html", "quarantine-한글 1.jsonl"]
    with (first := Workspace.open(locate(place))).lock():
        for name in names:
            first.report(name).parent.mkdir(exist_ok=True)
            first.report(name).with_name(name).write_text(name)
    machine("two")
    second = Workspace.open(locate(place))
    assert sorted(path.name for path in second.report("").parent.iterdir()) == sorted(names)


def test_a_server_that_does_not_answer_is_named_and_the_secret_is_not(
    place: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malmoi.storage.bucket.ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StageError, match=r"s3://.*: .* Check the bucket, AWS_ENDPOINT_URL") as caught:
        Workspace.open(locate(place))
    assert "test-secret" not in str(caught.value) and "test-key" not in str(caught.value)


def test_wrong_credentials_say_what_to_check(place: str, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong-key")
    with pytest.raises(StageError, match=r"Check the bucket, .* AWS_ACCESS_KEY_ID") as caught:
        Workspace.open(locate(place))
    assert "wrong-key" not in str(caught.value)
