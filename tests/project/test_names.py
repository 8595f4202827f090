"""Functions are called by a verb, a question or a noun of the field: no bare participle, no bare preposition."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("malmoi", "crawlers", "filters", "data_cards", "flows")
# First words that say neither what a function does nor what it returns. `is_told` and `to_table` are fine: the
# first word is another one.
PARTICIPLES = frozenset(
    "been begun born borne bound broken brought bought caught chosen done drawn fallen forbidden forgotten found given "
    "gone got grown heard held hidden hung kept known laid led left lost made meant met misread overlaid paid "
    "rewritten said seen sent shown sold sought spelt spoken stood stuck swept taken thought told torn withheld won "
    "worn written".split()
)
PREPOSITIONS = frozenset(
    "about above after against among around at before behind below beneath beside besides between beyond by for in "
    "inside into near of off on onto out outside over per through under upon with within without".split()
)
ADVERBS = frozenset("again alone apart aside away either everything here nothing once together when whose".split())
STANDING = frozenset(  # present participles that stood for functions
    "allowing counting forbidding forgiving lasting quoting resting running showing speaking standing stopping "
    "telling".split()
)
NO_PARTICIPLES = frozenset("bed embed exceed feed need needs proceed red seed shed speed".split())  # end in -ed
FOREIGN = {"addressResolved", "unused_data"}  # the names that Twisted and zlib ask for


def functions() -> list[tuple[str, str]]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    found.append((path.relative_to(ROOT).as_posix(), node.name))
    return found


def is_refused(name: str) -> bool:
    word = re.split("_", name.strip("_"))[0].lower()
    if name in FOREIGN or not word:
        return False
    participle = word.endswith("ed") and word not in NO_PARTICIPLES
    return participle or word in PARTICIPLES | PREPOSITIONS | ADVERBS | STANDING


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("said", True),
        ("_found", True),
        ("joined_lines", True),
        ("without_session", True),
        ("_judged", True),
        ("read_captures", False),
        ("is_known", False),
        ("to_table", False),
        ("needs_script", False),
        ("_seed", False),
        ("charset", False),
    ],
)
def test_the_rule_refuses_participles_and_prepositions(name, refused):
    assert is_refused(name) is refused


def test_no_function_is_called_by_a_participle_or_a_preposition():
    assert [f"{path}: {name}" for path, name in functions() if is_refused(name)] == []
