"""Whatever a library raises while one document is read is a verdict about that document, and the next one is read."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers import extract, formats, tables
from malmoi.archive.capture import Capture, IndexRow
from malmoi.errors import CaptureError
from malmoi.ledger import Failure
from malmoi.processes.workers import Broken, Done, attempt
from malmoi.source import Item
from tests.builders.documents import small_docx, small_hwp
from tests.builders.documents.small_pdf import column, pdf
from tests.builders.rows import each_row

TEXT = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. " * 4
NEXT = Item("next.txt", "next.txt", TEXT.encode(), "text/plain", "utf-8", "")


class PanicException(BaseException):  # as pyo3 names it
    """A panic of compiled Rust."""


RAISED = [
    LookupError("x"), ValueError("x"), RecursionError(), AttributeError("x"), MemoryError(), TypeError("x"),
    UnicodeDecodeError("utf-8", b"", 0, 1, "x"), OSError("no number"), AssertionError(), PanicException("x"),
]  # fmt: skip

PAGE = f"<html><title>말모이</title><p>{TEXT}</p><script>window.__S={{}}</script></html>".encode()
MHTML = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b; type=text/html\r\n\r\n--b\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n" + PAGE + b"\r\n--b--\r\n"
)
FILES: dict[str, Callable[[], bytes]] = {
    "a.html": lambda: PAGE,
    "b.html": lambda: ("<html><p>" + "Grüße aus Köln, schöne Wörter für alle. " * 20).encode("latin-1"),
    "a.mht": lambda: MHTML,
    "a.md": lambda: f"---\ntitle: 낱말\n---\n# 낱말\n\n{TEXT}".encode(),
    "a.xml": lambda: f"<?xml version='1.0'?><a><b>{TEXT}</b></a>".encode(),
    "a.pdf": lambda: pdf([column([TEXT[:30]])], packed=True),
    "a.docx": lambda: small_docx.docx(small_docx.p(small_docx.r(TEXT))),
    "a.hwpx": lambda: small_hwp.hwpx(small_hwp.p(TEXT)),
    "a.hwpml": lambda: small_hwp.hwpml(f"<P><TEXT><CHAR>{TEXT}</CHAR></TEXT></P>"),
    "a.hwp": lambda: small_hwp.hwp(small_hwp.paragraph(TEXT)),
    "c.hwp": lambda: small_hwp.hwp(small_hwp.locked(b"x" * 64), flags=0x05),
}
CALLS = [
    ("a.html", "lxml.html.HTMLParser"),
    ("a.html", "lxml.html.document_fromstring"),
    ("a.html", "crawlers.formats.html.html_page.choose_lines"),
    ("a.html", "crawlers.formats.html.page_metadata.read"),
    ("a.html", "crawlers.formats.html.html_page.prepare"),
    ("b.html", "cchardet.detect"),
    ("a.mht", "email.parser.BytesParser.parsebytes"),
    ("a.mht", "email.message.EmailMessage.get_payload"),
    ("a.md", "crawlers.formats.front_matter.yaml.compose"),
    ("a.md", "markdown_it.MarkdownIt.parse"),
    ("a.xml", "lxml.etree.fromstring"),
    ("a.xml", "lxml.etree.XMLParser"),
    ("a.pdf", "pypdfium2.PdfDocument"),
    ("a.pdf", "pypdfium2.PdfDocument.__len__"),
    ("a.pdf", "pypdfium2.PdfDocument.get_metadata_dict"),
    ("a.pdf", "pypdfium2.raw.FPDF_LoadPage"),
    ("a.pdf", "pypdfium2.raw.FPDFText_LoadPage"),
    ("a.pdf", "pypdfium2.raw.FPDFText_GetText"),
    ("a.docx", "zipfile.ZipFile"),
    ("a.docx", "zipfile.ZipFile.infolist"),
    ("a.docx", "zipfile.ZipFile.open"),
    ("a.docx", "zipfile.ZipExtFile.read"),
    ("a.docx", "lxml.etree.fromstring"),
    ("a.hwpx", "zipfile.ZipFile.open"),
    ("a.hwpx", "lxml.etree.XMLPullParser"),
    ("a.hwpml", "lxml.etree.XMLPullParser"),
    ("a.hwp", "zlib.decompressobj"),
    ("c.hwp", "crawlers.formats.hwp.hwp5.Cipher"),
]


def item(name: str) -> Item:
    return Item(name, name, FILES[name](), "", "", "")


def _raise(error: BaseException) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> Any:
        raise error

    return call


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("raised", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("name", "call"), CALLS, ids=lambda part: part)
def test_what_a_library_raises_is_a_verdict_and_the_next_document_is_read(
    name: str, call: str, raised: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = item(name)
    with monkeypatch.context() as patch:
        patch.setattr(call, _raise(raised))
        found = formats.extract(document)
        after = formats.extract(NEXT)
    if call.endswith((".choose_lines", ".prepare")) and not isinstance(raised, MemoryError):
        # All words of a page that the extraction cannot read are kept, as they are prose.
        assert (found.outcome, found.text) == ("kept", TEXT.strip())
    else:
        assert (found.outcome in ("dropped", "failed") and found.reason) or name in ("a.md", "b.html")
    assert after.outcome == "kept"


@each_row("name", FILES)
def test_without_a_fault_the_files_of_these_tests_reach_their_reader(name: str) -> None:
    found = formats.extract(item(name))
    assert found.outcome == "kept" or name in ("b.html", "c.hwp")
    assert found.format not in ("", "binary", "text")


@pytest.mark.parametrize("raised", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("file", "call"), [("a.csv", "csv.reader"), ("a.json", "json.loads"), ("a.jsonl", "json.loads")]
)
def test_what_a_library_raises_about_a_table_names_the_table(
    file: str, call: str, raised: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {
        "a.csv": b"text,no\n\xea\xb0\x80,1\n",
        "a.json": b'[{"text":"a"}]',
        "a.jsonl": b'{"text":"a"}\n{"text":"b"}\n',
    }
    monkeypatch.setattr(tables, "sniff", lambda *_: file.rpartition(".")[2])
    capture = Capture("r", f"file://x/{file}", None, 200, (), bodies[file], "s")  # type: ignore[arg-type]
    monkeypatch.setattr(call, _raise(raised))
    with pytest.raises(CaptureError, match=file):
        list(tables.rows(capture))


def test_a_reader_that_breaks_on_its_own_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.formats.text.normalise_lines", _raise(KeyError("낱말")))
    found = formats.extract(NEXT)
    assert (found.outcome, found.reason, found.text) == ("failed", "error:KeyError", "")


def test_an_error_of_the_machine_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.formats.text.normalise_lines", _raise(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        formats.extract(NEXT)


SOURCE = """
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source("a", "", "", Folder(Path(".")), claim=(LicenceClaim("CC0-1.0", quote="CC0", file="L.txt"),),
    rule=LicenceRule(("licence-file",)))
