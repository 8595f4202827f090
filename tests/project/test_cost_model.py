"""The cost model fits lines to what it measured, and counts task runs as the mapper makes them."""

import math

import pytest

from benchmarks.scale import cost_model
from flows.engine.task_mapper import GROUPS, group_jobs


def test_a_line_is_fitted_and_its_largest_deviation_is_a_share_of_the_value() -> None:
    fixed, rate, off = cost_model.fit_line([100, 200, 300], [12.0, 22.0, 32.0])
    assert (round(fixed, 6), round(rate, 6), round(off, 6)) == (2.0, 0.1, 0.0)
    assert cost_model.fit_line([100, 200, 300], [10.0, 30.0, 20.0])[2] == pytest.approx(0.5)


@pytest.mark.parametrize("jobs", [8, 15, 16, 100, 319, 320, 100_000])
def test_task_runs_are_as_many_as_the_groups_of_the_mapper(jobs: int) -> None:
    assert cost_model.count_task_runs([(jobs, 0.0)], 1) == len(group_jobs("4-judged", len, ["job"] * jobs))


def test_task_runs_stay_bounded_whatever_the_corpus() -> None:
    calls = [(0.0, 1 / 256)] * 42
    assert cost_model.count_task_runs(calls, 10**9) == cost_model.count_task_runs(calls, math.inf) == 42 * GROUPS


def test_what_was_measured_is_printed_with_its_extrapolation(capsys: pytest.CaptureFixture[str]) -> None:
    fixed = {"cpu all": 6_000.0, "html decoded": 0.0, "html in archives": 0.0, "disk all": 0.0, "jobs 0": 0.0}
    fixed |= {f"disk {name}": 0.0 for name in cost_model.FOLDERS}
    a_page = dict.fromkeys(fixed, 1000.0) | {"cpu all": 36.0, "jobs 0": 1 / 256}
    cost_model.show({size: {name: fixed[name] + size * a_page[name] for name in fixed} for size in (256, 1024)})
    lines = capsys.readouterr().out.splitlines()
    (cpu,) = [line for line in lines if "cpu all" in line and "hours" in line]
    assert "10.0 hours" in cpu and "10,000.0 hours" in cpu  # 36 ms a page; a terabyte is 10^9 pages of 1 kB
