"""Neither id nor address of a published document leads to a page that still shows a number which leads to harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import data_cards
from filters import personal_data, redact
from malmoi.apply import apply
from malmoi.document import Document, Note, Provenance, Signal
from malmoi.releases import residue
from malmoi.releases.publish import publish
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.url_privacy import digest_id, is_digest_id
from tests.builders.small_release import document, documents, inputs
from tests.releases.test_left_out import everything

ADDRESS, KEY = "https://ga.example.kr/notices/refund.html?page=2", "notices/refund.html"
ACCOUNT = "계좌번호 농협 302-0000-1234-51"


def page(kind: str = "account", **told: Any) -> Document:
    """A document of which a value of `kind` was replaced; everything about it names its page."""
    doc = document("ga", 1)
    where = {"place": f"{ADDRESS}#licence", "record": doc.provenance.record}
    made = replace(
        doc,
        id=f"ga/{KEY}",
        provenance=replace(doc.provenance, url=ADDRESS),
        evidence=tuple(replace(e, **where) for e in doc.evidence),
        signals=(Signal("noai", "note", "noai", ADDRESS, doc.provenance.record),),
        trail=(Note("redact", "mend", "1", f"pii:{kind}", 1.0),) if kind else (),
    )
    return replace(made, **told)


def hidden(text: str, **_: Any) -> str:
    doc = Document("", text, Provenance("", "", "", "", ""))
    for name, verb, filter in (("personal_data", "mark", personal_data.mark), ("redact", "mend", redact.mend)):
        doc = apply(doc, name, verb, filter(doc))  # type: ignore[arg-type]
    return doc.text


def released(root: Path, docs: list[Document], **told: Any) -> Path:
    (root / "tmp").mkdir(parents=True)
    given = replace(inputs(root / "in", docs), **({"clusters": ()} | told))
    publish(given, root / "release", tmp=root / "tmp", redact=hidden)
    data_cards.write(root / "release")
    seal(root / "release")
    return root / "release"


def row(release: Path, id: str) -> dict[str, Any]:
    found = [r for p in release.glob("data/**/*.parquet") for r in pq.read_table(p, partitioning=None).to_pylist()]
    return next(r for r in found if r["id"] == id)


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("kind", ["card", "account", "passport", "driver_license", "key"])
def test_a_page_that_still_shows_such_a_value_is_not_named_anywhere(tmp_path: Path, kind: str) -> None:
    release = released(tmp_path, [page(kind), document("na", 3)])
    assert verify(release, render=data_cards.render_card) == []
    said = everything(release)
    assert KEY not in said and "refund" not in said and "page=2" not in said and '"urn:uuid:ga-1"' not in said
    found = row(release, digest_id(f"ga/{KEY}"))
    assert found["url"] == "https://ga.example.kr/" and found["attribution"].endswith("https://ga.example.kr/")
    assert found["pii"] == [{"kind": kind, "n": 1}] and found["title"] == "글 1"


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("kind", ["", "phone", "email", "name", "birth_date"])
def test_other_documents_keep_id_and_address(tmp_path: Path, kind: str) -> None:
    found = row(released(tmp_path, [page(kind)]), f"ga/{KEY}")
    assert found["url"] == ADDRESS and ADDRESS in found["attribution"]


@pytest.mark.parametrize("where", ["title", "author"])
def test_a_value_in_title_or_author_counts_as_one_in_the_text(tmp_path: Path, where: str) -> None:
    release = released(tmp_path, [page("", **{where: f"입금은 {ACCOUNT}"})])
    assert "refund" not in everything(release) and "302-0000" not in everything(release)


def test_a_resident_number_in_what_is_for_training_only_counts_too(tmp_path: Path) -> None:
    doc = document("ga", 2, use="train-only")
    noted = replace(doc, trail=(Note("redact", "mend", "1", "pii:rrn", 1.0),))
    assert row(released(tmp_path, [noted]), digest_id("ga/2"))["url"] == "https://ga.example.kr/"


def test_copies_and_sizes_follow_the_id(tmp_path: Path) -> None:
    docs = documents()
    noted = replace(docs[0], trail=(Note("redact", "mend", "1", "pii:account", 1.0),))
    given = inputs(tmp_path / "copies", docs)
    release = released(tmp_path, [noted, *docs[1:]], clusters=given.clusters)
    assert verify(release, render=data_cards.render_card) == []
    found = row(release, digest_id("ga/1"))
    assert found["cluster_size"] == 3
    keepers = {r["keeper"] for r in pq.read_table(release / "audit/clusters.parquet").to_pylist()}
    assert digest_id("ga/1") in keepers and "ga/1" not in keepers


def test_its_withdrawal_by_either_id_keeps_it_out(tmp_path: Path) -> None:
    for n, id in enumerate((f"ga/{KEY}", digest_id(f"ga/{KEY}"))):
        release = released(tmp_path / str(n), [page(), document("na", 3)], withdrawn=(id,))
        assert digest_id(f"ga/{KEY}") not in everything(release) and "refund" not in everything(release)
        assert "ga/[withheld 1]" in everything(release)


def test_evidence_for_a_whole_source_keeps_its_place(tmp_path: Path) -> None:
    terms = "https://ga.example.kr/terms.html"
    doc = page()
    doc = replace(
        doc, evidence=tuple(replace(e, scope="source", place=terms, record="urn:uuid:t") for e in doc.evidence)
    )
    release = released(tmp_path, [doc])
    (proof,) = pq.read_table(release / "audit/licence_evidence.parquet").to_pylist()
    assert (proof["place"], proof["record"]) == (terms, "urn:uuid:t")


def test_digest_ids_are_told_from_others() -> None:
    assert is_digest_id(digest_id("ga/1"))
    for id in ("ga/1", "ga/page-1", "ga/page-" + "g" * 24, "ga/a/page-" + "0" * 24, "ga/page-" + "0" * 25, ""):
        assert not is_digest_id(id), id
    assert set(residue.KINDS).isdisjoint(residue.kinds(digest_id("ga/1")))
