"""Address the files of a repository, by their paths or by an identifier of their own, and know what was archived."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from crawlers.fetch.archive import CLOSED
from crawlers.formats import front_matter
from malmoi.archive import collection
from malmoi.archive.capture import Torn, scan
from malmoi.source import Git
from malmoi.workspace_layout import STATS


@dataclass(frozen=True, slots=True)
class Held:
    """What earlier runs hold of an address: the id of its record, and the name of its bytes in a repository."""

    record: str
    oid: str


@dataclass(frozen=True, slots=True)
class Naming:
    """How the files of a repository are addressed, and what earlier runs hold of them."""

    page: str  # with {path}
    names: tuple[str, ...]  # fields of the front matter that identify a file; () = its path does
    known: Mapping[str, Held]  # by address
    by_oid: Mapping[str, str]  # oid → address, of files with an identifier

    def page_of(self, path: str) -> str:
        """Return the page of a file at the host."""
        return self.page.replace("{path}", quote(path, safe="/-._~!$&'()*+,;=:@"))

    def name(self, path: str, body: bytes) -> str:
        """Return the address of a file; "" if it should have an identifier and has none."""
        return address_by_identifier(self.page, body, self.names) if self.names else self.page_of(path)

    def find_held(self, path: str, oid: str) -> str:
        """Return the address of a file whose bytes an earlier run holds, "" if none does."""
        if self.names:
            return self.by_oid.get(oid, "")
        held = self.known.get(self.page_of(path))
        return self.page_of(path) if held and held.oid == oid else ""


def read_naming(page: str, access: Git, earlier: Iterable[Path]) -> Naming:
    """Read what the earlier runs hold of each address that is not gone."""
    known: dict[str, Held] = {}
    for folder in earlier:
        for entry in scan(folder / CLOSED):
            if not isinstance(entry, Torn) and entry[1] == "resource":
                known[entry[2].url] = Held(entry[2].record, blob_name(entry[2].body))
        for url in _read_gone(folder):
            known.pop(url, None)
    marks = tuple(page.replace("{path}", f"?{quote(name, safe='')}=") for name in access.named_by)
    by_oid = {held.oid: url for url, held in known.items() if marks and url.startswith(marks)}
    return Naming(page, access.named_by, known, by_oid)


def blob_name(body: bytes) -> str:
    """Return the name of bytes in a repository of git, whatever their path.

    >>> blob_name(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0%b" % (len(body), body), usedforsecurity=False).hexdigest()


def address_by_identifier(page: str, body: bytes, names: Sequence[str]) -> str:
    """Return the address of a file by the identifier in its front matter; "" if it has none.

    >>> body = "---\\n법령ID: '001281'\\n---\\n# 가".encode()
    >>> address_by_identifier("https://github.com/o/r/blob/main/{path}", body, ("법령ID",))
    'https://github.com/o/r/blob/main/?%EB%B2%95%EB%A0%B9ID=001281'
    """
    name, value = front_matter.find_identifier(body, names)
    return page.replace("{path}", f"?{quote(name, safe='')}={quote(value, safe='')}") if value else ""


def _read_gone(folder: Path) -> Sequence[str]:
    """Return the URLs that a run found to be gone; from its run.json, which is checked, or else from its stats."""
    if (folder / "run.json").exists():
        found: Sequence[str] = collection.read_run(folder).facts.get("gone", ())
        return found
    try:
        found = json.loads((folder / STATS).read_text("utf-8")).get("gone", ())
    except (OSError, ValueError):
        return ()
    return found
