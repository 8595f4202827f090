"""Repair tags that lost, gained or changed a byte, so that damage costs no more than the words around it.

A parser takes a damaged tag for another, unknown one, or for text: a box ends too early or never, a script or comment
takes in the rest of the page. Repaired are names at one edit from a known name, lost angle brackets and quotes, and
ends of comments and scripts; a name only if its tags are unbalanced in the page, so that intact pages stay as they are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from functools import cache

import re2

MAX_REPAIRS = 5_000  # tags of one page

# fmt: off
_NAMES = frozenset("""
    a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br
    button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed
    fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe
    image img input ins kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter nav
    nobr noframes noscript object ol optgroup option output p param picture plaintext pre progress q rb rp rt rtc ruby
    s samp script search section select slot small source spacer span strike strong style sub
    summary sup svg table tbody td
    template textarea tfoot th thead time title tr track tt u ul var video wbr xmp
    path g circle rect line polyline polygon ellipse defs use symbol stop mask text tspan image filter pattern clippath
    lineargradient radialgradient foreignobject desc view mi mo mn ms mtext mrow mfrac msup msub msqrt mtable mtr mtd
""".split())
# Names that damage is repaired to: boxes whose loss changes the structure of a page.
_BOXES = frozenset("""
    a article aside b body blockquote button caption center code dd div dl dt em fieldset figcaption figure font footer
    form h1 h2 h3 h4 h5 h6 head header html i label li main nav noscript ol option p pre section select span strong
    style script sub sup table tbody td textarea tfoot th thead title tr u ul
