"""The state of each document for each opt-out protocol, with record and time."""

from dataclasses import replace
from pathlib import Path

import pytest

import data_cards
from crawlers.rights.policy_files import PATHS, list_answers
from crawlers.web.site_files import POLICY_PATHS
from data_cards.facts import expand
from malmoi.archive import capture, collection
from malmoi.document import Signal
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import PolicyAnswer
from malmoi.storage.duckdb_tables import open_tables
from malmoi.workspace_layout import PAGES
from tests.builders.small_release import documents, inputs

SITE, WHEN = "https://ga.example.kr", "2026-11-19T00:00:00Z"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ga` is a site that answered for robots.txt and ai.txt, `na` a dump; three documents of `ga` have signals."""
    root = tmp_path_factory.mktemp("protocols")
    docs = documents(24)
    said = {
        "ga/1": Signal("tdm-reservation", "granted", "0", "header", "urn:uuid:ga-1"),
        "ga/2": Signal("robots-ai", "inferred-opt-out", "Disallow for GPTBot", "/robots.txt", "urn:uuid:robots"),
        "ga/4": Signal("content-signal", "note", "search=no", "/robots.txt, line 2", "urn:uuid:robots"),
    }
    docs = [replace(d, signals=(said[d.id],) if d.id in said else ()) for d in docs]
    policies = (
        PolicyAnswer("ga", SITE, "robots", "read", "urn:uuid:robots", WHEN),
        PolicyAnswer("ga", SITE, "ai-txt", "absent", "urn:uuid:ai", WHEN),
        PolicyAnswer("ga", "https://other.example.kr", "tdmrep", "absent", "urn:uuid:other", WHEN),
    )
    publish(replace(inputs(root / "in", docs), policies=policies), root / "r", tmp=root)
    return root / "r"


def test_every_document_has_a_state_for_every_protocol_with_record_and_time(release: Path) -> None:
    with open_tables(release) as tables:
        rows = {(id, name): state for id, name, *state in tables.ask(expand("{states}")).rows}
    assert len(rows) == 24 * 9
    assert rows["ga/1", "tdm-reservation"] == ["granted", "urn:uuid:ga-1", "2026-11-20T00:00:00Z"]
    assert rows["ga/2", "robots-ai"] == ["reserved", "urn:uuid:robots", WHEN]
    assert rows["ga/1", "robots-ai"] == ["absent", "urn:uuid:robots", WHEN]
    assert rows["ga/1", "ai-txt"] == ["absent", "urn:uuid:ai", WHEN]
    assert rows["ga/1", "noai"] == ["absent", "urn:uuid:ga-1", "2026-11-20T00:00:00Z"]
    assert rows["ga/4", "content-signal"] == ["absent", "urn:uuid:robots", WHEN]  # it speaks of another use
    assert rows["ga/2", "tdm-reservation"] == ["not asked", "", ""]  # its host gave no answer for tdmrep.json
    assert {tuple(state) for (id, _), state in rows.items() if id.startswith("na/")} == {("not asked", "", "")}


def test_the_card_counts_the_states_and_the_dropped_documents_that_reserved(release: Path) -> None:
    rows = {row[0]: row[1:] for row in data_cards.derive(release)["tables"]["opt_outs"]["rows"]}
    assert rows["robots-ai"] == [1, 0, 15, 8]
    assert rows["tdm-reservation"] == [7, 1, 0, 23]  # the seven dropped documents had reserved
    assert rows["noai"] == [0, 0, 16, 8]


def page(url: str, status: int, body: bytes = b"", when: str = WHEN, media: str = "text/plain") -> bytes:
    return capture.warc_record(url, when, status, (("Content-Type", media),), body)


def crawl(folder: Path, *records: bytes) -> None:
    """Write a finished run with these records."""
    run = collection.open_run(folder)
    run.mkdir(parents=True)
    (run / PAGES).write_bytes(b"".join(records))
    rows, _ = capture.index(run / PAGES, PAGES)
    collection.finish(run, rows, {"source": "here"})


def test_only_an_archived_answer_says_that_a_file_is_absent(tmp_path: Path) -> None:
    rules, later = b"User-agent: *\nAllow: /\n", "2026-11-26T00:00:00Z"
    crawl(
        tmp_path,
        page("https://a.kr/robots.txt", 200, rules),
        page("https://a.kr/ai.txt", 404),
        page("https://a.kr/.well-known/tdmrep.json", 200, b"<html></html>", media="text/html"),
        page("https://b.kr/robots.txt", 404),
        page("https://b.kr/ai.txt", 403),
        page("https://b.kr/.well-known/tdmrep.json", 503),
    )
    crawl(
        tmp_path,
        page("https://a.kr/robots.txt", 200, rules, later),
        page("https://a.kr/ai.txt", 404, b"another page", later),
        page("https://b.kr/robots.txt", 200, rules, later),
    )
    found = list_answers(collection.runs(tmp_path))
    assert [(site, kind, outcome, when) for site, kind, outcome, _, when in found] == [
        ("https://a.kr", "tdmrep", "absent", WHEN),
        ("https://a.kr", "ai-txt", "absent", WHEN),  # repeated: record and time of the first
        ("https://a.kr", "robots", "read", WHEN),
        ("https://b.kr", "robots", "read", later),
    ]


def test_every_policy_file_that_is_read_is_known_as_one() -> None:
    assert PATHS.keys() == POLICY_PATHS
