"""What a megabyte of hostile text costs: `python -m benchmarks.hostile [--floor] [RECIPE]`.

Every filter of a recipe (default: general), every sketch of its surveys and the corridor as a whole, on texts
of a million characters that nobody writes. The filters are called one after the other and none of them drops,
so that each meets each text. A process of its own does the work; it is ended where a call takes over GIVE_UP.
"""

from __future__ import annotations

import io
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from multiprocessing.connection import Connection

from rich.console import Console
from rich.table import Table

from filters import morphology
from flows import run as runs
from malmoi import recipe as recipes
from malmoi.apply import Bound, apply, walk
from malmoi.document import Document, LicenceEvidence, Provenance
from malmoi.recipe import Recipe
from malmoi.storage import shard

SIZE = 1_000_000  # code points of each text
LIMIT = 2.0  # CPU seconds a megabyte (10^6 bytes of UTF-8); issue 4: no input takes more
GIVE_UP = 120.0  # seconds on the wall of one call
WHOLE = "the corridor"
out = Console(highlight=False)

_PROSE = (
    "그해 {}월에는 비가 자주 내려서 마을 사람들이 논둑을 살피러 다녔다.",
    "할머니는 {}번째 서랍에서 낡은 편지를 꺼내 조용히 읽어 주셨다.",
    "우리가 기차를 놓친 까닭은 역 앞의 시계가 {}분이나 늦었기 때문이다.",
    "새로 지은 도서관에는 책이 {}권쯤 있고, 아이들은 창가 자리를 좋아한다.",
    "장마가 끝나자 시장 골목에 다시 생선 굽는 냄새가 퍼지기 시작했다({}호).",
    "그는 {}년 동안 같은 공방에서 그릇을 빚었지만 늘 처음 배우는 사람 같았다.",
)


def _cycled(parts: Iterator[str]) -> str:
    """A text of SIZE code points from as many parts as it needs."""
    made = io.StringIO()
    while made.tell() < SIZE:
        made.write("".join(islice(parts, 1000)))
    return made.getvalue()[:SIZE]


def _word(number: int) -> str:
    """A Hangul word of its own for each number below 11172²."""
    high, low = divmod(number * 7919 % 11172**2, 11172)
    return chr(0xAC00 + high) + chr(0xAC00 + low)


