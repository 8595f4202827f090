"""A reader that changes has its own pages extracted anew, and the result is that of a fresh run."""

from __future__ import annotations

import ast
import io
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from crawlers import extract
from crawlers.formats import registry
from crawlers.formats.html import html_page
from crawlers.formats.pdf import pdf as pdf_reader
from crawlers.formats.registry import FAMILIES, FORMATS, Family, Format
from flows.collect import collect
from flows.curate import extract_jobs
from flows.engine import earlier_shards, shard_jobs, worker_pool
from flows.engine.progress import Progress
from malmoi.archive import capture as captures
from malmoi.ledger import Ledger
from malmoi.source import Extracted, Item
from malmoi.workspace import Workspace
from tests.builders.documents.small_pdf import column, pdf
from tests.builders.rows import each_row

SENTENCE = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. "
SOURCE = """
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source("plant", "안내서", "우리 회사", Folder(Path({folder!r})),
    claim=(LicenceClaim("CC-BY-4.0", quote="CC BY 4.0", file="LICENCE.txt"),), rule=LicenceRule(("licence-file",)))
"""
OWN_TEXT = """
from malmoi.source import Extracted
def text(parsed):
    return Extracted(parsed.item.body.decode("utf-8", "replace"), format="own")
"""


def epub() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        packed.writestr("mimetype", "application/epub+zip")
        packed.writestr("META-INF/container.xml", "<container/>")
    return body.getvalue()


