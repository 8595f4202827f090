"""One worker or two, any hash seed, time zone or order of files: the same bytes."""

import os
import shutil

import pytest

from tests.builders.small_corpus import make, malmoi, malmoi_in_process, sums


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    root = tmp_path_factory.mktemp("same")
    source = make(root, pages=24)
    done = malmoi("run", "general", "--source", source, "--workspace", root / "w", "--workers", 1)
    assert done.returncode == 0, done.stderr
    return source, sums(root / "w")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("workers", "env"),
    [
        (2, {"PYTHONHASHSEED": "1", "TZ": "Asia/Seoul"}),
        pytest.param(2, {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "C"}, marks=pytest.mark.heavy),
    ],
)
def test_workers_hash_seed_time_zone_and_locale_change_nothing(reference, tmp_path, workers, env):
    source, expected = reference
    done = malmoi(
        "run", "general", "--source", source, "--workspace", tmp_path / "w", "--workers", workers,
        env={**os.environ, **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "w") == expected


@pytest.mark.heavy
def test_the_order_in_which_pages_came_changes_nothing(reference, tmp_path):
    """The same files collected in two runs, the later names first: other shards, the same release."""
    source, expected = reference
    pages = source.parent / "pages"
    away = tmp_path / "away"
    away.mkdir()
    early = sorted(pages.rglob("*.html"))[:10]
    places = {path: away / f"{i}.html" for i, path in enumerate(early)}
    for path, place in places.items():
        shutil.move(path, place)
    try:
        first = malmoi_in_process("collect", source, "--workspace", tmp_path / "w")
        assert first.returncode == 0, first.stderr
    finally:
        for path, place in places.items():
            shutil.move(place, path)
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "w")
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "w") == expected


def test_a_second_run_has_nothing_to_do(reference, tmp_path):
    source, _ = reference
    workspace = tmp_path / "w"
    first = malmoi_in_process("run", "general", "--source", source, "--workspace", workspace)
    again = malmoi_in_process("run", "general", "--source", source, "--workspace", workspace)
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert "nothing new" in again.stdout
    assert len(list((workspace / "6-releases" / "general").glob("*.*.*"))) == 1
