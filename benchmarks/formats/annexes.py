"""Recovery of annexes of rules, and recognition of blank forms: python -m benchmarks.formats.annexes [FOLDER].

First part: the documents of tests/data/formats/annexes.toml, of our own writing, as HWP, HWPX and PDF. The text of that
file is the gold; recovered characters are those of paragraphs, cells, notes and equations that an extracted text holds
whole. Second part: the HWP and HWPX files below FOLDER against all characters of their text records or elements, which
a scan without rules collects: headers, prompts of fields and tables of contents, which are left out, count as lost.
"""

from __future__ import annotations

import argparse
import importlib
import io
import re
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from crawlers import formats
from crawlers.formats.hwp.ole import Container
from crawlers.platforms import law_annexes
from malmoi.source import Extracted, Item

FOLDER = Path(__file__).parents[3] / "shared" / "corpora" / "hwplib-hwpxlib-samples"
SHORT = 200  # characters; samples with less show one control each
_SECTION = re.compile(r"Contents/section\d+\.xml")
_TEXT_TAG, _CONTROLS = 67, frozenset(range(32)) - {0, 9, 10, 13, *range(24, 32)}


def main(arguments: list[str]) -> int:
    """Print recovery by format and part, the forms that were recognised, and the recovery of files below a folder."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.formats.annexes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    _print_own()
    _print_files(options.folder)
    return 0


def _print_own() -> None:
    small = importlib.import_module("tests.builders.documents.small_annex")
    for kind, write in small.WRITERS.items():
        for part in ("dev", "test"):
            recovered = whole = 0
            outcomes: Counter[tuple[bool, bool]] = Counter()
            for annex in small.load(part):
                found = _extract(write(annex), f"a.{kind}")
                outcomes[annex.form, law_annexes.is_blank_form(found)] += 1
                if not annex.form:
                    got, every = small.share_recovered(annex, found.text)
                    recovered, whole = recovered + got, whole + every
            forms, wrong = outcomes[True, True] + outcomes[True, False], outcomes[False, True]
            print(
                f"{kind:5} {part:5} {recovered / whole:.4f} of {whole:,} characters; "
                f"{outcomes[True, True]} of {forms} forms recognised, {wrong} of {outcomes[False, False] + wrong} "
                "annexes taken for forms"
            )


def _print_files(folder: Path) -> None:
    totals: dict[str, list[int]] = {}
    for path in sorted(folder.rglob("*")):
        kind = path.suffix.lower()
        if kind not in (".hwp", ".hwpx"):
            continue
        body = path.read_bytes()
        found = _extract(body, path.name)
        if found.outcome != "kept" or not (raw := _scan_hwp(body) if kind == ".hwp" else _scan_hwpx(body)):
            continue
        gold, other = Counter(_plain(raw)), Counter(_plain(found.text))
        if gold.total() < SHORT:
            continue
        shared = (gold & other).total()
        form = law_annexes.is_blank_form(found)
        print(f"{shared / gold.total():.4f} of {gold.total():,}{' (a blank form)' if form else ''}  {path.name}")
        if not form:
            total = totals.setdefault(kind, [0, 0])
            total[0], total[1] = total[0] + shared, total[1] + gold.total()
    for kind, (shared, every) in totals.items():
        print(f"{kind}: {shared / every:.4f} of {every:,} characters, blank forms left out")


def _scan_hwpx(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = [archive.read(name) for name in archive.namelist() if _SECTION.fullmatch(name)]
    trees = map(ElementTree.fromstring, parts)
    return "".join("".join(one.itertext()) for tree in trees for one in tree.iter() if one.tag.endswith("}t"))


def _scan_hwp(body: bytes) -> str:
    """Return the text of all text records; "" for a document whose sections are locked."""
    container = Container(body)
    flags = int.from_bytes(container.read("FileHeader")[36:40], "little")
    if flags & ~1:
        return ""
    found = []
    for path in container.paths:
        if path.startswith("BodyText/"):
            stream = container.read(path)
            found.append(_scan_records(zlib.decompress(stream, -15) if flags & 1 else stream))
    return "".join(found)


def _scan_records(stream: bytes) -> str:
    at, letters = 0, []
    while at + 4 <= len(stream):
        head = int.from_bytes(stream[at : at + 4], "little")
        at, size = at + 4, head >> 20
        if size == 0xFFF:
            size, at = int.from_bytes(stream[at : at + 4], "little"), at + 4
        if head & 0x3FF == _TEXT_TAG:
            letters.append(_scan_text(stream[at : at + size]))
        at += size
    return "".join(letters)


def _scan_text(data: bytes) -> str:
    units = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data) - 1, 2)]
    kept, at = [], 0
    while at < len(units):
        unit = units[at]
        kept += [unit] * (unit >= 32)
        at += 8 if unit in _CONTROLS else 1
    return b"".join(unit.to_bytes(2, "little") for unit in kept).decode("utf-16-le", "ignore")


def _extract(body: bytes, name: str) -> Extracted:
    return formats.extract(Item(key=name, url=f"file:{name}", body=body, media="", charset="", record=""))


def _plain(text: str) -> str:
    return re.sub(r"[\s|]|-{3,}", "", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
