"""Which fields a text is about: found whatever the blanks, not by one word, and kept only where a recipe asks."""

from __future__ import annotations

import io
import json
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks import domain_model
from benchmarks.domain import Answer, ask, name_domains
from benchmarks.register_model.corpus import read_rows
from filters import domain, morphology
from filters.domain import MODEL
from flows import try_stage
from malmoi import recipe as recipes
from malmoi.apply import apply
from malmoi.document import Document, Morphemes, Provenance
from malmoi.errors import CallError
from malmoi.models import dump_model, read_content
from malmoi.releases.publish import publish
from tests.builders.rows import each_row
from tests.builders.small_release import documents, inputs

HERE = Path(__file__).parents[1]
RECIPES = HERE.parent / "flows/recipes"
LABELS = HERE.parent / "benchmarks/labels/domain.jsonl"
INDUSTRIES = ("semiconductor", "manufacturing", "content")


def rows(name: str) -> list[dict[str, Any]]:
    return read_rows(HERE / f"data/domain/{name}.jsonl")


def read(text: str) -> Document:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return replace(doc, morphemes=morphology.mark(doc))


def scores(text: str) -> dict[str, float]:
    found = read(text).morphemes
    assert found is not None
    return domain.score_domains(found)


def listed(text: str) -> dict[str, float]:
    found = read(text).morphemes
    assert found is not None
    return domain.score_terms(found)


def layer(forms: list[str], tag: str = "NNG") -> Morphemes:
    return Morphemes(array("I", range(len(forms))), array("H", [1] * len(forms)), (tag,) * len(forms), tuple(forms))


def measure(answers: list[Answer], domains: tuple[str, ...] = domain.DOMAINS) -> tuple[float, float]:
    """Precision and recall of the domains that reach the usual threshold."""
    pairs = [(a.domains & set(domains), name_domains(a, 0.4) & set(domains)) for a in answers]
    right = sum(len(gold & found) for gold, found in pairs)
    return right / sum(len(found) for _, found in pairs), right / sum(len(gold) for gold, _ in pairs)


@pytest.mark.heavy
def test_the_floor_on_texts_that_did_not_train_does_not_sink() -> None:
    answers = [ask(row) for row in read_rows(LABELS) if row["part"] == "held-out"]
    precision, recall = measure(answers)
    assert precision >= 0.88 and recall >= 0.86
    precision, recall = measure(answers, INDUSTRIES)
    assert precision >= 0.92 and recall >= 0.92


def test_on_texts_that_did_not_train_the_model_beats_the_lists() -> None:
    held = [row for row in read_rows(LABELS) if row["part"] == "held-out"]
    unseen = read_rows(HERE.parent / "benchmarks/register_model/unseen.jsonl")
    for some in (held, unseen):
        by_model, by_lists = ([ask(row, lists=lists) for row in some] for lists in (False, True))
        for found, beaten in zip(measure(by_model), measure(by_lists), strict=True):
            assert found > beaten


@pytest.mark.soak
def test_training_gives_the_model_of_the_package() -> None:
    assert dump_model(domain_model.train()) == read_content(MODEL)


def test_held_out_texts_never_train() -> None:
    ids = {text.id for text in domain_model.read_texts()}
    held = {row["id"] for row in read_rows(LABELS) if row["part"] == "held-out"}
    assert held and not ids & held
    assert domain.load().about["texts"] == len(ids)


@each_row("row", [r for r in rows("texts") if r["id"].startswith("look-")], ids=lambda r: r["id"])
def test_a_lookalike_belongs_to_no_industry(row: dict[str, Any]) -> None:
    given = scores(row["text"])
    assert all(given.get(name, 0.0) < 0.4 for name in INDUSTRIES)
    assert all(given.get(name, 0.0) >= 0.4 for name in row["domains"])


@pytest.mark.parametrize(
    "text",
    [
        "웨이퍼 수율과 식각 공정, 포토 레지스트",
        "웨이퍼수율과 식각공정, 포토레지스트",
        "웨이퍼 수율과 식각 공정, 포토레 지스트",
    ],
)
def test_a_term_is_found_whatever_the_blanks(text: str) -> None:
    assert next(iter(listed(text))) == "semiconductor"


