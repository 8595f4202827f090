"""`malmoi ablate`: equal tokens, held-out sets without overlap, results by key, a report; with a model that counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flows.ablation
from flows.ablation.run import PROBES, sample_tokens
from flows.ablation.texts import SETTINGS, Texts, read_texts, select_held_out
from malmoi.ablation import MEAN, Measured, compare
from malmoi.errors import CallError
from malmoi.storage.locks import hold_lock
from tests.builders.small_ablation import PLAN, make_texts, write_ablation, write_lines, write_trainer
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_texts import row, write_texts


def ablate(folder: Path, *options: str, status: int = 0) -> dict:
    done = malmoi_in_process(
        "ablate", folder / "plan.toml", folder / "results", "--python", write_trainer(folder), *options
    )
    assert done.returncode == status, done.stderr
    return json.loads((folder / "results/ablation.json").read_text(encoding="utf-8")) if not status else {}


def list_calls(folder: Path) -> list[str]:
    return (folder / "results/calls.txt").read_text(encoding="utf-8").split()


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("tokenizers")
    write_ablation(tmp_path)
    return tmp_path


@pytest.mark.heavy
def test_an_input_that_is_half_english_is_worse_in_every_seed_and_beyond_the_interval(folder):
    found = ablate(folder)
    difference = found["bits"]["unseen"]["half"]["difference"]
    assert difference["low"] > 0 and difference["same_sign"] and min(difference["seeds"]) > 0
    assert found["bits"]["unseen"]["korean"]["mean"] < found["bits"]["unseen"]["half"]["mean"]
    assert found["bits"][MEAN]["half"] == found["bits"]["unseen"]["half"]  # the only set


def test_every_input_and_seed_is_trained_once_and_equal_content_never_again(folder):
    ablate(folder)
    assert len(set(list_calls(folder))) == 4
    ablate(folder)
    assert len(list_calls(folder)) == 4
    plan = (folder / "plan.toml").read_text(encoding="utf-8")
    (folder / "plan.toml").write_text(plan.replace("seeds = 2", "seeds = 3"), encoding="utf-8")
    ablate(folder)
    assert len(list_calls(folder)) == 6


@pytest.mark.heavy
def test_a_new_held_out_set_is_measured_on_the_models_that_are_there(folder):
    ablate(folder)
    write_lines(folder / "more.jsonl", make_texts(9, 40))
    with (folder / "plan.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[held_out]]\nname = "more"\npath = "more.jsonl"\n')
    assert set(ablate(folder)["bits"]) == {"unseen", "more", MEAN}
    assert len(set(list_calls(folder))) == 4


def test_the_smallest_input_sets_the_tokens_of_all_and_repeats_are_noted(folder):
    write_lines(folder / "half.jsonl", make_texts(5, 8))
    found = ablate(folder)
    tokens = {one["name"]: one["tokens"] for one in found["inputs"]}
    assert found["tokens"]["each_input"] == tokens["half"] < tokens["korean"]
    assert [(one["code"], one.get("input")) for one in found["notes"]] == [("repeats", "half"), ("few", None)]
    assert found["notes"][0]["times"] == round(found["tokens"]["seen"] / tokens["half"], 1)


def test_two_calls_do_not_share_a_folder_of_results(folder):
    (folder / "results").mkdir()
    with hold_lock(folder / "results/lock", RuntimeError):
        ablate(folder, status=2)
    ablate(folder)


def test_the_report_shows_results_command_and_plan_in_both_languages(folder):
    ablate(folder)
    for name in ("index.html", "index.ko.html"):
        page = (folder / "results" / name).read_text(encoding="utf-8")
        assert "malmoi ablate plan.toml results" in page and "path = &#34;half.jsonl&#34;" in page
    assert "조사" in page and "particles" not in page


def test_held_out_documents_of_an_input_are_left_out_and_counted():
    held, other = make_texts(2, 30), make_texts(1, 30)
    respaced = held[0].replace(" ", "  ").replace(".", "!")
    (found,) = select_held_out({"a": [*held, "짧은 글", held[5]]}, {"x": [*other, f"{other[0]} {respaced}"]}, 10**6)
    assert (len(found.documents), found.overlapping, found.unsearched) == (29, 1, 2)
    assert held[0] not in found.documents


def test_a_long_document_overlaps_by_any_part():
    held = [" ".join(make_texts(seed, 20)) for seed in range(20, 25)]
    (found,) = select_held_out({"a": held}, {"x": [*make_texts(1, 5), held[3][1000:1600]]}, 10**6)
    assert found.overlapping == 1 and held[3] not in found.documents


@pytest.mark.heavy
def test_blanks_of_a_held_out_text_do_not_count(folder):
    texts = make_texts(2, 8)  # so few that all are measured
    write_lines(folder / "unseen.jsonl", texts)
    before = ablate(folder)
    write_lines(folder / "unseen.jsonl", [text.replace(" ", "  ") + " \r\n\r\n" for text in texts])
    after = ablate(folder)
    means = [one["bits"]["unseen"]["korean"]["mean"] for one in (before, after)]
    assert means[0] == pytest.approx(means[1])


def test_a_held_out_set_ends_at_its_size():
    (found,) = select_held_out({"a": make_texts(2, 30)}, {"x": make_texts(1, 30)}, 300)
    assert 300 <= sum(map(len, found.documents)) < 600


def test_a_release_is_read_with_a_condition_on_its_columns(tmp_path):
    write_texts(tmp_path / "r", [row(i) for i in range(30)])
    given = Texts(name="a", path="r", where="quality > 0.5 and domain = 'law'")
    expected = [(row(i)["id"], row(i)["text"]) for i in range(30) if i % 10 > 5 and i % 3]
    assert sorted(read_texts(tmp_path, given, 10**6, tmp=tmp_path)) == sorted(expected)


def test_any_column_and_kind_of_file_is_read_in_the_order_of_a_hash(tmp_path):
    texts = make_texts(1, 20)
    pq.write_table(pa.table({"body": texts}), tmp_path / "a.parquet")
    write_lines(tmp_path / "a.jsonl", texts)
    for at, text in enumerate(texts):
        (tmp_path / f"{at}.txt").write_text(text, encoding="utf-8")
    given = (
        Texts(name="a", path="a.parquet", text="body"),
        Texts(name="a", path="a.jsonl"),
        Texts(name="a", path="*.txt"),
    )
    one, two, three = (read_texts(tmp_path, each, 10**6, tmp=tmp_path) for each in given)
    assert one == two == three and sorted(one) == sorted((text, text) for text in texts)
    assert [text for _, text in one] != texts
    assert read_texts(tmp_path, given[0], 150, tmp=tmp_path) == one[:2]


def test_a_condition_reads_no_other_file(tmp_path):
    write_lines(tmp_path / "a.jsonl", make_texts(1, 3))
    write_lines(tmp_path / "b.jsonl", make_texts(1, 3))
    where = f"text IN (SELECT text FROM read_json('{tmp_path}/b.jsonl'))"
    with pytest.raises(CallError, match="Permission Error"):
        read_texts(tmp_path, Texts(name="a", path="a.jsonl", where=where), 100, tmp=tmp_path / "tmp")


def test_samples_are_whole_documents_in_an_order_of_the_seed():
    documents = [np.full(size, size, np.uint16) for size in range(1, 30)]
    ids = [str(size) for size in range(1, 30)]
    one, other = (sample_tokens(ids, documents, 100, seed) for seed in (1, 2))
    assert len(one) == len(other) == 100 and one.tolist() != other.tolist()
    whole = np.split(one, np.flatnonzero(one == 0))[1:-1]
    assert all(len(part) - 1 == part[1] for part in whole)


def test_documents_of_equal_ids_have_the_same_order_in_every_input():
    ids = [str(number) for number in range(1, 30)]
    raw = [np.full(20, number, np.uint16) for number in range(1, 30)]
    clean = {one: document[:7] for one, document in zip(ids, raw, strict=True) if document[0] % 3}
    first = list(dict.fromkeys(sample_tokens(ids, raw, 600, seed=4).tolist()))
    other = list(dict.fromkeys(sample_tokens(list(clean), list(clean.values()), 160, seed=4).tolist()))
    assert other == [number for number in first if number % 3 or not number]


def test_intervals_are_paired():
    noise = np.random.default_rng(0).normal(5, 3, (2, 200))
    found = compare({"a": Measured(np.array([noise, noise + 0.1]), np.ones(200))}, ["x", "y"])["a"]
    assert found["x"]["high"] - found["x"]["low"] > 0.3  # documents differ much more than inputs
    difference = found["y"]["difference"]
    assert difference["low"] == pytest.approx(0.1) == difference["high"] and difference["same_sign"]


def test_probes_are_pairs_of_two_texts_each_written_once():
    path = Path(flows.ablation.__file__).with_name("korean_probes.tsv")
    pairs = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert set(PROBES) == {kind for kind, _, _ in pairs}
    assert all(right != wrong for _, right, wrong in pairs) and len(set(map(tuple, pairs))) == len(pairs) == 346
    near = ("particles", "spacing", "order")
    assert all(abs(len(right) - len(wrong)) <= 1 for kind, right, wrong in pairs if kind in near)
    assert all("  " not in wrong for _, _, wrong in pairs)


def test_a_name_is_no_path_and_a_setting_fits_16_bits(folder):
    (folder / "plan.toml").write_text(PLAN.replace('"half"', '"../half"'), encoding="utf-8")
    ablate(folder, status=2)
    assert all(one.vocabulary <= 1 << 16 and one.width % one.heads == 0 for one in SETTINGS.values())
