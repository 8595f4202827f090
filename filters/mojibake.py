"""Repair mojibake, that is Korean decoded with the wrong charset, and leftover entities; only if there is no doubt.

Repairs by reason: `utf-8` (UTF-8 read as Latin-1 or Windows-1252, once or twice: í•œêµ­), `cp949` (EUC-KR read as
these: ÇÑ±¹), `utf-8-as-cp949` if no byte was lost, `entity` (&nbsp; &#44032;).

Why a repaired run cannot have been text. A run lies between blanks, ASCII and other scripts, and all its bytes must
decode strictly to syllables of KS X 1001 and to plain Korean punctuation. For `utf-8` each syllable is one of four
letters followed by two signs, a combination that no alphabet uses. `cp949` pairs a sign or capital of °..È with one of
¡..þ for the whole run, and half of the result must be the commonest syllables of Korean, which random pairs reach with
5 of 100. `utf-8-as-cp949` needs hanja before syllables that only Windows has, again and again. The text overrides all
of this: if it mentions encodings or has more sound Korean than broken, a broken piece may be a quotation and stays.

This filter runs before `normalise`, which removes the blanks and controls that a broken run needs.
"""

from __future__ import annotations

import re
from html.entities import html5
from itertools import pairwise

from filters.korean.text_views import find_fences
from malmoi.document import Document, Edit, Edits

VERSION = 1

MIN_SYLLABLES = 4  # in the whole text; our choice: two broken words
MIN_QUOTED = 12  # in a line without sound Korean inside a text that has some; a quoted example is shorter
MIN_DIFFERENT = 3  # syllables; a row of one sign (¸¸¸¸) spells one over and over
MIN_COMMON = 0.4  # share of the commonest syllables in the result; sound Korean has 0.75, chance 0.05

# The 120 commonest syllables of the ten registers of docs/filters.md, each register weighted equally: 75 % of the
# text.
_COMMON = frozenset(
    "다이는에하니을의를로지가기서한수사정시있고자용제은트합어스구해도인리으할습과대부면일연설그경개보여적라나비전우관상치드입문위들"
    "아만발성되요동주장터선데계세파조소게행택포모것원법프유러미화음분와크된함중체호않작공야안업오표식더려단내명션실컴거"
)
# A text that mentions encodings may show an example of a broken text.
_ABOUT = re.compile(
    r"(?i:utf-?8|mojibake|latin-?1|iso-?8859|cp-?(?:949|1252)|windows-?1252|euc-?kr|ftfy|charset|encod|decod)"
    r"|인코딩|디코딩|모지바케|문자\s?집합|문자셋|(?:글자|문자|한글)[이가은는]?\s?깨"
)
# A text that mentions markup may show an entity.
_MARKUP = re.compile(
    r"(?i:html|xml|markdown|mdx|jsx|escap|entit|&(?:amp;)*lt;[/!]?[a-z])|태그|엔티티|개체 참조|이스케이프|마크업"
)