def test_a_term_does_not_begin_inside_another_noun() -> None:
    assert "semiconductor" in domain.score_terms(layer(["수", "율"]))
    assert domain.score_terms(layer(["접수율"])) == domain.score_terms(layer(["접수", "율"])) == {}


def test_a_term_does_not_reach_across_a_particle() -> None:
    nouns = Morphemes(array("I", [0, 1, 2]), array("H", [1] * 3), ("NNG", "JX", "NNG"), ("웨이", "는", "퍼"))
    assert domain.score_terms(nouns) == {}


def test_a_longer_term_takes_the_shorter_one_inside_it() -> None:
    assert "manufacturing" not in domain.score_terms(layer(["공정", "거래", "위원회"]))
    assert "content" not in domain.score_terms(layer(["게임", "이론"]))
    assert "manufacturing" in domain.score_terms(layer(["공정"]))


def test_a_longer_term_takes_the_shorter_one_only_where_it_stands() -> None:
    assert "manufacturing" in domain.score_terms(layer(["공정", "거래", "위원회", "은", "공정", "공정"]))


@pytest.mark.parametrize(("nouns", "term"), [("|분|기계|", "기계"), ("|나|이용자|", "이용자")])
def test_a_word_that_only_looks_like_a_term_hides_none_that_overlaps_it(nouns: str, term: str) -> None:
    # 분기 and 나이 would end inside a noun, so they are none here.
    assert [domain.lexicon().terms[i].text for i, _, _ in domain._find_terms(nouns)] == [term]


def test_signs_inside_a_term_may_be_kept_or_lost() -> None:
    forms = Morphemes(array("I", [0, 1, 2]), array("H", [1] * 3), ("SL", "SW", "SL"), ("M", "&", "A"))
    assert "economy" in domain.score_terms(forms)
    assert "economy" in domain.score_terms(layer(["M&A"], "SL"))


def test_abbreviations_are_whole_words_and_keep_their_case() -> None:
    assert "semiconductor" in domain.score_terms(layer(["EUV"], "SL"))
    assert "semiconductor" in domain.score_terms(layer(["HBM", "3", "E"], "SL"))
    assert domain.score_terms(layer(["euv"], "SL")) == domain.score_terms(layer(["NEUVE"], "SL")) == {}


def test_one_word_decides_nothing_however_often_it_stands() -> None:
    assert domain.score_terms(layer(["반도체"] * 300))["semiconductor"] < 0.4
    assert domain.score_domains(layer(["반도체"] * 300))["semiconductor"] < 0.9


def test_without_kept_fields_nothing_is_dropped() -> None:
    verdict = domain.judge(read("어머니는 마루에 앉아 하늘을 보았다. " * 5))
    assert (verdict.outcome, dict(verdict.labels)["domain"]) == ("keep", "")
    assert all(name != "domain_kept" for name, _ in verdict.measures)


def test_a_text_of_another_field_is_dropped_with_its_number() -> None:
    text = next(r["text"] for r in rows("texts") if r["id"] == "law-02")
    verdict = domain.judge(read(text), keep=("semiconductor", "content"))
    assert (verdict.outcome, verdict.reason, verdict.limit) == ("drop", "other-domain", 0.4)
    assert verdict.measured == dict(verdict.measures)["domain_kept"]
    assert domain.judge(read(text), keep=("content", "law")).outcome == "keep"


def test_a_document_keeps_few_measures_and_only_those_above_the_floor() -> None:
    for row in rows("texts"):
        measures = domain.judge(read(row["text"])).measures
        assert sum(score for _, score in measures) <= 1.001
        assert all(name.startswith("domain:") and domain.FLOOR <= score <= 1 for name, score in measures)


def test_without_morphemes_the_filter_names_what_is_missing() -> None:
    with pytest.raises(CallError, match="put 'morphology' before 'domain'"):
        domain.judge(Document("test/1", "글", Provenance("test", "", "", "", "")))


