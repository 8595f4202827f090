"""`malmoi cache`: the local copies of workspaces in buckets."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from flows.cli.options import out
from malmoi.errors import CallError
from malmoi.storage.location import find_address, find_copies, locate

cache = App(name="cache", help="Local copies of workspaces in buckets: list them, and free the disk that they take.")


@cache.default
def list_() -> None:
    """List the local copies: what they take on this disk, what the workspace has, and what is not uploaded yet."""
    from rich.table import Table

    shown = Table("workspace", "on this disk", "in all", "files not uploaded", "folder")
    for root in sorted(path for path in find_copies().glob("*/*") if path.is_dir()):
        try:
            usage = _open_copy(root).measure()
        except CallError:
            shown.add_row("of another AWS_ENDPOINT_URL", "", "", "", str(root))
            continue
        sizes = (f"{size / 1e6:,.1f} MB" for size in (usage.here, usage.total))
        shown.add_row(find_address(root), *sizes, f"{usage.changed:,}", str(root))
    if shown.row_count:
        out.print(shown)
    else:
        out.print(f"{find_copies()}: no local copy.", markup=False)


@cache.command(name="trim")
def trim(
    workspace: Annotated[str, Parameter(help="s3://BUCKET/PREFIX of the workspace, or the folder of its copy.")],
) -> None:
    """Free the disk of large files that the bucket has; each is downloaded again when it is read.

    What is not uploaded yet stays. No command may run over this copy.
    """
    root = locate(workspace)
    if not find_address(root):
        raise CallError(f"{workspace} is a folder, not a workspace in a bucket; name s3://BUCKET/PREFIX.")
    freed = _open_copy(root).trim() if root.exists() else 0
    out.print(f"{find_address(root)}: {freed / 1e6:,.1f} MB freed", markup=False)


def _open_copy(root: Any) -> Any:
    from malmoi.storage.working_copy import find_copy

    return find_copy(root)
