"""The format is told by content first; what cannot be read is dropped with a reason."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import formats
from malmoi.source import Item
from tests.builders.documents import small_hwp
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "formats"


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def item(body: str | bytes, media: str, name: str) -> Item:
    return Item(key=name, url=f"https://a.example/{name}", body=body, media=media, charset="", record="r")


@each_row("case", cases("sniff.jsonl"), ids=lambda case: case["why"])
def test_bytes_are_what_they_are(case: dict[str, Any]) -> None:
    assert formats.sniff(bytes.fromhex(case["hex"]), case["media"], case["name"]) == case["format"]


@each_row("case", cases("drops.jsonl"), ids=lambda case: case["why"])
def test_what_gives_no_text_is_dropped_with_its_reason(case: dict[str, Any]) -> None:
    found = formats.extract(item(bytes.fromhex(case["hex"]), case["media"], case["name"]))
    assert (found.outcome, found.reason, found.format) == ("dropped", case["reason"], case["format"])
    assert found.text == ""


@each_row("case", cases("rows.jsonl"), ids=lambda case: case["why"])
def test_a_row_passes_through_as_text(case: dict[str, Any]) -> None:
    found = formats.extract(item(case["body"], "text/plain", "a.csv"))
    assert (found.text, found.format) == (case["text"], "row")
    assert found.outcome == ("kept" if case["text"] else "dropped")


def test_a_text_file_keeps_its_words_and_loses_its_carriage_returns() -> None:
    found = formats.extract(item("하나\r\n둘\n".encode("cp949"), "text/plain", "a.txt"))
    assert (found.text, found.encoding, found.format) == ("하나\n둘", "cp949", "text")


def archive(*names: str, mimetype: str = "", before: int = 0) -> bytes:
    """An archive of empty parts, the type in its first one, and a long part before the others."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        if before:
            made.writestr("docProps/thumbnail.jpeg", bytes(before))
        for name in names:
            made.writestr(name, "")
    return found.getvalue()


@each_row(
    ("body", "kind"),
    [
        (archive("Contents/content.hpf", mimetype="application/hwp+zip"), "hwpx"),
        (archive("Contents/section0.xml", before=20_000), "hwpx"),
        (archive("[Content_Types].xml", "word/document.xml", before=20_000), "docx"),
        (archive("[Content_Types].xml", "word/document2.xml"), "docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml", "notes.txt"), "xlsx"),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
        (archive("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "odf"),
        (archive("content.xml", "META-INF/manifest.xml"), "odf"),
        (archive("OEBPS/content.opf", mimetype="application/epub+zip"), "epub"),
        (archive("word/list.txt", "xl/more.txt"), "zip"),
        (archive("a.txt", "about application/hwp+zip.txt"), "zip"),
        (b"MZ" + bytes(300) + archive("a.txt"), "binary"),
    ],
)
def test_an_archive_is_told_by_the_names_of_its_parts_wherever_they_stand(body: bytes, kind: str) -> None:
    assert formats.sniff(body, "application/octet-stream", "a.bin") == kind


def test_a_container_is_told_by_its_directory_and_not_by_its_name() -> None:
    word = small_hwp.container({"WordDocument": b"HWP Document File" + bytes(5000), "1Table": bytes(10)})
    embedded = small_hwp.container({"ObjectPool/FileHeader": b"HWP Document File", "WordDocument": b"a"})
    assert formats.sniff(small_hwp.hwp(b""), "application/msword", "a.doc") == "hwp"
    assert formats.sniff(word, "", "a.hwp") == "ole"
    assert formats.sniff(embedded, "", "a.hwp") == "ole"
    assert formats.sniff(small_hwp.hwp(b"")[:1500], "", "a") == "hwp"


@given(st.binary(max_size=200), st.sampled_from(["", "text/html", "text/plain", "text/markdown"]))
def test_no_bytes_make_extraction_fail(body: bytes, media: str) -> None:
    found = formats.extract(item(body, media, "a"))
    assert (found.outcome == "kept") == bool(found.text)
    assert bool(found.reason) == (found.outcome == "dropped")


PAGE = "<html><body><p>말모이는 우리말을 모으는 일이다.</p></body></html>"
MHTML = (
    "From: <Saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/html; charset=euc-kr\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n"
)


def test_a_page_saved_as_one_file_is_read() -> None:
    body = MHTML.format(base64.encodebytes(PAGE.encode("cp949")).decode()).encode()
    found = formats.extract(Item("k", "a.mht", body, "", "", "r"))
    assert (found.format, found.outcome, found.text) == ("mhtml", "kept", "말모이는 우리말을 모으는 일이다.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b--\r\n", "no-text"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related; " + b'a*0*="(;' * 200_000 + b"\r\n\r\n", "damaged"),
        (b"Received: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\ntext", "unsupported-format:email"),
        (b"a.txt".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"), "unsupported-format:tar"),
    ],
)
def test_mail_and_archives_are_named_and_never_text(body: bytes, reason: str) -> None:
    found = formats.extract(Item("k", "a.bin", body, "", "", "r"))
    assert (found.text, found.outcome, found.reason) == ("", "dropped", reason)
