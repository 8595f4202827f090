"""Validate the path of a workspace: a local folder or one of a mounted share; URLs are refused."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from malmoi.errors import CallError, is_disk_full

# Path("s3://bucket") is s3:/bucket: mkdir would create a local folder called like the URL, and data would go there.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The same for the form of a Prefect server; `locate` checks what a pattern cannot (a file, permissions).
PATTERN = r"^(/+[^/\x00-\x1f\x7f]|[^/~$:\x00-\x20\x7f][^:\x00-\x1f\x7f]*(/|$))"


def locate(given: str | Path) -> Path:
    """Return the absolute path of a workspace; nothing is created. CallError if a workspace cannot be there.

    >>> locate("s3://bucket/corpus")
    Traceback (most recent call last):
    ...
    malmoi.errors.CallError: workspace 's3://bucket/corpus' is an address; name a folder ...
    """
    text = str(given)
    if wrong := _refusal(text):
        raise CallError(f"workspace {text!r} {wrong}")
    root = Path(text).absolute()
    if os.path.realpath(root) == os.path.realpath("/"):
        raise CallError(f"workspace {text!r} is the root of the file system; name a folder below it.")
    there = next(path for path in (root, *root.parents) if os.path.lexists(path))
    if not Path(there).is_dir():
        raise CallError(f"workspace {text!r}: {there} is not a folder; name one.")
    return root


def _refusal(text: str) -> str:
    if not text.strip():
        return "is empty; name a folder, such as 'workspace'."
    if _CONTROL.search(text):
        return "holds a control character; name a folder without one."
    if _SCHEME.match(text):
        return (
            "is an address; name a folder of this machine or of a mounted share, such as /mnt/share/ws. "
            "If a folder really has this name, write its absolute path."
        )
    if text[0] in "~$":
        return f"begins with {text[0]!r}, which no shell has replaced; write the whole path, such as /home/me/ws."
    return ""


@contextmanager
def explain_write_errors(root: Path) -> Iterator[None]:
    """Translate an OSError of the body about the workspace at `root` into a CallError; a full disk stays an OSError."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error) or error.errno in (None, errno.EIO):
            raise
        where = error.filename or root
        raise CallError(
            f"workspace {root} cannot be used ({error.strerror}: {where}); name a folder that you may write to, "
            "or get the permission."
        ) from error
