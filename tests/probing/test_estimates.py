"""Estimates of a whole from a sample: intervals hold it as often as they say, also where few texts are long."""

import pytest

from benchmarks.forecasts.populations import make_population, try_sample
from crawlers.fetch.frontier import SampledFrontier
from malmoi.statistics import Estimate, Sample, Stratum, estimate_shares, estimate_totals
from tests.probing.test_sampling import board, strata_of, walk

ROUNDS = 80


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["even", "lognormal 0.8", "web, B three times as long"])
@pytest.mark.parametrize("known", [False, True])
def test_intervals_hold_the_whole_as_often_as_they_say(kind, known):
    found = try_sample(make_population(kind, 1_500), 200, known=known, rounds=ROUNDS)
    assert found.covers >= 0.87 and found.licence_covers >= 0.85, found  # 95 % are stated; three standard errors are 7


def test_known_sizes_narrow_the_interval_of_skew_lengths():
    units = make_population("web", 1_500)
    blind, sized = (try_sample(units, 200, known=known, rounds=30) for known in (False, True))
    assert sized.half_width < blind.half_width / 2 and sized.near > blind.near


def test_two_hundred_pages_of_like_length_are_within_ten_per_cent():
    found = try_sample(make_population("lognormal 0.5", 1_500), 200, known=True, rounds=ROUNDS)
    assert found.near >= 0.85 and found.licence_near >= 0.9, found


def test_few_long_texts_make_the_upper_end_farther_than_the_lower():
    units = {f"{n}": {"x": 100.0 if n == 0 else 1.0} for n in range(50)}
    found = estimate_totals([Stratum("all", 5_000, "counted", tuple(units))], units)["x"]
    assert found.high - found.value > 2 * (found.value - found.low)
    assert found.low >= 149, "the whole holds at least what the sample holds"


def test_a_share_has_an_interval_inside_0_and_1():
    units = {f"{n}": {"x": 10.0, "x: A" if n else "x: B": 10.0} for n in range(20)}
    found = estimate_shares([Stratum("all", 1_000, "counted", tuple(units))], units, "x: ", "x")
    assert found["x: B"].value == pytest.approx(0.05) and 0 < found["x: B"].low < 0.05 < found["x: B"].high < 0.4
    assert found["x: A"].low == pytest.approx(1 - found["x: B"].high)
    assert estimate_shares([Stratum("all", 9, "counted", ("a",))], {"a": {"y": 1.0}}, "x: ", "x") == {}
    one = {"a": {"x": 1.0, "x: A": 1.0}, "b": {"x": 2.0, "x: A": 2.0}}
    assert estimate_shares([Stratum("all", 9, "counted", ("a", "b"))], one, "x: ", "x") == {"x: A": Estimate(1, 1, 1)}


def test_a_number_of_units_that_is_estimated_widens_the_interval():
    units = {f"{n}": {"x": 1.0} for n in range(10)}
    counted = Stratum("all", 100, "counted", tuple(units))
    rough = Stratum("all", 100, "estimated", tuple(units), error=10.0)
    assert estimate_totals([counted], units)["x"].high == 100
    assert estimate_totals([rough], units)["x"].high == pytest.approx(100 + 2.26 * 10, rel=0.01)


def test_lists_of_unequal_length_leave_the_number_of_articles_uncertain():
    def errors(pages):
        frontier = SampledFrontier(Sample(20))
        walk(frontier, pages, ["https://a.kr/list?page=1"])
        return {name: one.error for name, one in strata_of(frontier).items()}

    even = board(400, 50, chained=False)
    uneven = {url: named[: 5 + 7 * at % 45] if at else named for at, (url, named) in enumerate(even.items())}
    assert errors(even) == {"a.kr/list?page": 0, "a.kr/view?no": 0}
    assert errors(uneven)["a.kr/view?no"] > 100
