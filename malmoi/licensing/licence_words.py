"""Parse licences from words: the value of a cell or field, or the words of a KOGL (공공누리) mark.

Strict on purpose: a value must match as a whole, and an uncertain value gives None.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from malmoi.licensing.licences import cc_id, find_licence_id, licence_from_url

MAX_VALUE = 300  # code points; a longer value is prose, not a licence

_TYPE = re.compile(r"제?\s?([0-9])\s?유형|(?:type|타입)\s?-?([0-9])(?![0-9])", re.I)
NON_COMMERCIAL = re.compile(
    r"(?:상업|영리)(?:적|용|목적)?\s?(?:이용|사용|활용|용도|목적|으로)?[^,.+/]{0,12}(?:금지|불가|제외|제한"
    r"|수\s?없|안\s?됨|않)|비\s?영리|비\s?상업"
    r"|(?:상업|영리)[^.]{0,30}(?:동의|허락|허가|승인|협의)(?![^.]{0,6}(?:없이|않))|상업용\s?(?:X|×)"
    r"|non-?\s?commercial|no commercial|commercial use (?:is )?(?:prohibited|not)",
    re.I,
)
NO_DERIVATIVES = re.compile(
    r"(?:변경|개작|변형|개변|편집|수정|가공|2차적?\s?저작물?)[^,.+/]{0,12}(?:금지|불가|제외|수\s?없|안\s?됨|않)"
    r"|원(?:문|본)\s?그대로(?:만|\s?(?:이용|사용|게재))"
    r"|no-?\s?deriv|no (?:changes|modification)|modification (?:is )?(?:prohibited|not)",
    re.I,
)
_ODD_TYPE = re.compile(r"제\s?[^\s0-9A-Za-z,.]{1,2}\s?유형")  # a number that cannot be read: 제사유형
_DIGITS = str.maketrans("０１２３４５６７８９①②③④", "01234567891234")
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_BY = re.compile(r"출처\s?(?:를\s)?(?:표시|명시|표기)")
# Type 0 requires no attribution: 출처표시 의무 없이, 출처를 표시하지 않아도, 출처표시 불필요.
_NO_BY = re.compile(
    r"출처\s?(?:를\s)?(?:표시|명시|표기|밝히|밝힐)(?:하|할|의|를|가|는)?\s?(?:의무|조건|필요|부담|제한)?(?:가|이|를|는|도)?\s?"
    r"(?:없|면제|불필요|불요|생략|지\s?않아도|필요\s?없)"
)
_AI = re.compile(r"AI\s?유형|인공지능\s?유형", re.I)
_TYPE_OF_WORDS = {(False, False): "1", (True, False): "2", (False, True): "3", (True, True): "4"}


@dataclass(frozen=True, slots=True)
class KoglWords:
    """The parsed words of a mark: type numbers ("?" = unreadable), the type that the conditions imply, the AI type."""

    numbers: tuple[str, ...]
    conditions: str  # "1" … "4", or "" if no condition is named
    ai: bool

    @property
    def types(self) -> tuple[str, ...]:
        """All types that the words name or imply; more than one is a contradiction."""
        return tuple(sorted({*self.numbers, *filter(None, (self.conditions,))}))


def fold(text: str) -> str:
    """Return `text` in NFC, without invisible characters, each run of white space as one space.

    >>> fold(" 제1유형 \\n 조건 ")
    '제1유형 조건'
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_INVISIBLE).split())


def kogl_words(text: str) -> KoglWords:
    """Return the types and conditions that `text` names, without checking whether it *declares* them.

    >>> kogl_words("공공누리 제4유형: 출처표시+상업적 이용금지+변경금지").types
    ('4',)
    >>> kogl_words("제3유형(출처표시, 상업적 이용금지)").types
    ('2', '3')
    """
    text = text.translate(_DIGITS)
    numbers = {a or b for a, b in _TYPE.findall(text)} | ({"?"} if _ODD_TYPE.search(text) else set())
    nc, nd = bool(NON_COMMERCIAL.search(text)), bool(NO_DERIVATIVES.search(text))
    by = bool(_BY.search(_NO_BY.sub("", text)))
    conditions = _TYPE_OF_WORDS[nc, nd] if by or nc or nd else ""
    return KoglWords(tuple(sorted(numbers)), conditions, bool(_AI.search(text)))


def licence_from_text(value: str) -> str | None:
    """Return the licence that a cell or field value names, or None if any part of it is uncertain.

    A caller that has a value and gets None must treat the item's licence as unknown, not as absent.

    >>> [licence_from_text(v) for v in ("CC BY 4.0", "CC-BY-SA 3.0 IGO", "공공누리 제1유형", "KOGL Type 1")]
    ['CC-BY-4.0', 'CC-BY-SA-3.0-IGO', 'LicenseRef-KOGL-1', 'LicenseRef-KOGL-1']
    >>> [licence_from_text(v) for v in ("MIT", "이용허락범위 제한 없음", "CC BY", "제한 없음", "free to use")]
    ['MIT', 'LicenseRef-KR-OpenData-Unrestricted', None, None, None]
    """
    if len(value) > MAX_VALUE:
        return None
    text = fold(value).strip(" .;,\"'“”‘’「」")
    if " OR " in text or " AND " in text:  # an SPDX expression without brackets
        words = [w if w in ("OR", "AND") else find_licence_id(w) for w in text.split()]
        return " ".join(w for w in words if w) if all(words) and len(words) % 2 else None
    return (
        find_licence_id(text)
        or licence_from_url(text)
        or _parse_creative_commons(text)
        or _parse_kogl(text)
        or _NAMES.get(text.casefold())
    )


