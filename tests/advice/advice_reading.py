"""Cases of tests/advice/test_advice.py: what is said when collected files are read."""

import json

from tests.advice.advice import Place, advice, own

COLLECT, CURATE = "collect own.py", "curate general --source own.py --workers 1"
WRONG = f"{COLLECT}; {CURATE}"
GOOD = "id,본문\n1,글이다.\n2,다른 글이다.\n"
ITEMS = "from crawlers.tables import rows\ndef items(capture):\n    return rows(capture{})\n"
OWN_ITEMS = """
import json
from malmoi.source import Item
def items(capture):
    yield Item("1", capture.url, json.loads(capture.body), "text/plain", "", capture.record)
"""


def table(place: Place, content: str = GOOD, arguments: str | None = None, name: str = "a.csv") -> None:
    own(place)
    place.edit("own.py", '"*.txt"', '"*.csv", "*.json", "*.jsonl"')
    if arguments is not None:
        text = (place.folder / "own.py").read_text(encoding="utf-8")
        place.write("own.py", text + ITEMS.format(arguments))
    place.write(f"pages/{name}", content)


@advice("{}: no column is called {}. Found: {}. Write rows(capture, text='<column>') into items() of the source file.")
def table_without_text(place):
    table(place, GOOD.replace("본문", "말"))
    yield WRONG
    table(place, GOOD.replace("본문", "말"), ", text='말'")
    yield CURATE


@advice("{}: there is no column {} for {}. Found: {}. Correct rows(capture, {}=…) in the source file.")
def column_missing(place):
    table(place, arguments=", text='말'")
    yield WRONG
    table(place, arguments=", text='본문'")
    yield CURATE


@advice("{}: {}. Found: {}. Name the columns, or the list with at='<path>', in rows() of the source file.")
def lists_alike(place):
    content = json.dumps({name: [{"본문": "글이다."}] for name in ("갑", "을")})
    table(place, content, "", "a.json")
    yield WRONG
    table(place, content, ", at='갑'", "a.json")
    yield CURATE


@advice("{}: this is {}; at={} names a list of JSON. Leave it out in the source file.")
def list_of_lines(place):
    table(place, arguments=", at='갑'")
    yield WRONG
    table(place, arguments=", text='본문'")
    yield CURATE


@advice("{}, line {}: the row {} in column {}. Name another key column.")
def key_repeated(place):
    content = "id,번호,본문\n1,1,글이다.\n1,2,다른 글이다.\n"
    table(place, content, ", key='id'")
    yield WRONG
    table(place, content, ", key='번호'")
    yield CURATE


@advice("{}: this is {}, not a table (CSV, TSV, JSON or JSON lines). Leave it out with exclude=… in the source file, "
        "or fetch it again if it is an error page.")  # fmt: skip
def page_for_a_table(place):
    table(place, arguments="")
    for name in ("b", "c"):  # most of the captures: one of two costs no run
        place.write(f"pages/{name}.csv", "<!doctype html><html><body><p>오류</p></body></html>")
    yield WRONG
    place.edit("own.py", '"*.jsonl",)', '"*.jsonl",), exclude=("b.csv", "c.csv")')
    yield COLLECT
    yield CURATE
    place.edit("own.py", ', exclude=("b.csv", "c.csv")', "")
    place.write("pages/b.csv", GOOD)
    yield COLLECT
    yield CURATE


@advice("{}, line 1: two columns share a name: {}. Rename one in the file and collect again.")
def columns_alike(place):
    table(place, GOOD.replace("id", "본문"))
    yield WRONG
    table(place)
    yield COLLECT
    yield CURATE


@advice("{}, line {}: the row has {} fields, the header {}. A quote or a delimiter is missing there: repair the file "
        "and collect again, or ask its publisher.")  # fmt: skip
def row_too_long(place):
    table(place, "id,본문\n3,글,셋\n")  # one of three damaged rows costs no run
    yield WRONG
    table(place, GOOD + '3,"글,셋"\n')
    yield COLLECT
    yield CURATE


@advice("{}, line {}: broken CSV ({}). Repair the file and collect again.")
def csv_broken(place):
    table(place, GOOD + '3,"글\n')
    yield WRONG
    table(place, GOOD + '3,"글"\n')
    yield COLLECT
    yield CURATE


