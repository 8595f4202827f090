"""A time-stamp authority on loopback (RFC 3161): `openssl ts` answers, over HTTP; its certificates are made here."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/authority.pem
certs = {folder}/root.pem
signer_key = {folder}/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""
DAY = timedelta(days=1)


@dataclass
class Authority:
    """An authority: its folder with `root.pem`, which verifies its stamps."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def stamp(self, request: bytes) -> bytes:
        """The answer to a request, as `openssl ts -reply` gives it."""
        (self.folder / "request").write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "request", "-out", "answer"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=60)
        return (self.folder / "answer").read_bytes()

    def stamp_bytes(self, content: bytes) -> bytes:
        """An answer about `content`, to a request of `openssl ts -query`."""
        (self.folder / "content").write_bytes(content)
        command = ["openssl", "ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "query"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=60)
        return self.stamp((self.folder / "query").read_bytes())


def make_authority(
    folder: Path, *, until: timedelta = DAY, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING
) -> Authority:
    """An authority with a root of its own, whose certificate ends after `until`."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    folder.mkdir()
    root, key, now = generate_private_key(SECP256R1()), generate_private_key(SECP256R1()), datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{folder.name} {n}")]) for n in ("root", "authority")]

    def sign(name: x509.Name, public: EllipticCurvePrivateKey, end: datetime, *more: tuple[object, bool]) -> bytes:
        made = x509.CertificateBuilder(names[0], name, public.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - 9 * DAY).not_valid_after(end)
        for extension, critical in more:
            made = made.add_extension(extension, critical)  # type: ignore[arg-type]
        return made.sign(root, hashes.SHA256()).public_bytes(pem.Encoding.PEM)

    (folder / "root.pem").write_bytes(sign(names[0], root, now + 9 * DAY, (x509.BasicConstraints(True, None), True)))
    uses = (x509.KeyUsage(True, *[False] * 8), True), (x509.ExtendedKeyUsage([usage]), True)
    (folder / "authority.pem").write_bytes(sign(names[1], key, now + until, *uses))
    kind = (pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    (folder / "authority.key").write_bytes(key.private_bytes(*kind))
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    return Authority(folder)


@contextlib.contextmanager
def serve(answer: Callable[[bytes], bytes], status: int = 200) -> Iterator[str]:
    """Answer every request on loopback by `answer(body)`; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()


@contextlib.contextmanager
def serve_slowly() -> Iterator[str]:
    """Send one byte of an answer every tenth of a second, and never end it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def talk() -> None:
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while not ended.wait(0.1):
                        peer.sendall(b"a")

        threading.Thread(target=talk, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
