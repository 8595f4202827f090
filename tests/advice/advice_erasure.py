"""Cases of tests/advice/test_advice.py: erasure and its tombstones."""

import json

from tests.advice.advice import advice
from tests.advice.advice_releases import published

BECAUSE = "--reason asked --workspace w"


@advice("nothing to erase: name it with --id, --url, --url-prefix or --text-sha256, or give --value and write one "
        "value a line to standard input.")  # fmt: skip
def erase_nothing(place):
    w = place.released()
    yield f"erase general {BECAUSE}"
    yield f"erase general --id {published(w)} {BECAUSE}"


@advice("no release of {} and no stage of {} has a document that matches {}; nothing was written. An id is written "
        "source/key, as in the column `id` of data/. To record what may come later, use `malmoi withdrawals "
        "import`.")  # fmt: skip
def erase_unknown(place):
    place.released()
    yield f"erase general --id small/none {BECAUSE}"
    place.write("later.jsonl", json.dumps({"kind": "id", "key": "small/none", "reason": "asked"}))
    yield "withdrawals import later.jsonl --workspace w"


@advice("{} has no release {}; it has: {}. Name one of them.")
def erase_from_no_release(place):
    w = place.released()
    yield f"erase other --id {published(w)} {BECAUSE}"
    yield f"erase general --id {published(w)} {BECAUSE}"


@advice('{}, line {}: not a tombstone ({}: {}); nothing was written. A line is a JSON object such as {"kind": "url", '
        '"key": "https://a.kr/7", "reason": "request of the author"}.')  # fmt: skip
def import_of_something_else(place):
    place.released()
    place.write("list.jsonl", "https://a.kr/7\n")
    yield "withdrawals import list.jsonl --workspace w"
    place.write("list.jsonl", '{"kind": "url", "key": "https://a.kr/7", "reason": "request of the author"}\n')
    yield "withdrawals import list.jsonl --workspace w"
