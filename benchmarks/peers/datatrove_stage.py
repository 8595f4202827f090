"""One stage of datatrove with FineWeb2's Korean thresholds: `python datatrove_stage.py STAGE INPUT OUTPUT`.

It runs in the environment of `datatrove.txt` and uses datatrove's own classes and its own Korean
tokeniser. A stage is a process, because datatrove cannot pickle Kiwi. Values are those of FineWeb2's
`configs/kor_Hang.yml`, fixed parts and the order of filters those of its `fineweb-2-pipeline.py`
(huggingface/fineweb-2). Left out, so that the peer does less work than FineWeb2 did: language
identification (the model of GlotLID has to be downloaded), blocked addresses, finding and removing
near-duplicates once their signatures are written, ftfy, e-mail and IP addresses.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

LANGUAGE = "kor_Hang"  # chooses datatrove's KiwiTokenizer
TIMEOUT = 20  # seconds a page; with datatrove's default of 1 a busy machine loses pages

REPETITION = {
    "dup_line_frac": 0.374,
    "top_n_grams": ((2, 0.282), (3, 0.228), (4, 0.185)),
    "dup_n_grams": ((5, 0.201), (6, 0.184), (7, 0.168), (8, 0.154), (9, 0.14), (10, 0.127)),
    "dup_para_frac": 0,  # fixed for every language; 0 is off
    "dup_line_char_frac": 0,
    "dup_para_char_frac": 0,
}
LINES = {
    "line_punct_thr": 0.062,
    "new_line_ratio": 0.196,
    "short_line_thr": 999,  # fixed for every language; no share is above it
    "char_duplicates_ratio": 0.1,
}
WORDS = {
    "min_avg_word_length": 1,
    "max_avg_word_length": 6,
    "max_non_alpha_words_ratio": 0.791,
    "stop_words": "의 다 이 는 에 을 한 년 하 은 를 했 고 에서 가 있 으로 인 월 로 되".split(),
    "min_stop_words": 2,
}


def extract(archive: str, out: str) -> None:
    """Pages of a WARC → texts, by Trafilatura set for precision."""
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.readers import WarcReader
    from datatrove.pipeline.writers import JsonlWriter

    path = Path(archive)
    reader = WarcReader(str(path.parent), glob_pattern=path.name)
    _run(out, reader, Trafilatura(favour_precision=True, timeout=TIMEOUT), JsonlWriter(f"{out}/text"))


def quality(folder: str, out: str) -> None:
    """Texts → texts that pass three filters; what is dropped is written too, as FineWeb2 does."""
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    rules = (GopherRepetitionFilter, REPETITION), (FineWebQualityFilter, LINES), (GopherQualityFilter, WORDS)
    filters = [
        one(**values, language=LANGUAGE, exclusion_writer=JsonlWriter(f"{out}/dropped/{one.__name__}"))
        for one, values in rules
    ]
    _run(out, JsonlReader(f"{folder}/text"), *filters, JsonlWriter(f"{out}/text"))


def sign(folder: str, out: str) -> None:
    """Texts → Parquet, and their MinHash signatures: 14 bands of 8 hashes of 5-grams."""
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.hashing import HashConfig

    hashes = HashConfig(precision=64, hash_fc="xxhash")
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=hashes)
    signature = MinhashDedupSignature(f"{out}/signatures", config=config, language=LANGUAGE)
    _run(out, JsonlReader(f"{folder}/text"), ParquetWriter(f"{out}/text"), signature)


def _run(out: str, *steps: Any) -> None:
    from datatrove.executor import LocalPipelineExecutor

    LocalPipelineExecutor(list(steps), tasks=1, workers=1, logging_dir=f"{out}/logs").run()


if __name__ == "__main__":
    {"extract": extract, "quality": quality, "sign": sign}[sys.argv[1]](sys.argv[2], sys.argv[3])
