"""What a page costs in counts that no machine changes: a landing that makes one rise by a twentieth fails here.

CPU ratios are in docs/benchmarks.md; they need an idle machine, and two per cent a landing are never seen in them.
Whoever makes a count fall lowers its number; a count that must rise says why in its landing.
"""

import pytest
from lxml import html

from crawlers import extract
from filters import morphology
from flows.curate import extract_jobs
from flows.run import recipe_of
from malmoi.apply import Dropped, walk
from malmoi.recipe import bind
from malmoi.workspace import Workspace
from tests.builders import small_corpus
from tests.count_work import count_steps

BUDGET = {
    "steps a page in extraction": 37_578,
    "parses of 100 pages": 100,
    "steps a document in filters": 16_744,
    "characters for Kiwi, of 100 characters": 81,
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


@pytest.mark.parametrize("what", BUDGET)
def test_a_page_costs_no_more(counts, what):
    """A number that is out of date by a tenth fails too."""
    assert 0.9 * BUDGET[what] <= counts[what] <= 1.05 * BUDGET[what], counts
