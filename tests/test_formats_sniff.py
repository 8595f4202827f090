"""The format is told by content first; what cannot be read is dropped with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import formats
from malmoi.source import Item

DATA = Path(__file__).parent / "data" / "formats"


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def item(body: str | bytes, media: str, name: str) -> Item:
    return Item(key=name, url=f"https://a.example/{name}", body=body, media=media, charset="", record="r")


@pytest.mark.parametrize("case", cases("sniff.jsonl"), ids=lambda case: case["why"])
def test_bytes_are_what_they_are(case: dict[str, Any]) -> None:
    assert formats.sniff(bytes.fromhex(case["hex"]), case["media"], case["name"]) == case["format"]


@pytest.mark.parametrize("case", cases("drops.jsonl"), ids=lambda case: case["why"])
def test_what_gives_no_text_is_dropped_with_its_reason(case: dict[str, Any]) -> None:
    found = formats.extract(item(bytes.fromhex(case["hex"]), case["media"], case["name"]))
    assert (found.outcome, found.reason, found.format) == ("dropped", case["reason"], case["format"])
    assert found.text == ""


@pytest.mark.parametrize("case", cases("rows.jsonl"), ids=lambda case: case["why"])
def test_a_row_passes_through_as_text(case: dict[str, Any]) -> None:
    found = formats.extract(item(case["body"], "text/plain", "a.csv"))
    assert (found.text, found.format) == (case["text"], "row")
    assert found.outcome == ("kept" if case["text"] else "dropped")


def test_a_text_file_keeps_its_words_and_loses_its_carriage_returns() -> None:
    found = formats.extract(item("하나\r\n둘\n".encode("cp949"), "text/plain", "a.txt"))
    assert (found.text, found.encoding, found.format) == ("하나\n둘", "cp949", "text")


@given(st.binary(max_size=200), st.sampled_from(["", "text/html", "text/plain", "text/markdown"]))
def test_no_bytes_make_extraction_fail(body: bytes, media: str) -> None:
    found = formats.extract(item(body, media, "a"))
    assert (found.outcome == "kept") == bool(found.text)
    assert bool(found.reason) == (found.outcome == "dropped")
