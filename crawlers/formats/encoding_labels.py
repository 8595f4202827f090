"""Which Python codec a charset label means, on Korean servers too."""

from __future__ import annotations

import codecs
import re

from malmoi.boundary import input_errors

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
# Codecs that a label may mean, by Python's name: character sets of pages (WHATWG Encoding, section 4.2) and those
# that mail and old systems add. A closed list: Python also calls hex, zlib, idna and unicode_escape encodings, and
# utf-7 hides markup from a reader.
# fmt: off
_CODECS = frozenset((
    "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "ascii",
    "cp949", "euc_kr", "johab", "iso2022_kr",
    "cp932", "shift_jis", "shift_jis_2004", "euc_jp", "euc_jis_2004", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2",
    "gb18030", "gbk", "gb2312", "hz", "big5", "big5hkscs", "cp950",
    *(f"iso8859-{number}" for number in range(1, 17)), *(f"cp{number}" for number in range(1250, 1259)),
    "cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863",
    "cp864", "cp865", "cp866", "cp869", "cp874", "tis-620", "koi8-r", "koi8-u", "koi8-t", "kz1048", "ptcp154",
    "mac-cyrillic", "mac-greek", "mac-iceland", "mac-latin2", "mac-roman", "mac-turkish",
))
# fmt: on
_LABEL = re.compile(r"[a-z0-9][a-z0-9_:.+-]{0,39}")


def python_name(label: str) -> str:
    """The Python codec for a charset label, one of a closed list; "" where the label is unknown. Never raises.

    >>> python_name("KS_C_5601-1987"), python_name("x-windows-949"), python_name("EUC-JP"), python_name("none")
    ('cp949', 'cp949', 'euc_jp', '')
    >>> python_name("hex"), python_name("zlib"), python_name("idna"), python_name("utf-8\\0"), python_name("x" * 9999)
    ('', '', '', '', '')
    """
    wanted = label.strip().strip("\"'").strip().lower()
    if known := _LABELS.get(wanted):
        return known
    if not _LABEL.fullmatch(wanted):
        return ""
    try:
        with input_errors(LookupError):
            found = codecs.lookup(wanted).name
    except LookupError:
        return ""
    return found if found in _CODECS else ""


def charset_of(content_type: str) -> str:
    """The charset parameter of a Content-Type, as written and without its quotes; "" where it has none.

    >>> charset_of("text/html; Charset = 'EUC-KR'; x=1"), charset_of("text/html")
    ('EUC-KR', '')
    """
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip(" \t\"'")
    return ""
