"""Turn the bytes of a page into text: what it declares, what it really is, and stray bytes forgiven.

Order: byte order mark; the declared label (protocol, then `<meta>`) if it decodes strictly;
strict UTF-8; strict CP949 if most of what is not ASCII is everyday Hangul; the same candidates
with a few bad bytes forgiven; detection by cchardet; UTF-8 with every bad byte replaced.

UTF-8 is tried before a declared legacy label, because legacy Korean of any length is never
valid UTF-8 by chance, while UTF-8 under a wrong label often decodes to something.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import cchardet

META_BYTES = 4096  # a browser looks at the first 1,024; Korean portals put scripts before the declaration
KS_SHARE = 0.5  # at least this share of the non-ASCII characters is KS X 1001 Hangul, or it is not Korean text
KS_SHARE_WITH_ERRORS = 0.7  # stricter where bytes are bad as well and nothing was declared
FORGIVEN_SHARE = 0.01  # bad bytes forgiven, share of the non-ASCII characters
FORGIVEN = 2  # bad bytes that are forgiven however short the text, for a declared label
SURE = 0.5  # cchardet's confidence from which its answer is tried
SAMPLE = 4000  # non-ASCII characters looked at to tell Korean; the answer does not change with more
WESTERN = 0.1  # share of bytes outside ASCII; French has about 4 %, Korean above 40 %
LONG_RUN = 400  # bytes; a longer run without white space is not searched for a stray byte

# Labels of the WHATWG encoding standard (encoding.spec.whatwg.org, "euc-kr") and what Korean servers add to them.
# fmt: off
_KOREAN = (
    "cp949", "ms949", "uhc", "euc-kr", "euckr", "x-euc-kr", "cseuckr", "korean", "iso-ir-149",
    "windows-949", "x-windows-949", "ks_c_5601-1987", "ks_c_5601-1989", "ks_c_5601", "csksc56011987",
    "ksc5601", "ksc_5601", "ks_x_1001", "ksx1001",
)
# fmt: on
_OTHERS = {
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "x-unicode20utf8": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "windows-1252": "cp1252",
    "iso-2022-kr": "iso2022_kr",
    "csiso2022kr": "iso2022_kr",
    "johab": "johab",
    "x-johab": "johab",
    "ms1361": "johab",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
    "ucs-2": "utf-16-le",
    "unicode": "utf-16-le",
}
_LABELS = dict.fromkeys(_KOREAN, "cp949") | _OTHERS
_MULTIBYTE = frozenset(
    {"johab", "iso2022_kr", "iso2022_jp", "cp949", "euc_kr", "cp932", "euc_jp", "gb18030", "big5hkscs", "euc_tw"}
)
_ASCII = bytes(range(128))
# Not text encodings of the web, although Python knows them; utf-7 hides markup from a reader.
_REFUSED = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]{0,400}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s{0,99}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.\-]{2,40})")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_RUN = re.compile(rb"(?:[\x80-\xff][A-Za-z]?)+")  # a letter may be the second byte of an extension syllable
# The 2,350 syllables of KS X 1001, rows 16 to 40: what everyday Korean is written with.
_KS_HANGUL = frozenset(bytes((a, b)).decode("euc_kr") for a in range(0xB0, 0xC9) for b in range(0xA1, 0xFF))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the Python name of the encoding it was read with, and how many U+FFFD stand in it."""

    text: str
    encoding: str
    replaced: int


