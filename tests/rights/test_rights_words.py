"""The words of candidates.toml and the sentences of kogl_sentences.toml match their examples and no counterexample."""

import re
import tomllib
from pathlib import Path

import pytest

from crawlers.rights import candidates, kogl_block
from crawlers.rights.rules import load
from tests.builders.rows import each_row

WORDS, _compile = load("candidates.toml")
NAMES = [name for name in WORDS if name != "words"]
RULES = Path(candidates.__file__).parent
TEMPLATES = kogl_block.read_templates()["template"]
TITLES, PUBLISHER = ["봄꽃 나들이 안내"], "가나시청"


@each_row("name", NAMES)
def test_words_occur_in_their_examples_only(name: str) -> None:
    rule, (pattern,) = WORDS[name], _compile([WORDS[name]["pattern"]])
    assert [one for one in rule["examples"] if not pattern.search(one)] == []
    assert [one for one in rule["counter"] if pattern.search(one)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one["examples"][0][:30])
def test_a_template_matches_whole_sentences_only(template: dict[str, list[str]]) -> None:
    assert [one for one in template["examples"] if not kogl_block.matches_template(one, TITLES, PUBLISHER)] == []
    assert [one for one in template["counter"] if kogl_block.matches_template(one, TITLES, PUBLISHER)] == []


@each_row("sentence", [one for t in TEMPLATES for one in t["examples"]])
def test_words_before_or_behind_a_sentence_make_it_another(sentence: str) -> None:
    for other in (f"홍길동의 그림을 뺀 {sentence}", f"{sentence}고 알려져 있다", f"{sentence} 아니다"):
        assert not kogl_block.matches_template(other, TITLES, PUBLISHER), other


def test_a_sentence_about_another_title_or_maker_is_no_fact() -> None:
    sentence = "다라시청이 창작한 「봄꽃 나들이 안내」 저작물은 공공누리 제1유형 조건에 따라 이용할 수 있습니다"
    assert not kogl_block.matches_template(sentence, TITLES, PUBLISHER)
    assert kogl_block.matches_template(sentence, TITLES, "다라시청")
    assert not kogl_block.matches_template(sentence, ["여름 바다"], "다라시청")


@pytest.mark.parametrize("file", sorted(RULES.rglob("*.toml")), ids=lambda file: file.name)
def test_no_expression_of_a_file_of_rules_is_longer_than_300_characters(file: Path) -> None:
    long = [line for line in re.findall(r"'{1,3}(.+?)'{1,3}", file.read_text(encoding="utf-8")) if len(line) > 300]
    assert long == [] and tomllib.loads(file.read_text(encoding="utf-8"))
