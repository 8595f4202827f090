"""Cases of tests/test_advice.py: what a source file says, and what an operator records of it."""

import gzip
import os

import pytest
from advice import SOURCE, Place, advice, own

from crawlers import local
from malmoi.workspace import Workspace


@advice("no source is called {} in {}/{}: choose one of {}, or name a file that ends in .py")
def source_unknown(place):
    yield "collect nope --dry-run"
    yield "collect sample --dry-run"


@advice("{}: there is no such file; check the path of the source")
def source_missing(place):
    own(place)
    yield "collect owm.py"
    yield "collect own.py"


@advice("{}: defines no SOURCE; add SOURCE = Source(…) from malmoi.source")
def source_undefined(place):
    own(place, SOURCE.replace("SOURCE = ", "MINE = "))
    yield "collect own.py"
    place.edit("own.py", "MINE = ", "SOURCE = ")
    yield "collect own.py"


@advice("{}: the name {} cannot be a folder; use lower-case letters, digits, - and _")
def source_name(place):
    own(place, SOURCE.replace('"own"', '"My own"'))
    yield "collect own.py"
    place.edit("own.py", '"My own"', '"my-own_1"')
    yield "collect own.py"


@advice("{} is {}, which is str; write Path({})")
def source_mistyped(place):
    own(place, SOURCE.replace('Path("pages")', '"pages"'))
    yield "collect own.py"
    place.edit("own.py", 'Folder("pages"', "Folder(Path('pages')")
    yield "collect own.py"


@advice("{}: {} is on the denylist ({}); see `malmoi sources denied {}`. Leave the source out, or ask its publisher "
        "for a licence and change crawlers/denied.py with the proof")  # fmt: skip
def source_denied(place):
    from crawlers.denied import DENIED

    row = next(d for d in DENIED if d.hosts and not d.unless_marked)
    place.write("web.py", "from malmoi.source import Site, Source\nSOURCE = Source('web', 'a', 'b', "
                f"Site(('https://{row.hosts[0]}/',), ('https://{row.hosts[0]}/',)))\n")  # fmt: skip
    own(place)
    yield "collect web.py own.py"
    yield f"sources denied {row.id}"
    yield "collect own.py"


@advice("{}: {} must be a function; rename the value or define `def {}(…)`")
def source_verb(place):
    own(place, SOURCE + "text = 'a'\n")
    yield "collect own.py"
    place.edit("own.py", "text = 'a'", "words = 'a'")
    yield "collect own.py"


@advice("{}: fails when it is loaded ({}: {}); correct the file")
def source_fails(place):
    own(place, SOURCE + "1 / 0\n")
    yield "collect own.py"
    place.edit("own.py", "1 / 0", "")
    yield "collect own.py"


@advice("{}: the claim names the licence {}, which docs/rights.md does not list; correct the id in the source file, or "
        "add the licence to malmoi/licences.py.")  # fmt: skip
def licence_unknown(place):
    own(place, SOURCE.replace("CC-BY-4.0", "CC-BY-40"))
    yield "collect own.py"
    place.edit("own.py", "CC-BY-40", "CC-BY-4.0")
    yield "collect own.py"


@advice(
    "{}: {} captures stand, expected {} to {}. Look at the source; if it has changed, correct `expect` in its file."
)
def expected_more(place):
    own(place, SOURCE.replace("claim=", "expect=Expect(5, 10), claim="))
    yield "collect own.py"
    place.edit("own.py", "Expect(5, 10)", "Expect(1, 10)")
    yield "collect own.py"


@advice("{}: the folder {} is not there; correct the path in the source file.")
def folder_missing(place):
    own(place, SOURCE.replace('Path("pages")', 'Path("page")'))
    yield "collect own.py"
    place.edit("own.py", 'Path("page")', 'Path("pages")')
    yield "collect own.py"


@advice("{}: no file in {} matches {}{}; correct `include`.")
def glob_of_nothing(place):
    own(place, SOURCE.replace("*.txt", "*.hwp"))
    yield "collect own.py"
    place.edit("own.py", "*.hwp", "*.txt")
    yield "collect own.py"


@advice("{}: the glob {} cannot be used ({}); it is relative to the folder, as in **/*.hwp; correct include or exclude "
        "in the source file.")  # fmt: skip
def glob_absolute(place):
    own(place, SOURCE.replace('"*.txt"', '"/*.txt"'))
    yield "collect own.py"
    place.edit("own.py", '"/*.txt"', '"**/*.txt"')
    yield "collect own.py"


@advice("{}: the file name {} is not UTF-8; rename the file (convmv does whole folders), or leave it out with "
        "exclude=… in the source file.")  # fmt: skip
def name_of_file(place):
    own(place)
    bad = place.folder / "pages" / b"\xb0\xa1.txt".decode("utf-8", "surrogateescape")
    bad.write_text("글\n", encoding="utf-8")
    yield "collect own.py"
    place.edit("own.py", 'include=("*.txt",)', 'include=("*.txt",), exclude=("[!a-z]*.txt",)')
    yield "collect own.py"
    place.edit("own.py", ', exclude=("[!a-z]*.txt",)', "")
    bad.rename(bad.with_name("가.txt"))
    yield "collect own.py"


