"""The tuning set is sound, scoring counts as it says, and neither detector falls below its floor on it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest

from benchmarks.personal_data import __main__ as bench
from benchmarks.personal_data import personal_data_peers as peers
from benchmarks.personal_data.personal_data_score import Scores, score, worst
from filters import personal_data
from filters.pii_rules.institutions import Official
from malmoi.document import Document, Provenance
from malmoi.releases.residue import kinds

SET = bench.TUNE.parent
OPEN = ("tune", "first-exam", "second-exam", "third-exam")  # their misses have been read: they tune
SETS = (*OPEN, "held")  # the last one only measures: who changes a rule does not look at it
HELD = dict(zip((bar.name for bar in bench.BARS), (0.968, 0.932, 1.0, 0.937), strict=True))  # as first measured
SECOND = {
    "card": 0.98, "driver_license": 0.98, "frn": 0.98, "health_insurance": 0.98, "mac": 0.98, "ip": 0.98,
    "vehicle": 0.96, "passport": 0.95, "rrn": 0.95, "email": 0.93, "url_secret": 0.93, "brn": 0.92, "phone": 0.85,
    "account": 0.82, "key": 0.82,
}  # fmt: skip
ROW = {"id": "a", "how": "written", "text": "김다온 010-0000-1234, 02-000-0000",
       "spans": [{"kind": "name", "start": 0, "end": 3, "form": "linked"},
                 {"kind": "phone", "start": 4, "end": 17, "form": "canonical"},
                 {"kind": "phone", "start": 19, "end": 30, "form": "canonical", "optional": True}]}  # fmt: skip


def find(kind: str, start: int, end: int) -> dict[str, object]:
    return {"kind": kind, "start": start, "end": end}


@pytest.mark.parametrize("name", SETS)
def test_every_span_of_a_set_lies_in_its_text_and_none_cuts_another(name: str) -> None:
    for row in bench.read(SET / f"{name}.jsonl"):
        end = 0
        for span in sorted(row["spans"], key=lambda s: s["start"]):
            assert end <= span["start"] < span["end"] <= len(row["text"]), row["id"]
            end = span["end"]


def test_a_find_of_another_kind_covers_the_value_and_is_false_all_the_same() -> None:
    total = score([ROW], {"a": {"found": [find("account", 4, 17)]}}).total()
    assert (total.gold, total.covered, total.leaked, total.exact, total.found, total.right) == (2, 1, 1, 0, 1, 0)


def test_an_optional_span_counts_neither_way() -> None:
    total = score([ROW], {"a": {"found": [find("phone", 19, 30)]}}).total()
    assert (total.gold, total.found) == (2, 0)


def test_two_finds_side_by_side_cover_a_value() -> None:
    found = [find("phone", 4, 8), find("phone", 8, 17)]
    total = score([ROW], {"a": {"found": found}}).total(lambda k, *_: k == "phone")
    assert (total.covered, total.leaked, total.exact, total.found) == (1, 0, 0, 2)


def test_a_third_of_the_digits_may_be_left_and_not_more() -> None:
    leaks = [score([ROW], {"a": {"found": [find("phone", 4, end)]}}).total(lambda k, *_: k == "phone").leaked
             for end in (14, 12)]  # fmt: skip
    assert leaks == [0, 1]


def test_a_value_that_stands_elsewhere_in_the_redacted_text_has_leaked() -> None:
    answer = {"text": "[이름1] [전화번호1], 010-0000-1234", "found": [find("name", 0, 3), find("phone", 4, 17)]}
    found = score([ROW], {"a": answer})
    assert found.total().leaked == 1
    assert [(f.what, f.kind, f.share) for f in worst(found.failures, 5)] == [("missed", "phone", 1.0)]


def test_a_row_without_spans_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gold.jsonl").write_text('{"id": "a", "text": "가"}\n', encoding="utf-8")
    assert bench.main([str(tmp_path / "gold.jsonl")]) == 2
    assert "gold.jsonl, line 1: a gold row has id, text and spans" in capsys.readouterr().err


@pytest.mark.heavy
def test_the_exit_status_says_whether_the_bars_are_reached(tmp_path: Path) -> None:
    plain = {"id": "a", "text": "전화 010-0000-1234", "spans": [{**find("phone", 3, 16), "form": "labelled"}]}
    hidden = {"id": "b", "text": "낯선 말뿐인 글", "spans": [{**find("phone", 0, 2), "form": "labelled"}]}
    gold, failures = tmp_path / "gold.jsonl", tmp_path / "failures.jsonl"
    gold.write_text(json.dumps(plain) + "\n", encoding="utf-8")
    assert bench.main([str(gold), "--no-speed"]) == 0
    gold.write_text(json.dumps(plain) + "\n" + json.dumps(hidden) + "\n", encoding="utf-8")
    assert bench.main([str(gold), "--no-speed", "--failures", str(failures)]) == 1
    (failure,) = [json.loads(line) for line in failures.read_text(encoding="utf-8").splitlines()]
    assert (failure["what"], failure["id"], failure["value"]) == ("missed", "b", "낯선")


def measure(names: Sequence[str], texts: Path) -> Mapping[str, Scores]:
    """Each set as the filter does; one process reads them all."""
    sets = {name: bench.read(SET / f"{name}.jsonl") for name in names}
    peers.write([row | {"id": f"{name} {row['id']}"} for name, rows in sets.items() for row in rows], texts)
    answers = peers.ours(texts).rows
    return {
        name: score(rows, {row["id"]: answers[f"{name} {row['id']}"] for row in rows}) for name, rows in sets.items()
    }


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Scores]:
    return measure(OPEN, tmp_path_factory.mktemp("sets") / "texts.jsonl")


@pytest.mark.heavy
@pytest.mark.parametrize("name", OPEN)
def test_the_filter_reaches_its_bars_on_the_sets_that_tuned_it(scores: Mapping[str, Scores], name: str) -> None:
    found = scores[name]
    assert not [said for said, reached in (bench.bar_said(bar, found) for bar in bench.BARS) if not reached]
    total = found.total()
    assert total.precision is not None and total.precision >= 0.97


@pytest.mark.heavy
def test_the_filter_does_not_fall_on_the_set_that_only_measures(tmp_path: Path) -> None:
    found = measure(["held"], tmp_path / "texts.jsonl")["held"]
    recall = {bar.name: found.total(bar.wanted).recall or 0.0 for bar in bench.BARS}
    assert {name: recall[name] for name in recall if recall[name] < HELD[name]} == {}
    precision = found.total().precision
    # Its labels know no kinds of documents: a name that is private only in an obituary or a roster counts as false.
    assert precision is not None and precision >= 0.97


# Documents whose writers knew the demands alone: recall, precision, and recall of names, as first measured; a training
# of the models after that run took .01 of precision and one name from the third set.
UNSEEN = {"unseen-a": (0.90, 0.90, 0.84), "unseen-b": (0.83, 0.84, 0.81), "unseen-c": (0.88, 0.86, 0.85)}

FROZEN = {  # first sixteen digits of the SHA-256
    "unseen-a": "6247992b9075b3b7",
    "unseen-b": "ce5e7d66dc169552",
    "unseen-c": "0353d86f2df27f12",
}


def test_the_frozen_sets_are_what_was_frozen() -> None:
    sums = {name: hashlib.sha256((SET / f"{name}.jsonl").read_bytes()).hexdigest()[:16] for name in FROZEN}
    assert sums == FROZEN


@pytest.mark.parametrize("name", UNSEEN)
def test_the_filter_does_not_fall_on_the_frozen_sets(name: str) -> None:
    rows = bench.read(SET / f"{name}.jsonl")
    docs = [Document(row["id"], row["text"], Provenance("unseen", "", "", "", "")) for row in rows]
    officials = personal_data.mark_batch(docs, keep_official=get_args(Official))
    gold = covered = found = right = names = named = 0
    for row, spans in zip(rows, officials, strict=True):
        places = {i for span in spans for i in range(span.start, span.end)}
        for span in (one for one in row["spans"] if not one.get("optional")):
            whole = all(i in places for i in range(span["start"], span["end"]) if row["text"][i].isalnum())
            gold, covered = gold + 1, covered + whole
            names, named = names + (span["kind"] == "name"), named + (span["kind"] == "name" and whole)
        found += len(spans)
        right += sum(any(a.start < b["end"] and b["start"] < a.end for b in row["spans"]) for a in spans)
    measured = covered / gold, right / found, named / names
    assert [(m, bar) for m, bar in zip(measured, UNSEEN[name], strict=True) if m < bar] == []


def _make_real(text: str) -> str:
    """Put other hosts and cards in the place of examples, which are no finds: in the sets they stand for real ones."""
    for example in ("example", "EXAMPLE", "test"):
        text = text.replace(example, "malmoi")
    for card in ("4111-1111-1111-1111", "5555 5555 5555 4444", "3782-822463-10005", "4242 4242 4242 4242",
                 "5105-1051-0510-5100", "6200 0000 0000 0005"):  # fmt: skip
        text = text.replace(card, "4000-0000-0000-0002")
    return text


def test_the_independent_look_does_not_fall_below_its_floor() -> None:
    gold: Counter[str] = Counter()
    met: Counter[str] = Counter()
    false = 0
    for row in bench.read(bench.TUNE):
        found = Counter(kinds(_make_real(row["text"])))
        said = Counter(s["kind"] for s in row["spans"])
        asked = Counter(s["kind"] for s in row["spans"] if not s.get("optional"))
        gold += asked
        met += asked & found
        false += sum((found - said).values())
    assert not {kind: met[kind] / gold[kind] for kind in SECOND if met[kind] / gold[kind] < SECOND[kind]}
    assert false <= 30
