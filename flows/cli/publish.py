"""Publish a release to a folder, to S3-compatible storage, or to a dataset hub."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from flows.plurals import count_of
from malmoi.erasure_plan import find_unfinished
from malmoi.errors import CallError
from malmoi.printable import escape_line
from malmoi.releases.distribution.payload import Payload, Published, read_payload
from malmoi.storage.location import find_endpoint
from malmoi.workspace import Workspace


def publish(release: Path, target: str, endpoint: str, *, read_back: bool, yes: bool, out: Console) -> None:
    """Copy the release to `target`, and print where it is. A hub gets nothing without `yes`."""
    if (root := find_unfinished(release)) is not None:
        with Workspace.open(root).lock():  # continues the erasure: nothing leaves that was to go
            pass
    payload = read_payload(release)
    if target.startswith("hf:") and not yes:
        from malmoi.releases.distribution import hub

        for line in hub.describe_upload(payload, hub.parse_address(target)):
            out.print(escape_line(line), markup=False)
        return
    done = _send(payload, target, endpoint, read_back=read_back)
    out.print(
        f"{payload.name} {payload.version}: published at {done.place}, {count_of(done.copied, 'file')} copied, "
        f"{done.kept:,} there already\n  root {payload.root}",
        markup=False,
    )


def _send(payload: Payload, target: str, endpoint: str, *, read_back: bool) -> Published:
    if target.startswith("hf:"):
        from malmoi.releases.distribution import hub

        return hub.publish_to_hub(payload, hub.parse_address(target), endpoint)
    if target.startswith("s3:"):
        from malmoi.releases.distribution import s3

        return s3.publish_to_s3(payload, s3.Storage(target, endpoint or find_endpoint()), read_back=read_back)
    if "://" in target or not target.strip():
        raise CallError(f"{target!r} is not a target; name a folder, s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME.")
    from malmoi.releases.distribution.folder import publish_to_folder

    return publish_to_folder(payload, Path(target).absolute())
