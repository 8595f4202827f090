"""Read the values that a script states, without running it: JSON and JavaScript literals.

Literals have bare keys, strings in any quotes, `void 0`, `new Date(…)`. A function that is called where it is written
and only returns a value (Nuxt 2, devalue: `(function(a,b){return {title:a}}("…",1))`) is read with its arguments.
Anything else in a value is None. Linear time: every character is read a bounded number of times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

MAX_DEPTH = 100  # nested values
MAX_VALUES = 400_000  # values of one script
RETRIES = 3  # characters read in vain, as a multiple of the script's length
MAX_PLACES = 20_000  # places in one script where a value may begin

_GAP = re.compile(r"(?:\s+|//[^\n]{0,2000}|/\*.{0,2000}?\*/)*", re.DOTALL)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)n?")
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\s{0,3}\.\s{0,3}[A-Za-z_$][\w$]*)*")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": " ", "v": " ", "0": "", "\n": "", "\r\n": ""}
_BRACKETS = re.compile(r"[\[\](){}\"'`]|/[/*]")
_CLOSING = {"{": "}", "[": "]", "(": ")"}
# Where a value may begin: behind "=" or "(", or as a member of an object that itself cannot be read.
_PLACE = re.compile(
    r"(?:(?<![=!<>])=(?![=>])|\(|\breturn\b)\s{0,9}(?:[\w$.]{1,80}(?:\[[^\]\n]{0,80}\])?\s{0,3}\|\|\s{0,3})?"
    r"(?=[\[{(\"'`]|JSON\s?\.|decodeURI)|,\s{0,9}(?=[\[{])"
)
_FUNCTION = re.compile(
    r"function\s{0,5}[\w$]{0,40}\s{0,5}\(([\w$,\s]{0,40000})\)\s{0,5}\{|\(([\w$,\s]{0,40000})\)\s{0,5}=>\s{0,5}"
)
_SET = re.compile(r"\s{0,9}([A-Za-z_$][\w$]*)((?:\.[A-Za-z_$][\w$]*|\[(?:\d{1,9}|\"[^\"\n]{0,80}\")\]){1,20})\s?=(?!=)")
_STEP = re.compile(r"\.([A-Za-z_$][\w$]*)|\[(?:(\d{1,9})|\"([^\"\n]{0,80})\")\]")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None, "NaN": None, "Infinity": None}


class _NoValue(Exception):
    """The characters are not a literal."""


@dataclass(frozen=True, slots=True)
class _Argument:
    """A parameter of a function, until its arguments are read."""

    name: str


def read_values(source: str) -> Iterator[Any]:
    """Yield the objects, arrays and long strings that a script assigns or passes to a function.

    >>> list(read_values("window.a = {b: 'ㄱ', c: [void 0, !1]}; d(window.e || [1, 2])"))
    [{'b': 'ㄱ', 'c': [None, False]}, [1, 2]]
    >>> list(read_values('window.__NUXT__=(function(a,b){b.t="나";return {x:a,y:b}}("가",{}))'))
    [{'x': '가', 'y': {'t': '나'}}]
    """
    end = 0
    vain = RETRIES * len(source) + 1_000
    for count, match in enumerate(_PLACE.finditer(source)):
        if match.start() < end:
            continue
        if vain < 0 or count > MAX_PLACES:
            return
        reader = _Reader(source, match.end())
        try:
            value = reader.read_whole()
        except (_NoValue, RecursionError):
            vain -= reader.at - match.end()
            continue
        if isinstance(value, (dict, list, str)) and len(value):
            end = reader.at
            yield value


def load_json(source: str) -> Any:
    """Parse JSON; the escapes of Angular's transfer state (`&q;` for a quote) are undone. None if it is not JSON."""
    try:
        return json.loads(source, strict=False)
    except (ValueError, RecursionError):
        pass
    if "&q;" not in source:
        return None
    for mark, sign in (("&q;", '"'), ("&s;", "'"), ("&l;", "<"), ("&g;", ">"), ("&a;", "&")):
        source = source.replace(mark, sign)
    return load_json(source)


