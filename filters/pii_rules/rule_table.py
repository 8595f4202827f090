"""Rule tables: one rule is a trigger, conditions, a confidence, and examples that are its tests.

docs/personal-data-rules.md describes every field. An unknown field, name or example without marks stops the load.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import re2
from pydantic import BaseModel, ConfigDict, Field, model_validator

from filters.pii_rules.candidate import PRECEDENCE, Candidate, Match
from filters.pii_rules.digit_runs import starts_with
from filters.pii_rules.labels import REACH
from filters.pii_rules.name_model import read_words
from malmoi.prefilter import build_set

ROOMS: Final = ("numbers", "contacts", "places", "dates", "secrets", "people")
ROOT: Final = Path(__file__).parent
MARKS: Final = ("⟦", "⟧")
VALUE: Final = "(?P<value>"
REACH_OF_PATTERN = 160  # code points of a match whose start another expression finds
LONGEST = 300  # characters of an expression as written; words in braces keep longer ones readable
Condition: TypeAlias = Callable[[Candidate], "str | bool | None"]
Detector: TypeAlias = Callable[[str, bytes], Iterator[Match]]
Placer: TypeAlias = Callable[[Candidate], tuple[int, int] | None]
_Pattern: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Context(BaseModel):
    """An expression in a window beside the value, which ends or begins at the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: _Pattern
    reach: int = Field(30, ge=1, le=2000)  # code points
    line: bool = True  # the window ends at a line end


class Extension(BaseModel):
    """Expressions for what may follow the value and belongs to it; tried in order, repeatedly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patterns: tuple[_Pattern, ...] = Field(min_length=1)
    stop: _Pattern | None = None  # where it matches, nothing more follows
    cut: _Pattern | None = None  # from the last code point of an extension on: it ends inside a number, and is refused
    reach: int = Field(48, ge=1, le=200)  # code points in which one extension ends
    most: int = Field(8, ge=1, le=20)


class Evidence(BaseModel):
    """A check that a candidate may fail, but that raises the confidence if it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    confidence: float = Field(gt=0, lt=1)


class Row(BaseModel):
    """One rule as written in a table. Exactly one trigger: `pattern`, `groups`, `row`, `heading` or `detector`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern="^[a-z0-9-]+$")
    kind: str
    about: str  # what is found, as a line of the generated page
    leaves: str = ""  # what is left alone, likewise
    misses: str = ""  # what is known to be missed, likewise
    # Triggers
    pattern: _Pattern | None = None  # the whole match, or its group `value`, is the value
    groups: tuple[tuple[int, ...], ...] = ()  # lengths of adjacent groups of digits
    row: tuple[int, int] | None = None  # least and most digits of a whole row of groups, whatever their lengths
    heading: _Pattern | None = None  # of a table column; the cells below are the values
    detector: str | None = None  # function of (text, bytes), where no expression can say it
    start: _Pattern | None = None  # where `pattern` may begin; cheaper to find than a long pattern
    gate: tuple[_Pattern, ...] = ()  # cheaper expressions; the trigger runs if one occurs in the text
    trim: str | None = None  # function that returns start and end of the value before the conditions, or None
    # Conditions, all of which hold
    separators: str | None = None  # characters that may separate the groups, all the same
    standalone: bool = False  # no further group of digits on either side
    not_continued: str = ""  # marks that may not connect the value to a further group
    label: tuple[str, ...] = ()  # kinds of labels, one of which is the nearest before the value
    within: int = Field(REACH, ge=0, le=REACH)  # code points between label and value, without white space and signs
    without_phone_words: bool = False  # telephone words and short names of banks do not count
    not_label: tuple[str, ...] = ()  # kinds of labels that must not be the nearest one
    not_within: int = Field(8, ge=0, le=REACH)
    before: Context | None = None
    not_before: Context | None = None
    after: Context | None = None
    not_after: Context | None = None
    near: Context | None = None  # on either side, `reach` code points each
    not_near: Context | None = None
    value: _Pattern | None = None  # the whole value matches, with one width of digits and one kind of dash and blank
    not_value: _Pattern | None = None  # it occurs in the value
    checks: tuple[str, ...] = ()  # functions of a candidate; a string that one returns is a fact for `why`
    unless: tuple[str, ...] = ()  # functions of a candidate, none of which holds
    adjust: str | None = None  # the same after the conditions
    extend: Extension | None = None  # what follows the value and belongs to it; after the conditions, instead of adjust
    # Result
    kind_by: str | None = None  # function that returns the kind of a candidate, where the value decides
    confidence: float = Field(gt=0, lt=1)
    evidence: Evidence | None = None
    why: str = ""  # without the text; facts of labels and checks follow
    found: tuple[str, ...] = ()  # examples with the values between ⟦ and ⟧
    left_alone: tuple[str, ...] = ()  # examples in which the rule finds nothing

    @model_validator(mode="after")
    def _validate_trigger(self) -> Row:
        triggers = [self.pattern, self.groups or None, self.row, self.heading, self.detector]
        if sum(one is not None for one in triggers) != 1:
            raise ValueError(
                f"rule {self.id}: name exactly one of `pattern`, `groups`, `row`, `heading` and `detector`"
            )
        if self.kind not in PRECEDENCE:
            raise ValueError(f"rule {self.id}: {self.kind!r} is not a kind")
        if not self.found or any(MARKS[0] not in one for one in self.found):
            raise ValueError(f"rule {self.id}: every example of `found` marks its values with ⟦ and ⟧")
        return self


class WordList(BaseModel):
    """A file of words in `filters/pii_rules/text`, separated by white space; lines that begin with # are comments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    drop: int = Field(0, ge=0)  # characters dropped at the end of each word: 수원시 → 수원

    def build_pattern(self) -> str:
        """Return the alternatives, longest first; words of one character that `drop` leaves are omitted."""
        words = read_words(self.file.removesuffix(".txt"))
        kept = {word[: len(word) - self.drop] for word in words if len(word) > self.drop + 1}
        return "|".join(re2.escape(word) for word in sorted(kept, key=lambda word: (-len(word), word)))


