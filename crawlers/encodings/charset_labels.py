"""Map charset labels to Python codecs, including labels that only Korean servers use."""

from __future__ import annotations

import codecs
from encodings.aliases import aliases

# Labels of the WHATWG encoding standard (encoding.spec.whatwg.org, "euc-kr") and additional ones of Korean servers.
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
    "iso88591": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "l1": "cp1252",
    "iso-8859-9": "cp1254",
    "latin5": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac-roman",
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
# Accepted encodings: those of the standard, and those that cchardet returns beside them. Python has more
# codecs, and a label is untrusted input: hex, zlib and rot13 do not turn bytes into text, idna and punycode fail on
# pages, unicode_escape parses them as source code, and utf-7 can hide markup.
_CODECS = frozenset(
    """
    utf_8 utf_8_sig utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be
    ascii latin_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11
    iso8859_13 iso8859_14 iso8859_15 iso8859_16 koi8_r koi8_u mac_roman mac_cyrillic mac_latin2 mac_centeuro
    cp437 cp850 cp852 cp855 cp866 cp874 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 tis_620
    gb2312 gbk gb18030 hz big5 big5hkscs cp950 euc_jp euc_jis_2004 euc_jisx0213 shift_jis cp932 shift_jis_2004
    shift_jisx0213 iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_ext iso2022_kr euc_kr cp949 johab
    """.split()
)
_ALIASES = {codec: codec for codec in _CODECS} | {alias: codec for alias, codec in aliases.items() if codec in _CODECS}
_LABELS = dict.fromkeys(_KOREAN, "cp949") | _OTHERS


def python_name(label: str) -> str:
    """Return the Python codec for a charset label, or "" if it is not a text encoding accepted for pages.

    >>> python_name("KS_C_5601-1987"), python_name("x-windows-949"), python_name("EUC-JP"), python_name("none")
    ('cp949', 'cp949', 'euc_jp', '')
    >>> python_name("hex"), python_name("zlib"), python_name("utf-7"), python_name("utf-8\\0"), python_name("x" * 9999)
    ('', '', '', '', '')
    """
    wanted = label.strip().strip("\"'").strip().lower()
    if known := _LABELS.get(wanted):
        return known
    name = wanted.replace("-", "_").replace(" ", "_").replace(":", "_")
    codec = _ALIASES.get(name) or _ALIASES.get(name.removeprefix("x_"))
    return codecs.lookup(codec).name if codec else ""


def charset_of(content_type: str) -> str:
    """Return the charset parameter of a Content-Type, as written but without quotes, or "".

    >>> charset_of("text/html; Charset = 'EUC-KR'; x=1"), charset_of("text/html")
    ('EUC-KR', '')
    """
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip(" \t\"'")
    return ""
