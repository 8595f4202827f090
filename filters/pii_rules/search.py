"""Find the matches of all rules: a prefilter chooses the rules that may match, then each reads the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Final, TypeAlias, cast

import re2

from filters.pii_rules import digit_runs
from filters.pii_rules.candidate import Candidate, Match, resolve_overlaps
from filters.pii_rules.digit_runs import Run, Window, find_groups, matches
from filters.pii_rules.labels import find_cells
from filters.pii_rules.rule_table import MARKS, REACH_OF_PATTERN, Rule, compile_rule, read_tables
from malmoi.prefilter import build_set

Finder: TypeAlias = Callable[[str, bytes], Iterator[Match]]
# Patterns multiply the states of a shared automaton, and each state is built when a text first needs it. So there is
# one automaton for each group of tables.
AUTOMATA: Final = ("numbers", "words", "people")
GATE_BYTES: Final = 64 << 20  # memory for the states of an automaton, which are built on demand
LONGEST_ROW: Final = 30  # groups of digits; bounds the work for each group
_MOST_GROUPS: Final = 5  # of a row that a rule reads whole
_INSIDE: Final = ("-", " ", "~", ".", digit_runs.WRAP, *digit_runs.SLASHED)  # separators inside a row


def find_matches(text: str, data: bytes) -> list[Match]:
    """Return the matches of all rules but those of names, in text order, without overlap; `data` is `text` in UTF-8.

    Takes time linear in the length of the text.
    """
    finders: list[Finder] = []
    for gate, owners in build_gates():
        if hits := gate.Match(data):
            finders.extend(dict.fromkeys(finder for i in sorted(hits) for finder in owners[i]))
    return resolve_overlaps(item for finder in finders for item in finder(text, data)) if finders else []


@cache
def read_rules() -> tuple[tuple[Rule, str], ...]:
    """Return every rule with the automaton of its table, in order of the tables."""
    return tuple(
        (compile_rule(row, words), table.automaton)
        for table in read_tables().values()
        for words in (table.read_words(),)
        for row in table.rule
    )


def run_rule(rule: Rule, text: str) -> list[Match]:
    """Return the matches of one rule alone, without the prefilter."""
    return resolve_overlaps(_build_finder((rule,))(text, text.encode("utf-8", "replace")))


def read_example(example: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of an example, and start and end of each marked value.

    >>> read_example("전화 ⟦010⟧번")
    ('전화 010번', [(3, 6)])
    """
    text, places = "", list[tuple[int, int]]()
    opening, closing = MARKS
    for part in example.split(opening):
        value, mark, rest = part.partition(closing)
        if mark:
            places.append((len(text), len(text) + len(value)))
        text += value + rest
    return text, places


@cache
def build_gates() -> tuple[tuple[re2.Set, tuple[tuple[Finder, ...], ...]], ...]:
    """Build the prefilter: for each automaton the set of its expressions, and the finder of each expression."""
    owned: dict[str, list[tuple[str, Finder]]] = {name: [] for name in AUTOMATA}
    alike: dict[tuple[str, ...], list[Rule]] = {}  # rules that share the search for their pattern
    of_runs = []
    for rule, automaton in read_rules():
        if _reads_runs(rule):
            of_runs.append(rule)
            continue
        trigger = rule.row.id if rule.pattern is None else rule.pattern.pattern
        alike.setdefault((automaton, trigger, rule.row.start or "", *rule.gates), []).append(rule)
    owned["numbers"].append((digit_runs.RUN_GATE, _find_in_runs(of_runs)))
    for (automaton, *_), rules in alike.items():
        finder = _build_finder(rules)
        owned[automaton] += [(gate, finder) for gate in rules[0].gates]
    automata = []
    for pairs in owned.values():
        finders: dict[str, list[Finder]] = {}
        for gate, finder in pairs:
            finders.setdefault(gate, []).append(finder)
        if finders:
            automata.append((build_set(list(finders), GATE_BYTES), tuple(map(tuple, finders.values()))))
    return tuple(automata)


def _build_finder(rules: Sequence[Rule]) -> Finder:
    """Return the function that finds the matches of rules with one trigger in a text and its UTF-8 form."""
    rule = rules[0]
    if _reads_runs(rule):
        return _find_in_runs(rules)
    if rule.detector is not None:
        return rule.detector
    if rule.start is not None:
        return partial(_find_at_starts, rules)
    return partial(_find_in_columns, rule) if rule.heading is not None else partial(_find_by_pattern, rules)


def _reads_runs(rule: Rule) -> bool:
    return bool(rule.row.groups) or rule.row.row is not None


def _find_by_pattern(rules: Sequence[Rule], text: str, data: bytes) -> Iterator[Match]:
    for start, first, last in find_groups(rules[0].pattern, rules[0].group, text, data):
        if first < last:
            candidate = Candidate(text, first, last, match_start=start)
            for rule in rules:
                if (found := rule.judge(candidate)) is not None:
                    yield found


