"""Keep what was measured in a finished shard as JSON beside it, so that reports and searches read only new shards.

The file is a cache with a hidden name: a bucket does not get it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from malmoi.canonical_json import spell_on_one_line
from malmoi.ledger import digest_of
from malmoi.storage.shard import sha256_of
from malmoi.workspace_layout import LEDGER


def recall(path: Path, question: Any, measure: Callable[[], Any]) -> Any:
    """Return the JSON value of `measure()`, which is kept in the file `path` of a shard for the same `question`.

    `question` is a JSON value: all that decides the answer besides the shard. A file that is damaged, or that answers
    another question or belongs to another shard, is written again.
    """
    key = digest_of({"question": question, "ledger": sha256_of(path.with_name(LEDGER))})
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["key"] == key and said["digest"] == digest_of({"value": said["value"]}):
            return said["value"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    value = measure()
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}")  # no fsync: what a power cut damages is measured again
    part.write_text(spell_on_one_line({"key": key, "value": value, "digest": digest_of({"value": value})}), "utf-8")
    part.replace(path)
    return value
