"""Describe the columns of a release as the library `datasets` writes them in the header of a card."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from malmoi.releases.release_schema import DATA, MORPHEME_DATA


def describe_columns() -> dict[str, list[dict[str, Any]]]:
    """Return the columns of data/ and of morphemes/."""
    return {"data": describe_features(DATA), "morphemes": describe_features(MORPHEME_DATA)}


def describe_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return name and type of each column.

    >>> describe_features(pa.schema([("n", pa.int32()), ("names", pa.list_(pa.string()))]))
    [{'name': 'n', 'dtype': 'int32'}, {'name': 'names', 'list': 'string'}]
    """
    return [{"name": field.name, **_describe_type(field.type)} for field in schema]


def _describe_type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": describe_features(kind)}
    if pa.types.is_list(kind):
        return {"list": next(iter(_describe_type(kind.value_type).values()))}
    return {"dtype": "float32" if pa.types.is_float32(kind) else str(kind)}
