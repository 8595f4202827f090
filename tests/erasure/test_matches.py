"""Texts are searched once for the same tombstones: what a stage shard holds of them is kept beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import curate
from flows.curate import recall_matching
from malmoi.erasure.tombstones import Matcher, Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.workspace_layout import MATCHES
from tests.builders.small_release import document, stage

KEY = bytes(32)


def seek(*values: str) -> Matcher:
    return Matcher([Tombstone("value", digest_value(one, KEY), "2026-11-24", "요청") for one in values], KEY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return stage(tmp_path / "shard", "2-documents", [document("ga", n) for n in (1, 2)], []) / "documents.parquet"


def test_texts_are_read_once_for_the_same_tombstones(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = recall_matching(file, seek("ga의 2번째 글"))
    assert first == ("ga/2",) == curate.find_matching(file, seek("ga의 2번째 글"))
    monkeypatch.setattr(curate, "find_matching", lambda *_: pytest.fail("the texts were read again"))
    assert recall_matching(file, seek("ga의 2번째 글")) == first


def test_other_tombstones_are_sought_in_the_texts(file: Path) -> None:
    assert recall_matching(file, seek("ga의 2번째 글")) == ("ga/2",)
    assert recall_matching(file, seek("ga의 1번째 글")) == ("ga/1",)
    assert recall_matching(file, seek("ga의 1번째 글", "ga의 2번째 글")) == ("ga/1", "ga/2")


@pytest.mark.parametrize("damage", ["", "[", "[" * 100_000, "{}", '{"key": 1, "ids": ["ga/9"]}'])
def test_a_damaged_list_is_made_again(file: Path, damage: str) -> None:
    recall_matching(file, seek("ga의 2번째 글"))
    file.with_name(MATCHES).write_text(damage, encoding="utf-8")
    assert recall_matching(file, seek("ga의 2번째 글")) == ("ga/2",)


def test_a_shard_that_was_made_again_is_searched_again(file: Path, tmp_path: Path) -> None:
    recall_matching(file, seek("ga의 2번째 글"))
    other = stage(tmp_path / "other", "2-documents", [document("ga", 1)], []) / "documents.parquet"
    file.with_name(MATCHES).rename(other.with_name(MATCHES))
    assert recall_matching(other, seek("ga의 2번째 글")) == ()
