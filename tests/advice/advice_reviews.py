"""Cases of tests/advice/test_advice.py: decisions of persons about documents that need a review."""

import json

from tests.advice.advice import SOURCE, advice, own
from tests.advice.advice_releases import published

BY = "--reviewer Kim --reason read --workspace w"
NEEDS_REVIEW = """
def evidence(parsed):
    from malmoi.document import LicenceEvidence
    return (LicenceEvidence("CC-BY-4.0", "link", "item", "CC BY 4.0", "a", parsed.item.record),), ()
"""


@advice("a decision needs one of --decide SHAPE, --decide ID and --addresses PATTERN, and one of --grant LICENCE and "
        "--deny; give these.")  # fmt: skip
def review_without_a_verdict(place):
    w = place.released()
    yield f"review --decide {published(w)} {BY}"
    yield f"review --decide {published(w)} --deny {BY}"


@advice("--addresses is about one source; name it with --source NAME.")
def review_of_addresses_of_no_source(place):
    place.released()
    yield f"review --addresses folder:small/pages/ --deny {BY}"
    yield f"review --addresses folder:small/pages/ --source small --deny {BY}"


@advice("no document of source {} that needs a review is covered by {}; nothing was written. `malmoi review --list` "
        "shows what can be decided; an item or addresses can be denied without that.")  # fmt: skip
def review_of_what_does_not_wait(place):
    own(place, SOURCE + NEEDS_REVIEW)
    made = "collect own.py --workspace w; curate general --source own.py --workspace w --workers 1"
    yield f"{made}; review --decide own/none.txt --grant CC-BY-4.0 {BY}"
    yield "review --list --workspace w"
    yield f"review --decide own/a.txt --grant CC-BY-4.0 {BY}"


def line(**changed):
    fields = {
        "id": "item-bcdfghjk", "verdict": "deny", "target": "item", "value": "small/1", "source": "small",
        "licence": "", "reviewer": "Kim", "date": "2026-11-24", "reason": "read",
    }  # fmt: skip
    return json.dumps(fields | changed) + "\n"


@advice("{}, line {}: not a decision ({}). Correct the line, or restore the file from a copy.")
def review_of_a_damaged_file(place):
    place.released()
    place.write("w/reviews.jsonl", line() + line()[:40])
    yield "review decisions --workspace w"
    place.write("w/reviews.jsonl", line())
    yield "review decisions --workspace w"


@advice("{}: decision {} cannot be applied: {}. Revoke it with `malmoi review revoke {}`, and decide again.")
def review_of_an_expression_with_lookahead(place):
    place.released()
    old = {"id": "addresses-bcdfghjk", "target": "addresses", "value": "^https://(?!a)"}
    place.write("w/reviews.jsonl", line(**old))
    yield "curate general --source small.py --workspace w"
    yield f"review revoke addresses-bcdfghjk {BY}"
    yield f"review --addresses ^https://[^a] --source small --deny {BY}"


@advice("{}: two different decisions are called {}. Restore the file from a copy.")
def review_of_a_file_with_an_id_twice(place):
    place.released()
    place.write("w/reviews.jsonl", line() + line(value="small/2"))
    yield "review decisions --workspace w"
    place.write("w/reviews.jsonl", line())
    yield "review decisions --workspace w"


@advice("{} holds another decision {}; a decision is not changed, nothing was written. Revoke it, and decide again.")
def review_import_of_a_changed_decision(place):
    w = place.released()
    place.write("w/reviews.jsonl", line())
    place.write("given.jsonl", line(value="small/2"))
    yield "review import given.jsonl --workspace w"
    yield f"review revoke item-bcdfghjk {BY}"
    yield f"review --decide {published(w)} --deny {BY}"


@advice("no decision in effect has the id {}; `malmoi review decisions` shows all of them.")
def review_revoke_of_nothing(place):
    place.released()
    place.write("w/reviews.jsonl", line())
    yield f"review revoke item-zzzzzzzz {BY}"
    yield "review decisions --workspace w"
    yield f"review revoke item-bcdfghjk {BY}"


@advice("decision {}: {}. Correct it. Nothing was written.")
def review_without_a_reviewer(place):
    w = place.released()
    yield f"review --decide {published(w)} --deny --reason read --workspace w"
    yield f"review --decide {published(w)} --deny {BY}"
