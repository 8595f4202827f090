"""Which paragraphs count as repeated, what documents lose by it, and that order, cut and parts change nothing."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from filters.paragraphs import paragraph_survey as paragraphs_survey
from filters.paragraphs.paragraph_keys import keys_of, rank_of
from filters.repeated_paragraphs import SURVEY, mend
from malmoi import recipe
from malmoi.apply import apply_edits
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.survey import Rows
from tests.builders.rows import each_row
from tests.builders.small_corpus import make, malmoi_in_process
from tests.builders.small_paragraphs import ABOUT, NOTICE, PLACES, body, document, mended, rows_in, shards_of, surveyed


def test_a_notice_that_differs_in_its_date_stays_in_one_document_of_the_host(tmp_path):
    docs = [document(n, NOTICE.format(year=2000 + n, day=n + 1)) for n in range(12)]
    rows = surveyed(docs, tmp_path)
    changed = [doc for doc in docs if mended(doc, rows) != doc.text]
    (keeper,) = [doc for doc in docs if doc not in changed]
    assert rank_of(keeper) == min(map(rank_of, docs))
    assert {mended(doc, rows) for doc in changed} <= {document(n).text for n in range(12)}
    assert {edit.reason for doc in changed for edit in mend(doc, survey=rows)} == {"repeated-in-host"}


def test_nine_documents_are_too_few(tmp_path):
    assert surveyed([document(n, NOTICE.format(year=2000, day=n + 1)) for n in range(9)], tmp_path) == {}


def test_what_does_not_speak_of_its_page_must_stand_in_three_times_as_many(tmp_path):
    docs = [document(n, ABOUT) for n in range(30)]
    assert surveyed(docs[:29], tmp_path / "few") == {}
    assert len(surveyed(docs, tmp_path / "many")) == 29


def test_figures_are_the_text_where_the_paragraph_does_not_speak_of_its_page(tmp_path):
    said = "이 고을의 호수는 {}호이고 인구는 {}명이며, 논과 밭을 더한 넓이는 군 안에서 세 번째로 넓다."
    docs = [document(n, said.format(n + 20, n * 4 + 30)) for n in range(40)]
    assert surveyed(docs, tmp_path) == {}


def test_blanks_signs_and_case_do_not_count(tmp_path):
    ways = [ABOUT, ABOUT.replace(" 책", "책"), f"“{ABOUT}”"[1:], ABOUT.rstrip(".") + "…"]
    docs = [document(n, ways[n % 4]) for n in range(30)]
    assert len(surveyed(docs, tmp_path)) == 29


def test_a_paragraph_twice_in_one_document_is_one_document(tmp_path):
    docs = [document(n, NOTICE.format(year=2001, day=2), NOTICE.format(year=2001, day=3)) for n in range(6)]
    assert surveyed(docs, tmp_path) == {}


def test_a_paragraph_of_many_hosts_stays_in_one_document_of_the_corpus(tmp_path):
    notice = "이 글의 무단 전재를 금하며, 인용할 때에는 출처를 밝혀 주시기 바랍니다."
    docs = [document(n, notice, host=f"h{n % 5}.example") for n in range(20)]
    rows = surveyed(docs, tmp_path)
    changed = [doc for doc in docs if mended(doc, rows) != doc.text]
    assert len(changed) == 19
    assert {edit.reason for doc in changed for edit in mend(doc, survey=rows)} == {"repeated-in-corpus"}
    assert surveyed([d for d in docs if "h4" not in d.id], tmp_path / "four") == {}


def test_where_host_and_corpus_agree_the_host_is_the_reason_and_its_keeper_goes_by_the_corpus(tmp_path):
    notice = "이 글의 무단 전재를 금하며, 인용할 때에는 출처를 밝혀 주시기 바랍니다."
    docs = [document(n, notice, host=f"h{n % 5}.example") for n in range(100)]
    rows = surveyed(docs, tmp_path)
    reasons = Counter(edit.reason for doc in docs for edit in mend(doc, survey=rows))
    assert reasons == {"repeated-in-host": 95, "repeated-in-corpus": 4}


def test_documents_without_an_address_are_counted_by_source(tmp_path):
    docs = [document(n, NOTICE.format(year=2000, day=n + 1), host="") for n in range(12)]
    assert len(surveyed(docs, tmp_path)) == 11


def test_a_name_of_the_page_in_a_notice_may_differ(tmp_path):
    titles = [f"{PLACES[n % 10]}{PLACES[n // 10]} 이야기" for n in range(12)]
    docs = [document(n, f"{t}의 저작권은 샛별도서관에 있습니다.", title=t) for n, t in enumerate(titles)]
    assert len(surveyed(docs, tmp_path)) == 11


def test_fenced_code_is_neither_counted_nor_taken(tmp_path):
    fenced = f"```\n{ABOUT}\n```"
    assert surveyed([document(n, fenced) for n in range(40)], tmp_path) == {}
    docs = [document(n, ABOUT) for n in range(40)]
    rows = surveyed(docs, tmp_path / "prose")
    row = next(iter(rows.values()))
    doc = document(77, fenced, id=row["id"])
    assert mend(doc, survey=rows) == ()


def test_a_document_that_is_nothing_but_notices_is_left_whole(tmp_path):
    docs = [document(n, ABOUT) for n in range(40)]
    rows = surveyed(docs, tmp_path)
    lost = next(iter(rows))
    short = Document(lost, f"{ABOUT}\n짧은 말.", Provenance("s", "https://village.example/1", "", "", ""))
    assert mend(short, survey=rows) == ()
    whole = next(doc for doc in docs if doc.id == lost)
    assert mend(whole, survey=rows) != ()
    assert mend(whole, survey=rows, max_removed=0.1) == ()


@each_row(
    ("before", "after"),
    [
        ("A\n\nN\n\nB", "A\n\nB"),
        ("A\nN\nB", "A\nB"),
        ("A\n\nN\nB", "A\n\nB"),
        ("A\nN\n\nB", "A\n\nB"),
        ("N\n\nA", "A"),
        ("A\n\nN", "A"),
        ("A\n\nN\nN\n\nB", "A\n\nB"),
        ("A\nN\n\nB\nN", "A\n\nB"),
        ("A\n\n  N  \n\nB", "A\n\nB"),
    ],
)
def test_the_gap_that_stays_is_the_wider_one(before, after):
    one, other = body(3).replace("\n\n", " "), body(4).replace("\n\n", " ")
    notice = NOTICE.format(year=2020, day=1)
    key = keys_of(notice)[0]
    rows = {"s/1": {"id": "s/1", "host": [key], "corpus": []}}

    def text(form: str) -> str:
        return form.replace("N", notice).replace("A", one).replace("B", other)

    doc = Document("s/1", text(before), Provenance("s", "", "", "", ""))
    assert mended(doc, rows) == text(after)
    assert len(mend(doc, survey=rows)) == before.count("N")


def test_mending_twice_changes_nothing_more(tmp_path):
    docs = [document(n, ABOUT, NOTICE.format(year=2000, day=n + 1)) for n in range(40)]
    rows = surveyed(docs, tmp_path)
    for doc in docs:
        once = apply_edits(doc, mend(doc, survey=rows))
        assert mend(once, survey=rows) == ()


def corpus() -> list[Document]:
    """A few hosts with notices of their own, one of all, and texts without any."""
    docs = []
    for host in range(6):
        for n in range(30):
            extra = [NOTICE.format(year=2000 + host, day=n + 1)] if n % 2 else []
            extra += [ABOUT] if n % 3 else []
            extra += [f"{PLACES[host]}신문의 글은 무단 전재를 금합니다."]
            docs.append(document(100 * host + n, *extra, host=f"h{host}.example"))
    return docs


def taken(docs: Sequence[Document], folder: Path, cut: int, run: Any = map) -> tuple[bytes, Rows]:
    rows = rows_in(SURVEY.carrier(shards_of(docs, folder, cut), (), folder / "found", run))
    return (folder / "found" / "table.parquet").read_bytes(), rows


def test_order_and_cut_of_shards_change_nothing(tmp_path):
    docs = corpus()
    mixed = random.Random(5).sample(docs, len(docs))
    expected = taken(docs, tmp_path / "one", 1)
    assert len(expected[1]) > 100
    assert taken(mixed, tmp_path / "seven", 7) == expected
    assert taken(docs[::-1], tmp_path / "two", 2, lambda call, work: [call(one) for one in reversed(work)]) == expected


def test_one_part_or_many_give_the_same_bytes(tmp_path, monkeypatch):
    expected = taken(corpus(), tmp_path / "one", 3)
    monkeypatch.setattr(paragraphs_survey, "PART", 20)
    monkeypatch.setattr("filters.paragraphs.paragraph_survey.GROUP", 1 << 16)
    assert taken(corpus(), tmp_path / "many", 3) == expected


def test_groups_of_the_table_of_any_size_tell_the_same(tmp_path, monkeypatch):
    expected = taken(corpus(), tmp_path / "one", 3)[1]
    monkeypatch.setattr("filters.paragraphs.paragraph_survey.GROUP", 2)
    assert taken(corpus(), tmp_path / "small", 3)[1] == expected


class Killed(Exception):
    """The machine goes off."""


@pytest.mark.parametrize("after", [0, 1, 3, 5, 6])
def test_a_survey_that_was_killed_goes_on_where_it_stood(tmp_path, after):
    docs = corpus()
    expected = taken(docs, tmp_path / "whole", 3)
    calls: list[Any] = []

    def dying(call: Any, work: list[Any]) -> Iterable[Any]:
        for one in work:
            if len(calls) == after:
                raise Killed
            calls.append(one)
            yield call(one)

    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        taken(docs, folder, 3, dying)
    made: list[Any] = []

    def counting(call: Any, work: list[Any]) -> list[Any]:
        made.extend(work)
        return [call(one) for one in work]

    assert taken(docs, folder, 3, counting) == expected
    assert not [one for one in made if one in calls]
    made.clear()
    assert taken(docs, folder, 3, counting) == expected
    assert made == []


def test_new_pages_leave_the_rows_of_those_that_stand_as_they_were(tmp_path):
    def fetched(numbers: range, month: int) -> list[Document]:
        when = f"2026-{month:02}-01T00:00:00Z"
        return [document(n, ABOUT, NOTICE.format(year=2001, day=n), fetched=when) for n in numbers]

    before = surveyed(fetched(range(100), 5), tmp_path / "before")
    after = surveyed([*fetched(range(100, 150), 6), *fetched(range(100), 5)], tmp_path / "after")
    assert {id: after[id] for id in before} == before
    assert len(after) == len(before) + 50


def test_a_corpus_of_nothing_has_a_table_of_nothing(tmp_path):
    assert SURVEY.carrier([], (), tmp_path / "none", map) == []
    assert pq.read_table(tmp_path / "none" / "table.parquet").num_rows == 0
    assert surveyed([], tmp_path / "empty") == {}


def test_the_table_names_host_count_and_keeper(tmp_path):
    docs = [document(n, NOTICE.format(year=2000, day=n + 1)) for n in range(12)]
    surveyed(docs, tmp_path)
    key = keys_of(NOTICE.format(year=1, day=1))[0]
    row = next(row for row in pq.read_table(tmp_path / "found" / "table.parquet").to_pylist() if row["key"] == key)
    assert row == {
        "key": key,
        "scope": "host",
        "host": "village.example",
        "documents": 12,
        "letters": row["letters"],
        "keeper": min(map(rank_of, docs)),
    }


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("min_letters = 5", "min_letters"),
        ("host_documents = 1", "host_documents"),
        ("plain = 0.5", "plain"),
        ("max_removed = 2", "max_removed"),
    ],
)
def test_a_limit_out_of_range_stops_before_the_first_document(tmp_path, key, said):
    path = tmp_path / "r.toml"
    path.write_text(
        'name = "r"\npurpose = "p"\nunredacted = "a test"\n[[clean]]\nfilter = "rights"\n'
        f'[[judged]]\nfilter = "repeated_paragraphs"\n{key}\n',
        encoding="utf-8",
    )
    with pytest.raises(CallError, match=said):
        recipe.load(path)


def test_it_follows_exact_duplicates_and_goes_before_all_judges_in_every_shipped_recipe():
    for path in sorted((Path(__file__).parents[2] / "flows" / "recipes").glob("*.toml")):
        names = [step.filter for step in recipe.load(path).stage("judged")]
        assert names[:2] == ["exact_duplicates", "repeated_paragraphs"], path.name


@pytest.mark.parametrize(
    "text", ["가" * 200_000, "이 글은 " * 40_000, "“" * 100_000, "1.,:" * 50_000, "이 글은 1" * 30_000]
)
def test_hostile_lines_end(text):
    doc = Document("s/1", f"{text}\n문의 {text}", Provenance("s", "", "", "", ""), title=text[:200])
    assert SURVEY.sketch(doc)["id"] == "s/1"


def test_a_run_takes_a_dated_notice_from_all_pages_but_one_and_books_it(tmp_path):
    source = make(tmp_path, pages=40)
    pages = sorted((source.parent / "pages").rglob("*.html"))
    for n, page in enumerate(pages):
        html = page.read_bytes()
        notice = NOTICE.format(year=1990 + n % 30, day=n % 28 + 1).encode("euc-kr" if b"euc-kr" in html else "utf-8")
        head, content, text = html.partition(b'id="content"')
        first, end, rest = text.partition(b"</p>")
        page.write_bytes(head + content + first + end + b"<p>" + notice + end + rest)
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "w")
    assert done.returncode == 0, done.stderr
    texts, edits = [], 0
    for folder in (tmp_path / "w" / "5-curated").iterdir():
        texts += pq.read_table(folder / "documents.parquet", columns=["text"])["text"].to_pylist()
    for folder in (tmp_path / "w" / "4-judged").iterdir():
        ledger = json.loads((folder / "ledger.json").read_text(encoding="utf-8"))
        edits += sum(row[-1] for row in ledger["edits"] if "repeated-in-host" in row)
    assert sum("작성되었습니다." in text for text in texts) == 1
    assert edits >= 10
