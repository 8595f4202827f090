"""Machine secrets: keys and tokens by published prefix or label, and secrets and addresses in URLs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log2
from typing import Final

import re2

from filters.pii_rules.secrets import placeholders
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match

_QUERY_KEYS: Final = (
    "access_?token|refresh_?token|id_?token|auth_?token|token|api_?key|apikey|service_?key|app_?key|client_?secret|"
    "secret|signature|x-amz-signature|x-amz-security-token|x-goog-signature|sig|session_?id|session|jsessionid|"
    "phpsessid|sid|auth_?key|auth|code|key|pass(?:word|wd)?|pwd|otp|ticket"
)
QUERY: Final = f"(?i)(?:[?&;](?:amp;)?|cookie: ?|; )(?:{_QUERY_KEYS})=[{ZERO_WIDTH}]?[A-Za-z0-9%_~+/=.-]{{6}}"
_QUERY: Final = re2.compile(f"{QUERY}[A-Za-z0-9%_~+/=.-]*")
_IN_PASSWORD: Final = re2.compile("^[^\\s&;\"'<>()\\\\]*")
# In a query, the at sign of an address is encoded as %40.
ENCODED: Final = "[A-Za-z0-9]%40[A-Za-z0-9]"
_ENCODED: Final = re2.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}%40[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)*[.][A-Za-z]{2,12}")
USERINFO: Final = "[A-Za-z][A-Za-z0-9+.-]{1,20}://[A-Za-z0-9._~%+-]{1,64}:[^\\s/@:\"'<>{}$]{3,100}@[A-Za-z0-9가-힣\\[]"
_USERINFO: Final = re2.compile(USERINFO)
PEM: Final = "-----BEGIN [A-Z ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
_PEM: Final = re2.compile(PEM)
_PEM_REACH: Final = 16_384  # code points; a key of 16,384 bits takes about 13,000
_BASE64: Final = re2.compile("^[A-Za-z0-9+/=\\r\\n]+")
_FORMS: Final = (  # prefixes that issuers publish for secret scanners
    "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}|"
    "glpat-[A-Za-z0-9_-]{20,64}|sk-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{30,45}|"
    "eyJ[A-Za-z0-9_-]{8,}[.]eyJ[A-Za-z0-9_-]{8,}(?:[.][A-Za-z0-9_-]{4,})?|npm_[A-Za-z0-9]{36}|"
    "hf_[A-Za-z0-9]{30,40}|SG[.][A-Za-z0-9_-]{16,32}[.][A-Za-z0-9_-]{16,64}|[a-z]{2,12}_(?:live|test|"
    "prod)_[A-Za-z0-9]{12,}|whsec_[A-Za-z0-9]{16,}|shp(?:at|ss)_[A-Za-z0-9]{24,}|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}|"
    "hooks[.]slack[.]com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}|"
    "discord(?:app)?[.]com/api/webhooks/[0-9]{15,20}/[A-Za-z0-9_-]{40,}|"
    "ya29[.][A-Za-z0-9_-]{20,}|pypi-[A-Za-z0-9_-]{40,}|dop_v1_[a-f0-9]{64}"
)
_STAGE: Final = re2.compile("_(?:live|test|prod)_")
_FORM: Final = re2.compile(f"(?:^|[^A-Za-z0-9_])(?:{_FORMS})")
KEY: Final = (
    "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|glpat-|sk-[A-Za-z0-9_-]{20}|"
    "xox[abeoprs]-|AIza[0-9A-Za-z_-]{30}|eyJ[A-Za-z0-9_-]{8}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30}|SG[.]|"
    "_(?:live|test|prod)_[A-Za-z0-9]{12}|whsec_|shp(?:at|ss)_|[0-9]:AA[A-Za-z0-9_-]{32}|hooks[.]slack[.]com/services/T|"
    "[.]com/api/webhooks/[0-9]|ya29[.]|pypi-[A-Za-z0-9_-]{40}|dop_v1_"
)
_KEY_LABELS: Final = (
    "secret_key_base|api[ _-]?key|secret[ _-]?(?:access[ _-]?)?key|access[ _-]?key(?:[ _-]?id)?|"
    "service[ _-]?key|client[ _-]?secret|"
    "app[ _-]?(?:key|secret)|private[ _-]?key|auth[ _-]?(?:key|token)|(?:access|refresh|secret)[ _-]?token|"
    "[a-z0-9]{2,12}[._-]key|(?:client|oauth|consumer|app)[ _-]?id|token|secret|bearer|"
    "authorization: ?(?:basic|token|key)|"
    "인증 ?키|서비스 ?키|접근 ?키|비밀 ?키|시크릿(?: ?키)?|토큰|api ?키|액세스 ?키|키 ?값|키"
)
_S: Final = "[\\s\u00a0\u3000]"
_Z: Final = f"[{ZERO_WIDTH}]?"
_TO_VALUE: Final = (
    f"(?:[\"'`]{_S}{{1,3}}(?:[a-z]{{1,12}}:)?value=|[\"'`]?(?:{_S}{{0,3}}(?:[:：=>]|=>|:=){_S}{{0,3}}|[은는]?{_S}))"
    f"(?:(?:bearer|basic){_S})?{_Z}[\"'`「<(]?{_Z}"
)
# The prefilter shares one automaton with many expressions: without counted repetition, which would make it large.
_GATE_LABELS: Final = _KEY_LABELS.replace("[a-z0-9]{2,12}[._-]key", "[._-]key")
_LABEL_GATE: Final = (
    f"(?i)(?:{_GATE_LABELS})(?:[\"'`]{_S}+[a-z:]*value=|[\"'`]?(?:{_S}|[:：=>은는])+)(?:bearer{_S}|basic{_S})?"
    f"{_Z}[\"'`「<(]?{_Z}[!-~]{{6}}"
)
_LABELLED: Final = re2.compile(f"(?i)(?:{_KEY_LABELS}){_TO_VALUE}[!-~]{{6,}}")
_LABEL: Final = re2.compile(f"(?i)^(?:{_KEY_LABELS}){_TO_VALUE}")
_LICENCE: Final = re2.compile("^[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6})+$")  # licence key of a program, printed on its box
# Without the bounds of USERINFO: counting to a hundred at every position makes the automaton large and slow.
_USERINFO_GATE: Final = "[A-Za-z0-9+.-]://[A-Za-z0-9._~%+-]+:[^\\s/@:\"'<>{}$]+@"
GATES: Final = (QUERY, ENCODED, _USERINFO_GATE, PEM, KEY, _LABEL_GATE)
_MIN_KEY = 12  # characters of a key known only by its label
_MIN_BITS = 2.6  # bits per character (Shannon); prose and code of this length are mostly below
_NO_PASSWORDS: Final = ("pass", "password", "passwd", "pw", "secret", "비밀번호")


def find_secrets(text: str, data: bytes) -> Iterator[Match]:
    """Find matches of kind `key`, `url_secret` and, from queries, `email`; linear in the length of `text`.

    A value without a published prefix needs a label and must look random: mixed letters and digits. Variable names,
    function calls and placeholders are left alone.
    """
    yield from _find_url_secrets(text, data)
    yield from _find_key_blocks(text, data)
    for start, end in matches(_FORM, text, data):
        first = start if text[start].isalnum() and text[start].isascii() else start + 1
        if _STAGE.search(text[first:end]) is not None and not _is_random(text[first:end].rpartition("_")[2], 12):
            continue  # sk_test_xxxxxxxxxxxxxxxx
        if placeholders.is_placeholder(text[first:end]):
            continue  # AKIAXXXXXXXXXXXXXXXX, sk-your-key-goes-here
        if not text[end : end + 1].isalnum() or not text[end].isascii():
            yield Match(first, end, "key", 0.97, "published prefix of a key")
    for start, end in matches(_LABELLED, text, data):
        item = _match_labelled_secret(text, start, end)
        if item is not None:
            yield item


def _find_url_secrets(text: str, data: bytes) -> Iterator[Match]:
    for start, end in matches(_QUERY, text, data) if b"=" in data else ():
        first = text.index("=", start) + 1
        key = text[start + 1 : first - 1].lower().removeprefix("amp;")
        key = key.rpartition(" ")[2]
        first += text[first] in ZERO_WIDTH
        word = _IN_PASSWORD.match(text[first : first + 100]) if key.startswith(("pass", "pwd")) else None
        end = first + len(word.group()) if word is not None else end
        value = text[first:end].rstrip("=.")
        secret = (
            len(value) >= 4 and value.isascii() and "$" not in value and value[0] not in "{<*"
            if key.startswith(("pass", "pwd"))
            else _is_random(value, 8)
        )
        if key == "code" and len(value) < 12:
            continue
        if secret:
            stop = first + len(value) if text[end - 1] == "." else end
            kind = "key" if text[start] == ";" and not _is_in_url(text, start) else "url_secret"
            yield Match(first, stop, kind, 0.96, f"query key {key}")
    for start, end in matches(_ENCODED, text, data) if b"%40" in data else ():
        yield Match(start, end, "email", 0.9, "address of electronic mail with its at sign encoded")
    for start, end in matches(_USERINFO, text, data) if b"://" in data else ():
        first, last = text.index("://", start) + 3, end - 2
        user, _, word = text[first:last].partition(":")
        if word.lower() in _NO_PASSWORDS or (word.isdigit() and len(word) < 6):
            continue
        yield Match(first, last, "url_secret", 0.99, f"user of {len(user)} characters and password in a URL")


def _is_in_url(text: str, at: int) -> bool:
    """Whether the word that continues at text[at] is a URL; Server=a;Password=… is not."""
    word = text[max(0, at - _URL_REACH) : at].split()[-1:]
    return bool(word) and ("://" in word[0] or "?" in word[0] or "/" in word[0])


_URL_REACH = 300  # code points


def _find_key_blocks(text: str, data: bytes) -> Iterator[Match]:
    last = 0
    for start, end in matches(_PEM, text, data) if b"-----BEGIN" in data else ():
        if start < last:
            continue
        stop = text.find("-----END", end, end + _PEM_REACH)
        close = text.find("-----", stop + 8, stop + 60) if stop >= 0 else -1
        if stop < 0:  # truncated: take the base64 lines that are present
            last = _find_base64_end(text, end)
            if last == end:
                continue
        else:
            last = close + 5 if close >= 0 else stop
        yield Match(start, last, "key", 0.99, "block of a private key")


def _find_base64_end(text: str, end: int) -> int:
    match = _BASE64.match(text[end : end + _PEM_REACH])
    length = len(match.group()) if match is not None else 0
    return end + length if length > 40 else end


def _match_labelled_secret(text: str, start: int, end: int) -> Match | None:
    whole = text[start:end]
    before = text[start - 1 : start]
    if before.isascii() and before.isalnum() and whole[0].islower():
        return None  # mytoken and tokens are longer words; serviceKey and AWS_SECRET_KEY count
    match = _LABEL.match(whole)
    if match is None or (whole[0] == "키" and "가" <= before <= "힣"):
        return None
    label = match.group()
    value = whole[len(label) :]
    stop = next((i for i, c in enumerate(value) if c in "\"'`<>,;()[]{}|\\&" or not c.isascii()), len(value))
    if value[stop : stop + 1] in ("(", "[", "{", "<") and not value.startswith("</", stop):
        return None  # a function call or an index
    value = value[:stop] if label[-1] in "\"'`" else value[:stop].rstrip(".:")
    marked = any(c in label for c in ":：=>은는")
    sure = marked or "earer" in label or "가" <= label[0] <= "힣"
    least = 10 if "ecret" in label.lower() and _is_of_all_sorts(value) else _MIN_KEY
    if not (sure and _is_random(value, least if marked else 16)) or _LICENCE.match(value) is not None:
        return None
    if (not any(c.isdigit() for c in value) and len(value) < _LONG_KEY) or _CHAIN.match(value) is not None:
        return None
    weak = _WEAK.match(label) is not None
    if weak and not (any(c.isdigit() for c in value) and _is_dense(value)):
        return None
    first = start + len(label)
    return Match(first, first + len(value), "key", 0.85, "label of a key before")


# Words with other uses: their value is a secret only if it is neither a path nor a name.
_WEAK: Final = re2.compile(
    "(?i)^(?:(?:client|oauth|consumer|app)[ _-]?id|키|[a-z0-9]{2,12}[._-]key)[은는]?[^a-z가-힣]*$"
)
_LONG_KEY = 14  # characters from which alternating case counts as random


def _is_dense(value: str) -> bool:
    """Whether the value is neither a path nor hyphenated words: a piece of letters and digits, no long word."""
    if sum(c.isdigit() for c in value) < 2 or "/" in value.strip("/") or "." in value:
        return False
    pieces = _SIGNS.split(value)
    mixed = any(len(p) >= 6 and not p.isdigit() and any(c.isdigit() for c in p) for p in pieces)
    return mixed and max(map(len, _WORDS.split(value)), default=0) <= 8


_SIGNS: Final = re2.compile("[_:.-]")
_CHAIN: Final = re2.compile("^[A-Za-z_]+[.][A-Za-z_]+")  # process.env.…, self.token2
_WORDS: Final = re2.compile("[^a-z]+")


def _is_random(value: str, least: int) -> bool:
    """Whether a value looks random: mixed letters and digits, few repeats.

    >>> _is_random("9f2c41d07ab84e6fb1c3", 12), _is_random("getVilageFcst", 12)
    (True, False)
    """
    if len(value) < least or "://" in value or placeholders.is_placeholder(value):
        return False
    if not any(c.isalpha() for c in value) or _entropy(value) < _MIN_BITS:
        return False
    return any(c.isdigit() for c in value) or (len(value) >= _MIN_KEY and _is_shuffled(value))


def _is_of_all_sorts(value: str) -> bool:
    return any(c.isupper() for c in value) and any(c.islower() for c in value) and sum(c.isdigit() for c in value) > 1


def _is_shuffled(value: str) -> bool:
    """Whether upper and lower case alternate more often than in identifiers of programs."""
    changes = sum(a.isupper() != b.isupper() for a, b in pairwise(value) if a.isalpha() and b.isalpha())
    return 2 * changes >= len(value) - 1


def _entropy(value: str) -> float:
    counts = Counter(value[:128])
    total = sum(counts.values())
    return -sum(n / total * log2(n / total) for n in counts.values())
