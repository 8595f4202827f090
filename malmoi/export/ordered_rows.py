"""Read chosen rows of a release in any order, with bounded memory: rows go to buckets on disk, then each is sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from malmoi.errors import DataError
from malmoi.export.mixture import Chosen, Numbers
from malmoi.export.selection import Rows

BUCKET = 128 << 20  # bytes of text that are sorted in memory at once
_MOST = 256  # buckets, each an open file
POSITION = "position"


def read_in_order(
    rows: Rows, chosen: Chosen, columns: Sequence[str], scratch: Path, bucket: int = BUCKET
) -> Iterator[pa.Table]:
    """Yield tables that, joined, are the chosen rows in their order, with `columns` and `position`.

    `scratch` is an existing folder for temporary files. DataError if the release changes in the meantime.
    """
    sizes = np.cumsum(rows.table["n_bytes"].to_numpy()[chosen.row])
    part = np.minimum(sizes, sizes[-1] - 1) // max(bucket, -(-int(sizes[-1]) // _MOST))
    part = np.maximum(part, 0)
    files = [scratch / f"bucket-{n:03}.arrow" for n in range(int(part[-1]) + 1)]
    _scatter(rows, chosen, part, columns, files)
    for path in files:
        with pa.ipc.open_file(pa.memory_map(str(path))) as file:
            yield file.read_all().sort_by(POSITION)
        path.unlink()


def _scatter(rows: Rows, chosen: Chosen, part: Numbers, columns: Sequence[str], files: Sequence[Path]) -> None:
    """Write each chosen row to the file of its part, once for each of its positions."""
    positions = np.argsort(chosen.row, kind="stable")
    wanted = chosen.row[positions]
    schema = pa.schema([*(rows.documents.schema.field(name) for name in columns), pa.field(POSITION, pa.int64())])
    at = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_file(str(path), schema)) for path in files]
        for batch in rows.scan(list(dict.fromkeys(("id", *columns)))):
            if not batch["id"].equals(rows.table["id"][at : at + len(batch)].combine_chunks()):
                raise DataError(f"{rows.release} changed while it was read. Run the same command again.")
            low, high = np.searchsorted(wanted, (at, at + len(batch)))
            here = positions[low:high]
            moved = pa.table(batch.select(columns)).take(pa.array(wanted[low:high] - at))
            moved = moved.append_column(POSITION, pa.array(here)).cast(schema)
            for number in np.unique(part[here]).tolist():
                writers[number].write_table(moved.filter(pa.array(part[here] == number)))
            at += len(batch)
    if at != rows.table.num_rows:
        raise DataError(f"{rows.release} changed while it was read. Run the same command again.")
