"""The decision table, how licences are read, and the rules that combine evidence."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from filters.rights import judge
from malmoi.document import Document, LicenceEvidence, Provenance, Signal
from malmoi.licensing.licence_words import kogl_words
from malmoi.licensing.licences import PORTS
from malmoi.licensing.proofs import CANDIDATES, OPEN_WEB, PROOFS, REVIEW, WEB
from malmoi.licensing.rights_decision import (
    LICENCES,
    REASONS,
    decide,
    family,
    licence_from_text,
    licence_from_url,
    terms,
)
from tests.builders.rows import each_row

PORTED = re.compile(r"(?:LicenseRef-)?CC-BY[A-Z-]*-\d\.\d-[A-Z]+")
DATA = Path(__file__).parents[1] / "data" / "rights"
DOCS = (Path(__file__).parents[2] / "docs" / "rights.md").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def given(row: dict[str, Any]) -> tuple[list[LicenceEvidence], list[Signal]]:
    said = [(*one, "field")[:3] for one in row["evidence"]]  # licence, scope, kind of evidence: a proof if not named
    evidence = [LicenceEvidence(licence, kind, scope, "", "", "") for licence, scope, kind in said]
    return evidence, [Signal("test", effect, "", "", "") for effect in row.get("signals", [])]


@each_row("row", rows("decisions.jsonl"), ids=lambda row: row["why"])
def test_evidence_and_signals_combine_by_the_rules(row: dict[str, Any]) -> None:
    rights = decide(*given(row))
    assert (rights.use, rights.reason) == (row["use"], row["reason"])
    assert row.get("licence", rights.licence) == rights.licence
    assert not rights.reason or rights.reason in REASONS


@each_row("row", rows("decisions.jsonl"), ids=lambda row: row["why"])
def test_the_order_in_which_evidence_is_found_does_not_matter(row: dict[str, Any]) -> None:
    evidence, signals = given(row)
    outcomes = {
        (r.use, r.licence, r.reason, r.conflicts)
        for order in itertools.permutations(evidence)
        for r in (decide(order, signals),)
    }
    assert len(outcomes) == 1


def test_only_evidence_of_the_closed_list_permits_a_use() -> None:
    for kind in (*CANDIDATES, *(f"{WEB}{name}" for name in OPEN_WEB), "row", "front-matter", "anything"):
        rights = decide([LicenceEvidence("CC-BY-4.0", kind, "item", "", "", "")])
        assert (rights.use, rights.reason) == ("exclude", "needs-review"), kind
    for kind in (*PROOFS, REVIEW):
        assert decide([LicenceEvidence("CC-BY-4.0", kind, "item", "", "", "")]).use == "redistribute", kind


@pytest.mark.parametrize(
    ("words", "types"),
    [
        ("공공누리 제0유형으로 출처표시 의무 없이", ("0",)),
        ("공공누리 제0유형(출처표시 불필요)", ("0",)),
        ("공공누리 제0유형: 출처를 표시하지 않아도", ("0",)),
        ("공공누리 제0유형: 출처표시", ("0", "1")),
        ("공공누리 제1유형: 출처표시 없이 이용할 수 없습니다", ("1",)),
    ],
)
def test_type_0_asks_for_no_attribution(words: str, types: tuple[str, ...]) -> None:
    assert kogl_words(words).types == types


@each_row("row", rows("urls.jsonl"), ids=lambda row: row["url"])
def test_an_address_names_a_licence_or_none(row: dict[str, Any]) -> None:
    assert licence_from_url(row["url"]) == row["licence"], row["why"]


@each_row("row", rows("values.jsonl"), ids=lambda row: row["value"] or "empty")
def test_a_value_names_a_licence_or_none(row: dict[str, Any]) -> None:
    assert licence_from_text(row["value"]) == row["licence"], row["why"]


def test_every_licence_can_be_read_from_its_own_id_and_belongs_to_a_family() -> None:
    for id_, row in LICENCES.items():
        assert licence_from_text(id_) == row.id == id_
        assert family(id_) == row.family
        assert row.spdx != id_.startswith("LicenseRef-")
        assert row.rule and row.url.startswith("https://")


def test_nothing_non_commercial_or_without_derivatives_is_redistributed() -> None:
    for id_, row in LICENCES.items():
        closed = re.search(r"-(NC|ND)\b", id_) or id_ in [f"LicenseRef-KOGL-{n}" for n in "234"]
        assert (row.use == "exclude") == bool(closed or row.family == "review"), id_
        assert (row.use == "train-only") == (row.family == "ai-training")


def test_share_alike_and_copyleft_never_share_a_family_with_open_licences() -> None:
    for row in LICENCES.values():
        if row.use == "redistribute":
            assert row.share_alike == (row.family in ("share-alike", "copyleft"))


def test_a_licence_is_never_made_freer_by_more_evidence_in_its_place() -> None:
    order = ["redistribute", "train-only", "exclude"]
    ids = [id_ for id_ in LICENCES if not PORTED.fullmatch(id_)]
    one = [[LicenceEvidence(id_, "field", "item", "", "", "")] for id_ in (*ids, "none", "unknown")]
    for a, b in itertools.product(one, one):
        if {a[0].licence, b[0].licence} & {"LicenseRef-KOGL-AI"} or b[0].licence.endswith("-AI"):
            continue  # the one licence that adds to another
        if a[0].licence.endswith("-AI"):
            continue
        assert order.index(decide(a + b).use) >= max(order.index(decide(x).use) for x in (a, b))


@each_row("text", ["", "(", "MIT AND", "MIT OR", "MIT Apache-2.0", "(MIT", "MIT)", "MIT WITH x", "(" * 900])
def test_a_broken_expression_is_unknown(text: str) -> None:
    assert terms(text) is None
    assert decide([LicenceEvidence(text, "field", "item", "", "", "")]).use == "exclude"


def test_the_filter_labels_every_document_and_names_its_reason() -> None:
    provenance = Provenance("a", "", "", "", "")
    mark = LicenceEvidence("LicenseRef-KOGL-4", "kogl-block", "item", "", "", "")
    both = (mark, LicenceEvidence("LicenseRef-KOGL-AI", "kogl-block", "item", "", "", ""))
    closed, ai = Document("a/1", "글", provenance, evidence=(mark,)), Document("a/2", "글", provenance, evidence=both)
    nothing = judge(Document("a/3", "글", provenance))
    assert (judge(closed).outcome, judge(closed).reason) == ("drop", "restricted-licence")
    assert judge(closed).labels == (("use", "exclude"), ("licence", "LicenseRef-KOGL-4"))
    assert (judge(ai).outcome, judge(ai).reason) == ("drop", "use-train-only")
    assert judge(ai, uses=("redistribute", "train-only")).outcome == "keep"
    assert (nothing.outcome, nothing.reason, dict(nothing.labels)["licence"]) == ("drop", "no-licence", "none")
    assert judge(closed, uses=("exclude",)).outcome == "drop"


def test_a_port_is_as_free_as_the_licence_that_was_ported() -> None:
    ported = [id_ for id_ in LICENCES if PORTED.fullmatch(id_)]
    assert len(ported) == 6 * sum(len(ports.split()) for ports in PORTS.values())
    for id_ in ported:
        plain = id_.removeprefix("LicenseRef-").rpartition("-")[0].replace("-2.1", "-2.0")
        row, base = LICENCES[id_], LICENCES[plain]
        assert (row.use, row.share_alike, row.family) == (base.use, base.share_alike, base.family)
        assert licence_from_url(row.url) == id_ == licence_from_url(f"{row.url}deed.ko")


def test_the_documented_table_is_the_table() -> None:
    documented = dict(re.findall(r"^\| `([^`]+)` \| ([a-z-]+) \| (?:yes|no) \|", DOCS, re.M))
    assert documented == {id_: row.use for id_, row in LICENCES.items() if not PORTED.fullmatch(id_)}
    assert dict(re.findall(r"^\| (\d\.\d) \| ([a-z ]+) \|$", DOCS, re.M)) == PORTS
    assert all(f"`{reason}`" in DOCS for reason in REASONS)
