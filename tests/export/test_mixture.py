"""Budgets and mixtures: the shares that were asked for, samples of each part, shortfalls said."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.export import Plan, explain, export
from malmoi.errors import CallError
from malmoi.export.mixture import _fill, parse_mix, parse_tokens
from malmoi.export.selection import Selection
from tests.builders.small_texts import row, write_texts

TEN = "가나다 라"  # 13 bytes
BOTH = Selection(families=("open", "share-alike"))


def texts(n: int = 300) -> list[dict]:
    """Documents of 13 bytes: a third each law, semiconductor, and without a domain; half of them CC0."""
    domains = ("law", "semiconductor", "")
    return [
        row(i, text=TEN, domain=domains[i % 3], license="CC0-1.0" if i % 2 else "CC-BY-SA-4.0", quality=i / n)
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("mixture"), texts(), group=50)


def read(folder: Path) -> list[dict]:
    rows = {one["id"]: one for one in texts()}
    return [rows[one["id"]] | one for one in pq.read_table(folder / "ids.parquet").to_pylist()]


def test_tokens_are_shared_out_by_weight_and_each_part_is_a_sample(release, tmp_path):
    plan = Plan(selection=BOTH, tokenizer="bytes", tokens="1300", mix="general=0.7,semiconductor=0.3")
    facts = export(release, tmp_path / "out", plan)
    found = read(tmp_path / "out")
    assert facts["tokens"] == {"bytes": 1300}
    assert Counter(one["domain"] == "semiconductor" for one in found) == {True: 30, False: 70}
    quality = [one["quality"] for one in found]
    assert 0.4 < sum(quality) / len(quality) < 0.6 and min(quality) < 0.1 and max(quality) > 0.9
    assert [(one["name"], one["asked"], one["tokens"], one["shortfall"]) for one in facts["parts"]] == [
        ("general", 910, 910, 0),
        ("semiconductor", 390, 390, 0),
    ]


def test_a_larger_budget_keeps_what_a_smaller_one_chose(release, tmp_path):
    chosen = []
    for tokens in ("400", "1000", "2K"):
        export(release, tmp_path / tokens, Plan(selection=BOTH, tokenizer="bytes", tokens=tokens))
        found = read(tmp_path / tokens)
        assert 0 <= parse_tokens(tokens) - 13 * len(found) < 13
        chosen.append([one["id"] for one in found])
    for small, large in pairwise(chosen):
        assert small == [id for id in large if id in set(small)]  # in the same order too


def test_the_mixture_is_uniform_from_the_start(release, tmp_path):
    plan = Plan(selection=BOTH, tokenizer="bytes", tokens="2600", mix="law=0.5,semiconductor=0.5")
    export(release, tmp_path / "out", plan)
    law = [one["domain"] == "law" for one in read(tmp_path / "out")]
    assert len(law) == 200
    assert all(12 <= sum(law[at : at + 50]) <= 38 for at in range(0, 200, 50))


def test_a_part_can_be_of_one_licence_family(release, tmp_path):
    plan = Plan(tokenizer="bytes", tokens="800", mix="law@open=0.5,law@share-alike=0.25,general=0.25")
    with pytest.raises(CallError, match="The selected licence families are open; --family selects others"):
        export(release, tmp_path / "out", plan)
    plan = replace(plan, selection=BOTH)
    export(release, tmp_path / "out", plan)
    found = Counter((one["domain"] == "law", one["license"]) for one in read(tmp_path / "out"))
    assert found[True, "CC0-1.0"] == 30 and found[True, "CC-BY-SA-4.0"] == 15
    assert found[False, "CC0-1.0"] + found[False, "CC-BY-SA-4.0"] == 15


def test_a_part_that_is_too_small_is_said_with_its_numbers(release, tmp_path):
    plan = Plan(selection=BOTH, tokenizer="bytes", tokens="4000", mix="law=0.5,semiconductor=0.5")
    facts = export(release, tmp_path / "out", plan)
    assert [one["shortfall"] for one in facts["parts"]] == [700, 700]
    said = list(explain(tmp_path / "out", facts))
    assert said[1] == (
        "law: 1,300 of the 2,000 tokens that were asked for (50.0 % of the export, 50.0 % asked). Missing: 700; its "
        "documents have 1,300. A higher --repeat uses them more often."
    )
    assert not any("shares of the export differ" in one for one in said)


@pytest.mark.parametrize("giant", range(6))
def test_a_document_that_does_not_fit_is_skipped_wherever_it_comes(tmp_path, giant):
    # 6 of 100 documents of `law` are larger than the budget; the order of the hash puts them anywhere.
    rows = [row(i, domain="law" if i % 2 else "software", text="가" * 10) for i in range(200)]
    rows = [one | {"id": f"{giant}/{one['id']}"} for one in rows]
    for one in rows[1:13:2]:
        one |= {"text": "가" * 2000, "n_bytes": 6000, "n_chars": 2000}
    release = write_texts(tmp_path / "in", rows)
    facts = export(release, tmp_path / "out", Plan(tokenizer="bytes", tokens="2K", mix="law=0.7,software=0.3"))
    assert [(one["asked"], one["tokens"], one["shortfall"]) for one in facts["parts"]] == [
        (1400, 1380, 20),
        (600, 600, 0),
    ]
    assert sum(one["share"] for one in facts["parts"]) == 1 == sum(one["weight"] for one in facts["parts"])


def test_a_part_whose_documents_are_all_too_large_says_so_and_the_shares_are_those_that_were_written(tmp_path):
    rows = [row(1, domain="law", text="가" * 500)] + [row(i, domain="life", text="가" * 10) for i in range(2, 60)]
    plan = Plan(tokenizer="bytes", tokens="1K", mix="law=0.7,life=0.3")
    facts = export(write_texts(tmp_path / "in", rows), tmp_path / "out", plan)
    assert [(one["share"], one["weight"], one["shortfall"]) for one in facts["parts"]] == [(0, 0.7, 700), (1, 0.3, 0)]
    said = list(explain(tmp_path / "out", facts))
    assert said[1] == (
        "law: 0 of the 700 tokens that were asked for (0.0 % of the export, 70.0 % asked). Missing: 700; no document "
        "that is left fits."
    )
    assert said[3] == "The shares of the export differ from those of --mix; export.json has both."


@pytest.mark.parametrize(
    ("sizes", "asked", "repeat", "tokens"),
    [
        ((60, 40), 150, 3, 140),  # one pass, then 40 of the 50 that are left
        ((10, 60), 105, 4, 100),  # one pass, then 10 three times
        ((10, 60), 105, 2, 80),
        ((50,), 49, 9, 0),
        ((7, 7), 14, 1, 14),
    ],
)
def test_a_part_is_filled_to_less_than_its_smallest_document(sizes, asked, repeat, tokens):
    counts = np.array(sizes)
    row, epoch = _fill(np.arange(len(sizes)), counts, asked, repeat)
    assert counts[row].sum() == tokens
    assert len(set(zip(row.tolist(), epoch.tolist(), strict=True))) == len(row)
    assert epoch.max(initial=0) < repeat


def test_repeats_fill_a_part_and_come_apart_in_the_order(release, tmp_path):
    plan = Plan(selection=BOTH, tokenizer="bytes", tokens="4000", mix="law=0.5,semiconductor=0.5", repeat=2)
    facts = export(release, tmp_path / "out", plan)
    found = read(tmp_path / "out")
    times = Counter(one["id"] for one in found)
    assert [(p["tokens"], p["shortfall"], p["documents"], p["epochs"]) for p in facts["parts"]] == [
        (1989, 11, 153, 1.53)
    ] * 2
    assert set(times.values()) == {1, 2}
    again = {one["id"] for one in found if one["epoch"] == 1}
    assert again == {id for id, n in times.items() if n == 2} and len(again) == 106
    credits = pq.read_table(tmp_path / "out" / "attribution.parquet")["id"].to_pylist()
    assert len(credits) == len(set(credits)) == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("law=0.7,semiconductor=0.2", "the weights of --mix sum to 0.9, not to 1"),
        ("law=1.5", "the weights of --mix sum to 1.5, not to 1"),
        ("law", "--mix law: write DOMAIN=WEIGHT"),
        ("law=0,semiconductor=1", "--mix law=0: write DOMAIN=WEIGHT"),
        ("law=0.5,law=0.5", "names documents of law twice; merge law and law"),
        ("law=0.5,law@open=0.5", "names documents of law twice; merge law and law@open"),
    ],
)
def test_a_mixture_that_cannot_be_meant_is_refused(text, message):
    with pytest.raises(CallError, match=message):
        parse_mix(text)


def test_weights_of_thirds_sum_to_one():
    assert len(parse_mix("a=0.3333333,b=0.3333333,c=0.3333334")) == 3


@pytest.mark.parametrize("text", ["", "0", "B", "1.2.3", "-5", "ten", "1Q"])
def test_a_budget_that_is_no_number_is_refused(text):
    with pytest.raises(CallError, match="write one such as 500K"):
        parse_tokens(text)


def test_a_part_without_documents_is_refused(release, tmp_path):
    plan = Plan(tokenizer="bytes", tokens="1K", mix="medicine=0.5,law=0.5")
    with pytest.raises(CallError, match="no selected document belongs to it; choose from law, semiconductor, general"):
        export(release, tmp_path / "out", plan)
    with pytest.raises(CallError, match="no document fits into a budget of 5 tokens"):
        export(release, tmp_path / "out", Plan(tokenizer="bytes", tokens="5"))
