"""`python -m benchmarks.kiwi WORKSPACE`: the speed of `morphology` beside bare `Kiwi.tokenize`, and odd texts.

The texts are those that 4-judged of a finished run kept, by source. Bare Kiwi has the same options and the same prose
(fenced code left out), whole text by whole text; both take turns on each text, so that a busy machine slows both. CPU
of this process.
"""

from __future__ import annotations

import base64
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from filters import morphology
from filters.korean.text_views import remove_fences
from malmoi.document import Document, Morphemes, Provenance
from malmoi.storage import shard

MOST_CHARS = 300_000  # code points of each source, the first documents that hold as many: a minute of CPU in all
ODD_CHARS = 1_000_000
T = TypeVar("T")
out = Console(highlight=False)


def main(arguments: list[str]) -> int:
    """Print both tables; the first one needs a workspace."""
    morphology.load()
    found = sorted(Path(arguments[0]).glob("4-judged/*/documents.parquet")) if arguments else []
    if not found:
        print("benchmarks: name a workspace with a finished run (4-judged/*/documents.parquet).", file=sys.stderr)
        return 2
    texts: dict[str, list[str]] = defaultdict(list)
    for path in found:
        table = shard.read(path, ["source", "text"])
        for source, text in zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True):
            texts[source].append(text)
    out.print(_speed(texts))
    out.print(_odd())
    return 0


def _speed(texts: dict[str, list[str]]) -> Table:
    table = Table(
        *("source", "texts", "kchar", "bare s", "ours s", "ours / bare speed", "morphemes/s", "s/MB"),
        title="morphology beside Kiwi.tokenize",
    )
    whole = [0.0, 0.0]
    for source, every in sorted(texts.items()):
        sizes = accumulate(map(len, every), initial=0)
        chosen = [text for text, done in zip(every, sizes, strict=False) if done < MOST_CHARS]
        bare = ours = 0.0
        morphemes = 0
        for text in chosen:
            prose = remove_fences(text).encode("utf-8", "replace").decode()
            bare += _cpu(_bare, prose)[0]
            spent, found = _cpu(_ours, text)
            ours, morphemes = ours + spent, morphemes + len(found)
        size = sum(len(t.encode("utf-8", "replace")) for t in chosen)
        whole = [whole[0] + bare, whole[1] + ours]
        table.add_row(
            source,
            f"{len(chosen):,}",
            f"{sum(map(len, chosen)) / 1000:,.0f}",
            f"{bare:.2f}",
            f"{ours:.2f}",
            f"{bare / ours:.3f}",
            f"{morphemes / ours:,.0f}",
            f"{ours / size * 1e6:.2f}",
        )
    table.add_row("all", "", "", f"{whole[0]:.2f}", f"{whole[1]:.2f}", f"{whole[0] / whole[1]:.3f}", "", "")
    return table


def _cpu(call: Callable[[str], T], text: str) -> tuple[float, T]:
    start = time.process_time()
    found = call(text)
    return time.process_time() - start, found


def _odd() -> Table:
    table = Table("text", "MB", "CPU s", "s/MB", "morphemes", title=f"{ODD_CHARS:,} code points that are no prose")
    for name, text in odd_texts(ODD_CHARS):
        spent, found = _cpu(_ours, text)
        size = len(text.encode()) / 1e6
        table.add_row(name, f"{size:.1f}", f"{spent:.2f}", f"{spent / size:.2f}", f"{len(found):,}")
    return table


def odd_texts(size: int) -> Iterator[tuple[str, str]]:
    """(what it is, a text of `size` code points): each has cost or might cost an analyser dearly."""
    pick = random.Random(4)
    words = "나무 하늘 사람 바다 이야기 하고 있었다 에서는 그러나 반도체 공정 으로 만들었다고 생각 합니다".split()
    yield "one letter", "a" * size
    yield "letters", "".join(pick.choices("abcdefghijklmnopqrstuvwxyz", k=size))
    yield "base64", base64.b64encode(pick.randbytes(size)).decode()[:size]
    yield "one digit", "1" * size
    yield "digits and commas", "1," * (size // 2)
    yield "ㅋ", "ㅋ" * size
    yield "jamo", "".join(pick.choices("ㄱㄴㄷㄹㅁㅂㅅㅏㅑㅓㅕㅗ", k=size))
    yield "one syllable", "가" * size
    yield "words without blanks", "".join(pick.choices(words, k=size // 2))[:size]
    yield "syllables without blanks", "".join(chr(pick.randrange(0xAC00, 0xD7A4)) for _ in range(size))
    yield "이다 without blanks", "이다" * (size // 2)
    yield "the same with blanks", "이 다 " * (size // 4)
    yield "것 을 것 을", "것 을 " * (size // 4)
    yield "emoji", "😀" * size
    yield "straight quotes", '"' * size
    yield "quotes with blanks", '" ' * (size // 2)
    yield "brackets", "(" * (size // 2) + ")" * (size // 2)
    yield "full stops", "." * size
    yield "ㅋㅋ. with blanks", "ㅋㅋ. " * (size // 4)
    yield "emoji with blanks", "😀 " * (size // 2)
    yield "brackets with blanks", "다. (가) [1] " * (size // 11)
    yield "hanja", "".join(chr(pick.randrange(0x4E00, 0x9FA0)) for _ in range(size))
    yield "line breaks", "\n" * size
    yield "a syllable a line", "가\n" * (size // 2)
    yield "blanks", " " * size
    yield "words with blanks", " ".join(pick.choices(words, k=size // 3))[:size]


def _bare(text: str) -> int:
    return len(morphology.load().tokenize(text))  # the tokens are let go here: that is part of their cost


def _ours(text: str) -> Morphemes:
    return morphology.mark(Document("benchmark/1", text, Provenance("benchmark", "", "", "", "")))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
