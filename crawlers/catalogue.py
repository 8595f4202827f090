"""Find a source by its name or by its file, and check that the file says what a source must say."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from malmoi.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CallError
from malmoi.source import Extracted, Item, Source, Trouble

SOURCES = Path(__file__).parent / "sources"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # becomes a folder and the first part of every id

Follow: TypeAlias = Callable[[Capture], Iterable[str]]
Items: TypeAlias = Callable[[Capture], Iterable[Item]]
Evidence: TypeAlias = Callable[[Item], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]
Text: TypeAlias = Callable[[Item], Extracted]
TroubleOf: TypeAlias = Callable[[Capture], Trouble | None]


@dataclass(frozen=True, slots=True)
class Definition:
    """A source and the functions its file defines; None where the default serves."""

    source: Source
    follow: Follow | None = None
    items: Items | None = None
    evidence: Evidence | None = None
    text: Text | None = None
    trouble: TroubleOf | None = None


def names() -> list[str]:
    """The names of the catalogue: the files of `crawlers/sources`, sorted.

    >>> "__init__" in names()
    False
    """
    return sorted(path.stem for path in SOURCES.glob("*.py") if not path.stem.startswith("_"))


def load(name_or_path: str) -> Definition:
    """The source called `name_or_path` in the catalogue, or the one in a file that ends in `.py`.

    The file is run, as any module is: load only files that you would run.

    Raises:
        CallError: no such source or file, the file fails, or it does not define what a source must.
    """
    path = Path(name_or_path) if name_or_path.endswith(".py") else SOURCES / f"{name_or_path}.py"
    if not name_or_path.endswith(".py") and name_or_path not in names():
        raise CallError(
            f"no source is called {name_or_path!r} in {SOURCES.parent.name}/{SOURCES.name}: "
            f"choose one of {', '.join(names()) or 'none yet'}, or name a file that ends in .py"
        )
    if not path.is_file():
        raise CallError(f"{path}: there is no such file; check the path of the source")
    module = _run(path)
    source = getattr(module, "SOURCE", None)
    if not isinstance(source, Source):
        raise CallError(f"{path}: defines no SOURCE; add SOURCE = Source(…) from malmoi.source")
    if not NAME.fullmatch(source.name):
        raise CallError(f"{path}: the name {source.name!r} cannot be a folder; use lower-case letters, digits, - and _")
    verbs = ("follow", "items", "evidence", "text", "trouble")
    return Definition(source, *(_function(module, path, verb) for verb in verbs))


def _run(path: Path) -> ModuleType:
    in_catalogue = path.resolve().parent == SOURCES.resolve()
    name = f"crawlers.sources.{path.stem}" if in_catalogue else f"malmoi_source_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CallError(f"{path}: Python cannot load this file; check its name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles of the file look themselves up here
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise CallError(
            f"{path}: fails when it is loaded ({type(error).__name__}: {error}); correct the file"
        ) from error
    return module


def _function(module: ModuleType, path: Path, verb: str) -> Any:
    found = getattr(module, verb, None)
    if found is not None and not callable(found):
        raise CallError(f"{path}: {verb} must be a function; rename the value or define `def {verb}(…)`")
    return found
