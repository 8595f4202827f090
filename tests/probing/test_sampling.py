"""Samples: drawn at random, the same for a seed, and with the size of the whole."""

from collections import Counter

import pytest

from crawlers.fetch.frontier import SampledFrontier
from flows.probing.forecast import Cluster, count_copies
from malmoi.statistics import (
    Lowest,
    Sample,
    Stratum,
    draw_by_size,
    draw_stream,
    estimate_totals,
    read_strata,
    weigh_units,
)


def test_a_larger_sample_contains_a_smaller_one_and_another_seed_draws_others():
    names = [f"n{n}" for n in range(1000)]
    small, large = (set(Sample(size, "a").choose(names)) for size in (50, 200))
    assert small < large and len(small) == 50
    assert small != set(Sample(50, "b").choose(reversed(names)))


def test_every_unit_has_the_same_chance():
    drawn = Counter(name for seed in range(300) for name in Sample(10, str(seed)).choose(f"n{n}" for n in range(50)))
    assert len(drawn) == 50 and min(drawn.values()) > 30 and max(drawn.values()) < 95  # 60 are expected


@pytest.mark.parametrize("count", [3, 7, 100])
def test_a_stream_is_sampled_like_a_list(count):
    names, sample = [f"n{n}" for n in range(count)], Sample(7)
    drawn = Lowest(7)
    for name in names:
        drawn.add(sample.rank(name), name)
    assert set(drawn.units()) == set(sample.choose(names)) and drawn.added == count
    assert drawn.units() == [name for name in names if name in drawn.units()], "in the order of the stream"


def test_a_stream_with_sizes_is_drawn_like_a_table_of_them():
    sizes = {f"n{n}": (n % 97 + 1) ** 2 for n in range(1000)}
    strata, units = draw_stream(Sample(60), lambda: iter(sizes), str, sizes.__getitem__)
    assert strata == draw_by_size(Sample(60), sizes)
    assert units == [name for name in sizes if any(name in one.chosen for one in strata)], "in the order of the stream"


def test_strata_by_size_cover_every_unit_once_and_spend_the_sample():
    sizes = {f"n{n}": (n % 97 + 1) ** 2 for n in range(1000)}
    strata = draw_by_size(Sample(200), sizes)
    assert sum(one.units for one in strata) == 1000 and sum(one.bytes for one in strata) == sum(sizes.values())
    assert sum(len(one.chosen) for one in strata) == 200 and len(strata) == 8
    assert [len(one.chosen) for one in draw_by_size(Sample(5), dict.fromkeys("abc", 0))] == [3]


def walk(frontier, pages, starts, moved=()):
    """Crawl a site of dictionaries with a frontier; the addresses that were requested."""
    seen, asked = set(starts), []
    for url in starts:
        frontier.append(url, "page")
    while frontier:
        place = frontier.popleft()
        asked.append(place.url)
        for url in pages.get(place.url, ()):
            if url not in seen:
                seen.add(url)
                frontier.append(url, "page")
    return asked


def board(lists, on_list, *, chained):
    """A board whose first list names all others, or where each list names the next."""
    pages = {}
    for n in range(1, lists + 1):
        articles = [f"https://a.kr/view?no={n * 1000 + k}" for k in range(on_list)]
        others = [n + 1] if chained else range(2, lists + 1) if n == 1 else []
        pages[f"https://a.kr/list?page={n}"] = [*articles, *(f"https://a.kr/list?page={m}" for m in others)]
    return pages


def strata_of(frontier):
    return {one.name: one for one in frontier.strata({})}


def test_the_lists_of_a_board_are_read_and_its_articles_are_drawn():
    frontier = SampledFrontier(Sample(30))
    asked = walk(frontier, board(20, 50, chained=True), ["https://a.kr/list?page=1"])
    found = strata_of(frontier)
    assert (found["a.kr/view?no"].units, found["a.kr/view?no"].counted) == (1000, "counted")
    assert found["a.kr/list?page"].units == 21 and len(asked) == 21 + 2 + 30, "the last list names one that is gone"
    assert len(found["a.kr/view?no"].chosen) == 32


def test_lists_that_are_too_many_are_sampled_and_the_articles_behind_them_estimated():
    frontier = SampledFrontier(Sample(20))
    asked = walk(frontier, board(400, 50, chained=False), ["https://a.kr/list?page=1"])
    found = strata_of(frontier)
    articles, lists = found["a.kr/view?no"], found["a.kr/list?page"]
    assert (lists.units, lists.counted) == (400, "counted") and articles.counted == "estimated"
    assert articles.units == pytest.approx(20_000, rel=0.01) and len(asked) == 3 * 20


def test_a_chain_of_lists_without_an_end_says_that_its_length_is_unknown():
    frontier = SampledFrontier(Sample(20))
    walk(frontier, board(400, 50, chained=True), ["https://a.kr/list?page=1"])
    found = strata_of(frontier)
    assert found["a.kr/list?page"].counted == found["a.kr/view?no"].counted == "at least"
    assert found["a.kr/view?no"].units == 50 * (40 - 2), "of the lists that were read"