class Table(BaseModel):
    """A file of rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    automaton: Literal["numbers", "words", "people"]  # of the prefilter; each file belongs to one
    words: Mapping[str, str] = {}  # parts of expressions, named in braces: {region}
    lists: Mapping[str, WordList] = {}  # parts of expressions that a file of words holds
    rule: tuple[Row, ...]

    def read_words(self) -> Mapping[str, str]:
        """Return the words, those of lists included."""
        return {**self.words, **{name: one.build_pattern() for name, one in self.lists.items()}}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is ready to run."""

    row: Row
    gates: tuple[str, ...]  # of the prefilter; empty for groups of digits, which share one
    pattern: re2._Regexp | None  # at the start of the bytes if `start` finds the places
    group: int  # of the pattern that is the value: 1, or 0 for the whole match
    start: re2._Regexp | None  # where the pattern may begin
    heading: re2._Regexp | None
    detector: Detector | None
    conditions: tuple[Condition, ...]
    trim: Placer | None
    adjust: Placer | None
    kind_by: Callable[[Candidate], str] | None
    evidence: Condition | None

    @property
    def ceiling(self) -> float:
        """The highest confidence that a match can have."""
        return self.row.confidence if self.row.evidence is None else self.row.evidence.confidence

    def judge(self, candidate: Candidate) -> Match | None:
        """Return the match of `candidate` if all conditions hold."""
        if self.trim is not None:
            place = self.trim(candidate)
            if place is None:
                return None
            candidate = Candidate(candidate.text, *place, candidate.window, candidate.match_start)
        facts = [self.row.why] if self.row.why else []
        for condition in self.conditions:
            fact = condition(candidate)
            if not fact:
                return None
            if fact is not True:
                facts.append(fact)
        place = (candidate.start, candidate.end) if self.adjust is None else self.adjust(candidate)
        if place is None:
            return None
        kind = self.row.kind if self.kind_by is None else self.kind_by(candidate)
        confidence = self.row.confidence
        if self.evidence is not None and self.row.evidence is not None and (fact := self.evidence(candidate)):
            confidence = self.row.evidence.confidence
            facts += [fact] if isinstance(fact, str) else []
        return Match(*place, kind, confidence, "; ".join(facts) or self.row.id)


