"""Find code on a page, its language and its line numbers, and reduce each block to a plain <pre>."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from lxml import html

from crawlers.formats.html.layout import GONE, words_of

LANGUAGE = "data-code"  # attribute of a <pre> that is code: its language, or ""
PROSE_HANGUL = 0.5  # share of Hangul among the letters of a <pre> from which on it may be prose
PROSE_SIGNS = 0.05  # share of signs of code among its characters, up to which it is prose
MAX_CODE = 400_000  # code points of one block
ABOVE = 4  # ancestors whose names may state the language
MAX_LABEL = 20  # code points of a label above code
FEW = 40  # elements of a block that are inspected for colours
ROWS = 5_000  # rows of a table that is inspected for line numbers

# Class names by which programs mark the language: Prism, highlight.js, Rouge, Pygments, Sphinx, GitHub, Org.
_LANGUAGE = re.compile(
    r"(?:^|\s)(language|lang|brush|hl|highlight-source|highlight-text|highlight|src)[-:]\s?([A-Za-z][\w+#.]{0,20})"
)
# fmt: off
_KNOWN = frozenset(
    "bash sh shell zsh console powershell batch c cpp c++ csharp cs css scss sass less dart diff docker "
    "dockerfile elixir erlang fortran fsharp go golang gradle graphql groovy haskell html http ini java "
    "javascript js json json5 jsonc jsx julia kotlin kt latex tex lisp lua makefile markdown matlab "
    "mermaid nginx objectivec objc ocaml octave perl php plsql powerquery prolog properties protobuf "
    "python py python3 pycon r ruby rb rust rs scala scheme sql mysql pgsql svelte swift toml ts tsx "
    "typescript vb vbnet verilog systemverilog vhdl vim vue wasm xml yaml yml zig asm abap solidity tcl "
    "awk sed cmake".split()
)
_NO_LANGUAGE = frozenset(
    "text plain plaintext plain-text txt default none nohighlight no-highlight auto undefined source line lines block"
    " wrapper container toolbar copy inline tag content box notranslate numbers tabs".split()
)
# fmt: on
_SAME_LANGUAGE = {"ipython3": "python", "ipython2": "python", "ipython": "python"}
_CODE_NAME = re.compile(
    r"(?:^|[\s_-])(?:highlight|highlighter|hljs|prettyprint|sourcecode|syntaxhighlighter|code|codehilite|codeblock"
    r"|programlisting|screen|src|prism|shiki|chroma|rouge|console|terminal|colorscripter)(?:$|[\s_-])|code-?(?:block|view|box)"
    r"|(?:^|\s)(?:language|lang|brush)[-:]",
    re.IGNORECASE,
)
_GUTTER = re.compile(
    r"(?:^|\s)(?:linenos?|line-?numbers?(?:-rows|-wrapper)?|lineno|ln|gutter|rouge-gutter|hljs-ln-numbers?|crayon-nums?"
    r"|blob-num|code-line-number|react-code-line-number|lnt|line-number)(?:$|\s)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[\s\d.:]*")
_PREFORMATTED = re.compile(r"white-space\s{0,5}:\s{0,5}pre(?!-line)", re.IGNORECASE)
_SIGNS = re.compile(r"[{}\[\]()<>=;$#/\\_*&|+@`^~\"']")
_HANGUL = re.compile("[가-힣]")
_LETTERS = re.compile(r"[^\W\d_]")
_LINES = frozenset({"div", "li", "p", "tr"})  # each is a line of code


def mark_code(body: html.HtmlElement) -> None:
    """Replace every block of code in place by a <pre data-code=LANGUAGE> with its text and without line numbers.

    A <pre> of Korean prose becomes a box whose lines stay apart.

    >>> code = '<pre class="lang-py"><b>a</b> = 1\\n\\nb</pre>'
    >>> page = html.fragment_fromstring(f"<div>{code}<pre>낱말을 모은다.</pre></div>")
    >>> mark_code(page)
    >>> html.tostring(page, encoding="unicode")
    '<div><pre data-code="py">a = 1\\n\\nb</pre><div>낱말을 모은다.</div></div>'
    """
    for table in reversed(list(body.iter("table"))):
        _replace_table(table)
    if next(body.iter("pre", "code"), None) is None:
        return
    for part in body.iter("div", "span", "td", "ol", "ul"):
        if (name := part.get("class")) and _GUTTER.search(name) and _has_numbers_only(part):
            part.tag = GONE
    for listing in body.iter("xmp", "listing", "plaintext"):
        listing.tag = "pre"
    for code in list(body.iter("pre", "code", "textarea")):
        if code.tag == "pre":
            if code.get(LANGUAGE) is None:
                _reduce_pre(code)
        elif code.tag == "code" and _is_block(code):
            _replace(code, code, text_of_code(code))
        elif code.tag == "textarea":
            code.tag = GONE


def text_of_code(box: html.HtmlElement) -> str:
    """Return the text of code: a line for each <br> or box, without line numbers."""
    parts = list(_pieces(box))
    text = "".join(parts).replace("\r\n", "\n").replace("\xa0", " ").replace("\u200b", "").replace("\ufeff", "")
    lines = [line.rstrip() for line in text[:MAX_CODE].split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def _pieces(box: html.HtmlElement) -> Iterator[str]:
    """Yield the pieces of text in document order; iterative, because pages nest deep."""
    ended = True  # whether the text so far ends with a line break
    stack: list[tuple[html.HtmlElement, bool]] = [(box, False)]
    while stack:
        element, done = stack.pop()
        if done:
            if element is not box:
                if element.tag in _LINES and not ended:
                    yield "\n"
                    ended = True
                tail = element.tail or ""
                # White space between the boxes of lines is indentation of the markup.
                if tail and not (element.tag in _LINES and tail.isspace()):
                    yield tail
                    ended = tail.endswith("\n")
            continue
        stack.append((element, True))
        if element is not box and (element.tag in ("button", "script", "style", GONE) or _is_gutter(element)):
            continue
        if element.tag == "br":
            yield "\n"
            ended = True
            if element.tail:
                element.tail = element.tail.removeprefix("\n")
        if element is not box and element.tag in _LINES and not ended:
            yield "\n"
            ended = True
        text = element.text or ""
        if text and not (text.isspace() and len(element) and element[0].tag in _LINES):
            yield text
            ended = text.endswith("\n")
        elif element.tag in _LINES and not len(element) and element is not box:
            yield "\n"  # an empty line
            ended = True
        stack.extend((child, False) for child in reversed(element))


def _is_gutter(element: html.HtmlElement) -> bool:
    if element.get("data-line-number") is not None and not (element.text or "").strip().strip("0123456789"):
        return True
    name = element.get("class")
    return name is not None and bool(_GUTTER.search(name)) and _has_numbers_only(element)


def _has_numbers_only(element: html.HtmlElement) -> bool:
    return bool(_NUMBERS.fullmatch("".join(islice(map(str, element.itertext()), ROWS))))


def _is_block(code: html.HtmlElement) -> bool:
    """Whether a <code> outside <pre> is a block: it has line breaks, and is alone in its box."""
    parent = code.getparent()
    if parent is None or next(code.iterancestors("pre"), None) is not None:
        return False
    if (code.tail or "").strip() or (parent.text or "").strip() or len(parent) > 3:
        return False
    return next(code.iter("br", "div"), None) is not None or "\n" in "".join(map(str, code.itertext())).strip()


def _reduce_pre(pre: html.HtmlElement) -> None:
    """Keep a <pre> of code; make a box with a <br> after each line of Korean prose without a mark of code."""
    if next(pre.iterdescendants("table"), None) is not None and next(pre.iterdescendants("pre"), None) is not None:
        pre.tag = "div"  # a table in it was code, and is a <pre> now
        return
    text = text_of_code(pre)
    if not text:
        pre.tag = GONE
        return
    names = " ".join(_names(pre))
    colours = any(
        part.tag in ("code", "samp", "kbd") or (part.tag == "span" and part.get("class"))
        for part in islice(pre.iterdescendants(), FEW)
    )
    is_code = colours or bool(_CODE_NAME.search(names))
    if not is_code:  # Korean prose is none
        hangul = len(_HANGUL.findall(text))
        signs = len(_SIGNS.findall(text))
        is_code = not hangul or hangul < PROSE_HANGUL * len(_LETTERS.findall(text)) or signs > PROSE_SIGNS * len(text)
    if is_code:
        _replace(pre, pre, text)
        return
    tail = pre.tail
    pre.tag = "div"
    pre[:] = []
    first, *rest = text.split("\n")
    pre.text, pre.tail = first, tail
    for line in rest:
        end = pre.makeelement("br")
        end.tail = line
        pre.append(end)


def _replace(box: html.HtmlElement, named: html.HtmlElement, text: str) -> None:
    """Make a box a <pre> with this text only."""
    language = find_language(named)
    tail = box.tail
    box.tag = "pre"
    box[:] = []
    box.attrib.clear()
    box.set(LANGUAGE, language)
    label = box.getprevious()
    if language and label is not None and words_of(label, MAX_LABEL).casefold() == language:
        label.tag = GONE  # the name of the language above its code
    box.text, box.tail = text, tail


def _names(code: html.HtmlElement) -> Iterator[str]:
    """Yield the class names of the code in a block, of the block, and of the boxes around it that hold nothing else."""
    inner = next(code.iterdescendants("code"), None)
    if inner is not None:
        yield inner.get("class") or ""
    yield code.get("class") or ""
    for above in islice(code.iterancestors(), ABOVE):
        if above.tag in ("body", "article", "main", "li", "section"):
            return
        yield above.get("class") or ""


def find_language(code: html.HtmlElement) -> str:
    """Return the language that a block of code names, in lower case; "" without one.

    >>> find_language(html.fragment_fromstring('<pre><code class="hljs language-Java"></code></pre>'))
    'java'
    """
    boxes = [code, *islice(code.iterdescendants("code"), 1), *islice(code.iterancestors(), ABOVE)]
    for box in boxes:
        for attribute in ("data-lang", "data-language", "data-ke-language"):
            if (said := (box.get(attribute) or "").strip().lower()) and _is_language(said):
                return said
    for name in (*_names(code), code.get("data-syntaxhighlighter-params") or ""):
        for match in _LANGUAGE.finditer(name):
            said = _SAME_LANGUAGE.get(match.group(2).lower(), match.group(2).lower())
            if said in _KNOWN or (match.group(1) in ("language", "lang", "brush") and _is_language(said)):
                return said
        for word in name.split():
            if word.lower() in _KNOWN:
                return word.lower()
    return ""


def _is_language(word: str) -> bool:
    return word not in _NO_LANGUAGE and len(word) <= 20 and " " not in word


def _replace_table(table: html.HtmlElement) -> None:
    """Replace a table of line numbers beside code by the code."""
    if next(table.iterdescendants("table"), None) is not None:
        return
    rows = list(islice(table.iter("tr"), ROWS))
    cells = [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]
    cells = [row for row in cells if len(row) > 1]  # a row of one cell holds the name of a file
    if not cells or max(map(len, cells)) > 3 or len(rows) == ROWS:
        return
    numbers = [_words(row[0]) for row in cells]
    if not all(_NUMBERS.fullmatch(number) for number in numbers) or not _count_up("\n".join(numbers), cells):
        return
    if not _looks_like_code(table, cells[0][1]):
        return
    codes = [text_of_code(next(row[1].iter("pre"), row[1])) for row in cells]
    holder = table.getparent()
    wrapping = holder is not None and holder.tag in ("pre", "code") and not (holder.text or "").strip()
    inner = next(cells[0][1].iter("pre", "code"), table)
    language = find_language(inner) or find_language(table)
    _replace(table, table, "\n".join(codes))
    table.set(LANGUAGE, language)
    while wrapping and holder is not None and holder.tag in ("pre", "code"):
        holder.tag, holder = "div", holder.getparent()


def _words(cell: html.HtmlElement) -> str:
    if not len(cell) and not (cell.text or "").strip() and cell.get("data-line-number"):
        return cell.get("data-line-number") or ""
    return " ".join("\n".join(islice(map(str, cell.itertext()), ROWS)).split())


def _count_up(numbers: str, cells: list[list[html.HtmlElement]]) -> bool:
    """Whether line numbers are consecutive; without any, whether the first cells are named as a gutter."""
    found = [int(number) for number in numbers.replace(".", " ").replace(":", " ").split()]
    if not found:
        return all(_GUTTER.search(row[0].get("class") or "") for row in cells)
    return all(later == before + 1 for before, later in pairwise(found))


def _looks_like_code(table: html.HtmlElement, cell: html.HtmlElement) -> bool:
    if next(cell.iter("pre", "code"), None) is not None or table.getparent().tag in ("pre", "code"):
        return True
    names = " ".join((*(part.get("class") or "" for part in islice(table.iter(), FEW)), *_names(table)))
    if _CODE_NAME.search(names):
        return True
    return any(_PREFORMATTED.search(part.get("style") or "") for part in islice(cell.iter(), FEW))
