"""The benchmark of hard pages: its measures, and its pages as its README describes them."""

from __future__ import annotations

import pytest

from benchmarks.hard_pages import measures
from benchmarks.hard_pages.pages import OPEN, read_folders, read_rows, without_title

KINDS = {"article", "index", "gallery", "error", "login", "stub", "generated", "frame", "shell"}
GOLD = "## 낱말\n\n말모이는 낱말을 하나씩 모은다.\n\n- 하나\n\n| 가 | 나 |\n|---|---|\n| 1 | 2 |\n\n```py\na = 1\n```"


def test_an_equal_text_has_full_scores_whatever_its_marks():
    found = "낱말\n말모이는 **낱말**을 하나씩 모은다.\n* 하나\n| 가 | 나 |\n| --- | --- |\n| 1 | 2 |\n```\na = 1  \n```"
    scores = measures.score_text(GOLD, found)
    assert (scores.rouge, scores.shingle, scores.tables, scores.code, scores.items) == (1.0, 1.0, 1.0, 1.0, 1.0)


def test_a_text_without_tables_code_and_lists_has_no_such_scores():
    scores = measures.score_text("낱말을 모은다.", "")
    assert (scores.rouge, scores.tables, scores.code, scores.items) == (0.0, None, None, None)


@pytest.mark.parametrize(
    ("found", "score"),
    [
        ([["가", "나"], ["1", "2"]], 1.0),
        ([["가", "나"]], 4 / 7),  # a row and its two cells of seven nodes are missing
        ([["가", "나"], ["1", "3"]], 6 / 7),
        ([["가"], ["1"]], 5 / 7),
    ],
)
def test_the_similarity_of_tables_counts_rows_and_cells(found, score):
    assert measures.similarity([["가", "나"], ["1", "2"]], found) == pytest.approx(score)


def test_the_title_is_removed_from_the_head_of_an_output_only():
    assert without_title("# 낱말!\n본문", "낱말") == "본문"
    assert without_title("가\n나\n다\n낱말", "낱말") == "가\n나\n다\n낱말"


def test_the_open_pages_are_whole():
    pages = read_folders([OPEN])
    assert len(pages) >= 100
    for page in pages:
        assert page.kind in KINDS and page.builder and page.url.split("/")[2].endswith(".example")
        assert bool(page.gold) == page.is_article, page.name
    assert all({"charset", "author", "date", "traps"} <= row.keys() for row in read_rows([OPEN]))