def test_attachments_of_drawn_articles_are_estimated_from_them():
    pages = board(10, 50, chained=True)
    pages |= {url: [url.replace("view", "file")] for urls in list(pages.values()) for url in urls if "view" in url}
    frontier = SampledFrontier(Sample(60))
    walk(frontier, pages, ["https://a.kr/list?page=1"])
    files = strata_of(frontier)["a.kr/file?no"]
    assert files.counted == "estimated" and files.units == pytest.approx(500, rel=0.01) and len(files.chosen) > 2


def test_the_description_of_a_sample_says_what_was_read_for_it():
    lists, names = SampledFrontier(Sample(30)), SampledFrontier(Sample(30))
    walk(lists, board(20, 50, chained=True), ["https://a.kr/list?page=1"])
    assert lists.describe().startswith("addresses by their pattern: 23 pages read for the addresses that they name")
    walk(names, {}, [f"https://a.kr/view?no={n}" for n in range(100)])
    assert names.describe() == "addresses at random, 32 of 100", "a sitemap: its pages lead to nothing"


def test_an_address_that_moved_is_known_by_where_it_ended():
    frontier = SampledFrontier(Sample(3))
    walk(frontier, {}, ["https://a.kr/a", "https://a.kr/b"])
    moved = {"https://a.kr/a": "https://a.kr/c", "https://a.kr/b": "https://a.kr/d", "https://a.kr/d": "https://a.kr/b"}
    ends = {url for one in frontier.strata(moved) for url in one.chosen}
    assert ends == {"https://a.kr/c", "https://a.kr/d"}


def test_a_stratum_that_was_read_as_a_whole_adds_no_uncertainty():
    whole = Stratum("all", 3, "counted", ("a", "b", "c"))
    found = estimate_totals([whole], {"a": {"x": 1.0}, "b": {"x": 2.0}, "c": {"x": 9.0}})["x"]
    assert found.value == pytest.approx(12) and (found.low, found.high) == (pytest.approx(12), pytest.approx(12))


def test_known_sizes_correct_a_sample_of_large_units():
    """A quantity that is proportional to the size is known exactly once the sizes are."""
    units = {str(n): {"bytes": float(n), "x": 3.0 * n} for n in range(1, 11)}
    part = Stratum("all", 100, "counted", tuple(units), bytes=5050)
    found = estimate_totals([part], units)["x"]
    assert [found.value, found.low, found.high] == pytest.approx([3 * 5050] * 3)


def test_nineteen_of_twenty_intervals_hold_the_whole():
    sizes = {f"n{n}": 100 + (n * 7919) % 3000 for n in range(2000)}
    kept = {name: size * 0.5 if hash_of(name) % 3 else 0.0 for name, size in sizes.items()}
    inside = 0
    for seed in range(60):
        strata = draw_by_size(Sample(150, str(seed)), sizes)
        units = {url: {"bytes": sizes[url], "x": kept[url]} for one in strata for url in one.chosen}
        found = estimate_totals(strata, units)["x"]
        inside += found.low <= sum(kept.values()) <= found.high
    assert inside >= 53, inside


def hash_of(name):
    return Sample(1, "other").rank(name)


def test_a_unit_without_a_capture_counts_as_zero():
    part = Stratum("pages", 10, "counted", ("a", "gone"))
    assert estimate_totals([part], {"a": {"x": 4.0}})["x"].value == 20


def test_a_stratum_of_which_nothing_was_drawn_is_like_the_others():
    strata = [Stratum("a", 10, "counted", ("a", "b")), Stratum("b", 5, "counted", ())]
    units = {"a": {"x": 2.0}, "b": {"x": 4.0}}
    assert estimate_totals(strata, units)["x"].value == pytest.approx(45)
    single = [
        Stratum("a", 10, "counted", ("a",)),
        Stratum("b", 5, "counted", ("b",)),
        Stratum("c", 1, "counted", ("c",)),
    ]
    found = estimate_totals(single, {**units, "c": {"x": 1.0}})["x"]
    assert found.value == pytest.approx(46) and found.low < 46 < found.high, "two strata of one unit each vary together"
    assert estimate_totals([Stratum("a", 10, "counted", ())], {})["bytes"].value == 0


def test_copies_that_met_in_a_sample_stand_for_the_pairs_that_did_not():
    strata = [Stratum("pages", 100, "counted", tuple("abcdefghij"))]
    weights = weigh_units(strata)
    assert weights["a"] == 10
    pair, many = Cluster([("a", 5), ("b", 5)]), Cluster([("c", 2), ("d", 2), ("e", 2)])
    value, low, high = count_copies([pair], weights, 5.0)
    assert (value, low) == (250, 50) and high > 500, "one pair is drawn for a hundred, and may be chance: half of them"
    assert count_copies([pair] * 9, weights, 5.0)[0] == pytest.approx(9 * 500 * 0.9), "nine are hardly chance"
    assert 500 < count_copies([pair], weights, 50.0)[0] < 2500, "few pairs say little about the length of copies"
    assert count_copies([many], weights, 5.0)[0] == 40, "a frequent text: its copies count by their own weights"
    assert count_copies([], weights, 5.0) == (0, 0, 0)


def test_a_run_without_a_sample_has_no_strata():
    assert read_strata({}) == ("", [])
