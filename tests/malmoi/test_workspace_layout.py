"""Every path of a workspace is made in one module."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWNERS = ("malmoi/workspace_layout.py", "malmoi/workspace.py")
FOLDERS = (
    "1-captures", "2-documents", "3-clean", "4-unique", "5-curated", "6-releases", "surveys", "reports",
    "withdrawals.parquet", "terms.json", "malmoi.json", "[2-5]-",
)  # fmt: skip
OF_RELEASES, RELEASE_OWNER = ("data", "audit"), "malmoi/release_files.py"
SEARCHES = ("glob", "rglob", "joinpath", "iterdir", "walk")


def find_paths(code: str, folders: tuple[str, ...] = FOLDERS) -> Iterator[str]:
    """The expressions that make a path below a workspace's root or of one of these folders, or search them."""
    for node in _nodes(code):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = (node.left, [node.right])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SEARCHES:
            parts = (node.func.value, node.args)
        else:
            continue
        if _is_root(parts[0]) or any(_names(part, folders) for part in parts[1]):
            yield ast.unparse(node)


@cache
def _nodes(code: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(code)))


def _is_root(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "root"


def _names(node: ast.AST, folders: tuple[str, ...]) -> bool:
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(segment.startswith(folders) for text in texts for segment in text.split("/"))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("workspace.root / name", "a path below the root"),
        ("folder / '6-releases' / name", "a folder of the layout by its name"),
        ("job.root.glob('*')", "a search of the root"),
        ("place.glob(f'surveys/*/{name}')", "a search that names a folder of the layout"),
        ("place.glob('[2-5]-*/*/ledger.json')", "a search of all stages"),
    ],
)
def test_a_path_that_is_made_elsewhere_is_found(code, why):
    assert list(find_paths(code)), why


@pytest.mark.parametrize(
    "code",
    ["workspace.stage('2-documents', key)", "Layout(root).terms", "folder / 'documents.parquet'", "root / 'pages'"],
)
def test_a_path_that_the_layout_makes_is_none(code):
    assert not list(find_paths(code))


ALONE = "malmoi/export/reader.py"  # it is copied beside a training loop and imports PyArrow alone


@pytest.fixture(scope="module")
def code():
    packages = ("malmoi", "crawlers", "filters", "data_cards", "flows")
    paths = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_every_path_of_a_workspace_is_made_in_the_layout(code):
    assert [(name, made) for name, text in code.items() if name not in OWNERS for made in find_paths(text)] == []


def test_every_path_of_a_table_of_a_release_is_made_in_one_module(code):
    found = [(name, made) for name, text in code.items() for made in find_paths(text, OF_RELEASES)]
    assert [(name, made) for name, made in found if name not in (RELEASE_OWNER, ALONE, *OWNERS)] == []
