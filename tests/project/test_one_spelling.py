"""What several modules need is written once: canonical JSON, and what a Hangul syllable is."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Sorted JSON that is not canonical: compared and thrown away, or with the escapes that files of old runs hold.
OTHER_JSON = {
    "malmoi/canonical_json.py",
    "malmoi/releases/verification/verify.py",
    "crawlers/fetch/dump/download.py",
    "flows/engine/shard_jobs.py",
}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for package in ("malmoi", "crawlers", "filters", "data_cards", "flows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            yield from ((name, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_sorted_json_is_written_by_one_module():
    found = {
        name
        for name, node in nodes()
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "json.dumps"
        and any(keyword.arg == "sort_keys" for keyword in node.keywords)
    }
    assert found <= OTHER_JSON


def test_one_function_says_what_a_hangul_syllable_is():
    found = [
        name
        for name, node in nodes()
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.body[-1]) == "return '가' <= char <= '힣'"
    ]
    assert found == ["filters/korean/hangul.py"]
