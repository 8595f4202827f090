"""Find the licences that a sentence spells out or links to, and their positions."""

from __future__ import annotations

import re

from crawlers.formats.html.runs import Run
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.licences import cc_id, licence_from_url

_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:creativecommons\.org|gnu\.org|opensource\.org|opendatacommons\.org)/[\w./+-]*\w/?"
)
SPELLED = re.compile(
    r"(?:CC[ -]?|creative\s?commons\s)(?:BY(?:[ -]?NC)?(?:[ -]?(?:SA|ND))?)[ -]?(?:v"
    r"|version )?[1-4]\.[05](?:[ -]KR\b)?"
    r"|저작자 ?표시(?:[ -]?비영리)?(?:[ -]?변경 ?금지|[ -]?동일조건 ?변경 ?허락)? [1-4]\.[05](?: 대한민국)?"
    r"|\bCC0\b(?:[ -]1\.0)?",
    re.I,
)
LONG = re.compile(
    r"attribution(?P<nc>[ -]non-?commercial)?(?:(?P<nd>[ -]no-?deriv(?:ative)?s?(?: works)?)"
    r"|(?P<sa>[ -]share-?alike))?"
    r" (?P<version>[1-4]\.[05])(?P<plain> (?:international|unported|licen[cs]e|public)\b|\W*$)",
    re.I,
)
_SOFTWARE = re.compile(
    r"\b(?:MIT|Apache(?:[- ]License,?)?[- ](?:version )?2\.0|BSD[- ][23]-clause"
    r"|L?GPL(?:[- ]?v?[0-9.]{1,3}\+?)?)(?: licen[cs]e)?\b",
    re.I,
)


def mentions(run: Run, sentence: str) -> list[tuple[int, int, str]]:
    """Return (begin, end, licence) of each licence that a sentence names or links to, in order, KOGL excluded.

    The words of a link to a licence are one mention, whatever they spell.
    """
    found: list[tuple[int, int, str]] = []
    at = 0
    for link in run.links:
        words = " ".join(link.text.split())
        licence = licence_from_url(link.element.get("href") or "") or ""
        begin = sentence.find(words, at) if words else -1
        if begin >= 0 and licence:
            at = begin + len(words)
            found.append((begin, at, licence))
    linked = list(found)
    for match in (*_ADDRESS.finditer(sentence), *SPELLED.finditer(sentence), *_SOFTWARE.finditer(sentence)):
        licence = licence_from_url(match[0]) or licence_from_text(match[0]) or ""
        # "CC BY-SA 3.0 IGO" as the words of its own link: the link has the port, the pattern does not.
        if not any(b <= match.start() and match.end() <= e and licence and licence in one for b, e, one in linked):
            found.append((match.start(), match.end(), licence))
    for long in LONG.finditer(sentence):
        kind = "by" + ("-nc" if long["nc"] else "") + ("-nd" if long["nd"] else "-sa" if long["sa"] else "")
        found.append((long.start(), long.end(), cc_id(kind, long["version"], "") or ""))
    return sorted(one for one in set(found) if not one[2].startswith("LicenseRef-KOGL"))