FILES: dict[str, bytes] = {
    "LICENCE.txt": b"CC BY 4.0",
    **{f"page{n}.html": f"<html><title>쪽 {n}</title><p>{SENTENCE * 8}</p></html>".encode() for n in range(4)},
    "report.pdf": pdf([column([SENTENCE[:30]])]),
    "notes.txt": (SENTENCE * 3).encode(),
    "rows.csv": "text,no\n하나,1\n둘,2\n".encode(),
    "book.epub": epub(),
    "logo.png": b"\x89PNG\r\n\x1a\n" + bytes(40),
}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes extraction has read."""
    names: list[str] = []
    real = extract.load_capture

    def load(row: captures.IndexRow) -> captures.Capture:
        names.append(row.url.rpartition("/")[2])
        return real(row)

    monkeypatch.setattr(extract, "load_capture", load)
    return names


@pytest.fixture(autouse=True)
def in_this_process() -> Iterator[None]:
    worker_pool.configure(0)
    yield
    worker_pool.configure(None)


def collected(tmp_path: Path, more: str = "") -> tuple[Workspace, str]:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, body in FILES.items():
        (folder / name).write_bytes(body)
    source = tmp_path / "plant.py"
    source.write_text(SOURCE.format(folder=str(folder)) + more, encoding="utf-8")
    home = Workspace.open(tmp_path / "w")
    collect(home, str(source), Progress(quiet=True))
    return home, str(source)


def extracted(home: Workspace, source: str) -> list[Ledger]:
    """What a run does with the jobs that do not stand yet."""
    planned = list(extract_jobs(home, source))
    return [home.ledger("2-documents", job.key) or shard_jobs.extract(job) for job in planned]


def contents(ledgers: list[Ledger]) -> list[object]:
    """All that a shard holds, but for the names of its folders and the versions of readers that have no part in it."""
    return [(one.files, one.entered, one.kept, one.dropped, one.failed) for one in ledgers]


def as_of_a_fresh_run(tmp_path: Path, home: Workspace, source: str) -> list[object]:
    other = tmp_path / "fresh"
    shutil.copytree(home.root, other, ignore=shutil.ignore_patterns("2-documents"))
    return contents(extracted(Workspace.open(other), source))


def raise_version(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    changed = tuple(replace(one, version=one.version + 1) if one.name == name else one for one in FAMILIES)
    monkeypatch.setattr(extract, "FAMILIES", changed)


def with_a_word_more(reader: Callable[..., Extracted]) -> Callable[..., Extracted]:
    def read(*given: object) -> Extracted:
        found = reader(*given)
        return replace(found, text=f"{found.text}\n고침")

    return read


def test_a_changed_reader_of_pdf_reads_its_file_only_and_gives_what_a_fresh_run_gives(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path)
    first = extracted(home, source)
    assert sorted(loaded) == sorted(name for name in FILES if name != "LICENCE.txt")
    loaded.clear()
    raise_version(monkeypatch, "pdf")
    monkeypatch.setattr(pdf_reader, "extract", with_a_word_more(pdf_reader.extract))
    second = extracted(home, source)
    assert loaded == ["report.pdf"]
    assert contents(second) != contents(first)
    assert contents(second) == as_of_a_fresh_run(tmp_path, home, source)


def test_a_changed_reader_of_pages_reads_no_other_file(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path)
    extracted(home, source)
    loaded.clear()
    raise_version(monkeypatch, "html")
    monkeypatch.setattr(html_page, "extract_page", with_a_word_more(html_page.extract_page))
    second = extracted(home, source)
    assert sorted(loaded) == [f"page{n}.html" for n in range(4)]
    assert contents(second) == as_of_a_fresh_run(tmp_path, home, source)


def test_a_reader_that_has_no_page_in_a_shard_leaves_it_as_it_stands(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path)
    first = extracted(home, source)
    loaded.clear()
    raise_version(monkeypatch, "hwp")
    assert [one.key for one in extracted(home, source)] == [one.key for one in first]
    assert not loaded


def test_a_new_format_reads_the_files_that_nobody_has_read(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(item: Item) -> Extracted:
        return Extracted(SENTENCE, title=item.title, format="epub")

    home, source = collected(tmp_path)
    extracted(home, source)
    loaded.clear()
    family = Family("epub", 1)
    monkeypatch.setitem(registry.FORMATS, "epub", Format(family, "epub", "extracted"))
    monkeypatch.setattr(extract, "FAMILIES", (*FAMILIES, family))
    module = type(sys)("crawlers.formats.epub")
    module.__dict__["extract"] = read
    monkeypatch.setitem(sys.modules, "crawlers.formats.epub", module)
    second = extracted(home, source)
    assert loaded == ["book.epub"]
    assert {name for ledger in second for name in ledger.readers} >= {"epub", "html", "pdf", "text", "unread:image"}
    assert contents(second) == as_of_a_fresh_run(tmp_path, home, source)


@pytest.mark.parametrize("version", ["RIGHTS_VERSION", "RULES_VERSION"])
def test_rights_are_read_anew_of_every_file(
    version: str, tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path)
    extracted(home, source)
    loaded.clear()
    monkeypatch.setattr(extract, version, getattr(extract, version) + 1)
    extracted(home, source)
    assert len(loaded) == len(FILES) - 1


def test_a_document_that_failed_is_read_anew_with_every_reader(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Item) -> Extracted:
        raise KeyError("낱말")

    home, source = collected(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pdf_reader, "extract", broken)
        first = extracted(home, source)
    assert [one.why for ledger in first for one in ledger.failed] == ["error:KeyError"]
    loaded.clear()
    raise_version(monkeypatch, "html")
    second = extracted(home, source)
    assert sorted(loaded) == [*(f"page{n}.html" for n in range(4)), "report.pdf"]
    assert not any(ledger.failed for ledger in second)
    assert contents(second) == as_of_a_fresh_run(tmp_path, home, source)


def test_a_text_that_a_source_makes_itself_is_made_anew_with_every_reader(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path, OWN_TEXT)
    extracted(home, source)
    loaded.clear()
    raise_version(monkeypatch, "pdf")
    extracted(home, source)
    assert len(loaded) == len(FILES) - 1


def test_a_damaged_earlier_shard_costs_an_extraction_and_nothing_else(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = collected(tmp_path)
    first = extracted(home, source)
    for ledger in first:
        path = home.stage("2-documents", ledger.key) / earlier_shards.NAME
        path.write_bytes(bytes(path.stat().st_size))
    loaded.clear()
    raise_version(monkeypatch, "pdf")
    second = extracted(home, source)
    assert {"report.pdf", "notes.txt", "page0.html"} <= set(loaded)
    assert contents(second) == as_of_a_fresh_run(tmp_path, home, source)


ROOT = Path(__file__).parents[2]
OURS = {path.name for path in ROOT.iterdir() if path.is_dir()}
DISTRIBUTIONS = cache(packages_distributions)  # it reads the metadata of all packages
NO_PART_IN_TEXT = {"numpy", "pyarrow"}  # whole numbers in arrays; the shards


READERS = ("crawlers.formats", "crawlers.encodings")


def imported(name: str, seen: set[str]) -> set[str]:
    """Distributions that the module `name`, and the modules of formats that it imports, take in."""
    spec = find_spec(name)
    if spec is None or spec.origin is None or name in seen:
        return set()
    seen.add(name)
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text("utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [node.module, *(named if node.module.startswith(READERS) else [])]
        for module in modules:
            top = module.split(".")[0]
            if module.startswith(READERS):
                found |= imported(module, seen) if (ROOT / f"{module.replace('.', '/')}.py").is_file() else set()
            elif top not in sys.stdlib_module_names and top not in OURS:
                found |= {DISTRIBUTIONS()[top][0]}
    return found


@each_row("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_of_formats_names_every_package_that_its_text_depends_on(family: Family) -> None:
    readers = {one.reader for one in FORMATS.values() if one.family == family and one.reader}
    needed = {package for reader in readers for package in imported(f"crawlers.formats.{reader}", set())}
    assert needed - NO_PART_IN_TEXT <= {*family.libraries, *extract.LIBRARIES}
    assert set(family.libraries) <= needed
