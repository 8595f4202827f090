"""Decode the bytes of a page: declared charset, charset detection, tolerance for stray bytes.

Order: byte order mark; ISO-2022; UTF-16 and UTF-32 without a mark; strict UTF-8; of the declared
labels (protocol, then `<meta>`), CP949 and Johab the one that decodes strictly and reads as Korean;
a declared label that decodes strictly; the Korean decoding with most everyday syllables, with
bad bytes repaired (`byte_repair`); detection by cchardet; UTF-8 with every bad byte replaced.

UTF-8 is tried before a declared legacy label, because legacy Korean of any length is never
valid UTF-8 by chance, while UTF-8 under a wrong label often decodes to something.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

import cchardet

from crawlers.encodings.byte_repair import COMMON, KS_HANGUL, compose, iso2022_kr, mend
from crawlers.encodings.charset_labels import python_name
from malmoi.boundary import input_errors

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
    if (text := _decode_plain_utf8(body, declared)) is not None:
        return Decoded(text, "utf-8", text.count("\ufffd"))
    labels = _labels(body, declared, html)
    for step in (_decode_iso2022, _decode_wide, _decode_utf8, _decode_strictly, _decode_mended, _decode_forgiving):
        if (found := step(body, labels)) is not None:
            return replace(found, text=compose(found.text)) if found.encoding == "cp949" else found
    return _decode_detected(body, labels)


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


def _reads_korean(text: str) -> bool:
    """Whether the first GLANCE non-ASCII characters suffice to recognise Korean."""
    sample = _sample(text, GLANCE, GLANCE_WINDOW)
    return len(sample) == GLANCE and sum(map(COMMON.__contains__, sample)) >= READS_KOREAN * GLANCE


def _sample(text: str, size: int = SAMPLE, window: int = WINDOW) -> str:
    start = 0
    found = ""
    while len(found) < size and start < len(text):
        found += "".join(_ASCII_RUN.split(text[start : start + window]))
        start += window
    return found[:size]


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


def query_encoding(encoding: str) -> str:
    """Return the encoding of query strings in links of a text in `encoding` (WHATWG Encoding, output encoding).

    >>> query_encoding("cp949"), query_encoding("utf-16-le")
    ('cp949', 'utf-8')
    """
    return "utf-8" if encoding.startswith(("utf-16", "utf-32", "iso2022")) else encoding


def _decode_plain_utf8(body: bytes, declared: str) -> str | None:
    """Return the text if it is plainly UTF-8 (fast path of nearly every page): valid, with a three-byte character.

    Such text is UTF-8 whatever its label, unless it contains shifts or NUL bytes.
    """
    text = _try(body, "utf-8")
    if text is None or "16" in declared or "32" in declared or not _LEADS.search(body):
        return None
    return None if any(mark in body for mark in _SHIFTS) else text


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


def _hangul_share(text: str) -> float:
    """Return the share of Hangul syllables, rare ones included, among the sampled non-ASCII characters, 0 to 1."""
    found = _sample(text)
    return sum("가" <= char <= "힣" for char in found) / len(found) if found else 0.0


def _decode_utf8(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    text = _try(body, "utf-8")
    if text is None:
        return None
    if labels and labels[0] != "utf-8" and max(text, default="") < "\u0800":
        # Two-byte sequences alone may be valid by chance in one or two words of EUC-KR: use the label.
        other = _try(body, labels[0])
        if other is not None and _hangul_share(other) >= KS_SHARE:
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
        elif _reads_korean(text):
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
    if said is None and best is not None and best.encoding == "cp949" and _is_cp949(best.text, body):
        return best
    return said


def _is_cp949(text: str, body: bytes) -> bool:
    """Whether a text is a few words of Hangul that Johab cannot decode; longer text would have everyday syllables."""
    return len(_sample(text)) <= FEW_WORDS and korean_share(text) >= KS_SHARE and _try(body, "johab") is None


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
    names = [name] if (name := _guess(body)) else []
    western = len(body.translate(None, _ASCII)) <= WESTERN * len(body)
    for name in (*names, *labels):
        text = _try(body, name) if name in _MULTIBYTE or western else None
        if text is not None:
            return Decoded(text, name, text.count("\ufffd"))
    return _decode_replacing(body, "utf-8")


def _guess(body: bytes) -> str:
    """Return the codec that cchardet detects with confidence, or ""."""
    try:
        with input_errors(LookupError, MemoryError):
            found = cchardet.detect(body)
    except LookupError:
        return ""
    return python_name(found["encoding"] or "") if (found["confidence"] or 0.0) >= SURE else ""


def _try(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _decode_replacing(body: bytes, name: str) -> Decoded:
    text = body.decode(name, "replace")
    return Decoded(text, name, text.count("\ufffd"))
