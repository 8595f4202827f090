"""Copies are found whatever the spacing, named after their best member, and whatever the order they come in."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from crawlers.formats.html import strip_tags
from crawlers.sample import site
from filters import exact_duplicates, near_duplicates
from filters.duplicates.clusters import BANDS, ROWS, components, pairs
from filters.duplicates.sketch import PERMUTATIONS, SCHEME, SEED, as_datasketch, shingle_hashes, signature
from filters.duplicates.survey import SKETCH, reduce, sketch
from malmoi.document import Document, Provenance

BASE = Provenance("s", "", "", "", "")


def doc(id_: str, text: str, **fields: object) -> Document:
    return Document(id_, text, BASE, **fields)  # type: ignore[arg-type]


def table(docs: list[Document], threshold: float = 0.8) -> dict[str, dict]:
    rows = pa.Table.from_pylist([dict(sketch(d)) for d in docs], schema=SKETCH)
    return {row["id"]: row for row in reduce(rows, threshold=threshold).to_pylist()}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    pages = [r.body.decode("utf-8", "replace") for p, r in sorted(site.build().items()) if p.endswith(".html")]
    found = [strip_tags(re.sub(r"(?s)^.*?<main|</main>.*$", "", page)) for page in pages]
    return [t for t in found if len(t) > 400][:60]


@given(st.text(max_size=60))
def test_signatures_are_those_of_datasketch_bit_for_bit(text):
    theirs = MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashfunc=int)
    theirs.update_batch(shingle_hashes(text))
    assert (theirs.hashvalues == signature(text)).all()


def test_datasketch_opens_them_as_they_are(texts):
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS))
    for number, text in enumerate(texts):
        index.insert(str(number), as_datasketch(signature(text)))
    respaced = texts[3].replace(" ", "")
    assert "3" in index.query(as_datasketch(signature(respaced)))


def test_spacing_changes_nothing_and_a_short_text_has_a_sketch():
    assert (signature("띄어 쓰기가 다르다") == signature("띄어쓰기가다르다")).all()
    assert shingle_hashes("말").size == 1
    assert shingle_hashes(" \n").size == 0


def exact_jaccard(a: str, b: str) -> float:
    one, two = ({"".join(t.split())[i : i + 5] for i in range(len("".join(t.split())) - 4)} for t in (a, b))
    return len(one & two) / len(one | two)


def test_planted_copies_are_found_and_nothing_else_is(texts):
    """Copies with a note, without a part, with other punctuation; the truth is exact Jaccard."""
    dice = random.Random(7)
    planted = [doc(f"o/{i}", t) for i, t in enumerate(texts)]
    for i, text in enumerate(texts):
        cut = dice.randrange(len(text) // 20)
        copy = [text + " 편집자의 짧은 덧붙임이다.", text[cut:], text.replace(". ", " · "), text.replace("다.", "다!")][
            i % 4
        ]
        planted.append(doc(f"c/{i}", copy))
    found = table(planted)
    joined = {frozenset((id_, row["keeper"])) for id_, row in found.items()}
    for i, text in enumerate(texts):
        true = exact_jaccard(text, planted[len(texts) + i].text)
        if true >= 0.9:
            assert frozenset((f"o/{i}", f"c/{i}")) in joined, (i, true)
    by_id = {d.id: d.text for d in planted}
    for pair in joined:
        a, b = (by_id[id_] for id_ in pair)
        assert exact_jaccard(a, b) >= 0.65, pair


def test_the_order_of_input_changes_nothing(texts):
    docs = [doc(f"a/{i}", t) for i, t in enumerate(texts)] + [doc(f"b/{i}", t + " 끝.") for i, t in enumerate(texts)]
    shuffled = docs[:]
    random.Random(3).shuffle(shuffled)
    assert table(docs) == table(shuffled)


def test_the_keeper_is_the_freer_then_the_longer_then_the_dated():
    text = "같은 글이 두 곳에 실려 있으면 하나만 남긴다. 그 하나를 고르는 데에는 순서가 있다. " * 4
    trained = doc("a/1", text, labels=(("use", "train-only"),))
    short = doc("b/1", text, labels=(("use", "redistribute"),))
    long = doc("c/1", text + "덧붙인 말.", labels=(("use", "redistribute"),))
    assert {row["keeper"] for row in table([trained, short, long]).values()} == {"c/1"}
    dated = doc("z/1", text, labels=(("use", "redistribute"),), date="2020-01-01", title="제목")
    assert {row["keeper"] for row in table([trained, short, dated]).values()} == {"z/1"}


def test_a_chain_of_pairs_does_not_make_its_ends_copies():
    words = [f"낱말{i:03d}이며 " for i in range(400)]
    steps = ["".join(words[at : at + 200]) for at in (0, 20, 40, 60, 80, 100)]
    for id_, row in table([doc(f"s/{i}", t) for i, t in enumerate(steps)]).items():
        a, b = (steps[int(x.split("/")[1])] for x in (id_, row["keeper"]))
        assert exact_jaccard(a, b) > 0.7


def test_filters_say_what_they_found():
    row = {"id": "a/2", "keeper": "a/1", "similarity": 0.91, "kind": "near"}
    near = near_duplicates.judge(doc("a/2", "글"), survey={"a/2": row})
    assert (near.outcome, near.reason, near.measured, near.labels) == ("drop", "near-copy", 0.91, (("keeper", "a/1"),))
    assert exact_duplicates.judge(doc("a/2", "글"), survey={"a/2": row}).outcome == "keep"
    assert exact_duplicates.judge(doc("a/2", "글"), survey={"a/2": {**row, "kind": "exact"}}).outcome == "drop"
    assert near_duplicates.judge(doc("a/3", "글"), survey={}).outcome == "keep"


def test_no_pair_and_no_document_are_no_trouble():
    assert table([]) == {}
    assert table([doc("a/1", "하나뿐")]) == {}
    left, right = pairs(np.zeros((0, PERMUTATIONS), np.uint32), 0.8)
    assert components(3, left, right).tolist() == [0, 1, 2]
