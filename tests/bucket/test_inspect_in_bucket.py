"""A filled sheet is kept in a workspace in a bucket by a machine that has no file of the release yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from malmoi.storage.bucket import Bucket
from tests.bucket.papers_run import publish
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_papers import PAPERS, written


@pytest.mark.heavy
def test_the_release_of_a_filled_sheet_is_downloaded_before_it_is_read(
    place: str, machine: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source, recipe = written(tmp_path / "papers", PAPERS)
    publish(source, recipe, place)
    options = ("--seed", "a", "--size", 2, "--reader", "kim", "--list")
    assert malmoi_in_process("inspect", f"{place}/6-releases/papers/1.0.0", *options).returncode == 0
    sheet = tmp_path / "inspection" / "kim.csv"
    head, *rows = sheet.read_text(encoding="utf-8").splitlines()
    filled = [row.replace(",,,,,,,", ",0,0,0,0,kim,2026-11-28,") for row in rows]
    sheet.write_text("\n".join([head, *filled]) + "\n", encoding="utf-8")
    machine("two")
    done = malmoi_in_process("inspect", "--read", sheet, "--workspace", place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "inspections/papers/1.0.0.json" in {one.path for one in Bucket(place).list_objects()}
