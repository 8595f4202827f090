"""Cases of tests/advice/test_advice.py: what a repository answers to a wrong declaration of OaiPmh."""

from collections.abc import Iterator

from tests.advice.advice import Place, advice
from tests.builders.small_oai import Repository, Work, day, serve

SOURCE = (
    "from malmoi.source import *\n"
    'SOURCE = Source("own", "t", "p", OaiPmh("{base}"{more}), manners=Manners(0.0, loopback=("{host}",)))\n'
)


def correct(place: Place, repository: Repository, wrong: str, right: str, base: str = "") -> Iterator[str]:
    """Collect with a wrong declaration, and with the right one."""
    host = repository.host.removeprefix("http://")
    text = SOURCE.format(base=base or repository.base, more=wrong, host=host)
    place.write("own.py", text)
    yield "collect own.py"
    place.write("own.py", SOURCE.format(base=repository.base, more=right, host=host))
    yield "collect own.py"


@advice("{}: the repository offers the formats {}, and not {}; correct formats of its OaiPmh")
def repository_format(place: Place) -> Iterator[str]:
    with serve(Repository(size=3, formats=("oai_dc", "dim"))) as repository:
        yield from correct(place, repository, ', formats=("qdc",)', ', formats=("dim",)')


@advice("{}: the repository answers {}{} to {}; the repository has no sets; leave out sets of its OaiPmh")
def repository_without_sets(place: Place) -> Iterator[str]:
    with serve(Repository(size=3)) as repository:
        yield from correct(place, repository, ', sets=("a",)', "")


@advice("{}: the repository has no set {}; correct sets of its OaiPmh, it has {}, such as {}")
def repository_set(place: Place) -> Iterator[str]:
    with serve(Repository(size=3, sets=("a",), work=lambda n: Work(n, day(n), "t", "글", sets=("a",)))) as repository:
        yield from correct(place, repository, ', sets=("b",)', ', sets=("a",)')


@advice("{}: the repository answers badArgument{} to {}; correct formats, sets, start or end of its OaiPmh")
def repository_argument(place: Place) -> Iterator[str]:
    with serve(Repository(size=3)) as repository:
        yield from correct(place, repository, ', start="2026-02-01", end="2026-01-01"', ', end="2026-02-01"')


@advice("{}: the answer of {} is not OAI-PMH ({}); check url of its OaiPmh and open that address in a browser")
def repository_other_page(place: Place) -> Iterator[str]:
    with serve(Repository(size=3)) as repository:
        repository.add("/page", "text/html", b"<html><body>hello</body></html>")
        yield from correct(place, repository, "", "", f"{repository.host}/page")


@advice("{}: {} of its OaiPmh is not a day like 2026-11-01; correct {}")
def repository_day(place: Place) -> Iterator[str]:
    with serve(Repository(size=3)) as repository:
        yield from correct(place, repository, ', start="2026"', ', start="2026-01-01"')


@advice("{}: an OaiPmh needs a base URL without a query, and at least one metadata prefix in formats; correct {}")
def repository_query(place: Place) -> Iterator[str]:
    with serve(Repository(size=3)) as repository:
        yield from correct(place, repository, "", "", f"{repository.base}?verb=Identify")
