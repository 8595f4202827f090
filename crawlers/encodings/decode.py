"""Decode the bytes of a page: declared charset, charset detection, repair of damaged Korean, tolerance for stray bytes.

Order: byte order mark; ISO-2022; UTF-16 and UTF-32 without a mark; strict UTF-8; of the declared
labels (protocol, then `<meta>`), CP949 and Johab the one that decodes strictly and reads as Korean;
a declared label that decodes strictly; the Korean decoding with most everyday syllables, with
bad bytes repaired; detection by cchardet; UTF-8 with every bad byte replaced.

UTF-8 is tried before a declared legacy label, because legacy Korean of any length is never
valid UTF-8 by chance, while UTF-8 under a wrong label often decodes to something.

Repair: one byte too many or too few misaligns all two-byte characters after it, so a run that does not decode is
segmented again by dynamic programming. The cost of a character is its rarity in Korean; a stray byte costs more than
any character and becomes one U+FFFD. Linear in the length of the run; at most MAX_MENDED bytes of a document are
repaired.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter

import cchardet

from crawlers.encodings.charset_labels import python_name
from malmoi.boundary import input_errors

MAX_MENDED = 200_000  # bytes of damaged runs in one document; in the rest, bad bytes are replaced
STRAY = 12.0  # cost of a stray byte; every character costs less
SWITCH = 14.0  # cost of a switch between character sets without SO or SI
_LOST = re.compile("\ufffd{2,3}")
_ESCAPED = re.compile(rb"\x1b\$\)C|\x1b|\A\$\)C")
# The 256 most frequent syllables, together 90 % of all; counted 2026-11 over help pages, law, tax rulings, tales,
# news, technical writing and dialogue, with equal weights.
# fmt: off
_OFTEN = (
    "이다는하의에을지한가니로를요사기자고서정은수제어세있대시해법도여아인주으일나리보상할국부조과트용합면그구관스적원거경게전문위라습"
    "만되택소무우결들재선동것장입회드령유데성야분행모공안호명터내마비개포계산와당통중된화때예임없음건치생청신간더러설연까려체않또크방"
    "오함각항민바표진좋률속양득업본미실같심단링판직반필권파컴식처변출력네작타등든발번저받며프른운금버차넌추년점었및취했련감말목람래별"
    "겠록영후두길션현랑배증따확형집달남준역열헌책됩특환물능규히교많레매될친복외잘렌종값언디약너최클불메담새키초토싶르액텍애노워죠학알"
)
# fmt: on
COMMON = frozenset(_OFTEN)
# The 2,350 syllables of KS X 1001, rows 16 to 40: they cover everyday Korean.
KS_HANGUL = frozenset(bytes((a, b)).decode("euc_kr") for a in range(0xB0, 0xC9) for b in range(0xA1, 0xFF))
# A run: bytes outside ASCII, and single ASCII bytes between them, which may be second bytes or strays.
_RUN = re.compile(rb"[\x80-\xff]+(?:[^\x80-\xff<>\r\n][\x80-\xff]+)*[A-~]?")
_JOHAB_RUN = re.compile(rb"[\x80-\xff]+(?:[^\x80-\xff\r\n][\x80-\xff]+)*[1-~]?")  # its symbols may contain < and >
# KS X 1001, annex 3: a syllable without a code of its own may be encoded as a filler and its letters.
_SPELLED = re.compile("\u3164([ㄱ-ㅎ\u3164])([ㅏ-ㅣ\u3164])([ㄱ-ㅎ\u3164])")
_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "\u3164ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_PRICE: Callable[[tuple[float, str]], float] = itemgetter(0)
Pairs = tuple[list[str], list[float]]  # for each byte pair: the character ("" if none) and its cost
Steps = Callable[[bytes, int], list[tuple[int, float, str]]]  # bytes consumed, cost, decoded text
META_BYTES = 4096  # browsers scan the first 1,024; Korean portals put scripts before the declaration
MORE_META_BYTES = 65_536  # scanned if the first META_BYTES have no label; some pages inline whole style sheets
# Thresholds: share of everyday syllables among the characters outside ASCII. Korean has about 0.8 (0.3 when mixed
# with hanja); two-byte text in a wrong encoding, and Chinese decoded as Korean, has below 0.15.
READS_KOREAN = 0.5  # from here on, no other decoding is tried
MAY_BE_KOREAN = 0.25  # accepted if no other decoding is better
PERHAPS_KOREAN = 0.15  # of bytes with every bad one replaced; repair raises the share
A_WORD = 5  # characters; fewer are no evidence against a label that decodes them
FEW_WORDS = 30  # characters
KS_SHARE = 0.5  # minimum share of KS X 1001 Hangul among non-ASCII characters in Korean text
MAX_REPLACED = 0.005  # maximum share of characters that could not be decoded
FEW_REPLACED = 5  # characters; so many are accepted in a text of any length
FORGIVEN_SHARE = 0.01  # bad bytes accepted in other languages, share of the non-ASCII characters
FORGIVEN = 2  # bad bytes accepted in a text of any length, for a declared label
SURE = 0.5  # cchardet's minimum confidence
SAMPLE = 1000  # non-ASCII characters inspected to recognise Korean; more do not change the result
WINDOW = 4096  # characters searched at a time for them
GLANCE = 200  # non-ASCII characters that are enough if they do read as Korean
GLANCE_WINDOW = 512
WESTERN = 0.1  # share of bytes outside ASCII; French has about 4 %, Korean above 40 %
_MULTIBYTE = frozenset(
    {"johab", "iso2022_kr", "iso2022_jp", "cp949", "euc_kr", "cp932", "euc_jp", "gb18030", "big5hkscs", "euc_tw"}
)
_KOREAN_CODECS = frozenset({"cp949", "johab"})
MANY_SHIFTS = 4  # SO in one text; it has no other use in text
_SHIFTS = (b"\x1b", b"\x0e", b"\0")
_LEADS = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{2}")  # lead bytes of characters from U+0800 on
_ASCII = bytes(range(128))
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]{0,400}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s{0,99}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.\-]{2,40})")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_ASCII_RUN = re.compile(r"[\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded text, the Python name of its encoding, and its number of U+FFFD."""

    text: str
    encoding: str
    replaced: int

    @property
    def is_undecodable(self) -> bool:
        """Whether too many characters are lost to keep the text."""
        return self.replaced > max(FEW_REPLACED, MAX_REPLACED * len(self.text))


