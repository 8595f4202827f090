"""The file of review decisions in a workspace: JSON lines, only appended to; each line is valid by itself.

The latest line of an id is its state: a revocation is the line of the decision again, with the day, the person and the
reason.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import date as calendar
from pathlib import Path
from typing import Any, Final, get_args

from malmoi.errors import CallError
from malmoi.licensing.licences import LICENCES
from malmoi.licensing.review_decisions import BETWEEN, CLEAR, TARGETS, Decision, Shape, Target, Verdict
from malmoi.prefilter import compile_linear
from malmoi.printable import dump_json, escape_line
from malmoi.storage.atomic_files import sync

MAX_WORDS: Final = 300  # code points of a reviewer, a reason, a pattern: as much as a quote has
_LETTERS: Final = "bcdfghjkmnpqrstvwxz"  # no vowels: no words; no digits: no telephone numbers
_ID = re.compile(rf"({'|'.join(TARGETS)})-[{_LETTERS}]{{8}}")
_PREFIX = re.compile(r"[a-z][a-z0-9+.-]*:(//[^/]+/.*|[^/].*)", re.S)
_REVOCATION = ("revoked", "revoked_by", "revoked_reason")
_OPTIONAL = ("found", *_REVOCATION)
_FINDS = re.compile(r"[a-z_]+ \| [a-z]+")  # kind and shape of finds
_DIGEST = re.compile(r"[0-9a-f]{16}")
_NAMES = tuple(field.name for field in fields(Decision))


def make_id(target: Target) -> str:
    """Return a new random id for a decision about this target."""
    return f"{target}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"


def read(path: Path) -> tuple[Decision, ...]:
    """Read all decisions, revoked ones too, in the order in which they were made; none if the file is missing.

    CallError names the first line that is not a decision, or the first decision in effect whose expression cannot be
    applied: earlier versions took more of them.
    """
    found = _read_states(path)
    for one in found:
        if fault := _find_expression_fault(one):
            raise CallError(
                f"{path}: decision {one.id!r} cannot be applied: {fault}. Revoke it with `malmoi review revoke "
                f"{one.id}`, and decide again."
            )
    return found


def _read_states(path: Path) -> tuple[Decision, ...]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    return _parse(path, content)


def append(path: Path, new: Iterable[Decision]) -> tuple[Decision, ...]:
    """Append the decisions and revocations that the file does not hold yet, all or none; return them.

    One that repeats a decision in effect is held already. CallError, and nothing is written, if one is not valid, or if
    the file holds another decision with its id. Another process that appends waits.
    """
    with _open_locked(path) as handle:
        content = b"".join(iter(lambda: os.read(handle, 1 << 20), b""))
        states = {one.id: one for one in _parse(path, content)}
        added = []
        for one in new:
            refuse_incomplete(one)
            known = states.get(one.id)
            if known is None and not one.revoked and find_repeated(states.values(), one):
                continue
            if known is not None and _forget_revocation(known) != _forget_revocation(one):
                raise CallError(
                    f"{path} holds another decision {one.id!r}; a decision is not changed, nothing was written. Revoke "
                    "it, and decide again."
                )
            if known is None or (one.revoked and not known.revoked):
                states[one.id] = one
                added.append(one)
        lines = "".join(f"{dump_json(asdict(one))}\n" for one in added).encode()
        if lines:
            _write_all(handle, (b"\n" if content[-1:] not in (b"", b"\n") else b"") + lines)
    if added:
        sync(path.parent)
    return tuple(added)


def find_repeated(held: Iterable[Decision], one: Decision) -> Decision | None:
    """Return the first decision in effect that says what `one` says, whatever its id and day; None without one."""
    in_effect = (other for other in held if not other.revoked)
    return next((other for other in in_effect if replace(other, id=one.id, date=one.date) == one), None)


def revoke(path: Path, id: str, day: str, reviewer: str, reason: str) -> Decision:
    """Append the revocation of a decision and return it; CallError if no decision in effect has this id.

    Decisions that repeat it, which earlier versions could write, are revoked with it.
    """
    states = _read_states(path)
    found = next((one for one in states if one.id == id and not one.revoked), None)
    if found is None:
        raise CallError(f"no decision in effect has the id {id!r}; `malmoi review decisions` shows all of them.")
    same = [one for one in states if one == found or find_repeated([one], found)]
    gone = [replace(one, revoked=day, revoked_by=reviewer, revoked_reason=reason) for one in same]
    append(path, gone)
    return gone[same.index(found)]


def parse_lines(path: Path, content: bytes) -> list[Decision]:
    """Return the decision of each line; CallError names the first line that is not one."""
    found = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(parse_decision(json.loads(line)))
        except (CallError, ValueError, RecursionError) as error:
            raise CallError(
                f"{path}, line {number}: not a decision ({error}). Correct the line, or restore the file from a copy."
            ) from error
    return found


def parse_decision(row: Any) -> Decision:
    """Return the valid decision in an object of JSON; CallError or ValueError if it is not one."""
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise ValueError("not a JSON object of strings")
    if strange := row.keys() - set(_NAMES):
        raise ValueError(f"unknown field {min(strange)!r}")
    if missing := set(_NAMES) - set(_OPTIONAL) - row.keys():
        raise ValueError(f"no field {min(missing)!r}")
    found = Decision(**row)
    if fault := _find_fault(found):
        raise ValueError(f"decision {found.id!r}: {fault}")
    return found


def refuse_incomplete(one: Decision) -> None:
    """CallError if a decision is not valid: which field, and what it must be."""
    if fault := _find_fault(one) or _find_expression_fault(one):
        raise CallError(f"decision {one.id!r}: {fault}. Correct it. Nothing was written.")


def _find_fault(one: Decision) -> str:
    needed = (one.value, one.source, one.reviewer, one.reason)
    said = (one.reviewer, one.reason, one.revoked_by, one.revoked_reason)
    gone = (one.revoked, one.revoked_by.strip(), one.revoked_reason.strip())
    permits = one.licence in LICENCES and LICENCES[one.licence].use != "exclude"
    faults = (
        ("id is not a target and eight consonants, such as item-bcdfghjk", not _ID.fullmatch(one.id)),
        ("verdict is neither grant nor deny nor clear", one.verdict not in get_args(Verdict)),
        ("id does not begin with its target", one.id.partition("-")[0] != one.target),
        ("value, source, reviewer and reason are needed", not all(map(str.strip, needed))),
        (f"a name or reason has more than {MAX_WORDS} characters", any(len(words) > MAX_WORDS for words in said)),
        ("a name or reason has a control character", any(escape_line(words) != words for words in said)),
        ("date is not a day such as 2026-11-24", not _is_day(one.date)),
        ("revoked, revoked_by and revoked_reason go together", any(gone) and not (all(gone) and _is_day(one.revoked))),
        ("a denial names a licence", one.verdict == "deny" and bool(one.licence)),
        ("a cleared find names a licence", one.verdict == CLEAR and bool(one.licence)),
        ("found belongs to a cleared item alone", bool(one.found) != (one.verdict == CLEAR and one.target == "item")),
        ("licence is not an id of the table that permits a use", one.verdict == "grant" and not permits),
    )
    return next((words for words, wrong in faults if wrong), "") or _find_value_fault(one)


def _find_value_fault(one: Decision) -> str:
    """Return what is wrong with the value for its target."""
    if one.verdict == CLEAR and one.target != "item":
        wrong = one.target != "shape" or not _FINDS.fullmatch(one.value.removeprefix(f"{one.source}{BETWEEN}"))
        return "value is not the key of finds of its source, as `malmoi review finds` shows it" if wrong else ""
    if one.found and not _DIGEST.fullmatch(one.found):
        return "found is not the digest of `malmoi review finds`"
    match one.target:
        case "item":
            wrong = not one.value.startswith(f"{one.source}/")
            return "value is not the id of a document of its source, such as kocca/7" if wrong else ""
        case "addresses" if len(one.value) > MAX_WORDS:
            return f"value has more than {MAX_WORDS} characters"
        case "addresses":
            wrong = not one.value.startswith("^") and not _PREFIX.fullmatch(one.value)
            return "value is neither a prefix with host and /, nor an expression that begins with ^" if wrong else ""
    parts = one.value.split(BETWEEN)
    if len(parts) != len(fields(Shape)) or parts[0] != one.source:
        return "value is not the key of a shape of its source, as `malmoi review --list` shows it"
    if one.verdict == "grant" and parts[-1] != one.licence:
        return "the evidence of the shape does not name this licence; decide items or addresses"
    return ""


def _find_expression_fault(one: Decision) -> str:
    """Return what is wrong with the expression of addresses, of which a revoked decision needs none."""
    if one.revoked or one.target != "addresses" or not one.value.startswith("^"):
        return ""
    try:
        everything = compile_linear(one.value).match("") is not None
    except ValueError as error:
        return f"value is not a regular expression ({error})"
    return "value matches every address" if everything else ""


def _is_day(day: str) -> bool:
    try:
        return calendar.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def _parse(path: Path, content: bytes) -> tuple[Decision, ...]:
    """Return the state of each decision: its first line, with the first revocation."""
    states: dict[str, Decision] = {}
    for one in parse_lines(path, content):
        known = states.setdefault(one.id, one)
        if _forget_revocation(known) != _forget_revocation(one):
            raise CallError(f"{path}: two different decisions are called {one.id!r}. Restore the file from a copy.")
        if not known.revoked:
            states[one.id] = one
    return tuple(states.values())


def _forget_revocation(one: Decision) -> Decision:
    return replace(one, revoked="", revoked_by="", revoked_reason="")


@contextmanager
def _open_locked(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    """Write at the end; if the disk is full, cut the file back to its length before."""
    before = os.fstat(handle).st_size
    try:
        while content:
            content = content[os.write(handle, content) :]
    except OSError:
        os.ftruncate(handle, before)
        raise
