"""Time stamps (RFC 3161): an authority signs that it saw a digest at a time. They are checked without network.

A stamp is the authority's answer (TimeStampResp, DER) about the bytes of an envelope, as `openssl ts -verify` reads it.
A certificate must be valid at the time of the stamp; it may have expired since. A request over HTTP (section 3.4) holds
a digest and a random number that the answer repeats: an old answer is not taken for a new one.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.verify import SHA256_OID, SHA384_OID, SHA512_OID

from malmoi.boundary import input_errors
from malmoi.errors import CallError, StageError
from malmoi.limits import STAMP_BYTES, STAMP_SECONDS

_HASHES = {SHA256_OID: hashlib.sha256, SHA384_OID: hashlib.sha384, SHA512_OID: hashlib.sha512}
_REASON = re.compile(r'(?:Verify error: |reason: ")([^"\]]+)')  # within the error of OpenSSL
_ANCHORS = 1 << 20  # bytes of a file of certificates; that of Debian has 220,000
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def request_stamp(url: str, content: bytes) -> bytes:
    """Return the answer of the authority at `url`: a time stamp of `content`.

    StageError if there is no such answer within STAMP_SECONDS and STAMP_BYTES; CallError if `url` is not an address.
    """
    try:
        address = urlsplit(url)
        valid = address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:  # its port
        valid = False
    if not valid:
        raise CallError(f"{url} is not an address of a time-stamp authority; write http://HOST/PATH or https://….")
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = _send(address, request.as_bytes())
        if parse_stamp(answer, content).tst_info.nonce != request.nonce:
            raise ValueError("it answers another request: its nonce differs")
    except (OSError, HTTPException, ValueError) as error:
        raise StageError(
            f"{url}: no time stamp ({str(error) or type(error).__name__}). Nothing was signed. Run the same command "
            "again, name another authority, or sign without --timestamp-url."
        ) from error
    return answer


def _send(url: SplitResult, request: bytes) -> bytes:
    """Return the body of the answer; another thread sends, since a server can delay each byte of it."""
    answers: list[bytes | Exception] = []

    def send() -> None:
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(str(url.hostname), url.port, timeout=STAMP_SECONDS.value)
        try:
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", target, request, _HEADERS)
            response = connection.getresponse()
            body = response.read(STAMP_BYTES.value + 1)
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            if len(body) > STAMP_BYTES.value:
                raise ValueError(STAMP_BYTES.describe())
            answers.append(body)
        except Exception as error:  # the caller raises it
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(STAMP_SECONDS.value)
    answer = answers[0] if answers else TimeoutError(STAMP_SECONDS.describe())
    if isinstance(answer, Exception):
        raise answer
    return answer


def parse_stamp(answer: bytes, content: bytes) -> TimeStampResponse:
    """Return the stamp of `content` in an answer; ValueError if it is not one, without any check of who made it."""
    with input_errors(lambda name: ValueError(f"not an answer of a time-stamp authority ({name})")):
        stamp = decode_timestamp_response(_sort_certificates(answer))
        status = stamp.status
        imprint = stamp.tst_info.message_imprint if status == 0 else None
    if imprint is None:
        raise ValueError(f"the authority did not grant a time stamp (status {status} of RFC 3161)")
    digest = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if digest is None:
        raise ValueError("its digest is not SHA-256, SHA-384 or SHA-512")
    if imprint.message != digest(content).digest():
        raise ValueError("it is a time stamp of other bytes")
    return stamp


def _sort_certificates(answer: bytes) -> bytes:
    """Return the answer with its certificates in the order of DER: no signature covers them, and OpenSSL sorts nothing.

    Their place: the fourth part of SignedData, which the second part of the token holds, the second part of the answer.
    """
    at = tag = start = end = 0
    try:
        for skipped in (0, 1, 1, 0, 3):
            for _ in range(skipped):
                at = _read_header(answer, at)[2]
            tag, start, end = _read_header(answer, at)
            at = start
        found = []
        while tag == 0xA0 and at < end:
            found.append(answer[at : (at := _read_header(answer, at)[2])])
    except IndexError:
        return answer
    return answer[:start] + b"".join(sorted(found)) + answer[end:] if found else answer


def _read_header(der: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, start and end of the value at `at`."""
    start, length = at + 2, der[at + 1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start], "big")
    return der[at], start, start + length


def find_fault(stamp: TimeStampResponse, content: bytes, anchors: Sequence[Certificate]) -> str:
    """Return why no authority under the certificates `anchors` made the stamp of `content`; "" if one did."""
    try:
        with input_errors(ValueError, VerificationError):
            VerifierBuilder(roots=list(anchors)).build().verify_message(stamp, content)
    except VerificationError as error:
        found = _REASON.findall(str(error))
        return found[-1] if found else str(error)[:200]
    except ValueError as error:
        return f"it cannot be checked ({error})"
    return ""


def read_anchors(path: Path) -> list[Certificate]:
    """Return the certificates of a PEM file; CallError if it is anything else."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_ANCHORS + 1)
        if len(content) > _ANCHORS:
            raise ValueError("too large")
        return load_pem_x509_certificates(content)
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name the file of the authority's root certificate.") from error
    except ValueError as error:
        raise CallError(
            f"{path}: no certificates in PEM. Get the root certificate of the time-stamp authority from its web site."
        ) from error