""".split())
# fmt: on
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})(?![A-Za-z0-9:_-])")
_ODD = re.compile(r"<(/?)([^\s<>/!?=\"'&]{1,14})(?=[\s>/])")
_NAME = re.compile(_ODD.pattern.replace("(/?)", "/?"))
_BOX = "|".join(sorted(_BOXES, key=len, reverse=True))
_NO_START = re.compile(  # "</" has lost "<", or another character is in its place
    rf"(?:(?<=>)[!-.0-;=?-~\ufffd]|(?<=[^<\s/A-Za-z0-9_])[^<>\w\s/]?)/((?i:{_BOX}))>"
)
_NO_START_2 = re.compile(
    rf"(?<![<\w/.\-])({_BOX})(\s[\w-]{{1,30}}=[\"'][^<>\"']{{0,200}}[\"'][^<>]{{0,300}}>)", re.IGNORECASE
)
_NO_SLASH = re.compile(r"<[^\w\s<>!?/=]([a-z][a-z0-9]{0,12})>", re.IGNORECASE)  # "<\ufffddiv>"
_NO_END = re.compile(
    rf"<(/?)({_BOX})(\s[^<>\"']{{0,200}}(?:[\"'][^<>\"']{{0,300}}[\"'][^<>\"']{{0,200}}){{0,20}})?(?=<[/!a-z])",
    re.IGNORECASE,
)
_GLUED = re.compile(rf"<(/?)({_BOX})(?=[^\x00-\x7f])[\ufffd]?", re.IGNORECASE)
_NO_QUOTE = re.compile(  # the start of a tag up to an opening quote, and the value up to the end of the tag
    r"(<[a-z](?:[^<>\"'=]++|=\s{0,9}(?:\"[^\"]*+\"|'[^']*+')(?=[\s/>])|=(?!\s{0,9}[\"']))*+=)"
    r"(?:\"([^\"<>\n]{0,300})(?=>[^\"]{0,2000}\"[^\s/>\"])|'([^'<>\n]{0,300})(?=>[^']{0,2000}'[^\s/>']))",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"(<script\b[^<>]{0,2000}>)[^<]*(?:<(?!/script)[^<]*)*", re.IGNORECASE)
_TELLING = ("div", "table", "td", "ul", "span", "section")  # names whose unbalanced tags ask for a closer look
_RAW = ("script", "style", "textarea", "title", "noscript", "select")
_COUNTED = re.compile(rf"</?(?:{'|'.join((*_RAW, *_TELLING))})".encode())
_SURE_SIGN = r"<[/a-zA-Z][^<>]*<|[\x{fffd}\x00-\x08\x0b\x0e-\x1f\x7f]"
_OPEN_QUOTE = r"=(?:\"[^\"<>]*>|'[^'<>]*>)"  # fast, but takes the end of `a="b="` for one
_SIGN, _SURE = re2.compile(f"{_SURE_SIGN}|{_OPEN_QUOTE}"), re2.compile(_SURE_SIGN)
_NEAR_RAW = re.compile(r"</?([^\s<>]{1,12})>|</([^\s<>]{1,12})(?=[\s<])|[^<]/([a-z]{3,9})>", re.IGNORECASE)
_FOLLOWING = re.compile(
    r"(?=\n\s{0,20}<(?:/head|body|link|meta|div|header|style|script)\b)|(?=</head>|<body\b)", re.IGNORECASE
)
_NEAR_COMMENT = re.compile(r"-[^->\n]?->|--[^->\n]?>|-->?|->")


def repair(text: str) -> str:
    """Return the text of a page with its damaged tags repaired; an intact page as it is.

    >>> repair("<div><p>하나</p></d\ufffdiv><div>둘</div>")
    '<div><p>하나</p></div><div>둘</div>'
    >>> repair("<p>하나<p>둘 <o:p></o:p><unknown>셋</unknown>")
    '<p>하나<p>둘 <o:p></o:p><unknown>셋</unknown>'
    """
    if "<" not in text:
        return text
    text = _close_comments(text)
    uneven = _list_uneven(text)
    if (closed := _close_raw(text, uneven)) is not text:
        text, uneven = closed, _list_uneven(closed)
    if uneven.isdisjoint(_TELLING) and not _may_be_damaged(text):
        return text
    text = _NO_QUOTE.sub(_add_quote, text)
    text = _NO_END.sub(r"<\1\2\3>", text)
    text = _GLUED.sub(r"<\1\2>", text)
    balance = _count(text)
    text = _ODD.sub(lambda match: _mend_name(match, balance), text)
    text = _NO_START.sub(lambda match: _mend_tag(match, balance, (1,)), text)
    text = _NO_START_2.sub(lambda match: _mend_tag(match, balance, (-1,)), text)
    return _NO_SLASH.sub(lambda match: _mend_tag(match, balance), text)


def _add_quote(match: re.Match[str]) -> str:
    start, double, single = match.groups()
    return f'{start}"{double}"' if double is not None else f"{start}'{single}'"


def _list_uneven(text: str) -> set[str]:
    """Return the names of _RAW and _TELLING that a page starts more or less often than it ends them."""
    tags = Counter(_COUNTED.findall(text.encode("utf-8", "replace").lower()))
    return {name for name in (*_RAW, *_TELLING) if tags[f"<{name}".encode()] != tags[f"</{name}".encode()]}


def _may_be_damaged(text: str) -> bool:
    """Whether anything but uneven names asks for a closer look: cheap, for it reads every page."""
    raw = text.encode("utf-8", "replace")
    if _SIGN.search(raw) and (_SURE.search(raw) or _NO_QUOTE.search(text)):
        return True
    return any(_is_odd(name) and _find_near(name) for name in set(_NAME.findall(text)))


def _count(text: str) -> Counter[str]:
    """Return for each name the number of start tags minus that of end tags, outside scripts."""
    balance: Counter[str] = Counter()
    for slash, name in _TAG.findall(_SCRIPT.sub(r"\1", text) if "<script" in text else text):
        balance[name.lower()] += -1 if slash else 1
    return balance


def _is_odd(name: str) -> bool:
    folded = name.lower()
    return folded not in _NAMES and "-" not in folded and ":" not in folded


def _mend_name(match: re.Match[str], balance: Counter[str]) -> str:
    slash, name = match.groups()
    if not _is_odd(name):
        return match.group()
    missing = -1 if not slash else 1  # the sign of the balance of a name that lost such a tag
    fitting = [known for known in _find_near(name) if balance[known] * missing > 0]
    if not fitting:
        return match.group()
    best = max(fitting, key=lambda known: (abs(balance[known]), known))
    balance[best] -= missing
    return f"<{slash}{best}"


@cache
def _find_near(name: str) -> tuple[str, ...]:
    """Return the names of boxes at one edit from a name: a character put in, left out or changed."""
    folded = name.lower()
    if len(folded) < 2:
        return ()
    if not folded.isascii():  # one such character may have taken in its neighbours
        pattern = re.compile(re.sub(r"[^\x00-\x7f]+|[^\w]", ".{0,3}", folded))
        return tuple(sorted(known for known in _BOXES if pattern.fullmatch(known)))
    return tuple(sorted(known for known in _BOXES if _is_one_edit(folded, known)))


def _is_one_edit(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return longer[start + 1 :] == shorter[start + (len(one) == len(other)) :]


def _mend_tag(match: re.Match[str], balance: Counter[str], signs: tuple[int, ...] = (1, -1)) -> str:
    """Return the tag that a name of that sign of balance lacks: an end tag at 1, a start tag at -1."""
    name = match.group(1).lower()
    sign = (balance[name] > 0) - (balance[name] < 0)
    if sign not in signs or name not in _BOXES:
        return match.group()
    balance[name] -= sign
    return f"</{name}>" if sign > 0 else f"<{name}{match.group(2) if match.lastindex == 2 else '>'}"


def _close_comments(text: str) -> str:
    """End each comment whose end mark is damaged at the nearest remains of one, before the next comment begins."""
    if text.count("<!--") <= text.count("-->"):
        return text
    parts: list[str] = []
    at = 0
    end = 0
    while (start := text.find("<!--", at)) >= 0:
        if 0 <= end < start + 2:
            end = text.find("-->", start + 2)
        following = text.find("<!--", start + 4)
        if end >= 0 and (following < 0 or end < following + 3):
            parts.append(text[at : end + 3])
            at = end + 3
            continue
        limit = following if following >= 0 else len(text)
        near = _NEAR_COMMENT.search(text, start + 4, limit)
        stop = near.start() if near else start + 4
        parts.append(text[at:stop] + "-->")
        at = near.end() if near else start + 4
    return "".join((*parts, text[at:]))


def _close_raw(text: str, uneven: set[str]) -> str:
    """End each script, style or field whose end tag is damaged: at the remains of the tag, else before the next box."""
    for name in filter(uneven.__contains__, _RAW):
        # A script writes such a tag as a string: `$("<script>")`.
        opened = [match.end() for match in re.finditer(rf"(?<![\"'`])<{name}(?=[\s>])", text, re.IGNORECASE)]
        closed = [match.start() for match in re.finditer(rf"</{name}\s{{0,9}}>", text, re.IGNORECASE)]
        if not opened or len(opened) == len(closed):
            continue
        text = _close_one(text, name, opened, closed)
    return text


def _close_one(text: str, name: str, opened: list[int], closed: list[int]) -> str:
    parts: list[str] = []
    at = 0
    for place, start in enumerate(opened):
        limit = opened[place + 1] + 1 if place + 1 < len(opened) else len(text)
        after = bisect_left(closed, start)
        if start < at or (after < len(closed) and closed[after] < limit):
            continue
        end = next((match for match in _NEAR_RAW.finditer(text, start, limit) if _is_end(match, name)), None)
        end = end or _FOLLOWING.search(text, start, limit)
        if end is not None:
            parts.append(f"{text[at : end.start()]}</{name}>")
            at = end.end()
    return "".join((*parts, text[at:])) if parts else text


def _is_end(match: re.Match[str], name: str) -> bool:
    """Whether a tag is the remains of the end tag of `name`."""
    said = (match[1] or match[2] or match[3]).lower().lstrip("/")
    return said == name or name in _find_near(said)
