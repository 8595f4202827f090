"""The archive of a crawl: whole up to its last record after any cut, and clear words when the disk is full."""

import random
from pathlib import Path

import pytest

from crawlers.fetch.archive import OPEN, Archive, entries
from malmoi.archive import capture
from tests.builders.hostile import crawl, links, order, page, raw_server


def small_archive(folder: Path) -> Archive:
    made = Archive(folder)
    for n in range(4):
        made.add(f"http://a.kr/{n}", "2026-11-24T09:00:00Z", 200, (("Content-Type", "text/html"),), b"%d" % n * 40)
    made.leave()
    return made


def test_an_archive_cut_off_at_any_byte_is_whole_up_to_its_last_record(tmp_path: Path) -> None:
    small_archive(tmp_path)
    whole = (tmp_path / OPEN).read_bytes()
    ends = [0, *(end for _, end in entries(tmp_path / OPEN))]
    for cut in range(len(whole)):
        (tmp_path / OPEN).write_bytes(whole[:cut])
        again = Archive(tmp_path)
        kept = max(end for end in ends if end <= cut)
        assert (tmp_path / OPEN).stat().st_size == kept and len(again.here) == ends.index(kept)
        again.leave()


@pytest.mark.heavy
def test_a_maximum_file_size_is_said_in_one_line_and_the_run_goes_on_later(tmp_path: Path) -> None:
    noise = random.Random(1)
    with raw_server() as site:
        site.answers["/"] = links(*(f"/{n}" for n in range(12)))
        site.answers |= {f"/{n}": page(noise.randbytes(20_000).hex()) for n in range(12)}
        job = order(tmp_path, f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))', (site.port,))
        full = crawl(job, fsize=60_000)
        before = len(site.asked)
        last = full.err.strip().splitlines()[-1]
        assert full.status == 3 and "raise the maximum file size" in last and "run the same job again" in last, full.err
        held = sum(1 for _ in entries(tmp_path / "run" / OPEN))
        done = crawl(job)
        assert done.status == 0 and done.stats["pages"] == 13 and held >= 3
        assert len(site.asked) - before == 1 + 12 + 3 - held  # robots.txt, ai.txt, tdmrep.json, the pages


def test_after_a_failed_run_a_redirect_is_asked_for_again_and_a_page_is_not(tmp_path: Path) -> None:
    small_archive(tmp_path)
    made = Archive(tmp_path)
    made.add("http://a.kr/", "2026-11-24T09:00:00Z", 302, (("Location", "http://a.kr/"),), b"")
    made.leave()
    again = Archive(tmp_path, failed=True)
    assert again.replay("http://a.kr/") is None and again.replay("http://a.kr/1") is not None
    again.leave()
    resumed = Archive(tmp_path)
    assert resumed.replay("http://a.kr/") is not None
    resumed.leave()


def test_a_look_at_an_open_archive_skips_records_that_are_not_answers(tmp_path: Path) -> None:
    path = tmp_path / OPEN
    other = capture.resource_record("https://a.kr/file", "2026-11-30T00:00:00Z", "text/plain", b"a\r\n\r\nb")
    described = capture.info_record("urn:uuid:1", "2026-11-30T00:00:00Z", {"repository": "https://a.kr/r"})
    answer = capture.warc_record("https://a.kr/", "2026-11-30T00:00:00Z", 200, (), b"page")
    path.write_bytes(described + other + answer + answer[:20])
    ((entry, end),) = entries(path)
    assert entry.url == "https://a.kr/" and end == len(described + other + answer)
