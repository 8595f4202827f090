"""Cases of tests/advice/test_advice.py: ablations, with a stand-in for an interpreter with torch."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.advice.advice import advice
from tests.builders.small_ablation import PLAN, make_texts, write_ablation, write_lines, write_trainer

RUN = "ablate plan.toml results --python ./trainer"


def ablation(place, *changes: tuple[str, str]) -> None:
    """Write a plan with changes; `place.write("plan.toml", PLAN)` corrects it."""
    pytest.importorskip("tokenizers")
    write_ablation(place.folder)
    write_trainer(place.folder)
    for old, new in changes:
        place.edit("plan.toml", old, new)


@advice("{}: {}; name the TOML file of a plan (docs/ablate.md).")
def ablation_without_plan(place):
    ablation(place)
    yield RUN.replace("plan.toml", "plam.toml")
    yield RUN


@advice("{}: not TOML in UTF-8 ({}). Correct the plan.")
def ablation_of_a_plan_that_is_not_toml(place):
    ablation(place, ("seeds = 2", "seeds ="))
    yield RUN
    place.write("plan.toml", PLAN)
    yield RUN


@advice("{}: {}: {}. Correct the plan (docs/ablate.md).")
def ablation_of_an_unknown_key(place):
    ablation(place, ("seeds = 2", "seed = 2"))
    yield RUN
    place.write("plan.toml", PLAN)
    yield RUN


@advice("{}: two tables [[{}]] have the name {}. Give each a name of its own.")
def ablation_of_two_inputs_with_one_name(place):
    ablation(place, ('"half"', '"korean"'))
    yield RUN
    place.write("plan.toml", PLAN)
    yield RUN


@advice("no input of {} after the first is a release of {}, so no card can state a difference from the first. Name the "
        "folder of a version as `path` of a later input, or leave --workspace out.")  # fmt: skip
def ablation_without_a_release_of_the_workspace(place):
    place.released()
    ablation(place)
    yield f"{RUN} --workspace w"
    yield RUN


@advice("{} cannot import torch and transformers ({}). Run pip install 'malmoi[ablate]', or name with --python the "
        "interpreter of an environment that has both.")  # fmt: skip
def ablation_without_torch(place):
    ablation(place)
    yield RUN.replace("./trainer", "./python")
    yield RUN


@advice("{}: {} is not a release, a folder or a file of texts. Name one, or a pattern; files of texts end in {}.")
def ablation_of_a_missing_input(place):
    ablation(place, ("korean.jsonl", "koraen.jsonl"))
    yield RUN
    place.write("plan.toml", PLAN)
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_a_mixed_folder(place):
    ablation(place, ("korean.jsonl", "texts"))
    place.write("texts/a.txt", "글")
    write_lines(place.folder / "texts/b.jsonl", make_texts(1, 80))
    yield RUN
    place.edit("plan.toml", "texts", "texts/*.jsonl")
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_a_damaged_file(place):
    ablation(place)
    content = (place.folder / "korean.jsonl").read_text(encoding="utf-8")
    place.write("korean.jsonl", '{"text": ')
    yield RUN
    place.write("korean.jsonl", content)
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_another_column(place):
    ablation(place)
    pq.write_table(pa.table({"body": make_texts(1, 80)}), place.folder / "korean.parquet")
    place.edit("plan.toml", '"korean.jsonl"', '"korean.parquet"')
    yield RUN
    place.edit("plan.toml", '"korean.parquet"', '"korean.parquet"\ntext = "body"')
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_numbers(place):
    ablation(place, ('"korean.jsonl"', '"korean.jsonl"\ntext = "quality"'))
    yield RUN
    place.edit("plan.toml", 'text = "quality"', 'text = "text"')
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_a_condition_that_fails(place):
    ablation(place, ('"korean.jsonl"', '"korean.jsonl"\nwhere = "qualty > 0.1"'))
    yield RUN
    place.edit("plan.toml", "qualty", "quality")
    yield RUN


@advice("{}: {} cannot be read ({}). Correct `path`, `text` or `where`{}.")
def ablation_of_a_condition_that_selects_nothing(place):
    ablation(place, ('"korean.jsonl"', '"korean.jsonl"\nwhere = "quality > 1"'))
    yield RUN
    place.edit("plan.toml", "quality > 1", "quality > 0.1")
    yield RUN


@advice("input {} has {} tokens; this setting needs {} at least. Add texts, widen its condition, or choose a smaller "
        "setting.")  # fmt: skip
def ablation_of_too_few_tokens(place):
    ablation(place, ('"korean.jsonl"', '"korean.jsonl"\nwhere = "quality > 0.98"'))
    yield RUN
    place.edit("plan.toml", "quality > 0.98", "quality > 0.1")
    yield RUN.replace("results", "others")


@advice("held-out set {}: none of its {} documents is left: {} occur in an input ({}), the others are copies or have "
        "fewer than {} letters of their own. Name other texts.")  # fmt: skip
def ablation_measured_on_its_input(place):
    ablation(place, ("unseen.jsonl", "korean.jsonl"))
    yield RUN
    place.write("plan.toml", PLAN)
    yield RUN


@advice("{} is not a vocabulary of an ablation ({}); take vocabulary.json of an earlier one.")
def ablation_with_another_vocabulary(place):
    ablation(place)
    place.write("results/vocabulary.json", "{}")
    yield RUN
    yield RUN.replace("results", "others")


@advice("malmoi ablate needs the package tokenizers, which is not installed. Run pip install 'malmoi[ablate]'.")
def ablation_without_tokenizers(place):
    ablation(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tokenizers", None)
        yield RUN
    yield RUN


@advice("training ended with status {} ({}; {}). Run the same command again: it continues from the last saved step.")
def ablation_whose_training_fails(place):
    ablation(place)
    place.edit("trainer", "counts = ", "raise MemoryError\ncounts = ")
    yield RUN
    place.edit("trainer", "raise MemoryError\n", "")
    yield RUN
