"""One document never stops a release: what the second detector finds in it keeps that document out, and is counted."""

from __future__ import annotations

import io
import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_cards
from flows import status, why
from flows.console import SafeConsole
from malmoi.document import Document, Morphemes, Note, Signal
from malmoi.errors import CallError, DataError, StageError
from malmoi.recipe import Expectations
from malmoi.releases import excluded_documents, residue
from malmoi.releases.expectation_checks import measure
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.residual_pii import refuse_facts, refuse_texts
from malmoi.releases.residue import outcomes
from malmoi.releases.residue.digit_chains import Span
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from tests.builders.rows import each_row
from tests.builders.small_papers import PAPERS, run, written
from tests.builders.small_release import COPIED, document, documents, inputs

RESIDENT, CARD, PHONE = "990131-1234567", "0000-0000-0000-0001", "010-0000-1234"
SHOWN = f"카드번호 {CARD}"
LIST = "quarantine.jsonl"


def released(root: Path, given: Inputs) -> Path:
    (root / "tmp").mkdir(parents=True)
    publish(given, root / "release", tmp=root / "tmp", quarantine=root / LIST)
    data_cards.write(root / "release")
    refuse_texts(root / "release")
    seal(root / "release")
    return root / "release"


def few(root: Path, docs: list[Document], **told: Any) -> Inputs:
    """Inputs of some documents, of whom copies are not known."""
    return replace(inputs(root / "in", docs, **told), clusters=())


def rows(release: Path, table: str) -> list[dict[str, Any]]:
    return list(pq.read_table(release / f"audit/{table}.parquet").to_pylist())


def ids(release: Path) -> set[str]:
    return {id for p in release.glob("data/**/*.parquet") for id in pq.read_table(p)["id"].to_pylist()}


def everything(release: Path) -> str:
    """All strings of a release: of its tables, and of its texts."""
    tables = [
        json.dumps(pq.read_table(p).to_pylist(), ensure_ascii=False, default=bytes.hex)
        for p in release.rglob("*.parquet")
    ]
    return "\n".join(
        [*tables, *(p.read_text("utf-8") for p in release.rglob("*") if p.suffix != ".parquet" and p.is_file())]
    )


def with_morphemes(doc: Document) -> Document:
    layer = doc.morphemes
    assert layer is not None
    return replace(doc, morphemes=Morphemes(layer.start, layer.length, layer.tag, (SHOWN, *layer.form[1:])))


def proof(doc: Document, **told: str) -> Document:
    return replace(doc, evidence=(replace(doc.evidence[0], **told), *doc.evidence[1:]))


PLACES: dict[str, Callable[[Document], Document]] = {
    "text": lambda doc: replace(doc, text=f"{doc.text} {SHOWN}"),
    "title": lambda doc: replace(doc, title=SHOWN),
    "author": lambda doc: replace(doc, author=SHOWN),
    "address": lambda doc: replace(doc, provenance=replace(doc.provenance, url=f"https://a.kr/카드번호/{CARD}")),
    "id": lambda doc: replace(doc, id=f"ga/카드번호/{CARD}"),
    "record": lambda doc: replace(doc, provenance=replace(doc.provenance, record=SHOWN)),
    "revision": lambda doc: replace(doc, provenance=replace(doc.provenance, payload_sha256=SHOWN)),
    "date": lambda doc: replace(doc, date=SHOWN),
    "a label": lambda doc: replace(doc, labels=tuple(sorted({**dict(doc.labels), "abuse": SHOWN}.items()))),
    "a name in a list": lambda doc: replace(doc, labels=(*doc.labels[1:], ("benchmarks", SHOWN))),
    "a field": lambda doc: replace(doc, measures=(*doc.measures, (f"domain:{SHOWN}", 0.5))),
    "morphemes": with_morphemes,
    "quote of evidence": lambda doc: proof(doc, quote=SHOWN),
    "place of evidence": lambda doc: proof(doc, place=SHOWN),
    "record of evidence": lambda doc: proof(doc, record=SHOWN),
    "quote of a signal": lambda doc: replace(doc, signals=(Signal("noai", "note", SHOWN, "meta", "r"),)),
    "place of a signal": lambda doc: replace(doc, signals=(Signal("noai", "note", "noai", SHOWN, "r"),)),
}


