"""Sign and check statements: in-toto Statement v1 as the payload of a DSSE envelope (Dead Simple Signing Envelope v1).

The signature covers PAE(payloadType, payload), so that neither can be changed:

    PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body      lengths in bytes, decimal

`keyid` is the sha256 (hex) of the public key as DER SubjectPublicKeyInfo:
`openssl pkey -pubin -in FILE -outform DER | sha256sum`.

Keys are Ed25519 in PEM (`openssl genpkey -algorithm ed25519`), or a public OpenSSH key whose agent signs. A private key
inside a workspace or a release would be copied with it, so it is refused, as is one that other users can read. With an
ssh-agent the private key never enters this process (draft-ietf-sshm-ssh-agent, section 3.6).
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import re
import socket
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key, load_ssh_public_key

from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.errors import CallError
from malmoi.workspace_layout import Layout

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_KEY_ID = re.compile(r"[0-9a-f]{64}")
_SPKI = bytes.fromhex("302a300506032b6570032100")  # DER before the 32 bytes of an Ed25519 key (RFC 8410, section 4)
PASSPHRASE = "MALMOI_KEY_PASSPHRASE"  # environment variable
_BYTES = 16 << 10  # of a key file; an encrypted Ed25519 key has some 300
_SSH = b"ssh-ed25519 "
_REQUEST, _RESPONSE = 13, 14  # SSH_AGENTC_SIGN_REQUEST, SSH_AGENT_SIGN_RESPONSE
_KEY_KIND = b"ssh-ed25519"
_SECONDS = 60  # an agent may ask its user
_MOST_BYTES = 4096  # of an answer; a signature takes 83


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


def read_signer(path: Path, release: Path) -> Signer:
    """Return the signer of a key file; the passphrase of an encrypted key is asked for at the terminal.

    A file with a public OpenSSH key signs by the ssh-agent that holds the private one. CallError if the key cannot be
    read, is not an Ed25519 key, can be read by other users, or lies in a workspace or in `release`.
    """
    content = _read_key_file(path)
    if content.startswith(_SSH):
        public = read_public_key(path)
        return Signer(public, lambda message: sign_by_agent(public, message))
    place = path.resolve()
    if place.is_relative_to(release.resolve()) or any(Layout(folder).mark.exists() for folder in place.parents):
        raise CallError(
            f"{place}: a private key inside a workspace or a release is copied with it. Move it elsewhere, and make a "
            "new key if the folder was ever copied. Nothing was signed."
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CallError(f"{path}: other users can read this private key; run chmod 600 on it. Nothing was signed.")
    private = _load_private_key(path, content)
    return Signer(private.public_key().public_bytes_raw(), private.sign)


def _load_private_key(path: Path, content: bytes) -> Ed25519PrivateKey:
    try:
        try:
            key = load_pem_private_key(content, None)
        except TypeError:  # encrypted
            try:
                passphrase = os.environ.get(PASSPHRASE) or getpass.getpass("Passphrase of the key: ")
            except (EOFError, OSError) as error:
                says = f"the key has a passphrase; set {PASSPHRASE} and repeat the command."
                raise CallError(says) from error
            key = load_pem_private_key(content, passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CallError(
            f"{path}: not a private key in PEM, or the passphrase does not open it. Make a key with "
            f"openssl genpkey -algorithm ed25519; {PASSPHRASE} holds the passphrase."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CallError(f"{path}: not an Ed25519 key. Make one with openssl genpkey -algorithm ed25519.")
    return key


def read_public_key(path: Path) -> bytes:
    """Return the 32 bytes of a public key, PEM or OpenSSH; CallError if the file is anything else."""
    content = _read_key_file(path)
    if b"PRIVATE KEY" in content:
        raise CallError(f"{path}: a private key; give the public one: openssl pkey -in KEY -pubout -out KEY.pub")
    try:
        load = load_ssh_public_key if content.startswith(_SSH) else load_pem_public_key
        key = load(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CallError(
            f"{path}: not a public key in PEM or OpenSSH format. Get it from the publisher of the release."
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise CallError(f"{path}: not an Ed25519 key. Get the public key from the publisher of the release.")
    return key.public_bytes_raw()


def _read_key_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(_BYTES + 1)
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name the file of a key.") from error
    if len(content) > _BYTES:
        raise CallError(f"{path}: too large for a key; name the file of a key.")
    return content


def sign_by_agent(public: bytes, message: bytes) -> bytes:
    """Return the Ed25519 signature of `message` by the agent that holds the private key of `public`.

    CallError if no agent runs, or if it does not sign with this key.
    """
    body = bytes([_REQUEST]) + _pack(_pack(_KEY_KIND) + _pack(public)) + _pack(message) + struct.pack(">I", 0)
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(_SECONDS)
            agent.connect(os.environ.get("SSH_AUTH_SOCK", ""))
            agent.sendall(_pack(body))
            (length,) = struct.unpack(">I", _receive(agent, 4))
            if length > _MOST_BYTES:
                raise ValueError("a long answer")
            answer = _receive(agent, length)
        if answer[:1] != bytes([_RESPONSE]):
            raise ValueError("refused")
        kind, signature = _unpack(_unpack(answer[1:], 1)[0], 2)
        if kind != _KEY_KIND:
            raise ValueError("another kind of signature")
    except (OSError, ValueError, struct.error) as error:
        raise CallError(
            f"the ssh-agent did not sign with this key ({error}). Start one and run ssh-add, or give the file of a "
            "private key. Nothing was signed."
        ) from error
    return signature


def _receive(agent: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        if not (part := agent.recv(length - len(found))):
            raise ValueError("it closed the connection")
        found += part
    return found


def _pack(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _unpack(packed: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from(">I", packed)
        found.append(packed[4 : 4 + length])
        packed = packed[4 + length :]
    return found
