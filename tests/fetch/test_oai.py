"""Harvests of a repository on loopback: each record once, whatever the repository and the machine do."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawlers.extract import Extraction, extractor
from crawlers.fetch.archive import CLOSED, OPEN, entries, read_body
from crawlers.oai import protocol
from flows import source_files
from flows.collect import Collected, collect
from flows.console import SafeConsole
from flows.engine.progress import Progress
from malmoi.archive import collection
from malmoi.errors import CallError, SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.workspace import Workspace
from tests.builders.documents.small_pdf import column, pdf
from tests.builders.small_oai import PREFIX, Repository, Work, day, serve
from tests.builders.withdrawn import withdraw

ROOT = Path(__file__).parents[2]
BY = "https://creativecommons.org/licenses/by/4.0/"
TEXT = "말뭉치를 모으는 일은 글의 이용허락을 확인하는 일에서 시작한다. " * 8
RULE = "rule=LicenceRule(('field',), fields=FIELDS, expected=('CC-BY-4.0', 'LicenseRef-KOGL-1'))"


def declare(folder: Path, repository: Repository, more: str = "", rule: str = RULE) -> str:
    """Write a source of the repository; returns its path."""
    path = folder / "small.py"
    path.write_text(
        "from crawlers.rights.repository_rights import FIELDS\nfrom malmoi.source import *\n"
        f'SOURCE = Source("small", "t", "p", OaiPmh("{repository.base}", '
        f'scope=("{repository.host}/bitstream/",){more}), {rule},\n'
        f'    manners=Manners(delay=0.0, loopback=("{repository.host.removeprefix("http://")}",)))\n'
    )
    return str(path)


def harvest(folder: Path, repository: Repository, more: str = "", limit: int | None = None) -> Collected:
    return collect(Workspace.open(folder / "w"), declare(folder, repository, more), Progress(), limit=limit)


def runs(folder: Path) -> list[collection.Run]:
    return collection.runs(Workspace.open(folder / "w").captures("small"))


def current(folder: Path) -> dict[str, collection.IndexRow]:
    """Identifier of a record, or path of a file → its current capture."""
    found = {}
    for _, rows in collection.select_current(runs(folder)):
        for row in rows:
            said = protocol.arguments_of(row.url).get("identifier", "")
            found[said.removeprefix(PREFIX) or "/" + row.url.split("/", 3)[3]] = row
    return found


def outcomes(folder: Path) -> dict[str, Any]:
    """Key of a document → what extraction makes of it."""
    read = extractor(Extraction(str(folder / "small.py"), (), past=tuple(collection.history(runs(folder)).items())))
    found = [one for _, rows in collection.select_current(runs(folder), gone=True) for row in rows for one in read(row)]
    return {one.document.id.removeprefix("small/"): one for one in found}


def numbers(repository: Repository) -> set[str]:
    return {str(n) for n in range(repository.size) if not repository.get(n).deleted}


def facts(folder: Path) -> dict[str, Any]:
    return runs(folder)[-1].facts


def file(repository: Repository, number: int, said: str = "전문 ") -> None:
    """Serve the full text of a work."""
    repository.add(f"/bitstream/{number}/a.txt", "text/plain; charset=utf-8", f"{said}{number} {TEXT}".encode())


def daily(number: int) -> Work:
    return Work(number, day(number), "t", f"글 {number}")


def licensed(number: int) -> Work:
    """Works of which the first has a licence, the others not, or one that permits nothing here."""
    rights = {0: (BY,), 1: (), 2: ("Copyright (c) 2026 견본 저자",), 3: ("info:eu-repo/semantics/openAccess",),
              4: ("Korea Open Government License",), 5: ("https://creativecommons.org/licenses/by-nc/4.0/",),
              6: ("KOGL Type 1",), 7: (BY, "All rights reserved")}  # fmt: skip
    return Work(
        number, "2026-01-01", f"제목 {number}", f"초록 {number} {TEXT}", rights[number], f"/bitstream/{number}/a.txt"
    )


def test_each_record_is_a_capture_and_a_document_once(tmp_path):
    with serve(Repository(size=250)) as repository:
        done = harvest(tmp_path, repository)
    assert (done.new, done.current) == (250, 250) and set(current(tmp_path)) == numbers(repository)
    assert repository.answers == {"Identify": 1, "ListMetadataFormats": 1, "ListRecords": 3}
    made = outcomes(tmp_path)[f"{PREFIX}17"].document
    assert (made.title, made.author, made.date) == ("제목 17", "견본 저자", "2026-01-01")
    assert (made.text, made.provenance.url) == ("초록 17", "https://repo.example/handle/1/17")


def test_a_list_answer_is_archived_without_the_records_that_are_archived_on_their_own(tmp_path):
    with serve(Repository(size=5)) as repository:
        harvest(tmp_path, repository)
    said = [(entry.url, read_body(entry)) for entry, _ in entries(runs(tmp_path)[0].folder / CLOSED)]
    assert sum(body.count("초록 3".encode()) for _, body in said) == 1
    (listed,) = (body for url, body in said if "verb=ListRecords" in url)
    assert listed.count(b"<identifier>") == 5 and b"metadata>" not in listed


def test_a_file_is_fetched_only_where_the_licence_of_its_record_permits_a_use(tmp_path):
    with serve(Repository(size=8, work=licensed)) as repository:
        for number in range(8):
            file(repository, number)
        harvest(tmp_path, repository)
    assert {path for path in repository.hits if "bitstream" in path} == {"/bitstream/0/a.txt", "/bitstream/6/a.txt"}
    made = outcomes(tmp_path)
    uses = {key.removeprefix(PREFIX): decide(one.document.evidence, one.document.signals) for key, one in made.items()}
    whole = {key: use for key, use in uses.items() if "#" not in key}
    assert {key: (use.use, use.licence) for key, use in whole.items() if use.use != "exclude"} == {
        "0": ("redistribute", "CC-BY-4.0"),
        "6": ("redistribute", "LicenseRef-KOGL-1"),
    }
    assert {key: use.reason for key, use in whole.items() if use.use == "exclude"} == {
        "1": "no-licence",
        "2": "no-licence",
        "3": "no-licence",
        "4": "unknown-licence",
        "5": "restricted-licence",
        "7": "refused",
    }
    full = made[f"{PREFIX}0#{repository.host}/bitstream/0/a.txt"].document
    assert full.text.startswith("전문 0") and (full.title, full.author) == ("제목 0", "견본 저자")
    assert decide(full.evidence, full.signals).licence == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("formats", "rights"), [("xoai", "dc.rights.uri"), ("dim", "dc.rights.uri"), ("oai_dc", "dc.rights")]
)
def test_the_best_format_that_is_offered_is_read(tmp_path, formats, rights):
    with serve(Repository(size=8, work=licensed, formats=("oai_dc", formats))) as repository:
        file(repository, 0), file(repository, 6)
        harvest(tmp_path, repository, f', formats=("{formats}", "oai_dc")')
    made = outcomes(tmp_path)[f"{PREFIX}0"].document
    assert made.text.startswith("초록 0") and made.title == "제목 0"
    assert [(one.licence, one.place) for one in made.evidence] == [("CC-BY-4.0", rights)]
    named = {"xoai", "oai_dc"} & {formats}  # the other has no address of a file
    assert ("/bitstream/0/a.txt" in current(tmp_path)) == bool(named)
    assert not any("small.jpg" in path for path in repository.hits)  # a bundle other than ORIGINAL


def test_a_file_in_pdf_keeps_the_title_of_its_record(tmp_path):
    def work(number: int) -> Work:
        return Work(number, "2026-01-01", "보고서", "초록", (BY,), "/bitstream/a.pdf")

    with serve(Repository(size=1, work=work)) as repository:
        repository.add("/bitstream/a.pdf", "application/pdf", pdf([column([TEXT[:30]])]))
        harvest(tmp_path, repository)
    (found,) = (one for key, one in outcomes(tmp_path).items() if "#" in key)
    assert found.document.title == "보고서" and found.document.provenance.format == "pdf"


def test_a_second_harvest_asks_for_what_changed_since_the_first(tmp_path):
    with serve(Repository(size=250, today=day(100))) as repository:
        harvest(tmp_path, repository)
        repository.hits.clear()
        repository.changes[3] = Work(3, day(120), "새 제목", "새 초록")
        repository.changes[4] = Work(4, day(121), deleted=True)
        repository.today = day(130)
        done = harvest(tmp_path, repository)
        assert [path for path in repository.hits if "ListRecords" in path] == [
            f"/oai?from={day(100)}&metadataPrefix=oai_dc&verb=ListRecords"
        ]
        assert (done.new, done.gone, done.current) == (1, 1, 249)
        made = outcomes(tmp_path)
        assert made[f"{PREFIX}3"].document.title == "새 제목"
        assert [one.name for one in made[f"{PREFIX}4"].document.signals] == ["gone"]
        repository.today, quiet = day(140), harvest(tmp_path, repository)
    assert (quiet.new, quiet.gone, quiet.current) == (0, 0, 249)


def test_a_deleted_record_that_comes_back_is_current_again(tmp_path):
    with serve(Repository(size=3, today=day(9))) as repository:
        harvest(tmp_path, repository)
        repository.changes[1] = Work(1, day(10), deleted=True)
        assert harvest(tmp_path, repository).current == 2
        repository.changes[1] = Work(1, day(11), "다시", "다시 온 글")
        assert harvest(tmp_path, repository).current == 3


@pytest.mark.parametrize("keeps", ["no", "transient"])
def test_a_repository_that_forgets_deletions_is_listed_as_a_whole(tmp_path, keeps):
    with serve(Repository(size=9, today=day(9), deleted_record=keeps)) as repository:
        harvest(tmp_path, repository)
        repository.size, repository.today = 7, day(9 + 31)  # the last two are gone without a word
        done = harvest(tmp_path, repository)
    assert (done.gone, done.current) == (2, 7) and set(current(tmp_path)) == numbers(repository)


def test_what_a_file_was_fetched_for_is_asked_again_when_its_record_changes(tmp_path):
    work = {0: Work(0, day(1), "가", "글", (BY,), "/bitstream/0/a.txt")}
    with serve(
        Repository(size=2, work=lambda n: work.get(n) or Work(n, day(1), "나", "글"), today=day(9))
    ) as repository:
        file(repository, 0)
        harvest(tmp_path, repository)
        repository.changes[0] = Work(0, day(10), "가", "글", ("KOGL Type 1",), "/bitstream/0/a.txt")
        harvest(tmp_path, repository)
        (full,) = (one.document for key, one in outcomes(tmp_path).items() if "#" in key)
        assert decide(full.evidence, full.signals).licence == "LicenseRef-KOGL-1"  # of the same bytes
        repository.changes[0] = Work(0, day(11), "가", "글", (), "/bitstream/0/a.txt")
        assert harvest(tmp_path, repository).gone == 1
        assert set(current(tmp_path)) == {"0", "1"} and repository.hits["/bitstream/0/a.txt"] == 2
        repository.changes[0] = Work(0, day(12), deleted=True)
        harvest(tmp_path, repository)
    assert set(current(tmp_path)) == {"1"}


def test_sets_limit_what_is_listed_and_a_record_of_two_sets_is_archived_once(tmp_path):
    def work(number: int) -> Work:
        return Work(number, "2026-01-01", "t", f"글 {number}", sets=(("a", "b"), ("a:x",), ("c",))[number % 3])

    with serve(Repository(size=30, work=work, page=4, sets=("a", "a:x", "b", "c"))) as repository:
        done = harvest(tmp_path, repository, ', sets=("a", "b")')
    assert set(current(tmp_path)) == {str(n) for n in range(30) if n % 3 != 2} and done.new == 20
    written = Counter(entry.url for entry, _ in entries(runs(tmp_path)[0].folder / CLOSED))
    assert {count for url, count in written.items() if "GetRecord" in url} == {1}


def test_start_and_end_bound_the_datestamps(tmp_path):
    with serve(Repository(size=40, work=daily)) as repository:
        harvest(tmp_path, repository, f', start="{day(10)}", end="{day(12)}"')
    assert set(current(tmp_path)) == {"10", "11", "12"}


@pytest.mark.parametrize("times", [1, 3])
def test_a_token_that_expires_begins_the_list_again_without_loss_or_double(tmp_path, times):
    with serve(
        Repository(size=95, page=10, work=lambda n: Work(n, day(n), "t", f"글 {n}"), today=day(95))
    ) as repository:
        repository.expire = {50}
        if times == 3:  # in the end the list is split into ranges of days, where the cursor is another
            repository.expire, repository.dead = set(), {50}
        done = harvest(tmp_path, repository)
    assert (done.new, done.current, done.failed) == (95, 95, 0) and set(current(tmp_path)) == numbers(repository)
    written = Counter(entry.url for entry, _ in entries(runs(tmp_path)[0].folder / CLOSED))
    assert {count for url, count in written.items() if "GetRecord" in url} == {1}
    assert "oai" in facts(tmp_path)


@pytest.mark.parametrize("given", [{"cap": 9}, {"page": 10, "dead": {50}}], ids=["cut off", "dead token"])
def test_a_day_is_whole_where_datestamps_have_seconds(tmp_path, given):
    with serve(Repository(size=90, has_seconds=True, work=daily, today=day(95), **given)) as repository:
        done = harvest(tmp_path, repository, ", cap=9" if "cap" in given else "")
        assert (done.current, done.failed) == (90, 0) and "oai" in facts(tmp_path)
        assert any("T23%3A59%3A59Z" in asked for asked in repository.hits)


def test_a_list_in_another_encoding_is_read_and_resumed(tmp_path):
    with serve(Repository(size=30, page=10, charset="euc-kr")) as repository:
        done = harvest(tmp_path, repository)
    assert done.current == 30 and outcomes(tmp_path)[f"{PREFIX}3"].document.title == "제목 3"


def test_an_error_of_the_protocol_behind_a_status_of_http_is_understood(tmp_path):
    with serve(Repository(size=95, page=10, work=daily, today=day(95), error_status=404, expire={50})) as repository:
        assert harvest(tmp_path, repository).current == 95
        repository.today = day(99)  # the next harvest has nothing: noRecordsMatch
        done = harvest(tmp_path, repository)
        assert (done.current, done.failed, done.gone) == (95, 0, 0) and "oai" in facts(tmp_path)
    with serve(Repository(size=3, error_status=400)) as repository, pytest.raises(SourceError, match="noSetHierarchy"):
        harvest(tmp_path, repository, ', sets=("a",)')


def test_an_empty_list_is_not_taken_for_the_deletion_of_everything(tmp_path):
    with serve(Repository(size=9, deleted_record="no")) as repository:
        harvest(tmp_path, repository)
        repository.size = 0
        with pytest.raises(SourceError, match="name no record"):
            harvest(tmp_path, repository)
        repository.size = 5
        with pytest.raises(SourceError, match="its list has 5 entries, and had 9 before"):
            harvest(tmp_path, repository)
        repository.size = 8
        assert harvest(tmp_path, repository).gone == 1, "the lists are asked for again"
    assert len(current(tmp_path)) == 8


def test_a_list_that_never_ends_is_given_up_and_not_taken_for_complete(tmp_path):
    with serve(Repository(size=30, page=10)) as repository:
        real = repository._list

        def turn(request: Any, given: Any, *, header_only: bool) -> tuple[int, bytes]:
            if "resumptionToken" in given:
                given = {**given, "resumptionToken": f"0.{repository.tokens}!oai_dc!!!"}
            return real(request, given, header_only=header_only)

        repository._list = turn  # type: ignore[method-assign]
        done = harvest(tmp_path, repository)
    assert done.current == 10 and "oai" not in facts(tmp_path)
    assert "list-without-progress" in {one["why"] for one in facts(tmp_path)["failed"]}


def test_a_repository_that_cuts_its_lists_off_is_asked_day_by_day(tmp_path):
    with serve(
        Repository(size=200, cap=9, work=lambda n: Work(n, day(n // 8), "t", f"글 {n}"), today=day(30))
    ) as repository:
        done = harvest(tmp_path, repository, ", cap=9")
        assert (done.current, done.failed) == (200, 0) and set(current(tmp_path)) == numbers(repository)
        repository.changes |= {n: Work(n, day(31), "t", f"글 {n}") for n in range(12)}
        repository.today = day(31)
        done = harvest(tmp_path, repository, ", cap=9")  # one day has more than a list: the loss is recorded
    assert any("cut off at 9 records" in one["why"] for one in facts(tmp_path)["failed"])
    assert "oai" not in facts(tmp_path)


DAMAGE = {
    "control character": lambda body: body.replace("글 13<".encode(), "글 \x0b13<".encode()),
    "lone ampersand": lambda body: body.replace("글 13<".encode(), "글 R&D &nbsp; 13<".encode()),
    "tag left open": lambda body: body.replace("글 13<".encode(), "글 <i>13<".encode()),
    "not UTF-8": lambda body: body.replace("글 13<".encode(), b"\xb1\xdb 13<"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_bad_xml_of_one_record_costs_at_most_a_request(tmp_path, damage):
    with serve(Repository(size=40, page=10, work=lambda n: Work(n, "2026-01-01", "t", f"글 {n}"))) as repository:
        repository.broken = {10: damage}
        done = harvest(tmp_path, repository)
    assert (done.new, done.failed) == (40, 0) and set(current(tmp_path)) == numbers(repository)
    assert "13" in outcomes(tmp_path)[f"{PREFIX}13"].document.text


def test_a_lone_ampersand_in_the_name_of_the_repository_costs_nothing(tmp_path):
    with serve(Repository(size=3)) as repository:
        real = repository.answer
        repository.answer = lambda said: (200, real(said)[1].replace("견본<".encode(), b"R&D<"))  # type: ignore[method-assign]
        assert harvest(tmp_path, repository).current == 3


def test_a_record_that_is_damaged_everywhere_is_recorded_as_failed(tmp_path):
    with serve(Repository(size=20, page=10, work=lambda n: Work(n, "2026-01-01", "t", f"글 {n}"))) as repository:
        real = repository._oai_dc
        repository._oai_dc = lambda work: "<a><b></a>" if work.number == 3 else real(work)  # type: ignore[method-assign]
        done = harvest(tmp_path, repository)
    assert (done.new, done.failed) == (19, 1)
    assert [one["why"] for one in facts(tmp_path)["failed"]] == ["record-damaged"] and "oai" in facts(tmp_path)


BROKEN = {
    "cut off": lambda body: body[: len(body) // 2],
    "empty": lambda body: b"",
    "a page": lambda body: b"<html><body>busy</body></html>",
    "entities": lambda body: b'<!DOCTYPE a [<!ENTITY b "c">]>' + body,
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_list_that_breaks_off_is_continued_by_identifiers_and_single_records(tmp_path, damage):
    with serve(Repository(size=40, page=10)) as repository:
        repository.broken = {20: damage}
        done = harvest(tmp_path, repository)
    assert (done.current, done.failed) == (40, 0) and set(current(tmp_path)) == numbers(repository)
    assert repository.answers["ListIdentifiers"] == 4


def test_a_list_that_answers_500_is_continued_by_identifiers(tmp_path):
    with serve(Repository(size=40, page=10)) as repository:
        repository.errors = {20: 500}
        done = harvest(tmp_path, repository)
    assert (done.current, done.failed) == (40, 0)


def test_records_may_be_asked_for_one_by_one(tmp_path):
    with serve(Repository(size=30, page=10)) as repository:
        done = harvest(tmp_path, repository, ", by_identifier=True")
        assert done.current == 30 and "ListRecords" not in repository.answers
        alone = {key: row.payload_sha256 for key, row in current(tmp_path).items()}
    (tmp_path / "b").mkdir()
    with serve(Repository(size=30, page=10)) as repository:
        harvest(tmp_path / "b", repository)
    assert alone == {key: row.payload_sha256 for key, row in current(tmp_path / "b").items()}


def test_a_busy_repository_is_given_the_pause_that_it_asks_for(tmp_path):
    with serve(Repository(size=60, page=10, busy=3)) as repository:
        assert harvest(tmp_path, repository).current == 60


def test_a_limit_ends_the_harvest_after_the_answer_in_which_it_is_reached(tmp_path):
    with serve(Repository(size=60, page=10)) as repository:
        done = harvest(tmp_path, repository, limit=15)
        assert done.current == 20 and "oai" not in facts(tmp_path)
        assert harvest(tmp_path, repository).current == 60  # the next one lists from the beginning


@pytest.mark.parametrize(
    ("given", "more", "says"),
    [
        ({}, ', formats=("qdc",)', "offers the formats oai_dc, and not qdc"),
        ({}, ', sets=("a",)', "answers noSetHierarchy .* leave out sets"),
        ({"sets": ("a", "b")}, ', sets=("c",)', "has no set 'c'.* such as a, b"),
        ({"size": 0}, "", "its lists name no record but deleted ones"),
        ({"robots": "User-agent: *\nDisallow: /oai\n"}, "", r"robots.txt .* forbids .*Disallow: /oai.* grant="),
    ],
    ids=["format", "no sets", "set", "empty", "robots"],
)
def test_an_error_of_the_protocol_says_what_to_do(tmp_path, given, more, says):
    with serve(Repository(**{"size": 3, **given})) as repository, pytest.raises(SourceError, match=says):
        harvest(tmp_path, repository, more)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (', start="yesterday"', "start='yesterday' .* is not a day"),
        (", formats=()", "at least one metadata prefix"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused_before_any_request(tmp_path, more, says):
    with serve(Repository(size=1)) as repository, pytest.raises(CallError, match=says):
        harvest(tmp_path, repository, more)
    assert not repository.hits


def test_an_address_that_does_not_speak_the_protocol_is_named(tmp_path):
    with serve(Repository(size=1)) as repository:
        repository.answer = lambda said: (200, b"<html><body>hello</body></html>")  # type: ignore[method-assign]
        with pytest.raises(SourceError, match=r"is not OAI-PMH .* check url"):
            harvest(tmp_path, repository)


def test_robots_of_a_grant_and_of_files(tmp_path):
    with serve(
        Repository(size=8, work=licensed, robots="User-agent: *\nDisallow: /oai\nDisallow: /bitstream/6/\n")
    ) as one:
        file(one, 0), file(one, 6)
        one.add("/grant", "text/html", b"<p>OAI-PMH</p>")
        done = harvest(tmp_path, one, f', grant="{one.host}/grant"')
    assert set(current(tmp_path)) == {*map(str, range(8)), "/bitstream/0/a.txt"} and done.blocked == 1


def test_what_was_withdrawn_is_neither_archived_nor_fetched(tmp_path):
    with serve(Repository(size=8, work=licensed)) as repository:
        file(repository, 0), file(repository, 6)
        withdraw(Workspace.open(tmp_path / "w"), [f"small/{PREFIX}6"])
        done = harvest(tmp_path, repository)
    assert done.current == 8 and "6" not in current(tmp_path) and repository.hits["/bitstream/6/a.txt"] == 0
    archived = b"".join(read_body(entry) for entry, _ in entries(runs(tmp_path)[0].folder / CLOSED))
    assert "초록 6".encode() not in archived and "초록 5".encode() in archived


def test_the_examples_of_the_docs_and_the_skeleton_harvest_a_repository(tmp_path):
    page = (ROOT / "docs" / "add-a-source.md").read_text("utf-8").partition("### OaiPmh")[2]
    example = page.partition("```python\n")[2].partition("```")[0]
    source_files.write_skeleton("reports", tmp_path, SafeConsole(quiet=True), "dspace")
    skeleton = (tmp_path / "reports.py").read_text("utf-8")
    with serve(Repository(size=120, formats=("oai_dc", "xoai"))) as repository:
        host = repository.host.removeprefix("http://")
        for number, code in enumerate((example, skeleton)):
            code = re.sub(r"https://\w+.example/oai/request", repository.base, code).replace(
                "from malmoi.source import Expect", "from malmoi.source import Expect, Manners"
            )
            code = code.replace('name="reports",', f'name="reports", manners=Manners(0.0, loopback=("{host}",)),')
            path = tmp_path / f"{number}.py"
            path.write_text(code, "utf-8")
            assert collect(Workspace.open(tmp_path / f"w{number}"), str(path), Progress()).current == 120
    assert any("metadataPrefix=xoai" in asked for asked in repository.hits)


# Killed


def start(folder: Path, source: str) -> "subprocess.Popen[bytes]":
    job = folder / "job.json"
    job.write_text(json.dumps({"source": source, "run_dir": str(folder / "run")}))
    return subprocess.Popen([sys.executable, "-m", "crawlers.fetch", str(job)], cwd=ROOT, stdout=subprocess.DEVNULL)


def kill_and_finish(folder: Path, repository: Repository, kills: int, seed: int) -> list[int]:
    """Kill a harvest at random, then let it end; returns the records that were archived at each kill."""
    source, random_ = declare(folder, repository), random.Random(seed)
    at, archive = list[int](), folder / "run" / OPEN
    steps = [(n + random_.random()) / (kills + 1) * 0.9 * repository.size for n in range(kills)]
    for target in steps:
        process = start(folder, source)
        while process.poll() is None and count(archive) < target:
            time.sleep(0.02)
        time.sleep(random_.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        at.append(count(archive))
    assert start(folder, source).wait() == 0
    return at


def count(archive: Path) -> int:
    """A rough number of the records in an archive, by its size."""
    return archive.stat().st_size // 679 if archive.exists() else 0


def check_each_once(folder: Path, repository: Repository) -> None:
    found = Counter(
        protocol.arguments_of(entry.url)["identifier"]
        for entry, _ in entries(folder / "run" / CLOSED)
        if "GetRecord" in entry.url
    )
    assert set(found) == {f"{PREFIX}{n}" for n in range(repository.size)} and set(found.values()) == {1}


@pytest.mark.heavy
def test_a_killed_harvest_resumes_and_archives_each_record_once(tmp_path):
    with serve(Repository(size=3_000, page=50, expire={500, 1_500}, busy=17)) as repository:
        kill_and_finish(tmp_path, repository, 4, 1)
    check_each_once(tmp_path, repository)


@pytest.mark.soak
def test_a_hundred_thousand_records_are_archived_once_each_by_a_harvest_that_is_killed_thirty_times(tmp_path):
    with serve(Repository(size=100_000, page=100, busy=97)) as repository:
        kill_and_finish(tmp_path, repository, 30, 2)
    check_each_once(tmp_path, repository)


def test_a_record_that_the_source_cannot_read_loses_its_files_and_no_other(tmp_path):
    with serve(
        Repository(size=3, work=lambda n: Work(n, day(n), f"제목 {n}", "글", (BY,), f"/bitstream/{n}/a.txt"))
    ) as repository:
        for number in range(3):
            file(repository, number)
        name = declare(tmp_path, repository)
        with Path(name).open("a", encoding="utf-8") as source:
            source.write(
                "from crawlers.oai import records\ndef items(capture):\n"
                "    for item in records.items(capture):\n"
                "        if item.title == '제목 1':\n            raise KeyError('identifier')\n        yield item\n"
            )
        collect(Workspace.open(tmp_path / "w"), name, Progress())
        assert {path for path in repository.hits if "bitstream" in path} == {"/bitstream/0/a.txt", "/bitstream/2/a.txt"}
        (lost,) = facts(tmp_path)["failed"]
        assert lost["why"].startswith("links-unread: KeyError: 'identifier' (small.py, line ")
        assert "oai" not in facts(tmp_path), "the next harvest lists the record again"
        declare(tmp_path, repository)
        collect(Workspace.open(tmp_path / "w"), name, Progress())
    assert "/bitstream/1/a.txt" in repository.hits
