"""Forecasts of repositories and of open archives: drawn at random from all that their lists and indexes name."""

import json
from dataclasses import replace

import pytest

from crawlers.fetch.oai_harvest import ListSize
from crawlers.fetch.oai_spider import SampledRecords
from flows.collect import collect
from flows.console import SafeConsole
from flows.engine.progress import Progress
from flows.probing.forecast import forecast, show
from malmoi.archive import collection
from malmoi.statistics import Sample, read_strata
from tests.builders.small_oai import Repository, Work, day, serve
from tests.fetch import small_crawl
from tests.fetch.small_crawl import Host, page, robots, served, write
from tests.fetch.test_oai import TEXT, declare, file, licensed


def fact_of(home, name):
    (run,) = collection.runs(home.captures(name))
    return run.facts["sample"], read_strata(run.facts)[1], run


def test_records_are_drawn_from_all_identifiers_and_each_is_requested_once(home, tmp_path):
    with serve(
        Repository(size=450, work=lambda n: Work(n, day(n % 50), "t", f"글 {n}", deleted=n % 9 == 0))
    ) as repository:
        collect(home, declare(tmp_path, repository), Progress(quiet=True), sample=Sample(40))
    assert repository.answers == {"Identify": 1, "ListMetadataFormats": 1, "ListIdentifiers": 5, "GetRecord": 40}
    fact, (records,), run = fact_of(home, "small")
    assert (records.units, records.counted, len(records.chosen)) == (400, "counted", 40)
    assert {row.url for row in run.rows if "verb=GetRecord" in row.url} == set(records.chosen)
    assert "from 400 identifiers" in fact["how"] and "read to their end" in fact["how"] and fact["requests"] == 7
    assert "oai" not in run.facts, "the next harvest does not continue a sample"
    assert set(records.chosen) > set(Sample(10).choose(records.chosen)), "a smaller sample is a part"


def test_the_first_records_of_a_list_have_no_better_chance(home, tmp_path):
    with serve(Repository(size=300)) as repository:
        collect(home, declare(tmp_path, repository), Progress(quiet=True), sample=Sample(60))
    _, (records,), _ = fact_of(home, "small")
    numbers = [int(url.partition("%3A")[2].rpartition("%3A")[2].partition("&")[0]) for url in records.chosen]
    assert 90 < sum(numbers) / 60 < 210 and min(numbers) < 60 and max(numbers) > 240


@pytest.mark.heavy
def test_a_repository_and_its_files_are_foretold(home, tmp_path, recipe):
    def work(n):
        return replace(licensed(n % 8), number=n, abstract=f"초록 {n} {TEXT}", file=f"/bitstream/{n}/a.txt")

    with serve(Repository(size=240, work=work)) as repository:
        for number in range(240):
            file(repository, number)
        found = forecast(home, declare(tmp_path, repository), recipe, Sample(80), Progress(quiet=True))
        asked = sum(count for path, count in repository.hits.items() if path.startswith("/bitstream/"))
    assert (found.of, found.units, found.certainty) == ("records", 240, "counted") and asked == found.sampled - 80
    captures, kept = found.totals["captures"], found.totals["kept documents"]
    whole = 240 + 240 * asked / 80
    # Two of eight permit a use. The address of the repository, and so the draw, differs between two runs.
    assert captures.value == pytest.approx(whole) and 0.9 * captures.low <= 240 + 60 <= 1.1 * captures.high
    assert kept.value == pytest.approx(2 * (whole - 240), rel=0.05)
    for prefix in ("licence: ", "kept documents under "):
        assert sum(one.value for name, one in found.shares.items() if name.startswith(prefix)) == pytest.approx(1)
    assert (
        set(found.totals) >= {"licence: CC-BY-4.0", "seconds of fetching"}
        and "captures that are parts" not in found.totals
    )


class Quiet(Repository):
    """A repository that may leave out the length of a list."""

    says_length = True

    def answer(self, said):
        status, body = super().answer(said)
        return status, body if self.says_length else body.replace(b"completeListSize", b"other")


