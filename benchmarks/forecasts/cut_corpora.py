"""Cut the small corpora into one archive: a record for each row of a table and for each page, on a host a corpus."""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sources.corpora import CORPORA
from malmoi.archive import capture

FETCHED = "2026-01-01T00:00:00Z"
# Host → licence of its claim; tales and reviews without one are left for review.
LICENCES = {"news": "CC-BY-2.5", "books": "LicenseRef-CC-BY-2.0-KR", "rulings": "LicenseRef-KR-CA-Art7",
            "guide": "GPL-2.0-or-later", "react": "CC-BY-4.0"}  # fmt: skip
SOURCE = '''"""The small corpora, cut into one archive."""

from pathlib import Path

from malmoi.source import Expect, LicenceClaim, LicenceRule, Source, Warc

LICENCES = {licences!r}
SOURCE = Source(
    name="cut",
    title="잘라 담은 말뭉치",
    publisher="여러 발행처",
    access=Warc((Path({folder!r}),)),
    claim=tuple(
        LicenceClaim(licence, f"{{host}} {{licence}}", file="SOURCE.txt", only=(f"https://{{host}}.example/",))
        for host, licence in LICENCES.items()
    ),
    rule=LicenceRule(proofs=("licence-file",), expected=tuple(LICENCES.values())),
    expect=Expect(1, 100_000),
)
'''


def write(folder: Path) -> Path:
    """Write the archive and its source file; the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SOURCE.txt").write_text("".join(f"{host} {name}\n" for host, name in LICENCES.items()), "utf-8")
    with (folder / "cut.warc.gz").open("wb") as stream:
        for url, media, body in list_pages():
            stream.write(capture.warc_record(url, FETCHED, 200, (("Content-Type", media),), body))
    path = folder / "cut.py"
    path.write_text(SOURCE.format(licences=LICENCES, folder=str(folder.absolute())), "utf-8")
    return path


def list_pages() -> Iterator[tuple[str, str, bytes]]:
    """Yield (address, media type, body) of each record."""
    tables = (("news", "wikinews.csv"), ("books", "book_review02.csv"), ("reviews", "book_review01.csv"),
              ("tales", "fairytale01.csv"))  # fmt: skip
    for host, name in tables:
        with (CORPORA / "boddari" / name).open(encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream)):
                yield f"https://{host}.example/{number}.html", "text/html; charset=utf-8", write_page(row)
    with (CORPORA / "law-ko" / "tax_rulings.jsonl").open(encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            row = {name: str(value or "") for name, value in json.loads(line).items()}
            yield f"https://rulings.example/{number}.html", "text/html; charset=utf-8", write_page(row)
    for host, folder, ending, media in (
        ("guide", "debian-installguide-ko", "html", "text/html"),
        ("react", "ko-react-dev", "md", "text/markdown; charset=utf-8"),
    ):
        for path in sorted((CORPORA / folder).rglob(f"*.{ending}")):
            yield f"https://{host}.example/{path.relative_to(CORPORA / folder).as_posix()}", media, path.read_bytes()


def write_page(row: dict[str, str]) -> bytes:
    """A page with the longest cell of a row as its text."""
    cells = sorted((value or "" for value in row.values()), key=len)
    body = "".join(f"<p>{html.escape(line)}</p>" for line in cells[-1].splitlines() if line.strip())
    title = html.escape(next((row[name] for name in ("제목", "사건명") if row.get(name)), ""))
    return f"<html><head><title>{title}</title></head><body><article>{body}</article></body></html>".encode()
