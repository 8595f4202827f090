"""The crawl report counts what came through and what was lost, and the live view says what is waited for."""

import json
from collections import Counter
from io import StringIO

from flows.collect import collect
from flows.console import SafeConsole
from flows.engine import progress
from flows.engine.progress import Progress
from flows.reports import crawl_progress, crawl_report
from flows.reports.crawl_progress import State
from malmoi.workspace import Workspace
from tests.builders.small_site import Answer, serve
from tests.fetch.test_fetch import order
from tests.sources.test_past import KOGL, RULE, page


def collected(tmp_path, console=None):
    """A workspace with one crawl of five pages, one of them missing and one refused."""
    with serve() as site:
        links = ("open", "closed", "missing", "private/1")
        site.answers = {"/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n"), "/": page("", *links)}
        site.answers |= {"/open": page(KOGL.format(1)), "/closed": page(KOGL.format(4))}
        source = json.loads(order(tmp_path, site, delay=0.05, extra=RULE).read_text())["source"]
        home = Workspace.open(tmp_path / "w")
        collect(home, source, Progress(console, quiet=console is None))
    return home, source


def test_the_report_tells_what_was_lost_and_why_before_anything_is_extracted(tmp_path):
    home, source = collected(tmp_path)
    (funnel,) = crawl_report.count_funnels(home, [source])
    counts = {step.name: step.count for step in funnel.steps}
    assert counts == {"addresses requested in the last run": 5, "pages answered": 3, "current captures, all runs": 3}
    lost = dict(funnel.steps[1].lost)
    assert sum(lost.values()) == 2 and lost["status-404"] == 1
    assert funnel.missing == 1 and not funnel.licences


def test_after_extraction_it_tells_what_may_be_used(tmp_path):
    from flows.curate import extract_jobs
    from flows.engine import executors
    from flows.engine.shard_jobs import extract

    home, source = collected(tmp_path)
    for job in extract_jobs(home, source):
        executors.thread_mapper(1)(extract, [job], lambda _: None)
    (funnel,) = crawl_report.count_funnels(home, [source])
    assert [step.name for step in funnel.steps][-2:] == ["read as text", "may be redistributed"]
    assert funnel.steps[-1].count == 1 and ("LicenseRef-KOGL-4", "exclude", 1) in funnel.licences
    assert funnel.missing == 0


def test_the_page_shows_every_number_and_holds_no_text_of_the_pages(tmp_path):
    home, source = collected(tmp_path)
    found = crawl_report.count_funnels(home, [source])
    html = crawl_report.write(home, found).read_text("utf-8")
    assert all(f"<b>{step.count:,}</b>" in html for step in found[0].steps)
    assert "우리말을 모으는" not in html and "<script" not in html
    told = json.loads((home.root / "reports" / "collection.json").read_text("utf-8"))
    assert [s["count"] for s in told["sources"][0]["steps"]] == [step.count for step in found[0].steps]


def test_a_title_with_markup_is_no_markup_in_the_report(tmp_path):
    step = crawl_report.Stretch("pages", "쪽", "pages", 1, (("<b>", 1),))
    funnel = crawl_report.Funnel("a", "<script>x</script>", "p", "", 1, (step,), (), ())
    html = crawl_report.write(Workspace.open(tmp_path), [funnel]).read_text("utf-8")
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_without_a_terminal_a_crawl_says_a_line_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    out = StringIO()
    collected(tmp_path, SafeConsole(file=out, width=200))
    assert "collect small: " in out.getvalue() and " pages · " in out.getvalue()


def test_the_view_shows_hosts_that_wait_and_rest_and_what_the_marks_say():
    said = {
        "pages": 1200,
        "bytes": 3_400_000,
        "queued": 7,
        "failed": 2,
        "hosts": {"a.kr": {"waiting": 5, "delay": 1.0, "resting": 42.0}, "b.kr": {"waiting": 2, "delay": 0.5}},
    }
    state = State("small", said=said, uses=Counter({"redistribute": 9, "exclude (no-licence)": 1}))
    console = SafeConsole(file=StringIO(), width=120)
    console.print(crawl_progress.render_state(state))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,200 pages · 3.4 MB · 7 waiting · 2 failed" in shown
    assert "a.kr" in shown and "42 s" in shown and "redistribute 9 · exclude (no-licence) 1" in shown


def test_the_marks_are_looked_at_while_the_crawl_runs(tmp_path):
    from crawlers import catalogue

    home, source = collected(tmp_path)
    archive = next(home.captures("small").glob("*/pages.warc.gz"))
    uses: Counter[str] = Counter()
    looker = crawl_progress.Looker(catalogue.load(source), archive)
    looker._began -= 60  # a minute of crawling allows seconds of looking
    looker.look(uses)
    assert uses["redistribute"] == 1 and uses["exclude (restricted-licence)"] == 1
    looker.look(uses)
    assert uses["redistribute"] == 1, "what was looked at is not looked at again"
