"""Read a licence from a labelled cell of a page: 이용조건 | 공공누리 제1유형, in tables and definition lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crawlers.formats.html.runs import PageEvidence, Run, quote
from crawlers.rights.sentences.declarations import find_cell_licence
from crawlers.rights.sentences.kogl_sentences import TYPE_0_SINCE
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.rights_decision import UNKNOWN

MAX_CELLS = 60  # cells of a table or list that are read to find its topic
_LABEL = re.compile(
    r"(?:이용\s?조건|이용\s?허락\s?(?:범위)?|저작권\s?(?:정보|표시|유형)?|라이[선센]스|licen[cs]e"
    r"|공공누리\s?(?:유형|표시)?|KOGL|CCL)"
    r"\s?[:：]?",
    re.I,
)
_NAMES_LICENCE = re.compile(r"유형|공공누리|KOGL|\bCC\b|CCL|저작자|라이[선센]스|licen[cs]e|GPL|public domain", re.I)
_MEDIA_LABEL = re.compile(
    r"촬영|해상도|카메라|렌즈|노출|화소|(?:사진|이미지|글꼴|서체|영상|음원|곡|데이터|데이터셋)\s?(?:명|이름|제목|정보)|재생\s?시간"
    r"|\b(?:camera|resolution|exposure|typeface|duration)\b",
    re.I,
)


def find(shown: Sequence[Run], date: str) -> Iterator[PageEvidence]:
    """Yield the licences of labelled cells: 이용조건 | 공공누리 제1유형, in tables and definition lists."""
    for run in shown:
        if not (label := label_of(run)):
            continue
        if _is_media_cell(run):
            continue
        licence = licence_from_text(run.text) or licence_from_text(f"{label.rstrip(':： ')} {run.text}")
        old = bool(date) and date[:7] < TYPE_0_SINCE
        if licence == "LicenseRef-KOGL-0" and (old or "공공누리" not in f"{label} {run.text}"):
            licence = None
        licence = licence or find_cell_licence(run)
        if licence or _NAMES_LICENCE.search(run.text):
            yield PageEvidence(licence or UNKNOWN, "field", quote(label, run.text), run.owner, run.state)


def _is_media_cell(run: Run) -> bool:
    """Whether the labels around a cell are those of a photograph, a typeface or a data set."""
    table = next((above for above in run.owner.iterancestors() if above.tag in ("table", "dl")), None)
    cells = table.iter("th", "td", "dt", "dd", "caption") if table is not None else ()
    labels = ((one.text or "")[:40] for _, one in zip(range(MAX_CELLS), cells, strict=False))
    return any(map(_MEDIA_LABEL.search, labels))


def label_of(run: Run) -> str:
    """Return the label of a cell if it announces a licence, else ""."""
    before = run.owner.getprevious() if run.owner.tag in ("td", "dd") and run.text else None
    if before is None or before.tag not in ("th", "td", "dt"):
        return ""
    label = " ".join(before.text_content().split())[:100]
    return label if _LABEL.fullmatch(label) else ""
