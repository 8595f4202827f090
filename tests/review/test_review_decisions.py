"""Decisions of a person: which documents they are about, which of them counts, and what they can never grant."""

import pytest

from filters.rights import OpenWeb, judge
from malmoi import recipe as recipes
from malmoi.apply import apply
from malmoi.document import Document, LicenceEvidence, Provenance, Signal
from malmoi.errors import CallError
from malmoi.licensing.proofs import OPEN_WEB, REVIEW
from malmoi.licensing.review_decisions import MAX_PLACE, Decision, covers, evidence_of, shape_of
from malmoi.licensing.rights_decision import decide
from tests.builders.rows import each_row
from tests.review.review_workspace import RECIPE

LINK = LicenceEvidence("CC-BY-4.0", "link", "item", "CC BY 4.0", "div[3] > a", "r1")
FIELD = LicenceEvidence("CC-BY-4.0", "field", "item", "CC BY 4.0", "licence", "r1")
BOARD = Signal("outside-boards", "review", "https://own.example/b/1", "address", "r1")
LETTERS = "bcdfghjkmnpqrstvwxz"


def document(*evidence: LicenceEvidence, id: str = "own/1", signals: tuple[Signal, ...] = ()) -> Document:
    url = f"https://own.example/board/{id.partition('/')[2]}"
    return Document(id, "글", Provenance("own", url, "r1", "", ""), evidence=evidence, signals=signals)


def decision(target: str, value: str, licence: str = "CC-BY-4.0", number: int = 0, **more: str) -> Decision:
    fields = {
        "id": f"{target}-{LETTERS[number] * 8}",
        "verdict": "grant" if licence else "deny",
        "target": target,
        "value": value,
        "source": "own",
        "licence": licence,
        "reviewer": "Kim",
        "date": "2026-11-24",
        "reason": "the page says so",
    }
    return Decision(**(fields | more))  # type: ignore[arg-type]


ITEM = decision("item", "own/1")
SHAPE = decision("shape", "own | no-proof | link | div[#] > a | CC-BY-4.0")


def judged(doc: Document, *decisions: Decision) -> tuple[str, str]:
    found = judge(doc, decisions=decisions)
    return found.outcome, found.reason


def test_documents_that_differ_in_numbers_have_one_shape():
    other = LicenceEvidence("CC-BY-4.0", "link", "item", "CC BY 4.0", "div[47] > a", "r2")
    assert shape_of("own", [LINK], []) == shape_of("own", [other], [])


@pytest.mark.parametrize(
    ("evidence", "signals", "key"),
    [
        ([LINK], [], "own | no-proof | link | div[#] > a | CC-BY-4.0"),
        ([FIELD], [BOARD], "own | outside-boards | field | licence | CC-BY-4.0"),
        (
            [FIELD, LicenceEvidence("CC-BY-NC-4.0", "link", "item", "", "div", "")],
            [],
            "own | conflict CC-BY-4.0 against CC-BY-NC-4.0 | field | licence | CC-BY-4.0",
        ),
        ([LicenceEvidence("unknown", "sentence", "item", "", "p[1]", "")], [], "own | no-proof | sentence | p[#] | ?"),
    ],
)
def test_a_shape_names_source_reasons_kind_place_and_licence(evidence, signals, key):
    shape = shape_of("own", evidence, signals)
    assert shape is not None and shape.key == key


@pytest.mark.parametrize(
    ("evidence", "signals"),
    [
        ([FIELD], []),
        ([], []),
        ([LINK, LicenceEvidence("none", "refusal-copying", "item", "", "", "")], []),
        ([LINK], [Signal("tdm-reservation", "opt-out", "", "", "")]),
        ([FIELD, LicenceEvidence("CC-BY-SA-4.0", "field", "item", "", "", "")], []),
        ([LicenceEvidence("CC-BY-NC-4.0", "link", "item", "", "", "")], []),
    ],
)
def test_a_document_that_needs_no_review_has_no_shape_and_cannot_be_granted(evidence, signals):
    assert shape_of("own", evidence, signals) is None
    doc = document(*evidence, signals=tuple(signals))
    assert evidence_of([ITEM, decision("addresses", "https://own.example/")], doc) == ()


