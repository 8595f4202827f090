"""Ask in a child process with the limits of `malmoi verify` whether a release, perhaps a stranger's, holds a work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flows.engine.limited_process import apply_limits, run_limited
from malmoi.errors import CallError, DataError, MalmoiError


def ask(release: Path, kind: str, work: str) -> tuple[dict[str, Any], list[str]]:
    """Return the statement about a work, named by its `url` or its `text`, and the lines that say it to a person.

    CallError if the release cannot answer, DataError if it cannot be read within the limits.
    """
    found = run_limited("flows.cli.contains_worker", [release], kind, given=work.encode("utf-8", "surrogatepass"))
    answer = json.loads(found)
    if "error" in answer:
        raise (CallError if answer["call"] else DataError)(answer["error"])
    return answer["said"], answer["lines"]


def _ask_in_child(release: Path, kind: str, work: str) -> dict[str, Any]:
    from flows import contains
    from malmoi.releases.verification import untrusted_files

    try:
        with untrusted_files.translate_errors(release):
            said = contains.ask_address(release, work) if kind == "url" else contains.ask_text(release, work)
    except MalmoiError as error:
        return {"error": str(error), "call": isinstance(error, CallError)}
    return {"said": said, "lines": list(contains.spell_answer(release, said["predicate"]))}


if __name__ == "__main__":
    apply_limits(int(sys.argv[1]), None)
    work = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    json.dump(_ask_in_child(Path(sys.argv[3]), sys.argv[4], work), sys.stdout)
