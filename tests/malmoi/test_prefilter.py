"""One module makes prefilters out of patterns; it reads them itself, and refuses what it does not know."""

import re
import unicodedata
from pathlib import Path

import pytest
import re2

from malmoi.prefilter import build_set, compile_linear, loosen, need
from tests.builders.rows import each_row

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("pattern", [r"(가)\1", "(?i:가)나", "(?>가)나", "(?P=a)"])
def test_a_pattern_that_is_not_understood_is_refused(pattern: str) -> None:
    for make in (loosen, need):
        with pytest.raises(ValueError, match="cannot build a prefilter"):
            make(pattern)


@each_row(
    ("pattern", "text"),
    [
        (r"가{2,3}?나", "가가나"),
        (r"(?P<who>가|나)다", "나다"),
        (r"[]가]나", "]나"),
        (r"[^]가]나", "다나"),
        (r"[가-나\-]다", "-다"),
        (r"\u3000가\x41", "\u3000가A"),
        (r"(?<![가-힣(])나(?:다|라)*", "나다라다"),
        (r"가\|나", "가|나"),
        (r"[^\n]나", "가나"),
    ],
)
def test_a_loosened_pattern_still_matches(pattern: str, text: str) -> None:
    assert re2.search(loosen(pattern), text)


def test_a_lookaround_counts_as_a_place_and_not_as_a_string() -> None:
    assert need("무단(?!횡단)전재").exact is None
    assert need("무단(?!횡단)전재").needed == frozenset(("무단전재",))


@pytest.mark.heavy
@each_row("pattern", [r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"[\w-]", r"[^\s\d]", ".", r"(?i)k"])
def test_a_pattern_of_input_means_for_re2_what_it_means_for_python(pattern: str) -> None:
    ours, theirs = compile_linear(pattern), re.compile(pattern)
    signs = [chr(code) for code in range(0xFFFF) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    assert [sign for sign in signs if bool(ours.fullmatch(sign)) != bool(theirs.fullmatch(sign))] == []


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=가)", "no lookaround"),
        (r"(가)\1", "no references"),
        ("가++", "bad repetition"),
        (r"가\b", r"\b is not supported"),
        (r"[\W]", r"\W is not supported within brackets"),
        ("가{,3}", "put a backslash before {"),
        ("[[:alpha:]]", "put a backslash before [:"),
        ("(", "missing )"),
        ("(((가{1,100}){1,100}){1,100})", "repetition"),
    ],
)
def test_what_re2_lacks_or_would_read_otherwise_is_refused(pattern: str, says: str, capfd) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        compile_linear(pattern)
    assert capfd.readouterr().err == ""


def test_a_set_names_the_patterns_that_match() -> None:
    found = build_set(["가[0-9]", "나", "다"], 1 << 20)
    assert sorted(found.Match("나 가1".encode())) == [0, 1]
    assert not found.Match("라".encode())


def test_no_module_reads_patterns_by_what_the_standard_library_keeps_private() -> None:
    private = re.compile(r"^\s*(?:from|import) (?:re\._|sre_)|\bfrom re import .*\b_", re.M)
    assert private.search("from re import _parser") and not private.search("from re import Pattern")
    for package in ("malmoi", "crawlers", "filters", "data_cards", "flows"):
        for path in (ROOT / package).rglob("*.py"):
            assert not private.search(path.read_text(encoding="utf-8")), path
