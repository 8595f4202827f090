"""Each message names a remedy, and the remedy helps: every one is provoked, followed, and seen to succeed.

A case is a generator: it yields the command that must fail with its message, does what the message says, and yields
the command that must succeed. The last test reads the source and knows which messages have no case.
"""

import ast
import base64
import gzip
import json
import re
import shlex
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_corpus import make

from crawlers.sources import sample
from flows.cli import app, guarded
from flows.run import RECIPES
from malmoi.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
WATCHED = (
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "flows").glob("*.py")),
    "malmoi/workspace.py", "malmoi/location.py", "malmoi/recipe.py", "malmoi/named_files.py",
    "crawlers/catalogue.py", "crawlers/folders.py", "crawlers/local.py",
)  # fmt: skip
ERRORS = {"CallError", "SourceError", "StageError", "DataError", "CaptureError"}
# Messages without a case here, each with its reason.
ELSEWHERE = {
    "{}: {}": "wraps a message that has a case of its own (malmoi/recipe.py)",
    "{}: filter {}: {}": "wraps a message that has a case of its own",
    "{}: {} Run malmoi verify on it; move it away or restore it.": "test_a_damaged_release_is_moved_away",
    "the new release does not verify ({}); nothing was published. Run the same command again.": "an invariant",
    "{}: {} of {} documents of shard {} failed ({}), first {}. That is no fault of the documents; nothing was written. "
    "Look at one with `malmoi try`, mend the cause and run again.": "tests/test_workers.py",
    "survey of {}: {} has no sketch ({}). Nothing was written; look at its text with `malmoi why {} {}`, and lower "
    "`max_chars` of the length filter if it is too long.": "needs a text beyond the limits of a worker",
    "{}: stands without a ledger; delete it, it will be made anew.": "an invariant of commit",
    "{}: {} is fetched over the net, not read from disk.": "an invariant: only Folder and Warc come here",
    "filters/{}.py has {}; a filter is one file with one of {}.": "for who writes a filter; tests/test_recipe.py",
    "filter {} and another give the survey {} different parameters.": "tests/test_recipe.py",
    "{}: Python cannot load this file; check its name": "the name ends in .py, so Python can",
    "{}: changed since the recipe was read. Start the run again.": "a race; tests/test_evaluation_files.py",
    "{}: {}; it was there when the recipe was read.": "a race",
    "{}: cannot be read back ({}). Delete {} and run again: it is made anew.": "tests/test_promotion.py",
    "{} does not answer ({}: {}). What is finished stands. {}": "tests/test_prefect.py",
    "workspace {} {}": "tests/test_location.py",
    "workspace {} cannot be used ({}: {}); name a folder that you may write to, or get the permission.":
        "tests/test_location.py",
    "{}: the folder {} cannot be read ({}); give the right to read it, or leave it out with exclude=… in the source "
    "file.": "root may read everything; tests/test_inhouse.py",
    "{}: the file {} cannot be read ({}); give the right to read it, or leave it out with exclude=… in the source "
    "file.": "root may read everything; tests/test_inhouse.py",
    "{}: the licence page {} was not had in this run ({}); a claim needs its proof. Look at the page; correct url of "
    "the LicenceClaim if it has moved, or retire the source.": "needs a site; tests/test_collection.py",
    "{}: the licence file {} is not in the repository; a claim needs its proof. Look at the repository; correct file "
    "of the LicenceClaim if it has moved, or retire the source.": "needs a repository; tests/test_git.py",
    "{} The next collect asks for the page anew and keeps the other pages.": "needs a site; tests/test_collection.py",
}  # fmt: skip
CASES: dict[str, "Case"] = {}


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


