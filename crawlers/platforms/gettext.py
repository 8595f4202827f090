"""Read the translated messages of a gettext file (.po), and the DocBook paragraphs in them.

The format: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import re2

_STRING = re2.compile(r'^"((?:[^"\\]|\\.)*)"$')
_ESCAPE = re2.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "", '"': '"', "\\": "\\"}
_VARIANT = re2.compile(r"<[a-z]+ [^<>]*(?:arch|condition|os)=")
_ELEMENT = re2.compile(r"</?[A-Za-z][^<>]*>")
_REFERENCE = re2.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,60});")
_BUILT_IN = frozenset(("amp", "lt", "gt", "quot", "apos"))


@dataclass(frozen=True, slots=True)
class Message:
    """One message that is translated and not fuzzy."""

    original: str
    translated: str


def messages(text: str) -> Iterator[Message]:
    """Yield the messages in the order of the file, without the header and empty, fuzzy or obsolete messages.

    >>> list(messages('#, fuzzy\\nmsgid "a"\\nmsgstr "가"\\n\\nmsgid "b"\\nmsgstr ""\\n"나\\\\n"\\n"다"'))
    [Message(original='b', translated='나\\n다')]
    """
    fields: dict[str, list[str]] = {}
    current: list[str] = []
    fuzzy = False
    for raw in (*text.splitlines(), ""):
        line = raw.strip()
        keyword, _, rest = line.partition(" ")
        if not line or line.startswith("#") or (keyword in ("msgid", "msgctxt") and "msgstr" in fields):
            original, translated = "".join(fields.get("msgid", ())), "".join(fields.get("msgstr", ()))
            if original and translated and not fuzzy:
                yield Message(original, translated)
            if fields:
                fields, current, fuzzy = {}, [], False
        if line.startswith("#,"):
            fuzzy = fuzzy or "fuzzy" in line
        elif not line.startswith("#") and line:
            if keyword.startswith("msg"):
                current = fields.setdefault(keyword.replace("msgstr[0]", "msgstr"), [])
                line = rest.strip()
            if found := _STRING.search(line):
                current.append(_ESCAPE.sub(lambda m: _ESCAPED.get(m.group(1), m.group(1)), found.group(1)))


def docbook(text: str, entities: Mapping[str, str]) -> str:
    """Return the text of a DocBook paragraph; "" if it differs between readers, or an entity is unknown.

    >>> docbook("<command>mount</command> 명령은 &debian; &lt;13&gt;에\\n 있다.", {"debian": "데비안"})
    'mount 명령은 데비안 <13>에 있다.'
    >>> docbook("&unknown;이다.", {}), docbook('<phrase arch="x86">가</phrase>', {})
    ('', '')
    """
    named = set(_REFERENCE.findall(text)) - _BUILT_IN
    if named - entities.keys() or _VARIANT.search(text):
        return ""
    words = _ELEMENT.sub("", text)
    words = _REFERENCE.sub(lambda m: entities.get(m.group(1), m.group(0)), words)
    return " ".join(html.unescape(words).split())
