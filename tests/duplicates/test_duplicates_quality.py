"""Copies through `malmoi try duplicates`, against exact Jaccard and against what a person says of written pairs."""

import io
import json
import random
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.duplicates import copies, copies_peers, copies_plant, copies_score, copies_texts, copies_truth
from benchmarks.duplicates.copies_plant import Text
from benchmarks.duplicates.copies_score import Answer
from filters.duplicates.sketch import letters_of
from flows import try_stage

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/duplicates/pairs.jsonl").read_text("utf-8").splitlines()
]


def door(texts: Sequence[tuple[str, str]], folder: Path) -> dict[str, dict]:
    """The answer of `malmoi try duplicates --jsonl` for (id, text), by id."""
    lines = folder / "texts.jsonl"
    rows = (json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n" for name, text in texts)
    lines.write_text("".join(rows), encoding="utf-8")
    said = io.StringIO()
    try_stage.run("duplicates", (), lines, "general", said)
    return {row["id"]: row for row in map(json.loads, said.getvalue().splitlines())}


@pytest.fixture(scope="module")
def long_texts() -> list[tuple[str, str]]:
    """The distinct texts of the pairs, composed as the door composes them: the brute force reads what it is given."""
    texts = dict.fromkeys(unicodedata.normalize("NFC", p[side]) for p in PAIRS for side in "ab")
    return [(f"t/{number}", text) for number, text in enumerate(texts)]


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["name"] for pair in PAIRS])
def test_a_written_pair_is_judged_as_a_person_judges_it(pair, tmp_path):
    """A pair with `known` is one of which this is not true yet; the day it is, the suite says so."""
    found = door([("a", pair["a"]), ("b", pair["b"])], tmp_path)
    same = found["a"]["cluster"] == found["b"]["cluster"]
    right = same == (pair["expect"] == "same")
    if pair.get("known"):
        assert not right, f"{pair['name']} is right now: take `known` out of its line."
    else:
        assert right, pair["why"]


def test_the_written_pairs_are_long_enough_to_be_judged_and_say_why():
    assert len(PAIRS) == len({pair["name"] for pair in PAIRS}) >= 24
    assert sum(pair["expect"] == "different" for pair in PAIRS) >= 12
    for pair in PAIRS:
        assert pair["why"], pair["name"]
        assert min(len(copies_truth.letters(pair[side])) for side in "ab") >= 400, pair["name"]


def test_copies_planted_in_texts_are_found_and_nothing_else_is(long_texts, tmp_path):
    texts = copies_plant.planted(long_texts)
    truth = copies_truth.between([text.text for text in texts])
    found = door([(text.id, text.text) for text in texts], tmp_path)
    answer = Answer.of(texts, {name: row["cluster"] for name, row in found.items()})
    pairs = copies_score.pairs(truth, answer, truth.copies())
    assert pairs.pairs > 80
    assert pairs.recalled >= copies.RECALL * pairs.pairs
    gone = copies_score.dropped(truth, answer)
    assert gone.precise >= copies.PRECISION * gone.dropped


def test_the_order_of_lines_changes_no_cluster(long_texts, tmp_path):
    texts = [(text.id, text.text) for text in copies_plant.planted(long_texts)]
    shuffled = texts[:]
    random.Random(2).shuffle(shuffled)
    assert door(texts, tmp_path) == door(shuffled, tmp_path)


@pytest.mark.parametrize("percent", [1, 5, 20, 100])
def test_blanks_that_are_lost_or_put_elsewhere_change_nothing(percent, long_texts, tmp_path):
    dice = random.Random(percent)
    text = long_texts[0][1]
    lost = "".join(c for c in text if c != " " or dice.random() * 100 >= percent)
    moved = "".join(f"{c} " if dice.random() * 100 < percent / 10 else c for c in lost)
    found = door([("a", text), ("b", moved)], tmp_path)
    assert found["a"]["cluster"] == found["b"]["cluster"]
    assert {row["similarity"] for row in found.values()} == {1.0}


def test_the_similarity_of_a_copy_is_near_the_exact_one(long_texts, tmp_path):
    near = 0
    for number, (_, text) in enumerate(long_texts[:12]):
        copy = copies_plant.towards(copies_plant.reworded, text, 0.88, str(number), long_texts[-number - 1][1])
        exact = copies_truth.jaccard(copies_truth.shingles(text), copies_truth.shingles(copy))
        if exact < 0.82:  # the words of the other text were too few to come nearer
            continue
        near += 1
        found = door([("a", text), ("b", copy)], tmp_path)
        assert min(row["similarity"] for row in found.values()) == pytest.approx(exact, abs=0.12)  # 4 sigma
    assert near >= 10


def test_the_brute_force_looks_at_the_same_letters(long_texts):
    for text in [*(text for _, text in long_texts[:10]), "ＡＢＣ abc Ⅱ ㋀ é é 나랏말ᄊᆞ미", "\ud800 漢字"]:
        assert copies_truth.letters(text) == "".join(map(chr, letters_of(text)))


def test_each_change_keeps_a_text_at_no_strength_and_finds_the_similarity_aimed_at(long_texts):
    text, foreign = long_texts[0][1], long_texts[1][1]
    whole = copies_truth.shingles(text)
    for name, change in copies_plant.CHANGES.items():
        copy = copies_plant.towards(change, text, 0.85, "7", foreign)
        alike = copies_truth.jaccard(whole, copies_truth.shingles(copy))
        assert alike >= 0.8, name
        assert copy == copies_plant.towards(change, text, 0.85, "7", foreign), name


def test_a_pair_that_goes_by_two_keepers_is_recalled_but_in_no_one_cluster():
    texts = [Text(name, "글") for name in "abcd"]
    answer = Answer.of(texts, {"a": "a", "b": "a", "c": "d", "d": "d"})
    truth = copies_truth.between(["같은 글이다. " * 30] * 4)
    assert copies_score.pairs(truth, answer, truth.copies()) == copies_score.Pairs(pairs=6, one_cluster=2, recalled=5)


def test_texts_of_a_folder_and_of_json_lines_are_read(tmp_path):
    (tmp_path / "하나.txt").write_text("첫째 글", "utf-8")
    (tmp_path / "둘.md").write_text("둘째 글", "utf-8")
    lines = tmp_path / "셋.jsonl"
    lines.write_text('{"text": "셋째 글"}\n\n{"id": "넷", "text": "넷째 글"}\n', "utf-8")
    assert dict(copies_texts.read(tmp_path)) == {"하나.txt": "첫째 글", "둘.md": "둘째 글"}
    assert dict(copies_texts.read(lines)) == {"셋.jsonl#1": "셋째 글", "셋.jsonl#3": "넷째 글"}
    lines.write_text('{"글": "본문"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"셋\.jsonl:1: no field 'text'; give an object"):
        list(copies_texts.read(lines))


def test_without_texts_the_benchmark_says_what_to_do(tmp_path, capsys):
    assert copies.main(["--texts", str(tmp_path)]) == 2
    assert "name some with --texts" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_peer_that_is_not_there_is_left_out_and_one_that_fails_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_PEER", "none")
    assert copies_peers.python() is None
    with pytest.raises(copies_peers.FinderError, match="status 2"):
        copies_peers.ours(tmp_path / "missing.jsonl")