"""


def _row(path: Path) -> IndexRow:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    return IndexRow(
        "r", f"folder://a/{path.name}", "2026-01-01T00:00:00Z", 200, "", digest, str(path), 0, len(body), "file"
    )


@pytest.mark.parametrize("raised", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "call",
    [
        "crawlers.formats.text.normalise_lines",
        "crawlers.formats.parsed.sniff",
        "crawlers.rights.page_proofs.find",
    ],
)
def test_in_a_run_the_document_is_failed_by_name_and_the_next_is_read(
    call: str, raised: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.py"
    source.write_text(SOURCE, encoding="utf-8")
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path in paths:
        path.write_text(f"{path.name} {TEXT}", encoding="utf-8")
    read = extract.extractor(extract.Extraction(str(source), (("L.txt", "r"),)))
    name = "memory-limit" if isinstance(raised, MemoryError) else f"error:{type(raised).__name__}"
    with monkeypatch.context() as patch:
        patch.setattr(call, _raise(raised))
        match attempt(read, _row(paths[0])):
            case Broken(why):
                assert why == name == "memory-limit"
            case Done([failed]):
                assert isinstance(failed, Failure) and (failed.id, failed.why) == ("a//a/one.txt", name)
    assert isinstance(attempt(read, _row(paths[1])), Done)
