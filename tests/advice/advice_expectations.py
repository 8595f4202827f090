"""Cases of tests/advice/test_advice.py: the expectations of a recipe, and samples for an auditor."""

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
    yield f"audit sample {RELEASE} --seed a --n 3 --workspace w"
    yield f"audit sample {RELEASE} --seed a --n 3 --workspace w --out other"
