"""Copies are found whatever the spacing, named after their best member, and whatever the order they come in."""

import random
import re
import unicodedata
from pathlib import Path

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
from filters.duplicates.sketch import PERMUTATIONS, SCHEME, SEED, as_datasketch, letters_of, shingle_hashes, signature
from filters.duplicates.survey import SKETCH, reduce, sketch
from malmoi.document import Document, Provenance

PAGES = Path(__file__).parent.parent / "crawlers/sample/pages"
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
    letters = ("".join(c for c in t.lower() if unicodedata.category(c)[0] in "LNM") for t in (a, b))
    one, two = ({t[i : i + 5] for i in range(len(t) - 4)} for t in letters)
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
    keeper = {d.id: found[d.id]["keeper"] if d.id in found else d.id for d in planted}
    for i, text in enumerate(texts):
        true = exact_jaccard(text, planted[len(texts) + i].text)
        if true >= 0.9:
            assert keeper[f"o/{i}"] == keeper[f"c/{i}"], (i, true)
    by_id = {d.id: d.text for d in planted}
    for pair in joined:
        a, b = (by_id[id_] for id_ in pair)
        assert exact_jaccard(a, b) >= 0.65, pair


def test_the_order_of_input_changes_nothing(texts):
    docs = [doc(f"a/{i}", t) for i, t in enumerate(texts)] + [doc(f"b/{i}", t + " 끝.") for i, t in enumerate(texts)]
    shuffled = docs[:]
    random.Random(3).shuffle(shuffled)
    assert table(docs) == table(shuffled)


def test_the_keeper_is_the_freer_then_the_much_longer_then_the_dated():
    text = "같은 글이 두 곳에 실려 있으면 하나만 남긴다. 그 하나를 고르는 데에는 순서가 있다. " * 4
    trained = doc("a/1", text, labels=(("use", "train-only"),))
    short = doc("b/1", text, labels=(("use", "redistribute"),))
    long = doc("c/1", text + text[:94], labels=(("use", "redistribute"),))
    assert {row["keeper"] for row in table([trained, short, long]).values()} == {"c/1"}
    little = doc("d/1", text + "덧붙인 말.", labels=(("use", "redistribute"),), date="2021-01-01")
    dated = doc("z/1", text, labels=(("use", "redistribute"),), date="2020-01-01", title="제목")
    assert {row["keeper"] for row in table([trained, short, little, dated]).values()} == {"z/1"}


def test_signs_and_case_change_nothing():
    assert (signature("‘부엌의 말’을 Cafe에서, 엽니다!") == signature("부엌의 말을 cafe에서 엽니다 ···")).all()
    assert letters_of("!? — 😀").size == 0


def test_texts_without_a_letter_are_no_copies_of_each_other():
    assert table([doc("a/1", "!!!"), doc("a/2", "— ? —"), doc("a/3", "")]) == {}


def test_short_texts_must_be_more_alike():
    stem = (
        "접수 기간은 3월 2일부터 3월 20일까지이며 누리집에서 신청서를 내려받아 우편으로 보내면 됩니다. "
        "결과는 따로 알리고, 자리가 남으면 먼저 온 차례로 더 받습니다. 궁금한 점은 누리집 질문란에 남겨 주십시오."
    )
    a, b = (doc(f"a/{n}", f"{stem} {end}") for n, end in enumerate(("문화 강좌입니다.", "무료 진료입니다.")))
    assert 0.8 < exact_jaccard(a.text, b.text) < 0.9
    assert table([a, b]) == {}
    assert set(table([a, doc("a/2", a.text + " 끝")])) == {"a/0"}


def test_the_notice_printed_three_times_on_the_sample_site_is_kept_once():
    pages = {"a": "news/2026-03", "b": "notices/2026-03-kitchen", "c": "notices/2026-03-kitchen-note"}
    docs = []
    for id_, name in pages.items():
        head, _, body = (PAGES / f"{name}.md").read_text("utf-8").partition("\n\n")
        date = next(line.removeprefix("date: ") for line in head.splitlines() if line.startswith("date: "))
        docs.append(doc(id_, body, date=date, labels=(("use", "redistribute"),)))
    assert {id_: row["keeper"] for id_, row in table(docs).items()} == {"b": "a", "c": "a"}


def test_a_chain_of_pairs_does_not_make_its_ends_copies():
    words = [f"낱말{i:03d}이며 " for i in range(400)]
    steps = ["".join(words[at : at + 200]) for at in (0, 20, 40, 60, 80, 100)]
    found = table([doc(f"s/{i}", t) for i, t in enumerate(steps)])
    assert found  # neighbours are alike; else the loop below would hold of nothing
    for id_, row in found.items():
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
    left, right = pairs(np.zeros((0, PERMUTATIONS), np.uint32), np.zeros(0, np.int64), 0.8)
    assert components(3, left, right).tolist() == [0, 1, 2]