def test_an_unknown_field_stops_a_recipe(tmp_path: Path) -> None:
    text = (RECIPES / "content.toml").read_text(encoding="utf-8").replace('keep = ["content"]', 'keep = ["contents"]')
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CallError, match="filter 'domain': key 'keep"):
        recipes.load(tmp_path / "r.toml")


@pytest.mark.parametrize("name", INDUSTRIES)
def test_an_industry_corpus_is_one_recipe(name: str) -> None:
    steps = {
        step.filter: dict(step.params) for _, found in recipes.load(RECIPES / f"{name}.toml").steps for step in found
    }
    assert steps["domain"]["keep"] == (name,)
    assert list(steps).index("morphology") < list(steps).index("register") < list(steps).index("domain")


def hostile() -> Iterator[tuple[str, Morphemes]]:
    yield "a token of a million letters", layer(["가" * 1_000_000])
    yield "a million jamo", layer(["ㅋ"] * 300_000, "XR")
    yield "a term without end", layer(["웨이퍼수율" * 200_000])
    yield "every term again and again", layer([t.text for t in domain.lexicon().terms] * 60)
    yield "nothing but particles", layer(["는"] * 300_000, "JX")
    yield "separators in the forms", layer(["|웨|이|퍼|"] * 100_000)


@pytest.mark.parametrize("case", hostile(), ids=lambda c: c[0])
def test_no_input_costs_more_than_two_seconds(case: tuple[str, Morphemes]) -> None:
    start = time.process_time()
    domain.score_domains(case[1])
    assert time.process_time() - start < 2


def test_the_terms_are_well_written() -> None:
    for name in (*domain.DOMAINS, "neutral"):
        words = [word.strip("*") for _, word in domain.read_terms(name)]
        assert all(word and "*" not in word and len(word) <= 25 for word in words), name
        assert {heavy for heavy, _ in domain.read_terms(name)} <= ({0.0} if name == "neutral" else {1.0, 2.0, 3.0}), (
            name
        )
    for name in INDUSTRIES:
        assert len({word for _, word in domain.read_terms(name)}) >= 500


def test_the_version_follows_the_terms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = domain.terms_digest()
    for name in (*domain.DOMAINS, "neutral"):
        (tmp_path / f"{name}.txt").write_bytes((HERE.parent / f"filters/lexicons/domain_terms/{name}.txt").read_bytes())
    (tmp_path / "law.txt").write_text("3 법원\n", encoding="utf-8")
    monkeypatch.setattr(domain, "_TERMS", tmp_path)
    assert domain.terms_digest() != before


def test_try_prints_register_and_fields(tmp_path: Path) -> None:
    path, out = tmp_path / "in.jsonl", io.StringIO()
    given = [r for r in rows("texts") if r["id"] in ("semi-02", "law-02", "look-08")]
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in given), encoding="utf-8")
    try_stage.run("domain", [], path, "semiconductor", out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(a["id"], a["register"], next(iter(a["domains"]), "")) for a in answers] == [
        ("semi-02", "academic", "semiconductor"),
        ("law-02", "judicial", "law"),
        ("look-08", "spoken", ""),
    ]
    assert set(answers[0]) == {"id", "register", "domains"}


def test_a_release_says_what_the_source_declares_and_what_the_filters_found(tmp_path: Path) -> None:
    verdict = domain.judge(read(next(r["text"] for r in rows("texts") if r["id"] == "fin-01")))
    docs = [apply(doc, "domain", "judge", verdict) for doc in documents(4)]
    docs = [replace(d, labels=(*d.labels, ("register", "essay"))) for d in docs]
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", docs), tmp_path / "r", tmp=tmp_path / "tmp")
    asked = duckdb.sql(
        "SELECT DISTINCT source, register, domain, domains[1].name, domains[1].score > 0.4"
        f" FROM '{tmp_path}/r/data/**/*.parquet' ORDER BY 1"
    ).fetchall()
    assert asked == [
        ("ga", "news", "finance", "finance", True),
        ("na", "encyclopedia", "semiconductor", "finance", True),
    ]
