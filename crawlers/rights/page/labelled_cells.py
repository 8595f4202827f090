"""Read a licence from a labelled value of a page: 이용조건 | 공공누리 제1유형, in tables, lists and lines.

A label that the source declares makes the proof `field`; any other label that announces a licence makes a `cell`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crawlers.formats.html.runs import PageEvidence, Run, quote
from crawlers.rights.page.kogl_block import TYPE_0_SINCE
from crawlers.rights.prefilter import gate
from malmoi.licensing.licence_words import fold, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.rights_decision import UNKNOWN

MAX_LABEL = 40  # code points
MAX_VALUE = 300  # code points of a value
MAX_CELLS = 60  # cells of a table or list that are read to find its topic
_LABEL = re.compile(
    r"(?:이용\s?조건|이용\s?허락\s?(?:범위)?|저작권\s?(?:정보|표시|유형)?|라이[선센]스|licen[cs]e|공공누리\s?(?:유형|표시)?|KOGL|CCL)",
    re.I,
)
_NAMES_LICENCE = re.compile(r"유형|공공누리|KOGL|\bCC\b|CCL|저작자|라이[선센]스|licen[cs]e|GPL|public domain", re.I)
_MEDIA_LABEL = re.compile(
    r"촬영|해상도|카메라|렌즈|노출|화소|(?:사진|이미지|글꼴|서체|영상|음원|곡|데이터|데이터셋)\s?(?:명|이름|제목|정보)|재생\s?시간"
    r"|\b(?:camera|resolution|exposure|typeface|duration)\b",
    re.I,
)
_may_label = gate(_LABEL)


def find(shown: Sequence[Run], fields: Sequence[str], date: str) -> Iterator[PageEvidence]:
    """Yield the licences of labelled values; `fields` are the labels that the source declares.

    A declared label that occurs more than once on a page belongs to several works, so it proves nothing.
    """
    declared = {_plain(name) for name in fields}
    whole = "\n.\n".join(run.text for run in shown)
    if not _may_label(whole) and not any(name in whole.casefold() for name in declared):
        return
    read = [(_plain(label), value, run) for run in shown for label, value in _values(run, declared)]
    for label, value, run in read:
        proves = label in declared and sum(other == label for other, _, _ in read) == 1 and not _is_media(run)
        if not proves and not _LABEL.fullmatch(label):
            continue
        licence = _read(label, value, run)
        if licence == "LicenseRef-KOGL-0" and ((date and date[:7] < TYPE_0_SINCE) or "공공누리" not in label + value):
            licence = None
        if licence or proves or _NAMES_LICENCE.search(value):
            kind = "field" if proves else "words" if _is_media(run) else "cell"
            yield PageEvidence(licence or UNKNOWN, kind, quote(label, value), run.owner, run.state)


def _read(label: str, value: str, run: Run) -> str | None:
    said = licence_from_text(value) or licence_from_text(f"{label} {value}")
    if said or len(value) > MAX_VALUE:
        return said
    linked = {licence_from_url(link.element.get("href") or "") for link in run.links} - {None}
    shown = {licence_from_text(image.get("alt") or "") for image, _ in run.images} - {None}
    names = linked | shown
    return next(iter(names)) if len(names) == 1 and not _contradicts(value, *names) else None


def _contradicts(value: str, licence: str | None) -> bool:
    closed = re.search(r"비영리|상업적\s?이용\s?금지|변경\s?금지|\bN[CD]\b", value)
    return bool(closed) and not re.search(r"N[CD]|KOGL-[234]", licence or "")


def _values(run: Run, declared: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (label, value) of a run: of a cell behind its label, or of a line `label: value`."""
    before = run.owner.getprevious()
    named = run.owner.tag in ("td", "dd") and before is not None and before.tag in ("th", "td", "dt")
    if before is not None and (named or (declared and run.owner.tag in ("div", "p", "li", "span"))):
        label = fold(before.text_content())
        if 0 < len(label) <= MAX_LABEL and (named or _plain(label) in declared):
            yield label, run.text
            return
    label, colon, value = run.text.partition(":")
    if not colon:
        label, colon, value = run.text.partition("：")
    if colon and len(label) <= MAX_LABEL and value.strip():
        yield label, value.strip()
        return
    first = next(iter(run.owner), None)  # <strong>이용조건</strong> 공공누리 제1유형
    name = fold(first.text_content())[:MAX_LABEL] if first is not None and isinstance(first.tag, str) else ""
    if _plain(name) in declared and run.text.startswith(name):
        yield name, run.text[len(name) :].strip(" :：")


def _plain(label: str) -> str:
    return fold(label).strip(" :：·-").casefold()


def _is_media(run: Run) -> bool:
    """Whether the labels around a cell are those of a photograph, a typeface or a data set."""
    table = next((above for above in run.owner.iterancestors() if above.tag in ("table", "dl")), None)
    cells = table.iter("th", "td", "dt", "dd", "caption") if table is not None else ()
    labels = ((one.text or "")[:40] for _, one in zip(range(MAX_CELLS), cells, strict=False))
    return any(map(_MEDIA_LABEL.search, labels))