def with_layers(doc: Document, **told: array[int]) -> Document:
    assert doc.morphemes is not None
    return replace(doc, morphemes=replace(doc.morphemes, **told))


# What `verify` would state of one document: its check, words of the fault, and the document.
UNFIT: dict[str, tuple[str, str, Callable[[Document], Document]]] = {
    "quote": ("evidence", "does not name LicenseRef-KOGL-1", lambda doc: proof(doc, quote="공공누리 제2유형")),
    "other record": ("laws", "not from the record", lambda doc: proof(doc, record="urn:uuid:other")),
    "sentence": ("rows", "outside its text", lambda doc: with_layers(doc, sentence_end=array("I", [9999]))),
    "morpheme": ("rows", "outside its text", lambda doc: with_layers(doc, start=array("I", [0, 9999]))),
    "layers": ("rows", "n_morphemes differ", lambda doc: with_layers(doc, length=array("H", [2]))),
    "placeholder": (
        "rows",
        "1 placeholders, fewer than the 9",
        lambda doc: replace(doc, trail=(*doc.trail, Note("redact", "mend", "9", "pii:phone", 9.0))),
    ),
}


@dataclass(frozen=True)
class Quarantined:
    """One release of a document for each place of a find and each fault, and of two documents without one."""

    release: Path
    made: dict[str, Document]
    told: list[dict[str, Any]]
    everything: str


@pytest.fixture(scope="module")
def quarantined(tmp_path_factory: pytest.TempPathFactory) -> Quarantined:
    root = tmp_path_factory.mktemp("places")
    makers = {**PLACES, **{fault: make for fault, (_, _, make) in UNFIT.items()}}
    made = {place: makers[place](document("ga", 5 + 420 * n)) for n, place in enumerate(makers)}  # alike but for ids
    lines = proof(document("na", 3), licence="CC-BY-SA-4.0\nOR\tGFDL-1.3-or-later")  # as a source may have it
    release = released(root, few(root, [*made.values(), document("ga", 2), lines]))
    told = [json.loads(line) for line in (root / LIST).read_text("utf-8").splitlines()]
    return Quarantined(release, made, told, everything(release))


@pytest.mark.parametrize("fault", UNFIT)
def test_a_document_that_would_not_verify_costs_itself_and_no_other(quarantined: Quarantined, fault: str) -> None:
    check, words, _ = UNFIT[fault]
    rows = [row for row in quarantined.told if row["id"] == quarantined.made[fault].id]
    assert {(row["table"], row["column"], row["kind"]) for row in rows} == {("verify", check, "unverified")}
    assert any(words in row["context"] for row in rows)


@each_row("place", PLACES)
def test_a_find_anywhere_in_a_document_keeps_it_out(quarantined: Quarantined, place: str) -> None:
    doc = quarantined.made[place]
    assert not re.search(rf"{re.escape(doc.id)}(?!\d)", quarantined.everything)
    told = [row for row in quarantined.told if row["id"] == doc.id]
    assert {row["kind"] for row in told} == {"card"}
    fields = {"id", "source", "digest", "table", "column", "kind", "shape", "count", "context"}
    assert all(row.keys() == fields for row in told)
    if place != "id":
        assert CARD not in json.dumps(told)


def test_what_is_left_out_is_counted_and_the_rest_is_released(quarantined: Quarantined) -> None:
    release, made = quarantined.release, quarantined.made
    assert verify(release, render=data_cards.render_card) == []
    assert ids(release) == {"ga/2", "na/3"}
    assert {row["id"] for row in quarantined.told} == {doc.id for doc in made.values()}
    out = [row for row in rows(release, "dropped") if row["stage"] == "6-release"]
    assert Counter((row["filter"], row["reason"]) for row in out) == {
        ("second_look", "residual-personal-data"): len(PLACES),
        ("verify", "unverified"): len(UNFIT),
    }
    assert sorted(row["id"] for row in out) == sorted(f"ga/[withheld {n + 1}]" for n in range(len(made)))
    assert CARD not in quarantined.everything


