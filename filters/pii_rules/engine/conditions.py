"""Turn the fields of a row into conditions, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.extension import build_extension
from filters.pii_rules.engine.rule_table import (
    VALUE,
    Condition,
    Context,
    Placer,
    Row,
    Rule,
    find_function,
    insert_words,
)
from malmoi.prefilter import build_set

SET_BYTES: Final = 32 << 20
CAPTURE_BYTES: Final = 32 << 20  # memory for the states of an expression for one value, which are built on demand


def compile_rule(row: Row, words: Mapping[str, str]) -> Rule:
    """Return the rule of `row` with its expressions compiled and its functions found."""
    pattern = None if row.pattern is None else insert_words(row.pattern, words)
    heading = None if row.heading is None else insert_words(row.heading, words)
    start = None if row.start is None else insert_words(row.start, words)
    gates = [insert_words(gate, words) for gate in row.gate] or [
        one for one in (start or pattern, heading) if one is not None
    ]
    return Rule(
        row,
        tuple(gate.replace(VALUE, "(?:") for gate in gates),
        _compile_pattern(row, pattern),
        int(VALUE in (row.pattern or "")),
        None if start is None else re2.compile(start),
        None if heading is None else re2.compile(heading),
        None if row.detector is None else find_function(row.detector),
        tuple(_build_conditions(row, words)),
        None if row.trim is None else find_function(row.trim),
        _build_adjustment(row, words),
        None if row.kind_by is None else find_function(row.kind_by),
        None if row.evidence is None else find_function(row.evidence.check),
    )


def _compile_pattern(row: Row, pattern: str | None) -> re2._Regexp | None:
    """Return the expression with at most the value as a group; at the start of a string where `start` finds it."""
    if pattern is None:
        return None
    options = re2.Options()
    options.max_mem = CAPTURE_BYTES
    compiled = re2.compile(pattern if row.start is None else f"^(?:{pattern})", options)
    if compiled.groups != int(VALUE in pattern):
        raise ValueError(f"rule {row.id}: only the value may be a capturing group; write (?:…) for the others")
    return compiled


def _build_adjustment(row: Row, words: Mapping[str, str]) -> Placer | None:
    if row.extend is not None:
        return build_extension(row.extend, words)
    return None if row.adjust is None else find_function(row.adjust)


def _build_conditions(row: Row, words: Mapping[str, str]) -> Iterator[Condition]:
    if row.separators is not None:
        yield _require_separators(row.separators)
    if row.standalone:
        yield lambda c: c.window is not None and c.window.is_standalone
    if row.not_continued:
        yield lambda c: c.window is None or not c.window.is_continued_by(row.not_continued)
    if row.not_label:
        yield _check_label(row, row.not_label, row.not_within, wanted=False)
    if row.label:
        yield _check_label(row, row.label, row.within, wanted=True)
    functions = [*map(find_function, row.checks), *(_negate(find_function(name)) for name in row.unless)]
    expressions = list(_build_expressions(row, words))
    # The functions of a window calculate with its digits, which costs less than an expression.
    yield from (*functions, *expressions) if row.groups or row.row else (*expressions, *functions)


def _build_expressions(row: Row, words: Mapping[str, str]) -> Iterator[Condition]:
    if row.value is not None:
        yield _check_value(f"^(?:{insert_words(row.value, words)})$", wanted=True)
    if row.not_value is not None:
        yield _check_value(insert_words(row.not_value, words), wanted=False)
    for context, window, anchor, wanted in (
        (row.not_before, _read_before, "(?:{})$", False),
        (row.not_after, _read_after, "^(?:{})", False),
        (row.before, _read_before, "(?:{})$", True),
        (row.after, _read_after, "^(?:{})", True),
        (row.near, _read_around, "{}", True),
        (row.not_near, _read_around, "{}", False),
    ):
        if context is not None:
            expression = build_set([anchor.format(insert_words(context.pattern, words))], SET_BYTES)
            yield _search_window(expression, context, window, wanted)


def _require_separators(allowed: str) -> Condition:
    marks = frozenset(allowed)
    return lambda c: c.window is None or (len(set(c.window.separators)) < 2 and marks.issuperset(c.window.separators))


def _check_value(pattern: str, wanted: bool) -> Condition:
    expression = build_set([pattern], SET_BYTES)
    return lambda c: (expression.Match(c.plain.encode()) is not None) is wanted


def _search_window(
    expression: re2.Set, context: Context, window: Callable[[Candidate, Context], str], wanted: bool
) -> Condition:
    return lambda c: (expression.Match(window(c, context).encode("utf-8", "replace")) is not None) is wanted


def _read_before(candidate: Candidate, context: Context) -> str:
    left = candidate.read_before(context.reach)
    return left.rpartition("\n")[2] if context.line else left


def _read_after(candidate: Candidate, context: Context) -> str:
    right = candidate.read_after(context.reach)
    return right.partition("\n")[0] if context.line else right


def _read_around(candidate: Candidate, context: Context) -> str:
    return f"{_read_before(candidate, context)}\x00{_read_after(candidate, context)}"


def _check_label(row: Row, kinds: tuple[str, ...], within: int, wanted: bool) -> Condition:
    def check_label(candidate: Candidate) -> str | bool:
        label = candidate.number_label if row.without_phone_words else candidate.label
        found = label.kind in kinds and label.distance <= within
        return f"label {label.word} before" if found and wanted else found is wanted

    return check_label


def _negate(function: Callable[[Candidate], object]) -> Condition:
    return lambda c: not function(c)
