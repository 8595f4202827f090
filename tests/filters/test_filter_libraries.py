"""What a filter's findings depend on is declared, so that another version of it makes another stage."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from malmoi import recipe
from tests.builders.rows import each_row

ROOT = Path(__file__).parents[2]
OURS = {path.name for path in ROOT.iterdir() if path.is_dir()}
# Bounds of parameters, the table at the door, the compiler of kernels over integers: none has a part in findings.
NO_PART_IN_FINDINGS = {"pydantic", "pyarrow", "numba", "llvmlite"}
BEHIND = {"kiwipiepy": {"kiwipiepy_model"}}  # what a package reads without being imported by us


def imported(name: str, seen: set[str]) -> set[str]:
    """Distributions that the module `name` and the helpers in `filters` that it imports take in."""
    spec = find_spec(name)
    if spec is None or spec.origin is None or name in seen:
        return set()
    seen.add(name)
    found: set[str] = set()
    for statement in _import_statements(spec.origin):
        for module in statement:
            top = module.split(".")[0]
            if top == "filters":
                found |= imported(module, seen) if _exists(module) else set()
            elif top not in sys.stdlib_module_names and top not in OURS:
                found |= {_distributions()[top][0]}
    return found


@cache
def _import_statements(file: str) -> list[list[str]]:
    """What each import statement of a file may take in; names in a module of filters are tried as modules."""
    found: list[list[str]] = []
    for node in ast.walk(ast.parse(Path(file).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.append([alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names if node.module.startswith("filters.")]
            found.append([node.module, *names])
    return found


_distributions = cache(packages_distributions)  # it reads the metadata of every installed package


@cache
def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a name inside a module
        return False


@each_row("name", recipe.list_filters())
def test_a_filter_names_every_package_that_its_findings_depend_on(name: str) -> None:
    needed = imported(f"filters.{name}", set()) - NO_PART_IN_FINDINGS
    for package in tuple(needed):
        needed |= BEHIND.get(package, set())
    libraries = getattr(import_module(f"filters.{name}"), "LIBRARIES", ())
    assert set(libraries) == needed
    assert all(version(library) for library in libraries)
