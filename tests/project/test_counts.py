"""What a page costs in counts that no machine changes: a landing that makes one rise by a twentieth fails here.

CPU ratios are in docs/benchmarks.md; they need an idle machine, and two per cent a landing are never seen in them.
Whoever makes a count fall lowers its number; a count that must rise says why in its landing.
"""

import json
from pathlib import Path

import pytest
from lxml import html

from crawlers import extract
from filters import morphology
from flows.curate import extract_jobs
from flows.run import recipe_of
from malmoi.apply import Dropped, walk
from malmoi.processes import fork_server
from malmoi.recipe import bind
from malmoi.workspace import Workspace
from tests.builders import small_corpus
from tests.count_work import count_steps

BUDGET = {
    "steps a page in extraction": 37_578,
    "parses of 100 pages": 100,
    "steps a document in filters": 16_744,
    "characters for Kiwi, of 100 characters": 81,
    "bytes read a document, of 12": 1_074_300,
    "bytes written a document, of 12": 290_200,
    "processes of a run": 3,  # the fork server and its workers
}


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """The counts for pages of the sample site: extraction, and all filters of `general` that need no survey."""
    home = tmp_path_factory.mktemp("counts")
    source, parsed, analysed = small_corpus.make(home), [], []
    assert small_corpus.malmoi_in_process("collect", source, "--workspace", home / "w").returncode == 0
    jobs = [*extract_jobs(Workspace.open(home / "w"), str(source))]
    rows = [row for job in jobs for row in job.rows if row.url.endswith(".html")]
    filters = bind(tuple(step for _, steps in recipe_of("general").steps for step in steps if not step.survey))
    one, parse, tokenize = extract.extractor(jobs[0].extraction), html.document_fromstring, morphology.load_tokenizer()
    documents = [found.document for row in rows for found in one(row) if not isinstance(found, Dropped)]
    for document in documents:  # what is compiled and loaded once is no cost of a page
        walk(document, filters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "document_fromstring", lambda *a, **k: parsed.append(a) or parse(*a, **k))
        patch.setattr(morphology, "load_tokenizer", lambda: lambda text: analysed.append(text) or tokenize(text))
        patch.setattr(morphology, "_MEMORY", type(morphology._MEMORY)())
        extraction = count_steps(lambda: [one(row) for row in rows])
        filtering = count_steps(lambda: [walk(document, filters) for document in documents])
    return {
        "steps a page in extraction": extraction // len(rows),
        "parses of 100 pages": 100 * len(parsed) // len(rows),
        "steps a document in filters": filtering // len(documents),
        "characters for Kiwi, of 100 characters": 100 * sum(map(len, analysed)) // sum(len(d.text) for d in documents),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The counts of a whole run over 12 pages by this process, without workers; by the second, as the first imports."""
    home, started = tmp_path_factory.mktemp("whole"), []
    source = small_corpus.make(home, pages=12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fork_server.ForkServer, "fork", count(started, fork_server.ForkServer.fork))
        patch.setattr(fork_server.subprocess, "Popen", count(started, fork_server.subprocess.Popen))
        fork_server.kill_fork_servers()
        run = ["run", "general", "--source", source]
        assert small_corpus.malmoi_in_process(*run, "--workspace", home / "a", "--workers", 2).returncode == 0
    before = read_io()
    assert small_corpus.malmoi_in_process(*run, "--workspace", home / "b", "--workers", 2).returncode == 0
    read, written = (after - begun for after, begun in zip(read_io(), before, strict=True))
    documents = json.loads(next(home.glob("b/6-releases/general/1.*/manifest.json")).read_text("utf-8"))["documents"]
    return {
        "bytes read a document, of 12": read // documents,
        "bytes written a document, of 12": written // documents,
        "processes of a run": len(started),
    }


def count(calls, function):
    return lambda *given, **named: calls.append(function) or function(*given, **named)


def read_io():
    """Bytes that this process has read and written, pipes to workers included, memory maps not."""
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text("utf-8").splitlines())
    return int(said["rchar"]), int(said["wchar"])


@pytest.mark.parametrize("what", BUDGET)
def test_a_page_costs_no_more(counts, whole, what):
    """A number that is out of date by a tenth fails too."""
    found = counts | whole
    assert 0.9 * BUDGET[what] <= found[what] <= 1.05 * BUDGET[what], found