def test_a_site_that_turns_training_crawlers_away_is_not_granted_by_what_its_footer_says():
    quiet = (Signal("robots-ai", "inferred-opt-out", "", "", ""),)
    footer = LicenceEvidence("CC-BY-4.0", "link", "site", "CC BY 4.0", "footer > a", "r1")
    assert decide([footer], quiet).reason == "inferred-opt-out"
    assert judged(document(footer, signals=quiet), ITEM) == ("drop", "inferred-opt-out")
    assert judged(document(LINK, signals=quiet), ITEM) == ("keep", "use-redistribute")


def test_a_decision_becomes_evidence_that_names_who_decided():
    doc = document(LINK)
    (one,) = evidence_of([SHAPE], doc)
    assert one == LicenceEvidence(
        "CC-BY-4.0", REVIEW, "item", "the page says so", "reviews.jsonl#shape-bbbbbbbb: Kim, 2026-11-24", "r1"
    )
    after = apply(doc, "rights", "judge", judge(doc, decisions=(SHAPE,)))
    assert after.evidence == (LINK, one)
    assert (decide(after.evidence).use, dict(after.labels)["licence"]) == ("redistribute", "CC-BY-4.0")


def test_an_opt_out_that_is_found_later_overrides_a_decision():
    doc = document(LINK, signals=(Signal("tdm-reservation", "opt-out", "1", "", ""),))
    assert judged(doc, ITEM, SHAPE) == ("drop", "opt-out")


@each_row(
    ("decisions", "reason"),
    [
        ((SHAPE,), "use-redistribute"),
        ((decision("shape", SHAPE.value, ""),), "refused"),
        ((decision("shape", SHAPE.value, ""), ITEM), "use-redistribute"),
        ((decision("addresses", "https://own.example/board/", ""), SHAPE), "refused"),
        ((decision("addresses", "https://own.example/board/", ""), ITEM), "use-redistribute"),
        ((SHAPE, decision("item", "own/1", "")), "refused"),
        ((ITEM, decision("item", "own/1", "", 1)), "refused"),
        ((ITEM, decision("item", "own/1", "CC-BY-SA-4.0", 1)), "conflict"),
        ((decision("item", "own/1", "CC-BY-SA-4.0"),), "use-redistribute"),
        ((decision("item", "own/1", revoked="2026-11-25", revoked_by="Lee", revoked_reason="no"),), "needs-review"),
        ((decision("item", "own/1", source="other"),), "needs-review"),
        ((decision("item", "own/11"),), "needs-review"),
        ((decision("addresses", "https://own.example/boards"),), "needs-review"),
    ],
)
def test_the_narrowest_target_counts_and_a_denial_beats_a_grant_of_the_same(decisions, reason):
    assert judged(document(LINK), *decisions)[1] == reason
    assert judged(document(LINK), *reversed(decisions))[1] == reason


def test_a_denial_takes_out_what_a_proof_permits():
    assert judged(document(FIELD)) == ("keep", "use-redistribute")
    assert judged(document(FIELD), decision("item", "own/1", "")) == ("drop", "refused")
    assert judged(document(FIELD), decision("addresses", "https://own.example/board", "")) == ("drop", "refused")


def test_a_grant_counts_in_place_of_the_proof_that_needed_the_review():
    doc = document(FIELD, signals=(BOARD,))
    assert judged(doc) == ("drop", "needs-review")
    found = judge(doc, decisions=(decision("item", "own/1", "CC-BY-SA-4.0"),))
    assert dict(found.labels)["licence"] == "CC-BY-SA-4.0"


def test_evidence_of_a_review_that_came_with_the_document_is_no_review():
    forged = LicenceEvidence("CC-BY-4.0", REVIEW, "item", "", "reviews.jsonl#item-bbbbbbbb: Kim, 2026-11-24", "")
    shape = shape_of("own", [LINK, forged], [])
    assert shape is not None and shape.key == SHAPE.value


