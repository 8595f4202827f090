"""A release asks its hosts again: what was reserved since is listed, and a host that is down reserves nothing."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from malmoi import limits
from malmoi.archive import collection
from malmoi.document import Signal
from malmoi.releases.publish import publish
from malmoi.storage.shard import sha256_of
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import SOURCES, documents, inputs
from tests.builders.small_site import Answer, Site, serve

RULES = b"User-agent: *\nAllow: /\n"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as made:
        made.answers = {"/robots.txt": Answer(RULES)}
        yield made


def release_of(folder: Path, base: str) -> Path:
    """Sixteen documents of `ga` at `base`, one of which had its host's robots.txt against it; eight of a dump."""
    docs = []
    for doc in documents(24):
        if doc.id.startswith("ga/"):
            doc = replace(doc, provenance=replace(doc.provenance, url=f"{base}/{doc.id.partition('/')[2]}"))
        if doc.id == "ga/1":
            doc = replace(doc, signals=(Signal("robots-ai", "inferred-opt-out", "GPTBot", "/robots.txt", "r"),))
        docs.append(doc)
    publish(replace(inputs(folder / "in", docs), sources=SOURCES), folder / "r", tmp=folder)
    (folder / "ga.py").write_text(
        "from malmoi.source import LicenceRule, Manners, Site, Source\n"
        f"SOURCE = Source('ga', 'a', 'b', Site(('{base}/',), ('{base}/',)),\n"
        f"    manners=Manners(delay=0.0, loopback=('{base.removeprefix('http://')}',)))\n",
        encoding="utf-8",
    )
    return folder / "r"


def recheck(folder: Path, *more: str) -> tuple[int, str, str]:
    place = f"rights recheck {folder / 'r'} --source {folder / 'ga.py'} --workspace {folder / 'w'}"
    done = malmoi_in_process(*shlex.split(place), *more)
    return done.returncode, done.stdout, done.stderr


def read(folder: Path, *more: str) -> tuple[int, dict]:
    status, out, err = recheck(folder, "--yes", "--json", *more)
    assert out, err
    return status, json.loads(out)


def test_what_was_reserved_since_is_listed_with_its_record(tmp_path: Path, site: Site) -> None:
    release = release_of(tmp_path, site.base)
    before = {path: sha256_of(path) for path in release.rglob("*") if path.is_file()}
    site.answers |= {
        "/robots.txt": Answer(RULES + b"\nUser-agent: GPTBot\nDisallow: /\n"),
        "/.well-known/tdmrep.json": Answer(b'[{"location": "/2", "tdm-reservation": 1}]', headers=JSON),
    }
    status, found = read(tmp_path)
    assert status == 1 and not any(one["why"] for one in found["asked"])
    said = {(one["id"], one["protocol"]) for one in found["reserved"]}
    assert ("ga/1", "robots-ai") not in said and ("ga/2", "robots-ai") in said  # that of ga/1 was known
    assert {id for id, name in said if name == "tdm-reservation"} == {"ga/2", "ga/20", "ga/22", "ga/23"}
    assert not any(id.startswith("na/") for id, _ in said)
    (run,) = collection.runs(Path(found["evidence"]).parent)
    assert {one["record"] for one in found["reserved"]} <= {row.record for row in run.rows}
    assert {path: sha256_of(path) for path in release.rglob("*") if path.is_file()} == before
    assert site.agents == {"Malmoi/0.1"} and site.hits.total() == 3


def test_nothing_new_ends_well_and_a_second_run_has_evidence_of_its_own(tmp_path: Path, site: Site) -> None:
    release_of(tmp_path, site.base)
    assert [read(tmp_path)[0] for _ in range(2)] == [0, 0]
    assert [path.name for path in sorted((tmp_path / "w").glob("rechecks/*/*"))] == ["0001", "0002"]
    status, out, _ = recheck(tmp_path, "--yes")
    assert status == 0 and "3 of 3 files answered" in out


def test_a_host_that_is_down_is_reported_and_reserves_nothing(tmp_path: Path, site: Site, monkeypatch) -> None:
    monkeypatch.setattr("crawlers.fetch.politeness.FIRST_WAIT", 0.0)
    release_of(tmp_path, site.base)
    site.answers["/robots.txt"] = Answer(b"", 503)
    status, found = read(tmp_path)
    assert (status, found["reserved"]) == (3, [])
    assert found["asked"][0]["why"] == "status-503"
    assert "/ai.txt" not in site.hits  # an unreachable robots.txt forbids


def test_a_redirect_is_followed_within_the_rules_and_archived(tmp_path: Path, site: Site) -> None:
    release_of(tmp_path, site.base)
    site.answers |= {
        "/ai.txt": Answer(b"", 301, {"Location": "/new/ai.txt"}),
        "/new/ai.txt": Answer(b"User-agent: *\nDisallow: /\n"),
        "/.well-known/tdmrep.json": Answer(b"", 302, {"Location": "http://169.254.169.254/latest/"}),
    }
    status, found = read(tmp_path)
    assert status == 1 and {one["protocol"] for one in found["reserved"]} == {"ai-txt"}
    assert [one["why"] for one in found["asked"] if one["why"]] == ["guard-link-local"]


def test_a_document_of_terms_that_robots_txt_names_is_asked_for(tmp_path: Path, site: Site) -> None:
    release_of(tmp_path, site.base)
    terms = b"<rsl><content url='/'><license><permits type='usage'>all</permits></license></content></rsl>"
    site.answers["/robots.txt"] = Answer(RULES + b"License: /terms.xml\nLicense: /gone.xml\n")
    site.answers["/terms.xml"] = Answer(terms, headers={"Content-Type": "application/rsl+xml"})
    status, found = read(tmp_path)
    assert status == 1 and {one["quote"] for one in found["reserved"]} == {"/gone.xml"}


def test_a_huge_file_is_cut_or_refused_and_reserves_nothing(tmp_path: Path, site: Site) -> None:
    release_of(tmp_path, site.base)
    site.answers["/robots.txt"] = Answer(RULES + b"# " + b"a" * 700_000 + b"\nUser-agent: GPTBot\nDisallow: /\n")
    site.answers["/ai.txt"] = Answer(b"a" * (limits.DUMP_PAGE_BYTES.value + 1))
    status, found = read(tmp_path)
    assert (status, found["reserved"]) == (0, [])  # the crawler, too, reads the first 500 KiB
    (why,) = [one["why"] for one in found["asked"] if one["why"]]
    assert why.startswith("too-big")


def test_nothing_is_requested_without_consent_or_from_a_host_that_must_not_be_asked(tmp_path: Path, site: Site) -> None:
    release_of(tmp_path, site.base)
    status, out, err = recheck(tmp_path)
    assert status == 2 and "answer y, or give --yes" in err
    assert f"ga: {site.base}" in out and "3 requests" in out and "not asked: 8 documents" in out
    unknown = f"rights recheck {tmp_path / 'r'} --yes --workspace {tmp_path / 'w'}"
    assert "--contact is missing" in malmoi_in_process(*shlex.split(unknown)).stderr
    done = malmoi_in_process(*shlex.split(unknown), "--contact", "mailto:a@example.kr", "--json")
    assert done.returncode == 3 and {one["why"] for one in json.loads(done.stdout)["asked"]} == {"guard-loopback"}
    assert not site.hits
