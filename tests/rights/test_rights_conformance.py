"""The conformance set (tests/rights/conformance/README.md), run through the engine as a library."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from crawlers import defaults, rights_engine
from crawlers.rights import claims, licence_fields
from crawlers.source_object import read_source, read_trust
from malmoi.archive.capture import Capture
from malmoi.licensing.quoted_licences import is_proof
from malmoi.licensing.rights_decision import NONE, REASONS, UNKNOWN
from malmoi.source import Dump, Git, Item, LicenceClaim
from tests.builders.rows import each_row

FOLDER = Path(__file__).parent / "conformance"
CASES: list[dict[str, Any]] = [
    json.loads(line)
    for file in sorted(FOLDER.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
KEYS = {
    *("id", "url", "html", "text", "record", "title", "author", "fields", "source", "claims", "access", "trust"),
    *("headers", "robots", "well_known", "date", "use", "licence", "reason", "why", "known_error"),
}
ACCESS = {"git": Git("https://a.example.kr/repository"), "dump": Dump("https://a.example.kr/dump")}


def item_of(case: dict[str, Any]) -> Item:
    """Return the page, the text or the row of a case as an item."""
    headers, date = tuple(case.get("headers", {}).items()), case.get("date", "")
    if "record" in case:
        body = json.dumps(case["record"], ensure_ascii=False).encode()
        (row,) = defaults.items(Capture("r", case["url"], "", 200, headers, body))
        return row
    if "text" in case:
        return Item(case["id"], case["url"], case["text"].encode(), "", "", "r", headers=headers, date=date)
    media = dict(headers).get("Content-Type", "text/html").partition(";")[0]
    named = (*case.get("source", {}).get("fields", ()), "")[0]
    return Item(
        case["id"],
        case["url"],
        case["html"].encode(),
        media,
        "utf-8",
        "r",
        headers=headers,
        date=date,
        title=case.get("title", ""),
        author=case.get("author", ""),
        evidence=licence_fields.find(case.get("fields", {}), "r", named=named),
    )


def decide(case: dict[str, Any]) -> rights_engine.Rights:
    """Return the rights of a case; what its claims prove is evidence of its item."""
    item, source = item_of(case), read_source(case.get("source"), case["id"])
    if stated := tuple(LicenceClaim(**claim) for claim in case.get("claims", ())):
        claiming = replace(source, claim=stated, access=ACCESS.get(case["access"], source.access))
        proven = claims.from_claim(claiming, item, {one.file or one.url: "r" for one in stated})
        item = replace(item, evidence=(*item.evidence, *proven))
    return rights_engine.decide_item(
        item,
        source,
        robots=case.get("robots", ""),
        well_known={k: v if isinstance(v, str) else json.dumps(v) for k, v in case.get("well_known", {}).items()},
        trust=read_trust(case.get("trust"), case["id"]),
    )


@each_row("case", CASES, ids=lambda case: case["id"])
def test_a_case_is_decided_as_it_says(case: dict[str, Any]) -> None:
    rights = decide(case)
    named = [one for one in rights.evidence if one.licence not in (NONE, UNKNOWN)]
    if "claims" in case:  # the quotes of some deny their licence: a source that declares them does not load
        named = [one for one in named if one.scope != "source"]
    assert [one for one in named if not is_proof(one.licence, one.kind, one.quote)] == []
    said = {"use": rights.use, "licence": rights.licence, "reason": rights.reason}
    wanted = {name: case[name] for name in said if name in case}
    assert {name: said[name] for name in wanted} == wanted, (case["why"], rights.evidence, rights.signals)


def test_the_set_is_large_distinct_and_well_formed() -> None:
    assert len(CASES) >= 500 and len({case["id"] for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.keys() <= KEYS and case["why"] and sum(name in case for name in ("html", "text", "record")) == 1
        assert case["use"] in ("redistribute", "train-only", "exclude")
        assert case.get("reason", "") in ("", *REASONS)
        assert (case["use"] == "exclude") == bool(case.get("reason", case["use"] == "exclude")), case["id"]
        outcome = "review" if case.get("reason") == "needs-review" else case["use"]
        assert case.get("known_error", "redistribute") in ("redistribute", "train-only", "exclude", "review")
        assert case.get("known_error") != outcome, f"{case['id']} is right now: remove known_error"


def test_the_readme_lists_the_files_and_keys() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in text for file in FOLDER.glob("*.jsonl"))
    assert all(f"`{key}`" in text for key in KEYS)
