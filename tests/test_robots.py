"""robots.txt: what allows, what forbids, and in how many spellings a path may come."""

import json
from pathlib import Path
from typing import Any

import pytest

from crawlers.fetch import robots

CASES = [json.loads(line) for line in (Path(__file__).parent / "data" / "robots.jsonl").read_text("utf-8").splitlines()]
AGENT = "Malmoi/0.1 (+https://example.kr/about-crawl)"


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_robots_decide_as_the_table_says(case: dict[str, Any]) -> None:
    body = case["body"].encode(case.get("encoding", "utf-8"))
    found = robots.decide(case["status"], body, "https://example.kr" + case["path"], AGENT)
    assert found.reason == case["reason"]
    assert found.allowed == case.get("allowed", case["reason"] == "robots-allow")
    assert found.delay == case.get("delay")


def test_what_stands_behind_the_first_500_kib_is_ignored() -> None:
    body = b"User-agent: *\nDisallow: /a\n" + b"# comment\n" * 60_000 + b"Disallow: /b\n"
    assert not robots.decide(200, body, "https://example.kr/a", AGENT).allowed
    assert robots.decide(200, body, "https://example.kr/b", AGENT).allowed


def test_a_rule_cut_in_the_middle_does_not_become_a_shorter_rule() -> None:
    head = b"User-agent: *\n"
    body = head + b"#" * (robots.MAX_BYTES - len(head) - len("\nDisallow: /a")) + b"\nDisallow: /abcdef"
    assert robots.decide(200, body, "https://example.kr/axx", AGENT).allowed


def test_a_line_without_end_is_unreadable() -> None:
    assert robots.decide(200, b"a" * 600_000, "https://example.kr/", AGENT).reason == "robots-unreadable"
