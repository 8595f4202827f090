"""A case of test_advice.py: a message, and the steps that provoke it, follow it and succeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.run import RECIPES

CASES: dict[str, Case] = {}


@dataclass
class Place:
    """The folder of a case, with a copy of a workspace that holds a release."""

    folder: Path
    released: Callable[[], Path]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))


@dataclass
class Case:
    message: str
    steps: Callable[[Place], Iterator[str]]


def advice(message: str) -> Callable[[Callable[[Place], Iterator[str]]], None]:
    """Register a case under its message, as it stands in the source with {} for what is filled in."""

    def register(steps: Callable[[Place], Iterator[str]]) -> None:
        CASES[f"{message} [{steps.__name__}]"] = Case(message, steps)

    return register


SOURCE = """from pathlib import Path
from malmoi.source import Expect, Folder, LicenceClaim, LicenceRule, Source, Warc
SOURCE = Source(
    name="own", title="a", publisher="b", access=Folder(Path("pages"), include=("*.txt",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),),
    rule=LicenceRule(("licence-file",)),
)
"""
GENERAL = (RECIPES / "general.toml").read_text(encoding="utf-8")


def own(place: Place, source: str = SOURCE) -> None:
    place.write("pages/a.txt", "한 줄의 글이다.\n")
    place.write("pages/LICENCE", "CC BY 4.0\n")
    place.write("own.py", source)
