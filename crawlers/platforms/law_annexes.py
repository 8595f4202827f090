"""Annexes (별표, 서식, 별지, 별도, 부록) of the rules of law.go.kr: lists of attached files, and the text of a file.

A list (target licbyl, admbyl, ordinbyl) names for each annex its rule, its kind and its file, an HWP document; those of
statutes have a PDF too, which is requested without an HWP. The crawler archives these words with the file
(crawlers/attachments.py). A declared form is not requested: the list itself gives the document, which is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawlers import attachments
from crawlers.catalogue import Evidence, Follow, Items, Text, TroubleOf
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.runs import quote as words_of
from crawlers.formats.registry import DOCX, FORMATS, HWP, PDF
from crawlers.platforms import law_go_kr
from crawlers.platforms.answer_fields import Fields
from crawlers.platforms.law_go_kr import ARTICLE_7, STATUTE, UNVERIFIED
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CaptureError
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.source import Attachment, Extracted, Item, LicenceRule, Manners, Source, Trouble

# WORDS, LIMIT and LEAST were set on the dev part of tests/data/formats/annexes.toml, our own and short.
WORDS = 20  # code points, white space left out, that outweigh one place to fill in
LIMIT = 0.5  # emptiness of a blank form
LEAST = 4  # places of a blank form
MOST = 3_000  # code points of its words; a longer document, such as a tender with forms at its end, has text of its own
# Signs of a place to fill in: empty brackets, a date without numbers, a signature, an addressee, a number without
# digits, leaders, a label that ends in a colon.
_PLACES = re.compile(
    r"[\[(]\s{0,9}[\])]|년\s{0,9}월\s{0,9}일|\((?:서명 또는 )?인\)|\(서명\)|귀하|제\s{1,9}호|_{3,200}|[.…·]{6,200}"
    r"|[:：][ \t]{0,9}(?=\||$)",
    re.MULTILINE,
)
_SPACE = re.compile(r"[\s|]|-{3,200}")
FILES = ("/LSW/flDownload.do", "/flDownload.do")
SERIAL, NUMBER, KIND, NAME = "별표일련번호", "별표번호", "별표종류", "별표명"
HWP_LINK, PDF_LINK = "별표서식파일링크", "별표서식PDF파일링크"
ANNEX, FORM = "별표", "서식"
DOCUMENTS = frozenset((HWP, PDF, DOCX))  # families of formats that an annex may have; HTML here is an error page
# Media types of the items of a list: rows whose file is not requested. The reason follows the prefix.
_NOT_REQUESTED = "application/x-annex-"
DECLARED_FORM, NO_FILE, REMOVED = "declared-form", "no-file", "removed"
_REMOVED = re.compile(  # the whole name of a row
    r"(?:\[[^\[\]]{1,60}\]\s?)?(?:삭제(?:\s?<[^<>]{1,60}>)?|(?:으로|로) 이동)"
)


@dataclass(frozen=True, slots=True)
class AnnexRegister:
    """One list of annexes: the elements of a row that differ from the other lists."""

    target: str  # the list's name in a URL
    row: str  # element of one annex
    rule_id: str  # elements that hold the id and the name of the rule
    rule_name: str
    date: str
    author: str
    stated: tuple[str, ...]  # elements that state what the rule is
    allowed: Callable[[Mapping[str, str]], bool]  # whether their words give the licence of art. 7
    ignored: tuple[str, ...] = ()  # elements of a row that are left out on purpose

    @property
    def facts(self) -> tuple[str, ...]:
        """The elements of a row that are archived with its file."""
        named = (SERIAL, NUMBER, KIND, NAME, self.rule_id, self.rule_name, self.date, self.author, *self.stated)
        return tuple(dict.fromkeys(named))

    @property
    def fields(self) -> Fields:
        """The known elements of a list."""
        return Fields((*self.facts, HWP_LINK, PDF_LINK, "totalCnt"), (*law_go_kr.LIST_HEAD, *self.ignored))


def source(register: AnnexRegister, /, *, max_pages: int, unverified: str = "", **facts: Any) -> Source:
    """Return the source of a list of annexes: `facts` are those fields of Source in which the lists differ.

    Its domain is left to the filter `domain`, which reads each text: a rule of one ministry may regulate anything.
    """
    return Source(
        **facts,
        publisher="법제처 국가법령정보센터",
        access=law_go_kr.make_access(register.target, (law_go_kr.LIST, *FILES), max_pages),
        rule=LicenceRule((STATUTE,), expected=(ARTICLE_7,)),
        register="statutory",
        domain="general",
        attribution="「{title}」 ({year}), {author}, {publisher}, {url}",
        manners=Manners(delay=1.0),
        unverified=f"{UNVERIFIED} Whether robots.txt lets machines fetch the files, and whether the guide of the "
        f"interface, which documents their links, permits it. {unverified}".strip(),
    )


def functions(register: AnnexRegister) -> tuple[Follow, Items, Evidence, Text, TroubleOf]:
    """Return the functions that a source of the list defines: follow, items, evidence, text, trouble."""
    return (
        partial(follow, register),
        partial(items, register),
        evidence,
        text,
        trouble,
    )


def unknown_fields(register: AnnexRegister, capture: Capture) -> tuple[str, ...]:
    """Return the elements of a list that the register does not know; a file has none."""
    return register.fields.find_in_xml(capture) if law_go_kr.is_list(capture) else ()


def follow(register: AnnexRegister, capture: Capture) -> Iterator[str | Attachment]:
    """Yield from the first page of a list the other pages, from each page the files of its annexes.

    Raises CaptureError as law_go_kr.read_list does, and if a row has no serial number.
    """
    if not law_go_kr.is_list(capture):
        return
    pages, rows = law_go_kr.read_list(register.row, capture)
    yield from pages
    for row in rows:
        facts = _read_facts(register, row, capture)
        link = _find_link(row)
        if link and not is_declared_form(facts) and not is_removed(facts):
            yield Attachment(urljoin(capture.url, link), tuple(facts.items()))


def items(register: AnnexRegister, capture: Capture) -> Iterator[Item]:
    """Yield the document of a file, or those of a list whose files are not requested."""
    if law_go_kr.is_list(capture):
        for row in law_go_kr.read_list(register.row, capture)[1]:
            facts = _read_facts(register, row, capture)
            reason = "" if _find_link(row) else NO_FILE
            reason = DECLARED_FORM if is_declared_form(facts) else REMOVED if is_removed(facts) else reason
            if reason:
                item = Item("", capture.url, "", _NOT_REQUESTED + reason, "", capture.record)
                yield _name_item(item, register, facts)
        return
    described = attachments.read(capture)
    item = Item(
        key=capture.url,
        url=capture.url,
        body=capture.body,
        media=capture.header("content-type").partition(";")[0].strip().lower(),
        charset=capture.charset,
        record=capture.record,
        headers=capture.headers,
    )
    if described is None:
        yield item  # without a rule, so without evidence
        return
    yield replace(
        _name_item(item, register, described.facts),
        evidence=_find_evidence(register, described, capture.record),
    )


def is_declared_form(facts: Mapping[str, str]) -> bool:
    """Whether a row is declared as a form; of ordinances, some rows of this kind are called [별표] by their names.

    >>> is_declared_form({KIND: "서식", NAME: "신고서"}), is_declared_form({KIND: "서식", NAME: "[별표 1] 시설의 기준"})
    (True, False)
    """
    return facts[KIND] == FORM and not facts[NAME].lstrip("[< ").startswith(ANNEX)


def is_removed(facts: Mapping[str, str]) -> bool:
    """Whether a row says that its annex was deleted or has another number now; its file says the same.

    >>> [is_removed({NAME: name}) for name in ("삭제 <2030.1.2.>", "[별지 제6호서식]으로 이동", "삭제 대상의 목록")]
    [True, True, False]
    """
    return _REMOVED.fullmatch(facts[NAME]) is not None


def text(parsed: ParsedItem) -> Extracted:
    """Extract the text of a file.

    Dropped as `declared-form`, `removed` or `no-file` (a row of a list), `blank-form` (`is_blank_form`), and
    `no-document` if the answer is a page or a text; else by the reasons of its format.
    """
    item = parsed.item
    if item.media.startswith(_NOT_REQUESTED):
        return law_go_kr.drop_entry(item, item.media.removeprefix(_NOT_REQUESTED))
    if parsed.format in FORMATS and FORMATS[parsed.format].family not in DOCUMENTS:
        return law_go_kr.drop_entry(item, "no-document", parsed.format)
    if parsed.format not in FORMATS and parsed.extraction.reason == "not-what-its-name-says":
        # The addresses of files name no format.
        return law_go_kr.drop_entry(item, f"unsupported-format:{parsed.format}", parsed.format)
    # A file also names its own author, who may be a person; the list names the office.
    found = replace(parsed.extraction, title=item.title, date=item.date, author=item.author)
    if found.outcome == "kept" and is_blank_form(found):
        return replace(found, outcome="dropped", reason="blank-form")
    return found


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return what the list states about the rule of an annex; the words of the file itself do not count."""
    return parsed.item.evidence, response_signals.find(parsed.item, None)


