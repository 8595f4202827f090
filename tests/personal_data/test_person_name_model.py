"""The model of names: trained to the byte, its files are those of the texts, and its scores do not fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.person_names import measure, texts, train, train_privacy
from filters.pii_rules.people import name_privacy, name_tagger
from filters.pii_rules.people.name_features import compute_features

TUNE = texts.HERE / "tune"
# The kinds of documents that are a reason of their own; in the others names need a role, a field or an identifier.
KINDS = ("obituary", "wedding", "parish", "club", "clinic", "roster", "service", "delivery")


def test_training_twice_gives_the_same_bytes() -> None:
    some = list(texts.read_templates(texts.NAMED))[:40]
    first, second = (name_tagger.dump_model(train.train_all(some, with_sets=False, copies=2)) for _ in range(2))
    assert first == second


@pytest.mark.soak  # 60 s
def test_the_model_is_the_one_that_the_texts_give() -> None:
    model = train.train_all([*texts.read_templates(texts.NAMED), *texts.read_templates(texts.PRIVATE)])
    assert name_tagger.dump_model(model) == name_tagger.MODEL.read_bytes()


@pytest.mark.soak  # 90 s
def test_the_weights_of_evidence_are_those_that_the_texts_give() -> None:
    assert train_privacy.spell(train_privacy.train()) == name_privacy.WEIGHTS.read_text("utf-8")


def test_a_file_of_another_size_is_refused_with_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "short.model").write_bytes(b'{"written_by": "python -m x"}\n\0\0')
    with pytest.raises(ValueError, match="run python -m x"):
        name_tagger.load_model(tmp_path / "short.model")


def test_a_marked_name_is_filled_and_the_particle_behind_it_fits() -> None:
    filled = texts.fill_template("club", "⟦⟧은 왔고 ⟦*홍길동⟧은 <org>에 갔다.", texts.Draw("a"))
    first, second = filled.names
    name = filled.text[first.start : first.end]
    assert filled.text[first.end] == ("는" if (ord(name[-1]) - 0xAC00) % 28 == 0 else "은")
    assert (filled.text[second.start : second.end], first.private, second.private) == ("홍길동", False, True)


def test_pieces_of_a_text_give_the_names_at_their_places() -> None:
    text = "환자 홍길동 님\n오늘은 맑다.\n보호자 성춘향 님"
    at = text.index("보호자")
    found = name_tagger.tag_names(text, None, [(0, 8), (at, len(text))])
    assert [text[n.start : n.end] for n in found] == ["홍길동", "성춘향"]


def test_a_text_without_candidates_has_no_features() -> None:
    found, slots = compute_features("")
    assert (len(found.start), slots.shape[0]) == (0, 0)


def test_the_model_does_not_fall_on_the_tuning_set() -> None:
    (total,) = measure.count(measure.read_filled(TUNE), name_tagger.load_model(), [0.0], analysed=False)
    assert total["right "] / total["gold "] >= 0.82
    assert total["right "] / total["found "] >= 0.93


def test_private_names_do_not_fall_on_the_tuning_set() -> None:
    total, _ = measure.count_private(measure.read_filled(TUNE), analysed=False)
    gold, found, right = (sum(total[f"{what} {kind}"] for kind in KINDS) for what in ("gold", "found", "right"))
    assert right / gold >= 0.87
    assert right / found >= 0.935
    public = sum(total[f"found {kind}"] for kind in ("news", "encyclopedia", "law", "novel"))
    assert public <= 2
