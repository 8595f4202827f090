"""Git sources on loopback: one commit becomes records, and a hostile repository gets no further than a count."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawlers.catalogue import Definition
from crawlers.fetch import git_collector, git_repository
from crawlers.fetch.archive import CLOSED, OPEN
from crawlers.fetch.job import Job
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi import limits
from malmoi.archive import capture, collection
from malmoi.errors import CallError, HostError, SourceError
from malmoi.source import Git, LicenceClaim, Manners, Source
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_repository import COMMITTED, Served, serve

ROOT = Path(__file__).parents[2]
LICENCE = {"LICENSE": b"The MIT License."}
PAGES = {"ko/a.md": "# 가\n글".encode(), "ko/deep/b.md": "# 나\n글".encode(), "en/c.md": b"# c"}
CLAIM = (LicenceClaim("MIT", "The MIT License", file="LICENSE"),)
PRIVATE = "10.1.2.3"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path / "served") as repository:
        yield repository


def bound(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    """Put another value into a limit of repositories, wherever it is read."""
    for module in (git_collector, git_repository):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, replace(getattr(limits, name), value=value))


def source(served: Served, access: Git | None = None, **said: Any) -> Source:
    access = access or Git(served.url, include=("ko/**/*.md",))
    manners = Manners(loopback=(served.base.removeprefix("http://"),))
    return Source("small", "t", "p", access, **{"claim": CLAIM, "manners": manners, **said})


def run(folder: Path, given: Source, *earlier: Path, limit: int | None = None, **said: Any) -> dict[str, Any]:
    """Collect into `folder`; returns the stats."""
    assert isinstance(given.access, Git)
    git_collector.collect(Job("small", folder, earlier, limit, **said), Definition(given), given.access)
    stats: dict[str, Any] = json.loads((folder / "stats.json").read_text())
    return stats


def records(folder: Path, served: Served) -> dict[str, bytes]:
    """Path below the repository → body."""
    found = list(capture.scan(folder / CLOSED))
    assert not [entry for entry in found if isinstance(entry, capture.Torn)]
    return {e[2].url.removeprefix(served.url): e[2].body for e in found if not isinstance(e, capture.Torn)}


def test_a_commit_becomes_a_record_for_each_file_that_the_globs_choose(tmp_path, served):
    commit = served.commit(LICENCE | PAGES)
    stats = run(tmp_path / "run", source(served), contact="corpus@example.kr")
    assert records(tmp_path / "run", served) == {
        "/blob/main/LICENSE": b"The MIT License.",
        "/blob/main/ko/a.md": PAGES["ko/a.md"],
        "/blob/main/ko/deep/b.md": PAGES["ko/deep/b.md"],
    }
    assert (stats["commit"], stats["pages"], stats["fetched"], stats["finished"]) == (commit, 2, 3, "finished")
    assert served.agents == {"Malmoi/0.1 (+corpus@example.kr)"}
    assert not (tmp_path / "run" / git_collector.FOLDER).exists() and not (tmp_path / "run" / OPEN).exists()


def test_a_record_has_the_media_type_of_its_ending_and_the_date_of_the_commit(tmp_path, served):
    served.commit(LICENCE | PAGES)
    run(tmp_path / "run", source(served))
    rows, _ = capture.index(tmp_path / "run" / CLOSED, CLOSED)
    assert {(row.kind, row.fetched, row.status) for row in rows} == {("resource", COMMITTED, 200)}
    assert {row.media for row in rows} == {"text/markdown", "application/octet-stream"}


def test_equal_commits_give_equal_bytes(tmp_path, served):
    served.commit(LICENCE | PAGES)
    run(tmp_path / "one", source(served))
    run(tmp_path / "two", source(served))
    assert (tmp_path / "one" / CLOSED).read_bytes() == (tmp_path / "two" / CLOSED).read_bytes()


def test_the_history_is_not_fetched(tmp_path, served, monkeypatch):
    first = served.commit(LICENCE | PAGES)
    second = served.git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "m")
    served.git("update-ref", "refs/heads/main", second)
    seen = []
    head = git_repository.head
    count = ("rev-list", "--count", git_repository.HEAD)

    def spy(repository):
        seen.append(git_repository.run_command(repository, repository.command(*count)).strip())
        return head(repository)

    monkeypatch.setattr(git_repository, "head", spy)
    assert run(tmp_path / "run", source(served))["commit"] == second
    assert seen == [b"1"]


def test_a_pinned_commit_is_taken_even_when_the_branch_has_gone_on(tmp_path, served):
    old = served.commit(LICENCE | PAGES)
    served.commit(LICENCE | {"ko/a.md": b"new"})
    pinned = source(served, Git(served.url, include=("ko/**/*",), commit=old))
    assert run(tmp_path / "run", pinned)["commit"] == old
    assert records(tmp_path / "run", served)["/blob/main/ko/a.md"] == PAGES["ko/a.md"]


def test_names_are_percent_encoded_in_addresses(tmp_path, served):
    served.commit(LICENCE | {"ko/가 #1?.md": b"x"})
    run(tmp_path / "run", source(served))
    assert "/blob/main/ko/%EA%B0%80%20%231%3F.md" in records(tmp_path / "run", served)


def test_the_same_commit_again_writes_nothing_but_the_licence(tmp_path, served):
    served.commit(LICENCE | PAGES)
    run(tmp_path / "1", source(served))
    stats = run(tmp_path / "2", source(served), tmp_path / "1")
    assert set(records(tmp_path / "2", served)) == {"/blob/main/LICENSE"}
    assert (stats["not_modified"], stats["gone"], stats["pages"]) == (2, [], 2)


def test_without_a_claim_the_archive_of_an_unchanged_commit_is_still_an_archive(tmp_path, served):
    served.commit(PAGES)
    run(tmp_path / "1", source(served, claim=()))
    run(tmp_path / "2", source(served, claim=()), tmp_path / "1")
    assert capture.index(tmp_path / "2" / CLOSED, CLOSED) == ([], [])


def test_a_later_commit_brings_what_is_new_and_names_what_is_gone_and_what_came_back(tmp_path, served):
    served.commit(LICENCE | PAGES)
    run(tmp_path / "1", source(served))
    served.commit(LICENCE | {"ko/a.md": b"changed", "ko/new.md": b"new"})
    second = run(tmp_path / "2", source(served), tmp_path / "1")
    assert second["gone"] == [f"{served.url}/blob/main/ko/deep/b.md"]
    assert set(records(tmp_path / "2", served)) == {
        "/blob/main/LICENSE", "/blob/main/ko/a.md", "/blob/main/ko/new.md"
    }  # fmt: skip
    served.commit(LICENCE | PAGES)
    third = run(tmp_path / "3", source(served), tmp_path / "1", tmp_path / "2")
    assert third["gone"] == [f"{served.url}/blob/main/ko/new.md"]
    assert "/blob/main/ko/deep/b.md" in records(tmp_path / "3", served)


def test_a_limit_takes_the_first_files_and_says_nothing_of_the_rest(tmp_path, served):
    served.commit(LICENCE | PAGES)
    run(tmp_path / "1", source(served))
    stats = run(tmp_path / "2", source(served), tmp_path / "1", limit=1)
    assert (stats["finished"], stats["gone"], stats["not_modified"]) == ("limit", [], 1)


def test_the_workspace_follows_a_repository_from_commit_to_commit(tmp_path, served):
    path = tmp_path / "small.py"
    path.write_text(
        "from malmoi.source import *\n"
        f"SOURCE = Source('small', 't', 'p', Git({served.url!r}, include=('ko/**/*.md',)),\n"
        "    claim=(LicenceClaim('MIT', 'The MIT License', file='LICENSE'),), rule=LicenceRule(('project-licence',)),\n"
        f"    manners=Manners(loopback=({served.base.removeprefix('http://')!r},)))\n"
    )
    workspace = Workspace.open(tmp_path / "w")
    served.commit(LICENCE | PAGES)
    first = collect(workspace, str(path), Progress())
    served.commit(LICENCE | {"ko/a.md": b"changed"})
    second = collect(workspace, str(path), Progress())
    assert [(c.new, c.gone, c.current) for c in (first, second)] == [(2, 0, 2), (1, 1, 1)]
    runs = collection.runs(workspace.captures("small"))
    assert [run.facts["commit"] for run in runs] == [runs[0].facts["commit"], served.git("rev-parse", "main")]
    assert [run.facts["listed"] for run in runs] == [2, 1]
    served.commit(LICENCE)
    with pytest.raises(SourceError, match="its commit has 0 entries, and had 1 before"):
        collect(workspace, str(path), Progress())
    assert list(collection.licence_records(runs)) == ["LICENSE"]


def test_a_licence_file_that_is_gone_stops_the_source(tmp_path, served):
    served.commit(PAGES | {"ko/LICENSE": b"The MIT License."})
    with pytest.raises(SourceError, match=r"small: the licence file LICENSE is not in commit"):
        run(tmp_path / "run", source(served))


def test_links_submodules_and_names_that_are_none_are_counted_and_left_out(tmp_path, served):
    link = served.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    commit = served.commit(PAGES)
    served.commit(
        LICENCE | PAGES | {b"ko/\xb0\xa1.md": b"cp949", "ko/back\\slash.md": b"x", "ko/line\nbreak.md": b"x"},
        ("120000", link, b"ko/link.md"), ("160000", commit, b"ko/module.md"),
    )  # fmt: skip
    stats = run(tmp_path / "run", source(served))
    assert stats["left_out"] == {
        "symbolic-link": 1, "submodule": 1, "name-not-utf-8": 1, "name-leads-out": 2
    }  # fmt: skip
    assert stats["pages"] == 2
    assert not any(b"root:" in body for body in records(tmp_path / "run", served).values())


@pytest.mark.parametrize("name", [b"ko/../../up.md", b"..", b"ko/.git/config", b"."])
def test_a_path_that_leads_out_is_refused_by_git_or_left_out(tmp_path, served, name):
    served.commit(LICENCE | PAGES | {name: b"out"})
    try:
        stats = run(tmp_path / "run", source(served, Git(served.url)))
    except SourceError as error:
        assert "could not be fetched" in str(error)
    else:
        assert stats["left_out"] == {"name-leads-out": 1}
    assert not [path for path in tmp_path.rglob("*") if path.name == "up.md"]


def test_a_huge_file_is_counted_and_left_out(tmp_path, served, monkeypatch):
    bound(monkeypatch, "GIT_FILE", 1000)
    served.commit(LICENCE | {"ko/just.md": b"x" * 1000, "ko/over.md": b"x" * 1001, "ko/huge.md": b"y" * 100_000})
    stats = run(tmp_path / "run", source(served))
    assert stats["left_out"] == {"too-large": 2} and stats["pages"] == 1


def test_a_host_that_filters_nothing_gives_the_same(tmp_path, served, monkeypatch):
    bound(monkeypatch, "GIT_FILE", 1000)
    served.git("config", "uploadpack.allowFilter", "false")
    served.commit(LICENCE | {"ko/just.md": b"x" * 1000, "ko/over.md": b"x" * 1001})
    assert run(tmp_path / "run", source(served))["left_out"] == {"too-large": 1}


def test_bytes_come_as_they_are_whatever_attributes_say(tmp_path, served):
    hostile = b"* filter=evil text eol=crlf ident working-tree-encoding=UTF-16\n"
    body = b"$Id$\na\nb\r\nc\n"
    served.commit(LICENCE | {".gitattributes": hostile, "ko/.gitattributes": hostile, "ko/a.md": body})
    run(tmp_path / "run", source(served))
    assert records(tmp_path / "run", served)["/blob/main/ko/a.md"] == body


def test_the_configuration_of_the_operator_is_not_read(tmp_path, served, monkeypatch):
    served.commit(LICENCE | PAGES)
    mark = tmp_path / "hook-ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[core]\nhooksPath = {hooks}\n[url "http://127.0.0.1:9/"]\ninsteadOf = {served.base}\n'
        f"[credential]\nhelper = !touch {mark}\n[http]\nproxy = http://127.0.0.1:9\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hooks))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("GIT_DIR", str(home))
    assert run(tmp_path / "run", source(served))["pages"] == 2
    assert not mark.exists()
    told = git_repository.Repository(tmp_path, "small", (), "https").environment()
    assert [name for name in told if told[name] == os.environ.get(name)] == ["PATH"]


def test_a_redirect_is_not_followed(tmp_path, served):
    served.commit(LICENCE | PAGES)
    with serve(tmp_path / "other") as other:
        served.redirect = other.base
        with pytest.raises(SourceError, match="could not be fetched"):
            run(tmp_path / "run", source(served))
        assert not other.asked
    served.redirect = "http://169.254.169.254"
    with pytest.raises(SourceError, match="could not be fetched"):
        run(tmp_path / "run", source(served))
    assert not (tmp_path / "run" / CLOSED).exists() and not (tmp_path / "run" / git_collector.FOLDER).exists()


def test_a_commit_or_branch_that_is_not_there_stops_the_source(tmp_path, served):
    served.commit(LICENCE | PAGES)
    for access in (Git(served.url, commit="0" * 39 + "1"), Git(served.url, branch="gone")):
        with pytest.raises(SourceError, match=r"small: (0+1|gone) of .* could not be fetched"):
            run(tmp_path / "run", source(served, access))


def test_a_pin_that_names_a_tree_is_no_commit(tmp_path, served):
    served.commit(LICENCE | PAGES)
    access = Git(served.url, commit=served.git("rev-parse", "main^{tree}"))
    with pytest.raises(SourceError):
        run(tmp_path / "run", source(served, access))


@pytest.mark.parametrize(
    ("access", "says"),
    [
        (Git("https://git.example.kr/o/r"), "is not one of github.com"),
        (Git("http://github.com/o/r"), "https only"),
        (Git("ssh://github.com/o/r"), "https only"),
        (Git("file:///etc"), "https only"),
        (Git("ext::sh -c id"), "https only"),
        (Git("https://user:word@github.com/o/r"), "guard-userinfo"),
        (Git("https://github.com/o/../r"), "not the address of a repository"),
        (Git("https://github.com/-o/r"), "not the address of a repository"),
        (Git("https://github.com/o/r?x=1"), "not the address of a repository"),
        (Git("https://github.com/o/r", branch="--upload-pack=id"), "not the name of a branch"),
        (Git("https://github.com/o/r", branch="a..b"), "not the name of a branch"),
        (Git("https://github.com/o/r", branch="a:refs/x"), "not the name of a branch"),
        (Git("https://github.com/o/r", commit="abc123"), "not a commit"),
        (Git("https://127.0.0.1/o/r"), "is not one of"),
    ],
)
def test_what_is_not_declared_well_is_not_asked_for(tmp_path, access, says):
    given = Source("small", "t", "p", access)
    with pytest.raises(CallError, match=re.escape(says)):
        git_collector.collect(Job("small", tmp_path / "run"), Definition(given), access)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("address", [PRIVATE, "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_a_host_that_leads_inside_is_refused_whatever_else_it_leads_to(tmp_path, monkeypatch, address):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in ("140.82.112.3", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    access = Git("https://github.com/o/r")
    with pytest.raises(SourceError, match="not of the public web"):
        git_collector.collect(Job("small", tmp_path / "run"), Definition(Source("small", "t", "p", access)), access)


def test_git_speaks_to_the_address_that_was_looked_at_and_asks_no_resolver(tmp_path, served, monkeypatch):
    served.commit(LICENCE | PAGES)
    port = int(served.base.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    access = Git(f"http://nowhere.invalid:{port}/o/r", include=("ko/**/*.md",))
    given = source(served, access, manners=Manners(loopback=(f"nowhere.invalid:{port}",)))
    assert run(tmp_path / "run", given)["pages"] == 2


def test_the_public_hosts_have_pages_and_pins(monkeypatch):
    found = [(0, 0, 0, "", (a, 443)) for a in ("140.82.112.3", "2606:50c0:8000::64")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    for host, page in (
        ("github.com", "https://github.com/o/r/blob/main/{path}"),
        ("salsa.debian.org", "https://salsa.debian.org/o/r/-/blob/main/{path}"),
        ("codeberg.org", "https://codeberg.org/o/r/src/branch/main/{path}"),
    ):
        access = Git(f"https://{host}/o/r.git")
        place = git_collector.place_of(Source("small", "t", "p", access), access, git_collector.Guard())
        assert (place.page, place.protocol) == (page, "https")
        assert place.pins == (f"{host}:443:140.82.112.3,[2606:50c0:8000::64]",)


def test_a_repository_without_end_is_stopped_by_size_and_by_time(tmp_path, served):
    served.commit(LICENCE | PAGES)
    given = source(served)
    place = git_collector.place_of(given, given.access, git_collector.guard_of(given))
    settings = git_repository.settings("Malmoi", place.pins, place.protocol)
    repository = git_repository.Repository(tmp_path / "r.git", "small", settings, place.protocol)
    git_repository.init_repository(repository)
    served.held = True
    for bounds, says in (({"max_bytes": 1}, "larger than 1 bytes"), ({"seconds": 0.0}, "longer than 0 seconds")):
        with pytest.raises(SourceError, match=says):
            git_repository.fetch(repository, place.url, "refs/heads/main", **bounds)


def test_a_tree_that_holds_itself_many_times_is_not_followed_to_its_end(tmp_path, served, monkeypatch):
    bound(monkeypatch, "GIT_ENTRIES", 20_000)
    blob = served.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = served.tree([("100644", blob, b"%d.md" % n) for n in range(10)])
    for _ in range(7):  # 10^8 files
        tree = served.tree([("40000", tree, b"%d" % n) for n in range(10)])
    served.git("update-ref", "refs/heads/main", served.git("commit-tree", tree, "-m", "m"))
    with pytest.raises(SourceError, match="not a repository of pages"):
        run(tmp_path / "run", source(served, claim=()))


def test_a_missing_git_is_said(tmp_path, served, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CallError, match="git is not installed"):
        run(tmp_path / "run", source(served))


def test_a_killed_collection_starts_over(tmp_path, served):
    served.commit(LICENCE | PAGES)
    served.held = True
    path = tmp_path / "small.py"
    path.write_text(
        "from malmoi.source import *\n"
        f"SOURCE = Source('small', 't', 'p', Git({served.url!r}, include=('ko/**/*.md',)),\n"
        f"    manners=Manners(loopback=({served.base.removeprefix('http://')!r},)))\n"
    )
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"source": str(path), "run_dir": str(tmp_path / "run")}))
    command = [sys.executable, "-m", "crawlers.fetch", str(job)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert served.arrived.wait(60)
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "run" / git_collector.FOLDER).exists() and (tmp_path / "run" / OPEN).exists()
    (tmp_path / "run" / OPEN).write_bytes(b"half a record")
    served.held = False
    served.free.set()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "run", served)) == 2
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["blocked.jsonl", CLOSED, "stats.json"]


class Killed(BaseException):
    """Stands for the end of the process: no handler of the collector catches it."""


def spied_fetches(monkeypatch: pytest.MonkeyPatch, fails: dict[int, BaseException] | None = None) -> list[str]:
    """What each fetch asked for, in order: "trees", or the number of blobs; `fails` names those that end otherwise."""
    asked: list[str] = []
    watch = git_repository._watch

    def spy(repository, command, stdin, *bounds):
        if (fails or {}).get(len(asked)) is not None:
            raise (fails or {}).pop(len(asked))
        blobs = len(stdin.read().split()) if "--stdin" in command else 0
        if blobs:
            stdin.seek(0)
        asked.append(str(blobs) if blobs else "trees")
        return watch(repository, command, stdin, *bounds)

    monkeypatch.setattr(git_repository, "_watch", spy)
    return asked


def test_only_the_files_that_the_globs_choose_are_fetched_and_each_once(tmp_path, served, monkeypatch):
    asked = spied_fetches(monkeypatch)
    served.commit(LICENCE | PAGES | {f"en/{n}.md": b"%d" % n for n in range(50)})
    run(tmp_path / "1", source(served))
    assert asked == ["trees", "3"]
    served.commit(LICENCE | PAGES | {"ko/a.md": b"changed", "ko/copy.md": PAGES["ko/deep/b.md"]})
    stats = run(tmp_path / "2", source(served), tmp_path / "1")
    assert asked[2:] == ["trees", "3"], "the licence, the changed file, and a copy at an address of its own"
    assert (stats["fetched"], stats["not_modified"]) == (3, 1)
    run(tmp_path / "3", source(served), limit=1)
    assert asked[4:] == ["trees", "2"], "a first look fetches no more than it shows"


def test_a_killed_collection_resumes_its_commit_at_a_pack(tmp_path, served, monkeypatch):
    monkeypatch.setattr(git_repository, "BATCH", 1)
    old = served.commit(LICENCE | PAGES)
    asked = spied_fetches(monkeypatch, {2: Killed()})
    with pytest.raises(Killed):
        run(tmp_path / "run", source(served))
    assert asked == ["trees", "1"] and (tmp_path / "run" / git_collector.FOLDER).exists()
    served.commit(LICENCE | {"ko/a.md": b"of another history"})
    stats = run(tmp_path / "run", source(served))
    assert asked == ["trees", "1", "1", "1"], "no blob is asked for twice"
    assert stats["commit"] == old
    assert records(tmp_path / "run", served)["/blob/main/ko/a.md"] == PAGES["ko/a.md"]
    assert not (tmp_path / "run" / git_collector.FOLDER).exists()


def test_a_collection_that_was_killed_while_it_wrote_fetches_nothing_again(tmp_path, served, monkeypatch):
    served.commit(LICENCE | PAGES)
    write = git_collector.resource_record
    monkeypatch.setattr(git_collector, "resource_record", lambda *a: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        run(tmp_path / "run", source(served))
    monkeypatch.setattr(git_collector, "resource_record", write)
    asked = spied_fetches(monkeypatch)
    assert run(tmp_path / "run", source(served))["fetched"] == 3 and asked == []


def test_a_host_that_goes_away_leaves_what_was_fetched_and_another_address_does_not_get_it(
    tmp_path, served, monkeypatch
):
    first = served.commit(LICENCE | PAGES)
    asked = spied_fetches(monkeypatch, {1: HostError("small: gone")})
    with pytest.raises(HostError):
        run(tmp_path / "run", source(served))
    pinned = source(served, Git(served.url, include=("ko/**/*",), commit=first))
    assert run(tmp_path / "run", pinned)["commit"] == first
    assert asked == ["trees", "trees", "3"], "a commit that is pinned now is not the head of the branch then"


def test_a_commit_that_the_host_has_forgotten_is_said_with_the_folder_to_delete(tmp_path, served, monkeypatch):
    served.commit(LICENCE | PAGES)
    spied_fetches(monkeypatch, {1: Killed()})
    with pytest.raises(Killed):
        run(tmp_path / "run", source(served))
    served.git("update-ref", "-d", "refs/heads/main")
    served.git("gc", "--prune=now", "--quiet")
    with pytest.raises(HostError, match=r"3 files of .* could not be fetched .* delete the folder") as raised:
        run(tmp_path / "run", source(served))
    assert str(tmp_path / "run") in str(raised.value)


@each_row(
    ("glob", "path", "chosen"),
    [
        ("**/*", "a", True), ("**/*", "a/b.md", True), ("*", "a/b", False), ("a/**", "a/b/c", True),
        ("a/**", "a", False), ("a/**", "ab/c", False), ("*.md", "x.md", True), ("*.md", "x.mdx", False),
        ("a.md", "axmd", False), ("?.md", "가.md", True), ("**/ko/*.md", "x/y/ko/a.md", True), ("a/**/b", "a/b", True),
        ("**/*", "줄\n바꿈", True),
    ],
)  # fmt: skip
def test_globs_choose_as_those_of_a_folder_do(glob, path, chosen):
    assert git_collector.matches(path, (glob,)) is chosen


def test_a_command_of_git_that_does_not_end_is_a_sentence(tmp_path, served, monkeypatch):
    settings = git_repository.settings("Malmoi", (), "http")
    repository = git_repository.Repository(tmp_path / "r.git", "small", settings, "http")

    def hangs(*_: Any, **said: Any) -> None:
        raise subprocess.TimeoutExpired("git", said["timeout"])

    monkeypatch.setattr(git_repository.subprocess, "run", hangs)
    with pytest.raises(SourceError, match=r"small: git init did not finish \(limit git_seconds: 3,600 seconds\)"):
        git_repository.init_repository(repository)
