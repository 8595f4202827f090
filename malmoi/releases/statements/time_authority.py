"""Ask a time-stamp authority for a stamp, over HTTP (RFC 3161, section 3.4).

The request holds a digest and a random number that the answer repeats: an old answer is not taken for a new one.
"""

from __future__ import annotations

import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from malmoi.errors import CallError, StageError
from malmoi.limits import STAMP_BYTES, STAMP_SECONDS
from malmoi.releases.statements.time_stamp import parse_stamp

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def request_stamp(url: str, content: bytes) -> bytes:
    """Return the answer of the authority at `url`: a time stamp of `content`.

    StageError if there is no such answer within STAMP_SECONDS and STAMP_BYTES; CallError if `url` is not an address.
    """
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = _send(_parse_url(url), request.as_bytes())
        if parse_stamp(answer, content).tst_info.nonce != request.nonce:
            raise ValueError("it answers another request: its nonce differs")
    except (OSError, HTTPException, ValueError) as error:
        raise StageError(
            f"{url}: no time stamp ({str(error) or type(error).__name__}). Nothing was signed. Run the same command "
            "again, name another authority, or sign without --timestamp-url."
        ) from error
    return answer


def _parse_url(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        valid = found.scheme in ("http", "https") and bool(found.hostname) and (found.port or 1) > 0
    except ValueError:  # its port
        valid = False
    if not valid:
        raise CallError(f"{url} is not an address of a time-stamp authority; write http://HOST/PATH or https://….")
    return found


def _send(url: SplitResult, request: bytes) -> bytes:
    """Return the body of the answer; another thread sends, since a server can delay each byte of it."""
    found: list[bytes | Exception] = []

    def send() -> None:
        try:
            found.append(_post(url, request))
        except Exception as error:  # the caller raises it
            found.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(STAMP_SECONDS.value)
    answer = found[0] if found else TimeoutError(STAMP_SECONDS.describe())
    if isinstance(answer, Exception):
        raise answer
    return answer


def _post(url: SplitResult, request: bytes) -> bytes:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(str(url.hostname), url.port, timeout=STAMP_SECONDS.value)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", target, request, _HEADERS)
        answer = connection.getresponse()
        body = answer.read(STAMP_BYTES.value + 1)
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        if len(body) > STAMP_BYTES.value:
            raise ValueError(STAMP_BYTES.describe())
    finally:
        connection.close()
    return body