def test_in_is_kept_and_dropped_and_the_card_names_how_many(tmp_path: Path) -> None:
    docs = [replace(d, text=f"{d.text} 신청인 {RESIDENT}") if i % 5 == 0 else d for i, d in enumerate(documents())]
    release = released(tmp_path, inputs(tmp_path / "in", docs))
    card = json.loads((release / "card.json").read_text("utf-8"))
    assert card["tables"]["funnel"]["rows"][-1] == ["6-release", 24, 19, 5, 0]
    assert ["6-release", "second_look", "residual-personal-data", 5] in card["tables"]["drop_reasons"]["rows"]
    assert card["numbers"]["residue_documents"]["value"] == 5 and card["numbers"]["documents"]["value"] == 19
    assert "quarantined" in (release / "README.md").read_text("utf-8")
    assert excluded_documents.summarise_list(tmp_path / LIST) == (5, {"rrn": 5})
    (outcome,) = measure(release, Expectations())
    assert not outcome.met and outcome.measured == "0.2083 (5 of 24)"


@pytest.mark.heavy
def test_bytes_do_not_depend_on_order_or_grouping(tmp_path: Path) -> None:
    docs = [replace(d, title=SHOWN) if i % 7 == 0 else d for i, d in enumerate(documents())]
    roots, lists = set(), set()
    for cuts, flip in ((1, False), (2, True), (5, False), (24, True)):
        root = tmp_path / f"{cuts}"
        release = released(root, inputs(root / "in", docs, cuts=cuts, flip=flip))
        roots.add(json.loads((release / "manifest.json").read_text("utf-8"))["root"])
        lists.add((root / LIST).read_text("utf-8"))
    assert len(roots) == len(lists) == 1


def test_where_nothing_is_left_the_error_says_why_and_the_list_is_there(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"no document is left .* residual-personal-data 2.*quarantine\.jsonl"):
        released(tmp_path, inputs(tmp_path / "in", [replace(document("ga", n), title=SHOWN) for n in (1, 2)]))
    assert excluded_documents.summarise_list(tmp_path / LIST) == (2, {"card": 2})
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_list_of_an_earlier_attempt_goes_when_nothing_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("{}\n", encoding="utf-8")
    released(tmp_path, inputs(tmp_path / "in", documents()))
    assert not (tmp_path / LIST).exists()


def test_a_strict_recipe_quarantines_for_every_kind_that_it_replaces(tmp_path: Path) -> None:
    docs = [replace(document("ga", 1), title=f"문의 {PHONE}"), document("na", 3)]
    plain = released(tmp_path / "plain", inputs(tmp_path / "plain/in", docs))
    strict = released(
        tmp_path / "strict", replace(inputs(tmp_path / "strict/in", docs), second_look=outcomes(choice="quarantine"))
    )
    assert (ids(plain), ids(strict)) == ({"ga/1", "na/3"}, {"na/3"})


def test_kinds_that_a_recipe_keeps_quarantine_nothing(tmp_path: Path) -> None:
    given = replace(
        inputs(tmp_path / "in", [replace(document("ga", 1), title=SHOWN)]), second_look=outcomes(("phone",))
    )
    assert ids(released(tmp_path, given)) == {"ga/1"}


HOSTS = {  # what a card would show of a document
    "a host in numbers": ("https://203.0.114.7/a", {"ga/1", "ga/2"}),
    "a host in numbers with a port": ("http://203.0.114.7:8080/a", {"ga/1", "ga/2"}),
    "a telephone number in a host": ("https://tel-010-0000-1234.example.kr/a", {"ga/2"}),
}


@pytest.mark.heavy
@pytest.mark.parametrize("case", HOSTS)
def test_the_host_of_one_document_does_not_stop_the_card(tmp_path: Path, case: str) -> None:
    url, kept = HOSTS[case]
    doc = replace(document("ga", 1), provenance=replace(document("ga", 1).provenance, url=url))
    release = released(tmp_path, few(tmp_path, [doc, document("ga", 2)]))
    assert ids(release) == kept and verify(release, render=data_cards.render_card) == []


