"""A workspace is a folder of this machine: anything else is refused in words, and nothing is made of its name."""

import errno
import json
import os
import re
from pathlib import Path

import pytest

from flows.cli.main import app, run_guarded
from malmoi.errors import CallError
from malmoi.storage.location import REFUSED_IN_FORMS, find_address, locate
from malmoi.workspace import Workspace
from tests.builders.rows import each_row

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "workspaces.jsonl").read_text(encoding="utf-8").splitlines()
]
READERS = (["status"], ["index"], ["sources"], ["run", "general", "--dry-run"], ["collect", "sample", "--dry-run"])


def is_refused_in_forms(workspace: str) -> bool:
    return any(re.search(pattern, workspace) for pattern in REFUSED_IN_FORMS.values())


def called(*arguments: str) -> int:
    return run_guarded(
        lambda: app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: repr(c["workspace"]))
def test_what_is_no_folder_is_refused_and_not_made(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CallError, match=re.escape(case["says"])):
        locate(case["workspace"])
    assert called("collect", "sample", "--workspace", case["workspace"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", READERS, ids=" ".join)
@pytest.mark.parametrize("workspace", ["", "gs://bucket/ws", "/", "~kim/ws", "ws\0"], ids=repr)
def test_commands_that_only_read_refuse_it_too(command, workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert called(*command, "--workspace", workspace) == 2
    assert f"workspace {workspace!r}" in capsys.readouterr().err
    assert called("why", workspace, "sample/a") == 2
    assert f"workspace {workspace!r}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@each_row("case", [c for c in CASES if c.get("form", True)], ids=lambda c: repr(c["workspace"]))
def test_the_form_of_prefect_refuses_it_too(case):
    assert is_refused_in_forms(case["workspace"])


@pytest.mark.parametrize("place", ["s3://bucket/ws", "s3://my-corpus.example/a/b c/말모이/"])
def test_a_prefix_in_a_bucket_passes_and_its_copy_names_it(place, tmp_path, monkeypatch):
    monkeypatch.setenv("MALMOI_CACHE", str(tmp_path))
    assert not is_refused_in_forms(place)
    assert find_address(locate(place)) == place.rstrip("/")
    assert list(tmp_path.iterdir()) == []


def test_the_copy_of_a_bucket_of_one_service_is_not_taken_for_that_of_another(tmp_path, monkeypatch):
    monkeypatch.setenv("MALMOI_CACHE", str(tmp_path))
    root = locate("s3://bucket/ws")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert locate("s3://bucket/ws") != root
    with pytest.raises(CallError, match="another address than AWS_ENDPOINT_URL names"):
        Workspace.open(root)


@each_row("folder", ["ws", "./ws", "../ws", "데이터/말모이", "a b", "ws.v1", ".ws", "/mnt/share/ws", "/a:b/c"])
def test_folders_pass(folder):
    assert is_refused_in_forms(folder) == folder.startswith("..")
    assert locate(folder) == Path(folder).absolute()


def test_a_folder_whose_name_looks_like_an_address_is_named_by_its_absolute_path(tmp_path):
    with pytest.raises(CallError, match="write its absolute path"):
        locate("runs:1")
    assert Workspace.open(tmp_path / "runs:1").root.is_dir()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOENT])
def test_a_folder_that_cannot_be_made_is_a_wrong_call(tmp_path, monkeypatch, number):
    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(CallError, match=rf"{os.strerror(number)}.*name a folder that you may write to"):
        Workspace.open(tmp_path / "w")


def test_a_workspace_that_may_only_be_read_is_shown_and_not_written(tmp_path, monkeypatch):
    workspace = Workspace.open(tmp_path / "w")
    opened = Path.open

    def refuse(path, mode="r", *rest, **named):
        if "a" in mode:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", refuse)
    assert called("status", "--workspace", str(tmp_path / "w")) == 0
    with pytest.raises(CallError, match="may write to"), workspace.lock():
        pass


def test_a_full_disk_is_no_wrong_call(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(OSError, match="No space left"):
        Workspace.open(tmp_path / "w")
