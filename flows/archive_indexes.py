"""Keep the index of each archive that a source names, by the digest of its bytes, so that it is read once.

The index of an archive with a withdrawn capture is not kept: it would name what the workspace has forgotten.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from crawlers import local_files
from crawlers.local_files import Indexed, ReadArchive
from crawlers.withdrawn import find_by_address
from malmoi.archive import collection
from malmoi.erasure.tombstones import Matcher
from malmoi.limits import ARCHIVE_BODY, ARCHIVE_DAMAGED, ARCHIVE_HEAD, ARCHIVE_MEMBER
from malmoi.recipe import digest
from malmoi.storage import shard
from malmoi.workspace import Workspace

NAME = "captures.parquet"
_LIMITS = [limit.value for limit in (ARCHIVE_BODY, ARCHIVE_DAMAGED, ARCHIVE_HEAD, ARCHIVE_MEMBER)]
_TORN = b"torn"  # metadata of the schema: messages about unreadable records


def make_reader(workspace: Workspace, source: str, matcher: Matcher) -> ReadArchive:
    """Return a function like `local_files.read_archive`, which reads the kept index of an unchanged archive instead."""

    def write(table: pa.Table, folder: Path) -> None:
        shard.write(table, folder / NAME, statistics=False)

    def read(path: Path) -> Indexed:
        before = path.stat()
        code = [local_files.ARCHIVE_VERSION, version("FastWARC"), _LIMITS]
        key = digest(["captures", code, str(path.absolute()), shard.sha256_of(path)])[:32]
        target = workspace.survey(key) / NAME
        if target.exists():
            table = shard.read(target)
            return collection.to_rows(table), json.loads(table.schema.metadata[_TORN])
        rows, torn = local_files.read_archive(path)
        after = path.stat()
        unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if unchanged and not any(find_by_address(matcher, source, row.url) for row in rows):
            table = collection.to_table(rows).replace_schema_metadata({_TORN: json.dumps(torn)})
            workspace.put(target.parent, lambda folder: write(table, folder))
        return rows, torn

    return read
