"""No expression on untrusted text may take exponential time: personal data by RE2 alone, the rest without nesting."""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._compiler
import re._constants as sre
import re._parser as parser
from collections.abc import Iterator

import pytest

from tests.builders.rows import each_row

MANY = 64  # a repetition that may go on further than this counts as endless
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
SIGNS = (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY)
ALPHABET = "".join(map(chr, range(0x250))) + "가각한글을를의ㄱㅏ「」『』·…—–“”‘’　，．：（）一二〇①㈜０Ａ\u200b\ufeff😀"
PACKAGES = ("filters", "crawlers.formats", "crawlers.rights", "malmoi")


def expressions() -> Iterator[tuple[str, re.Pattern]]:
    """Every expression of Python's own engine that a module of ours holds, by the name it has there."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
            if found.name == "flows.ablation.train_model":
                continue  # it needs torch, and reads no text
            for name, value in vars(importlib.import_module(found.name)).items():
                for number, one in enumerate(held(value)):
                    yield f"{found.name}.{name}[{number}]", one


def held(value: object) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from held(tuple(value.keys()) + tuple(value.values()))
    elif isinstance(value, tuple | list | frozenset | set):
        for one in value:
            yield from held(one)


def nested(tokens: parser.SubPattern, last: bool = True) -> bool:
    """Whether an endless repetition stands in another one, and nothing says where a turn of the outer one ends.

    `(?:a+b)*` is harmless: each turn has to pass the b. `(?:a+)*`, `(?:a*b?)*` and `(?:a+[ab])*` may cut a row of a's
    in every way, and try each of them where what follows does not match. Where nothing follows, nothing is tried.
    """
    for at, (operation, given) in enumerate(tokens, 1):
        ends = last and at == len(tokens)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT) and given[1] > MANY and not ends:
            inner = set().union(*(signs(one) for one in endless(given[2])))
            if inner and not any(one and one.isdisjoint(inner) for one in fences(given[2])):
                return True
        if any(nested(part, ends and operation not in REPEATS) for part in parts(operation, given)):
            return True
    return False


def endless(tokens: parser.SubPattern) -> Iterator[parser.SubPattern]:
    """The bodies of all endless repetitions in `tokens`."""
    for operation, given in tokens:
        if operation in REPEATS and given[1] > MANY:
            yield given[2]
        for part in parts(operation, given):
            yield from endless(part)


def fences(tokens: parser.SubPattern) -> Iterator[set[str]]:
    """For each sign that every turn has to pass: the characters that it may be."""
    for operation, given in tokens:
        if operation in SIGNS:
            yield signs([(operation, given)])
        elif operation == sre.SUBPATTERN:
            yield from fences(given[-1])
        elif operation in REPEATS and given[0] and given[1] <= MANY:
            yield from fences(given[2])


def signs(tokens: object) -> set[str]:
    """The characters of ALPHABET that a sign of `tokens` may be."""
    found: set[str] = set()
    for operation, given in tokens:
        if operation in SIGNS:
            one = parser.SubPattern(parser.State(), [(operation, given)])
            found |= {char for char in ALPHABET if re._compiler.compile(one, re.DOTALL).match(char)}
        for part in parts(operation, given):
            found |= signs(part)
    return found


def parts(operation: object, given: object) -> Iterator[parser.SubPattern]:
    if operation in REPEATS:
        yield given[2]
    elif operation == sre.SUBPATTERN:
        yield given[-1]
    elif operation == sre.BRANCH:
        yield from given[1]
    elif operation in (sre.ASSERT, sre.ASSERT_NOT):
        yield given[1]
    elif operation == sre.ATOMIC_GROUP:
        yield given


FOUND = dict(expressions())


def test_the_walk_finds_expressions():
    assert len(FOUND) > 100


@each_row("name", sorted(FOUND))
def test_no_endless_repetition_stands_in_another(name):
    assert not nested(parser.parse(FOUND[name].pattern, FOUND[name].flags & ~re.DEBUG))


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(?:a+[ab])*c", r"(?:\w+x)*!", "(?:a*b?)*c", "(?:x|(?:a+)+)y", "(?:[0-9]+ ?)*z"]
)
def test_the_lint_knows_a_nested_repetition(pattern):
    assert nested(parser.parse(pattern))


@pytest.mark.parametrize(
    "pattern", ["(?:a+b)*", r"(?:\s+[a-z]+=)*!", "(?:a+)*", "[a-z]+[0-9]*", "(?:ab){1,3}", "(?:a{1,3})*"]
)
def test_the_lint_lets_harmless_ones_pass(pattern):
    assert not nested(parser.parse(pattern))
