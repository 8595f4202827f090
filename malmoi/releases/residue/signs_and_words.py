"""Find personal data by a sign or word and its context: e-mail, hardware, plates, passports, keys, secrets."""

from __future__ import annotations

import ipaddress
import string
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import numpy as np

from malmoi.releases.residue.digit_chains import DIGIT, NO_WIDTH, Codes, Marks, Span, is_sample_number
from malmoi.releases.residue.random_words import is_shuffled, is_stand_in

REACH: Final = 80  # maximum code points of a local part, a domain or a word
LOCAL: Final = frozenset(string.ascii_letters + string.digits + "._%+-")
HANGUL: Final = frozenset(map(chr, range(0xAC00, 0xD7A4)))
LOCAL_OR_HANGUL: Final = LOCAL | HANGUL
DOMAIN: Final = frozenset(string.ascii_letters + string.digits + ".-")
ALNUM: Final = frozenset(string.ascii_letters + string.digits)
HEX: Final = frozenset(string.hexdigits)
WORD: Final = frozenset(string.ascii_letters + string.digits + "_-")
APART: Final = str.maketrans("-_.", "   ")
TOKEN: Final = frozenset(string.ascii_letters + string.digits + "_-./+=%")
SPELLED_AT: Final = ("골뱅이", "(at)", "[at]", "{at}", " at ", "앳")
DOTS: Final = ("(dot)", "[dot]", " dot ", "(.)", "[.]", " . ")
# Words before "at" in English prose, where a web address may follow.
BEFORE_AT: Final = frozenset(
    "available based check code docs find found here hosted is it live look looked meet more online out page read "
    "released see site start talk them us visit".split()
)
MAILERS: Final = ("naver", "gmail", "hanmail", "daum", "kakao", "nate", "네이버", "지메일", "한메일", "다음")
PREFIXES: Final = (
    ("AKIA", 16), ("ASIA", 16), ("ghp_", 30), ("gho_", 30), ("ghs_", 30), ("github_pat_", 30), ("glpat-", 16),
    ("xoxb-", 20), ("xoxp-", 20), ("AIza", 30), ("sk-", 20), ("sk_live_", 16), ("hf_", 30), ("npm_", 30), ("eyJ", 60),
)  # fmt: skip
AWS: Final = ("AKIA", "ASIA")  # 3 % of their ids have no digit
QUOTES: Final = "\"' \u00a0"
PRIVATE_KEY: Final = "PRIVATE KEY-----"
SECRETS: Final = frozenset(
    "token access_token auth_token refresh_token key api_key apikey servicekey sig signature session sessionid "
    "jsessionid phpsessid sid code password passwd pwd secret client_secret auth authkey email phone".split()
)
PLATES: Final = frozenset("가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호")
UNITS: Final = ("원", "명", "개", "억", "만", "천", "년", "건", "호", "회", "톤", "m", "k", "%", "쪽", "번")
PASSPORT: Final = ("여권", "passport")
BIRTH: Final = ("생년월일", "생 년 월 일", "생일", "출생:", "date of birth", "dob")
PASSWORDS: Final = ("password", "passwd", "비밀번호", "암호")
NAMED: Final = (
    *PASSWORDS, "api_key", "apikey", "api-key", "api key", "secret_key", "secretkey", "secret-key", "access_key",
    "accesskey", "access-key", "secret",
)  # fmt: skip
DEFAULTS: Final = frozenset("password passwd pass pwd pw secret guest changeme".split())  # in examples of addresses
EXAMPLE_HOSTS: Final = ("example.com", "example.net", "example.org", "localhost.localdomain")  # RFC 2606, RFC 6761
EXAMPLE_DOMAINS: Final = frozenset(("example", "invalid", "localhost", "test"))  # top-level domains of the same
ROLES: Final = frozenset(
    "abuse admin contact cs customer editor help helpdesk hostmaster hr info marketing master noreply no-reply office "
    "postmaster press privacy recruit sales service support webmaster".split()
)
FREE_HOSTS: Final = (
    "naver.com", "gmail.com", "hanmail.net", "daum.net", "kakao.com", "nate.com", "hotmail.com", "outlook.com",
    "icloud.com", "yahoo.com", "yahoo.co.kr", "paran.com", "empas.com", "lycos.co.kr", "korea.com", "dreamwiz.com",
)  # fmt: skip


