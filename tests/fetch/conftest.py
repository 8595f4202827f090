"""Crawlers are forks, which cost no imports."""

import pytest

from tests.builders.forked_crawler import forked_crawlers as forked_crawlers


@pytest.fixture(scope="session", autouse=True)
def _fork_crawlers(forked_crawlers: None) -> None:
    """Collections of these tests fork their crawlers."""
