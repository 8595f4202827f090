"""Erase documents from the index: a segment without their rows takes the place of the segment that has them.

The new folder names the old one in `replaces`, as a merged segment does: from the moment it exists the old one does not
count. A kill between the two steps leaves both; the next purge removes the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.ledger import digest_of
from malmoi.releases.index import segments
from malmoi.releases.index.segment_rows import GROUP, PLAIN
from malmoi.releases.index.segments import FACTS, ROWS, Facts, IndexSegment
from malmoi.storage import shard
from malmoi.workspace import Workspace


def erase_rows(workspace: Workspace, is_erased: Callable[[str], bool]) -> tuple[int, list[str]]:
    """Erase the rows of documents from every segment, by id; return how many, and the damaged segments, which stay."""
    count, broken = 0, list[str]()
    for survey in workspace.index_names():
        found = segments.find_segments(workspace, survey, None, segments.read_release_roots(workspace))
        newer = {name for one in found if one.facts for name in one.facts.replaces}
        for one in found:
            if one.state == "broken":
                broken.append(f"{one.folder}: {one.why}; delete it, or restore it from a copy and erase again.")
                continue
            ids = shard.read(one.folder / ROWS, ["id"]).column("id").to_pylist()
            here = sorted(filter(is_erased, ids))
            if here and one.name not in newer:
                _write_without(workspace, one, here)
            if here:
                segments.sweep(workspace, [one])
                count += len(here)
    return count, broken


def _write_without(workspace: Workspace, old: IndexSegment, ids: Sequence[str]) -> None:
    table = shard.read(old.folder / ROWS)
    table = table.filter(pc.invert(pc.is_in(table.column("id"), pa.array(ids, pa.string()))))
    facts = old.readable_facts
    names = tuple(sorted({*facts.replaces, old.name}))
    new = replace(facts, documents=table.num_rows, replaces=names)
    with workspace.temporary_folder() as born:
        _write(table, new, born)
        workspace.move_into_place(born, _folder_of(old, new))


def _folder_of(old: IndexSegment, facts: Facts) -> Path:
    """Return `<version>-<root>-<digest>`, the form of the folder of a segment that replaces others."""
    version, _, rest = old.folder.name.partition("-")
    mark = digest_of({"facts": facts.to_json(), "of": old.folder.name})[:8]
    return old.folder.with_name(f"{version}-{rest.partition('-')[0]}-{mark}")


def _write(table: pa.Table, facts: Facts, folder: Path) -> None:
    with pq.ParquetWriter(
        folder / ROWS, table.schema.remove_metadata(), compression="zstd", compression_level=3,
        use_dictionary=[n for n in PLAIN if n != "id"], write_statistics=list(PLAIN),
    ) as writer:  # fmt: skip
        writer.write_table(table.combine_chunks(), row_group_size=GROUP)
    (folder / FACTS).write_text(facts.to_json(), encoding="utf-8")
