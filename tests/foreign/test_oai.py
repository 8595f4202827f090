"""A harvest of a repository that others wrote, and the harvest of our repository by a program of others."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.archive import collection
from malmoi.workspace import Workspace
from tests.builders.small_oai import PREFIX, Repository, Work, day, serve

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".foreign" / "oai" / "bin" / "python"
SIZE = 130

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        not (PYTHON.parents[1] / ".installed").is_file(), reason="no environment for oai: run make foreign"
    ),
]


@contextmanager
def foreign_repository() -> Iterator[str]:
    """Serve the repository of oai-repo on loopback while the block runs; its host and port."""
    server = subprocess.Popen(
        [PYTHON, HERE / "run_oai_repository.py", str(SIZE)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        yield f"127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    "more", ["", ', sets=("set1",)', ', start="2026-01-03", end="2026-01-04"', ", by_identifier=True"]
)
def test_a_repository_of_oai_repo_is_harvested(tmp_path, more):
    chosen = {
        ', sets=("set1",)': lambda n: n % 2,
        ', start="2026-01-03", end="2026-01-04"': lambda n: n % 50 in (2, 3),
    }.get(more, lambda n: True)
    with foreign_repository() as host:
        (tmp_path / "small.py").write_text(
            "from malmoi.source import *\n"
            f'SOURCE = Source("small", "t", "p", OaiPmh("http://{host}/oai"{more}), '
            f'manners=Manners(delay=0.0, loopback=("{host}",)))\n'
        )
        workspace = Workspace.open(tmp_path / "w")
        done = collect(workspace, str(tmp_path / "small.py"), Progress())
    expected = {n for n in range(SIZE) if chosen(n)}
    rows = [row for _, rows in collection.select_current(collection.runs(workspace.captures("small"))) for row in rows]
    assert {int(row.url.partition("repo.example%3A")[2].partition("&")[0]) for row in rows} == expected
    assert (done.current, done.failed) == (len(expected), 0)


def test_oaipmh_scythe_harvests_our_repository():
    def work(number: int) -> Work:
        return Work(number, day(number % 9), f"제목 {number}", "글", deleted=number % 7 == 0)

    with serve(Repository(size=55, page=10, work=work)) as repository:
        done = subprocess.run(
            [PYTHON, HERE / "run_oai_harvester.py", repository.base], capture_output=True, text=True, check=True
        )
    assert done.stdout.split() == ["-" * (n % 7 == 0) + f"{PREFIX}{n}" for n in range(55)]
