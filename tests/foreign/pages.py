"""The examples that pages of docs/ show for a tool, in their order."""

import re
from pathlib import Path

from tests.builders.small_tutorial import read_blocks

DOCS = Path(__file__).parents[2] / "docs"
# The imports that say whose example a block is; the first tool of this list counts. PyArrow gets all other blocks.
IMPORTS = {
    "torch": {"torch", "torchdata", "streaming"},
    "mlcroissant": {"mlcroissant"},
    "datasets": {"datasets"},
    "duckdb": {"duckdb"},
    "polars": {"polars"},
}


def read_commands(page: str) -> list[str]:
    """Return the commands that a page shows."""
    return [line for kind, code in _read(page) if kind == "sh" for line in code.splitlines() if line]


def read_examples(page: str, tool: str) -> str:
    """Return the examples of a page for a tool as one script; empty if it has none."""
    return "\n\n".join(code for kind, code in _read(page) if kind == "python" and find_tool(code) == tool)


def find_tool(code: str) -> str:
    """Return the tool that a block of Python shows.

    >>> find_tool("import duckdb"), find_tool("from torch.utils.data import IterableDataset"), find_tool("print(1)")
    ('duckdb', 'torch', 'pyarrow')
    """
    imported = {*re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)}
    return next((tool for tool, names in IMPORTS.items() if names & imported), "pyarrow")


def _read(page: str) -> list[tuple[str, str]]:
    return [(one.kind, one.body) for one in read_blocks((DOCS / page).read_text(encoding="utf-8"))]
