"""Convert reStructuredText to prose, also the pages that Sphinx-Gallery makes of Python files.

Kept: paragraphs, headings, lists, the text of notes, code in fences. Removed: directives that include, draw or list,
targets, substitutions, comments, underlines. It parses a subset line by line; docutils would execute includes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import re2

_SIGNS = frozenset("=-~`'\"^_*+#:.<>")  # of underlines
_DIRECTIVE = re2.compile(r"^( *)\.\. +(?:\|[^|\n]*\| +)?([A-Za-z][A-Za-z0-9_:+.-]*?) ?::(?:[ \t]+(.*))?$")
_EXPLICIT = re2.compile(r"^ *\.\.(?:[ \t].*)?$")  # target, footnote, comment
_FIELD = re2.compile(r"^ *:[A-Za-z][\w -]*:(?:[ \t].*)?$")
_RULE = re2.compile(r"^ *(?:\+[-=+]+\+|=+(?: +=+)+)[ \t]*$")  # borders of tables
_NOTES = frozenset(
    "note tip hint important warning caution attention danger error admonition seealso topic versionadded "
    "versionchanged deprecated rubric centered sidebar container tab tab-item tabs tab-set dropdown".split()
)
_CODE = frozenset({"code", "code-block", "sourcecode", "literalinclude", "prompt", "parsed-literal"})
_ROLE = re2.compile(r":[a-z][a-z0-9:_+-]*:`(?:!|~)?([^`<]*?)(?: *<[^`<>]*>)?`")
_LINK = re2.compile(r"`([^`<]+?) *<[^`<>]*>`__?")
_PHRASE = re2.compile(r"`([^`]+)`__?")
_LITERAL = re2.compile(r"``(.+?)``")
_SUBSTITUTION = re2.compile(r"\|[A-Za-z][^|\n]{0,80}\|_{0,2}")
_FOOTNOTE = re2.compile(r" ?\[(?:#[\w-]*|\*|\d+)\]_")
_WORD = re2.compile(r"([\p{L}\p{N}])_{1,2}([\s.,;:!?)]|$)")
_STRONG = re2.compile(r"(\*{1,2})([^*\s](?:[^*\n]*[^*\s])?)\*{1,2}")
_BULLET = re2.compile(r"^([-*+]|(?:\d{1,3}|[a-zA-Z#])[.)]) +")
_BLOCK = re2.compile(r"^(?:#{20,}|# ?%%.*)[ \t]*$")  # https://sphinx-gallery.github.io/stable/syntax.html
_DOCSTRING = re2.compile(r"^(?:[ \t]*(?:#[^\n]*)?\n)*[rRuU]{0,2}(\"\"\"|''')")
MAX_DEPTH = 5  # notes within notes; deeper ones are not prose


@dataclass(frozen=True, slots=True)
class Prose:
    """The text of a page, and its first heading."""

    text: str
    title: str


def prose(text: str) -> Prose:
    """Convert a reStructuredText file to prose.

    >>> prose("제목\\n====\\n\\n.. note::\\n   `글 <a.html>`_ 의 :ref:`뒤 <b>` 를 본다.\\n\\n.. image:: a.png")
    Prose(text='제목\\n\\n글 의 뒤 를 본다.', title='제목')
    """
    lines = [line.expandtabs(4).rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    titles = (above for above, below in pairwise(lines) if _is_underline(below) and not _is_underline(above))
    title = next((line.strip() for line in titles if line.strip()), "")
    blocks = "\n".join(_read_lines(lines)).split("\n\n")
    return Prose("\n\n".join(block.strip("\n") for block in blocks if block.strip()), _inline(title))


def _is_underline(line: str) -> bool:
    """Whether a line is one sign, repeated three times or more."""
    return len(line) >= 3 and line[0] in _SIGNS and line.count(line[0]) == len(line)


def _read_lines(lines: list[str], depth: int = 0) -> Iterator[str]:
    """Yield the lines of the prose; code between fences."""
    at = 0
    while at < len(lines):
        line = lines[at]
        directive = _DIRECTIVE.search(line)
        if directive:
            name, words = directive.group(2).rpartition(":")[2].lower(), directive.group(3) or ""
            body, at = _body(lines, at + 1, len(directive.group(1)))
            yield from ("", *_directive(name, words, body, depth), "")
        elif _EXPLICIT.search(line):
            _, at = _body(lines, at + 1, len(line) - len(line.lstrip()))
        elif _is_underline(line) or _RULE.search(line) or _FIELD.search(line):
            if not _RULE.search(line):  # between two rows of a table
                yield ""
            at += 1
        elif line.endswith("::"):
            yield _inline(line[:-2].rstrip() + ("" if line.strip() == "::" or line.endswith(" ::") else ":"))
            body, at = _body(lines, at + 1, len(line) - len(line.lstrip()))
            yield from ("", *_fence_code("", body), "")
        else:
            yield _inline(line)
            at += 1


def _directive(name: str, words: str, body: list[str], depth: int) -> Iterator[str]:
    if name in _CODE:
        yield from _fence_code(words.strip(), [line for line in body if not _FIELD.search(line)])
    elif name in _NOTES:
        yield _inline(words)
        options = 0
        while options < len(body) and _FIELD.search(body[options]):
            options += 1
        if depth < MAX_DEPTH:
            yield from _read_lines(body[options:], depth + 1)


def _body(lines: list[str], at: int, indent: int) -> tuple[list[str], int]:
    """Return the lines indented deeper than `indent`, without their indentation, and the index after them."""
    end = at
    while end < len(lines) and (not lines[end] or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    block = lines[at:end]
    depth = min((len(line) - len(line.lstrip()) for line in block if line), default=0)
    return [line[depth:] for line in block], end


def _fence_code(language: str, body: list[str]) -> Iterator[str]:
    code = "\n".join(body).strip("\n")
    if code:
        # No empty line in a fence: an empty line separates two blocks.
        yield "\n".join((f"```{language}", *(line for line in code.split("\n") if line), "```"))


def _inline(line: str) -> str:
    r"""Remove marks of emphasis, roles and links from a line; literals get one backtick.

    >>> _inline("|edit| **굵은** ``a*b`` 와 :func:`~torch.add`, 글_. 각주 [#f]_")
    '굵은 `a*b` 와 torch.add, 글. 각주'
    """
    literals: list[str] = []
    indent = line[: len(line) - len(line.lstrip())]

    def keep(match: re2._Match[str]) -> str:
        literals.append(match.group(1))
        return f"\x00{len(literals) - 1}\x00"

    line = _LITERAL.sub(keep, line.replace("\0", ""))
    for pattern, shown in (
        (_ROLE, r"\1"), (_LINK, r"\1"), (_PHRASE, r"\1"), (_SUBSTITUTION, ""), (_FOOTNOTE, ""), (_STRONG, r"\2"),
        (_WORD, r"\1\2"),
    ):  # fmt: skip
        line = pattern.sub(shown, line)
    parts = (line if line.endswith("|") else line.removeprefix("| ")).replace("\\ ", "").split("\0")
    parts[1::2] = [f"`{literals[int(part)]}`" for part in parts[1::2]]
    words = "".join(parts).strip()
    item = _BULLET.search(words)
    return f"{indent}{'-' if item.group(1) in '*+' else item.group(1)} {words[item.end() :]}" if item else words


def gallery(text: str) -> str:
    """Convert a Python file of Sphinx-Gallery to reStructuredText: docstring and comment blocks, with the code between.

    >>> gallery('# -*- coding: utf-8 -*-\\n\"\"\"\\n제목\\n===\\n\"\"\"\\nx = 1\\n####################\\n# 글\\ny = 2')
    '제목\\n===\\n\\n.. code:: python\\n\\n    x = 1\\n\\n글\\n\\n.. code:: python\\n\\n    y = 2\\n'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opens = _DOCSTRING.search(text)
    closes = text.find(opens.group(1), opens.end()) if opens else -1
    if not opens or closes < 0:
        return ""
    parts = [text[opens.end() : closes].strip("\n")]
    code: list[str] = []
    words: list[str] | None = None
    for line in text[closes + 3 :].split("\n"):
        if words is not None and line.startswith("#") and not _BLOCK.search(line):
            words.append(line[2:] if line.startswith("# ") else line[1:])
            continue
        if words is not None:
            parts.append("\n".join(words))
            words = None
        if _BLOCK.search(line):
            parts.append(_code(code))
            code, words = [], []
        else:
            code.append(line)
    parts += ["\n".join(words)] if words is not None else [_code(code)]
    return "\n\n".join(part for part in parts if part.strip()).rstrip("\n") + "\n"


def _code(lines: list[str]) -> str:
    body = "\n".join(f"    {line}" if line.strip() else "" for line in lines).strip("\n")
    return f".. code:: python\n\n{body}" if body else ""
