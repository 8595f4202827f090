"""A workspace whose documents wait for a review: captures of pages, and the shard of the rights filter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from malmoi.apply import Dropped
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow, record_id
from malmoi.document import Document, LicenceEvidence, Provenance, Signal, Verdict
from malmoi.ledger import Ledger
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER

FETCHED = "2026-11-24T09:00:00Z"
SENTENCE = "이 저작물은 공공누리 제1유형에 따라 이용할 수 있습니다"
PAGE = """<!doctype html><html lang="ko"><head><title>{title}</title></head><body><nav>처음 | 소식 | 자료실</nav>
<main><h1>{title}</h1>{paragraphs}<p class="notice">{mark}</p></main><footer>{place}</footer></body></html>"""
PLACES = ("하늘도서관", "바람시청", "물결박물관", "새벽마을")
TOPICS = ("작은 음악회", "겨울 도서 전시", "골목 청소의 날", "시장 이야기", "숲길 안내", "물길 지도", "옛 다리 기록")
PROSE = (
    "이 자료는 지난 계절에 열린 행사를 기록한 것으로, 준비한 사람과 찾아온 사람의 말을 함께 실었다.",
    "행사는 아침 열 시에 시작하여 해가 질 무렵에 끝났으며, 비가 올 때에는 강당에서 이어졌다.",
    "다음 모임의 날짜와 장소는 정해지는 대로 이 게시판에 알리고, 신청은 누구나 할 수 있다.",
    "문의는 자료실에서 받으며, 고칠 곳을 발견하면 알려 주기 바란다.",
)


@dataclass(frozen=True)
class Waiting:
    """One document of the queue and the page that it comes from."""

    source: str
    number: int
    licence: str = "LicenseRef-KOGL-1"
    kind: str = "sentence"
    place: str = "main > p.notice"
    quote: str = SENTENCE
    title: str = ""
    body: str | None = None  # of the page; "" leaves the record out
    url: str = ""
    signals: tuple[Signal, ...] = ()


def sentences(source: str, count: int) -> list[Waiting]:
    """Documents of one shape: a sentence that names a licence."""
    return [Waiting(source, number) for number in range(1, count + 1)]


def make_workspace(root: Path, waiting: Iterable[Waiting]) -> Workspace:
    """Write a workspace with these documents, all dropped by the rights filter as `needs-review`."""
    home = Workspace.open(root)
    sources: dict[str, list[Waiting]] = {}
    for one in waiting:
        sources.setdefault(one.source, []).append(one)
    for source, ours in sources.items():
        pages = root.parent / "pages" / source
        pages.mkdir(parents=True, exist_ok=True)
        rows, drops = [], []
        for one in ours:
            drop, row = _make(pages, one)
            drops.append(drop)
            rows += [row] if row else []
        run = home.captures(source) / "0001"
        run.mkdir(parents=True)
        collection.finish(run, rows, {"source": source})
        write_shard(home, source, drops)
    return home


def write_shard(home: Workspace, place: str, drops: list[Dropped], version: int = 0) -> None:
    """Write the shard of a source: nothing kept, `drops` dropped."""
    folder = home.stage("3-clean", f"{hashlib.sha256(place.encode()).hexdigest()[:8]}-00000000-{version:08x}")
    folder.mkdir(parents=True)
    files = (
        shard.write(shard.to_table([]), folder / "documents.parquet"),
        shard.write(shard.to_dropped_table(drops), folder / "dropped.parquet"),
    )
    counts = {place: len(drops)}
    ledger = Ledger("3-clean", folder.name, counts, {}, {(place, "rights", "needs-review"): len(drops)}, files=files)
    (folder / LEDGER).write_text(ledger.to_json(), encoding="utf-8")


def _make(pages: Path, one: Waiting) -> tuple[Dropped, IndexRow | None]:
    title = one.title or f"{PLACES[one.number % len(PLACES)]} {TOPICS[one.number % len(TOPICS)]} {one.number}"
    text = "\n\n".join(PROSE[(one.number + at) % len(PROSE)] for at in range(4))
    body = one.body
    if body is None:
        paragraphs = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
        mark = f"{one.quote}. 단, 사진은 제외합니다."
        body = PAGE.format(title=title, paragraphs=paragraphs, mark=mark, place=PLACES[one.number % len(PLACES)])
    url = one.url or f"https://{one.source}.example/board/{1 + one.number % 3}/view?no={one.number}"
    digest = hashlib.sha256(body.encode()).hexdigest()
    record = record_id(url, digest)
    path = pages / f"{one.number}.html"
    path.write_text(body, encoding="utf-8")
    row = IndexRow(
        record, url, FETCHED, 200, "text/html; charset=utf-8", digest, str(path), 0, len(body.encode()), "file"
    )
    evidence = LicenceEvidence(one.licence, one.kind, "item", one.quote[:300], one.place, record)
    origin = Provenance(one.source, url, record, FETCHED, digest, "html", "utf-8")
    doc = Document(f"{one.source}/{one.number}", text, origin, title=title, evidence=(evidence,), signals=one.signals)
    return Dropped(doc, "rights", Verdict("drop", "needs-review")), row if body else None


def read_lines(home: Workspace) -> list[dict[str, str]]:
    """Return the lines of the file of decisions."""
    text = home.reviews.read_text(encoding="utf-8") if home.reviews.exists() else ""
    return [json.loads(line) for line in text.splitlines()]
