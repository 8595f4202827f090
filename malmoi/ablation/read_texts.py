"""Read the texts of an input: Parquet, JSON lines or plain files, the rows that a condition selects."""

from __future__ import annotations

from pathlib import Path

from malmoi.ablation.plan import Texts
from malmoi.errors import CallError, DataError
from malmoi.release_files import data_files
from malmoi.storage.duckdb_tables import list_columns, select_texts

ID = "id"  # column whose values name a document in every input
KINDS = {  # ending of a file → kind
    ".parquet": "parquet",
    **dict.fromkeys((".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst"), "json"),
    ".txt": "text",
}


def read_texts(base: Path, given: Texts, most: int, *, tmp: Path) -> list[tuple[str, str]]:
    """Return (id, text) of a release, a folder, a file or a pattern, at most about `most` code points.

    The id is that of the column `id`; the text where that is missing. The order is that of a hash of the id, so a part
    is a sample. Empty texts are left out. CallError if the files, the column or the texts do not exist, or the
    condition fails.
    """
    files = _find_files(base, given)
    kinds = {_find_kind(path) for path in files}
    if len(kinds) > 1:
        raise CallError(
            f"{given.name}: {given.path} has files of several kinds ({', '.join(sorted(kinds))}). Name those of one, "
            "with a pattern such as 'folder/*.parquet'."
        )
    kind, column = kinds.pop(), given.text
    try:
        columns = list_columns(kind, files)
    except DataError as error:
        raise CallError(
            f"{given.name}: {given.path} cannot be read ({error}). Write or copy the file again."
        ) from error
    if kind == "text":
        column = "content"
    elif column not in columns:
        raise CallError(
            f"{given.name}: {given.path} has no column {column!r}; name its column of text in the plan with "
            f"`text`. Columns: {', '.join(sorted(columns))}."
        )
    if columns[column] != "VARCHAR":
        raise CallError(
            f"{given.name}: column {column!r} of {given.path} holds {columns[column]}, not text. Name "
            "another with `text`."
        )
    try:
        found = select_texts(kind, files, column, given.where, most, tmp=tmp, id_column=ID if ID in columns else "")
    except DataError as error:
        raise CallError(
            f"{given.name}: {given.path} cannot be read with the condition {given.where!r}: {error} "
            f"Columns: {', '.join(sorted(columns))}."
        ) from error
    if not found:
        raise CallError(f"{given.name}: no text of {given.path} is selected. Correct `path`, `text` or `where`.")
    return found


def _find_files(base: Path, given: Texts) -> list[Path]:
    path = base / given.path
    if (path / "manifest.json").is_file():
        found = data_files(path)
    elif path.is_dir():
        found = sorted(one for one in path.rglob("*") if one.is_file() and _find_kind(one))
    elif path.is_file():
        found = [path]
    else:
        root = Path(path.anchor or ".")
        found = sorted(one for one in root.glob(path.relative_to(path.anchor).as_posix()) if one.is_file())
    if not found or not all(map(_find_kind, found)):
        raise CallError(
            f"{given.name}: {path} is not a release, a folder or a file of texts. Name one, or a pattern; files of "
            f"texts end in {', '.join(KINDS)}."
        )
    return found


def _find_kind(path: Path) -> str:
    return next((kind for end, kind in KINDS.items() if path.name.lower().endswith(end)), "")
