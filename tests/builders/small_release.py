"""A small release made by hand: documents as filters leave them, in finished stage shards."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import data_cards
from filters.duplicates.index_lookup import sketch_texts
from malmoi.apply import Dropped
from malmoi.document import Document, LicenceEvidence, Morphemes, Note, Provenance, Signal, Verdict
from malmoi.ledger import Failure, Ledger
from malmoi.releases.partitioning import COPIES
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs, SourceFacts
from malmoi.releases.verification.sha256sums import seal
from malmoi.storage import shard

TEMPLATE = "{publisher}, {title}, {url}"
SOURCES = (
    SourceFacts(
        "ga", "가나 소식", "가나부", "Site", ("LicenseRef-KOGL-1",), "news", attribution="{publisher}, {title}, {url}"
    ),
    SourceFacts("na", "나라 백과", "나라회", "Dump", ("CC-BY-SA-4.0",), "encyclopedia", "semiconductor"),
)
FETCHED = "2026-11-20T00:00:00Z"
LICENCES = {"ga": "LicenseRef-KOGL-1", "na": "CC-BY-SA-4.0"}
COPIED = (
    ("ga/101", "ga/1", "near", 0.875, "estimated", "date", ""),
    ("ga/105", "ga/101", "exact", 1.0, "exact", "id", ""),
    ("ga/106", "na/3", "near", 0.8125, "exact", "completeness", ""),
    ("na/104", "na/900", "near", 0.953125, "estimated", "earlier-release", "sample/0.9.0"),
)  # rows of the table of copies
SAID = {"ga": "LicenseRef-KOGL-1", "na": "CC-BY-SA-4.0 OR GFDL-1.3-or-later"}  # as it stands on the page
WORDS = {
    "LicenseRef-KOGL-1": ("kogl-block", "이 글은 공공누리 제1유형 조건에 따라 이용할 수 있습니다."),
    "LicenseRef-KOGL-4": ("kogl-block", "이 글은 공공누리 제4유형 조건에 따라 이용할 수 있습니다."),
    "LicenseRef-KOGL-AI": ("kogl-block", "img_opentype_ai.png 공공누리 AI유형"),
    SAID["na"]: ("rel-license", "https://creativecommons.org/licenses/by-sa/4.0/ 이용허락"),
}  # licence → kind of evidence and quote


def document(source: str, number: int, *, use: str = "redistribute") -> Document:
    """Document `number` of a source, as it leaves the last stage."""
    record = f"urn:uuid:{source}-{number}"
    text = f"{source}의 {number}번째 글이다. " * (1 + number % 7) + "전화는 [전화번호1]이다."
    end = text.index(".") + 1
    trained = use == "train-only"
    licence = "LicenseRef-KOGL-4-AI" if trained else LICENCES[source]
    said = ("LicenseRef-KOGL-4", "LicenseRef-KOGL-AI") if trained else (SAID[source],)
    evidence = tuple(
        LicenceEvidence(one, kind, "item", quote, "footer", record) for one in said for kind, quote in (WORDS[one],)
    )
    redacted = (Note("redact", "mend", "1", "pii:phone", 1.0),) if number % 3 == 0 else ()
    return Document(
        id=f"{source}/{number}",
        text=text,
        provenance=Provenance(
            source, f"https://{source}.example.kr/{number}", record, "2026-11-20T00:00:00Z", "ab" * 32
        ),
        title=f"글 {number}",
        date=f"20{10 + number % 9}-01-02" if number % 5 else "",
        evidence=evidence,
        signals=(Signal("noai", "note", "noai", "meta", record),) if number % 4 == 0 else (),
        labels=(
            ("language", "ko"),
            ("licence", licence),
            ("use", use),
            ("benchmarks", "" if number % 6 else "klue-mrc"),
        ),
        measures=(("hangul_share", 0.75 + number % 4 / 16), ("quality", number % 8 / 8)),
        morphemes=Morphemes(
            array("I", [0, 2]), array("H", [2, 1]), ("SL", "JKG"), (source, "의"), array("I", [0]), array("I", [end])
        ),
        trail=(Note("language", "judge", "keep", "korean", 0.9, 0.5), *redacted),
    )


def documents(n: int = 24) -> list[Document]:
    """`n` documents of two sources and two licences; one in eight may be used for training only."""
    return [
        document("ga" if i % 3 else "na", i, use="redistribute" if i % 8 else "train-only") for i in range(1, n + 1)
    ]


def stage(
    folder: Path, name: str, kept: Sequence[Document], drops: Sequence[Dropped], failed: tuple[Failure, ...] = ()
) -> Path:
    """A finished stage shard with its ledger."""
    folder.mkdir(parents=True)
    files = (
        shard.write(shard.to_table(kept), folder / "documents.parquet"),
        shard.write(shard.to_dropped_table(drops), folder / "dropped.parquet"),
    )
    stayed = Counter(d.provenance.source for d in kept)
    went = Counter((d.document.provenance.source, d.by, d.verdict.reason) for d in drops)
    entered = stayed + Counter(d.document.provenance.source for d in drops) + Counter(f.source for f in failed)
    redacted = Counter[tuple[str, str, str]]()
    for source, note in ((d.provenance.source, note) for d in kept for note in d.trail if note.verb == "mend"):
        redacted[source, note.by, note.reason] += int(note.outcome)
    edits = redacted if name == "5-curated" else None
    ledger = Ledger(name, folder.name, entered, stayed, went, failed, edits, files)
    (folder / "ledger.json").write_text(ledger.to_json(), encoding="utf-8")
    return folder


def dropped(source: str, number: int, by: str, reason: str, measured: float = 12.0, limit: float = 200.0) -> Dropped:
    """A document that filter `by` dropped; it had asked not to be used for training."""
    optout = Signal("tdm-reservation", "opt-out", "1", "header", f"urn:uuid:{source}-{number}")
    return Dropped(replace(document(source, number), signals=(optout,)), by, Verdict("drop", reason, measured, limit))


def _copy(id: str, keeper: str, kind: str, similarity: float, measured: str, reason: str, release: str) -> Dropped:
    source, _, number = id.partition("/")
    return dropped(source, int(number), f"{kind}_duplicates", f"{kind}-copy", similarity, 0.8)


def inputs(root: Path, docs: Sequence[Document], *, cuts: int = 2, flip: bool = False, shards: int = 2) -> Inputs:
    """Finished stages that end in `docs`, cut into `cuts` shards; `flip` turns every order around."""
    docs = list(reversed(docs)) if flip else list(docs)
    parts = [docs[i::cuts] for i in range(cuts)]
    copies = [_copy(*row) for row in COPIED]
    leaked = dropped("ga", 108, "benchmark_overlap", "overlap-klue-ynat", 0.9, 0.5)
    fallen = dropped("na", 107, "quality", "low-quality", 0.1, 0.2)
    short, dead = dropped("na", 102, "length", "too-short"), Failure("ga/103", "ga", "cpu-limit")
    lost = document("ga", 103)
    stages = []
    coming = [d.document for d in (*copies, leaked, fallen)]
    for name, drops, failed, later in (
        ("2-documents", [], (), [short.document, *coming, lost]),
        ("3-clean", [short], (dead,), coming),
        ("4-judged", [*copies, leaked], (), [fallen.document]),
        ("5-curated", [fallen], (), []),
    ):
        made = []
        for i, part in enumerate(parts):
            first = i == 0
            folder = root / name / f"shard{9 - i if flip else i}"
            kept = [*part, *later] if first else part
            made.append(stage(folder, name, kept, drops if first else [], failed if first else ()))
        stages.append((name, tuple(reversed(made)) if flip else tuple(made)))
    clusters = root / "clusters.parquet"
    pq.write_table(pa.table([list(c) for c in zip(*COPIED, strict=True)], schema=COPIES), clusters)
    return Inputs(
        name="sample",
        version="1.0.0",
        purpose="A release for tests.",
        recipe_name="general",
        recipe_digest="cd" * 32,
        shards=shards,
        shard_bytes=1,
        stages=tuple(stages),
        filters=(("personal_data", 3), ("redact", 1)),
        clusters=(clusters,),
        sources=SOURCES,
        software=(("pyarrow", pa.__version__),),
        fetched_until=FETCHED,
    )


def sealed(root: Path) -> Path:
    """A finished release below `root`, with card and sums."""
    (root / "tmp").mkdir()
    publish(inputs(root / "in", documents()), root / "release", tmp=root / "tmp", sketch=sketch_texts)
    data_cards.write(root / "release")
    seal(root / "release")
    return root / "release"
