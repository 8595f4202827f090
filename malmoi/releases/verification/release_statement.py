"""Sign a release, and check its signature: `manifest.dsse.json` says which manifest, sums and card the publisher made.

The statement names the sha256 of manifest.json, SHA256SUMS and card.json, and name, version and root of the release
(docs/sign-and-verify.md). SHA256SUMS does not list the file, since it is made afterwards. `manifest.dsse.json.tsr` is
the time stamp of its bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate
from rfc3161_client import TimeStampResponse

from malmoi.errors import CallError, DataError
from malmoi.releases import dsse, time_stamp
from malmoi.releases import manifest as manifests
from malmoi.releases.dsse import Envelope, Signer
from malmoi.releases.verification import sha256sums
from malmoi.releases.verification.sha256sums import SIGNATURE, STAMP
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.shard import sha256_of

PREDICATE = "urn:malmoi:release:1"
SUBJECTS = (manifests.NAME, sha256sums.NAME, "card.json")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def make(folder: Path) -> dict[str, Any]:
    """Return the statement about the release in `folder`, from its files."""
    made = manifests.read(folder)
    about = {"name": made.name, "version": made.version, "root": made.root}
    return dsse.make_statement({name: sha256_of(folder / name) for name in SUBJECTS}, PREDICATE, about)


def sign(folder: Path, signer: Signer, stamp: Callable[[bytes], bytes] | None = None) -> str:
    """Write `manifest.dsse.json` of a release that verifies, atomically; return the id of the key.

    A signature by another key of the same statement stays beside the new one. `stamp` returns a time stamp of bytes,
    which is written beside the file; a stamp of the same bytes stays, since it is older. CallError if a stamp would
    become invalid and there is no new one.
    """
    made = dsse.sign_statement(make(folder), signer)
    path = folder / SIGNATURE
    if path.exists() and (held := _read(folder)).payload == made.payload:
        others = tuple(one for one in held.signatures if one[0] not in made.key_ids())
        made = replace(made, signatures=tuple(sorted(others + made.signatures)))
    content = made.to_json().encode()
    has_stamp = is_current = (folder / STAMP).exists()
    if has_stamp:
        try:
            time_stamp.parse_stamp((folder / STAMP).read_bytes(), content)
        except ValueError:
            is_current = False
    if is_current:
        stamp = None
    elif has_stamp and stamp is None:
        raise CallError(
            f"{folder / STAMP}: the time stamp of the signature that is there; another signature makes it invalid. Add "
            "--timestamp-url to get a new one, or delete the file. Nothing was signed."
        )
    answer = stamp(content) if stamp else b""
    if answer:
        (folder / STAMP).unlink(missing_ok=True)
    replace_file(path, content.decode())
    if answer:
        replace_file(folder / STAMP, answer)
    return dsse.key_id(signer.public)


def find_faults(folder: Path, public: bytes | None, anchors: Sequence[Certificate] = ()) -> Iterator[tuple[str, str]]:
    """Yield (file, message) for each fault of signature and time stamp, and of the names of the release.

    Without `public`, the public key of the publisher (32 bytes), a missing signature is not a fault, and one that is
    there must agree with the files; who made it is not checked. The same holds for the stamp and `anchors`, the
    certificates of authorities.
    """
    try:
        made = manifests.read(folder)
    except DataError:  # another check reports it
        return
    yield from _check_place(folder, made.name if public else "", made.version)
    yield from _check_stamp(folder, anchors)
    if not (folder / SIGNATURE).exists():
        if public:
            yield SIGNATURE, "missing: the release is not signed, though a public key was given"
        return
    try:
        held = _read(folder)
        said = held.statement()
    except (DataError, ValueError) as error:
        yield SIGNATURE, f"cannot be read as a signed statement: {str(error)[:300]}"
        return
    if public and not held.is_signed_by(public):
        wanted = dsse.key_id(public)
        why = "its payload or its signature was changed" if wanted in held.key_ids() else "another key signed it"
        yield SIGNATURE, f"not signed by the given key {wanted}: {why}"
    yield from _differences(said, make(folder))


def describe(folder: Path) -> str:
    """Return one sentence: whether the release is signed, and by which keys."""
    try:
        keys = _read(folder).key_ids() if (folder / SIGNATURE).exists() else ()
    except (DataError, ValueError):
        return "Its signature cannot be read."
    return f"Signed by the key {' and '.join(keys)}." if keys else "It is not signed."


def describe_stamp(folder: Path) -> str:
    """Return one sentence about the time stamp of a release that verifies; "" if it has none."""
    if not (folder / STAMP).exists():
        return ""
    return f"The signature has a time stamp of {_read_stamp(folder).tst_info.gen_time:%Y-%m-%d %H:%M:%S} UTC."


def _read_stamp(folder: Path) -> TimeStampResponse:
    return time_stamp.parse_stamp((folder / STAMP).read_bytes(), (folder / SIGNATURE).read_bytes())


def _check_stamp(folder: Path, anchors: Sequence[Certificate]) -> Iterator[tuple[str, str]]:
    if not (folder / STAMP).exists():
        if anchors:
            yield STAMP, "missing: the signature has no time stamp, though certificates of an authority were given"
        return
    if not (folder / SIGNATURE).exists():
        yield STAMP, f"a time stamp without {SIGNATURE}"
        return
    try:
        stamp = _read_stamp(folder)
    except ValueError as error:
        yield STAMP, f"not a time stamp of {SIGNATURE}: {error}"
        return
    if anchors and (why := time_stamp.find_fault(stamp, (folder / SIGNATURE).read_bytes(), anchors)):
        yield STAMP, f"no authority under the given certificates made it: {why}"


def _read(folder: Path) -> Envelope:
    try:
        return Envelope.from_json((folder / SIGNATURE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{folder / SIGNATURE}: {error}. Get it again, or delete it and sign again.") from error


def _check_place(folder: Path, name: str, version: str) -> Iterator[tuple[str, str]]:
    """A release in a folder that is called like a version has this version; with a signature, its parent has its name.

    Otherwise an old release could be copied in place of a new one.
    """
    place = folder.resolve()
    if not _VERSION.fullmatch(place.name):
        return
    if place.name != version:
        yield manifests.NAME, f"version {version} lies in the folder {place.name}: another version was put there"
    if name and place.parent.name != name:
        yield manifests.NAME, f"release {name!r} lies in the folder {place.parent.name!r}: another was put there"


def _differences(said: dict[str, Any], wanted: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if said == wanted:
        return
    found = {one["name"]: one["digest"]["sha256"] for one in wanted["subject"]}
    try:
        pairs = ((one["name"], one["digest"]) for one in said["subject"])
        held: dict[Any, Any] = {name: digest["sha256"] for name, digest in pairs if digest.keys() == {"sha256"}}
    except (KeyError, TypeError, AttributeError):
        held = {}
    for name in SUBJECTS:
        if held.get(name) != found[name]:
            yield name, f"changed: its sha256 is {found[name]}, the signed statement says {held.get(name)}"
    about = said.get("predicate")
    if about != wanted["predicate"]:
        yield manifests.NAME, f"gives {json.dumps(wanted['predicate'])}, the signed statement is about {about!r}"[:600]
    elif held == found:
        yield SIGNATURE, f"not a statement of the kind {PREDICATE} about {', '.join(SUBJECTS)} alone"
