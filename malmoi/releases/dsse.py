"""Sign and check statements: in-toto Statement v1 as the payload of a DSSE envelope (Dead Simple Signing Envelope v1).

The signature covers PAE(payloadType, payload), so that neither can be changed:

    PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body      lengths in bytes, decimal

`keyid` is the sha256 (hex) of the public key as DER SubjectPublicKeyInfo:
`openssl pkey -pubin -in FILE -outform DER | sha256sum`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from malmoi.canonical_json import canonical_json, spell_on_one_line

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_KEY_ID = re.compile(r"[0-9a-f]{64}")
_SPKI = bytes.fromhex("302a300506032b6570032100")  # DER before the 32 bytes of an Ed25519 key (RFC 8410, section 4)


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key that can sign: its public key (32 bytes) and the function that signs."""

    public: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope: the payload as signed, and (keyid, signature) of each signature."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def to_json(self) -> str:
        """Return canonical JSON: equal envelopes give equal bytes."""
        signed = [{"keyid": key, "sig": base64.b64encode(sig).decode()} for key, sig in self.signatures]
        payload = base64.b64encode(self.payload).decode()
        return canonical_json({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signed})

    @staticmethod
    def from_json(text: str) -> Envelope:
        """Parse the JSON that `to_json` wrote; ValueError if it is anything else."""
        try:
            value = json.loads(text)
            signed = [(one["keyid"], base64.b64decode(one["sig"], validate=True)) for one in value["signatures"]]
            found = Envelope(base64.b64decode(value["payload"], validate=True), tuple(signed))
            if not all(_KEY_ID.fullmatch(key) and len(signature) == 64 for key, signature in signed):
                raise ValueError("a signature is not one of Ed25519 by a key with an id of 64 hex digits")
            if found.to_json() != text:
                raise ValueError("unknown fields, another payloadType, or not canonical JSON")
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a DSSE envelope ({type(error).__name__}: {error})") from error
        return found

    def statement(self) -> dict[str, Any]:
        """Return the payload as JSON; ValueError if it is not the one spelling of an in-toto Statement v1."""
        try:
            value = json.loads(self.payload)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE or spell(value) != self.payload:
            raise ValueError(f"its payload is not a {STATEMENT_TYPE} on one line with sorted keys")
        return value

    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of the keys that claim to have signed."""
        return tuple(key for key, _ in self.signatures)

    def is_signed_by(self, public: bytes) -> bool:
        """Whether one of the signatures is a valid signature by this public key (32 bytes)."""
        wanted, message = key_id(public), encode_pae(PAYLOAD_TYPE, self.payload)
        for signature in (signature for key, signature in self.signatures if key == wanted):
            with suppress(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
                return True
        return False


def encode_pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of DSSE v1.

    >>> encode_pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(public: bytes) -> str:
    """Return the id (hex) of a public key of 32 bytes."""
    return hashlib.sha256(_SPKI + public).hexdigest()


def make_statement(subject: dict[str, str], predicate_type: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """Return an in-toto Statement v1 about files, given as name → sha256 (hex)."""
    named = [{"name": name, "digest": {"sha256": subject[name]}} for name in sorted(subject)]
    return {"_type": STATEMENT_TYPE, "subject": named, "predicateType": predicate_type, "predicate": predicate}


def sign_statement(statement: dict[str, Any], signer: Signer | None) -> Envelope:
    """Return the envelope of a statement; without a signer it has no signature."""
    payload = spell(statement)
    if signer is None:
        return Envelope(payload, ())
    return Envelope(payload, ((key_id(signer.public), signer.sign(encode_pae(PAYLOAD_TYPE, payload))),))


def spell(statement: dict[str, Any]) -> bytes:
    """Return the bytes of a statement as they are signed."""
    return spell_on_one_line(statement).encode()