def _find_at_starts(rules: Sequence[Rule], text: str, data: bytes) -> Iterator[Match]:
    done, pattern = [0] * len(rules), cast(re2._Regexp, rules[0].pattern)
    for start, _ in matches(rules[0].start, text, data):
        if start < min(done):
            continue
        window = text[start : start + REACH_OF_PATTERN].encode("utf-8", "replace")
        match = pattern.match(window)
        first, last = (-1, -1) if match is None else match.span(rules[0].group)
        if first >= last:
            continue
        first, last = start + len(window[:first].decode()), start + len(window[:last].decode())
        candidate = Candidate(text, first, last, match_start=start)
        for i, rule in enumerate(rules):
            if start >= done[i] and (found := rule.judge(candidate)) is not None:
                done[i] = found.end
                yield found


def _find_in_columns(rule: Rule, text: str, data: bytes) -> Iterator[Match]:
    for start, end in find_cells(text, data, rule.heading):
        if (found := rule.judge(Candidate(text, start, end))) is not None:
            yield found


@dataclass(slots=True)
class _RunRules:
    """Rules that read runs of digits and have the same gate."""

    whole: list[tuple[Rule, int, int]] = field(default_factory=list)  # of rows, with their least and most digits
    shapes: dict[tuple[int, ...], list[Rule]] = field(default_factory=dict)  # of windows, by the lengths of the groups
    widest: int = 0  # groups of the longest shape

    def add(self, rule: Rule) -> None:
        if rule.row.row is not None:
            self.whole.append((rule, *rule.row.row))
        for lengths in rule.row.groups:
            self.shapes.setdefault(lengths, []).append(rule)
            self.widest = max(self.widest, len(lengths))


def _find_in_runs(rules: Sequence[Rule]) -> Finder:
    """Return the function that applies `rules` to each row of digit groups, and each window with a shape of theirs."""
    by_gate: dict[str, _RunRules] = {}
    for rule in sorted(rules, key=lambda rule: -rule.ceiling):
        by_gate.setdefault("|".join(rule.gates), _RunRules()).add(rule)
    gates, owners = build_set(by_gate, GATE_BYTES), tuple(by_gate.values())

    def find_in_runs(text: str, data: bytes) -> Iterator[Match]:
        parts: list[_RunRules] = []
        for run in digit_runs.find_runs(text, data):
            parts = parts or [owners[i] for i in sorted(gates.Match(data) or ())]
            for part in parts:
                if part.widest:
                    yield from _find_in_run(text, run, part.shapes, part.widest)
                for first, last in _split_rows(run) if part.whole else ():
                    size = sum(map(len, run.groups[first:last]))
                    fitting = [rule for rule, least, most in part.whole if least <= size <= most]
                    if fitting:
                        yield from _judge_window(Window(text, run, first, last), fitting)

    return find_in_runs


def _find_in_run(text: str, run: Run, shapes: Mapping[tuple[int, ...], Sequence[Rule]], widest: int) -> Iterator[Match]:
    lengths = tuple(map(len, run.groups))
    # In a long row of groups, no rule accepts a window that a dash connects to a further group.
    tied = run.separators if len(lengths) > LONGEST_ROW else ()
    for first in range(len(lengths)):
        for last in range(first + 1, min(first + widest, len(lengths)) + 1):
            rules = shapes.get(lengths[first:last])
            if rules is not None and not (tied and "-" in (tied[first], tied[last])):
                yield from _judge_window(Window(text, run, first, last), rules)


def _judge_window(window: Window, rules: Sequence[Rule]) -> Iterator[Match]:
    """Yield the matches of a window; `rules` are in order of confidence, so that what would lose is not judged."""
    candidate, best = Candidate(window.text, window.start, window.end, window), 0.0
    for rule in rules:
        if rule.ceiling < best:
            return
        if (found := rule.judge(candidate)) is not None:
            best = max(best, found.confidence)
            yield found


def _split_rows(run: Run) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) of the rows of at most five connected groups, and of their parts.

    In a part, all separators are of one kind.
    """
    first, count = 0, len(run.groups)
    for last in range(1, count + 1):
        if last < count and run.separators[last] in _INSIDE:
            continue
        rows, begin, mark = {(first, last)}, first, digit_runs.WRAP  # a dash at a line end goes with every kind
        for at in range(first + 1, last):
            separator = run.separators[at]
            if separator == digit_runs.WRAP:
                continue
            if mark not in (digit_runs.WRAP, separator):
                rows.add((begin, at))
                begin, mark = at, digit_runs.WRAP
            else:
                mark = separator
        rows.add((begin, last))
        yield from sorted(row for row in rows if row[1] - row[0] <= _MOST_GROUPS)
        first = last