def trouble(capture: Capture) -> Trouble | None:
    """Return the error that the interface sends instead of a list; of a file, an answer without bytes."""
    if law_go_kr.is_list(capture):
        return law_go_kr.trouble(capture)
    return None if capture.body else Trouble("again", "no bytes")


def label_number(kind: str, number: str) -> str:
    """Return the number of an annex as it is printed: four digits and two of a branch.

    >>> label_number("별표", "000100"), label_number("별표", "000402"), label_number("별표", ""), label_number("", "x")
    ('별표 1', '별표 4의2', '별표', 'x')
    """
    if len(number) == 6 and number.isascii() and number.isdigit():
        whole, branch = int(number[:4]), int(number[4:])
        number = (str(whole) if whole else "") + (f"의{branch}" if branch else "")
    return f"{kind} {number}".strip()


def _read_facts(register: AnnexRegister, row: etree._Element, capture: Capture) -> dict[str, str]:
    """Return the words of a row by element, in one line each."""
    facts = {name: " ".join(xml_records.prose(xml_records.field(row, name)).split()) for name in register.facts}
    if not facts[SERIAL]:
        raise CaptureError(
            f"{capture.url}: a row has no {SERIAL}; check the answer, "
            "and correct the register in the source file if the API has changed."
        )
    return facts


