"""The queue of a crawl: first in, first out, each address once; its memory is bounded, and what passes is counted."""

import json
import tracemalloc
from pathlib import Path

import pytest

from crawlers.fetch import frontier
from crawlers.fetch.frontier import Frontier, Seen
from malmoi import limits
from tests.builders.hostile import crawl, links, order, page, raw_server


@pytest.mark.parametrize("held", [2, 3, 7, 100, 10_000])
def test_places_come_out_in_the_order_in_which_they_went_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(frontier, "HELD", held)
    queue, came, put = Frontier(tmp_path), [], 0
    for step in range(1_000):
        for _ in range(3 if step < 300 else 0):
            queue.append(f"http://a.kr/{'가' * (put % 5)}{put}", "page" if put % 2 else "sitemap")
            put += 1
        if queue:
            assert queue.first() is next(queue.ahead(64))
            came.append(queue.popleft())
    while queue:
        came.append(queue.popleft())
    assert [place.url for place in came] == [f"http://a.kr/{'가' * (n % 5)}{n}" for n in range(put)]
    assert [place.kind for place in came] == ["page" if n % 2 else "sitemap" for n in range(put)]
    assert not queue.waiting and list(tmp_path.iterdir()) == [], "its file has no name"


@pytest.mark.heavy
def test_the_memory_of_the_queue_does_not_grow_with_the_length_of_addresses(tmp_path: Path) -> None:
    tracemalloc.start()
    queue, seen = Frontier(tmp_path), Seen()
    for n in range(60_000):  # 120 MB of addresses
        url = f"http://a.kr/{n:08d}{'x' * 1_980}"
        assert url not in seen
        seen.add(url)
        queue.append(url, "page")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(queue) == len(seen) == 60_000 and queue.first().url in seen
    assert peak < 40 << 20, "bytes; the front of the queue and a number an address"


def peak_of_links(folder: Path, length: int) -> int:
    """Return the peak memory in MB of a crawl of 12 pages with 8,000 links each of `length` characters."""

    def many(number: int) -> bytes:
        return links(*(f"/p?{number}-{n}-{'x' * length}" for n in range(8_000)))

    folder.mkdir()
    with raw_server() as site:
        site.answers["/"] = links(*(f"/hub/{n}" for n in range(12)))
        site.answers |= {f"/hub/{n}": many(n) for n in range(12)}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",), max_pages=13)'
        done = crawl(order(folder, source, (site.port,)), memory=str(folder / "m"))
    assert done.status == 0 and done.stats["finished"] == "limit" and done.stats["pages"] == 13, done.err
    assert json.loads(done.out.splitlines()[-1])["queued"] == 12 * 8_000
    return int((folder / "m").read_text())


@pytest.mark.soak
def test_pages_with_many_long_links_do_not_fill_the_memory(tmp_path: Path) -> None:
    long, short = peak_of_links(tmp_path / "long", 1_900), peak_of_links(tmp_path / "short", 10)
    assert long - short < 145, "MB; the links alone are 180 MB, a page of them is 15 MB"


def test_addresses_beyond_the_bound_of_a_run_are_counted_and_the_bound_is_named(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links(*(f"/{n}" for n in range(30)), f"/{'x' * 3_000}")
        site.answers |= {f"/{n}": page("text") for n in range(30)}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,)), limits={"FRONTIER_ADDRESSES": 10})
    assert done.status == 0 and done.stats["pages"] == 10 and done.stats["finished"] == "limit", done.err
    assert done.stats["left_out"] == {"frontier-full": 21, "too-long": 1}
    assert done.stats["limits"] == {
        "frontier-full": "limit frontier_addresses: 10",
        "too-long": limits.ADDRESS_BYTES.describe(),
    }