# byte ↔ character for both readings: Windows-1252, and Latin-1 where that table is empty or a page used its controls
_BYTE = {chr(b): b for b in range(0x80, 0x100)}
_BYTE |= {bytes([b]).decode("cp1252"): b for b in range(0x80, 0xA0) if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
_WIDE = "".join(re.escape(c) for c in sorted(_BYTE))
_REST = "".join(re.escape(c) for c in sorted(_BYTE) if 0x80 <= _BYTE[c] < 0xC0)  # continuation bytes of UTF-8


def _cp949_characters(rows: range, cells: range) -> str:
    """Return the characters that CP949 has in these rows and cells."""
    return "".join(bytes((row, cell)).decode("cp949", "ignore") for row in rows for cell in cells)


_KS = frozenset(_cp949_characters(range(0xB0, 0xC9), range(0xA1, 0xFF)))  # the 2,350 syllables of KS X 1001
_HANJA = _cp949_characters(range(0xEA, 0xEE), range(0xA1, 0xC0))  # how the first byte of a syllable in UTF-8 appears
_PLAIN = re.compile(
    "[가-힣\u2010-\u2027\u2030-\u203b\u3000-\u301c\u3131-\u318e\uff01-\uff5e\u4e00-\u9fff·\u2190-\u21ff\u2460-\u24ff\u25a0-\u26ff]*"
)

_ENTITY = re.compile(r"&(?:amp;)*(?:#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-z]{2,6});")
_NAMES = frozenset(
    "nbsp quot apos amp lt gt middot hellip lsquo rsquo ldquo rdquo ndash mdash bull copy reg trade times deg "
    "rarr larr uarr darr laquo raquo".split()
)
_GATE = re.compile(
    f"[&êëìíÃ°-È{_HANJA}]"
    f"(?:(?<=[êëìí])[{_REST}]{{2}}|(?<=Ã)[ª«¬\\xad][ÂâÅÆËÃ]|(?<=[°-È])[¡-þ][°-È][¡-þ]"
    f"|(?<=&)(?:#[0-9xX]|[a-z]{{2,6}};)|(?<=[{_HANJA}])[가-힣])"
)
_WIDE_RUN = re.compile(f"[{_WIDE}]{{2,}}")
_MIXED_RUN = re.compile("[^\\x00-\xff]{3,}")  # KS X 1001 also has Cyrillic, frames and circled signs
_CODE = re.compile(r"`[^`\n]+`")

_Found = tuple[int, int, str, str]  # start, end, replacement, reason


def mend(doc: Document) -> Edits:
    """Repair runs that are certainly broken Korean, and decode entities outside code.

    A run is repaired if the text yields more repaired syllables than it has sound ones; or on a line of its own
    without sound Korean, if no word of the text mentions encodings. Entities stay in fenced and inline code and in a
    text that mentions markup. Left alone: every run with a byte missing, single broken letters, percent-encoding,
    U+FFFD. The repair is idempotent.

    >>> from malmoi.document import Provenance
    >>> doc = Document("x/1", "ÇÑ±ÛÀÔ´Ï´Ù.", Provenance("x", "", "", "", ""))
    >>> mend(doc)
    (Edit(start=0, end=10, text='한글입니다', reason='cp949', field='text'),)
    """
    text = doc.text
    if _GATE.search(text) is None:
        return ()
    found = _choose_runs(text, [*_find_latin_runs(text), *_find_cp949_runs(text)]) + _find_entities(text)
    return tuple(Edit(*one) for one in sorted(found))


def _find_latin_runs(text: str) -> list[_Found]:
    """Find each run of Latin-1 or Windows-1252 signs that decodes as a whole."""
    found = []
    for run in _WIDE_RUN.finditer(text):
        data = bytes(_BYTE[c] for c in run.group())
        if said := _decode_utf8(data):
            found.append((run.start(), run.end(), said, "utf-8"))
        elif (
            len(data) % 2 == 0
            and 2 * sum(b - a == 1 for a, b in pairwise(data)) < len(data) - 1  # else a table of characters
            and (said := _decode_korean(data, "cp949"))
        ):
            found.append((run.start(), run.end(), said, "cp949"))
    return found


def _find_cp949_runs(text: str) -> list[_Found]:
    """Find each run of UTF-8 read as CP949; it holds a syllable that KS X 1001 lacks."""
    found = []
    for run in _MIXED_RUN.finditer(text):
        old = run.group()
        if not any("가" <= c <= "힣" and c not in _KS for c in old):
            continue
        try:
            said = _decode_korean(old.encode("cp949"), "utf-8")
        except UnicodeEncodeError:
            continue
        if len(said) >= MIN_SYLLABLES:
            found.append((run.start(), run.end(), said, "utf-8-as-cp949"))
    return found


def _decode_utf8(data: bytes) -> str:
    """Decode Korean from UTF-8 that was read as Latin-1 once or twice, or return ""."""
    if said := _decode_korean(data, "utf-8"):
        return said
    try:
        once = data.decode("utf-8")
        return _decode_korean(bytes(_BYTE[c] for c in once), "utf-8")
    except (UnicodeDecodeError, KeyError):
        return ""


def _decode_korean(data: bytes, encoding: str) -> str:
    """Decode `data` strictly; "" unless it is Korean: plain signs and more than half KS X 1001 syllables."""
    try:
        said = data.decode(encoding)
    except UnicodeDecodeError:
        return ""
    syllables = sum(c in _KS for c in said)
    if 2 * syllables <= len(said) or _PLAIN.fullmatch(said) is None:
        return ""
    return said if syllables == sum("가" <= c <= "힣" for c in said) else ""


def _choose_runs(text: str, runs: list[_Found]) -> list[_Found]:
    """Choose the runs that are certain, judging by the text and their lines."""
    if not runs or _ABOUT.search(text):
        return []
    sound = sum("가" <= c <= "힣" for c in text) - sum(
        sum("가" <= c <= "힣" for c in text[start:end]) for start, end, _, _ in runs
    )
    if _is_certain(runs, max(MIN_SYLLABLES, sound + 1)):
        return runs
    lines: dict[int, list[_Found]] = {}
    for run in runs:
        lines.setdefault(text.rfind("\n", 0, run[0]) + 1, []).append(run)
    chosen: list[_Found] = []
    for start, there in lines.items():  # a line of broken runs and no sound Korean, if they are enough
        stop = text.find("\n", start)
        line = text[start : stop if stop >= 0 else len(text)]
        broken = sum(sum("가" <= c <= "힣" for c in text[a:b]) for a, b, _, _ in there)
        if sum("가" <= c <= "힣" for c in line) == broken and _is_certain(there, MIN_QUOTED):
            chosen += there
    return chosen


def _is_certain(runs: list[_Found], least: int) -> bool:
    syllables = [c for _, _, said, _ in runs for c in said if c in _KS]
    if len(syllables) < least or len(set(syllables)) < MIN_DIFFERENT:
        return False
    return sum(c in _COMMON for c in syllables) >= MIN_COMMON * len(syllables)


def _find_entities(text: str) -> list[_Found]:
    """Find entities outside code, with the signs they name; none in a text that mentions markup."""
    hits = list(_ENTITY.finditer(text))
    if not hits or _MARKUP.search(text):
        return []
    code = [*find_fences(text), *((m.start(), m.end()) for m in _CODE.finditer(text))]
    code.sort()
    found, at = [], 0
    for hit in hits:
        while at < len(code) and code[at][1] <= hit.start():
            at += 1
        if at < len(code) and code[at][0] <= hit.start():
            continue
        if said := _decode_entity(hit.group()):
            found.append((hit.start(), hit.end(), said, "entity"))
    return found


def _decode_entity(entity: str) -> str:
    """Return the sign of an entity, however often its ampersand was escaped; "" for one that is left alone.

    >>> _decode_entity("&amp;amp;quot;"), _decode_entity("&#44032;"), _decode_entity("&#38;"), _decode_entity("&bogus;")
    ('"', '가', '', '')
    """
    name = entity[1:-1]
    while name.startswith("amp;"):
        name = name[4:]
    if not name.startswith("#"):
        return html5[f"{name};"] if name in _NAMES else ""
    point = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    if point in (34, 39) or 0xA0 <= point < 0xD800 or 0xE000 <= point < 0xFFFE or 0x1F300 <= point < 0x1FB00:
        return chr(point)
    return ""  # controls, surrogates, and the ampersand, which would make a new entity
