"""The curation report counts as the ledgers do, draws each limit where it lies, and shows what lies beside it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from flows import run as runs
from flows.collect import collect
from flows.curate import FOLDER_OF, curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.reports import curation_report
from flows.reports.curation_report import Scale, Spread
from malmoi.ledger import total
from malmoi.parameter_bounds import Limit
from malmoi.recipe import STAGES
from malmoi.workspace import Workspace
from tests.builders.small_corpus import make


@pytest.fixture(scope="module")
def curated(tmp_path_factory):
    root = tmp_path_factory.mktemp("curation")
    source, quiet = str(make(root / "corpus")), Progress(quiet=True)
    home, recipe = Workspace.open(root / "w"), runs.recipe_of("general")
    worker_pool.configure(0)
    try:
        collect(home, source, quiet)
        done = curate(home, recipe, (source,), executors.thread_mapper(1), quiet)
    finally:
        worker_pool.configure(None)
    return home, recipe, done


def test_the_funnel_loses_what_the_ledgers_say_and_nothing_else(curated):
    _, recipe, done = curated
    for name in STAGES:
        ledgers = done.ledgers(FOLDER_OF[name])
        entered, kept, dropped, _ = total(ledgers)
        steps = list(curation_report.funnel(recipe.stage(name), ledgers))
        assert steps[0]["in"] == entered.total() and steps[-1]["out"] == kept.total()
        told = Counter({(s["filter"], reason): n for s in steps for reason, n in s["dropped"]})
        said = Counter()
        for (_, by, reason), n in dropped.items():
            said[by, reason] += n
        assert told == said


def test_every_document_of_a_stage_that_has_a_measure_is_drawn_once(curated):
    home, recipe, done = curated
    ledgers = done.ledgers("3-clean")
    spreads = curation_report.spreads(home, "3-clean", recipe.stage("clean"), ledgers)
    length = next(s for s in spreads if s.limit.parameter == "min_chars")
    _, _, dropped, _ = total(ledgers)
    short = sum(n for (_, _, reason), n in dropped.items() if reason == "too-short")
    assert short and int(length.counts[1].sum()) == short
    assert sum(map(sum, length.bars())) == length.total


def test_samples_lie_on_their_side_of_the_limit_and_nearest_comes_first(curated):
    home, recipe, done = curated
    for spread in curation_report.spreads(home, "3-clean", recipe.stage("clean"), done.ledgers("3-clean")):
        inside, outside = [n.value for n in spread.passing], [n.value for n in spread.failing]
        assert all(spread.limit.passes(v, spread.bound / spread.limit.scale) for v in inside)
        assert [n.distance for n in spread.passing] == sorted(n.distance for n in spread.passing)
        assert not outside or spread.limit.scale != 1.0 or not spread.limit.passes(outside[0], spread.bound)


def test_the_page_shows_limits_and_texts_and_runs_no_script(curated):
    home, recipe, done = curated
    html = curation_report.write(home, recipe, done).read_text("utf-8")
    assert "min_chars = 90" in html and 'class="limit"' in html and "too-short" in html
    assert "<script" not in html and "Private" in html


def test_the_same_run_gives_the_same_page(curated):
    home, recipe, done = curated
    first = curation_report.write(home, recipe, done).read_bytes()
    assert curation_report.write(home, recipe, done).read_bytes() == first


def test_other_limits_tell_what_they_would_drop():
    counts = np.zeros((3, curation_report.BARS * curation_report.FINE), dtype=np.int64)
    counts[0, 100:1000:10] = 1  # ninety documents from 0.1 to 0.99
    spread = Spread("f", Limit("m", "min_m", "min", "r"), 0.05, Scale(share=True), counts, [], [])
    told = dict(spread.others())
    assert told and all(
        abs(share * 90 - sum(1 for i in range(100, 1000, 10) if i < v * 1000)) < 1e-6 for share, v in told.items()
    )


@pytest.mark.parametrize("value", [0.01, 1.0, 37.0, 1e6])
def test_a_value_stands_where_its_scale_finds_it_again(value):
    scale = Scale(share=False)
    assert scale.value(float(scale.place(np.array([value]))[0])) == pytest.approx(value)


def test_the_command_line_says_where_the_report_is(tmp_path):
    from tests.builders.small_corpus import malmoi_in_process

    source = make(tmp_path / "corpus", pages=3)
    malmoi_in_process("collect", source, "--workspace", tmp_path / "w")
    said = malmoi_in_process("curate", "general", "--source", source, "--workspace", tmp_path / "w", "--workers", 1)
    assert said.returncode == 0 and "Curation report:" in said.stdout
    assert Path(tmp_path / "w" / "reports" / "curation.html").exists()