@pytest.mark.heavy
@pytest.mark.parametrize(("stated", "counted"), [(True, "estimated"), (False, "at least")])
def test_lists_beyond_the_bound_are_not_read_and_the_forecast_says_so(home, tmp_path, recipe, capsys, stated, counted):
    """Sixty requests for a sample of twelve: two ask for the repository, the others bring one record each."""
    repository = Quiet(size=400, page=1, work=lambda n: Work(n, day(n % 50), "t", f"글 {n} {TEXT}", deleted=n % 2 == 0))
    repository.says_length = stated
    with serve(repository):
        found = forecast(home, declare(tmp_path, repository), recipe, Sample(12), Progress(quiet=True))
    assert repository.answers["ListIdentifiers"] == 58 and repository.answers["GetRecord"] == 12
    assert found.certainty == counted and found.units == pytest.approx(200 if stated else 29)
    show(found, SafeConsole(width=200))
    said = " ".join(capsys.readouterr().out.split())
    assert "the lists go on" in said and ("about 200 records" if stated else "at least 29 records") in said
    assert ("The size of the whole is not known" in said) is not stated
    assert "no licence is shown" in said, "the records carry no licence"
    assert found.totals["captures"].value == pytest.approx(found.units)


def test_a_bound_leaves_unopened_lists_unknown():
    frontier = SampledRecords(Sample(2))
    frontier.append("https://a.kr/oai?verb=Identify", "list")
    assert len(frontier) == 1 and [one.url for one in frontier.ahead(9)] == ["https://a.kr/oai?verb=Identify"]
    frontier.popleft()
    for n in range(4):
        frontier.append(f"https://a.kr/oai?n={n}", "record")
    frontier.append("https://a.kr/a.pdf", "page")
    assert len(frontier) == 3 and [frontier.popleft().kind for _ in range(3)] == ["record", "record", "page"]
    assert not frontier and not frontier.waiting.total()
    (one,) = frontier.strata(frontier.drawn, [ListSize(3, 10, 1.0), ListSize(0, None, 1.0)])
    assert (one.units, one.counted) == (4, "at least")


def crawled(folder, count=60):
    """Pages of two offices, of which one has a robots.txt; every third is long."""
    pages = [page(n, f"www{n % 2 or ''}.moj.go.kr") for n in range(count)]
    for n, one in enumerate(pages):
        if n % 3 == 0:
            more = "".join(f"<p>{n} {k} {small_crawl.SENTENCE}</p>" for k in range(n + 20))
            one.body = one.body.replace(b"</article>", f"{more}</article>".encode())
    return write(folder / "archive", [*pages, robots("www.moj.go.kr"), page(100, "www.shop.co.kr")])


def test_pages_of_an_archive_are_drawn_from_its_index(home, tmp_path):
    collect(home, small_crawl.source(tmp_path, str(crawled(tmp_path))), Progress(quiet=True), sample=Sample(24))
    fact, strata, run = fact_of(home, "crawl")
    chosen = {url for one in strata for url in one.chosen}
    assert sum(one.units for one in strata) == 60 and len(chosen) == 24 and len(strata) == 2
    assert {row.url for row in run.rows if not row.url.endswith("/robots.txt")} == chosen
    assert fact["requests"] == 61 and fact["of"] == "pages" and "the index was read to its end" in fact["how"]
    assert run.facts["finished"] == "limit" and not run.facts["failed"]


@pytest.mark.heavy
def test_an_archive_is_foretold_beyond_its_bound_from_a_few_records(home, tmp_path, recipe, capsys):
    with served(Host(crawled(tmp_path))) as host:
        source = small_crawl.source(tmp_path, host.base, "hosts=('*.go.kr',), max_pages=50")
        found = forecast(home, source, recipe, Sample(24), Progress(quiet=True))
        records = sum(host.records().values())
        whole = forecast(home, source, recipe, Sample(60), Progress(quiet=True)).totals["extracted characters"]
    assert 24 <= records <= 25 and (found.units, found.of, found.certainty) == (60, "pages", "counted")
    assert found.totals["captures"].value == 60
    extracted = found.totals["extracted characters"]
    assert whole.low == whole.high == whole.value
    assert extracted.low <= whole.value <= extracted.high
    show(found, SafeConsole(width=200))
    said = " ".join(capsys.readouterr().out.split())
    assert "whole 60 pages" in said and "at least" not in said and "at most max_pages=50 captures" in said
    assert json.dumps(found.to_json()) and found.to_json()["whole"]["most"] == 50


@pytest.mark.heavy
def test_the_index_states_what_fetching_the_whole_takes(home, tmp_path, recipe):
    source = small_crawl.source(tmp_path, str(crawled(tmp_path)))
    found = forecast(home, source, recipe, Sample(30), Progress(quiet=True))
    assert found.totals["seconds of fetching"].value == 0, "the records are on this machine"
