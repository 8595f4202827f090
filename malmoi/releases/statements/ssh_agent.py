"""Let an ssh-agent sign: the private key never enters this process (draft-ietf-sshm-ssh-agent, section 3.6)."""

from __future__ import annotations

import os
import socket
import struct

from malmoi.errors import CallError

_REQUEST, _RESPONSE = 13, 14  # SSH_AGENTC_SIGN_REQUEST, SSH_AGENT_SIGN_RESPONSE
_KIND = b"ssh-ed25519"
_SECONDS = 60  # an agent may ask its user
_BYTES = 4096  # of an answer; a signature takes 83


def sign_by_agent(public: bytes, message: bytes) -> bytes:
    """Return the Ed25519 signature of `message` by the agent that holds the private key of `public`.

    CallError if no agent runs, or if it does not sign with this key.
    """
    body = bytes([_REQUEST]) + _pack(_pack(_KIND) + _pack(public)) + _pack(message) + struct.pack(">I", 0)
    try:
        answer = _ask(body)
        if answer[:1] != bytes([_RESPONSE]):
            raise ValueError("refused")
        kind, signature = _unpack(_unpack(answer[1:], 1)[0], 2)
        if kind != _KIND:
            raise ValueError("another kind of signature")
    except (OSError, ValueError, struct.error) as error:
        raise CallError(
            f"the ssh-agent did not sign with this key ({error}). Start one and run ssh-add, or give the file of a "
            "private key. Nothing was signed."
        ) from error
    return signature


def _ask(body: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as agent:
        agent.settimeout(_SECONDS)
        agent.connect(os.environ.get("SSH_AUTH_SOCK", ""))
        agent.sendall(_pack(body))
        (length,) = struct.unpack(">I", _receive(agent, 4))
        if length > _BYTES:
            raise ValueError("a long answer")
        return _receive(agent, length)


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