NEIGHBOURS = {  # titles of two documents, neither of which holds anything by itself
    "a label in front of digits": ("농협 계좌번호", "3020000123456 안내"),
    "a label of passports": ("여권", "M12345678"),
    "half a resident number": ("주민등록번호 990131", "1234567"),
    "an address in two": ("hong@", "example.kr"),
    "a key in two": ("api_key:", "abcd1234efgh5678"),
}


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("case", NEIGHBOURS)
def test_what_two_documents_say_together_is_in_none_of_them(tmp_path: Path, case: str) -> None:
    docs = [replace(document("ga", n), title=title) for n, title in zip((1, 2), NEIGHBOURS[case], strict=True)]
    for flip in (False, True):
        release = released(tmp_path / str(flip), few(tmp_path / str(flip), docs, cuts=1, flip=flip, shards=1))
        assert ids(release) == {"ga/1", "ga/2"} and verify(release) == []


@each_row("around", ["ISBN", "카드번호", "계좌번호 농협", "여권", "{}", "주문 접수", "사업자", "v"])
def test_a_value_in_a_column_is_read_as_if_it_stood_alone(around: str) -> None:
    values = [SHOWN, f"신청인 {RESIDENT}", CARD, "3020000123456", "M12345678", "1588-0000", "hong@example.kr"]
    alone = {value: set(residue.kinds(value)) for value in [*values, around]}
    for value in values:
        (text,) = residue._join_values(pa.array([around, value, around]))
        assert set(residue.kinds(text)) == alone[value] | alone[around], value


def test_what_a_source_says_of_itself_belongs_to_no_document_and_stops(tmp_path: Path) -> None:
    given = inputs(tmp_path / "in", documents())
    told = replace(given.sources[0], attribution=f"{{publisher}}, {SHOWN}")
    with pytest.raises(DataError, match=r"source 'ga'.*card.*`attribution`.*Correct `attribution`") as refused:
        released(tmp_path, replace(given, sources=(told, *given.sources[1:])))
    assert CARD not in str(refused.value)


def test_copies_of_a_quarantined_document_are_withheld_too(tmp_path: Path) -> None:
    docs = [replace(d, title=SHOWN) if d.id == "ga/1" else d for d in documents()]
    release = released(tmp_path, inputs(tmp_path / "in", docs))
    assert verify(release, render=data_cards.render_card) == []
    said = everything(release)
    for id in ("ga/1", "ga/101", "ga/105"):  # keeper, copy, and copy of the copy
        assert f'"{id}"' not in said, id
    assert {row["keeper"].partition("[")[0] for row in rows(release, "clusters")} == {"ga/", "na/3", "na/900"}
    assert len(rows(release, "clusters")) == len(COPIED)


DROPPED = {  # what a dropped document may hold, in what the audit tables tell of it
    "quote": lambda drop: replace(drop, signals=(replace(drop.signals[0], quote=SHOWN),)),
    "place": lambda drop: replace(drop, signals=(replace(drop.signals[0], place=SHOWN),)),
    "record": lambda drop: replace(drop, signals=(replace(drop.signals[0], record=SHOWN),)),
    "id": lambda drop: replace(drop, id=f"na/카드번호/{CARD}"),
}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("where", DROPPED)
def test_what_the_audit_tells_of_a_dropped_document_stops_nothing_either(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.builders import small_release

    plain = small_release.dropped

    def dropped(source: str, number: int, *rest: Any) -> Any:
        drop = plain(source, number, *rest)
        return replace(drop, document=DROPPED[where](drop.document)) if number == 102 else drop

    monkeypatch.setattr(small_release, "dropped", dropped)
    release = released(tmp_path, inputs(tmp_path / "in", documents()))
    assert verify(release, render=data_cards.render_card) == []
    assert CARD not in everything(release)
    assert sum(row["reason"] == "too-short" for row in rows(release, "dropped")) == 1
    assert sum(row["effect"] == "opt-out" for row in rows(release, "signals")) == 7


@pytest.mark.heavy
def test_withdrawn_documents_that_come_to_the_last_step_are_left_out(tmp_path: Path) -> None:
    given = replace(inputs(tmp_path / "in", documents()), withdrawn=("ga/1", "na/3", "ga/102", "elsewhere/9"))
    release = released(tmp_path, given)
    assert verify(release, render=data_cards.render_card) == []
    out = [row for row in rows(release, "dropped") if row["reason"] == "withdrawn"]
    assert len(out) == 2 and all("[withheld" in row["id"] for row in out)
    assert '"ga/1"' not in everything(release) and '"na/3"' not in everything(release)
    assert json.loads((release / "card.json").read_text("utf-8"))["numbers"]["withdrawn"]["value"] == 2
    assert excluded_documents.summarise_list(tmp_path / LIST) == (0, {})


def test_a_declaration_with_personal_data_is_refused_with_its_place(tmp_path: Path) -> None:
    plain = few(tmp_path, documents()[:1])
    refuse_facts(plain)
    for name in ("title", "publisher", "terms", "attribution", "note", "register", "domain"):
        source = replace(plain.sources[0], **{name: SHOWN})
        with pytest.raises(DataError, match=f"source '{source.name}': .* finds card in `{name}`. .* nothing was pub"):
            refuse_facts(replace(plain, sources=(source,)))
    with pytest.raises(DataError, match=r"the recipe: .* in `purpose`"):
        refuse_facts(replace(plain, purpose=SHOWN))


def test_the_kinds_that_quarantine_are_those_that_the_detector_knows() -> None:
    assert set(residue.QUARANTINED) < set(residue.KINDS)


@pytest.mark.parametrize("damage", [b'{"id": \xff', b"{", b"[]\n", b'{"id": "a/1"}\n', b"1\n"])
def test_a_list_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / LIST).write_bytes(damage)
    with pytest.raises(CallError, match=r"quarantine\.jsonl: not readable as a list .* Delete it"):
        excluded_documents.summarise_list(tmp_path / LIST)


