"""A lease: an object that one holder at a time owns, and renews while it works.

No clock is compared with that of another machine. A holder whose last renewal is older than EXPIRES may not write any
more; another may take the lease after it has seen the same lease for EXPIRES, by its own clock.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from malmoi.canonical_json import canonical_json
from malmoi.errors import MalmoiError, StageError
from malmoi.storage.bucket import Bucket
from malmoi.storage.locks import find_request

NAME = "lease.json"
RENEW = 10.0  # seconds between renewals; a second run is refused after it has seen one
EXPIRES = 45.0  # seconds without a renewal
_LONGEST = 300  # characters shown of a holder


class Lease:
    """The lease of this process; `require` raises StageError once it is lost."""

    def __init__(self, bucket: Bucket, copy: str) -> None:
        self._bucket, self._copy, self.token = bucket, copy, uuid.uuid4().hex
        self._holder, self._renewals = find_request().describe(), 0
        self._tag, self._until, self._stop = "", 0.0, threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lease")

    def acquire(self, refuse: Callable[[str], Exception]) -> None:
        """Acquire the lease; raise `refuse(holder)` if another process still renews it after the timeout.

        A lease that was taken for this local copy belongs to a dead process: the caller holds the lock of the copy.
        """
        seen, since, wait = "", time.monotonic(), find_request().start()
        while True:
            begun = time.monotonic()
            tag = self._bucket.create(NAME, self._content())
            found = self._bucket.read(NAME) if tag is None else None
            if found is not None:
                content, other = found
                holder = _parse(content)
                if seen and other != seen:
                    name = holder.get("holder", "its owner is not known")[:_LONGEST]
                    wait.require(self._bucket.address, name, refuse)
                since, seen = (since, seen) if other == seen else (begun, other)
                if holder.get("copy") == self._copy or begun - since > EXPIRES:
                    tag = self._bucket.replace(NAME, self._content(), other)
            if tag is not None:
                self._tag, self._until = tag, begun + EXPIRES
                self._thread.start()
                return
            time.sleep(min(1.0, RENEW / 4))

    def require(self) -> None:
        """Return while this process holds the lease; StageError if it was lost: another run may have taken over."""
        if time.monotonic() >= self._until:
            raise StageError(
                f"{self._bucket.address}: the lease of this run has expired, because it could not be renewed for "
                f"{EXPIRES:.0f} seconds; another run may have taken over, so nothing more was written. Check the "
                "connection, and run the same command again: finished work is kept in the local copy."
            )

    def release(self) -> None:
        """Give the lease back; one that was lost belongs to another."""
        self._stop.set()
        self._thread.join()
        if time.monotonic() < self._until:
            self._until = 0.0
            self._bucket.delete([NAME])

    def _content(self) -> bytes:
        self._renewals += 1
        said = {"holder": self._holder, "token": self.token, "copy": self._copy, "renewals": self._renewals}
        return canonical_json(said).encode()

    def _keep(self) -> None:
        while not self._stop.wait(RENEW):
            begun = time.monotonic()
            try:
                tag = self._bucket.replace(NAME, self._content(), self._tag) or self._find_own()
            except MalmoiError:
                continue  # `require` fails when this has lasted too long
            if tag is None:
                self._until = 0.0
                return
            if tag != self._tag:
                self._tag, self._until = tag, begun + EXPIRES

    def _find_own(self) -> str | None:
        """Return the tag of the lease if it is ours: a request may have been done and its answer lost."""
        found = self._bucket.read(NAME)
        return found[1] if found and _parse(found[0]).get("token") == self.token else None


def _parse(content: bytes) -> dict[str, str]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return {name: str(said) for name, said in value.items()} if isinstance(value, dict) else {}


def require_token(bucket: Bucket, token: str) -> None:
    """Return if the run whose lease has this token holds it; StageError if it has ended or another has taken over."""
    found = bucket.read(NAME)
    if found is None or _parse(found[0]).get("token") != token:
        raise StageError(
            f"{bucket.address}: the run for which this node works has ended or lost its lease, so nothing more was "
            "written. Run the same command again: finished work is kept."
        )


@contextmanager
def hold_lease(bucket: Bucket, copy: str, refuse: Callable[[str], Exception]) -> Iterator[Lease]:
    """Hold the lease of `bucket` for the local copy with the id `copy`."""
    lease = Lease(bucket, copy)
    lease.acquire(refuse)
    try:
        yield lease
    finally:
        lease.release()
