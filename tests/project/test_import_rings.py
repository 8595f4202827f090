"""Imports form no ring: not between modules, imports for type checkers included, and not between packages."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("malmoi", "crawlers", "filters", "data_cards", "flows")


def read_imports(root: Path, packages: Iterable[str]) -> dict[str, set[str]]:
    """Each module → the modules of these packages that it imports, wherever in the file, for type checkers too."""
    files = {_module(root, path): path for package in packages for path in sorted((root / package).rglob("*.py"))}
    return {
        module: {target for named in _imports(path, module) if (target := _known(named, files)) and target != module}
        for module, path in files.items()
    }


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _known(name: str, files: Mapping[str, Path]) -> str:
    """The module that an imported name is, or is defined in; "" where it is not one of ours."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


def neighbours(graph: Mapping[str, set[str]], house: str) -> dict[str, set[str]]:
    """The graph between the files and folders directly in the package `house`, each folder with all that it holds."""
    prefix = f"{house}." if house else ""

    def room(module: str) -> str:
        return prefix + module.removeprefix(prefix).split(".")[0]

    found: dict[str, set[str]] = {}
    for module, targets in graph.items():
        if module.startswith(prefix):
            inside = {room(target) for target in targets if target.startswith(prefix)}
            found.setdefault(room(module), set()).update(inside - {room(module)})
    return found


def find_rings(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The groups of nodes that reach each other (strongly connected components of two or more), sorted."""
    return sorted({tuple(sorted(ring)) for node in graph if len(ring := _ring_of(graph, node)) > 1})


def _ring_of(graph: Mapping[str, Iterable[str]], node: str) -> set[str]:
    back: dict[str, set[str]] = {}
    for source, targets in graph.items():
        for target in targets:
            back.setdefault(target, set()).add(source)
    return _reach(graph, node) & _reach(back, node)


def _reach(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        new = set(graph.get(todo.pop(), ())) - seen
        seen |= new
        todo += new
    return seen


@pytest.fixture(scope="module")
def graph():
    return read_imports(ROOT, PACKAGES)


def write(root: Path, files: Mapping[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_imports(root, ("house",))


def test_an_import_for_type_checkers_closes_a_ring(tmp_path):
    found = write(
        tmp_path,
        {
            "house/__init__.py": "",
            "house/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.b import B\n",
            "house/b.py": "def late():\n    from . import c\n",
            "house/c.py": "import house.a\n",
            "house/d.py": "from house.a import x\n",
        },
    )
    assert find_rings(found) == [("house.a", "house.b", "house.c")]


def test_two_folders_form_a_ring_where_no_two_modules_do(tmp_path):
    found = write(
        tmp_path,
        {
            "house/__init__.py": "",
            "house/one/__init__.py": "",
            "house/one/a.py": "from house.two.b import y\n",
            "house/one/z.py": "",
            "house/two/__init__.py": "",
            "house/two/b.py": "from house.one import z\n",
        },
    )
    assert find_rings(found) == []
    assert find_rings(neighbours(found, "house")) == [("house.one", "house.two")]


def test_no_modules_import_each_other_in_a_ring(graph):
    assert find_rings(graph) == []


def test_no_files_and_folders_of_one_folder_import_each_other_in_a_ring(graph):
    houses = {"", *(module for module in graph if (ROOT / module.replace(".", "/") / "__init__.py").is_file())}
    assert {house: rings for house in sorted(houses) if (rings := find_rings(neighbours(graph, house)))} == {}
