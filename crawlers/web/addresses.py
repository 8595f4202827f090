"""Canonicalize URLs, and test whether a URL lies below a prefix, by host and by path segment."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url, safe_url_string

from malmoi.boundary import input_errors

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_LETTER = rb"(?:3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])"  # code of an ASCII letter or digit, hexadecimal
ESCAPED = re.compile(  # one in percent-encoding, an escape or a reference, which hides it from a search in bytes
    rb"%%(?:25){0,3}%b|\\{1,8}(?:[xX]%b|[uU]0{2,6}%b|u\{0{0,6}%b|[01][0-7]{2})"
    rb"|&(?:amp;){0,3}#(?:0{0,7}(?:4[89]|5[0-7]|6[5-9]|[789][0-9]|1[0-2][0-9])(?![0-9])|[xX]0{0,7}%b)"
    % ((_LETTER,) * 5)
)


def canonical_url(url: str, encoding: str = "utf-8") -> str:
    """Return the canonical form of a URL, without fragment; "" if `url` is not a web URL.

    `encoding` is the page's: browsers send the query in it.

    >>> canonical_url("HTTP://A.kr:80/x/../b?z=1&a=2#top")
    'http://a.kr/b?a=2&z=1'
    >>> canonical_url("javascript:void(0)"), canonical_url("http://[x](y)/"), canonical_url("http://a.kr:99999/")
    ('', '', '')
    """
    written = url.strip()
    try:
        with input_errors(ValueError):
            parts = urlsplit(canonicalize_url(safe_url_string(written, encoding), encoding=encoding))
            if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
                return ""
            netloc = parts.netloc.removesuffix(DEFAULT_PORTS[parts.scheme])
            path = urlsplit(urljoin("http://h/", parts.path)).path if "/." in parts.path else parts.path
            made = urlunsplit((parts.scheme, netloc, path or "/", parts.query, ""))
            return made if urlsplit(made).netloc == netloc else ""  # otherwise its host would be ambiguous
    except ValueError:
        return ""


def join_url(base: str, address: str) -> str:
    """Resolve `address`, written on the page `base`; "" if it cannot be resolved.

    >>> join_url("http://a.kr/b/c", "../d"), join_url("http://a.kr/", "http://[x](y)/"), join_url("http://a.kr/", "http://[")
    ('http://a.kr/d', '', '')
    """
    try:
        with input_errors(ValueError):
            whole = urljoin(base, address)
            urlsplit(whole)
            return whole
    except ValueError:
        return ""


def strip_session_id(url: str) -> str:
    """Remove from a canonical URL the `;jsessionid=` that Java servers write into links if they get no cookie.

    It makes a new URL of the same page for every visitor (Java Servlet Specification 4.0, section 7.1.3).

    >>> strip_session_id("https://a.kr/list.do;jsessionid=0A1B.node2?no=1")
    'https://a.kr/list.do?no=1'
    >>> strip_session_id("https://a.kr/a;b=1?x=;jsessionid=2")
    'https://a.kr/a;b=1?x=;jsessionid=2'
    """
    path, mark, query = url.partition("?")
    at = path.lower().find(";jsessionid=")
    if at < 0:
        return url
    end = min((found for sign in ";/" if (found := path.find(sign, at + 1)) >= 0), default=len(path))
    return f"{path[:at]}{path[end:]}{mark}{query}"


def origin(url: str) -> str:
    """Return scheme, host and port: the range of a robots.txt.

    >>> origin("https://a.kr:8443/x?y")
    'https://a.kr:8443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_prefix(prefix: str, url: str) -> bool:
    """Whether the canonical `url` begins with `prefix`: the same host, then character by character.

    >>> is_prefix("https://a.kr/part", "https://a.kr/partner"), is_prefix("https://a.kr", "https://a.kr.evil.com/")
    (True, False)
    """
    known = _canonical_prefix(prefix)
    return bool(known) and url.startswith(known) and origin(known) == origin(url)


def covers(prefix: str, url: str) -> bool:
    """Whether `url` equals `prefix` or lies below it: a prefix ends at the end of a path segment or query parameter.

    `url` is canonical, or the URL of a file (`folder:…`).

    >>> covers("https://a.kr/part", "https://a.kr/part/1"), covers("https://a.kr/part", "https://a.kr/partner/1")
    (True, False)
    >>> covers("https://a.kr", "https://a.kr/b"), covers("https://a.kr", "https://a.kr.evil.com/")
    (True, False)
    >>> covers("https://a.kr/list?board=", "https://a.kr/list?board=7"), covers("folder:a/x.csv", "folder:a/x.csv#1")
    (True, True)
    """
    known = _canonical_prefix(prefix)
    if not is_prefix(prefix, url):
        return False
    rest = url[len(known) :]
    return not rest or known[-1] in "/?=&#" or rest[0] in ("&#" if "?" in known else "/?#")


@lru_cache(maxsize=1024)
def _canonical_prefix(prefix: str) -> str:
    return canonical_url(prefix) or prefix


def form_of(url: str) -> str:
    """Return the form of a URL: path segments with a digit, and the values of its query, as *.

    >>> form_of("http://a.kr/cal/2026/12?id=7&q=x")
    'http://a.kr/cal/*/*?id=*&q=*'
    """
    parts = urlsplit(url)
    path = re.sub(r"[^/]*[0-9][^/]*", "*", parts.path)
    return urlunsplit((parts.scheme, parts.netloc, path, re.sub(r"=[^&]*", "=*", parts.query), ""))
