"""The sums of a folder: parsed once, and again after each change."""

from __future__ import annotations

from pathlib import Path

import pytest

from malmoi.errors import StageError
from malmoi.storage import checksummed_files


def test_the_sums_of_a_folder_are_parsed_once_for_all_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.parquet").write_text(name, encoding="utf-8")
    checksummed_files.write(tmp_path)
    parsed, digest_of = [], checksummed_files.digest_of
    monkeypatch.setattr(checksummed_files, "digest_of", lambda value: parsed.append(value) or digest_of(value))
    checksummed_files.check_folder(tmp_path)
    assert len(parsed) == 1
    (tmp_path / "b.parquet").write_text("changed", encoding="utf-8")
    with pytest.raises(StageError, match=r"b\.parquet"):
        checksummed_files.check_folder(tmp_path)
    checksummed_files.write(tmp_path)
    checksummed_files.check_folder(tmp_path)


def test_a_folder_that_gets_sums_is_checked_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a", encoding="utf-8")
    checksummed_files.check(tmp_path / "a.parquet")
    (tmp_path / checksummed_files.NAME).write_text("{", encoding="utf-8")
    (tmp_path / "a.parquet").write_text("other", encoding="utf-8")
    with pytest.raises(StageError, match=r"sums\.json"):
        checksummed_files.check(tmp_path / "a.parquet")
