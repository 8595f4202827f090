"""The hand-checked set is whole and says why, and what is computed from it is right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks import gold, thresholds
from malmoi import recipe as recipes
from malmoi.ledger import Ledger
from malmoi.parameter_bounds import Limit
from malmoi.recipe import Step
from malmoi.storage import shard

KINDS = {"good", "bad", "borderline", "spam", "ham", "machine", "human"}
FOUND = gold.labels()


def test_the_set_is_large_enough_and_holds_every_kind_in_both_parts() -> None:
    assert sum(1 for label in FOUND if label.text is None) >= 600
    assert {label.kind for label in FOUND} == KINDS
    assert {(label.kind, label.part) for label in FOUND} == {(kind, part) for kind in KINDS for part in gold.PARTS}


def test_every_document_is_labelled_once_and_with_a_reason() -> None:
    assert [name for name, n in Counter(label.id for label in FOUND).items() if n > 1] == []
    assert [label.id for label in FOUND if not label.reason.strip()] == []


def test_a_kind_that_is_clear_is_never_labelled_against_itself() -> None:
    clear = {"good": True, "ham": True, "human": True, "bad": False, "spam": False, "machine": False}
    assert [label.id for label in FOUND if clear.get(label.kind, label.keep) != label.keep] == []


def test_a_document_of_the_corpora_is_in_the_part_that_its_id_says() -> None:
    assert [one.id for one in FOUND if one.text is None and one.part != gold.part_of(one.id)] == []


def test_a_written_text_that_the_filters_drop_is_judged_with_the_reason() -> None:
    label = gold.Label("x", False, "bad", "a word", "dev", "글")
    (one,) = gold.judged(
        [label], {}, recipes.bind((Step("length", "judge", 1, (("min_chars", 100), ("max_chars", 1_000_000))),))
    )
    assert (one.kept, one.why) == (False, "length:too-short (1)")


def test_a_document_whose_text_is_not_here_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(gold.judged([gold.Label("x", True, "good", "")], {}, ())) == []
    assert "1 labelled documents have no text here" in capsys.readouterr().out


def test_only_what_stands_finished_in_a_workspace_is_read(tmp_path: Path) -> None:
    for name, done in (("a", True), ("b", False)):
        folder = tmp_path / "2-documents" / name
        folder.mkdir(parents=True)
        file = shard.write(pa.table({"id": [name], "text": ["글"]}), folder / "documents.parquet")
        if done:
            text = Ledger("2-documents", name, {"s": 1}, {"s": 1}, {}, files=(file,)).to_json()
            (folder / "ledger.json").write_text(text, encoding="utf-8")
    assert gold.extracted(tmp_path) == {"a": "글"}


def test_a_table_counts_what_each_bound_drops() -> None:
    limit = Limit("quality", "min_quality", "min", "no-korean-grammar")
    real = [{"quality": n / 1000} for n in range(1000)]
    table = thresholds.table_of("quality", limit, 0.2, real, [(True, {"quality": 0.1}), (False, {"quality": 0.15})])
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert ("[bold]0.2 ← here[/]", "200", "1", "1") in rows
    assert [row[1] for row in rows] == ["2", "5", "10", "20", "50", "100", "200"]


def test_a_sample_leaves_out_what_is_closed_and_what_is_short() -> None:
    texts = {"long": "가" * 100, "closed": "가" * 100, "short": "가 " * 99}
    assert thresholds.sample(texts, {"closed"}) == ["long"]
