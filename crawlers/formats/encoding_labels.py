"""Which Python codec a charset label means, on Korean servers too."""

from __future__ import annotations

import codecs

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
    "utf-32": "utf-32-le",
    "ucs-2": "utf-16-le",
    "unicode": "utf-16-le",
}
_LABELS = dict.fromkeys(_KOREAN, "cp949") | _OTHERS
# Not text encodings of the web, although Python knows them; utf-7 hides markup from a reader.
_REFUSED = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


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
