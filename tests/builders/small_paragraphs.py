"""Documents with notices, and the survey of paragraphs over them, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from filters.repeated_paragraphs import SURVEY, mend
from malmoi.apply import apply_edits
from malmoi.document import Document, Provenance
from malmoi.survey import Rows, Surveyed

NOTICE = "이 글은 {year}년 3월 {day}일에 작성되었습니다."
ABOUT = "샛별도서관은 마을 사람들이 스무 해 동안 모은 책으로 문을 연 도서관으로, 누구나 와서 책을 읽고 빌려 갈 수 있다."
PLACES = ("가람", "나루", "다솔", "마루", "바름", "새솔", "아라", "한울", "해든", "누리")


def body(number: int) -> str:
    one, other = PLACES[number % 10], PLACES[number // 10 % 10]
    return (
        f"{one}마을 {number}호 이야기\n\n"
        f"{one}마을에서 {other}마을로 가는 길에는 돌다리가 {number + 2}개 있고, 날마다 {number * 3 + 5}명이 지난다.\n\n"
        f"올해 {other}마을의 논에서는 벼를 {number * 7 + 11}섬 거두었고, {number + 1}섬을 씨앗으로 남겨 두었다.\n\n"
        f"어른들은 {one}에 눈이 많이 온 해에는 {other}의 우물도 깊어져 {number + 3}집이 물을 나누어 쓴다고 말한다."
    )


def document(
    number: int, *extra: str, host: str = "village.example", title: str = "", id: str = "", fetched: str = ""
) -> Document:
    head, *rest = body(number).split("\n\n")
    text = "\n\n".join([head, *extra, *rest])
    url = f"https://{host}/{number}" if host else ""
    return Document(id or f"s/{host}/{number}", text, Provenance("s", url, "", fetched, ""), title=title)


def shards_of(docs: Sequence[Document], folder: Path, cut: int = 1) -> list[Surveyed]:
    """The documents in `cut` shards, with a sketch of each."""
    shards = []
    for at in range(cut):
        sketch = folder / f"sketch-{cut}-{at}" / "sketch.parquet"
        sketch.parent.mkdir(parents=True, exist_ok=True)
        rows = [SURVEY.sketch(doc) for doc in docs[at::cut]]
        pq.write_table(pa.Table.from_pylist(rows, schema=SURVEY.schema), sketch)
        shards.append(Surveyed(sketch.with_name("documents.parquet"), sketch))
    return shards


def rows_in(files: Iterable[Path]) -> Rows:
    return {row["id"]: row for path in files for row in pq.read_table(path).to_pylist()}


def surveyed(docs: Sequence[Document], folder: Path, cut: int = 1, **params: Any) -> Rows:
    return rows_in(SURVEY.carrier(shards_of(docs, folder, cut), (), folder / "found", map, **params))


def mended(doc: Document, rows: Rows, **params: Any) -> str:
    return apply_edits(doc, mend(doc, survey=rows, **params)).text
