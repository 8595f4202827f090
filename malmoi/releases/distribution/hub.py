"""Publish a release to a dataset hub, hf://datasets/OWNER/NAME: one commit, tagged with the version.

The files of the release are the root of the repository, where the hub looks for README.md. The hub keeps uploaded files
by digest, so that an upload that was interrupted continues, and files of the version before are not sent again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from malmoi.errors import CallError, MalmoiError, StageError
from malmoi.releases.distribution import Payload, Published
from malmoi.storage.shard import sha256_of

_ADDRESS: Final = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?")
_OWN: Final = (".gitattributes",)  # files of the hub itself


def parse_address(url: str) -> str:
    """Return OWNER/NAME of a dataset repository.

    >>> parse_address("hf://datasets/me/ko")
    'me/ko'
    """
    found = _ADDRESS.fullmatch(url)
    if not found:
        raise CallError(f"{url} is not a dataset repository; write hf://datasets/OWNER/NAME.")
    return found[1]


def describe_upload(payload: Payload, repository: str) -> Iterator[str]:
    """Yield what an upload would do, one line each; nothing is sent."""
    yield f"would upload {len(payload.items):,} files, {payload.size:,} bytes, to the dataset {repository}:"
    yield from (f"  {item.size:>13,}  {item.path}" for item in payload.items)
    yield f"as one commit, tagged {payload.version}; a new repository is private. Nothing was sent: add --yes."


def publish_to_hub(payload: Payload, repository: str, endpoint: str = "") -> Published:
    """Upload the release as one commit and tag it with its version; files of other versions leave the branch.

    CallError if huggingface_hub is not installed or the tag names another release, StageError if the hub refuses.
    """
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise CallError(
            "publishing to a hub needs the package huggingface_hub, which is not installed. Install it with "
            "`pip install 'malmoi[hub]'`, and run the same command again."
        ) from error
    for item in payload.items:  # the whole release is read before anything is sent
        payload.send(item, lambda block: None)
    api = hub.HfApi(endpoint=endpoint or None)
    try:
        return _upload(hub, api, payload, repository)
    except MalmoiError:
        raise
    except Exception as error:  # the client raises errors of its HTTP library, its own, and built-in ones
        raise StageError(
            f"hf://datasets/{repository}: {' '.join(str(error).split())[:500]}. Files that were uploaded are kept. "
            "Check HF_TOKEN and the name, and run the same command again."
        ) from error


def _upload(hub: Any, api: Any, payload: Payload, repository: str) -> Published:
    place = f"hf://datasets/{repository}@{payload.version}"
    api.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
    if payload.version in {tag.name for tag in api.list_repo_refs(repository, repo_type="dataset").tags}:
        held = api.hf_hub_download(repository, payload.sums.path, repo_type="dataset", revision=payload.version)
        if sha256_of(Path(held)) != payload.sums.sha256:
            raise CallError(f"{place} is another release, and a release is never edited. Publish the next version.")
        return Published(place, 0, len(payload.items))
    there = api.list_repo_files(repository, repo_type="dataset")
    gone = sorted(set(there) - {item.path for item in payload.items} - {*_OWN})
    done = api.create_commit(
        repository,
        [
            *(hub.CommitOperationAdd(item.path, str(payload.folder / item.path)) for item in payload.items),
            *(hub.CommitOperationDelete(path) for path in gone),
        ],
        commit_message=f"{payload.name} {payload.version}",
        repo_type="dataset",
    )
    api.create_tag(repository, tag=payload.version, revision=done.oid, repo_type="dataset")
    return Published(place, len(payload.items), 0)