def decode(body: bytes, declared: str = "", *, html: bool = False) -> Decoded:
    r"""The text of `body`; never raises. `declared` is the label of the protocol, "" where there is none.

    With `html`, a `<meta>` or XML declaration in the first 4,096 bytes is the second label.
    Line ends are left alone; a byte order mark is removed.

    >>> decode("뷁".encode("cp949"), "EUC-KR").text
    '뷁'
    >>> decode("말모이는 사전이다".encode("cp949"), "utf-8").encoding
    'cp949'
    >>> decode("말모이는\xff 사전이다".encode("cp949", "replace").replace(b"?", b"\xff"), "euc-kr").replaced
    1
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _replaced(body[len(bom) :], name)
    if body.isascii() and b"\x1b" not in body and b"\0" not in body:
        return Decoded(body.decode("ascii"), "utf-8", 0)
    labels = _labels(body, declared, html)
    for step in (_escaped, _utf16, _utf8, _strict, _forgiving):
        if (found := step(body, labels)) is not None:
            return found
    return _detected(body, labels)


def python_name(label: str) -> str:
    """The Python codec for a charset label, or "" where it is unknown or refused.

    >>> python_name("KS_C_5601-1987"), python_name("x-windows-949"), python_name("EUC-JP"), python_name("none")
    ('cp949', 'cp949', 'euc_jp', '')
    """
    wanted = label.strip().strip("\"'").lower()
    if known := _LABELS.get(wanted):
        return known
    try:
        found = codecs.lookup(wanted)
    except (LookupError, ValueError, UnicodeError):
        return ""
    # rot13, zlib and their like are codecs that do not turn bytes into text.
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name not in _REFUSED else ""


def korean_share(text: str) -> float:
    """KS X 1001 Hangul among the non-ASCII characters, 0 to 1; 0 where there are none."""
    seen = 0
    korean = 0
    for run in _NOT_ASCII.finditer(text):
        part = run.group()[: SAMPLE - seen]
        seen += len(part)
        korean += sum(char in _KS_HANGUL for char in part)
        if seen >= SAMPLE:
            break
    return korean / seen if seen else 0.0


def _labels(body: bytes, declared: str, html: bool) -> tuple[str, ...]:
    """Codecs named by the protocol and by the page, in that order, each once."""
    found = [python_name(declared)] if declared else []
    if html:
        head = body[:META_BYTES]
        match = _XML.search(head) or _META.search(_COMMENT.sub(b"", head))
        if match:
            meta = python_name(match.group(1).decode("ascii"))
            # A declaration that can be read byte by byte is not UTF-16 (WHATWG, "prescan").
            found.append("utf-8" if meta.startswith("utf-16") else meta)
    return tuple(dict.fromkeys(name for name in found if name))


def _escaped(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """ISO-2022: all ASCII to look at, with escape sequences that name the character set."""
    if b"\x1b$" in body and body.isascii():
        for name in ("iso2022_kr", "iso2022_jp_2"):
            if (text := _try(body, name)) is not None:
                return Decoded(text, name, text.count("\ufffd"))
    return None


def _utf16(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """UTF-16 without a mark: declared so, or NUL bytes stand in it and it reads as Korean or ASCII."""
    head = body[:META_BYTES]
    declared = next((name for name in labels if name.startswith("utf-16")), "")
    if not declared and 0 not in head:
        return None
    guess = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    many = head.count(0) * 3 > len(head)  # Latin text: every other byte
    for name in dict.fromkeys((guess, declared or guess)):
        text = _try(body, name)
        if text is None or "\0" in text:
            continue
        if declared or many or korean_share(text) >= KS_SHARE:
            return Decoded(text, name, text.count("\ufffd"))
    return None


def _utf8(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    text = _try(body, "utf-8")
    if text is None:
        return None
    if labels and labels[0] != "utf-8" and max(text, default="") < "\u0800":
        # Two-byte sequences alone are valid by chance in a word or two of EUC-KR: believe the label.
        other = _try(body, labels[0])
        if other is not None and korean_share(other) >= KS_SHARE:
            return Decoded(other, labels[0], 0)
    return Decoded(text, "utf-8", text.count("\ufffd"))


def _strict(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """The first candidate that decodes without an error and looks like what it says."""
    for name in labels:
        # Servers say latin-1 by default, and it decodes anything: ask for Korean first.
        if name != "cp1252" and (text := _try(body, name)) is not None:
            return Decoded(text, name, text.count("\ufffd"))
    text = _try(body, "cp949")
    if text is not None and korean_share(text) >= KS_SHARE:
        return Decoded(text, "cp949", 0)
    return None


def _forgiving(body: bytes, labels: tuple[str, ...]) -> Decoded | None:
    """The first candidate that loses little."""
    for name in dict.fromkeys((*labels, "utf-8", "cp949")):
        if name == "cp1252":
            continue
        found = _cp949(body) if name == "cp949" else _replaced(body, name)
        foreign = sum(map(len, _NOT_ASCII.findall(found.text)))
        allowed = max(FORGIVEN if name in labels else 0, foreign * FORGIVEN_SHARE)
        korean = korean_share(found.text)
        if name not in labels and korean >= KS_SHARE_WITH_ERRORS:
            allowed = max(allowed, FORGIVEN)
        if name == "cp949" and korean < KS_SHARE:
            continue
        if found.replaced <= allowed:
            return found
    return None


def _cp949(body: bytes) -> Decoded:
    """CP949 in which a stray byte costs itself, not the rest of the word.

    Two-byte text falls out of step behind a byte too many or too few, up to the next ASCII
    character. Each run that does not decode is tried with one byte left out at every place; the
    place that leaves most everyday Hangul wins.
    """
    text = _try(body, "cp949")
    if text is None:
        parts: list[str] = []
        end = 0
        for run in _RUN.finditer(body):
            parts += (body[end : run.start()].decode("ascii", "replace"), _run(run.group()))
            end = run.end()
        parts.append(body[end:].decode("ascii", "replace"))
        text = "".join(parts)
    return Decoded(text, "cp949", text.count("\ufffd"))


def _run(run: bytes) -> str:
    plain = run.decode("cp949", "replace")
    if "\ufffd" not in plain or len(run) > LONG_RUN:
        return plain
    best, most = plain, _worth(plain)
    for place in range(len(run)):
        rest = _try(run[:place] + run[place + 1 :], "cp949")
        if rest is None:
            continue
        at = len(run[:place].decode("cp949", "ignore"))
        text = f"{rest[:at]}\ufffd{rest[at:]}"
        if (worth := _worth(text)) > most:
            best, most = text, worth
    return best


def _worth(text: str) -> int:
    return sum(char in _KS_HANGUL for char in text) - text.count("\ufffd")


def _detected(body: bytes, labels: tuple[str, ...]) -> Decoded:
    """What cchardet says, where it is sure and right; else UTF-8 with every bad byte replaced.

    An alphabet of one byte a letter decodes anything, so it is believed of Western text only.
    """
    found = cchardet.detect(body)
    names = [python_name(found["encoding"] or "")] if (found["confidence"] or 0.0) >= SURE else []
    western = len(body.translate(None, _ASCII)) <= WESTERN * len(body)
    for name in (*names, *labels):
        text = _try(body, name) if name in _MULTIBYTE or western else None
        if text is not None:
            return Decoded(text, name, text.count("\ufffd"))
    return _replaced(body, "utf-8")


def _try(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _replaced(body: bytes, name: str) -> Decoded:
    text = body.decode(name, "replace")
    return Decoded(text, name, text.count("\ufffd"))
