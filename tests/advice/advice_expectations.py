"""Cases of tests/advice/test_advice.py: the expectations of a recipe, and samples for an auditor."""

import csv
import shlex

from flows.cli.main import app, run_guarded
from tests.advice.advice import advice

EXTENDS = 'extends = "general"\nname = "general"\npurpose = "a"\n[expect]\n'
RELEASE = "w/6-releases/general/1.0.0"


@advice("{} {} was not published: {}. It is kept in {}, and {} beside it lists every measure. Correct sources or "
        "filters, or the table [expect] of the recipe, and run again.")  # fmt: skip
def release_that_is_rejected(place):
    w = place.released()
    recipe = place.write("own.toml", EXTENDS.replace('"general"\np', '"own"\np') + "min_documents = 900\n")
    command = "release own.toml --source small.py --workspace w --workers 1"
    yield command
    assert not (w / "6-releases" / "own").exists()
    recipe.write_text(recipe.read_text("utf-8").replace("900", "3"), encoding="utf-8")
    yield command


@advice("{}: {}. Correct sources or filters and release again, or correct the table [expect] of the recipe.")
def check_that_fails(place):
    place.released()
    place.write("own.toml", EXTENDS + "min_documents = 900\n")
    yield f"check {RELEASE} --recipe own.toml"
    place.edit("own.toml", "900", "3")
    yield f"check {RELEASE} --recipe own.toml"


@advice(
    "{} is not a release: it has no {}. Name the folder of one version, such as workspace/6-releases/general/1.0.0."
)
def check_of_something_else(place):
    place.released()
    yield "check w"
    yield f"check {RELEASE}"


@advice("{} was made by the recipe {}, which is not shipped; give --recipe.")
def check_by_an_unknown_recipe(place):
    place.released()
    place.edit(f"{RELEASE}/manifest.json", '"name": "general"', '"name": "own"')
    yield f"check {RELEASE}"
    yield f"check {RELEASE} --recipe general"


@advice("{}: no such file; give the CSV file of a review, or leave --review out.")
def check_with_a_missing_review(place):
    place.released()
    yield f"check {RELEASE} --review judged.csv"
    place.write("judged.csv", "id,verdict\n")
    yield f"check {RELEASE} --review judged.csv"


@advice("{} is not empty; give another folder with --out.")
def audit_sample_into_a_full_folder(place):
    place.released()
    place.write("evidence/a.txt", "a")
    yield f"review sample {RELEASE} --seed a --size 3 --workspace w"
    yield f"review sample {RELEASE} --seed a --size 3 --workspace w --out other"


@advice("name a release and --seed to draw a sample, or --read FOLDER to keep a filled sheet.")
def review_sample_without_a_seed(place):
    place.released()
    yield f"review sample {RELEASE}"
    yield f"review sample {RELEASE} --seed a --workspace w"


DRAW = f"review sample {RELEASE} --size 3 --workspace w"
READ = "review sample --workspace w --read"


def called(command):
    arguments = shlex.split(command)
    return run_guarded(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


def fill(place, name, seed="a"):
    """Draw a sheet into the folder `name`, and judge every licence of it as right."""
    assert called(f"{DRAW} --seed {seed} --out {name}") == 0
    path = place.folder / name / "review.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row | {"verdict": "right", "reviewer": "a", "date": "2026-11-28"} for row in csv.DictReader(stream)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@advice(
    "{}: cannot be read ({}). `malmoi {}` writes it beside the sheet: restore it, or draw the sheet again with the "
    "same seed and size."
)
def filled_sheet_without_its_facts(place):
    place.released()
    fill(place, "one").with_name("sample.json").unlink()
    yield f"{READ} one"
    fill(place, "two")
    yield f"{READ} two"


@advice("{}: {} {} with the root {} is not in {}; name its workspace with --workspace.")
def filled_sheet_of_another_workspace(place):
    place.released()
    fill(place, "one")
    yield "review sample --read one --workspace elsewhere"
    yield f"{READ} one"


@advice(
    "{}: its rows are not the documents of the sample (seed {}, size {}). Restore the rows that were removed or "
    "changed, or draw the sheet again."
)
def filled_sheet_without_a_row(place):
    place.released()
    path = fill(place, "one")
    whole = path.read_text(encoding="utf-8")
    path.write_text("".join(whole.splitlines(keepends=True)[:-1]), encoding="utf-8")
    yield f"{READ} one"
    path.write_text(whole, encoding="utf-8")
    yield f"{READ} one"


@advice(
    "{} holds the answers of another sample of this release; a release has one. Delete that file if this sample is to "
    "replace it."
)
def second_sample_of_a_release(place):
    w = place.released()
    fill(place, "one")
    fill(place, "two", seed="b")
    assert called(f"{READ} one") == 0
    yield f"{READ} two"
    (w / "samples" / "general" / "1.0.0.json").unlink()
    yield f"{READ} two"


@advice("{}: cannot be read ({}); restore it, or delete it and {} again.")
def kept_sample_that_is_damaged(place):
    kept = place.released() / "samples" / "general" / "1.0.0.json"
    fill(place, "one")
    assert called(f"{READ} one") == 0
    kept.write_text("{", encoding="utf-8")
    release = "release general --source small.py --workspace w --workers 1"
    yield release
    kept.unlink()
    yield f"{READ} one"
    yield release
