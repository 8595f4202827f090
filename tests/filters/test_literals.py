"""What strings a pattern needs: never one string too few, or a match would be hidden."""

from __future__ import annotations

import pytest

from malmoi.prefilter import MOST, need, shortest
from tests.builders.rows import each_row


@pytest.mark.parametrize(
    ("pattern", "exact"),
    [
        ("에 따르면", {"에 따르면"}),
        ("(올랐|늘었)다?", {"올랐", "올랐다", "늘었", "늘었다"}),
        ("[를을] 본", {"를 본", "을 본"}),
        ("제 ?[2-4]조", {"제2조", "제3조", "제4조", "제 2조", "제 3조", "제 4조"}),
        (r"본다\.|\n", {"본다.", "\n"}),
        ("[-·]", {"-", "·"}),
    ],
)
def test_of_a_pattern_of_few_strings_all_are_known(pattern: str, exact: set[str]) -> None:
    assert need(pattern).exact == frozenset(exact)


@each_row(
    ("pattern", "needed"),
    [
        ("^공고", {"공고"}),
        ("(^|\\n)공고", {"공고"}),
        ("것임$", {"것임"}),
        ("[가-힣]{2,4} 기자", {" 기자"}),
        ("[^가]기자", {"기자"}),
        ("나.너라", {"너라"}),
        (r"기자\s*다", {"기자"}),
        ("(기자)*입니다", {"입니다"}),
        ("[1-2]+일", {"1일", "2일"}),
        ("월[12]+가", {"월1", "월2", "1가", "2가"}),
        ("(가나)+다?", {"가나"}),
        ("가나다|[가-힣] 씨", {"가나다", " 씨"}),
        ("[가-힣]+", None),
        ("가나|[가-힣]", None),
        ("가{0,3}", None),
    ],
)
def test_of_another_pattern_one_string_of_some_is_needed(pattern: str, needed: set[str] | None) -> None:
    found = need(pattern)
    assert found.exact is None
    assert found.needed is None if needed is None else found.needed is not None and found.needed <= needed


def test_too_many_strings_are_not_written_out() -> None:
    found = need("[0-9][0-9][0-9]번")
    assert found.exact is None
    assert found.needed is not None and len(found.needed) <= MOST
    assert all(any(s in f"{n:03}번" for s in found.needed) for n in range(1000))


@pytest.mark.parametrize("pattern", ["가)", "(가", "((가)"])
def test_a_bracket_without_its_other_half_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        need(pattern)


def test_a_string_that_holds_another_says_no_more() -> None:
    assert shortest(frozenset(("기자", "김 기자", "기사"))) == ["기사", "기자"]
