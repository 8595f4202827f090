"""Titles of facts say what their queries count: both stand side by side in a list that people read.

`python -m tests.cards.test_titles` prints what changed and writes the list anew: read title and query of each line
that it prints before you commit it.
"""

import re
from hashlib import sha256
from pathlib import Path

import duckdb

from data_cards.facts import NUMBERS, TABLES, Number
from data_cards.words import load_words
from tests.builders.rows import each_row

LIST = Path(__file__).parents[1] / "data" / "cards" / "titles.tsv"
FACTS = NUMBERS | {f"table {key}": listing for key, listing in TABLES.items()}
# What a query does (a pattern), and what both titles must say then.
RULES = {
    "times of captures are not times of fetching: a file has that of its last change": (
        r"\b(min|max)\(fetched\) FROM data$",
        r"capture .*file its last change.*repository its commit",
        r"캡처.*파일은 마지막 수정.*커밋",
    ),
    "answers are those of crawled sources": (
        r"\(fetched\) FROM \(SELECT d",
        r"answer of a site or interface",
        r"사이트나 API의 .* 응답",
    ),
    "evidence of any kind is no proof": (r"FROM licence_evidence GROUP BY", "proves nothing", "증명이 되지 않는"),
    "kinds of proof are counted, not licences": (r"origin = |origin IS", "[Pp]roof", "증거"),
    "dates are those that a text states": (r"(min|max)\(date\)", "states", "적힌"),
    "only explicit opt-outs are counted": (r"count.* signals WHERE effect = 'opt-out'", "explicitly", "명시적"),
    "signals are also those of dropped documents": (
        r"^SELECT [^(]*(count\(DISTINCT id\).*)FROM signals",
        "dropped",
        "제외",
    ),
    "what the second detector finds may be no personal data": (
        r"sum\(n\).* FROM residue WHERE outcome = 'found'",
        "second detector",
        "두 번째 검출기",
    ),
    "unsure grants count as wrong": (r"max\(sample_", "unsure", "불확실"),
    "a part of the whole is called a share": (r"^SELECT [^,]*(\* 0\.0?1 AS DECIMAL|max\(share\))", "[Ss]hare", "비율"),
    "numeric hosts are one": (r"^SELECT count\(DISTINCT regexp_replace", "count as one", "하나로"),
}


def lines() -> list[str]:
    """A line for each fact: key, digest of query, inputs and unit, titles, titles of columns."""
    found = []
    for key, fact in sorted(FACTS.items()):
        rest = fact.unit if isinstance(fact, Number) else "; ".join(f"{en} / {ko}" for en, ko in fact.heads)
        digest = sha256("\n".join((fact.sql, *fact.inputs)).encode()).hexdigest()[:12]
        found.append("\t".join((key, digest, fact.title, fact.title_ko, rest)))
    return found


def test_a_query_and_its_title_change_together_before_the_eyes_of_a_reader() -> None:
    kept = LIST.read_text(encoding="utf-8").splitlines()
    changed = [line.split("\t")[0] for line in lines() if line not in kept]
    changed += [line.split("\t")[0] for line in kept if line not in lines()]
    assert not changed, "read titles and queries of these facts side by side: python -m tests.cards.test_titles"


@each_row("why", RULES)
def test_what_a_query_does_both_titles_say(why: str) -> None:
    query, title, title_ko = RULES[why]
    asked = {key: fact for key, fact in FACTS.items() if re.search(query, fact.sql)}
    assert asked, "no query does that; correct the pattern"
    wrong = [k for k, f in asked.items() if not (re.search(title, f.title) and re.search(title_ko, f.title_ko))]
    assert not wrong


def test_no_title_says_when_something_was_fetched() -> None:
    said = [line.split("\t", 2)[2] for line in LIST.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in said if re.search("[Ff]etched|수집 [시종]", line)]


def ask(key: str, **tables: str) -> list[tuple]:
    """The answer to a fact over small tables, each given as the VALUES of a query."""
    with duckdb.connect(":memory:") as connection:
        for name, rows in tables.items():
            columns, _, values = rows.partition(": ")
            connection.execute(f"CREATE TABLE {name} AS FROM (VALUES {values}) t({columns})")
        return connection.execute(FACTS[key].sql).fetchall()


def test_the_time_of_a_file_is_no_answer_of_a_site() -> None:
    tables = {
        "data": "source, url, fetched: ('a', 'https://a.kr/1', '2026-02-01'), ('b', 'file:b/1.txt', '2026-12-02')",
        "sources": "name, access: ('a', 'Site'), ('b', 'Folder')",
    }
    assert ask("last_crawled", **tables) == [("2026-02-01",)] and ask("last_fetched", **tables) == [("2026-12-02",)]
    alone = {"data": "source, url, fetched: ('b', '', '2026-12-02')", "sources": tables["sources"]}
    assert ask("first_crawled", **alone) == ask("last_crawled", **alone) == [(None,)]


def test_a_text_that_was_judged_harmless_is_not_one_that_nobody_judged() -> None:
    rows = ask("table by_abuse", data="abuse, n_chars: ('', 5), (NULL, 3), ('hate', 2), ('', 1)")
    assert rows == [("hate", 1, 2), ("neither", 2, 6), ("not judged", 1, 3)]
    assert {one[0] for one in rows} <= load_words("en").tables["abuse"].keys()


def test_evidence_without_a_licence_proves_nothing_whoever_says_it() -> None:
    tables = {
        "data": "id: (1), (2), (3)",
        "licence_evidence": 'id, licence, kind, scope, "by":'
        " (1, 'unknown', 'words', 'item', 'rights-holder'), (1, 'CC-BY-4.0', 'licence-file', 'source', 'operator'),"
        " (2, 'GPL-3.0-only', 'words', 'item', 'rights-holder'), (2, 'unknown', 'field', 'item', 'rights-holder'),"
        " (3, 'CC-BY-4.0', 'rel-license', 'site', 'rights-holder'), (3, 'none', 'refusal', 'source', 'operator')",
    }
    keys = ("rights_holder_evidence", "statute_evidence", "operator_evidence", "with_evidence", "operator_share")
    assert [str(ask(key, **tables)[0][0]) for key in keys] == ["1", "0", "1", "2", "33.33"]


if __name__ == "__main__":
    before = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
    for line in lines():
        if line not in before:
            print(*line.split("\t")[2:4], FACTS[line.split("\t")[0]].sql, sep="\n  ", end="\n\n")
    LIST.write_text("".join(f"{line}\n" for line in lines()), encoding="utf-8")
