"""Find the folder of a workspace: that folder itself, or the local copy of s3://BUCKET/PREFIX; other URLs are refused.

Copies are in $MALMOI_CACHE, or in `malmoi` of the user's cache, in a folder that names service, bucket and prefix. Each
process, on any machine, thus finds the address of a copy from its path (`find_address`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from malmoi.errors import CallError, is_disk_full
from malmoi.workspace_layout import RELEASES

# Path("s3://bucket") is s3:/bucket: mkdir would create a local folder called like the URL, and data would go there.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_IN_BUCKET = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^/\x00-\x1f\x7f]+)+/?"
# (what a given name is, a pattern that finds it, what to write instead)
_REFUSED = (
    ("an empty name", r"^\s*$", "name a folder, such as 'workspace'."),
    ("a name with a control character", r"[\x00-\x1f\x7f]", "name a folder without one."),
    (
        "an address without a valid bucket name",
        r"^s3://(?![a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/|$))",
        "bucket names have 3 to 63 characters: lower-case letters, digits, dots and hyphens, the first and the last a "
        "letter or digit. Write s3://BUCKET/PREFIX.",
    ),
    (
        "an address of a bucket without a prefix",
        r"^s3://[^/]+/*$",
        "write s3://BUCKET/PREFIX: a workspace is not a whole bucket.",
    ),
    ("an address with an empty part in its prefix", r"^s3://.*//", "write s3://BUCKET/PREFIX, each / once."),
    (
        "an address",
        r"^(?!s3://)[A-Za-z][A-Za-z0-9+.-]*:",
        "name a folder of this machine or of a mounted share, such as /mnt/share/ws, or s3://BUCKET/PREFIX. If a "
        "folder really has this name, write its absolute path.",
    ),
    (
        "a path that begins with ~ or $",
        r"^[~$]",
        "no shell has replaced it: write the whole path, such as /home/me/ws.",
    ),
)
# The same for the form of a Prefect server, whose users name folders below MALMOI_HOME or absolute paths; `locate`
# checks what a pattern cannot (a file, permissions).
REFUSED_IN_FORMS = {what: pattern for what, pattern, _ in _REFUSED} | {
    "a path with the part '..'": r"(^|/)\.\.(/|$)",
    "the root of the file system": r"^/(\.?/)*\.?$",
}


def locate(given: str | Path) -> Path:
    """Return the absolute path of a workspace; nothing is created. CallError if a workspace cannot be there.

    >>> locate("gs://bucket/corpus")
    Traceback (most recent call last):
    ...
    malmoi.errors.CallError: workspace 'gs://bucket/corpus' is an address; ...
    >>> find_address(locate("s3://bucket/ko/corpus"))
    's3://bucket/ko/corpus'
    """
    text = str(given)
    if re.fullmatch(_IN_BUCKET, text):
        bucket, _, prefix = text.removeprefix("s3://").rstrip("/").partition("/")
        return find_copies() / f"{bucket}-{_digest_service()}" / quote(prefix, safe="")
    if wrong := _refusal(text):
        raise CallError(f"workspace {text!r} {wrong}")
    root = Path(text).absolute()
    if os.path.realpath(root) == os.path.realpath("/"):
        raise CallError(f"workspace {text!r} is the root of the file system; name a folder below it.")
    there = next(path for path in (root, *root.parents) if os.path.lexists(path))
    if not Path(there).is_dir():
        raise CallError(f"workspace {text!r}: {there} is not a folder; name one.")
    return root


def locate_output(given: str) -> Path:
    """Return the path of a file or folder to write on this machine; CallError for an address.

    >>> locate_output("s3://bucket/export")
    Traceback (most recent call last):
    ...
    malmoi.errors.CallError: 's3://bucket/export' is an address; ...
    """
    if re.match(_SCHEME.pattern + "//", given):
        raise CallError(f"{given!r} is an address; name a file or folder of this machine, and copy it from there.")
    return Path(given)


def locate_release(given: str) -> tuple[Path, str]:
    """Return the workspace and the NAME/VERSION of a release in a bucket; for any other path, itself and "".

    >>> root, version = locate_release("s3://bucket/ko/6-releases/general/1.0.0")
    >>> find_address(root), version
    ('s3://bucket/ko', 'general/1.0.0')
    """
    place, mark, version = given.rstrip("/").partition(f"/{RELEASES}/")
    return (locate(place), version) if mark and re.fullmatch(_IN_BUCKET, place) else (Path(given), "")


def find_address(root: Path) -> str:
    """Return the s3:// address of which the workspace at `root` is the local copy; "" for any other folder."""
    try:
        bucket, prefix = root.absolute().relative_to(find_copies()).parts
    except ValueError:
        return ""
    name, _, service = bucket.rpartition("-")
    if service != _digest_service():
        raise CallError(
            f"{root} is the local copy of a bucket at another address than AWS_ENDPOINT_URL names; set that variable "
            "as it was, or name the workspace as s3://BUCKET/PREFIX."
        )
    return f"s3://{name}/{unquote(prefix)}"


def find_copy_root(path: Path) -> Path | None:
    """Return the root of the local copy of a bucket that contains the absolute `path`, or None."""
    try:
        bucket, prefix, *_ = path.relative_to(find_copies()).parts
    except ValueError:
        return None
    return find_copies() / bucket / prefix


def describe_place(path: Path) -> str:
    """Return where a file or folder is, for a message: of a local copy the address, and that a copy was read."""
    if (root := find_copy_root(path.absolute())) is None:
        return str(path)
    return f"{find_address(root)}/{path.absolute().relative_to(root).as_posix()} (read from the copy {path})"


def find_endpoint() -> str:
    """Return the address of the S3 service that the environment names; "" for Amazon's own."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def _digest_service() -> str:
    """Return eight hexadecimal digits for the S3 service: two services may have a bucket of the same name."""
    return hashlib.sha256(find_endpoint().rstrip("/").encode()).hexdigest()[:8]


def find_copies() -> Path:
    """Return the folder of all local copies on this machine."""
    home = os.environ.get("MALMOI_CACHE")
    cache = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "malmoi"
    return cache.absolute() / "buckets"


def _refusal(text: str) -> str:
    found = (f"is {what}; {advice}" for what, pattern, advice in _REFUSED if re.search(pattern, text))
    return next(found, "")


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
