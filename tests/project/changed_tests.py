"""Print the test files that a change reaches, nearest first, for `make check`.

A change is what `git` calls uncommitted or, in a clean tree, the last commit. A test file is as far from it as the
imports between them; one that changed itself is nearest. A changed file of data reaches the tests that name it.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALWAYS = ("tests/project/test_house.py", "tests/project/test_docs.py")
DOCTESTED = ("malmoi/", "crawlers/", "filters/", "data_cards/")
MOST = 16  # test files; about three CPU seconds each, so that the whole check stays below a minute on two cores
SLOW = frozenset(  # more than ten CPU seconds each; here they run only where they or their namesake changed
    f"tests/{name}.py"
    for name in """
    advice/test_advice archive/test_files_at_rest duplicates/test_exchange duplicates/test_kernels
    duplicates/test_promotion fetch/test_dump fetch/test_fetch fetch/test_fetch_inputs fetch/test_fetch_lists
    fetch/test_fetch_pace fetch/test_robots filters/test_filter_mends filters/test_spam flows/test_cli
    flows/test_demo flows/test_kill flows/test_prefect formats/test_formats_markdown_cost
    formats/test_formats_pdf malmoi/test_import_path malmoi/test_workers personal_data/test_canaries
    personal_data/test_personal_data releases/test_determinism releases/test_left_out releases/test_release
    sources/test_api sources/test_past
    """.split()
)
IMPORT = re.compile(r"^[ \t]*(?:from ([\w.]+) import (?:\(([^)]*)\)|([^\n]*))|import ([\w., ]+))", re.M)


def imports(text: str) -> set[str]:
    """Every dotted name that Python source may import: modules, and names in them that may be modules."""
    found: set[str] = set()
    for module, lines, line, plain in IMPORT.findall(text):
        names = re.findall(r"(\w+)(?: as \w+)?", lines or line)
        found |= {module, *(f"{module}.{name}" for name in names)} if module else set(re.findall(r"[\w.]+", plain))
    return found


def is_test(path: str) -> bool:
    return path.startswith("tests/") and path.rpartition("/")[2].startswith("test_")


def reached(changed: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """The test files among `sources` (path → text) that lead to a changed path by imports, nearest first."""
    module_of = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in sources}
    wanted = {path: imports(text) for path, text in sources.items()}
    near = {path for path in changed if path in sources}
    data = {path.rpartition("/")[2] for path in changed if not path.endswith(".py")}
    order = sorted(near) + sorted(p for p, t in sources.items() if p not in near and any(name in t for name in data))
    seen = set(order)
    for path in order:  # grows while it is read: breadth first
        nearer = sorted(p for p in sources if p not in seen and module_of[path] in wanted[p])
        seen.update(nearer)
        order += nearer
    return [path for path in order if is_test(path)]


def chosen(changed: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """What `make check` runs: the nearest tests, and the doctests of what changed."""
    changed = list(changed)
    stems = {Path(path).stem.removeprefix("test_") for path in changed}  # spam.py has its tests in test_spam.py
    named = [path for path in reached(changed, sources) if Path(path).stem.removeprefix("test_") in stems]
    others = [path for path in reached(changed, sources) if path not in SLOW]
    tests = list(dict.fromkeys((*named, *others)))[:MOST]
    code = [path for path in changed if path in sources and path.startswith(DOCTESTED)]
    return list(dict.fromkeys((*ALWAYS, *tests, *code)))


def changed_paths() -> list[str]:
    """Paths below the root that differ from the last commit; in a clean tree, those of the last commit."""

    def lines(*command: str) -> list[str]:
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()

    found = lines("diff", "--name-only", "HEAD") + lines("ls-files", "--others", "--exclude-standard")
    return found or lines("diff", "--name-only", "HEAD~1", "HEAD")


def main() -> None:
    packages = ("malmoi", "crawlers", "filters", "data_cards", "flows", "tests")
    files = sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    changed = changed_paths()
    found, every = chosen(changed, sources), reached(changed, sources)
    print(f"{len({*found} & {*every})} of the {len(every)} test files that the change reaches run.", file=sys.stderr)
    print(*found)


if __name__ == "__main__":
    main()
