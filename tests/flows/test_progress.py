"""While a stage runs it says how far it is, how fast, and how long it still takes."""

from io import StringIO

import pytest

from flows.collect import collect
from flows.console import SafeConsole
from flows.curate import curate
from flows.deployments import run_progress
from flows.engine import progress
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress, Step
from flows.reports.crawl_progress import State, make_observer, summary
from flows.run import recipe_of
from malmoi.ledger import Ledger
from malmoi.workspace import Workspace
from tests.builders.small_corpus import make


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def ledger(documents):
    return Ledger("2-documents", "k", {"a": documents}, {"a": documents}, {})


def test_a_stage_says_documents_a_second_and_the_time_left(clock):
    step = Step("2-documents", size=450, standing=50)
    clock[0] += 100
    for _ in range(100):
        step.ledger(ledger(25))
    assert step.describe() == "150 of 450 shards · 25.0 documents/s · 5 min left"
    assert step.share == pytest.approx(1 / 3)


def test_a_stage_of_one_shard_says_a_rate_and_the_time_left_by_its_batches(clock):
    step = Step("2-documents", size=1)
    step.expected = 400
    clock[0] += 100
    for _ in range(10):
        step.count_batch(10)
    assert step.describe() == "0 of 1 shard · 1.0 documents/s · 5 min left"
    assert step.share == pytest.approx(1 / 4)
    step.ledger(ledger(400))
    assert step.share == 1.0


def test_extraction_and_filters_count_every_capture_and_document_by_batches(tmp_path):
    source, home, seen = str(make(tmp_path, pages=3)), Workspace.open(tmp_path / "w"), {}

    class Counting(Progress):
        def finish(self, step):
            seen[step.name] = (step.batched, step.expected)

    collect(home, source, Counting(quiet=True))
    curated = curate(home, recipe_of("general"), (source,), thread_mapper(1), Counting(quiet=True))
    kept = sum(sum(one.kept.values()) for one in curated.ledgers("2-documents"))
    assert seen["2-documents"] == (4, 4)  # three pages and a table
    assert seen["3-clean"] == (kept, kept)


def test_only_a_collection_that_changes_the_captures_is_an_asset_event(tmp_path, monkeypatch):
    emitted = []
    monkeypatch.setattr(run_progress, "emit_event", lambda event, resource, **_: emitted.append(event))
    source, home = make(tmp_path, pages=2), Workspace.open(tmp_path / "w")

    class Emitting(Progress):
        def finish(self, step):
            run_progress.emit_stage(home, ("small",), step)

    def count_events():
        collect(home, str(source), Emitting(quiet=True))
        count = len(emitted)
        emitted.clear()
        return count

    assert (count_events(), count_events()) == (1, 0)
    next((tmp_path / "pages").rglob("*.html")).unlink()
    assert (count_events(), count_events()) == (1, 0)


def test_at_first_no_rate_is_guessed(clock):
    step = Step("2-documents", size=450)
    clock[0] += 1
    step.ledger(ledger(25))
    assert step.describe() == "1 of 450 shards"


def test_without_a_terminal_a_long_stage_says_a_line_every_half_minute(clock):
    out = StringIO()
    with Progress(SafeConsole(file=out, width=200)).stage("3-clean", 4) as step:
        for _ in range(4):
            clock[0] += 20
            step.ledger(ledger(10))
        step.total([ledger(40)])
    assert out.getvalue().splitlines() == [
        "  3-clean: 2 of 4 shards · 0.5 documents/s · 40 s left",
        "  3-clean: 4 of 4 shards · 0.5 documents/s",
        "  3-clean                40 in · 40 kept · 0 dropped                           80.0 s",
    ]


def test_on_a_terminal_a_bar_shows_rate_and_time_left(clock):
    out = StringIO()
    console = SafeConsole(file=out, width=120, force_terminal=True)
    with Progress(console).stage("3-clean", 4) as step:
        clock[0] += 20
        step.ledger(ledger(10))
    assert "1/4" in out.getvalue() and "0.5 documents/s · 1 min left" in out.getvalue()


@pytest.mark.parametrize(
    ("said", "line", "left"),
    [
        ({"pages": 100, "bytes": 1000, "queued": 50}, "100 pages · 1.0 kB · 50 waiting · 1.0 pages/s", 50.0),
        (
            {"pages": 100, "bytes": 1000, "queued": 50, "hosts": {"a.kr": {"waiting": 40, "delay": 5.0}}},
            "100 pages · 1.0 kB · 50 waiting · 1.0 pages/s",
            200.0,
        ),
        ({"bytes": 1000, "of": 4000}, "1.0 kB of 4.0 kB", 300.0),
        ({"pages": 100, "bytes": 1000}, "100 pages · 1.0 kB · 1.0 pages/s", None),
    ],
)
def test_a_crawl_says_pages_a_second_and_how_long_it_takes_at_least(clock, said, line, left):
    state = State("a", began=clock[0], said=said)
    clock[0] += 100
    step = Step("collect a")
    make_observer(step)(state)
    assert (summary(state), step.left, step.state) == (line, left, line)
    assert step.render is not None and step.render()