@dataclass(slots=True)
class _Reader:
    source: str
    at: int
    left: int = MAX_VALUES
    scope: set[str] = field(default_factory=set)  # parameters of the function around
    depth: int = 0

    def read_whole(self) -> Any:
        """Read the value at `at`, and what is joined to it: strings with `+`, the arguments of a function."""
        self._skip_gap()
        if self.source.startswith("(", self.at) and (found := self._read_function()) is not None:
            return found[0]
        return self._read_sum()

    def _read_sum(self) -> Any:
        value = self._read()
        while isinstance(value, str):
            before = self.at
            self._skip_gap()
            if not self.source.startswith("+", self.at):
                self.at = before
                break
            self.at += 1
            more = self._read()
            value = value + more if isinstance(more, str) else value
        return value

    def _skip_gap(self) -> None:
        gap = _GAP.match(self.source, self.at)
        self.at = gap.end() if gap else self.at

    def _read(self) -> Any:
        self.left -= 1
        if self.left < 0 or self.depth > MAX_DEPTH:
            raise _NoValue
        self._skip_gap()
        char = self.source[self.at : self.at + 1]
        if char in ("{", "["):
            self.depth += 1
            value = self._read_object() if char == "{" else self._read_array()
            self.depth -= 1
            return value
        if char in ('"', "'", "`") and char:
            return self._read_string()
        if number := _NUMBER.match(self.source, self.at):
            self.at = number.end()
            return None if number.group().endswith("n") else _number(number.group())
        if char == "!":
            self.at += 1
            return not self._read()
        if char == "(":
            found = self._read_function()
            if found is not None:
                return found[0]
            self.at += 1
            value = self._read_sum()
            self._expect(")")
            return value
        return self._read_name()

    def _read_string(self) -> str:
        match = _STRING.match(self.source, self.at)
        if match is None:
            self.at = len(self.source)
            raise _NoValue
        self.at = match.end()
        inner = match.group()[1:-1]
        return _unescape(inner) if "\\" in inner else inner

    def _read_array(self) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while not self._ends("]"):
            if self.source.startswith(",", self.at):  # a hole
                self.at += 1
                found.append(None)
                continue
            found.append(self._read_sum())
            self._skip_comma("]")
        return found

    def _read_object(self) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while not self._ends("}"):
            if self.source.startswith("...", self.at):
                self.at += 3
                self._read()
            else:
                key = self._read_key()
                self._skip_gap()
                found[key] = _Argument(key) if self.source[self.at : self.at + 1] in (",", "}") else self._member()
            self._skip_comma("}")
        return found

    def _member(self) -> Any:
        if self.source.startswith("(", self.at):  # a method
            self._skip_brackets()
            self._skip_gap()
            self._skip_brackets()
            return None
        self._expect(":")
        return self._read_sum()

    def _read_key(self) -> str:
        if self.source[self.at : self.at + 1] in ('"', "'"):
            return self._read_string()
        match = _NAME.match(self.source, self.at) or _NUMBER.match(self.source, self.at)
        if match is None:
            raise _NoValue
        self.at = match.end()
        return match.group()

    def _ends(self, closing: str) -> bool:
        self._skip_gap()
        if self.at >= len(self.source):
            raise _NoValue
        if self.source[self.at] == closing:
            self.at += 1
            return True
        return False

    def _skip_comma(self, closing: str) -> None:
        self._skip_gap()
        char = self.source[self.at : self.at + 1]
        if char == ",":
            self.at += 1
        elif char != closing:
            raise _NoValue

    def _expect(self, char: str) -> None:
        self._skip_gap()
        if not self.source.startswith(char, self.at):
            raise _NoValue
        self.at += 1

    def _read_name(self) -> Any:
        """Read a word: a constant, a parameter, a call, a function; None for what has no value here."""
        if function := _FUNCTION.match(self.source, self.at):
            self.at = function.end() - (function.group(1) is not None)
            self._skip_gap()
            if self.source.startswith("{", self.at):
                self._skip_brackets()
                return None
        match = _NAME.match(self.source, self.at)
        if match is None:
            raise _NoValue
        name = match.group()
        self.at = match.end()
        if name in _WORDS:
            return _WORDS[name]
        if name == "void":
            self._read()
            return None
        if name == "new":
            return self._read_name_after_new()
        self._skip_gap()
        if self.source.startswith("(", self.at):
            return self._read_call("".join(name.split()))
        return _Argument(name) if name in self.scope else None

    def _read_name_after_new(self) -> Any:
        self._skip_gap()
        match = _NAME.match(self.source, self.at)
        if match is None:
            raise _NoValue
        self.at = match.end()
        self._skip_gap()
        if not self.source.startswith("(", self.at):
            return None
        return self._read_call("new " + match.group())

    def _read_call(self, name: str) -> Any:
        start = self.at
        self.at += 1
        try:
            value = None if self._ends(")") else self._read_sum()
            self._skip_gap()
            if not self.source.startswith(")", self.at):
                raise _NoValue
            self.at += 1
        except _NoValue:
            self.at = start
            self._skip_brackets()
            return None
        if name == "JSON.parse" and isinstance(value, str):
            return load_json(value)
        if name in ("decodeURIComponent", "decodeURI", "unescape") and isinstance(value, str):
            return unquote(value)
        return value if name in ("new Date", "new String", "String", "Object.freeze", "new Set") else None

    def _skip_brackets(self) -> None:
        """Move behind the bracket that closes the one at `at`; strings and comments inside are left out."""
        open_: list[str] = []
        while True:
            match = _BRACKETS.search(self.source, self.at)
            if match is None:
                self.at = len(self.source)
                raise _NoValue
            mark = match.group()
            self.at = match.start()
            if mark in _CLOSING:
                open_.append(_CLOSING[mark])
                self.at += 1
            elif mark in ("//", "/*"):
                before = self.at
                self._skip_gap()
                self.at = max(self.at, before + 1)
            elif mark in "\"'`":
                string = _STRING.match(self.source, self.at)
                self.at = string.end() if string else self.at + 1
            else:
                self.at += 1
                if not open_ or open_.pop() != mark:
                    raise _NoValue
                if not open_:
                    return

    def _read_function(self) -> tuple[Any] | None:
        """Read `(function(a,b){…return value}(…))`, or with the arguments outside; None if it is another bracket."""
        start = self.at
        head = _FUNCTION.match(self.source, start + 1)
        if head is None:
            return None
        names = [name.strip() for name in (head.group(1) or head.group(2) or "").split(",")]
        outer, self.scope = self.scope, self.scope | set(names)
        self.at = head.end()
        try:
            value, changes = self._read_body(arrow=head.group(2) is not None)
        finally:
            self.scope = outer
        arguments = self._read_arguments()
        if arguments is None:
            raise _NoValue
        known = dict(zip(names, arguments, strict=False))
        for name, path, change in changes:
            _assign(known.get(name), path, change)
        return (_put_in(value, known, [MAX_VALUES], 0),)

    def _read_body(self, *, arrow: bool) -> tuple[Any, list[tuple[str, list[str | int], Any]]]:
        """Return the value of the function whose body begins at `at`, and the assignments before; end behind it."""
        changes: list[tuple[str, list[str | int], Any]] = []
        if arrow and self.source.startswith("(", self.at):
            return self._read(), changes
        if arrow:
            self._expect("{")
        while match := _SET.match(self.source, self.at):
            self.at = match.end()
            path = [name or quoted or int(number) for name, number, quoted in _STEP.findall(match.group(2))]
            changes.append((match.group(1), path, self._read_sum()))
            while self.source[self.at : self.at + 1] in (";", ",", " ", "\n") and self.at < len(self.source):
                self.at += 1
        self._skip_gap()
        if not self.source.startswith("return", self.at):
            raise _NoValue
        self.at += 6
        value = self._read_sum()
        self._skip_gap()
        if self.source.startswith(";", self.at):
            self.at += 1
        self._expect("}")
        return value, changes

    def _read_arguments(self) -> list[Any] | None:
        self._skip_gap()
        if self.source.startswith(")", self.at):  # (function(){…})(…)
            self.at += 1
            self._skip_gap()
            outside = True
        else:
            outside = False
        if not self.source.startswith("(", self.at):
            return None
        self.at += 1
        found: list[Any] = []
        while not self._ends(")"):
            found.append(self._read_sum())
            self._skip_comma(")")
        if not outside:
            self._expect(")")
        return found


