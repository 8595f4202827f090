"""How well and how fast personal data is found, beside others: `python -m benchmarks.personal_data [FILE…]`.

FILE holds gold rows (personal_data_score.py); without one it is the set that tunes the rules. All answers
come through `malmoi try pii --jsonl`. Exit status 1 where a bar is missed, 2 where there is nothing to read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.personal_data import personal_data_peers as peers
from benchmarks.personal_data import personal_data_speed as speed
from benchmarks.personal_data.personal_data_score import Failure, Score, Scores, score, worst

TUNE: Final = Path(__file__).parents[2] / "tests" / "data" / "personal_data" / "tune.jsonl"
CONTACTS: Final = ("phone", "email", "messenger")
LOOSE: Final = ("name", "address")  # kinds with a bar of their own
EXTRA: Final = ("birth_date", "vehicle", "postcode")  # quasi-identifiers: reported, without a bar in the issue
out = Console(highlight=False, width=120)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bound of the goals over a group of gold spans: recall at least, leak at most (None: no bound)."""

    name: str
    wanted: Callable[[str, str, str], bool]
    recall: float
    leak: float | None = None


BARS: Final = (
    Bar("identifiers, labelled or canonical",
        lambda k, f, _: k not in (*LOOSE, *EXTRA) and f in ("labelled", "canonical"), 0.995, 0.002),
    Bar("names, linked or labelled", lambda k, f, _: k == "name", 0.95),
    Bar("addresses", lambda k, f, _: k == "address", 0.90),
    Bar("contacts, obfuscated or spelled out", lambda k, f, _: k in CONTACTS and f in ("obfuscated", "spelled"), 0.85),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the files named, print the tables; the exit status says whether the bars are reached."""
    parser = argparse.ArgumentParser(prog="benchmarks.personal_data", description=__doc__)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--corpora", type=Path, help="folder of clean texts: finds per MB, and speed on ordinary text")
    parser.add_argument("--failures", type=Path, metavar="FILE", help="write the worst misses and false finds there")
    parser.add_argument("--each", type=int, default=20, help="how many of each for --failures (default 20)")
    parser.add_argument("--peers", action="store_true", help="run the others too (slow)")
    parser.add_argument("--no-speed", action="store_true", help="leave speed out")
    given = parser.parse_args(arguments)
    try:
        rows = [row for path in given.files or [TUNE] for row in read(path)]
        return _measured(given, rows)
    except (OSError, ValueError, peers.FinderError) as error:
        print(f"benchmarks.personal_data: {error}", file=sys.stderr)
        return 2


def read(path: Path) -> list[Row]:
    """The rows of a gold file; ValueError with the line where one is not a gold row."""
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            row = json.loads(line)
            if not {"id", "text", "spans"} <= row.keys():
                raise ValueError(f"{path}, line {number}: a gold row has id, text and spans.")
            rows.append(row)
    if len({row["id"] for row in rows}) < len(rows):
        raise ValueError(f"{path}: two rows have the same id; answers are told apart by it.")
    return rows


def _measured(given: argparse.Namespace, rows: list[Row]) -> int:
    with tempfile.TemporaryDirectory(prefix="malmoi-pii-") as folder:
        texts = Path(folder) / "texts.jsonl"
        peers.write(rows, texts)
        answers = peers.ours(texts)
        found = score(rows, answers.rows)
        _say(rows)
        out.print(table(found))
        held = [bar_said(bar, found) for bar in BARS]
        if given.peers:
            _beside(rows, texts, found)
        if given.corpora:
            held += _ordinary(given.corpora, Path(folder))
        if not given.no_speed:
            held += _speeds(given.corpora, rows)
    for line, _ in held:
        out.print(line, markup=False)
    if given.failures:
        _write(worst(found.failures, given.each), given.failures)
    return 0 if all(reached for _, reached in held) else 1


def _say(rows: Sequence[Row]) -> None:
    spans = [s for row in rows for s in row["spans"]]
    bare = sum(not row["spans"] for row in rows)
    out.print(f"{len(rows):,} rows, {bare:,} of them without personal data; {len(spans):,} spans")


def table(found: Scores) -> Table:
    """Recall and leak by kind and form, written by hand and from templates apart; F1 and precision by kind."""
    made = Table("kind", "form", "n", "recall", "leak", "n written", "recall written", "leak written", "exact F1",
                 "precision", "false")  # fmt: skip
    for column in made.columns[2:]:
        column.justify = "right"
    for kind in sorted({k for k, _, _ in found.cells}):
        whole = found.total(lambda k, f, h, kind=kind: k == kind)  # type: ignore[misc]
        ours = found.total(lambda k, f, h, kind=kind: k == kind and h == "written")  # type: ignore[misc]
        made.add_row(kind, "all", *_cells(whole), *_cells(ours), _share(whole.f1), _share(whole.precision),
                     str(whole.found - whole.right))  # fmt: skip
        for form in sorted({f for k, f, _ in found.cells if k == kind and f}):
            part = found.total(lambda k, f, h, kind=kind, form=form: (k, f) == (kind, form))  # type: ignore[misc]
            hand = found.total(lambda k, f, h, kind=kind, form=form: (k, f, h) == (kind, form, "written"))  # type: ignore[misc]
            made.add_row("", form, *_cells(part), *_cells(hand))
    total = found.total()
    made.add_section()
    made.add_row("all", "", *_cells(total), *_cells(found.total(lambda k, f, h: h == "written")), _share(total.f1),
                 _share(total.precision), str(total.found - total.right))  # fmt: skip
    return made


def _cells(one: Score) -> tuple[str, str, str]:
    return str(one.gold or "-"), _share(one.recall), _share(one.leak)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def bar_said(bar: Bar, found: Scores) -> tuple[str, bool]:
    """A line that says how a bar stands, and whether it is reached; a group without spans reaches it."""
    one = found.total(bar.wanted)
    if one.recall is None or one.leak is None:
        return f"  --  {bar.name}: no such spans", True
    reached = one.recall >= bar.recall and (bar.leak is None or one.leak <= bar.leak)
    bound = f"recall {one.recall:.4f} (≥ {bar.recall})"
    bound += f", leak {one.leak:.4f}" + (f" (≤ {bar.leak})" if bar.leak is not None else "")
    return f"{_mark(reached)}  {bar.name}, n = {one.gold}: {bound}", reached


def _mark(reached: bool) -> str:
    return "  ok" if reached else "MISS"


def _ordinary(corpora: Path, folder: Path) -> list[tuple[str, bool]]:
    """Finds per MB of clean text, by kind. They hold real addresses too: the bar counts what is no e-mail address."""
    texts = folder / "ordinary.jsonl"
    rows = [{"id": name, "text": text} for name, text in speed.texts(corpora)]
    if not rows:
        raise ValueError(f"{corpora}: no .txt, .md, .mdx, .csv, .json or .jsonl there.")
    peers.write(rows, texts)
    megabytes = sum(len(row["text"].encode("utf-8", "replace")) for row in rows) / 1e6
    counts: dict[str, int] = {}
    for answer in peers.ours(texts).rows.values():
        for one in answer["found"]:
            counts[one["kind"]] = counts.get(one["kind"], 0) + 1
    said = ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items(), key=lambda c: -c[1])) or "nothing"
    out.print(f"{megabytes:.1f} MB of clean text: {said}", markup=False)
    rate = (sum(counts.values()) - counts.get("email", 0)) / megabytes
    return [
        (
            f"{_mark(rate <= 1)}  finds per MB of clean text, e-mail apart, true ones among them: {rate:.2f} (≤ 1)",
            rate <= 1,
        )
    ]


def _speeds(corpora: Path | None, rows: Sequence[Row]) -> list[tuple[str, bool]]:
    dense = [row["text"] for row in rows if row["spans"]]
    samples = [("text full of identifiers", dense, 3.0)]
    if corpora:
        samples.insert(0, ("ordinary text", [text for _, text in speed.texts(corpora)], 20.0))
    held = []
    for name, texts, least in samples:
        inside, alone, door = (
            speed.in_process(texts),
            speed.in_process(texts, together=False),
            speed.through_door(texts),
        )
        reached = inside >= least
        said = (
            f"{inside:.1f} MB/s/core in process (≥ {least:g}), {alone:.1f} one document at a time, "
            f"{door:.1f} through the door with its JSON"
        )
        held.append((f"{_mark(reached)}  {name}: {said}", reached))
    return held


def _beside(rows: Sequence[Row], texts: Path, found: Scores) -> None:
    """Others on the same rows, in the same run: accuracy beside speed."""
    made = Table("detector", "recall", "leak", "exact F1", "precision", "MB/s", *(bar.name for bar in BARS))
    size = sum(len(row["text"].encode("utf-8", "replace")) for row in rows) / 1e6
    systems = [("Malmoi", found, speed.in_process([row["text"] for row in rows]))]
    interpreter = peers.python()
    if interpreter is None:
        out.print(f"Others are left out: there is no {peers.HOME}. To have them: {peers.MAKE}", markup=False)
    for name in peers.PEERS if interpreter else ():
        assert interpreter is not None
        answers = peers.theirs(interpreter, name, texts)
        systems.append((name, score(rows, answers.rows), size / answers.working))
    for name, one, rate in systems:
        total = one.total()
        groups = (_share(one.total(bar.wanted).recall) for bar in BARS)
        made.add_row(name, _share(total.recall), _share(total.leak), _share(total.f1), _share(total.precision),
                     f"{rate:.2f}", *groups)  # fmt: skip
    out.print(made)
    for name, says in peers.PEERS.items() if interpreter else ():
        out.print(f"{name}: {says}", markup=False)


def _write(failures: Sequence[Failure], path: Path) -> None:
    """One JSON object a line. The file holds text: use it for rows that may be read, and keep it out of releases."""
    lines = (json.dumps({n: getattr(f, n) for n in f.__slots__}, ensure_ascii=False) + "\n" for f in failures)
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
