"""A way to a storage server on which requests are counted, cut off, left without an answer, or followed by a kill."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urlsplit

_WRITES = (b"PUT ", b"POST ", b"DELETE ")
_METHODS = (*_WRITES, b"GET ", b"HEAD ")


class FaultyStorage:
    """A proxy on loopback; `address` takes the place of the server's."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (parts.hostname or "", parts.port or 0)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.writes = 0  # requests that change something
        self.at_write: Callable[[int], None] = lambda _: None  # called with their number, before the server has it
        self.mode: Literal["pass", "reset", "hang"] = "pass"

    def serve(self) -> None:
        """Accept connections until the door is closed."""
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client), daemon=True).start()

    def close(self) -> None:
        """Close the door and all connections."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        with self._lock:
            for one in self._open:
                one.close()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if data.startswith(_WRITES):
                    with self._lock:
                        self.writes += 1
                        number = self.writes
                    self.at_write(number)
                if self.mode == "reset":
                    break
                if self.mode == "pass" or not data.startswith(_METHODS):
                    server.sendall(data)
        _end(client, server)

    def _copy(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def stand_before(server: str) -> Iterator[FaultyStorage]:
    """Run the proxy before the server while the block runs."""
    proxy = FaultyStorage(server)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