def find_signs_and_words(text: str, codes: Codes, marks: Marks) -> Iterator[Span]:
    """Yield each find in `text`; the span of an address that is spelled, or of a date, may be wider than its value."""
    plain = np.where(codes < 128, codes, 32).astype(np.uint8).tobytes().decode("ascii")  # same offsets, fast to search
    folded = plain.lower()
    yield from _emails(text, folded, codes)
    yield from _hardware(text, codes)
    yield from _hardware_in_groups(text, codes)
    yield from _addresses(text, plain)
    yield from _plates(text, codes, marks)
    yield from _keys(text, plain, folded)
    yield from _secrets(text, plain, codes)
    yield from _passports(text, folded)
    yield from _births(text, folded)
    yield from _flats(text)


def _places(text: str, word: str) -> Iterator[int]:
    """Yield the end of each occurrence of `word`."""
    at = text.find(word)
    while at >= 0:
        yield at + len(word)
        at = text.find(word, at + len(word))


def _emails(text: str, folded: str, codes: Codes) -> Iterator[Span]:
    """Find e-mail addresses with an at sign, or with a word for it."""
    for at in np.flatnonzero((codes == ord("@")) | (codes == ord("＠"))).tolist():
        if _is_email(text, at, at + 1):
            yield Span("email", *_extend(text, at, at + 1))
    for sign in SPELLED_AT:
        for end in _places(folded if sign.isascii() else text, sign):
            if _is_email(text, end - len(sign), end, is_spelled=True) and (
                sign != " at " or _may_be_address(text, end)
            ):
                yield Span("email", _extend(text, end - len(sign), end)[0], len(text[: end + REACH // 2]))


def _extend(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the words on both sides of the sign from `start` to `end`."""
    head, tail = text[max(0, start - REACH) : start].rstrip(" "), text[end : end + REACH]
    begins = len(head) - max(map(len, head.split()[-1:]), default=0)
    words = tail.split(maxsplit=1)
    ends = tail.index(words[0]) + len(words[0]) if words else 0
    return max(0, start - REACH) + begins, end + ends


def _is_email(text: str, start: int, end: int, *, is_spelled: bool = False) -> bool:
    """Whether a local part ends at `start`, and a domain with an alphabetic top-level domain begins at `end`."""
    before, after = _normalise(text[max(0, start - REACH) : start]), _normalise(text[end : end + REACH])
    for dot in DOTS:
        after = after.replace(dot, ".")
    if is_spelled:
        before, after = before.rstrip(), after.lstrip()
    local = _head(before[::-1], LOCAL_OR_HANGUL)[::-1]
    if not any(c in ALNUM or c in HANGUL for c in local):
        return False
    if is_spelled and after.lower().startswith(MAILERS):
        return True
    labels = _head(after, DOMAIN).rstrip(".-").split(".")
    if len(labels) < 2 or not all(labels):
        return False
    top = labels[-1]
    if is_example_address(local, ".".join(labels)):  # also a surrogate of a recipe
        return False
    return 2 <= len(top) <= 24 and top.isalpha() and not (is_spelled and len(local) < 2)


def is_example_address(local: str, host: str) -> bool:
    """Whether a mail address is an example, or the mailbox of a role at an institution.

    >>> [is_example_address(*a.split("@")) for a in ("hong@example.com", "info@a.re.kr", "info@naver.com", "hong@a.kr")]
    [True, True, False, False]
    """
    name = host.casefold()
    if name.rpartition(".")[2] in EXAMPLE_DOMAINS or any(
        name == one or name.endswith(f".{one}") for one in EXAMPLE_HOSTS
    ):
        return True
    return local.casefold() in ROLES and name not in FREE_HOSTS


def _may_be_address(text: str, end: int) -> bool:
    """Whether `hong at example.kr` is separate or in Korean text; "is online at example.org" names a page."""
    words = text[max(0, end - REACH) : end - 3].rstrip(" ")
    local = words[len(words.rstrip("".join(LOCAL))) :]
    before = words[: len(words) - len(local)].rstrip(" ")
    plain = local.strip(".").lower()
    english = before[-1:] in (*ALNUM, ",", ";") and not before.lower().endswith(("mail", "mail to", "contact"))
    return not (english or plain.isdecimal() or plain in BEFORE_AT or text[end : end + 4].lower() == "www.")


def _normalise(text: str) -> str:
    """Normalise full-width letters (NFKC) and remove zero-width signs."""
    return text if text.isascii() else unicodedata.normalize("NFKC", "".join(c for c in text if c not in NO_WIDTH))


def _head(text: str, allowed: frozenset[str]) -> str:
    """Return the longest prefix of `text` that consists of `allowed` characters."""
    for end, c in enumerate(text):
        if c not in allowed:
            return text[:end]
    return text


def _hardware(text: str, codes: Codes) -> Iterator[Span]:
    """Find hardware addresses in six pairs."""
    for sign in ":-":
        parted = codes == ord(sign)
        if len(codes) < 15 or not parted.any():
            continue
        starts = parted[:-12] & parted[3:-9] & parted[6:-6] & parted[9:-3] & parted[12:]
        for at in np.flatnonzero(starts).tolist():
            word = text[max(0, at - 3) : at + 16]
            inner = text[at - 2 : at + 15] if at >= 2 else ""
            pairs = inner.split(sign)
            if len(inner) == 17 and len(pairs) == 6 and all(len(p) == 2 and set(p) <= HEX for p in pairs):
                edges = (word[0] if at >= 3 else "") + text[at + 15 : at + 16]
                group = int(pairs[0], 16) & 1  # a multicast address, or an example such as 01:23:45:67:89:ab
                group |= inner.upper().startswith("00-00-5E-00-53-")  # reserved for documentation (RFC 7042, 2.1.2)
                if not group and not any(c in ALNUM or c == sign for c in edges):
                    yield Span("mac", at - 2, at + 15)


def _addresses(text: str, plain: str) -> Iterator[Span]:
    """Find public IPv6 addresses in short form."""
    seen = 0
    for end in _places(plain, "::"):
        if end <= seen:
            continue
        start = max(0, end - 40)
        head = text[start:end]
        left = len(head) - len(head.rstrip("".join(HEX) + ":"))
        word = head[len(head) - left :] + _head(text[end : end + 40], HEX | {":"})
        seen = end - left + len(word)
        if len(word) >= 8 and word[0] in "23" and word.count("::") == 1:
            with suppress(ValueError):
                if ipaddress.ip_address(word.rstrip(":")).is_global:
                    yield Span("ip", end - left, seen)


def _hardware_in_groups(text: str, codes: Codes) -> Iterator[Span]:
    """Find hardware addresses in three groups of four, `02ab.0000.00ff`."""
    dots = codes == ord(".")
    for at in np.flatnonzero(dots[:-5] & dots[5:]).tolist():
        word = text[max(0, at - 4) : at + 10]
        groups = word.split(".")
        if at >= 4 and [len(g) for g in groups] == [4, 4, 4] and all(set(g) <= HEX for g in groups):
            edges = text[at - 5 : at - 4] + text[at + 10 : at + 11] if at >= 5 else text[at + 10 : at + 11]
            if not any(c in ALNUM or c == "." for c in edges) and not word.replace(".", "").isdecimal():
                yield Span("mac", at - 4, at + 10)


def _plates(text: str, codes: Codes, marks: Marks) -> Iterator[Span]:
    """Find number plates: two or three digits, a syllable, four digits."""
    digit = marks == DIGIT
    if len(codes) < 7:
        return
    hangul = (codes >= 0xAC00) & (codes <= 0xD7A3)
    middle = np.flatnonzero(hangul[2:-4] & digit[1:-5] & digit[:-6] & (digit[3:-3] | (codes[3:-3] == 32))) + 2
    for at in middle.tolist():
        if text[at] not in PLATES:
            continue
        before = len(text[max(0, at - 4) : at]) - len(text[max(0, at - 4) : at].rstrip(string.digits))
        after = text[at + 1 : at + 8]
        number = after.removeprefix(" ")
        four = len(number[:4]) == 4 and number[:4].isdecimal() and not number[4:5].isdecimal()
        if before in (2, 3) and four and not number[4:].startswith(UNITS):
            yield Span("vehicle", at - before, at + 1 + len(after) - len(number) + 4)


def _keys(text: str, plain: str, folded: str) -> Iterator[Span]:
    """Find keys by prefix or label, and private key blocks."""
    for prefix, least in PREFIXES:
        for end in _places(plain, prefix):
            before = text[end - len(prefix) - 1 : end - len(prefix)] if end > len(prefix) else ""
            word = _head(text[end : end + 2 * REACH], WORD | {"."})
            # A part of a key mixes digits and letters, as random text does; `sk-learn-2024` does not.
            parts = (part for part in word.translate(APART).split() if len(part) >= 8)
            is_random = any(any(map(str.isdigit, part)) and any(map(str.isalpha, part)) for part in parts)
            is_random = is_random or (prefix in AWS and len(word) == least and word.isupper())
            if before not in WORD and len(word) >= least and is_random and not is_stand_in(prefix + word):
                yield Span("key", end - len(prefix), end + len(word))
    for end in _places(plain, PRIVATE_KEY):
        if "BEGIN" in text[max(0, end - 40) : end]:
            yield Span("key", end - len(PRIVATE_KEY), end)
    for label in NAMED:
        for end in _places(folded if label.isascii() else text, label):
            after = text[end : end + REACH].lstrip(QUOTES)
            behind = after[1:].lstrip(QUOTES)
            word = _head(behind, TOKEN | set("!$@"))
            if after[:1] in (":", "=") and "://" not in after and _is_key(word, behind, is_password=label in PASSWORDS):
                if "${" in text[max(0, end - REACH // 2) : end].rpartition("}")[2]:
                    continue  # the default of a variable, `${DB_PASSWORD:root1234}`
                start = len(text[: end + REACH]) - len(behind)
                yield Span("key", start, start + len(word))


def _is_key(word: str, behind: str, *, is_password: bool) -> bool:
    """Whether the word at the beginning of `behind` may be a key: letters and digits, and neither a call nor words."""
    mixed = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    if len(word) < 8 or not (mixed or is_shuffled(word)) or (word[0].isalpha() and behind[len(word) :][:1] == "("):
        return False
    return not is_stand_in(word, is_password=is_password)


def _secrets(text: str, plain: str, codes: Codes) -> Iterator[Span]:
    """Find values of secret parameters in the query of a URL, and passwords before its host."""
    for at in np.flatnonzero(codes == ord("=")).tolist():
        before = text[max(0, at - 24) : at]
        name = before[len(before.rstrip("".join(WORD))) :]
        asked = before[: len(before) - len(name)][-1:] in ("?", "&", ";")
        telling = asked and name.lower().replace("-", "_") in SECRETS
        word = _head(text[at + 1 : at + 1 + REACH], TOKEN) if telling else ""
        if len(word) >= 8 and not is_stand_in(word):
            yield Span("url_secret", at + 1, at + 1 + len(word))
    for end in _places(plain, "://"):
        host = _head(text[end : end + REACH], TOKEN | {":", "@", "!", "$"}).partition("/")[0]
        user, sign, _ = host.rpartition("@")
        name, _, password = user.partition(":")
        is_default = password.casefold() in DEFAULTS or password == name or is_stand_in(password, is_password=True)
        if sign and password and not is_default:
            yield Span("url_secret", end + len(user) - len(password), end + len(user))


def _passports(text: str, folded: str) -> Iterator[Span]:
    """Find passport numbers after a label."""
    numbers: dict[str, Span] = {}  # "여권 (passport)" are two labels of one number
    for label in PASSPORT:
        for end in _places(folded if label.isascii() else text, label):
            after = "".join(folded[end : end + 34].replace("no.", " ").replace("no", " ").replace("-", "").split(" "))
            words = "".join(c if c in ALNUM else " " for c in after).split()
            word = next((word for word in words if any(map(str.isdigit, word))), "")
            shape = "".join("0" if c.isdigit() else "A" for c in word)
            is_number = shape in ("A00000000", "A000A0000", "AA0000000")
            digits = word.strip(string.ascii_letters)
            if is_number and not (digits.isdecimal() and is_sample_number("passport", (digits,))):
                places = [end]  # of the letters of the word, with other signs between them
                for letter in word:
                    places.append(folded.find(letter, places[-1]) + 1)
                numbers[word] = Span("passport", places[1] - 1, places[-1])
    yield from numbers.values()


def _births(text: str, folded: str) -> Iterator[Span]:
    """Find birth dates after a label or before 생."""
    for label in BIRTH:
        for end in _places(folded if label.isascii() else text, label):
            after = text[end : end + 22].partition("[")[0].partition("\n")[0]
            digits = "".join(c if c.isdecimal() else " " for c in after).split()
            if _is_date(digits):
                yield Span("birth_date", end, end + len(after))
    for end in _places(text, "일생"):
        before = "".join(c if c.isdecimal() else " " for c in text[max(0, end - 16) : end]).split()
        if _is_date(before[-3:]):
            yield Span("birth_date", max(0, end - 16), end)


def _is_date(parts: list[str]) -> bool:
    if parts and len(parts[0]) in (6, 8) and parts[0].isdecimal():
        return 1 <= int(parts[0][-4:-2]) <= 12
    return len(parts) >= 3 and len(parts[0]) in (2, 4) and 1 <= int(parts[1]) <= 12 and 1 <= int(parts[2]) <= 31


def _flats(text: str) -> Iterator[Span]:
    """Find block and flat, `101동 1203호`: the rest of a redacted address must not identify a flat."""
    for end in _places(text, "호"):
        before = text[max(0, end - 14) : end - 1]
        flat = before[len(before.rstrip(string.digits)) :]
        house = before[: len(before) - len(flat)].rstrip()
        if 3 <= len(flat) <= 4 and house.endswith("동") and house[-2:-1].isdecimal():
            yield Span("address", max(0, end - 14), end)
