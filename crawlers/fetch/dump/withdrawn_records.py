"""Leave withdrawn records out of the blocks of a dump: while it is collected, and in blocks of earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from crawlers import catalogue
from crawlers.fetch.dump.record_blocks import Cutter
from crawlers.web.addresses import canonical_url
from malmoi.archive import capture, collection
from malmoi.archive.capture import Capture, IndexRow
from malmoi.archive.capture_fields import BLOCK
from malmoi.archive.collection import Run
from malmoi.erasure.captures import Replacement
from malmoi.erasure.tombstones import Matcher
from malmoi.source import Dump

IsErased = Callable[[str, str], bool]  # of a document, by id and address


def make_check(definition: catalogue.Definition, is_erased: IsErased) -> Callable[[bytes, str], bool]:
    """Return the function that tells whether all documents in a block of one record are erased."""
    from crawlers import defaults

    source = definition.source.name
    items = definition.items or defaults.items

    def check(block: bytes, media: str) -> bool:
        one = Capture("", f"{BLOCK}{source}/", "", 200, (("Content-Type", media),), block, source)
        found = list(items(one))
        return bool(found) and all(is_erased(f"{source}/{one.key}", canonical_url(one.url) or one.url) for one in found)

    return check


def check_for(definition: catalogue.Definition, matcher: Matcher) -> Callable[[bytes, str], bool] | None:
    """Return the check of a collection; None if no tombstone names a document of the source or an address."""
    begin = f"{definition.source.name}/"
    named = (one.kind == "url" or one.kind == "url-prefix" or one.key.startswith(begin) for one in matcher.tombstones)
    if not any(named):
        return None
    return make_check(definition, lambda id, url: bool(matcher.find_by_id(id) or matcher.find_by_address(url)))


def cut_blocks(
    definition: catalogue.Definition, runs: Iterable[Run], is_erased: IsErased
) -> dict[str, Replacement | None]:
    """Return the blocks of `runs` with an erased document: id of the record → what takes its place, or None."""
    from crawlers import defaults

    source, found = definition.source.name, dict[str, Replacement | None]()
    items = definition.items or defaults.items
    for run in runs:
        for row in (collection.resolve_row(run, one) for one in run.rows if one.url.startswith(BLOCK)):
            if row.kind == "resource":
                block = capture.read(Path(row.path), row.offset, row.record, row.payload_sha256)
                if any(is_erased(f"{source}/{one.key}", canonical_url(one.url) or one.url) for one in items(block)):
                    found[row.record] = _cut_block(definition, row, block.body, is_erased)
    return found


def _cut_block(definition: catalogue.Definition, row: IndexRow, body: bytes, is_erased: IsErased) -> Replacement | None:
    """Return the record that a block becomes without its erased documents, as a new collection cuts it; None if nothing
    is left.
    """
    access = definition.source.access
    assert isinstance(access, Dump)
    cutter = Cutter(access.record, is_withheld=make_check(definition, is_erased))
    for block in cutter.blocks([body]):
        url = f"{BLOCK}{definition.source.name}/{quote(block.key, safe='')}"
        raw = capture.resource_record(url, row.fetched, row.media, block.body)
        return Replacement(capture.record_id(url, block.body), url, block.body, raw)
    return None
