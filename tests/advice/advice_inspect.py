"""Cases of test_advice.py: inspections of a release."""

import csv

from malmoi.releases.sampling.inspection import QUESTIONS
from tests.advice.advice import advice
from tests.advice.advice_expectations import RELEASE, called

LIST = f"inspect {RELEASE} --size 3 --list --workspace w"
READ = "inspect --workspace w --read"


def fill(place, name, reader, seed="a", rows=3):
    """Write the sheet of a reader into the folder `name`, with no yes in its first rows."""
    assert called(f"{LIST} --seed {seed} --reader {reader} --out {name}") == 0
    path = place.folder / name / f"{reader}.csv"
    answer = dict.fromkeys(QUESTIONS, "0") | {"reader": reader, "date": "2026-11-28"}
    with path.open(encoding="utf-8", newline="") as stream:
        found = [row | (answer if number < rows else {}) for number, row in enumerate(csv.DictReader(stream))]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, found[0])
        writer.writeheader()
        writer.writerows(found)
    return path


@advice("name a release, --seed and --reader to inspect it, or --read SHEET to keep a filled sheet.")
def inspect_without_a_reader(place):
    place.released()
    yield f"{LIST} --seed a"
    yield f"{LIST} --seed a --reader kim"


@advice("--reader {}: not a name for a sheet. Use at most 40 letters, digits, - and _.")
def inspect_by_a_reader_who_is_a_path(place):
    place.released()
    yield f"{LIST} --seed a --reader ../kim"
    yield f"{LIST} --seed a --reader 김-1"


@advice("{} holds the sheets of {} {} (root {}, seed {}, size {}); give another folder with --out.")
def inspect_another_sample_into_the_folder(place):
    place.released()
    fill(place, "one", "kim")
    yield f"{LIST} --seed b --reader kim --out one"
    yield f"{LIST} --seed b --reader kim --out two"


@advice("{}: {} of {} documents have no answer. Go on with `malmoi inspect`, or fill in the sheet.")
def sheet_that_is_not_finished(place):
    place.released()
    fill(place, "one", "kim", rows=2)
    yield f"{READ} one/kim.csv"
    fill(place, "one", "kim")
    yield f"{READ} one/kim.csv"


@advice("{}: not readable as a review ({}); it is a CSV file in UTF-8.")
def sheet_in_another_encoding(place):
    place.released()
    path = fill(place, "one", "kim")
    text = path.read_text("utf-8")
    path.write_bytes(f"{text}메모\n".encode("cp949"))
    yield f"{READ} one/kim.csv"
    path.write_text(text, "utf-8")
    yield f"{READ} one/kim.csv"


@advice("--read takes one sheet or two, not {}; leave the others out.")
def sheets_of_three_readers(place):
    place.released()
    for reader in ("kim", "lee", "na"):
        fill(place, "one", reader)
    yield f"{READ} one/kim.csv one/lee.csv one/na.csv"
    yield f"{READ} one/kim.csv one/lee.csv"


@advice("{} is of {} {}, seed {}, size {}, and {} is not; give two sheets of one sample.")
def sheets_of_two_samples(place):
    place.released()
    fill(place, "one", "kim")
    fill(place, "one", "lee")
    fill(place, "two", "lee", seed="b")
    yield f"{READ} one/kim.csv two/lee.csv"
    yield f"{READ} one/kim.csv one/lee.csv"


@advice("{} and {} name the same reader; give the sheets of two persons.")
def sheets_of_one_reader(place):
    place.released()
    fill(place, "one", "kim")
    fill(place, "two", "kim")
    fill(place, "two", "lee")
    yield f"{READ} one/kim.csv two/kim.csv"
    yield f"{READ} one/kim.csv two/lee.csv"
