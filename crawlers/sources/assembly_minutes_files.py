"""Minutes of the National Assembly in files that the operator has downloaded: XML, pages of the viewer, HWP, PDF.

The minutes of the 18th and 19th Assembly were converted from HWP to XML in 2023. crawlers/sources/assembly_minutes.py
says which uses art. 24 permits.

A turn of a speaker is a line that begins with a circle, name, office and a colon: `◯가나다 위원: …`. Where a file
does not name its speakers in fields, the words stay as they are printed.
"""

import os
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path

from lxml import etree, html

from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.unreadable import Unreadable
from crawlers.sources.assembly_minutes import find_evidence, heading
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import Expect, Extracted, Folder, LicenceRule, Source

FOLDER = "MALMOI_ASSEMBLY_DIR"  # environment variable
MAX_NAME = 60  # code points of a field that names a speaker
# Names of elements and attributes, in lower case and without - and _. data-name and data-pos are those of the viewer;
# the others are what such fields are usually called.
SPEAKER = frozenset(("dataname", "speaker", "speakername", "spknm", "발언자", "발언자명"))
NAME = SPEAKER | {"name", "성명", "이름"}
PARTS = frozenset(("minutes_header", "minutes_body", "minutes_footer"))  # classes of the viewer
OFFICE = frozenset(("datapos", "pos", "position", "직위", "직책", "직함"))

SOURCE = Source(
    name="assembly_minutes_files",
    title="국회 회의록 (내려받은 파일)",
    publisher="대한민국 국회",
    access=Folder(
        Path(os.environ.get(FOLDER, "assembly_minutes_files")),
        include=tuple(f"**/*.{kind}" for kind in ("xml", "html", "hwp", "hwpx", "pdf")),
    ),
    # The heading of each file says that it is the minutes of a sitting.
    rule=LicenceRule(proofs=("statute",), expected=("LicenseRef-KR-CA-Art24",)),
    register="spoken",
    domain="politics",
    expect=Expect(at_least=1, at_most=100_000),  # depends on what was downloaded
    attribution="{publisher}, 「{title}」 ({year})",
    unverified="No converted file has been seen, nor its data set: which elements name speaker, office and speech. "
    "The elements of the viewer are those that public programs read; they report that it answers 400 for the 18th "
    "Assembly, and for some sittings with another one.",
    note=f"Put files of record.assembly.go.kr, or of the data sets of the Assembly on data.go.kr, into the folder that "
    f"{FOLDER} names; a file that does not begin like minutes is excluded. Whole sittings only, never by speaker "
    "(art. 24). Members are public persons, witnesses are not: the recipe must redact. Sittings that assembly_minutes "
    "has too are near-duplicates, of which one is kept.",
)


def text(parsed: ParsedItem) -> Extracted:
    """Return the whole sitting; its number and day are parsed from its heading."""
    found = read_minutes(parsed)
    title, date, _ = heading(found.text)
    return replace(found, title=title or found.title, date=date or found.date, author="")


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return as evidence the words in which the file calls itself the minutes of a sitting of the Assembly."""
    return find_evidence(parsed, read_minutes(parsed).text)


def read_minutes(parsed: ParsedItem) -> Extracted:
    """Return the lines of a file; other formats, and pages that are not the viewer, are read as their format."""
    if parsed.format == "xml":
        try:
            return _make_extracted(parsed, "\n".join(list_lines(parsed.xml)))
        except Unreadable as said:  # half a sitting would be a loss in silence
            return Extracted("", format="xml", outcome="dropped", reason=said.reason)
    if parsed.format == "html" and (found := _read_viewer(parsed)):
        return _make_extracted(parsed, found)
    return parsed.extraction


def _make_extracted(parsed: ParsedItem, found: str) -> Extracted:
    reason = "" if found else "no-text"
    return Extracted(found, format=parsed.format, outcome="dropped" if reason else "kept", reason=reason)


def list_lines(root: etree._Element) -> Iterator[str]:
    """Yield the lines of minutes in XML: a line for each turn, and for each other element that holds text itself.

    >>> turn = "<turn><speaker>가나다</speaker><pos>위원</pos><p>묻겠습니다.</p><p>이상입니다.</p></turn>"
    >>> list(list_lines(etree.fromstring(f"<m><head>제1차</head>{turn}<p>(산회)</p></m>")))
    ['제1차', '◯가나다 위원: 묻겠습니다.', '이상입니다.', '(산회)']
    """
    waiting = [root]
    while waiting:
        element = waiting.pop()
        label, fields = _find_speaker(element)
        if label:
            speech = [line for child in element if child not in fields for line in list_lines(child)]
            own = xml_records.prose(element.text or "").split("\n")
            first, *rest = [line for line in (*own, *speech) if line] or [""]
            yield from (f"◯{label}: {first}" if first else f"◯{label}", *rest)
        elif len(element) == 0 or any((part or "").strip() for part in (element.text, *(one.tail for one in element))):
            yield from (line for line in xml_records.prose(xml_records.words(element)).split("\n") if line)
        else:
            waiting.extend(child for child in reversed(element) if isinstance(child.tag, str))


def _find_speaker(element: etree._Element) -> tuple[str, list[etree._Element]]:
    """Return the name and office of a turn and the elements that hold them; ("", []) of another element.

    A field that is called only `name` is a speaker if it has an office beside it.
    """
    fields = [child for child in element if isinstance(child.tag, str) and len(child) == 0]
    said = [(_squeeze(str(name)), str(value)) for name, value in element.attrib.items()]
    said += [(_squeeze(etree.QName(child).localname), child.text or "") for child in fields]
    known = {name: " ".join(value.split()) for name, value in said if name in NAME | OFFICE and len(value) <= MAX_NAME}
    if not any(known.get(name) for name in SPEAKER) and not (NAME & known.keys() and OFFICE & known.keys()):
        return "", []
    words = [value for names in (NAME, OFFICE) for name, value in known.items() if name in names and value]
    return " ".join(words), [child for child in fields if _squeeze(etree.QName(child).localname) in known]


def _squeeze(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _read_viewer(parsed: ParsedItem) -> str:
    """Return the lines of a page of record.assembly.go.kr; "" of another page."""
    from crawlers.formats.html.html_page import read_box

    divisions = list(parsed.page.tree.iter("div"))
    box = next((copy(one) for one in divisions if one.get("id") == "minutes"), None)
    if box is None:  # only parts of the minutes are there
        box = html.fragment_fromstring("<div></div>")
        box.extend(copy(one) for one in divisions if not PARTS.isdisjoint((one.get("class") or "").split()))
    for part in list(box.iter("ul", "ol", "li")):
        part.tag = "div"  # minutes number their items themselves
    turns = [one for one in box.iter("div") if "speaker" in (one.get("class") or "").split()]
    for turn in turns:
        label, _ = _find_speaker(turn)
        for portrait in [one for one in turn.iter("div") if one.get("class") == "man"]:
            portrait.drop_tree()  # picture, name, office and constituency
        for sentence in turn.iter("span"):
            sentence.tail = f" {sentence.tail or ''}"
        speech = next((one for one in turn.iter("div") if "txt" in (one.get("class") or "").split()), None)
        if label and speech is not None:
            speech.text = f"◯{label}: {speech.text or ''}"
    return read_box(box) if turns else ""
