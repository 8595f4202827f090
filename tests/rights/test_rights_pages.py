"""Pages that we wrote: nothing grants without a proof at a declared place; no true page is excluded in silence."""

from functools import cache, partial
from operator import itemgetter

from crawlers.fetch import politeness
from crawlers.web import robots
from malmoi.licensing.licences import LICENCES
from malmoi.licensing.proofs import OPEN_WEB
from malmoi.licensing.rights_decision import Rights
from tests.builders.rows import each_row
from tests.rights import rights_cases
from tests.rights.rights_cases import Case, decide

CASES = [(name, case) for name in rights_cases.FILES for case in rights_cases.read_cases(name)]
OTHERS = ("authors.jsonl", "authors_unseen.jsonl", "third.jsonl")  # whose text, and whose mark, it is


def is_collected(case: Case) -> bool:
    """Whether robots.txt lets the crawler fetch the page; else no rule about licences ever reads it."""
    given = case.get("robots", "").encode()
    return not given or robots.decide(200, given, rights_cases.item_of(case).url, politeness.AGENT).allowed


OPEN = [case for _, case in CASES if case["use"] != "exclude" and "claim" not in case]
CLOSED = [case for _, case in CASES if case["use"] == "exclude" and is_collected(case)]
DECLARED = [case for _, case in CASES if case["use"] != "exclude" and rights_cases.declares(case)]
FOREIGN = [case for name, case in CASES if name in OTHERS and case["use"] == "exclude" and rights_cases.declares(case)]


each = partial(each_row, "case", ids=itemgetter("id"))


@cache
def decide_once(declared: bool, trust: tuple[str, ...] = ()) -> dict[str, Rights]:
    """The decision for each case, by its id."""
    return {case["id"]: rights_cases.decide(case, declared=declared, trust=trust) for _, case in CASES}


@each([case for _, case in CASES])
def test_a_page_that_no_source_declares_permits_nothing(case: Case) -> None:
    rights = decide_once(False)[case["id"]]
    assert rights.use == "exclude" or "claim" in case, (case["why"], rights.evidence)
    assert case["use"] == "exclude" or "claim" in case or rights.reason == "needs-review", (case["why"], rights)


@each(CLOSED)
def test_a_closed_page_stays_closed_if_the_recipe_trusts_the_open_web(case: Case) -> None:
    rights = decide_once(False, OPEN_WEB)[case["id"]]
    assert rights.use != "redistribute", (case["why"], rights.evidence)


@each(OPEN)
def test_an_open_page_of_the_open_web_is_granted_or_reviewed(case: Case) -> None:
    rights = decide_once(False, OPEN_WEB)[case["id"]]
    assert rights.use == case["use"] or rights.reason == "needs-review", (case["why"], rights)


@each(DECLARED)
def test_a_proof_at_the_declared_place_grants_and_nothing_else_does(case: Case) -> None:
    rights = decide_once(True)[case["id"]]
    wanted = case.get("declared", case["use"])
    assert (rights.reason or rights.use) == wanted, (case["why"], rights.evidence, rights.signals, rights.conflicts)
    if wanted != "needs-review":
        assert rights.licence == case.get("licence", rights.licence)
        assert rights.licence.removesuffix("-AI") in LICENCES and rights.evidence


@each(FOREIGN)
def test_the_text_of_others_needs_a_review_under_a_mark_at_the_declared_place(case: Case) -> None:
    rights = decide_once(True)[case["id"]]
    assert rights.use == "exclude", (case["why"], rights.evidence, rights.signals)


def test_the_cases_are_many_distinct_and_explained() -> None:
    for name in rights_cases.FILES:
        cases = rights_cases.read_cases(name)
        assert len({case["id"] for case in cases}) == len(cases) and all(case["why"] for case in cases)
    assert len(CASES) >= 1_200 and len(OPEN) >= 350 and len(DECLARED) >= 300 and len(FOREIGN) >= 200


def test_every_finding_names_its_kind_and_place() -> None:
    for _, case in CASES:
        rights = decide_once(True)[case["id"]]
        assert all(one.kind and (one.place or "claim" in case) and len(one.quote) <= 300 for one in rights.evidence)
        assert all(one.name and one.place for one in rights.signals)


def test_a_granted_page_stays_granted_only_while_nothing_speaks_against_it() -> None:
    page = next(case for _, case in CASES if case["id"] == "gov-egov-board")
    against: list[Case] = [
        {"headers": {"TDM-Reservation": "1"}},
        {"headers": {"X-Robots-Tag": "noai"}},
        {"robots": "User-agent: *\nContent-Signal: ai-train=no\n"},
        {"robots": "License: https://a.example.kr/terms.xml\n"},
        {"well_known": {"tdmrep.json": '[{"location":"/","tdm-reservation":1}]'}},
        {"well_known": {"ai.txt": "User-Agent: *\nDisallow: /\n"}},
    ]
    rights = [decide({**page, **one}) for one in ({}, *against)]
    assert [one.use for one in rights] == ["redistribute"] + ["exclude"] * len(against)
    assert all(one.reason == "opt-out" and one.conflicts for one in rights[1:])