def shown(call: Callable[[SafeConsole], None]) -> str:
    out = io.StringIO()
    call(SafeConsole(file=out, width=4000))
    return out.getvalue()


PLAIN, MILL = residue.find_spans, "물레방아 자동차"  # a value that only the second detector knows


def find_mill(text: str) -> Iterator[Span]:
    """What the second detector finds, and each MILL as a key."""
    yield from PLAIN(text)
    yield from (Span("key", at.start(), at.end()) for at in re.finditer(MILL, text))


# The command ----------------------------------------------------------------------------------------------------


def test_where_all_is_quarantined_status_says_so_and_names_the_command_that_shows_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residue, "find_spans", find_mill)
    source, recipe = written(tmp_path, {"02": PAPERS["02"] + "\n물레방아 자동차"})
    with pytest.raises(StageError, match="no document is left to publish"):
        run(source, recipe, tmp_path / "w")
    said = shown(lambda out: status.show(tmp_path / "w", recipe, [source], out))
    assert f"quarantined documents: malmoi why {tmp_path / 'w'} papers/02.txt" in said
    assert "Next: malmoi run" not in said


def test_a_run_says_what_is_quarantined_where_it_is_listed_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {name: PAPERS[name] for name in ("02", "13")}
    source, recipe = written(tmp_path, {**said, "02": said["02"] + "\n물레방아 자동차"})
    monkeypatch.setattr(residue, "find_spans", find_mill)
    home, _, _, made = run(source, recipe, tmp_path / "w")
    assert made.documents == 1 and verify(made.folder, render=data_cards.render_card) == []
    (note,) = made.notes
    place = home.quarantine("papers")
    for words in ("quarantined: 1 document", "key in 1", str(place), "`malmoi why", "filters/pii_rules", "run again"):
        assert words in note, words
    assert {json.loads(line)["id"] for line in place.read_text("utf-8").splitlines()} == {"papers/02.txt"}
    assert "papers/02.txt" not in everything(made.folder)
    assert "6-release of papers: quarantined for key × 1 in data.text" in shown(
        lambda out: why.show(tmp_path / "w", "papers/02.txt", out)
    )
    assert f"6-release of papers not kept: quarantined 1 (key in 1), listed in {place}" in shown(
        lambda out: status.show(tmp_path / "w", recipe, [source], out)
    )
    segment = next((tmp_path / "w" / "surveys/index/copies").glob("*/*/documents.parquet"))
    assert pq.read_table(segment)["id"].to_pylist() == ["papers/13.txt"]
    *_, again = run(source, recipe, tmp_path / "w")
    assert (again.new, again.root, again.notes) == (False, made.root, made.notes)
    monkeypatch.undo()  # other code: neither the digest of the inputs nor a kept part stays
    (tmp_path / "w/6-releases/made-from.json").unlink()
    rmtree(home.release_parts("papers"))
    *_, mended = run(source, recipe, tmp_path / "w")
    assert (mended.new, mended.documents, mended.notes) == (True, 2, ())