def decode(body: bytes, declared: str = "", *, html: bool = False) -> Decoded:
    r"""Decode `body`; never raises. `declared` is the label of the protocol, or "".

    With `html`, a `<meta>` or XML declaration in the first 4,096 bytes (if it has none, 65,536) is the second
    label. Line ends are not changed; a byte order mark is removed.

    >>> decode("뷁".encode("cp949"), "EUC-KR").text
    '뷁'
    >>> decode("말모이는 사전이다".encode("cp949"), "utf-8").encoding
    'cp949'
    >>> decode("말모이는 우리말 사전이다".encode("johab")).encoding
    'johab'
    >>> decode("말모이는\xff 사전이다".encode("cp949", "replace").replace(b"?", b"\xff"), "euc-kr").replaced
    1
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            rest = body[len(bom) :]
            if name != "utf-8" or _try(rest, name) is not None:
                return _decode_replacing(rest, name)
            body = rest  # a mark that an editor put before bytes that it did not convert
            break
    if body.isascii() and not any(mark in body for mark in _SHIFTS):
        return Decoded(body.decode("ascii"), "utf-8", 0)
    # Valid UTF-8 with a three-byte character is UTF-8 whatever its label, unless it contains shifts or NUL bytes: the
    # fast path of nearly every page.
    text = _try(body, "utf-8")
    is_wide = "16" in declared or "32" in declared
    if text is not None and not is_wide and _LEADS.search(body) and not any(mark in body for mark in _SHIFTS):
        return Decoded(text, "utf-8", text.count("\ufffd"))
    labels = _labels(body, declared, html)
    for step in (_decode_iso2022, _decode_wide, _decode_utf8, _decode_strictly, _decode_mended, _decode_forgiving):
        if (found := step(body, labels)) is not None:
            return replace(found, text=compose(found.text)) if found.encoding == "cp949" else found
    return _decode_detected(body, labels)


def _labels(body: bytes, declared: str, html: bool) -> tuple[str, ...]:
    """Return the codecs declared by the protocol and by the page, in that order, each once."""
    found = [python_name(declared)] if declared else []
    if html:
        head = body[:META_BYTES]
        match = _XML.search(head) or _META.search(_COMMENT.sub(b"", head))
        if match is None and len(body) > META_BYTES:
            match = _META.search(_COMMENT.sub(b"", body[:MORE_META_BYTES]))
        if match:
            meta = python_name(match.group(1).decode("ascii"))
            # A declaration that is readable byte by byte is not in UTF-16 or UTF-32 (WHATWG, "prescan").
            found.append("utf-8" if meta.startswith(("utf-16", "utf-32")) else meta)
    return tuple(dict.fromkeys(name for name in found if name))


def _decode_iso2022(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """Decode ISO-2022: 7-bit text with escape sequences that select the character set."""
    if b"\x1b" not in body and b"\x0e" not in body:
        return None
    ascii_only = body.isascii()
    marked = b"\x1b$" in body and ascii_only
    # The codec accepts a lost shift, and a missing designator before the first shift.
    in_order = body.count(b"\x0e") == body.count(b"\x0f") and body.find(b"\x1b$") <= body.find(b"\x0e")
    if marked and in_order and (text := _try(body, "iso2022_kr")) is not None:
        return Decoded(text, "iso2022_kr", text.count("\ufffd"))
    # The designator or a shift may be damaged; there are then few bytes outside ASCII.
    if b"\x0e" in body and (b"\x1b$)C" in body or "iso2022_kr" in labels or body.count(b"\x0e") >= MANY_SHIFTS):
        high = 0 if ascii_only else len(body.translate(None, _ASCII))
        text = iso2022_kr(body) if high <= max(FORGIVEN, FORGIVEN_SHARE * len(body)) else ""
        if everyday_share(text) >= MAY_BE_KOREAN:
            return Decoded(text, "iso2022_kr", text.count("\ufffd"))
    if marked and (text := _try(body, "iso2022_jp_2")) is not None:
        return Decoded(text, "iso2022_jp_2", text.count("\ufffd"))
    return None


def _decode_wide(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """Decode UTF-16 and UTF-32 without a mark: declared, or with NUL bytes and readable as Korean or ASCII."""
    head = body[:META_BYTES]
    declared = next((name for name in labels if name.startswith(("utf-16", "utf-32"))), "")
    if not declared and 0 not in head:
        return None
    guess = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    many = head.count(0) * 3 > len(head)  # Latin text: every other byte
    wide = ("utf-32-le", "utf-32-be") if head.count(0) * 5 > 2 * len(head) - 4 else ()  # Hangul has 2 NUL of 4
    for name in dict.fromkeys((*wide, guess, declared or guess)):
        whole = body[: len(body) // 4 * 4 if name.startswith("utf-32") else len(body) // 2 * 2]  # may be truncated
        text = _try(whole, name)
        if text is None or "\0" in text:
            continue
        if declared or many or korean_share(text) >= KS_SHARE:
            if len(whole) < len(body):
                text += "\ufffd"
            return Decoded(text, name, text.count("\ufffd"))
    return None


def _decode_utf8(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    text = _try(body, "utf-8")
    if text is None:
        return None
    if labels and labels[0] != "utf-8" and max(text, default="") < "\u0800":
        # Two-byte sequences alone may be valid by chance in one or two words of EUC-KR: use the label.
        other = _try(body, labels[0])
        sample = _sample(other) if other is not None else ""
        if other is not None and sample and sum("가" <= char <= "힣" for char in sample) >= KS_SHARE * len(sample):
            return Decoded(other, labels[0], 0)
    return Decoded(text, "utf-8", text.count("\ufffd"))


def _decode_strictly(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """Return the strict decoding that reads as Korean; else that of the first label that decodes strictly."""
    best: Decoded | None = None
    said: Decoded | None = None
    most = claimed = 0.0
    # Servers send latin-1 by default, and it decodes any bytes: try Korean first.
    for name in dict.fromkeys((*(name for name in labels if name != "cp1252"), "cp949", "johab")):
        text = _try(body, name)
        if text is None:
            continue
        if name == "johab":  # nearly any two bytes are a character in it, so a stray byte may not cause an error
            text = mend(body, ("johab",))
        else:
            glance = _sample(text, GLANCE, GLANCE_WINDOW)
            if len(glance) == GLANCE and sum(map(COMMON.__contains__, glance)) >= READS_KOREAN * GLANCE:
                return Decoded(text, name, text.count("\ufffd"))
        if name not in labels and said is not None and said.encoding == "cp949" and len(_sample(text)) < A_WORD:
            continue
        share = everyday_share(text)
        found = Decoded(text, name, text.count("\ufffd"))
        if share >= READS_KOREAN:
            return found
        if name in labels and said is None:
            said, claimed = found, share
        if share > most and name in _KOREAN_CODECS:
            best, most = found, share
    if best is not None and most >= MAY_BE_KOREAN and most > 2 * claimed:
        return best
    if said is None and best is not None and best.encoding == "cp949":
        # A few words of Hangul that Johab cannot decode; longer text would have everyday syllables.
        few = len(_sample(best.text)) <= FEW_WORDS and korean_share(best.text) >= KS_SHARE
        return best if few and _try(body, "johab") is None else None
    return said


def _decode_mended(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """Return the repaired Korean decoding with most everyday syllables; None if none reads as Korean."""
    shares = {name: everyday_share(body.decode(name, "replace")) for name in ("utf-8", "cp949", "johab")}
    best = max(shares, key=lambda name: (shares[name], name in labels))
    if shares[best] < PERHAPS_KOREAN:
        return None
    text = mend(body, ("johab",) if best == "johab" else ("utf-8", "cp949") if best == "utf-8" else ("cp949", "utf-8"))
    if everyday_share(text) < MAY_BE_KOREAN:
        return None
    return Decoded(text, best, text.count("\ufffd"))


def _decode_forgiving(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """Return the first candidate of any language with few replaced bytes."""
    for name in dict.fromkeys((*labels, "utf-8")):
        if name == "cp1252":
            continue
        found = _decode_replacing(body, name)
        foreign = sum(map(len, _NOT_ASCII.findall(found.text)))
        if found.replaced <= max(FORGIVEN if name in labels else 0, foreign * FORGIVEN_SHARE):
            return found
    return None


def _decode_detected(body: bytes, labels: tuple[str, ...]) -> Decoded:
    """Decode with the codec that cchardet detects with enough confidence; else as UTF-8 with bad bytes replaced.

    A single-byte codec decodes anything, so it is accepted for Western text only.
    """
    try:
        with input_errors(LookupError, MemoryError):
            guess = cchardet.detect(body)
    except LookupError:
        guess = {"encoding": None, "confidence": None}
    name = python_name(guess["encoding"] or "") if (guess["confidence"] or 0.0) >= SURE else ""
    names = [name] if name else []
    western = len(body.translate(None, _ASCII)) <= WESTERN * len(body)
    for name in (*names, *labels):
        text = _try(body, name) if name in _MULTIBYTE or western else None
        if text is not None:
            return Decoded(text, name, text.count("\ufffd"))
    return _decode_replacing(body, "utf-8")


def _try(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _decode_replacing(body: bytes, name: str) -> Decoded:
    text = body.decode(name, "replace")
    return Decoded(text, name, text.count("\ufffd"))


def korean_share(text: str) -> float:
    """Return the share of KS X 1001 Hangul among the non-ASCII characters, 0 to 1; 0 for ASCII text."""
    sample = _sample(text)
    return sum(map(KS_HANGUL.__contains__, sample)) / len(sample) if sample else 0.0


def everyday_share(text: str) -> float:
    """Return the share of the 256 commonest syllables among the non-ASCII characters, 0 to 1; 0 for ASCII text.

    >>> everyday_share("말모이는 사전이다"), everyday_share("abc")
    (1.0, 0.0)
    """
    sample = _sample(text)
    return sum(map(COMMON.__contains__, sample)) / len(sample) if sample else 0.0


def _sample(text: str, size: int = SAMPLE, window: int = WINDOW) -> str:
    start = 0
    found = ""
    while len(found) < size and start < len(text):
        found += "".join(_ASCII_RUN.split(text[start : start + window]))
        start += window
    return found[:size]


def query_encoding(encoding: str) -> str:
    """Return the encoding of query strings in links of a text in `encoding` (WHATWG Encoding, output encoding).

    >>> query_encoding("cp949"), query_encoding("utf-16-le")
    ('cp949', 'utf-8')
    """
    return "utf-8" if encoding.startswith(("utf-16", "utf-32", "iso2022")) else encoding


def compose(text: str) -> str:
    r"""Compose syllables that KS X 1001 encodes in four characters; keep sequences that are not a syllable.

    >>> compose("\u3164ㅎㅐㅎ자"), compose("\u3164ㄱㄱㄱ")
    ('햏자', '\u3164ㄱㄱㄱ')
    """

    def spell(match: re.Match[str]) -> str:
        onset, vowel, coda = _ONSETS.find(match[1]), _VOWELS.find(match[2]), _TAILS.find(match[3])
        return match[0] if min(onset, vowel, coda) < 0 else chr(0xAC00 + (onset * 21 + vowel) * 28 + coda)

    return _SPELLED.sub(spell, text) if "\u3164" in text else text


def cost(char: str) -> float:
    """Return the cost of a character in Korean text, from 1 (a frequent syllable) to 12 (U+FFFD).

    >>> [cost(char) for char in "다퀭뷁漢é"]
    [1.0, 4.0, 10.0, 9.0, 9.0]
    """
    if char in COMMON:
        return 1.0
    if char in KS_HANGUL:
        return 4.0
    if char < "\x80":
        return 2.0 if char > " " else 1.0
    if char == "\ufffd":
        return STRAY
    if "가" <= char <= "힣":
        return 10.0
    if char in "·…“”‘’「」『』〈〉《》ㆍ○●□■◇◆△▲※→ㅋㅎㅠㅜ\u00a0\u3000①②③④⑤—–":
        return 4.0
    return 7.0 if "\u2000" <= char <= "\u318f" else 9.0


def mend(body: bytes, codecs: tuple[str, ...]) -> str:
    r"""Decode bytes that none of `codecs` (cp949, johab, utf-8) decodes strictly.

    Each run is decoded by itself with the codec of lowest cost, so that a page
    in two encodings is decoded in both. A stray byte adds its own cost.

    >>> raw = "말모이는 낱말을 모은다".encode("cp949")
    >>> mend(raw[:3] + b"\xff" + raw[3:], ("cp949",))
    '말모\ufffd이는 낱말을 모은다'
    """
    parts: list[str] = []
    end = 0
    left = MAX_MENDED
    for match in (_JOHAB_RUN if "johab" in codecs else _RUN).finditer(body):
        run = match.group()
        parts.append(body[end : match.start()].decode("ascii"))
        end = match.end()
        readings: list[tuple[float, str]] = []
        for codec in codecs:
            try:
                text = run.decode(codec)
            except UnicodeDecodeError:
                continue
            readings.append((sum(map(cost, text)), text))
        # With replacement, dearer than any segmentation.
        best = min(readings or [(STRAY * (len(run) + 1), run.decode(codecs[0], "replace"))], key=_PRICE)
        if best[0] > 4.0 * len(best[1]) and len(run) <= left:
            left -= len(run)
            for codec in codecs:
                if codec == "utf-8":
                    price, text = _find_cheapest(run, _utf8_steps)
                    text = _LOST.sub("\ufffd", text)  # the remains of one syllable count as one
                else:
                    price, text = _find_cheapest(run, _pair_steps(codec))
                best = min(best, (price, text), key=_PRICE)
        parts.append(best[1])
    parts.append(body[end:].decode("ascii", "replace"))
    return "".join(parts)


def _find_cheapest(run: bytes, steps: Steps) -> tuple[float, str]:
    """Return the cost of the cheapest segmentation of a run, and its text."""
    size = len(run)
    costs = [0.0] + [float("inf")] * (size + 3)
    came: list[tuple[int, str]] = [(0, "")] * (size + 4)
    for at in range(size):
        here = costs[at]
        for taken, price, text in steps(run, at):
            if at + taken <= size and here + price < costs[at + taken]:
                costs[at + taken] = here + price
                came[at + taken] = at, text
    parts: list[str] = []
    at = size
    while at:
        at, text = came[at]
        parts.append(text)
    return costs[size], "".join(reversed(parts))


def _pair_steps(codec: str) -> Steps:
    chars, costs = _pairs(codec)

    def steps(run: bytes, at: int) -> list[tuple[int, float, str]]:
        first = run[at]
        if first < 0x80:
            return [(1, 2.0, chr(first))]
        found = [(1, STRAY, "\ufffd")]
        if at + 1 < len(run):
            if char := chars[pair := first << 8 | run[at + 1]]:
                found.append((2, costs[pair], char))
            if at + 2 < len(run) and (char := chars[pair := first << 8 | run[at + 2]]):
                found.append((3, STRAY + costs[pair], f"{char}\ufffd"))  # the stray byte is inside the pair
        return found

    return steps


@cache
def _pairs(codec: str) -> Pairs:
    """Return the character and cost of every byte pair in a codec; takes a few milliseconds, once per process."""
    chars = [""] * 65536
    costs = [STRAY] * 65536
    for first in range(0x81, 0xFF):
        for second in range(0x31, 0xFF):
            try:
                char = bytes((first, second)).decode(codec)
            except UnicodeDecodeError:
                # Two rows of KS X 1001 are user-defined: one unknown character.
                if codec == "cp949" and first in (0xC9, 0xFE) and second > 0xA0:
                    char = "\ufffd"
                else:
                    continue
            if len(char) == 1:
                chars[first << 8 | second] = char
                costs[first << 8 | second] = min(cost(char), STRAY - 1.0)
    return chars, costs


def _utf8_steps(run: bytes, at: int) -> list[tuple[int, float, str]]:
    first = run[at]
    if first < 0x80:
        return [(1, 2.0, chr(first))]
    found = [(1, STRAY, "\ufffd")]
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first >= 0xC2:
        if char := _character(run[at : at + size]):
            found.append((size, cost(char), char))
        if size == 3:  # a stray byte inside: Korean has three bytes a syllable
            rest = run[at + 1 : at + 4]
            for hole in (bytes((first, *rest[1:])), bytes((first, rest[0], *rest[2:])) if rest else b""):
                if char := _character(hole):
                    found.append((4, STRAY + cost(char), f"{char}\ufffd"))
    return found


def _character(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if len(text) == 1 else ""


def iso2022_kr(body: bytes) -> str:
    r"""Decode ISO-2022-KR with damaged shifts or bytes: line by line, each beginning in ASCII (RFC 1557).

    >>> iso2022_kr(b"\x1b$)C\n\x0e0!3*\x0f abc 4Y\x0f")
    '\n가나 abc 다'
    """
    lines = _ESCAPED.sub(b"", body).split(b"\n")
    return "\n".join(
        _repair_line(line) if len(line) <= MAX_MENDED else line.decode("ascii", "replace") for line in lines
    )


def _repair_line(line: bytes) -> str:
    if b"\x0e" not in line and b"\x0f" not in line:
        return line.decode("ascii", "replace")
    chars, costs = _pairs("cp949")
    size = len(line)
    best = [[0.0, SWITCH], *([float("inf")] * 2 for _ in range(size + 2))]
    came: list[list[tuple[int, int, str]]] = [[(0, 0, ""), (0, 0, "")] for _ in range(size + 3)]

    def reach(at: int, mode: int, price: float, origin: tuple[int, int, str]) -> None:
        if price < best[at][mode]:
            best[at][mode], came[at][mode] = price, origin

    for at in range(size):
        byte = line[at]
        for mode in (0, 1):
            here = best[at][mode]
            if byte in (0x0E, 0x0F):
                after = 1 if byte == 0x0E else 0
                reach(at + 1, after, here + (SWITCH if after == mode else 0.0), (at, mode, ""))
                continue
            if mode == 0 and byte < 0x80:
                text, price = chr(byte), 2.0
            else:
                text, price = ("\ufffd", STRAY) if byte > 0x20 else (chr(byte), 2.0)
            reach(at + 1, mode, here + price, (at, mode, text))
            reach(at + 1, 1 - mode, here + price + SWITCH, (at, mode, text))
            if mode == 1:
                for gap in (1, 2):
                    if at + gap < size and byte > 0x20 and 0x20 < line[at + gap] < 0x80:
                        pair = (byte | 0x80) << 8 | line[at + gap] | 0x80
                        if char := chars[pair]:
                            stray = gap == 2
                            total = here + costs[pair] + (STRAY if stray else 0.0)
                            origin = (at, mode, f"{char}\ufffd" if stray else char)
                            reach(at + gap + 1, 1, total, origin)
                            reach(at + gap + 1, 0, total + SWITCH, origin)
    parts: list[str] = []
    at, mode = size, 0 if best[size][0] <= best[size][1] else 1
    while at:
        at, mode, text = came[at][mode]
        parts.append(text)
    return "".join(reversed(parts))