_KIND = r"by(?:[ -]?nc)?(?:[ -]?(?:sa|nd))?"
_CC_VALUE = re.compile(
    rf"(?:the )?(?:cc[ -]?|creative commons )(?P<kind>{_KIND})[ -]?(?:v|ver\.? ?|version )?(?P<version>[1-4]\.[05])"
    r"(?:[ -](?P<port>[a-z]{2,3}|international|unported|korea|국제|대한민국))?(?: licen[sc]e| 라이[선센]스)?",
    re.I,
)
_CC_WORDS = re.compile(
    r"(?:(?:cc|ccl|크리에이티브 커먼즈(?: 코리아)?|creative commons)[ :,-]{0,3})?저작자 ?표시(?P<nc>[ -]?비영리)?"
    r"(?:(?P<nd>[ -]?변경 ?금지)|(?P<sa>[ -]?동일조건 ?변경 ?허락))? (?P<version>[1-4]\.[05])"
    r"(?: (?P<port>국제|대한민국))?(?: (?:이용 ?허락|라이[선센]스|퍼블릭 라이[선센]스))?"
)
_PORTS = {"international": "", "unported": "", "국제": "", "korea": "kr", "대한민국": "kr"}
_ZERO = re.compile(
    r"(?:cc[ -]?0|cc zero|creative commons zero)(?:[ -]?(?:v ?)?1\.0)?(?: universal)?(?: licen[sc]e)?", re.I
)
_MARK = re.compile(r"(?:cc )?(?:public domain mark|pdm)(?: 1\.0)?", re.I)


def _parse_creative_commons(text: str) -> str | None:
    if match := _CC_VALUE.fullmatch(text):
        kind = "-".join(re.findall("by|nc|sa|nd", match["kind"].lower()))
        port = (match["port"] or "").lower()
        return cc_id(kind, match["version"], _PORTS.get(port, port))
    if match := _CC_WORDS.fullmatch(text):
        kind = "by" + ("-nc" if match["nc"] else "") + ("-nd" if match["nd"] else "-sa" if match["sa"] else "")
        return cc_id(kind, match["version"], _PORTS.get(match["port"] or "", ""))
    if _ZERO.fullmatch(text):
        return "CC0-1.0"
    return "CC-PDM-1.0" if _MARK.fullmatch(text) else None


_KOGL_VALUE = re.compile(
    r"(?:(?P<name>공공누리|kogl|(?:공공누리 )?공공저작물 ?자유이용허락|korea open government licen[sc]e)"
    r"[ :(,-]{0,3})?(?:(?:제 ?)?(?P<n>[0-4]) ?유형|(?:type|타입) ?-?(?P<t>[0-4])|(?P<bare>[1-4]))"
    r"(?P<rest>[ (:：,+/·\-a-z가-힣)]{0,60})",
    re.I,
)
_EXPIRED = re.compile(r"(?:공공누리 )?만료 ?공공저작물(?: ?\((?:저작권 )?보호 ?기간[^()]{0,40}\))?")
_REST = re.compile(
    r"[ (:：,+/·\-)]|출처 ?표시|상업적 ?이용 ?금지|변경 ?금지|AI ?유형|AI|병행|비영리|제한 ?없음|자유 ?이용|및|조건",
    re.I,
)


def _parse_kogl(text: str) -> str | None:
    if _EXPIRED.fullmatch(text):
        return "LicenseRef-KOGL-Expired"
    match = _KOGL_VALUE.fullmatch(text)
    if match is None or _REST.sub("", match["rest"]):
        return None
    number, words = match["n"] or match["t"] or match["bare"], kogl_words(match["rest"])
    if not match["name"] and not words.conditions:
        return None  # "제1유형" alone may be the first type of anything
    if words.conditions not in ("", number):
        return None
    ai = words.ai or "ai" in match["rest"].lower()
    return find_licence_id(f"LicenseRef-KOGL-{number}{'-AI' if ai else ''}")


_NAMES = {
    "이용허락범위 제한 없음": "LicenseRef-KR-OpenData-Unrestricted",
    "이용허락범위 제한없음": "LicenseRef-KR-OpenData-Unrestricted",
    "이용허락범위: 제한 없음": "LicenseRef-KR-OpenData-Unrestricted",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mit 라이선스": "MIT",
    "isc license": "ISC",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "mpl 2.0": "MPL-2.0",
    "gpl-2+": "GPL-2.0-or-later",
    "gplv2+": "GPL-2.0-or-later",
    "gpl-2.0+": "GPL-2.0-or-later",
    "gpl-3+": "GPL-3.0-or-later",
    "gplv3+": "GPL-3.0-or-later",
    "gpl-3.0+": "GPL-3.0-or-later",
    "lgpl-2.1+": "LGPL-2.1-or-later",
    "lgpl-3+": "LGPL-3.0-or-later",
    "gfdl-1.3+": "GFDL-1.3-or-later",
    "odbl 1.0": "ODbL-1.0",
    "odc-by 1.0": "ODC-By-1.0",
}
