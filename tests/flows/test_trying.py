"""`malmoi try` answers every document in order, under the limits of a run, and says which it could not."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows import input_files, try_stage
from flows.run import RECIPES
from malmoi.errors import CallError
from malmoi.limits import PDF_MEMORY, TRY_LINE_BYTES, InputLimit
from malmoi.processes.workers import Workers
from tests.builders.documents.nested_pdf import nested

TEXT = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. " * 4


def answers(stage: str, files: list[Path], jsonl: Path | None = None) -> list[dict[str, Any]]:
    out = io.StringIO()
    try:
        try_stage.run(stage, files, jsonl, "general", out)
    finally:
        answers.out = out.getvalue()  # type: ignore[attr-defined]
    return [json.loads(line) for line in out.getvalue().splitlines()]


def written(folder: Path, **files: bytes) -> list[Path]:
    paths = []
    for name, body in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(body)
        paths.append(path)
    return paths


def test_a_file_that_breaks_its_reader_costs_itself(tmp_path: Path) -> None:
    paths = written(tmp_path, a_txt=TEXT.encode(), b_pdf=nested(), c_txt=TEXT.encode())
    found = answers("extract", paths)
    assert [one["outcome"] for one in found] == ["kept", "dropped", "kept"]
    assert (found[1]["reason"], found[1]["detail"]) == ("archive-bomb", PDF_MEMORY.describe())


def test_xml_with_undeclared_prefixes_does_not_stop_the_files_behind_it(tmp_path: Path) -> None:
    feed = f"<rss><channel><item><image:image>a</image:image><description>{TEXT}</description></item></channel></rss>"
    found = answers("extract", written(tmp_path, a_xml=feed.encode(), b_txt=TEXT.encode()))
    assert [one["outcome"] for one in found] == ["kept", "kept"]


def test_a_file_that_is_missing_a_folder_or_locked_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    first, last = written(tmp_path, a_txt=TEXT.encode(), b_txt=TEXT.encode())
    (tmp_path / "folder").mkdir()
    with pytest.raises(CallError, match=r"2 files could not be read \(.*missing\.txt: No such file"):
        answers("extract", [first, tmp_path / "missing.txt", tmp_path / "folder", last])
    found = [json.loads(line) for line in answers.out.splitlines()]  # type: ignore[attr-defined]
    assert [one["outcome"] for one in found] == ["kept", "failed", "failed", "kept"]
    assert [one.get("detail", "") for one in found] == ["", "No such file or directory", "Is a directory", ""]


@pytest.mark.heavy
def test_the_exit_status_says_that_a_file_could_not_be_read(tmp_path: Path) -> None:
    (path,) = written(tmp_path, a_txt=TEXT.encode())
    call = [sys.executable, "-m", "flows.cli.main", "try", "extract", str(tmp_path / "no.txt"), str(path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["failed", "kept"]
    assert "no.txt: No such file or directory" in done.stderr and "name readable files" in done.stderr


@pytest.mark.heavy
def test_a_document_that_spends_its_budget_is_failed_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.jsonl"
    rows = [{"id": name, "text": TEXT * times} for name, times in (("a", 1), ("long", 10_000), ("c", 1))]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with Workers(1, preload=("flows.try_worker",), cpu_seconds=0.5) as pool:
        monkeypatch.setattr(try_stage, "_pool", pool)
        found = answers("segment", [], path)
    assert [one["id"] for one in found] == ["a", "long", "c"]
    assert found[1] == {"id": "long", "outcome": "failed", "reason": "cpu-limit"}
    assert [one.get("outcome", "answered") for one in found] == ["answered", "failed", "answered"]


def test_a_line_longer_than_the_limit_is_failed_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = InputLimit("try_line_bytes", 1_000, "bytes", TRY_LINE_BYTES.bounds)
    monkeypatch.setattr(input_files, "TRY_LINE_BYTES", limit)
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": name, "text": "a" * size}) for name, size in (("a", 10), ("b", 5_000), ("c", 10))]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = answers("language", [], path)
    assert [one["id"] for one in found] == ["a", "2", "c"]
    assert (found[1]["reason"], found[1]["detail"]) == ("too-large", limit.describe())


def test_a_file_larger_than_the_limit_is_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = InputLimit("try_file_bytes", 100, "bytes", "of a test")
    monkeypatch.setattr(input_files, "TRY_FILE_BYTES", limit)
    first, second = written(tmp_path, a_txt=b"a" * 101, b_txt=b"a" * 100)
    assert [one["outcome"] for one in answers("extract", [first, second])] == ["failed", "kept"]


def test_a_wrong_line_is_named_behind_the_answers_before_it(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "가"}\n{broken\n{"id": "c", "text": "다"}\n', encoding="utf-8")
    with pytest.raises(CallError, match=":2: not a JSON object"):
        answers("language", [], path)
    assert json.loads(answers.out)["id"] == "a"  # type: ignore[attr-defined]


def test_a_field_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(CallError, match="a: the object needs the field 'text'"):
        answers("language", [], path)


def test_a_recipe_that_there_is_not_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="no recipe is called 'none'"):
        try_stage.run("language", written(tmp_path, a_txt=b"a"), None, "none", io.StringIO())


def test_a_recipe_is_found_from_the_folder_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker, which is kept, stands in the folder of the first call; two recipes may share a relative path."""
    lines = tmp_path / "in.jsonl"
    lines.write_text(json.dumps({"id": "a", "text": TEXT}), encoding="utf-8")
    answers("language", [], lines)  # whatever ran before, the worker stands elsewhere
    general = (RECIPES / "general.toml").read_text(encoding="utf-8")
    bare = 'name = "bare"\npurpose = "p"\nunredacted = "x"\n[[clean]]\nfilter = "rights"\n'
    for name, recipe in (("whole", general), ("bare", bare)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.toml").write_text(recipe, encoding="utf-8")
        os.utime(tmp_path / name / "own.toml", (1, 1))
    monkeypatch.chdir(tmp_path / "whole")
    out = io.StringIO()
    try_stage.run("language", [], lines, "own.toml", out)
    assert json.loads(out.getvalue())["language"] == "ko"
    monkeypatch.chdir(tmp_path / "bare")
    with pytest.raises(CallError, match="recipe 'bare' has no filter 'language'"):
        try_stage.run("language", [], lines, "./own.toml", io.StringIO())
    with pytest.raises(CallError, match="recipe 'bare' has no filter 'language'"):
        try_stage.run("language", [], lines, "own.toml", io.StringIO())


def test_a_hundred_documents_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    body = base64.b64encode(nested("cycle")).decode()
    rows = [
        {"id": str(n), "base64": body, "url": "a.pdf"} if n == 50 else {"id": str(n), "html": f"<p>{TEXT}"}
        for n in range(100)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = answers("extract", [], path)
    assert [one["id"] for one in found] == [str(n) for n in range(100)]
    assert [one["id"] for one in found if one["outcome"] != "kept"] == ["50"]


@pytest.mark.heavy
def test_whoever_writes_into_a_pipe_gets_each_answer_before_the_next_line() -> None:
    call = [sys.executable, "-m", "flows.cli.main", "try", "language", "--jsonl", "-"]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        for name in ("a", "b"):
            process.stdin.write(json.dumps({"id": name, "text": TEXT}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == name
        process.stdin.close()
        assert process.wait(timeout=60) == 0
