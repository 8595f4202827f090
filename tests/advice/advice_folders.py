"""Cases of tests/advice/test_advice.py: folders and archives on this machine."""

import errno
import gzip
import os
from pathlib import Path

import pytest

from crawlers import local_files
from tests.advice.advice import SOURCE, Place, advice, own


@advice("{}: the folder {} does not exist; correct the path in the source file.")
def folder_missing(place):
    own(place, SOURCE.replace('Path("pages")', 'Path("page")'))
    yield "collect own.py"
    place.edit("own.py", 'Path("page")', 'Path("pages")')
    yield "collect own.py"


@advice("{}: no file in {} matches {}{}; correct `include`{}.")
def glob_of_nothing(place):
    own(place, SOURCE.replace("*.txt", "*.hwp"))
    yield "collect own.py"
    place.edit("own.py", "*.hwp", "*.txt")
    yield "collect own.py"


@advice("{}: no file in {} matches {}{}; correct `include`{}.")
def glob_that_excludes_all(place):
    own(place, SOURCE.replace('include=("*.txt",)', 'include=("*.txt",), exclude=("a*",)'))
    yield "collect own.py"
    place.edit("own.py", '"a*"', '"b*"')
    yield "collect own.py"


@advice("{}: the glob {} cannot be used ({}); it is relative to the folder, as in **/*.hwp; correct include or exclude "
        "in the source file.")  # fmt: skip
def glob_absolute(place):
    own(place, SOURCE.replace('"*.txt"', '"/*.txt"'))
    yield "collect own.py"
    place.edit("own.py", '"/*.txt"', '"**/*.txt"')
    yield "collect own.py"


@advice("{}: no file in {} matches {}{}; correct `include`{}.")
def name_of_file(place):
    own(place)
    bad = place.folder / "pages" / b"\xb0\xa1.txt".decode("utf-8", "surrogateescape")
    (place.folder / "pages" / "a.txt").rename(bad)
    yield "collect own.py"
    bad.rename(bad.with_name("가.txt"))
    yield "collect own.py"


@advice("{}: the licence file {} does not exist; a claim needs its proof. Put it there, or correct `file` of the "
        "LicenceClaim in the source file.")  # fmt: skip
def licence_missing(place):
    own(place)
    (place.folder / "pages" / "LICENCE").rename(place.folder / "pages" / "COPYING")
    yield "collect own.py"
    place.edit("own.py", '"LICENCE"', '"COPYING"')
    yield "collect own.py"
    place.write("pages/LICENCE", "CC BY 4.0")
    place.edit("own.py", '"COPYING"', '"LICENCE"')
    yield "collect own.py"


def archive(place: Place, *names: str) -> None:
    place.write("own.py", SOURCE.partition("SOURCE =")[0] + "SOURCE = Source('own', 'a', 'b', Warc(("
                + "".join(f"Path({name!r}), " for name in names) + ")))\n")  # fmt: skip


RESPONSE = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
    b"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: https://a.example/\r\n"
    b"Content-Type: application/http; msgtype=response\r\nContent-Length: 46\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nab\r\n\r\n\r\n"
)


@advice("{}: the archive {} does not exist; correct `paths` in the source file.")
def archive_missing(place):
    archive(place, "a.warc")
    (place.folder / "b.warc").write_bytes(RESPONSE)
    yield "collect own.py"
    archive(place, "b.warc")
    yield "collect own.py"


@advice("{}: no .warc or .warc.gz below {}; correct `paths` in the source file.")
def archive_folder_empty(place):
    (place.folder / "crawl").mkdir()
    (place.folder / "other").mkdir()
    (place.folder / "other" / "b.warc.gz").write_bytes(gzip.compress(RESPONSE))
    archive(place, "crawl")
    yield "collect own.py"
    archive(place, "other")
    yield "collect own.py"


NO_PAGES = (
    "{}: no WARC record of {} is a response; nothing can be extracted{}. Name an archive of pages in `paths` of the "
    "source file."
)


@advice(NO_PAGES)
def archive_without_pages(place):
    (place.folder / "a.warc").write_bytes(RESPONSE.replace(b"Type: response", b"Type: metadata"))
    (place.folder / "b.warc").write_bytes(RESPONSE)
    archive(place, "a.warc")
    yield "collect own.py"
    archive(place, "b.warc")
    yield "collect own.py"


@advice(NO_PAGES.replace("extracted{}", "extracted (a.warc:{} cut off after {} of {} bytes)"))
def archive_cut_off(place):
    (place.folder / "a.warc").write_bytes(RESPONSE[:-9])
    (place.folder / "b.warc").write_bytes(RESPONSE)
    archive(place, "a.warc")
    yield "collect own.py"
    archive(place, "a.warc", "b.warc")
    yield "collect own.py"


@advice("{}: the folder {} cannot be read ({}); grant read permission, or correct the path in the source file.")
def folder_forbidden(place):
    def refuse(top, onerror=None):
        if str(top) == "pages" and onerror:
            onerror(PermissionError(13, "Permission denied", str(top)))
        else:
            yield from walk(top, onerror=onerror)

    own(place)
    place.write("other/a.txt", "한 줄의 글이다.\n")
    place.write("other/LICENCE", "CC BY 4.0\n")
    walk = os.walk
    with pytest.MonkeyPatch.context() as patch:  # the superuser may read everything, so the refusal is played
        patch.setattr(os, "walk", refuse)
        yield "collect own.py"
        place.edit("own.py", 'Path("pages")', 'Path("other")')
        yield "collect own.py"
    place.edit("own.py", 'Path("other")', 'Path("pages")')
    yield "collect own.py"


@advice("{}: the folder {} changed while it was listed, or cannot be read ({}); grant read permission, or collect "
        "again when it no longer changes.")  # fmt: skip
def folder_that_changes(place):
    def refuse(path, pattern):
        if path == Path("pages"):
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return glob(path, pattern)

    own(place)
    glob = Path.glob
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "glob", refuse)
        yield "collect own.py"
    yield "collect own.py"


@advice("{}: no file in {} matches {}{}; correct `include`{}.")
def file_forbidden(place):
    def refuse(path):
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return digest(path)

    own(place)
    digest = local_files.sha256_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_files, "sha256_of", refuse)
        yield "collect own.py"
        place.write("pages/b.txt", "다른 글이다.\n")  # one that may not be read stops no other
        yield "collect own.py"
    yield "collect own.py"


@advice("{}: the licence file {} cannot be read ({}); a claim needs its proof. Grant read permission, or correct "
        "`file` of the LicenceClaim in the source file.")  # fmt: skip
def licence_forbidden(place):
    def refuse(path):
        if path.name == "LICENCE":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    own(place)
    place.write("pages/COPYING", "CC BY 4.0\n")
    read = Path.read_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        yield "collect own.py"
        place.edit("own.py", '"LICENCE"', '"COPYING"')
        yield "collect own.py"
    place.edit("own.py", '"COPYING"', '"LICENCE"')
    yield "collect own.py"
