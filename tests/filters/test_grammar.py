"""Morphemes as a string of signs: one pass that every filter behind it reads."""

from __future__ import annotations

from filters import morphology, quality, quality_model
from filters.korean import morpheme_signs
from malmoi.document import Document, Morphemes, Provenance


def morphemes(text: str) -> Morphemes:
    return morphology.mark(Document("x/1", text, Provenance("x", "", "", "", "")))


def _measure_lists(text: str, found: Morphemes) -> float:
    return float(quality_model.read_features(text, found).measures[quality_model.MEASURES.index("listed")])


def test_each_morpheme_has_one_sign_and_each_sentence_its_slice() -> None:
    found = morphemes("학교에 갔다. 집에 왔다.")
    assert morpheme_signs.grammar_of(found) == morpheme_signs.Grammar("NJVpF.NJVpF.", (0, 6, 12))
    assert morpheme_signs.grammar_of(found).sentences() == ["NJVpF.", "NJVpF."]


def test_the_grammar_of_another_text_is_not_the_one_remembered() -> None:
    first, second = morphemes("학교에 갔다."), morphemes("비")
    assert morpheme_signs.grammar_of(first) is morpheme_signs.grammar_of(first)
    assert morpheme_signs.grammar_of(second).signs == "N"


def test_a_text_without_morphemes_has_no_sentences_and_no_grammar() -> None:
    found = morphemes("")
    assert morpheme_signs.grammar_of(found) == morpheme_signs.Grammar("", ())
    assert quality.evidence_of("", found).quality == 0.0


def test_a_tag_that_no_table_knows_counts_as_a_word() -> None:
    found = morphemes("비")
    other = Morphemes(found.start, found.length, ("NEW",), found.form, found.sentence_start, found.sentence_end)
    assert morpheme_signs.grammar_of(other).signs == "?"
    assert _measure_lists("비", other) == 1.0
    assert quality.evidence_of("비", other).complete == 0.0


def test_no_sentence_of_a_list_is_complete_and_all_of_a_tale_are() -> None:
    listed, told = "연필\n공책\n지우개", "연필을 샀다.\n공책도 샀다."
    assert _measure_lists(listed, morphemes(listed)) == 1.0
    evidence = quality.evidence_of(told, morphemes(told))
    assert (evidence.complete, evidence.sentence_size) == (1.0, 2.0)
    assert _measure_lists(told, morphemes(told)) == 0.0
    assert quality.evidence_of(listed, morphemes(listed)).complete == 0.0
    evidence = quality.evidence_of(told, morphemes(told))
    assert (evidence.complete, evidence.sentence_size) == (1.0, 2.0)
