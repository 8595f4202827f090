"""Commands about a workspace: erasures and tombstones, the index of its releases, copies of buckets; and recipes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import (
    DryOption,
    JsonLinesOption,
    OutputArgument,
    RecipeArgument,
    WaitOption,
    WorkspaceOption,
    find_release_folder,
    out,
    wait_for_lock,
)
from malmoi.errors import CallError
from malmoi.printable import dump_json
from malmoi.storage.location import find_address, find_copies, locate

withdrawals = App(name="withdrawals", help="Tombstones: what must not appear again. List, import, export, revoke.")
index = App(name="index", help="Deduplication index over published releases: list it and query it.")
cache = App(name="cache", help="Local copies of workspaces in buckets: list them, and free the disk that they take.")
recipe = App(name="recipe", help="Show a recipe in full, or compare two.")
SideArgument = Annotated[
    str, Parameter(help="A shipped recipe, a path that ends in .toml, or the folder of a release.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Selectors:
    """Options that name what must go."""

    id: Annotated[list[str] | None, Parameter(help="Id of a document, as in data/.")] = None
    url: Annotated[list[str] | None, Parameter(help="Address of a page.")] = None
    url_prefix: Annotated[list[str] | None, Parameter(help="Address; covers all pages below it.")] = None
    text_sha256: Annotated[list[str] | None, Parameter(help="sha256 (hex) of a published text.")] = None
    value: Annotated[bool, Parameter(help="Read values from standard input, one a line; stored keyed only.")] = False


def erase(
    release: Annotated[str, Parameter(help="Name, name/version or folder of a release of the workspace.")],
    *,
    what: Selectors = Selectors(),  # frozen
    reason: Annotated[str, Parameter(help="Reason of the erasure; needed to name what must go.")] = "",
    request: Annotated[str, Parameter(help="Who asked for it, or the number of the request.")] = "",
    copies: Annotated[bool, Parameter(help="Erase the recorded near-duplicates too.")] = False,
    wait: WaitOption = None,
    dry_run: DryOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Erase documents from a release: a patch version without them; they do not come back.

    Without a name of what must go, an erasure that was stopped is continued.
    """
    from flows import withdrawals as withdrawing

    texts = [digest.lower() for digest in what.text_sha256 or ()]
    keys = {"id": what.id, "url": what.url, "url-prefix": what.url_prefix, "text-sha256": texts}
    named = [(kind, key) for kind, given in keys.items() for key in given or ()]
    values = [line.rstrip("\r\n") for line in sys.stdin if line.strip()] if what.value else None
    with wait_for_lock("erase", wait):
        withdrawing.erase(workspace, release, named, values, (reason, request), copies=copies, dry=dry_run, out=out)


@withdrawals.default
def list_withdrawals(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List all tombstones, revoked ones too; a value is shown as its keyed digest."""
    from flows import withdrawals as withdrawing

    withdrawing.show_tombstones(workspace, out)


withdrawals.command(list_withdrawals, name="list")


@withdrawals.command(name="import")
def import_withdrawals(file: Path, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Add the tombstones of a file of JSON lines: kind, key, reason, and optionally date and request."""
    from flows import withdrawals as withdrawing

    withdrawing.import_tombstones(workspace, file, out)


@withdrawals.command(name="export")
def export_withdrawals(file: OutputArgument, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Write all tombstones to a file of JSON lines; - is standard output."""
    from flows import withdrawals as withdrawing

    withdrawing.export_tombstones(workspace, file, out)


@withdrawals.command(name="revoke")
def revoke_withdrawals(key: str, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Revoke the tombstones with this key: an id, an address or a digest, as `malmoi withdrawals` lists it."""
    from flows import withdrawals as withdrawing

    withdrawing.revoke(workspace, key, out)


@index.default
def list_index(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List the index segments: release, version, documents, size, masked documents; why some are inactive."""
    from flows import release_index

    release_index.show_segments(workspace, out)


@index.command(name="query")
def query_index(
    *files: Path,
    jsonl: JsonLinesOption = None,
    threshold: Annotated[
        float,
        Parameter(validator=Number(gte=0.5, lte=1), help="Minimum estimated Jaccard similarity of a near-duplicate."),
    ] = 0.8,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Find published near-duplicates of texts; print one JSON object per text, in input order."""
    from flows import release_index
    from flows.release_index import open_workspace

    for answer in release_index.ask(open_workspace(workspace), release_index.read_texts(files, jsonl), threshold):
        sys.stdout.write(dump_json(answer) + "\n")


@cache.default
def list_cache() -> None:
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
        out.print(f"{find_copies()}: no local copy.")


@cache.command(name="trim")
def trim_cache(
    workspace: Annotated[str, Parameter(help="s3://BUCKET/PREFIX of the workspace, or the folder of its copy.")],
) -> None:
    """Free the disk of large files that the bucket has; each is downloaded again when it is read.

    What is not uploaded yet stays. No command may run over this copy.
    """
    root = locate(workspace)
    if not find_address(root):
        raise CallError(f"{workspace} is a folder, not a workspace in a bucket; name s3://BUCKET/PREFIX.")
    freed = _open_copy(root).trim() if root.exists() else 0
    out.print(f"{find_address(root)}: {freed / 1e6:,.1f} MB freed")


def _open_copy(root: Path) -> Any:
    from malmoi.storage.working_copy import find_copy

    return find_copy(root)


@recipe.command(name="show")
def show_recipe(name: RecipeArgument) -> None:
    """Print a recipe as TOML that runs again: `extends` resolved, every parameter with its value."""
    from flows import recipe_text
    from flows.run import find_recipe

    print(recipe_text.render_recipe(find_recipe(name)), end="")


@recipe.command(name="diff")
def diff_recipes(a: SideArgument, b: SideArgument) -> None:
    """Print the differences between two recipes, one per line: A → B."""
    from flows import recipe_text
    from malmoi.releases import manifest

    folders = [find_release_folder(given) for given in (a, b)]
    sides = (
        recipe_text.read_release(folder) if (folder / manifest.NAME).is_file() else recipe_text.read_recipe(given)
        for given, folder in zip((a, b), folders, strict=True)
    )
    for line in recipe_text.compare_sides(*sides):
        out.print(line)