def texts() -> dict[str, Callable[[], str]]:
    """Name → the hostile text, made when it is asked for."""
    return {
        "no spaces": lambda: _cycled(map(_word, count())),
        "one syllable": lambda: "가" * SIZE,
        "jamo": lambda: _cycled(chr(0x1100 + n * 7 % 19) + chr(0x1161 + n * 5 % 21) for n in count()),
        "ㅋ": lambda: "ㅋ" * SIZE,
        "line breaks": lambda: "\n" * SIZE,
        "short lines": lambda: _cycled(f"{_word(n)}\n" for n in count()),
        "words": lambda: _cycled(f"{_word(n)} " for n in count()),
        "digits": lambda: _cycled(str(n % 10) for n in count()),
        "grouped digits": lambda: _cycled(f"{n * 7919 % 10000:04d}-" for n in count()),
        "emoji": lambda: _cycled(chr(0x1F300 + n * 31 % 500) for n in count()),
        "hanja": lambda: _cycled(chr(0x4E00 + n * 97 % 20000) for n in count()),
        "brackets": lambda: "([{〈" * (SIZE // 4),
        "back-ticks": lambda: "`" * SIZE,
        "fences": lambda: _cycled("`" * (3 + n % 40) + "\n" for n in count()),
        "<": lambda: "<" * SIZE,
        "combining marks": lambda: "가" + "\u0301\u0323" * (SIZE // 2),
        "addresses": lambda: _cycled(f"https://a{n}.example/{n}?q={n} " for n in count()),
        "one address": lambda: "https://a.example/" + "a." * (SIZE // 2),
        "@": lambda: _cycled(f"a{n}@" for n in count()),
        "spaces": lambda: " " * SIZE,
        "Latin": lambda: _cycled(f"w{n} " for n in count()),
        "prose": lambda: _cycled(_PROSE[n % len(_PROSE)].format(n % 1000) + " \n"[n % 7 == 0] for n in count()),
    }


def document(text: str) -> Document:
    """A document whose rights are clear, with this text."""
    proof = LicenceEvidence("CC0-1.0", "rel-license", "item", "CC0", "head", "r")
    return Document("hostile/1", text, Provenance("hostile", "https://a.example/1", "r", "", ""), evidence=(proof,))


def bound(recipe: Recipe) -> list[tuple[str, Callable[[Document], object], Bound | None]]:
    """Every call that is timed, in order: (name, call, the filter whose finding is then applied)."""
    made: list[tuple[str, Callable[[Document], object], Bound | None]] = []
    for name, steps in recipe.steps:
        surveys = recipes.surveys(steps)
        made += [(f"survey of {survey.name}", survey.sketch, None) for survey, _ in surveys if survey.stage == name]
        made += [(one.name, one.call, one) for one in recipes.bind(steps, {survey.name: {} for survey, _ in surveys})]
    return made


def measured(recipe: Recipe, text: str) -> Iterator[tuple[str, float]]:
    """CPU seconds of each call on `text`, a filter with its `apply`; of the way to Arrow and back; of the corridor."""
    doc = start = document(text)
    calls = bound(recipe)
    for name, call, filter in calls:
        began = time.process_time()
        finding = call(doc)
        if filter is not None:
            doc = apply(doc, filter.name, filter.verb, finding)  # type: ignore[arg-type]
        yield name, time.process_time() - began
    began = time.process_time()
    list(shard.to_documents(shard.unpack_table(shard.pack_table(shard.to_table([doc])))))
    yield "to Arrow and back", time.process_time() - began
    began = time.process_time()
    walk(start, [filter for _, _, filter in calls if filter is not None])
    yield WHOLE, time.process_time() - began


def _report(pipe: Connection, recipe: Recipe, name: str) -> None:
    for one in measured(recipe, texts()[name]()):
        pipe.send(one)
    pipe.close()


def seconds(recipe: Recipe, name: str) -> Iterator[tuple[str, float]]:
    """What `measured` finds, from a process of its own; the last is infinite where it was ended or died."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(theirs, recipe, name))
    process.start()
    theirs.close()
    names = iter([*(call for call, _, _ in bound(recipe)), "to Arrow and back", WHOLE])
    try:
        for waited in names:
            if not ours.poll(GIVE_UP):
                yield waited, float("inf")
                return
            yield ours.recv()
    except EOFError:
        yield waited, float("inf")
    finally:
        process.kill()
        process.join()


def main(arguments: list[str]) -> int:
    """Print the table; with --floor 1 where a call took longer than LIMIT."""
    floor = "--floor" in arguments
    recipe = runs.recipe_of(next((a for a in arguments if not a.startswith("--")), "general"))
    morphology.load()
    for _ in measured(recipe, "\n".join(_PROSE)):  # what is loaded with the first document is no part of a text
        pass
    over = []
    table = Table("text", "MB", WHOLE, "dearest calls, CPU seconds a megabyte")
    for name, text in texts().items():
        size = len(text().encode()) / 1e6
        found = [(call, taken / size) for call, taken in seconds(recipe, name)]
        over += [f"{call} on {name}: {_shown(taken)} s/MB" for call, taken in found if taken > LIMIT]
        dearest = sorted((one for one in found if one[0] != WHOLE), key=lambda one: -one[1])[:4]
        listed = ", ".join(f"{call} {_shown(taken)}" for call, taken in dearest)
        table.add_row(name, f"{size:.1f}", _shown(dict(found).get(WHOLE)), listed)
    out.print(table)
    for line in over:
        out.print(f"over {LIMIT} s/MB: {line}", markup=False)
    return 1 if floor and over else 0


def _shown(taken: float | None) -> str:
    return "–" if taken is None else "given up" if taken == float("inf") else f"{taken:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
