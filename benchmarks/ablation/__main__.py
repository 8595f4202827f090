"""Write a plan of `malmoi ablate` with its texts: `python -m benchmarks.ablation KIND WORKSPACE FOLDER`.

WORKSPACE holds runs of benchmarks/recipes/real.toml, real_strict.toml and real_wide.toml. KIND is `real`: the raw
extraction of the licensed documents of three sources, with the source shares of the wide release, against the three
releases, and what other pipelines made of the same archive (`--peer`). Or `degraded`, to see whether a setting
discriminates: mostly Korean documents, the same with 30 % of the words of each line shuffled, and half of them replaced
by English.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.dataset as ds

from benchmarks.ablation.held_out import write_held_out, write_rows

SOURCES = ("web-ko", "boddari", "ko-react-dev")
SHUFFLED = 0.3  # of the words of a line
ENGLISH_CHARS = 3_000  # code points of an English document
KOREAN = 0.7  # share of Hangul in mostly Korean documents
RELEASES = {"wide": "real-wide", "general": "real", "strict": "real-strict"}  # input → name of the release

Table = tuple[str, str, str]  # name, path and condition of an input


class Text(NamedTuple):
    source: str
    id: str
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("real", "degraded"))
    parser.add_argument("workspace", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--setting", default="small")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tokens", type=int, help="that a model sees; default: those of the setting")
    parser.add_argument("--peer", type=Path, action="append", default=[], help="JSON lines: source, id, text")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    workspace = given.workspace.absolute()
    inputs = (
        _write_real(workspace, given.folder, given.peer)
        if given.kind == "real"
        else _write_degraded(workspace, given.folder)
    )
    sets = [(name, f"{name}.jsonl", "") for name in write_held_out(given.folder)]
    lines = [f'setting = "{given.setting}"', f"seeds = {given.seeds}"]
    lines += [f"tokens = {given.tokens}"] if given.tokens else []
    for kind, tables in (("input", inputs), ("held_out", sets)):
        for name, path, where in tables:
            lines += ["", f"[[{kind}]]", f'name = "{name}"', f'path = "{path}"']
            lines += [f'where = "{where}"'] if where else []
    (given.folder / "plan.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _find_release(workspace: Path, name: str) -> Path:
    found = (workspace / "6-releases" / name / "latest").resolve()
    if not found.is_dir():
        raise SystemExit(
            f"{workspace} has no release {name}; run benchmarks/recipes/{name.replace('-', '_')}.toml first"
        )
    return found


def _write_real(workspace: Path, folder: Path, peers: Sequence[Path]) -> list[Table]:
    releases = {name: _find_release(workspace, release) for name, release in RELEASES.items()}
    published = _read(releases["wide"].glob("data/**/*.parquet"), ("source", "text"))
    shares = {name: sum(len(text) for source, text in published if source == name) for name in SOURCES}
    rights = {id_ for id_, by in _read(workspace.glob("3-clean/*/dropped.parquet"), ("id", "by")) if by == "rights"}
    rows = _read(workspace.glob("2-documents/*/documents.parquet"), ("source", "id", "text"))
    raw = [Text(*row) for row in rows if row[1] not in rights]
    write_rows(folder / "licensed.jsonl", _match_shares(raw, shares))
    found = [("licensed-raw", "licensed.jsonl", "")]
    for path in peers:
        write_rows(folder / f"{path.stem}.jsonl", (one._asdict() for one in _read_lines(path)))
        found.append((path.stem, f"{path.stem}.jsonl", ""))
    ours = f"source in ({', '.join(repr(name) for name in SOURCES)})"
    return [*found, *((name, os.path.relpath(path, folder.absolute()), ours) for name, path in releases.items())]


def _read_lines(path: Path) -> list[Text]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Text(row["source"], row["id"], row["text"]) for row in rows]


def _match_shares(texts: Sequence[Text], shares: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Yield as many texts of each source as its share allows, in the order of a hash of the id."""
    sizes = {name: sum(len(one.text) for one in texts if one.source == name) for name in shares}
    most = min(sizes[name] / shares[name] for name in shares)
    left = {name: most * share for name, share in shares.items()}
    for one in sorted(texts, key=lambda one: hashlib.sha256(one.id.encode()).digest()):
        if left.get(one.source, 0) > 0:
            left[one.source] -= len(one.text)
            yield one._asdict()


def _write_degraded(workspace: Path, folder: Path) -> list[Table]:
    rows = _read(
        _find_release(workspace, "real-wide").glob("data/**/*.parquet"), ("source", "id", "text", "hangul_share")
    )
    clean = [Text(*row[:3]) for row in rows if row[0] in SOURCES and row[3] >= KOREAN]
    random.Random(0).shuffle(clean)
    shuffled = [one._replace(text=_shuffle_words(one.text)) for one in clean]
    inputs = {"clean": clean, "shuffled": shuffled, "half-english": _mix(clean)}
    for name, texts in inputs.items():
        write_rows(folder / f"{name}.jsonl", (one._asdict() for one in texts))
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


def _mix(korean: Sequence[Text]) -> list[Text]:
    """Return Korean and English documents in turns, about equal in code points: the descriptions of packages here."""
    found, size, rest = [], 0, iter(korean)
    about = sorted((one.name, str(one.metadata.json.get("description", ""))) for one in metadata.distributions())
    for name, text in about:
        for at in range(0, len(text) - ENGLISH_CHARS, ENGLISH_CHARS):
            found.append(Text("packages", f"{name} {at}", text[at : at + ENGLISH_CHARS]))
            size += ENGLISH_CHARS
            while size > 0 and (one := next(rest, None)) is not None:
                found.append(one)
                size -= len(one.text)
    return found


def _read(paths: Iterable[Path], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for path in sorted(paths):
        table = ds.dataset(path, format="parquet").to_table(columns=list(columns))
        found += list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    return found


if __name__ == "__main__":
    main()
