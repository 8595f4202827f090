"""The corridor: findings are applied in one place, and what is removed leaves nothing behind."""

from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.apply import Bound, Dropped, Kept, apply, apply_edits, walk, walk_batch
from malmoi.document import Document, Edit, Morphemes, Provenance, Span, Verdict

BARE = Document("s/1", "", Provenance("s", "https://a.example/", "r", "2026-01-01T00:00:00Z", "0"))


def doc(text: str, **fields: object) -> Document:
    return replace(BARE, text=text, **fields)  # type: ignore[arg-type]


def test_edit_moves_the_spans_behind_it():
    before = doc("가나다라마", spans=(Span(3, 5, "name"),))
    after = apply(before, "f", "mend", (Edit(0, 1, "하하하", "x"),))
    assert (after.text, after.spans[0].start, after.spans[0].end) == ("하하하나다라마", 5, 7)


def test_edit_that_cuts_into_a_span_removes_it_with_its_value():
    before = doc("전화 010-0000 끝", spans=(Span(3, 11, "pii:phone", "010-0000"),))
    after = apply(before, "f", "mend", (Edit(3, 11, "[전화번호1]", "phone"),))
    assert after.spans == ()
    assert "0000" not in repr(after)


def test_edit_inside_a_span_without_value_resizes_it():
    after = apply_edits(doc("가나다", spans=(Span(0, 3, "sentence"),)), (Edit(1, 2, "", "x"),))
    assert (after.spans[0].start, after.spans[0].end) == (0, 2)


def test_no_lemma_keeps_what_was_redacted():
    layer = Morphemes(
        array("I", [0, 2, 2, 4]), array("H", [2, 1, 1, 2]), ("NNP", "JKS", "VV", "NNG"), ("철수", "가", "가", "서울"),
        array("I", [0]), array("I", [6]),
    )  # fmt: skip
    after = apply_edits(doc("철수가 서울", morphemes=layer), (Edit(0, 2, "[이름1]", "name"),))
    assert after.morphemes is not None
    assert after.morphemes.form == ("가", "가", "서울")
    assert list(after.morphemes.start) == [5, 5, 7]
    assert (after.morphemes.sentence_start[0], after.morphemes.sentence_end[0]) == (0, 9)


def test_insertion_at_the_border_of_a_span_leaves_it_whole():
    after = apply_edits(doc("가나", spans=(Span(0, 1, "a", "가"), Span(1, 2, "b", "나"))), (Edit(1, 1, "-", "x"),))
    assert [(s.start, s.end) for s in after.spans] == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ((Edit(2, 9, "", "x"),), "outside the text"),
        ((Edit(1, 2, "", "x"), Edit(0, 1, "", "x")), "not sorted"),
        ((Edit(0, 2, "", "x"), Edit(1, 3, "", "x")), "overlapping"),
    ],
)
def test_a_filter_with_a_wrong_edit_is_told_so(edits, why):
    with pytest.raises(ValueError, match=r"is outside|overlap"):
        apply(doc("가나다"), "f", "mend", edits)


@given(st.text(min_size=1, max_size=40), st.data())
def test_what_no_edit_touches_reads_the_same_afterwards(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=8)))
    edits = tuple(Edit(a, b, "★" * (i % 3), "x") for i, (a, b) in enumerate(zip(cuts[::2], cuts[1::2], strict=False)))
    spans = tuple(Span(i, i + 1, "c", text[i]) for i in range(len(text)))
    after = apply_edits(doc(text, spans=spans), edits)
    assert all(after.text[s.start : s.end] == s.value for s in after.spans)
    assert len(after.spans) == len(text) - sum(e.end - e.start for e in edits)


def test_walk_stops_at_the_first_drop_and_keeps_the_measured_number():
    seen = []
    filters = (
        Bound("a", "judge", lambda d: Verdict("keep", "fine", measures=(("m", 1.0),))),
        Bound("b", "judge", lambda d: Verdict("drop", "too-short", measured=3, limit=9)),
        Bound("c", "judge", lambda d: seen.append(d) or Verdict("keep", "never")),
    )
    outcome = walk(doc("가"), filters)
    assert isinstance(outcome, Dropped)
    assert (outcome.by, outcome.verdict.reason, outcome.verdict.measured) == ("b", "too-short", 3)
    assert [n.by for n in outcome.document.trail] == ["a", "b"]
    assert not seen


def test_labels_of_a_later_filter_replace_those_of_an_earlier_one():
    filters = [Bound(str(i), "judge", lambda d, i=i: Verdict("keep", "r", labels=(("use", str(i)),))) for i in (1, 2)]
    outcome = walk(doc("가"), filters)
    assert isinstance(outcome, Kept)
    assert outcome.document.labels == (("use", "2"),)


def test_documents_walked_together_have_the_outcomes_that_they_have_alone():
    def drop_odd(one: Document) -> Verdict:
        return Verdict("drop" if len(one.text) % 2 else "keep", "odd", measured=len(one.text))

    def mark(one: Document) -> tuple[Span, ...]:
        return (Span(0, 1, "first", one.text[0]),)

    def drop_long(one: Document) -> Verdict:
        return Verdict("drop" if len(one.text) > 6 else "keep", "long")

    batches = []

    def batch(call):
        return lambda docs: batches.append([one.text for one in docs]) or [call(one) for one in docs]

    docs = [doc("가" * size) for size in (1, 2, 4, 5, 8)]
    filters = (
        Bound("odd", "judge", drop_odd),
        Bound("mark", "mark", mark, batch(mark)),
        Bound("long", "judge", drop_long, batch(drop_long)),
        Bound("mend", "mend", lambda one: (Edit(0, 1, "나", "x"),)),
    )
    assert walk_batch(docs, filters) == [walk(one, filters) for one in docs]
    assert batches == [["가" * 2, "가" * 4, "가" * 8]] * 2
    assert walk_batch([], filters) == []
    with pytest.raises(ValueError, match="shorter"):
        walk_batch(docs, (Bound("none", "mark", mark, lambda docs: []),))