@advice("{}, line {}: broken JSON ({}). Repair the file and collect again.")
def json_broken(place):
    table(place, '[{"본문": "글이다."}', arguments="", name="a.json")
    yield WRONG
    table(place, '[{"본문": "글이다."}]', arguments="", name="a.json")
    yield COLLECT
    yield CURATE


@advice("{}, line {}: JSON that cannot be read ({}). Repair the file and collect again.")
def json_of_a_long_number(place):
    content = '[{"id": %s, "본문": "글이다."}]'
    table(place, content % ("1" * 5000), arguments="", name="a.json")
    yield WRONG
    table(place, content % "1", arguments="", name="a.json")
    yield COLLECT
    yield CURATE


@advice("{}, line {}: JSON that cannot be read ({}). Repair the file and collect again.")
def json_nested_too_deep(place):
    content = '[{"id": %s, "본문": "글이다."}]'
    table(place, content % ("[" * 100_000 + "]" * 100_000), arguments="", name="a.json")
    yield WRONG
    table(place, content % "[[1]]", arguments="", name="a.json")
    yield COLLECT
    yield CURATE


@advice("{}: the JSON is a {}, not rows. Write items() in the source file.")
def json_of_a_text(place):
    table(place, '"글이다."', arguments="", name="a.json")
    yield WRONG
    own(place)
    place.edit("own.py", '"*.txt"', '"*.json"')
    text = (place.folder / "own.py").read_text(encoding="utf-8")
    place.write("own.py", text + OWN_ITEMS)
    yield CURATE


@advice("{}, row {}: a {} instead of an object. Write items() yourself.")
def json_of_texts(place):
    table(place, '["글이다."]', arguments="", name="a.json")
    yield WRONG
    table(place, json.dumps([{"본문": "글이다."}], ensure_ascii=False), arguments="", name="a.json")
    yield COLLECT
    yield CURATE


@advice("{}: the file has changed since it was collected; run collect again.")
def file_changed(place):
    own(place)
    yield f"{COLLECT}; changed; {CURATE}"
    yield COLLECT
    yield CURATE


@advice("{}: the file was deleted after it was collected; run collect again.")
def file_gone(place):
    own(place)
    place.write("pages/b.txt", "다른 글이다.\n")
    yield f"{COLLECT}; gone; {CURATE}"
    yield COLLECT
    yield CURATE


@advice("{}: the file can no longer be read ({}); grant read permission, or run collect again, which leaves it out.")
def file_unreadable(place):
    own(place)
    place.write("pages/b.txt", "다른 글이다.\n")
    yield f"{COLLECT}; closed; {CURATE}"
    yield COLLECT
    yield CURATE


@advice("{}: does not say {}, on which the claim of {} rests; its text begins {}. Read it, then correct the claim in "
        "the source file or retire the source.")  # fmt: skip
def claim_of_other_words(place):
    own(place)
    place.write("pages/LICENCE", "이 글은 CC BY-SA 4.0을 따른다.\n")
    yield COLLECT
    place.edit("own.py", '"CC-BY-4.0", "CC BY 4.0"', '"CC-BY-SA-4.0", "CC BY-SA 4.0"')
    yield COLLECT


@advice("{}: the sentence around {} denies or limits what the claim of {} says; read it, then quote the whole sentence "
        "that grants the licence, or leave the claim out and let a person review.")  # fmt: skip
def claim_that_is_denied(place):
    own(place)
    place.write("pages/LICENCE", "이 글은 CC BY 4.0으로 이용할 수 없다.\n")
    yield COLLECT
    place.write("pages/LICENCE", "이 글은 CC BY 4.0으로 이용할 수 있다.\n")
    yield COLLECT


@advice("{}: {}, on which the claim of {} rests, was not archived; collect the source again, and correct file or url "
        "of the LicenceClaim if it is no longer there.")  # fmt: skip
def claim_changed_behind_the_collection(place):
    own(place)
    place.write("pages/COPYING", "CC BY 4.0\n")
    yield f"{COLLECT}; renamed; {CURATE}"
    yield COLLECT
    yield CURATE