def _find_link(row: etree._Element) -> str:
    return xml_records.field(row, HWP_LINK, PDF_LINK)


def _name_item(item: Item, register: AnnexRegister, facts: Mapping[str, str]) -> Item:
    """Return the item under the id of its rule and its own number, with the names of both in its title."""
    kind, name = facts[KIND], facts[NAME]
    label = "" if name.startswith("[") else f"[{label_number(kind, facts[NUMBER])}]"
    return replace(
        item,
        key=f"{facts[register.rule_id] or '-'}/{facts[SERIAL]}",
        title=" ".join(filter(None, (facts[register.rule_name], label, name))),
        date=law_go_kr.parse_date(facts[register.date]),
        author=facts[register.author],
    )


def _find_evidence(
    register: AnnexRegister, described: attachments.Described, record: str
) -> tuple[LicenceEvidence, ...]:
    """Return the evidence that a row gives, which the record of the file repeats; () if an element is missing."""
    facts = described.facts
    if not all(facts[name] for name in register.stated):
        return ()
    found = LicenceEvidence(
        licence=ARTICLE_7 if register.allowed(facts) else UNKNOWN,
        kind=STATUTE,
        scope="item",
        quote=words_of(*(word for name in register.stated for word in (name, facts[name]))),
        place=f"{described.record}/{register.row}/{register.stated[0]}",  # the list that states it
        record=record,
    )
    return (found,)


def measure_emptiness(found: Extracted) -> tuple[int, int, float]:
    r"""Return the number of places to fill in, the code points of its words, and the share of places (0 to 1).

    A place to fill in is a table cell without words, or a sign of _PLACES. One place weighs as much as WORDS code
    points of text: a table with an empty column of remarks, and a checklist of whole sentences, are not forms.

    >>> measure_emptiness(Extracted("| 성명 | 주소 |\n신청인 ( ) 년 월 일 (서명 또는 인)", cells=6, blank_cells=4))
    (7, 7, 0.9524)
    """
    places = found.blank_cells + len(_PLACES.findall(found.text))
    words = len(_SPACE.sub("", _PLACES.sub("", found.text)))
    return places, words, round(places / (places + words / WORDS), 4) if places else 0.0


def is_blank_form(found: Extracted) -> bool:
    """Whether a document has at least LEAST places to fill in and at most MOST words, and the share reaches LIMIT."""
    places, words, share = measure_emptiness(found)
    return places >= LEAST and words <= MOST and share >= LIMIT
