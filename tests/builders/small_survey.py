"""Small corpora of copies, cut into shards, and the survey over them in any size of work."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.duplicate_survey import SURVEY, Size, find
from malmoi.document import Document, Provenance
from malmoi.releases.partitioning import h
from malmoi.storage import shard
from malmoi.survey import Segment, Surveyed

ONE = Size()  # one group and one partition
FILES = Size(group=40, partition=100, members=40)  # many groups and partitions, each of a few rows

_SUBJECTS = "도서관 시장 공방 연구소 학교 병원 농가 극장 항구 박물관 공장 마을 신문사 우체국 역 식물원".split()
_OBJECTS = (
    "기록을 지도를 장비를 씨앗을 원고를 도자기를 회로를 설명서를 사진을 악보를 표본을 목록을 일정을 자료를".split()
)
_VERBS = [
    "새로 만들었다.",
    "천천히 고쳤다.",
    "이웃과 나누었다.",
    "다시 살펴보았다.",
    "밖으로 옮겼다.",
    "자세히 적었다.",
]
_WHEN = "지난봄에 어제 새벽부터 올해 처음으로 장마가 끝난 뒤 저녁마다 회의를 마치고 아무도 모르게".split()


def prose(seed: object, sentences: int = 30) -> str:
    """A text of its own for each seed; texts of two seeds share next to nothing but words."""
    dice = random.Random(str(seed))
    lines = []
    for _ in range(sentences):
        words = [dice.choice(part) for part in (_WHEN, _SUBJECTS, _OBJECTS, _VERBS)]
        lines.append(f"{words[0]} {words[1]}에서 {dice.randrange(10**6)}번째 {words[2]} {words[3]}")
    return "\n".join(lines)


def changed(text: str, share: float, seed: object = 0) -> str:
    """The text with about this share of its sentences replaced."""
    dice = random.Random(f"{seed}/{share}")
    lines = text.split("\n")
    return "\n".join(prose((seed, i), 1) if dice.random() < share else line for i, line in enumerate(lines))


def document(id_: str, text: str, **fields: object) -> Document:
    """A document of the source that its id names."""
    return Document(id_, text, Provenance(id_.partition("/")[0], "", "", "", ""), **fields)  # type: ignore[arg-type]


def corpus(seed: int = 1, texts: int = 60) -> list[Document]:
    """Texts of their own, and for most of them exact copies, near ones and distant relatives."""
    dice = random.Random(seed)
    docs = []
    for i in range(texts):
        text = prose((seed, i), dice.randrange(4, 40))
        docs.append(document(f"a/{i}", text, date=dice.choice(["", "2020-03-01", "2021-05-05"]), title="글"))
        for j in range(dice.randrange(4)):
            share = dice.choice([0, 0, 0.02, 0.05, 0.1, 0.15, 0.3])
            use = dice.choice(["redistribute", "train-only"])
            labels = (("use", use),)
            docs.append(document(f"{'abc'[j]}/{i}-{j}", changed(text, share, (i, j)), labels=labels))
    dice.shuffle(docs)
    return docs


def shards(docs: Sequence[Document], folder: Path, each: int) -> list[Surveyed]:
    """Write the documents, `each` to a shard, with their sketches."""
    found = []
    for number, at in enumerate(range(0, max(1, len(docs)), each)):
        some = docs[at : at + each]
        here = Surveyed(folder / f"{number:03d}" / "documents.parquet", folder / f"{number:03d}" / "sketch.parquet")
        here.sketch.parent.mkdir(parents=True)
        shard.write(shard.to_table(some), here.documents, row_group_rows=7)
        rows = pa.Table.from_pylist([dict(SURVEY.sketch(doc)) for doc in some], schema=SURVEY.schema)
        shard.write(rows, here.sketch, row_group_rows=7)
        found.append(here)
    return found


def segment(
    docs: Sequence[Document], folder: Path, release: str, version: str, masked: tuple[str, ...] = ()
) -> Segment:
    """What a release of these documents leaves."""
    folder.mkdir(parents=True)
    docs = sorted(docs, key=lambda doc: (h(doc.id), doc.id))
    sketches = pa.Table.from_pylist([dict(SURVEY.sketch(doc)) for doc in docs], schema=SURVEY.schema)
    for name, values in (
        ("source", [doc.provenance.source for doc in docs]),
        ("release", [release] * len(docs)),
        ("version", [version] * len(docs)),
    ):
        sketches = sketches.append_column(name, pa.array(values, pa.string()))
    pq.write_table(sketches, folder / "documents.parquet", row_group_size=8)
    return Segment(folder, masked)


def survey(
    found: Sequence[Surveyed],
    folder: Path,
    size: Size = ONE,
    segments: Sequence[Segment] = (),
    threads: int = 1,
    threshold: float = 0.8,
) -> list[Path]:
    """Run the survey; the files with the rows about each shard."""
    with ThreadPoolExecutor(threads) as pool:
        return find(found, segments, folder, pool.map, threshold, size=size)


def rows(folder: Path) -> dict[str, dict]:
    """The table, by id."""
    return {row["id"]: row for row in pq.read_table(folder / "table.parquet").to_pylist()}
