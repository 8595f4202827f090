"""Archives of simulated pages: equal for a seed, and the next state of a folder changes only what it names."""

from pathlib import Path

import pytest

from benchmarks import simulated_captures
from malmoi.archive import capture


def bodies(folder: Path) -> dict[str, bytes]:
    """Address → last body, as a source of archives reads them."""
    pages: dict[str, tuple[str, bytes]] = {}
    for path in sorted(folder.glob("*.warc.gz")):
        for entry in capture.scan(path):
            assert not isinstance(entry, capture.Torn)
            page = entry[2]
            pages[page.url] = max(pages.get(page.url, ("", b"")), (page.fetched, page.body))
    return {url: body for url, (_, body) in pages.items()}


@pytest.mark.heavy
def test_equal_arguments_give_equal_archives(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert simulated_captures.write(tmp_path / name, 120, seed=7) == 120
    assert bodies(tmp_path / "one") == bodies(tmp_path / "two")
    assert len(bodies(tmp_path / "one")) == 120


@pytest.mark.heavy
def test_next_state_of_a_folder_adds_changes_and_removes(tmp_path: Path) -> None:
    simulated_captures.write(tmp_path, 200)
    first, file = bodies(tmp_path), (tmp_path / "pages-000000.warc.gz").stat()
    assert simulated_captures.write(tmp_path, 200, add=2, change=1) == 6
    more = bodies(tmp_path)
    assert (tmp_path / "pages-000000.warc.gz").stat() == file
    assert len(more.keys() - first.keys()) == 4
    assert sum(more[url] != first[url] for url in first) == 2
    simulated_captures.write(tmp_path, 200, remove=1)
    less = bodies(tmp_path)
    assert len(less) == 198
    assert less.items() <= first.items()
