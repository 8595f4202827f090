"""`make check` runs the tests that a change reaches, and those only."""

from tests.project.changed_tests import ALWAYS, MOST, ROOT, SLOW, chosen, imports, reached

SOURCES = {
    "malmoi/document.py": "",
    "filters/pii/__init__.py": "from filters.pii import phones",
    "filters/pii/phones.py": "from malmoi.document import (\n    Document,\n    Note as Said,\n)",
    "filters/spam.py": "import malmoi.document",
    "tests/test_phones.py": "from filters.pii import phones",
    "tests/test_pii.py": "def test():\n    from filters import pii",
    "tests/test_spam.py": "import re, filters.spam",
    "tests/test_cases.py": "CASES = 'phones.jsonl'",
}


def test_an_import_is_read_however_it_is_written():
    assert imports("from a.b import (\n    c,\n    d as e,\n)\nimport f.g, h\n") >= {
        "a.b",
        "a.b.c",
        "a.b.d",
        "f.g",
        "h",
    }
    assert imports("def f():\n    from a import b\n") == {"a", "a.b"}


def test_a_change_reaches_the_tests_that_import_it_and_the_nearest_come_first():
    assert reached(["filters/pii/phones.py"], SOURCES) == ["tests/test_phones.py", "tests/test_pii.py"]
    assert reached(["malmoi/document.py"], SOURCES)[-1] == "tests/test_pii.py"
    assert set(reached(["malmoi/document.py"], SOURCES)) == {f"tests/test_{n}.py" for n in ("phones", "pii", "spam")}
    assert reached(["tests/test_spam.py"], SOURCES) == ["tests/test_spam.py"]


def test_data_reaches_the_tests_that_name_it():
    assert reached(["tests/data/phones.jsonl"], SOURCES) == ["tests/test_cases.py"]


def test_a_slow_file_runs_where_it_or_its_namesake_changed_and_the_number_of_files_is_bounded():
    slow = "tests/filters/test_spam.py"
    assert slow in SLOW
    many = {f"tests/test_{n}.py": "import malmoi.document" for n in range(3 * MOST)}
    sources = SOURCES | many | {slow: "from filters import spam"}
    assert len(chosen(["malmoi/document.py"], sources)) == len(ALWAYS) + MOST + 1
    assert slow not in chosen(["malmoi/document.py"], sources) and slow in chosen([slow], sources)
    assert slow in chosen(["filters/spam.py"], sources)
    assert "malmoi/document.py" in chosen(["malmoi/document.py"], sources), "its doctests"


def test_what_always_runs_is_there():
    assert all((ROOT / path).is_file() for path in ALWAYS)