def _put_in(value: Any, known: dict[str, Any], left: list[int], depth: int) -> Any:
    """Put arguments in the place of parameters; the values behind `left` become None."""
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return None
    if isinstance(value, _Argument):
        found = known.get(value.name)
        return None if isinstance(found, _Argument) else _put_in(found, known, left, depth + 1)
    if isinstance(value, dict):
        return {key: _put_in(entry, known, left, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_put_in(entry, known, left, depth + 1) for entry in value]
    return value


def _assign(target: Any, path: list[str | int], value: Any) -> None:
    for step in path[:-1]:
        target = target.get(step) if isinstance(target, dict) else None
    last = path[-1]
    if isinstance(target, dict):
        target[str(last)] = value
    elif isinstance(target, list) and isinstance(last, int) and last <= len(target) < MAX_VALUES:
        target[last : last + 1] = [value]


def _number(text: str) -> int | float | None:
    if len(text) > 40:
        return None
    try:
        return int(text, 0) if text.isdecimal() or text[:2] in ("0x", "0X") else float(text)
    except ValueError:
        return None


def _unescape(inner: str) -> str:
    text = _ESCAPE.sub(_decode_escape, inner)
    return _SURROGATES.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _decode_escape(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _PLAIN.get(match.group(4), match.group(4))
