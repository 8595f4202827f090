"""A source of any DSpace: its OAI-PMH interface, the rights of each item, and the files of licensed items.

DSpace answers OAI-PMH at /oai/request (5 and 6) or /server/oai/request (7 and later). Its format xoai holds every field
with its qualifier and the addresses of the files; oai_dc, which each repository has, flattens them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from crawlers.rights.repository_rights import FIELDS
from malmoi.source import LicenceRule, Manners, OaiPmh, Source

FORMATS = ("xoai", "dim", "qdc", "oai_dc")
# Paths of files: of DSpace up to 6, which may name the interface first, of 7 and later, and of its API.
FILES = (
    "/bitstream/", "/xmlui/bitstream/", "/jspui/bitstream/", "/bitstreams/", "/server/api/core/bitstreams/",
)  # fmt: skip
LICENCES = (
    "LicenseRef-KOGL-1", "LicenseRef-KOGL-0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "LicenseRef-CC-BY-2.0-KR",
    "LicenseRef-CC-BY-SA-2.0-KR",
)  # fmt: skip


def source(url: str, /, *, sets: tuple[str, ...] = (), grant: str = "", **facts: Any) -> Source:
    """Return the source of the DSpace whose OAI-PMH base URL is `url`; `facts` are the other fields of Source.

    >>> found = source("https://a.kr/oai/request", name="a", title="A", publisher="B")
    >>> found.access.scope[:2]
    ('https://a.kr/bitstream/', 'http://a.kr/bitstream/')
    """
    given = {"rule": LicenceRule(proofs=("field",), fields=FIELDS, expected=LICENCES), "manners": Manners(delay=2.0)}
    host, schemes = urlsplit(url).netloc, dict.fromkeys((urlsplit(url).scheme, "http"))
    # Many a DSpace behind https still writes http into its records.
    scope = tuple(f"{scheme}://{host}{path}" for path in FILES for scheme in schemes)
    access = OaiPmh(url=url, formats=FORMATS, sets=sets, scope=scope, grant=grant)
    return Source(access=access, **{**given, **facts})