@pytest.mark.parametrize(
    "place",
    ["a | CC-BY-4.0", "a\n| x", "a\u202eb", "a\x1b[31m", "|||", "한글 > 자리"],
)
def test_no_place_of_a_page_gives_the_key_of_another_shape(place):
    shape = shape_of("own", [LicenceEvidence("CC-BY-SA-4.0", "link", "item", "", place, "")], [])
    assert shape is not None
    assert len(shape.key.split(" | ")) == 5 and shape.key.endswith(" | CC-BY-SA-4.0") and shape.key.isprintable()


def test_long_places_stay_apart():
    keys = {
        shape.key
        for end in "xy"
        if (shape := shape_of("own", [LicenceEvidence("CC-BY-4.0", "link", "item", "", "a" * 300 + end, "")], []))
    }
    assert len(keys) == 2 and all(len(key) < MAX_PLACE + 60 for key in keys)


@pytest.mark.parametrize("id", ["own/1 | x", "own/../2", "own/1\n", "other/own/1", "own/", "own | no-proof"])
def test_an_id_is_compared_as_a_whole(id):
    assert evidence_of([ITEM], document(LINK, id=id)) == ()


@each_row(
    ("pattern", "url", "inside"),
    [
        ("https://a.kr/b/", "https://a.kr/b/1", True),
        ("https://a.kr/b", "https://a.kr/b?no=1", True),
        ("https://a.kr/b", "https://a.kr/bc", False),
        ("https://a.kr/", "https://a.kr.evil.example/", False),
        ("^https://a[.]kr/b/[0-9]+$", "https://a.kr/b/12", True),
        ("^https://a[.]kr/b/[0-9]+$", "https://evil.example/?https://a.kr/b/12", False),
        ("^https://a[.]kr/b|/b/12", "https://a.kr/c?/b/12", False),  # each way begins where the address does
        (r"^folder:own/\w+[.]txt", "folder:own/한글_1.txt", True),
        (r"^folder:own/\w+[.]txt", "folder:own/한 글.txt", False),
        # `re` needs longer than the universe for these
        (r"^https?://([^/]+/?)+[.]php$", "https://a.kr/" + "a" * 4_000, False),
        (r"^(https?://.*)*(a|a)*$", "https://a.kr/" + "a" * 4_000 + "/", True),
        (r"^([a-z:/.]+)+[0-9]$", "https://a.kr/" + "a" * 4_000, False),
    ],
)
def test_addresses_are_a_prefix_of_whole_segments_or_an_expression(pattern, url, inside):
    assert covers(pattern, url) is inside


@pytest.mark.parametrize("name", OPEN_WEB)
def test_a_recipe_trusts_proofs_of_the_open_web_by_name(name):
    web = LicenceEvidence("CC-BY-4.0", f"web:{name}", "item", "", "head > link", "r1")
    assert judged(document(web)) == ("drop", "needs-review")
    found = judge(document(web), trust=(name,))
    assert (found.outcome, [one.kind for one in found.evidence]) == ("keep", [name])
    others = tuple(other for other in OPEN_WEB if other != name)
    assert judge(document(web), trust=others).reason == "needs-review"  # type: ignore[arg-type]


def test_the_names_that_a_recipe_may_trust_are_those_of_the_list():
    assert set(OpenWeb.__args__) == set(OPEN_WEB)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "says"),
    [('trust = ["field"]', "'rel-license'"), ('trust = "json-ld"', "not a list"), ("decisions = []", "unknown key")],
)
def test_a_recipe_can_neither_trust_another_proof_nor_decide(tmp_path, given, says):
    path = tmp_path / "own.toml"
    path.write_text(RECIPE.replace('uses = ["redistribute"]', given), encoding="utf-8")
    with pytest.raises(CallError, match=says):
        recipes.load(path)
    path.write_text(RECIPE.replace('uses = ["redistribute"]', 'trust = ["json-ld"]'), encoding="utf-8")
    assert dict(recipes.load(path).stage("clean")[0].params)["trust"] == ("json-ld",)