@advice("{}: the licence file {} is not there; a claim needs its proof. Put it there, or correct `file` of the "
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
    b"Content-Type: application/http; msgtype=response\r\nContent-Length: 45\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nab\r\n\r\n\r\n"
)


@advice("{}: the archive {} is not there; correct `paths` in the source file.")
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


@advice("{}: no WARC record of {} is a response; nothing can be extracted. Name an archive of pages in `paths` of the "
        "source file.")  # fmt: skip
def archive_without_pages(place):
    (place.folder / "a.warc").write_bytes(RESPONSE.replace(b"Type: response", b"Type: metadata"))
    (place.folder / "b.warc").write_bytes(RESPONSE)
    archive(place, "a.warc")
    yield "collect own.py"
    archive(place, "b.warc")
    yield "collect own.py"


@advice("{}: nothing collected yet; run `{}` first.")
def nothing_collected(place):
    own(place)
    yield "curate general --source own.py --workspace 'my ws' --workers 1"
    yield "{advised}"
    yield "curate general --source own.py --workspace 'my ws' --workers 1"


TERMS = "sources terms sample --reviewer Kim --page https://a.example/ --verdict allowed"


@advice("--reviewer is empty; say who has read the terms.")
def reviewer_empty(place):
    yield TERMS.replace("Kim", "''")
    yield TERMS


@advice("--page {} is not an address of http or https; give the page that was read.")
def page_no_address(place):
    yield TERMS.replace("https://", "")
    yield TERMS


@advice("--verdict is {}; it must be {}.")
def verdict_other(place):
    yield TERMS.replace("allowed", "yes")
    yield TERMS
    yield TERMS.replace("allowed", "forbidden")


@advice("--date is {}; write it as 2026-11-24.")
def date_other(place):
    yield TERMS + " --date 24.11.2026"
    yield TERMS + " --date 2026-11-24"


@advice("--date {} is in the future; a check is recorded after it was made.")
def date_future(place):
    yield TERMS + " --date 9999-01-01"
    yield TERMS


@advice("{}: holds one object a source with {}; correct or delete it.")
def terms_of_another_shape(place):
    Workspace.open(place.folder / "w")
    place.write("w/terms.json", '{"sample": {"reviewer": "Kim"}}')
    yield TERMS + " --workspace w"
    (place.folder / "w" / "terms.json").unlink()
    yield TERMS + " --workspace w"


@advice("{}: cannot be read ({}); restore it, or delete it and record the checks again.")
def terms_damaged(place):
    Workspace.open(place.folder / "w")
    place.write("w/terms.json", "{")
    yield "sources sample --workspace w"
    (place.folder / "w" / "terms.json").unlink()
    yield TERMS + " --workspace w"
    yield "sources sample --workspace w"


@advice("{} cannot be the name of a source; use lower-case letters, digits, - and _.")
def new_name(place):
    yield "sources new 'My Source'"
    yield "sources new my-source"


@advice("{} is in the catalogue already; choose another name.")
def new_known(place):
    yield "sources new sample"
    yield "sources new sample2"


@advice("{} is there already and is not written over; move it away, or choose another name.")
def new_twice(place):
    place.write("mine.py", "")
    yield "sources new mine"
    yield "sources new mine2"
    (place.folder / "mine.py").rename(place.folder / "old.py")
    yield "sources new mine"


@advice("nothing on the denylist says {}; `malmoi sources denied` prints all of it.")
def denied_unknown(place):
    yield "sources denied xyzzy"
    yield "sources denied"


@advice("{}: the folder {} cannot be read ({}); give the right to read it, or leave it out with exclude=… in the "
        "source file.")  # fmt: skip
def folder_forbidden(place):
    def refuse(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(top)))
        yield from ()

    own(place)
    with pytest.MonkeyPatch.context() as patch:  # the superuser may read everything, so the refusal is played
        patch.setattr(os, "walk", refuse)
        yield "collect own.py"
    yield "collect own.py"


@advice("{}: the file {} cannot be read ({}); give the right to read it, or leave it out with exclude=… in the "
        "source file.")  # fmt: skip
def file_forbidden(place):
    def refuse(path):
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return digest(path)

    own(place)
    place.write("pages/b.txt", "다른 글이다.\n")
    digest = local.sha256_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "sha256_of", refuse)
        yield "collect own.py"
        place.edit("own.py", 'include=("*.txt",)', 'include=("*.txt",), exclude=("b.txt",)')
        yield "collect own.py"
    place.edit("own.py", ', exclude=("b.txt",)', "")
    yield "collect own.py"


@advice("{}: {} of {} documents of shard {} failed ({}), first {}. That is no fault of the documents; nothing was "
        "written. Correct the code of source or filter (error:…), or give memory and time (…-limit, killed), and "
        "run again.")  # fmt: skip
def many_failures(place):
    own(place, SOURCE + "def text(item):\n    raise ValueError\n")
    for number in range(12):
        place.write(f"pages/{number}.txt", f"{number}번째 글이다.\n")
    yield "collect own.py; curate general --source own.py --workers 1"
    place.edit("own.py", "def text(item):\n    raise ValueError\n", "")
    yield "curate general --source own.py --workers 1"