def called(command: str) -> int:
    arguments = shlex.split(command)
    return guarded(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


def pattern(message: str) -> str:
    return ".*".join(re.escape(part) for part in message.split("{}"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A workspace with one release, made once."""
    root = tmp_path_factory.mktemp("advice")
    make(root, pages=12)
    assert called(f"run general --source {root}/small.py --workspace {root}/w --workers 1") == 0
    return root


@pytest.fixture
def place(tmp_path, corpus, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def released() -> Path:
        shutil.copy(corpus / "small.py", tmp_path)
        shutil.copytree(corpus / "w", tmp_path / "w")
        return tmp_path / "w"

    return Place(tmp_path, released)


SOURCE = """from pathlib import Path
from malmoi.source import Expect, Folder, LicenceClaim, Source, Warc
SOURCE = Source(
    name="own", title="a", publisher="b", access=Folder(Path("pages"), include=("*.txt",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),),
)
"""
GENERAL = (RECIPES / "general.toml").read_text(encoding="utf-8")


def own(place: Place, source: str = SOURCE) -> None:
    place.write("pages/a.txt", "한 줄의 글이다.\n")
    place.write("pages/LICENCE", "CC BY 4.0\n")
    place.write("own.py", source)


# The call: recipes, sources, options.


@advice("no recipe is called {}: choose one of {}, or name a file that ends in .toml.")
def recipe_misspelt(place):
    yield "run gnral --source sample --dry-run"
    yield "run general --source sample --dry-run"


@advice("no recipe is called {}: choose one of {}, or name a file that ends in .toml.")
def recipe_outside(place):
    yield "run ../recipes/general --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("{}: no such recipe; correct the path, or name a shipped one without .toml.")
def recipe_missing(place):
    yield "run own.toml --dry-run"
    yield "run general --source sample --dry-run"


@advice("{}: not valid TOML: {}. Correct the file.")
def recipe_not_toml(place):
    place.write("own.toml", GENERAL + "\n[[clean\n")
    yield "run own.toml --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("recipe {} names no source; name sources in the call (--source), or `sources = [...]` in a recipe of your own. "
        "`malmoi sources` lists the catalogue.")  # fmt: skip
def recipe_without_sources(place):
    yield "run general --dry-run"
    yield "sources"
    yield "run general --source sample --dry-run"
    place.write("own.toml", 'sources = ["sample"]\n' + GENERAL)
    yield "run own.toml --dry-run"


@advice('{}: a [[{}]] table has no `filter = "name"`.')
def table_without_filter(place):
    place.write("own.toml", GENERAL + "\n[[curated]]\nmin_chars = 1\n")
    yield "run own.toml --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("{}: [[{}]] names the unknown filter {}.{} Known: {}.")
def filter_unknown(place):
    place.write("own.toml", GENERAL.replace('filter = "language"', 'filter = "langage"'))
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "langage", "language")  # Did you mean 'language'?
    yield "run own.toml --source sample --dry-run"


@advice("unknown key {}. Did you mean {}? Known keys: {}.")
def key_unknown(place):
    place.write("own.toml", GENERAL.replace("shards = 4", "shard = 4"))
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "shard = 4", "shards = 4")
    yield "run own.toml --source sample --dry-run"


@advice("key {}: not a list (given: {}). A list: {} = [{}].")
def key_not_a_list(place):
    place.write("own.toml", 'sources = "sample"\n' + GENERAL)
    yield "run own.toml --dry-run"
    place.edit("own.toml", 'sources = "sample"', 'sources = ["sample"]')
    yield "run own.toml --dry-run"


EXAMS = '\n[[curated]]\nfilter = "benchmark_overlap"\nsets = {}\n'


def exams(place: Place, files: str) -> None:
    text = GENERAL.replace(
        '[[curated]]\nfilter = "personal_data"', EXAMS.format(files) + '[[curated]]\nfilter = "personal_data"'
    )
    assert "benchmark_overlap" in text
    place.write("own.toml", text)


@advice("key {}: {}: no such file or folder; paths start from the recipe's folder, {}.")
def exam_missing(place):
    exams(place, '["exams/a.jsonl"]')
    yield "run own.toml --source sample --dry-run"
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    yield "run own.toml --source sample --dry-run"


@advice("key {}: {}: the folder holds no file. Name the folder that holds the files.")
def exams_empty(place):
    (place.folder / "exams" / "inner").mkdir(parents=True)
    exams(place, '["exams/inner"]')
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "exams/inner", "exams")
    yield "run own.toml --source sample --dry-run"


@advice("key {}: a file stands twice in {}. Name each file or folder once.")
def exam_twice(place):
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    exams(place, '["exams/a.jsonl", "exams"]')
    yield "run own.toml --source sample --dry-run"
    exams(place, '["exams"]')
    yield "run own.toml --source sample --dry-run"


@advice("name at least one source; `malmoi sources` lists the catalogue.")
def no_source(place):
    yield "collect"
    yield "sources"
    yield "collect sample --dry-run"


@advice("sources {} and {} are both called {}, so their ids would collide; name each source once.")
def source_twice(place):
    own(place)
    yield "collect own.py ./own.py"
    yield "collect own.py"


@advice("contact {} is not an address; give a mail address, or the address of a page (http or https) that says who "
        "crawls.")  # fmt: skip
def contact_without_address(place):
    own(place)
    yield "collect own.py --contact me"
    yield "collect own.py --contact crawl@office.example"
    yield "collect own.py --contact https://office.example/crawl"


@advice("version {} is not MAJOR.MINOR.PATCH; write three numbers, such as 1.0.0.")
def version_of_words(place):
    yield "run general --source sample --version banana --dry-run"
    yield "run general --source sample --version 1.0.0 --dry-run"


@advice("version {} cannot be made: {} {} stands, and a release is never edited. Leave the version out, or raise it.")
def version_stands(place):
    place.released()
    yield "run general --source small.py --workspace w --version 1.0.0"
    yield "run general --source small.py --workspace w"
    yield "run general --source small.py --workspace w --version 1.0.1 --dry-run"


@advice("--workers is {}; give at least 1.")
def workers_none(place):
    yield "run general --source sample --workers 0 --dry-run"
    yield "run general --source sample --workers 1 --dry-run"


# Sources.


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


# The workspace.


@advice("workspace {} is the root of the file system; name a folder below it.")
def workspace_root(place):
    own(place)
    yield "collect own.py --workspace /"
    yield f"collect own.py --workspace {place.folder}/w"


@advice("workspace {}: {} is not a folder; name one.")
def workspace_file(place):
    own(place)
    yield "collect own.py --workspace own.py"
    yield "collect own.py --workspace w"


@advice("{} is not empty and no workspace of ours; name another with --workspace.")
def workspace_of_others(place):
    own(place)
    yield "collect own.py --workspace pages"
    yield "collect own.py --workspace w"


@advice("{}: not readable ({}); restore it, or name another --workspace.")
def workspace_mark_damaged(place):
    own(place)
    Workspace.open(place.folder / "w")
    mark = (place.folder / "w" / "malmoi.json").read_text(encoding="utf-8")
    place.write("w/malmoi.json", "{")
    yield "collect own.py --workspace w"
    yield "collect own.py --workspace w2"
    place.write("w/malmoi.json", mark)
    yield "collect own.py --workspace w"


@advice("{} has layout {}, this version works with {}; name another --workspace.")
def workspace_layout(place):
    own(place)
    Workspace.open(place.folder / "w")
    place.write("w/malmoi.json", '{"format": 99}')
    yield "collect own.py --workspace w"
    yield "collect own.py --workspace w2"


@advice("{} is in use by another run; wait for it, or name another --workspace.")
def workspace_in_use(place):
    own(place)
    with Workspace.open(place.folder / "w").lock():
        yield "collect own.py --workspace w"
        yield "collect own.py --workspace w2"
    yield "collect own.py --workspace w"


@advice("{}/ledger.json: {}; delete the folder, it will be made anew.")
def ledger_damaged(place):
    w = place.released()
    ledger = next(w.glob("3-clean/*/ledger.json"))
    ledger.write_text("{", encoding="utf-8")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(ledger.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: missing or not of {} bytes; delete {}, it will be made anew.")
def shard_damaged(place):
    w = place.released()
    shard = next(w.glob("4-unique/*/documents.parquet"))
    shard.write_bytes(shard.read_bytes()[:-9])
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(shard.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{} is no workspace yet; `{}` makes one. `malmoi sources` lists the catalogue.")
def status_of_nothing(place):
    own(place)
    yield "status --workspace 'my ws'"
    yield "{advised} SOURCE=own.py"
    yield "status --workspace 'my ws'"


@advice(
    "{} is no workspace; name one with --workspace, or make one: `malmoi run RECIPE --source SOURCE --workspace {}`."
)
def index_of_nothing(place):
    place.released()
    yield "index"
    yield "index --workspace w"


# Releases and the index.


@advice("{} exists and is no release of ours; move it away. Nothing was overwritten.")
def release_in_the_way(place):
    w = place.released()
    shutil.rmtree(w / "6-releases")
    shutil.rmtree(w / "surveys" / "index", ignore_errors=True)
    place.write("w/6-releases/general/1.0.0/notes.txt", "mine")
    yield "release general --source small.py --workspace w --workers 1"
    (w / "6-releases" / "general" / "1.0.0").rename(place.folder / "notes")
    yield "release general --source small.py --workspace w --workers 1"


@advice("{} is no release: it has neither {} nor {}. Name its folder, such as workspace/6-releases/NAME/VERSION.")
def verify_of_something_else(place):
    place.released()
    yield "verify w"
    yield "verify w/6-releases/general/1.0.0"


@advice("{}: {} findings; this is not the release that was published. Copy it anew from there.")
def verify_of_a_damaged_copy(place):
    release = place.released() / "6-releases" / "general" / "1.0.0"
    shutil.copytree(release, place.folder / "copy")
    next((place.folder / "copy").glob("data/**/*.parquet")).write_bytes(b"")
    yield "verify copy"
    shutil.rmtree(place.folder / "copy")
    shutil.copytree(release, place.folder / "copy")
    yield "verify copy"


def published(w: Path) -> str:
    shard = next(w.glob("6-releases/*/*/data/**/*.parquet"))
    return str(pq.read_table(shard, columns=["id"], partitioning=None)["id"][0])


@advice("{} is neither a workspace nor a release; name the folder that holds malmoi.json or manifest.json.")
def why_elsewhere(place):
    w = place.released()
    yield f"why . {published(w)}"
    yield f"why w {published(w)}"
    yield f"why w/6-releases/general/1.0.0 {published(w)}"


@advice("{} has no document {}; ids look like source/key. They stand in the column id of documents.parquet and "
        "dropped.parquet in the folders of the stages.")  # fmt: skip
def why_unknown(place):
    w = place.released()
    yield "why w small/none"
    stand = next(w.glob("2-documents/*/documents.parquet"))
    yield f"why w {shlex.quote(str(pq.read_table(stand, columns=['id'])['id'][0]))}"


@advice("{} has no document {}; ids look like source/key, as in the column id of data/ and audit/.")
def why_unpublished(place):
    w = place.released()
    yield "why w/6-releases/general/1.0.0 small/none"
    yield f"why w/6-releases/general/1.0.0 {published(w)}"


@advice("{} does not publish {}; texts that were dropped stand in the workspace: malmoi why WORKSPACE ID --against "
        "OTHER.")  # fmt: skip
def why_against_dropped(place):
    w = place.released()
    first = published(w)
    dropped = next(p for p in w.glob("3-clean/*/dropped.parquet") if pq.read_metadata(p).num_rows)
    other = shlex.quote(str(pq.read_table(dropped, columns=["id"])["id"][0]))
    yield f"why w/6-releases/general/1.0.0 {first} --against {other}"
    yield f"why w {first} --against {other}"


@advice("name at least one document by its id, such as sample/law/ordinance.html.")
def withdraw_nothing(place):
    w = place.released()
    yield "index withdraw --reason asked --workspace w"
    yield f"index withdraw {published(w)} --reason asked --workspace w"


@advice("{} has published no document {}; nothing was written. An id is written source/key, as in the column `id` of "
        "data/; `malmoi why {} ID` shows what became of one.")  # fmt: skip
def withdraw_unknown(place):
    w = place.released()
    yield "index withdraw small/none --reason asked --workspace w"
    yield f"index withdraw {published(w)} --reason asked --workspace w"


@advice("the index of {} has no segment of {}; `malmoi index --workspace {}` lists those it has.")
def compact_unknown(place):
    place.released()
    yield "index compact genral --workspace w"
    yield "index --workspace w"
    yield "index compact general --workspace w"


@advice("{} has no index yet: no release that stands has left a segment. Release by a recipe with near_duplicates: the "
        "release leaves one.")  # fmt: skip
def query_of_nothing(place):
    w = place.released()
    shutil.move(w / "surveys" / "index", place.folder / "index")
    place.write("a.txt", "짧은 글이다.")
    yield "index query a.txt --workspace w"
    yield "release general --source small.py --workspace w --workers 1"
    yield "index query a.txt --workspace w"


# malmoi try.


def lines(place: Place, *rows: object) -> None:
    place.write("in.jsonl", "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


GOOD = {"id": "a", "text": "한국어 문장이다."}
PAGE = {"id": "a", "html": "<p>글</p>"}


@advice("unknown stage {}: choose one of {}.")
def stage_unknown(place):
    lines(place, GOOD)
    yield "try languages --jsonl in.jsonl"
    yield "try language --jsonl in.jsonl"


@advice("give either files or --jsonl FILE (- for standard input).")
def input_both(place):
    lines(place, GOOD)
    yield "try language in.jsonl --jsonl in.jsonl"
    yield "try language --jsonl in.jsonl"


@advice("{}: {}; name a readable file.")
def input_missing(place):
    own(place)
    yield "try extract pages"
    yield "try extract pages/a.txt"


@advice("{}: {}; name a readable file, or - for standard input.")
def lines_missing(place):
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}:{}: not a JSON object in UTF-8 ({}). Correct the line.")
def line_broken(place):
    lines(place, GOOD, "{")
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}:{}: not a JSON object but {}. Write one object a line.")
def line_of_a_list(place):
    lines(place, [GOOD])
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: {}. Correct the line.")
def field_text(place):
    lines(place, {"id": "a", "text": 1})
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: the object needs one of the fields {}.")
def field_missing(place):
    lines(place, {"id": "a"})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE)
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'base64' cannot be decoded: {}. Encode the bytes again (RFC 4648).")
def field_base64(place):
    lines(place, {"id": "a", "base64": "?"})
    yield "try extract --jsonl in.jsonl"
    lines(place, {"id": "a", "base64": base64.b64encode("글".encode()).decode()})
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'html' is not a string; correct the line.")
def field_html(place):
    lines(place, {"id": "a", "html": 1})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE)
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'headers' is not an object of names and values; correct the line.")
def field_headers(place):
    lines(place, PAGE | {"headers": [1]})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE | {"headers": {"content-language": "ko"}})
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'robots' must be a string, 'well_known' an object of texts; correct the line.")
def field_robots(place):
    lines(place, PAGE | {"well_known": "a"})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"well_known": {"/.well-known/ai.txt": "a"}, "robots": "User-agent: *"})
    yield "try rights --jsonl in.jsonl"


@advice("more than one line has the id {}; a cluster names its members by id. Give each its own.")
def line_twice(place):
    lines(place, GOOD, GOOD)
    yield "try duplicates --jsonl in.jsonl"
    lines(place, GOOD, GOOD | {"id": "b"})
    yield "try duplicates --jsonl in.jsonl"


@advice("recipe {} has no filter {}; choose another with --recipe.")
def stage_without_filter(place):
    lines(place, GOOD)
    place.write("own.toml", 'name = "own"\npurpose = "p"\nunredacted = "x"\n[[clean]]\nfilter = "rights"\n')
    yield "try language --jsonl in.jsonl --recipe own.toml"
    yield "try language --jsonl in.jsonl --recipe general"


@advice("port {}: {}; set MALMOI_SAMPLE_PORT to a free one.")
def demo_port(place):
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else has it
            taken.bind(("127.0.0.1", sample.PORT))
            taken.listen()
        yield "demo --workspace w --workers 1"
    yield "sources sample"  # tests/test_demo.py runs it on another port


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.steps.__name__)
def test_the_remedy_that_a_message_names_helps(case, place, capsys):
    steps = case.steps(place)
    assert called(next(steps)) in (1, 2, 3)
    message = capsys.readouterr().err
    assert re.search(pattern(case.message), message, re.S), message
    assert "fault of malmoi" not in message
    advised = re.search(r"`malmoi (.*?)`", message)
    for step in steps:
        command, _, filled = step.partition(" SOURCE=")
        if command == "{advised}":
            assert advised, message
            command = advised[1].replace("SOURCE", filled)
        assert called(command) == 0, (command, capsys.readouterr().err)


def test_a_damaged_release_is_moved_away(place, capsys):
    w = place.released()
    release = w / "6-releases" / "general" / "1.0.0"
    manifest = (release / "manifest.json").read_text(encoding="utf-8")
    (release / "manifest.json").write_text("{", encoding="utf-8")
    command = "release general --source small.py --workspace w --workers 1"
    assert called(command) == 2
    assert "Run malmoi verify on it; move it away or restore it." in capsys.readouterr().err
    assert called(f"verify {release}") == 1
    (release / "manifest.json").write_text(manifest, encoding="utf-8")
    assert called(command) == 0
    (release / "manifest.json").write_text("{", encoding="utf-8")
    release.rename(place.folder / "damaged")
    assert called(command) == 0
    assert (release / "manifest.json").read_text(encoding="utf-8") == manifest


def test_a_run_that_keeps_nothing_says_why_and_where_to_look(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, pages=4)
    text = (tmp_path / "small.py").read_text(encoding="utf-8")
    (tmp_path / "small.py").write_text(re.sub(r"    claim=.*\n", "", text), encoding="utf-8")
    assert called("run general --source small.py --workspace 'my ws' --workers 1") == 3
    said = capsys.readouterr().err
    counted = re.search(r"no document is left to publish of (\d+): (.*?)\. See", said)
    assert counted and "rights: no-licence" in counted[2], said
    assert sum(int(n) for n in re.findall(r" (\d+)(?:,|$)", counted[2])) == int(counted[1])
    look = re.search(r"See how one of them was dropped: malmoi (.*)", said)
    assert look and called(look[1]) == 0
    assert "dropped by" in capsys.readouterr().out
    assert called("status --workspace 'my ws'") == 0
    told = capsys.readouterr().out
    assert "2-documents not kept: extract: " in told and "3-clean not kept: rights: no-licence" in told
    assert look[1] in told


def messages() -> dict[str, str]:
    """Every message that the watched files raise, with {} for what is filled in, and where."""
    found: dict[str, str] = {}
    for name in WATCHED:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found[_literal(node.args[0])] = f"{name}:{node.lineno}"
    del found[""]  # joined from messages, or made by a function: these are provoked by tests of their own
    return found


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return ""


def test_every_message_has_a_case():
    known = {case.message for case in CASES.values()} | ELSEWHERE.keys()
    missing = {where: message for message, where in messages().items() if message not in known}
    assert not missing
