"""Copies are found whatever the spacing, named after their best member, and whatever the order they come in."""

import random
import re
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.formats.html.html_page import strip_tags
from crawlers.sample import site
from filters import exact_duplicates, near_duplicates
from filters.duplicates import bands
from filters.duplicates.bands import (
    ALL_PAIRS,
    FIRST,
    FOUND,
    banding,
    candidates,
    equal_values,
    find_repeated_keys,
    keys,
    keys_of,
    unpack_pairs,
)
from filters.duplicates.duplicate_schema import SKETCH
from filters.duplicates.duplicate_survey import compare_documents, sketch
from filters.duplicates.keepers import equal_bytes
from malmoi.document import Document, Provenance

PAGES = Path(__file__).parents[2] / "crawlers/sample/pages"
BASE = Provenance("s", "", "", "", "")


def doc(id_: str, text: str, **fields: object) -> Document:
    return Document(id_, text, BASE, **fields)  # type: ignore[arg-type]


def table(docs: list[Document], threshold: float = 0.8) -> dict[str, dict]:
    rows = pa.Table.from_pylist([dict(sketch(d)) for d in docs], schema=SKETCH)
    found = compare_documents(rows, {d.id: d.text for d in docs}, threshold=threshold).to_pylist()
    assert [row["id"] for row in found] == sorted(row["id"] for row in found)
    return {row["id"]: row for row in found}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    pages = [r.body.decode("utf-8", "replace") for p, r in sorted(site.build().items()) if p.endswith(".html")]
    found = [strip_tags(re.sub(r"(?s)^.*?<main|</main>.*$", "", page)) for page in pages]
    return [t for t in found if len(t) > 400][:60]


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
    keeper = {d.id: found[d.id]["keeper"] if d.id in found else d.id for d in planted}
    for i, text in enumerate(texts):
        true = exact_jaccard(text, planted[len(texts) + i].text)
        if true >= 0.8:
            assert keeper[f"o/{i}"] == keeper[f"c/{i}"], (i, true)
    by_id = {d.id: d.text for d in planted}
    for row in found.values():
        true = exact_jaccard(by_id[row["id"]], by_id[row["keeper"]])
        assert true >= 0.8
        assert row["similarity"] == pytest.approx(true, abs=1e-3 if row["measured"] == "exact" else 0.12)


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
    assert set(table([a, doc("a/2", a.text + " 끝")])) == {"a/2"}


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
        assert exact_jaccard(a, b) >= 0.8


def test_filters_say_what_they_found():
    row = {"id": "a/2", "keeper": "a/1", "similarity": 0.91, "kind": "near", "release": ""}
    near = near_duplicates.judge(doc("a/2", "글"), survey={"a/2": row})
    assert (near.outcome, near.reason, near.measured, near.labels) == ("drop", "near-copy", 0.91, (("keeper", "a/1"),))
    assert exact_duplicates.judge(doc("a/2", "글"), survey={"a/2": row}).outcome == "keep"
    assert exact_duplicates.judge(doc("a/2", "글"), survey={"a/2": {**row, "kind": "exact"}}).outcome == "drop"
    assert near_duplicates.judge(doc("a/3", "글"), survey={}).outcome == "keep"


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 12), max_size=150))
def test_candidates_are_all_pairs_of_short_runs_and_a_bounded_part_of_long_ones(key):
    left, right = unpack_pairs(candidates(np.array(key, np.uint64)))
    met = list(zip(left.tolist(), right.tolist(), strict=True))
    assert len(set(met)) == len(met) and all(a < b and key[a] == key[b] for a, b in met)
    for value in set(key):
        run = [i for i, k in enumerate(key) if k == value]
        here = {pair for pair in met if key[pair[0]] == value}
        if len(run) <= ALL_PAIRS:
            assert here == {(a, b) for a in run for b in run if a < b}
        else:
            assert here >= {(run[i], run[j]) for j in range(len(run)) for i in (*range(min(j, FIRST)), j - 1) if i >= 0}
            assert len(here) < (FIRST + 1) * len(run)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 2**40 - 1) | st.integers(0, 9), max_size=80))
def test_every_row_whose_key_stands_twice_is_found_in_both_forms(keys_):
    key = np.array(keys_, np.uint64)
    wanted = [row for row, k in enumerate(keys_) if keys_.count(k) > 1]
    assert find_repeated_keys.plain(key).tolist() == wanted
    fast = find_repeated_keys.dispatcher(key).tolist()  # a few that stand once may be among them
    assert set(wanted) <= set(fast) and fast == sorted(fast)


def test_more_rows_than_are_sorted_with_their_keys_have_the_same_candidates(monkeypatch):
    key = np.random.default_rng(1).integers(0, 40, 500, np.uint64)
    found = candidates(key)
    monkeypatch.setattr(bands, "_ROW_BITS", np.uint64(3))
    assert (candidates(key) == found).all()


def test_the_keys_of_many_bands_are_those_of_each_of_them():
    rows = np.random.default_rng(1).integers(0, 2**32, (30, 128), np.uint32)
    many = np.empty((5, 30), np.uint64)
    keys_of(rows, 12, 6, many, 0, 17)
    keys_of(rows, 12, 6, many, 17, 30)
    assert all((many[band] == keys(rows, 12 + 6 * band, 6)).all() for band in range(5))


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 3), min_size=256, max_size=256))
def test_low_bytes_never_agree_less_often_than_values(drawn):
    rows = np.array(drawn, np.uint32).reshape(2, 128) * np.uint32(129)  # 0, 129, 258 and 387: the low bytes differ
    rows[1] += np.uint32(256) * (rows[1] == 129)  # and here they do not, though the values do
    low = (rows & 255).astype(np.uint8)
    assert equal_bytes(low, 0, 1) == int((low[0] == low[1]).sum()) >= equal_values(rows, 0, rows, 1)


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_bring_together_nearly_all_pairs_at_any_threshold(threshold):
    cut = banding(threshold)
    assert cut.bands * cut.rows <= 128 and 1 - (1 - threshold**cut.rows) ** cut.bands >= FOUND


def test_no_pair_and_no_document_are_no_trouble():
    assert table([]) == {}
    assert table([doc("a/1", "하나뿐")]) == {}
    left, right = unpack_pairs(candidates(np.zeros(0, np.uint64)))
    assert len(left) == len(right) == 0
