"""Time stamps (RFC 3161): an authority signs that it saw a digest at a time. They are checked without network.

A stamp is the authority's answer (TimeStampResp, DER) about the bytes of an envelope, as `openssl ts -verify` reads it.
A certificate must be valid at the time of the stamp; it may have expired since.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.verify import SHA256_OID, SHA384_OID, SHA512_OID

from malmoi.boundary import input_errors
from malmoi.errors import CallError

_HASHES = {SHA256_OID: hashlib.sha256, SHA384_OID: hashlib.sha384, SHA512_OID: hashlib.sha512}
_REASON = re.compile(r'(?:Verify error: |reason: ")([^"\]]+)')  # within the error of OpenSSL
_ANCHORS = 1 << 20  # bytes of a file of certificates; that of Debian has 220,000


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
