"""Statements that answer whether a work is in a release: the question, the answer, and its proof from the tree.

docs/check_statement.py checks them without Malmoi; docs/was-my-work-used.md explains them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.membership.leaves import Kind, make_leaf
from malmoi.releases.membership.member_tables import Leaf, Members
from malmoi.releases.statements import dsse
from malmoi.storage.shard import sha256_of

PREDICATE = "urn:malmoi:contains:1"


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one work: its kind and its key (malmoi/releases/membership/leaves.py)."""

    kind: Kind
    key: str


def state_presence(
    folder: Path, members: Members, asked: Question, known: Question, documents: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the statement that the release holds `documents`, proven by the leaf of `known`.

    `known` is the question itself, or for a near copy the text of the first document.
    """
    _, index = members.find(make_leaf(members.salt, known.kind, known.key))
    proof = _spell(members.prove(index))
    return _state(folder, members, asked, {"answer": "yes", "documents": list(documents), "member": proof})


def state_absence(folder: Path, members: Members, asked: Question, compared: str) -> dict[str, Any]:
    """Return the statement that the release does not hold the work, with the two leaves between which it would be.

    `compared` says how near copies were sought; no proof covers that.
    """
    _, index = members.find(make_leaf(members.salt, asked.kind, asked.key))
    beside = {
        name: _spell(members.prove(at))
        for name, at in (("left", index - 1), ("right", index))
        if 0 <= at < members.count
    }
    return _state(folder, members, asked, {"answer": "no", "compared": compared, **beside})


def _state(folder: Path, members: Members, asked: Question, said: dict[str, Any]) -> dict[str, Any]:
    made: Manifest = manifests.read(folder)
    about = {"name": made.name, "version": made.version, "root": made.root}
    tree = {"root": made.members, "salt": members.salt.hex(), "leaves": members.count}
    said = {"question": {"kind": asked.kind, "key": asked.key}, **said}
    if made.publisher.contact:
        said["publisher"] = made.publisher.model_dump()
    subject = {manifests.NAME: sha256_of(folder / manifests.NAME)}
    return dsse.make_statement(subject, PREDICATE, {"release": about, "tree": tree, **said})


def _spell(leaf: Leaf) -> dict[str, Any]:
    path = base64.b64encode(b"".join(leaf.path)).decode()
    return {"index": leaf.index, "leaf": base64.b64encode(leaf.digest).decode(), "path": path}
