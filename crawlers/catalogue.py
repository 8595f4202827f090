"""Find a source by its name or by its file, and validate its definition."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from crawlers import access_rules, denylist, licence_rules
from crawlers.formats.parsed import ParsedItem
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CallError
from malmoi.licensing.rights_decision import terms
from malmoi.source import (
    BUCKET,
    Api,
    Attachment,
    CommonCrawl,
    Dump,
    Expect,
    Extracted,
    Feed,
    Git,
    Item,
    OaiPmh,
    Site,
    Sitemap,
    Source,
    Trouble,
)

SOURCES = Path(__file__).parent / "sources"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # becomes a folder and the first part of every id
FIELDS = ("title", "author", "year", "url", "publisher", "licence")  # of an attribution template
_FIELD = re.compile(r"\{([^{}]*)\}")

Follow: TypeAlias = Callable[[Capture], Iterable[str | Attachment]]
Items: TypeAlias = Callable[[Capture], Iterable[Item]]
Evidence: TypeAlias = Callable[[ParsedItem], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]
Text: TypeAlias = Callable[[ParsedItem], Extracted]
TroubleOf: TypeAlias = Callable[[Capture], Trouble | None]
UnknownFields: TypeAlias = Callable[[Capture], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Definition:
    """A source and the functions its file defines; None where the default is used."""

    source: Source
    follow: Follow | None = None
    items: Items | None = None
    evidence: Evidence | None = None
    text: Text | None = None
    trouble: TroubleOf | None = None
    unknown_fields: UnknownFields | None = None


def names() -> list[str]:
    """Return the names of the catalogue: the files of `crawlers/sources` and of its folders, sorted.

    >>> "__init__" in names()
    False
    """
    return sorted(_list_files())


def find_file(name: str) -> Path:
    """Return the file that defines a source: a path that ends in `.py`, else the file of the catalogue.

    For a name that the catalogue does not have, it does not exist.
    """
    if name.endswith(".py"):
        return Path(name)
    return _list_files().get(name, SOURCES / f"{name}.py")


def _list_files() -> dict[str, Path]:
    return {path.stem: path for path in SOURCES.rglob("*.py") if not path.stem.startswith("_")}


def load(name_or_path: str) -> Definition:
    """Load the source called `name_or_path` in the catalogue, or the one in a file that ends in `.py`.

    The file is executed, as any module is: load only files that you would run.

    Raises:
        CallError: no such source or file, the file fails, its definition is invalid, or it points to a host of
            the denylist.
        SourceError: a claim names a licence that the table does not have.
    """
    path = find_file(name_or_path)
    if not name_or_path.endswith(".py") and name_or_path not in names():
        if Path(f"{name_or_path}.py").is_file():
            raise CallError(
                f"no source of the catalogue is called {name_or_path!r}; for the file here write {name_or_path}.py"
            )
        raise CallError(
            f"no source is called {name_or_path!r} in {SOURCES.parent.name}/{SOURCES.name}: "
            f"choose one of {', '.join(names()) or 'none yet'}, or name a file that ends in .py"
        )
    if not path.is_file():
        raise CallError(f"{path}: the file does not exist; check the path of the source")
    module = _run(path)
    source = getattr(module, "SOURCE", None)
    if not isinstance(source, Source):
        raise CallError(f"{path}: defines no SOURCE; add SOURCE = Source(…) from malmoi.source")
    if not NAME.fullmatch(source.name):
        raise CallError(f"{path}: the name {source.name!r} cannot be a folder; use lower-case letters, digits, - and _")
    if wrong := find_mistyped(source) or next(access_rules.find_claim_faults(source), ""):
        raise CallError(f"{path}: {wrong}")
    licence_rules.check(source, path)
    for url in (*addresses(source), *_list_archived_hosts(source)):
        if why := denylist.reason(url, marked=licence_rules.is_marked(source)):
            raise CallError(
                f"{path}: {url} is on the denylist ({why}); see `malmoi sources denied {why.partition(':')[0]}`. "
                "Leave the source out, or ask its publisher for a licence and change crawlers/denylist.py "
                "with the proof"
            )
    if wrong := next(access_rules.find_faults(source, reads_items=hasattr(module, "items")), ""):
        raise CallError(f"{path}: {wrong}")
    verbs = ("follow", "items", "evidence", "text", "trouble", "unknown_fields")
    found = Definition(source, *(_function(module, path, verb) for verb in verbs))
    if isinstance(source.access, OaiPmh):
        from crawlers.oai import records  # imports the readers of rights

        return replace(found, items=found.items or records.items, text=found.text or records.text)
    return found


def addresses(source: Source) -> tuple[str, ...]:
    """Return the start URLs and the scope of a source; () for a local one."""
    match source.access:
        case Site(start=first, scope=scope) | Api(start=first, scope=scope):
            return (*first, *scope)
        case Sitemap(urls=first, scope=scope) | Feed(urls=first, scope=scope):
            return (*first, *scope)
        case OaiPmh(url=url, scope=scope):
            return (url, *scope)
        case Dump(url=url) | Git(url=url):
            return (url,) if url else ()
        case CommonCrawl(data=str() as data) if not data.startswith(BUCKET):
            return (data,)
    return ()


def _list_archived_hosts(source: Source) -> list[str]:
    """Return an address of each host whose pages an archive is asked for; [] for a source that is not an archive."""
    hosts = source.access.hosts if isinstance(source.access, CommonCrawl) else ()
    return [f"https://{host.removeprefix('*.')}/" for host in hosts]


def find_mistyped(value: Any, name: str = "SOURCE") -> str:
    """Return a message about the first field of a declaration with a wrong type; "" if all types are right.

    >>> from malmoi.source import Folder
    >>> find_mistyped(Source("a", "A", "B", Folder("/data")))
    "SOURCE.access.path is '/data', which is str; write Path('/data')"
    """
    for field, kind in get_type_hints(type(value)).items():
        given, called = getattr(value, field), f"{name}.{field}"
        wanted = [get_origin(one) or one for one in (get_args(kind) if get_origin(kind) is UnionType else (kind,))]
        if (
            Any not in wanted
            and Literal not in wanted
            and not isinstance(given, (*wanted, *((int,) * (float in wanted))))
        ):
            spelled = f"Path({str(given)!r})" if isinstance(given, Path) or Path in wanted else repr(given)
            hint = f"({spelled},)" if tuple in wanted else spelled if Path in wanted else wanted[0].__name__
            return f"{called} is {given!r}, which is {type(given).__name__}; write {hint}"
        parts = given if isinstance(given, tuple) else (given,)
        for number, part in enumerate(parts):
            if is_dataclass(part):
                place = f"{called}[{number}]" if isinstance(given, tuple) else called
                if wrong := find_mistyped(part, place):
                    return wrong
            elif isinstance(given, tuple) and not isinstance(part, _parts_of(kind)):
                takes = "pairs of texts" if _parts_of(kind) == (tuple,) else "texts or paths"
                return f"{called} holds {part!r}, which is {type(part).__name__}; it takes {takes}"
    return ""


def _parts_of(kind: Any) -> tuple[type, ...]:
    """Return the types of the parts of a field that is a tuple: pairs for a tuple of tuples, else texts or paths."""
    return (tuple,) if any(get_origin(one) is tuple for one in get_args(kind)) else (str, Path)


def find_missing(source: Source) -> list[str]:
    """Return messages about what a source of the catalogue still lacks; [] if it is complete.

    >>> from malmoi.source import Warc
    >>> find_missing(Source("a", "A", "B", Warc(())))[0]
    'title, publisher and note: say in words what it is (note is empty)'
    """
    said = {"title": source.title, "publisher": source.publisher, "note": source.note}
    empty = ", ".join(name for name, words in said.items() if not words)
    licences = {claim.licence for claim in source.claim} | set(source.rule.expected)
    fields = _FIELD.findall(source.attribution)
    stray = access_rules.find_stray_prefixes(source)
    found = {
        f"title, publisher and note: say in words what it is ({empty} is empty)": not empty,
        "rule: say which licences its proofs are expected to name (expected is empty)":
            bool(source.rule.expected or not source.rule.proofs),
        f"claim or rule: {', '.join(sorted(x for x in licences if terms(x) is None))} is not in docs/rights.md":
            all(terms(licence) is not None for licence in licences),
        f"rule: an address in access.scope that the selector for {', '.join(stray)} covers": not stray,
        "attribution: give the sentence that names the origin": bool(source.attribution),
        f"attribution: only {', '.join(FIELDS)} are known": set(fields) <= set(FIELDS),
        "register: say which kind of language it is": bool(source.register),
        "domain: say which subject it is about": bool(source.domain),
        "expect: say how many captures a full collection holds": source.expect != Expect(),
        "expect: at_least is above at_most": source.expect.at_least <= source.expect.at_most,
        "unverified: say what has not been checked by a person yet": bool(source.unverified),
        "terms: a source ships unreviewed; the operator records the check in the workspace": source.terms is None,
    }  # fmt: skip
    return [sentence for sentence, holds in found.items() if not holds]


class _UncachedLoader(SourceFileLoader):
    """Compile the file at each load, and write nothing beside it.

    Python's cache is keyed by size and whole seconds: it would run the old code of a file that was just edited.
    """

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _run(path: Path) -> ModuleType:
    in_catalogue = path.resolve().is_relative_to(SOURCES.resolve())
    parts = path.resolve().relative_to(SOURCES.resolve()).with_suffix("").parts if in_catalogue else ()
    name = ".".join(("crawlers.sources", *parts)) if in_catalogue else f"malmoi_source_{path.stem}"
    loader = None if in_catalogue else _UncachedLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise CallError(f"{path}: Python cannot load this file; check its name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles of the file look themselves up here
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if field := licence_rules.find_replaced_field(error):
            raise CallError(
                f"{path}: LicenceRule no longer has the field {field}; instead of it declare "
                f"{licence_rules.REPLACED[field]} (docs/add-a-source.md, Declare the licence)"
            ) from error
        raise CallError(
            f"{path}: fails when it is loaded ({type(error).__name__}: {error}); correct the file"
        ) from error
    return module


def _function(module: ModuleType, path: Path, verb: str) -> Any:
    found = getattr(module, verb, None)
    if found is not None and not callable(found):
        raise CallError(f"{path}: {verb} must be a function; rename the value or define `def {verb}(…)`")
    return found
