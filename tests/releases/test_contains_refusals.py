"""What is no address and no text gets an error, not the answer *no*, which its reader would believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize(
    "url", ["no address", "ga.example.kr/1", "www.ga.example.kr/1", "ftp://ga.kr/", "http://", "http://["]
)
def test_what_is_no_address_is_refused(release: Path, url: str) -> None:
    said = malmoi_in_process("contains", release, "--url", url)
    assert said.returncode == 2 and "write it in full, such as https://" in said.stderr


@pytest.mark.parametrize("url", ["https://ga.kr", "HTTP://user@ga.kr:80/1", "http://[::1]/", "folder:papers/1.txt"])
def test_an_address_in_full_is_answered(release: Path, url: str) -> None:
    assert malmoi_in_process("contains", release, "--url", url).stdout.startswith("no: ")


@pytest.mark.parametrize(
    "content", [b"", b" \n\n", bytes(100), b"\xef\xbb\xbf", b"%PDF-1.7 broken", b"PK\x03\x04 broken"]
)
def test_a_file_without_text_is_refused(release: Path, tmp_path: Path, content: bytes) -> None:
    name = tmp_path / ("work.pdf" if content[:1] in b"%P" and content else "work.txt")
    name.write_bytes(content)
    said = malmoi_in_process("contains", release, "--text", name)
    assert said.returncode == 2 and "holds no text that can be compared" in said.stderr
