"""Cases of tests/advice/test_advice.py: a probe or a forecast that ends in a message."""

from malmoi.erasure import tombstones
from malmoi.workspace import Workspace
from tests.advice.advice import SOURCE, advice
from tests.advice.advice import own as write_own
from tests.builders.small_archive import prose


def own(place, source=SOURCE):
    """A source whose one text is long enough for a release."""
    write_own(place, source)
    place.write("pages/a.txt", prose(1, 12))


@advice(
    "could not be probed: {}. Read the checks that failed above, then probe again once the host works or the source "
    "file is corrected."
)
def probe_fails(place):
    own(place, SOURCE.replace("*.txt", "*.hwp"))
    yield "sources probe own.py"
    place.edit("own.py", "*.hwp", "*.txt")
    yield "sources probe own.py"


@advice(
    "not what the source declares: {}. Compare the checks that differ with an answer, and correct the source file; a "
    "changed licence or page of terms is read by a person first."
)
def probe_differs(place):
    own(place)
    place.write("pages/LICENCE", "All rights reserved")
    yield "sources probe own.py"
    place.write("pages/LICENCE", "CC BY 4.0\n")
    yield "sources probe own.py"


@advice("not asked: {}. Supply what is named above, and probe again.")
def probe_needs(place):
    own(place, SOURCE.replace('Path("pages")', 'Path("papers")'))
    yield "sources probe own.py"
    (place.folder / "pages").rename(place.folder / "papers")
    yield "sources probe own.py"


@advice("--all probes every source of the catalogue; leave out the names, or leave out --all.")
def probe_all_and_one(place):
    own(place)
    yield "sources probe own.py --all"
    yield "sources probe own.py"


@advice("name the sources to probe, or pass --all; `malmoi sources` lists the catalogue.")
def probe_none(place):
    own(place)
    yield "sources probe"
    yield "sources probe own.py"


@advice("{}: the sample holds no capture; run `malmoi sources probe {}`, which says why.")
def forecast_empty(place):
    own(place)
    home = Workspace.open(place.folder / "w")
    tombstones.add(home.withdrawals, [tombstones.Tombstone("id", "own/a.txt", "2030-01-01", "asked")])
    yield "sources forecast own.py --sample 5 --workspace w"
    home.withdrawals.unlink()
    yield "sources probe own.py --workspace w"
    yield "sources forecast own.py --sample 5 --workspace w"
