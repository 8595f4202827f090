"""Sentences and morphemes of a release: our reader, and the examples of docs/morphemes.md for other tools."""

from __future__ import annotations

import re
import shutil
from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from filters import morphology
from malmoi.apply import apply
from malmoi.document import Document, Edit, Morphemes, Provenance
from malmoi.releases.morphemes import read_documents
from malmoi.releases.publish import publish
from malmoi.releases.release_schema import ENCODING, MORPHEME_DICTIONARY
from tests.builders.small_release import documents, inputs

PAGE = (Path(__file__).parents[2] / "docs/morphemes.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.S)
SQL = re.findall(r"```sql\n(.*?)```", PAGE, re.S)
PLAIN = Document("a/0", "", Provenance("a", "", "", "", ""))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds corpus/1.0.0: 24 documents as Kiwi analyses them."""
    root = tmp_path_factory.mktemp("linguist")
    (root / "corpus").mkdir()
    (root / "tmp").mkdir()
    publish(inputs(root / "in", marked()), root / "corpus" / "1.0.0", tmp=root / "tmp")
    return root


def marked() -> list[Document]:
    return [replace(d, morphemes=morphology.mark(d)) for d in documents()]


def layer_of(doc: Document) -> Morphemes:
    assert doc.morphemes is not None
    return doc.morphemes


def nouns() -> Counter[str]:
    return Counter(form for d in marked() for form, tag, *_ in layer_of(d).rows() if tag in ("NNG", "NNP"))


def test_the_reader_gives_back_what_was_marked(corpus: Path) -> None:
    read = {d.id: d for d in read_documents(corpus / "corpus/1.0.0")}
    assert len(read) == 24
    for doc in marked():
        found, layer = read[doc.id], layer_of(doc)
        rows = sorted((m.start, m.form, m.tag, m.length) for s in found.sentences for m in s.morphemes)
        rows += [(m.start, m.form, m.tag, m.length) for m in found.rest]
        assert sorted(rows) == sorted((start, form, tag, length) for form, tag, start, length in layer.rows())
        assert [(s.start, s.end) for s in found.sentences] == list(
            zip(layer.sentence_start, layer.sentence_end, strict=True)
        )
        assert all(s.text == doc.text[s.start : s.end] for s in found.sentences)
        assert all(m.surface == doc.text[m.start : m.start + m.length] for s in found.sentences for m in s.morphemes)


def test_a_release_without_data_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="name the folder of a version"):
        list(read_documents(tmp_path))


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_the_python_of_the_page_runs(
    corpus: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if "polars" in PYTHON[number]:
        pytest.importorskip("polars")
    monkeypatch.chdir(corpus)
    found: dict[str, object] = {}
    exec(compile(PYTHON[number], "docs/morphemes.md", "exec"), found)
    assert capsys.readouterr().out.strip()


def test_polars_counts_the_nouns_and_cuts_the_sentences(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("polars")
    monkeypatch.chdir(corpus)
    (code,) = (c for c in PYTHON if "polars" in c)
    found: dict[str, object] = {}
    exec(compile(code, "docs/morphemes.md", "exec"), found)
    rows = found["nouns"].rows()  # type: ignore[attr-defined]
    assert {form: n for form, n, _ in rows} == dict(nouns())
    texts = {d.id: d.text for d in marked()}
    cut = found["sentences"].collect().rows()  # type: ignore[attr-defined]
    assert len(cut) == sum(len(layer_of(d).sentence_start) for d in marked())
    assert all(text == texts[id_][start:end] for id_, start, end, text in cut)


def test_duckdb_counts_the_nouns_and_cuts_the_sentences(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus)
    counting, cutting = SQL
    assert {form: n for form, n, _ in duckdb.sql(counting).fetchall()} == dict(nouns())
    texts = {d.id: d.text for d in marked()}
    cut = duckdb.sql(cutting).fetchall()
    assert len(cut) == sum(len(layer_of(d).sentence_start) for d in marked())
    assert all(text == texts[id_][start:end] for id_, start, end, text in cut)


def test_reading_the_texts_needs_no_byte_of_the_analysis(corpus: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(corpus / "corpus/1.0.0", tmp_path / "bare"))
    shutil.rmtree(bare / "morphemes")
    rows = duckdb.sql(f"SELECT * FROM '{bare}/data/**/*.parquet'")
    assert len(rows.fetchall()) == 24
    assert not {"morphemes", "sentences"} & set(rows.columns)


def test_each_data_file_has_the_same_ids_in_the_same_order_beside_it(corpus: Path) -> None:
    release = corpus / "corpus/1.0.0"
    paths = [path.relative_to(release / "data") for path in sorted((release / "data").rglob("*.parquet"))]
    assert [p.relative_to(release / "morphemes") for p in sorted((release / "morphemes").rglob("*.parquet"))] == paths
    for path in paths:
        ids = [pq.ParquetFile(release / top / path).read(["id"])["id"].to_pylist() for top in ("data", "morphemes")]
        assert ids[0] == ids[1]
        here, beside = (f"'{release}/{top}/{path}'" for top in ("data", "morphemes"))
        joined = duckdb.sql(f"SELECT a.id = b.id FROM {here} a POSITIONAL JOIN {beside} b").fetchall()
        assert joined == [(True,)] * len(ids[0])


def test_every_column_with_an_encoding_is_written_so_and_has_no_dictionary(corpus: Path) -> None:
    path = next((corpus / "corpus/1.0.0/morphemes").rglob("*.parquet"))
    group = pq.ParquetFile(path).metadata.row_group(0)
    written = {c.path_in_schema: c.encodings for c in map(group.column, range(group.num_columns))}
    assert all(kind in written[name] for name, kind in ENCODING.items())
    assert not set(ENCODING) & set(MORPHEME_DICTIONARY)


def test_redaction_takes_the_morphemes_it_cuts_and_moves_the_others() -> None:
    text = "담당자 전화는 010-1234-5678이다. 내일 학교에 간다."
    doc = replace(PLAIN, text=text)
    doc = replace(doc, morphemes=morphology.mark(doc))
    start = text.index("010")
    after = apply(doc, "redact", "mend", (Edit(start, start + 13, "[전화번호1]", "pii:phone"),))
    layer = layer_of(after)
    assert "010" not in "".join(layer.form)
    for form, _, at, length in layer.rows():
        if form in ("학교", "담당자", "전화", "내일"):
            assert after.text[at : at + length] == form
    cut = [after.text[a:b] for a, b in zip(layer.sentence_start, layer.sentence_end, strict=True)]
    assert cut == ["담당자 전화는 [전화번호1]이다.", "내일 학교에 간다."]


def test_contracted_morphemes_share_a_surface(tmp_path: Path) -> None:
    doc = replace(PLAIN, id="ga/1", text="갔다")
    layer = Morphemes(
        array("I", [0, 0, 1]),
        array("H", [1, 1, 1]),
        ("VV", "EP", "EF"),
        ("가", "었", "다"),
        array("I", [0]),
        array("I", [2]),
    )
    given = [replace(d, text=doc.text, morphemes=layer) for d in documents(1)]
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", given, cuts=1), tmp_path / "r", tmp=tmp_path / "tmp")
    (found,) = read_documents(tmp_path / "r")
    assert [m.surface for m in found.sentences[0].morphemes] == ["갔", "갔", "다"]
