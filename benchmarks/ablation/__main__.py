"""Write a plan of `malmoi ablate` with its texts: `python -m benchmarks.ablation KIND WORKSPACE FOLDER`.

WORKSPACE holds a run of benchmarks/recipes/real.toml. KIND is `real`: the raw extraction of the licensed documents of
three sources, with the source shares of the release, against the release and its mostly Korean documents. Or
`degraded`, to see whether a setting discriminates: mostly Korean documents, the same with 30 % of the words of each
line shuffled, and half of them replaced by English.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from benchmarks.ablation.held_out import write_held_out, write_texts

SOURCES = ("web-ko", "boddari", "ko-react-dev")
SHUFFLED = 0.3  # of the words of a line
ENGLISH_CHARS = 3_000  # code points of an English document
KOREAN = "hangul_share >= 0.7"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("real", "degraded"))
    parser.add_argument("workspace", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--setting", default="small")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tokens", type=int, help="that a model sees; default: those of the setting")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    inputs = (_write_real if given.kind == "real" else _write_degraded)(given.workspace.absolute(), given.folder)
    sets = [(name, f"{name}.jsonl", "") for name in write_held_out(given.folder)]
    lines = [f'setting = "{given.setting}"', f"seeds = {given.seeds}"]
    lines += [f"tokens = {given.tokens}"] if given.tokens else []
    for kind, tables in (("input", inputs), ("held_out", sets)):
        for name, path, where in tables:
            lines += ["", f"[[{kind}]]", f'name = "{name}"', f'path = "{path}"']
            lines += [f'where = "{where}"'] if where else []
    (given.folder / "plan.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _find_release(workspace: Path) -> Path:
    return (workspace / "6-releases" / "real" / "latest").resolve()


def _write_real(workspace: Path, folder: Path) -> list[tuple[str, str, str]]:
    release = _find_release(workspace)
    place = os.path.relpath(release, folder.absolute())
    published = _read(release.glob("data/**/*.parquet"), ("source", "text"))
    shares = {name: sum(len(text) for source, text in published if source == name) for name in SOURCES}
    rights = {id_ for id_, by in _read(workspace.glob("3-clean/*/dropped.parquet"), ("id", "by")) if by == "rights"}
    raw = _read(workspace.glob("2-documents/*/documents.parquet"), ("source", "id", "text"))
    licensed = {name: [text for source, id_, text in raw if source == name and id_ not in rights] for name in SOURCES}
    write_texts(folder / "licensed.jsonl", _match_shares(licensed, shares))
    ours = f"source in ({', '.join(repr(name) for name in SOURCES)})"
    return [
        ("licensed-raw", "licensed.jsonl", ""),
        ("release", place, ours),
        ("release-korean", place, f"{ours} and {KOREAN}"),
    ]


def _match_shares(texts: dict[str, list[str]], shares: dict[str, int]) -> Iterator[str]:
    """Yield as many texts of each source as its share allows, in a fixed shuffle."""
    most = min(sum(map(len, found)) / shares[name] for name, found in texts.items())
    for name, found in texts.items():
        random.Random(0).shuffle(found)
        left = most * shares[name]
        for text in found:
            if left <= 0:
                break
            yield text
            left -= len(text)


def _write_degraded(workspace: Path, folder: Path) -> list[tuple[str, str, str]]:
    rows = _read(_find_release(workspace).glob("data/**/*.parquet"), ("source", "hangul_share", "text"))
    clean = [text for source, share, text in rows if source in SOURCES and share >= 0.7]
    random.Random(0).shuffle(clean)
    inputs = {"clean": clean, "shuffled": [_shuffle_words(text) for text in clean], "half-english": _mix(clean)}
    for name, texts in inputs.items():
        write_texts(folder / f"{name}.jsonl", texts)
    return [(name, f"{name}.jsonl", "") for name in inputs]


def _shuffle_words(text: str) -> str:
    chance, lines = random.Random(text), []
    for line in text.split("\n"):
        words = line.split(" ")
        places = [at for at in range(len(words)) if chance.random() < SHUFFLED]
        for at, word in zip(places, chance.sample([words[at] for at in places], len(places)), strict=True):
            words[at] = word
        lines.append(" ".join(words))
    return "\n".join(lines)


def _mix(korean: Sequence[str]) -> list[str]:
    """Return Korean and English documents in turns, about equal in code points: the descriptions of packages here."""
    found, size, rest = [], 0, iter(korean)
    about = sorted((one.name, str(one.metadata.json.get("description", ""))) for one in metadata.distributions())
    for _, text in about:
        for at in range(0, len(text) - ENGLISH_CHARS, ENGLISH_CHARS):
            found.append(text[at : at + ENGLISH_CHARS])
            size += ENGLISH_CHARS
            while size > 0 and (one := next(rest, None)) is not None:
                found.append(one)
                size -= len(one)
    return found


def _read(paths: Iterable[Path], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for path in sorted(paths):
        table = ds.dataset(path, format="parquet").to_table(columns=list(columns))
        found += list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    return found


if __name__ == "__main__":
    main()
