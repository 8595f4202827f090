"""Many rows, one test: a case costs its own time alone, and the rows that fail are listed together."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any


def each_row(
    names: str | tuple[str, ...], rows: Iterable[Any], *, ids: Callable[[Any], object] | Iterable[str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a test with every row, as `pytest.mark.parametrize` does, but within one test.

    The fixtures of the test are made once for all rows. `ids` names a row that fails: a function of each of its values,
    or a name for each row.
    """
    columns = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = list(rows)
    values = table if len(columns) > 1 else [(row,) for row in table]
    if ids is None or callable(ids):
        labels = ["-".join(str(ids(value) if callable(ids) else value) for value in row) for row in values]
    else:
        labels = [str(label) for label in ids]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def check_all(**fixtures: Any) -> None:
            failures = []
            for row, label in zip(values, labels, strict=True):
                try:
                    test(**fixtures, **dict(zip(columns, row, strict=True)))
                except Exception as error:
                    failures.append(f"{label:.200}: {type(error).__name__}: {error!s:.2000}")
            assert not failures, f"{len(failures)} of {len(table)} rows:\n" + "\n".join(failures)
            assert table, "no rows"

        parameters = inspect.signature(test).parameters.items()
        kept = [parameter for name, parameter in parameters if name not in columns]
        check_all.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
        return check_all

    return decorate
