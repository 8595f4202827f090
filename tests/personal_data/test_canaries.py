"""A canary of every kind in every place that collection reads: in the private stages it may sing, nowhere else."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from malmoi.releases import residue
from tests.builders import small_canaries as canaries
from tests.builders.rows import each_row
from tests.builders.small_canaries import ADDRESSES, INSIDE, KINDS, PLACES, Hay, hay, survivors
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_site import serve

STAGES = ("1-captures", "2-documents", "3-clean", "4-judged", "5-curated")
# What a run leaves that holds texts as they came: nobody but the operator reads it.
PRIVATE = re.compile(rf"({'|'.join(STAGES)})/|reports/curation(\.ko)?\.html")
LOGS = ("crawl.log", "errors.log", "run.json", "job.json", "stats.json", "blocked.jsonl")
# Places that extraction reads; descriptions, pictures' words, comments and licence files never become a document.
READ = ("body", "title", "author", "table", "footer", "signal", "markdown", "row", "row-title", "row-author",
        "keeper", "copy", "dropped", "unlicensed")  # fmt: skip
UNREAD = {("url_secret", "author")}  # an address is no byline
# A name that no text has: it cannot be told from another word, so it stays in titles, bylines, addresses and ids.
ALONE = {("name", place) for place in ("title", "author", "row-title", "row-author", *ADDRESSES)}


@dataclass(frozen=True)
class Ran:
    """A run of the command line, and the workspace it has worked in."""

    workspace: Path
    done: subprocess.CompletedProcess[str]

    @property
    def release(self) -> Path:
        (folder,) = (self.workspace / "6-releases" / "general").glob("*.*.*")
        return folder


def ran(root: Path, *, addresses: bool) -> Ran:
    recipe = canaries.recipe(root)
    with serve() as served:
        sources = [
            canaries.site(root, served, addresses=addresses),
            canaries.folder(root, addresses=addresses),
        ]
        given = [word for source in sources for word in ("--source", source)]
        done = malmoi_in_process("run", recipe, *given, "--workspace", root / "w")
    return Ran(root / "w", done)


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    found = ran(tmp_path_factory.mktemp("inside"), addresses=False)
    assert found.done.returncode == 0, found.done.stderr
    return found


@pytest.fixture(scope="module")
def left(inside: Ran) -> dict[tuple[str, str], list[str]]:
    return survivors(hay(inside.release), PLACES)


@pytest.fixture(scope="module")
def addressed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return ran(tmp_path_factory.mktemp("addressed"), addresses=True)


def printed(found: Ran) -> list[Hay]:
    return [Hay("standard output", found.done.stdout), Hay("standard error", found.done.stderr)]


def outside(workspace: Path) -> Iterator[Hay]:
    """Everything in a workspace but what is private and what is published."""
    for one in hay(workspace):
        if not PRIVATE.match(one.where) and not one.where.startswith("6-releases/general/"):
            yield one


def test_every_canary_was_there_to_be_found(inside: Ran) -> None:
    seen = survivors(hay(inside.workspace / "2-documents"), READ)
    assert {(kind, place) for kind in KINDS for place in READ} - seen.keys() == UNREAD
    for number, _ in enumerate(KINDS):
        assert (inside.workspace.parent / "files" / f"{number}.md").is_file()


@each_row("place", INSIDE)
def test_no_canary_survives_in_any_file_of_the_release(
    left: dict[tuple[str, str], list[str]], inside: Ran, place: str
) -> None:
    assert {key: where for key, where in left.items() if key[1] == place and key not in ALONE} == {}
    ledger = [json.loads(path.read_text("utf-8")) for path in inside.workspace.glob("2-documents/*/ledger.json")]
    assert sum(len(one["failed"]) for one in ledger) == 1  # the document with a canary of every kind that failed


def test_no_canary_is_printed_or_logged(inside: Ran) -> None:
    logs = [path for path in inside.workspace.rglob("*") if path.name in LOGS]
    assert {path.name for path in logs} >= {"crawl.log", "errors.log", "run.json", "stats.json"}
    told = [Hay(path.name, path.read_text("utf-8")) for path in logs]
    assert survivors([*printed(inside), *told], PLACES) == {}


def test_no_canary_survives_in_what_the_release_leaves_to_later_ones(inside: Ran) -> None:
    assert list(inside.workspace.glob("surveys/index/*/general/*/documents.parquet"))
    assert survivors(hay(inside.workspace / "surveys" / "index"), PLACES) == {}


@pytest.mark.heavy
def test_the_private_stages_and_one_report_are_all_that_may_hold_them(inside: Ran) -> None:
    assert survivors(outside(inside.workspace), PLACES).keys() <= ALONE


def test_the_card_says_that_nothing_is_left_and_the_release_verifies(inside: Ran) -> None:
    card = json.loads((inside.release / "card.json").read_text("utf-8"))
    rows = {row[0]: row[1:] for row in card["tables"]["personal_data"]["rows"]}
    replaced = {kind for kind, row in rows.items() if row[0] > 0}
    assert replaced >= set(KINDS) - {"rrn", "frn"}  # documents with these may as well be quarantined
    assert {kind for kind, row in rows.items() if row[2:4] == [0, 0]} == set(residue.KINDS)
    assert malmoi_in_process("verify", inside.release).returncode == 0


def test_the_second_detector_finds_each_of_its_kinds_in_what_came_in(inside: Ran) -> None:
    texts = [
        text
        for path in inside.workspace.glob("2-documents/*/documents.parquet")
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist()
    ]
    assert {kind for text in texts for kind in residue.kinds(text)} == set(residue.KINDS)


def test_every_canary_in_an_address_or_a_name_was_there_to_be_found(addressed: Ran) -> None:
    seen = survivors(hay(addressed.workspace / "2-documents"), ADDRESSES)
    assert {(kind, place) for kind in KINDS for place in ADDRESSES} == seen.keys()


@pytest.mark.parametrize("place", ADDRESSES)
def test_no_canary_survives_that_came_in_an_address_or_a_name(addressed: Ran, place: str) -> None:
    assert addressed.done.returncode == 0, "publication was stopped"
    assert survivors(hay(addressed.release), [place]).keys() <= ALONE


def test_a_publication_that_is_stopped_shows_no_canary(addressed: Ran) -> None:
    assert survivors(printed(addressed), PLACES) == {}
    if addressed.done.returncode:
        assert "nothing was published, and nothing is lost" in addressed.done.stderr
        assert "data/" in addressed.done.stderr and "such as in urn:uuid:" in addressed.done.stderr
        assert not list(addressed.workspace.glob("6-releases/*/*.*.*"))
