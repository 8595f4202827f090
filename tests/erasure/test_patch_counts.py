"""The counts of the second detector in a patch release are those of a new scan, also where documents share a shard."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_cards import render_card
from flows.erase import erase
from malmoi.erasure.tombstones import Tombstone
from malmoi.releases.verification.verify import verify
from tests.builders.small_papers import PAPERS, data, numbers, run, written


@pytest.mark.heavy
def test_a_patch_of_a_shard_with_more_documents_and_their_morphemes_verifies(tmp_path: Path) -> None:
    papers = {name: PAPERS[name] for name in ("02", "13", "31")}
    source, recipe = written(tmp_path, papers, judged='[[judged]]\nfilter = "morphology"\n')
    home, _, _, first = run(source, recipe, tmp_path / "w")
    assert len(list(first.folder.glob("morphemes/**/*.parquet"))) == 1
    done = erase(home, "papers", [Tombstone("id", "papers/13.txt", "2026-11-24", "요청")], b"")
    new = home.releases("papers") / done.version
    assert numbers(data(new)["id"].to_pylist()) == {"02", "31"}
    assert verify(new, render=render_card) == []
