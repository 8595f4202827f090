"""Cases of tests/advice/test_advice.py: what a source file says, and what an operator records of it."""

from malmoi.workspace import Workspace
from tests.advice.advice import SOURCE, advice, own


@advice("no source is called {} in {}/{}: choose one of {}, or name a file that ends in .py")
def source_unknown(place):
    yield "collect nope --dry-run"
    yield "collect sample --dry-run"


@advice("no source of the catalogue is called {}; for the file here write {}.py")
def source_without_its_ending(place):
    own(place)
    yield "collect own"
    yield "collect own.py"


@advice("{}: nothing is collected of such a source; name one that `malmoi status` lists.")
def source_without_captures(place):
    own(place)
    yield "sources repair own"
    yield "collect own.py"
    yield "sources repair own"


@advice("{}: the file does not exist; check the path of the source")
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
        "for a licence and change crawlers/denylist.py with the proof")  # fmt: skip
def source_denied(place):
    from crawlers.denylist import DENIED

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
        "add the licence to malmoi/licensing/licences.py.")  # fmt: skip
def licence_unknown(place):
    own(place, SOURCE.replace("CC-BY-4.0", "CC-BY-40"))
    yield "collect own.py"
    place.edit("own.py", "CC-BY-40", "CC-BY-4.0")
    yield "collect own.py"


@advice(
    "{}: {} current captures, expected {} to {}. Compare the addresses, hosts and scope of its access with the source; "
    "correct `expect` if it has changed."
)
def expected_more(place):
    own(place, SOURCE.replace("claim=", "expect=Expect(5, 10), claim="))
    yield "collect own.py"
    place.edit("own.py", "Expect(5, 10)", "Expect(1, 10)")
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


@advice("--page {} is not an http or https address; give the page that was read.")
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


@advice("{}: must hold one object per source with {}; correct or delete it.")
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


@advice("{} is already in the catalogue; choose another name.")
def new_known(place):
    yield "sources new sample"
    yield "sources new sample2"


@advice("{} already exists and was not overwritten; move it away, or choose another name.")
def new_twice(place):
    place.write("mine.py", "")
    yield "sources new mine"
    yield "sources new mine2"
    (place.folder / "mine.py").rename(place.folder / "old.py")
    yield "sources new mine"


@advice("no row of the denylist contains {}; `malmoi sources denied` prints all rows.")
def denied_unknown(place):
    yield "sources denied xyzzy"
    yield "sources denied"


@advice("{}: {} of {} documents of shard {} failed ({}), first {}. The documents are not the cause; nothing was "
        "written. Correct the code of the source or filter (error:…), or give it memory and time (…-limit, killed), "
        "and run again.")  # fmt: skip
def many_failures(place):
    own(place, SOURCE + "def text(item):\n    raise ValueError\n")
    for number in range(12):
        place.write(f"pages/{number}.txt", f"{number}번째 글이다.\n")
    yield "collect own.py; curate general --source own.py --workers 1"
    place.edit("own.py", "def text(item):\n    raise ValueError\n", "")
    yield "curate general --source own.py --workers 1"


@advice("{}: a claim cannot speak for the pages of an open archive, which are of many publishers; leave out claim=, "
        "each page needs a proof of its own (docs/rights.md, Pages that no source declares)")  # fmt: skip
def source_claim_of_archive(place):
    claim = "claim=(LicenceClaim('MIT', 'MIT License', file='LICENCE.txt'),)"
    access = "CommonCrawl('CC-MAIN-2026-34', data=Path('archive'))"
    place.write("web.py", "from pathlib import Path\nfrom malmoi.source import CommonCrawl, LicenceClaim, Source\n"
                f"SOURCE = Source('web', 'a', 'b', {access}, {claim})\n")  # fmt: skip
    yield "collect web.py --dry-run"
    place.edit("web.py", f", {claim}", "")
    yield "collect web.py --dry-run"


@advice("{}: the claim of {} names neither a file nor a page that says so; add file=… or url=… to the LicenceClaim.")
def source_claim_without_place(place):
    own(place)
    place.edit("own.py", ', file="LICENCE"', "")
    yield "collect own.py"
    place.edit("own.py", '"CC BY 4.0"),', '"CC BY 4.0", file="LICENCE"),')
    yield "collect own.py"