@cache
def read_table(path: Path) -> Table | None:
    """Return the table in a file; None if it has no rules.

    Raises ValueError or tomllib.TOMLDecodeError for a table that is not valid.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return Table.model_validate(data) if "rule" in data else None


def read_tables() -> Mapping[str, Table]:
    """Return the tables of all rooms by room and file, e.g. `numbers/phones`; errors as of `read_table`."""
    paths = ((f"{room}/{path.stem}", path) for room in ROOMS for path in sorted((ROOT / room).glob("*.toml")))
    return {name: table for name, path in paths if (table := read_table(path)) is not None}


def _build_word(table: str, word: str) -> str:
    found = read_table(ROOT / f"{table}.toml")
    assert found is not None
    return insert_words("{" + word + "}", found.words)


def insert_words(pattern: str, words: Mapping[str, str]) -> str:
    """Replace `{name}` by the word of that name, also within words; other braces stay.

    >>> insert_words("{d}{2}", {"d": "[0-9]"})
    '(?:[0-9]){2}'
    """
    inserted = pattern
    for name, word in words.items():
        inserted = inserted.replace("{" + name + "}", f"(?:{word})")
    return pattern if inserted == pattern else insert_words(inserted, words)  # words within words


def compile_word(table: str, word: str) -> re2._Regexp:
    """Compile a word of a table, for code that reads the same form: `compile_word("dates/birth_dates", "day")`."""
    return re2.compile(_build_word(table, word))


def read_word_set(table: str, word: str) -> frozenset[str]:
    """Return the alternatives of a word that is a list: `read_word_set("contacts/emails", "known_top")`."""
    return frozenset(_build_word(table, word).replace("(?:", "").replace(")", "").split("|"))


def find_function(name: str) -> Any:
    """Return the function that a table names, e.g. `numbers.checks.has_known_region`.

    Raises ValueError if the function does not exist.
    """
    module, _, function = name.rpartition(".")
    try:
        return getattr(import_module(f"filters.pii_rules.{module}"), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"a rule names the function {name!r}, which filters/pii_rules does not have") from error


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
    if row.extend is not None:
        adjust: Placer | None = _build_extension(row.extend, words)
    else:
        adjust = None if row.adjust is None else find_function(row.adjust)
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
        adjust,
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


def _build_conditions(row: Row, words: Mapping[str, str]) -> Iterator[Condition]:
    if row.separators is not None:
        marks = frozenset(row.separators)
        yield (
            lambda c: c.window is None or (len(set(c.window.separators)) < 2 and marks.issuperset(c.window.separators))
        )
    if row.standalone:
        yield lambda c: c.window is not None and c.window.is_standalone
    if row.not_continued:
        yield lambda c: c.window is None or not c.window.is_continued_by(row.not_continued)
    if row.not_label:
        yield _check_label(row, row.not_label, row.not_within, wanted=False)
    if row.label:
        yield _check_label(row, row.label, row.within, wanted=True)
    functions = [*map(find_function, row.checks), *(_negate(find_function(name)) for name in row.unless)]
    expressions = []
    if row.value is not None:
        expressions.append(_check_value(f"^(?:{insert_words(row.value, words)})$", wanted=True))
    if row.not_value is not None:
        expressions.append(_check_value(insert_words(row.not_value, words), wanted=False))
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
            expressions.append(_search_window(expression, context, window, wanted))
    # The functions of a window calculate with its digits, which costs less than an expression.
    yield from (*functions, *expressions) if row.groups or row.row else (*expressions, *functions)


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


def _build_extension(row: Extension, words: Mapping[str, str]) -> Callable[[Candidate], tuple[int, int]]:
    """Return the function that extends a candidate: repeatedly, by the first pattern that matches at its end."""
    parts = [re2.compile(f"^(?:{insert_words(one, words)})") for one in row.patterns]
    stop = None if row.stop is None else re2.compile(f"^(?:{insert_words(row.stop, words)})")
    cut = None if row.cut is None else re2.compile(f"^(?:{insert_words(row.cut, words)})")

    def extend(candidate: Candidate) -> tuple[int, int]:
        text, end = candidate.text, candidate.end
        for _ in range(row.most):
            window = text[end : end + row.reach].encode("utf-8", "replace")
            if not window or (stop is not None and stop.match(window) is not None):
                break
            matches = (part.match(window) for part in parts)
            ends = (end + len(match.group().decode()) for match in matches if match is not None and match.end())
            longer = next((e for e in ends if cut is None or not starts_with(cut, text[e - 1 : e + 7])), end)
            if longer == end:
                break
            end = longer
        return candidate.start, end

    return extend
