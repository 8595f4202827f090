"""Docs are true or red: what they name exists, and what exists is named."""

import ast
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from flows.cli.main import app
from malmoi import recipe as recipes
from tests.builders.rows import each_row

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@each_row("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_is_in_the_readme_and_every_named_one_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {name for name in app if not name.startswith("-")}
    assert commands >= {"demo", "run", "collect", "curate", "release", "status", "verify", "why", "sources", "try"}
    assert commands <= set(re.findall(r"`(?:malmoi )?([a-z]+)[ `]", text))


def test_every_filter_is_documented():
    text = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs").glob("*.md"))
    for name in recipes.list_filters():
        assert f"`{name}`" in text, f"docs do not name the filter {name}"


def test_no_cell_of_a_table_is_longer_than_a_person_reads():
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = re.split(r"(?<!\\)\|", line) if line.startswith("|") else []
            assert all(len(cell.strip()) <= 300 for cell in cells), (
                f"{page.name}: make a list of the cell in {line[:60]}"
            )


PACKAGES = "benchmarks|crawlers|data_cards|filters|flows|malmoi|tests"
# What docs name though it is not in the repository: a file that a reader writes, output, and a name of before.
ABSENT = {"crawlers/formats/epub.py", "benchmarks/results.json", "crawlers.answers"}
PATH = re.compile(rf"(?<![\w./-])(?:{PACKAGES}|docs)/[\w./-]*\w")
MODULE = re.compile(rf"(?<![\w./-])(?:{PACKAGES})(?:\.[A-Za-z_]\w*)+(?![\w/])")
ENDINGS = (".md", ".json", ".toml", ".yaml", ".py", ".txt", ".html", ".jsonl")


def exists(name):
    """Whether a dotted name is a module of the repository, or a value in one."""
    parts = name.split(".")
    module = parts.pop(0)
    while parts and is_package(module) and importlib.util.find_spec(f"{module}.{parts[0]}"):
        module = f"{module}.{parts.pop(0)}"
    value = importlib.import_module(module) if parts else None
    for part in parts:
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def is_package(module):
    found = importlib.util.find_spec(module)
    return found is not None and found.submodule_search_locations is not None


@each_row("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_and_modules_that_a_page_names_exist(page):
    text = re.sub(r"https?://\S+", "", page.read_text(encoding="utf-8"))
    missing = {path for path in PATH.findall(text) if not (ROOT / path).exists()} - ABSENT
    assert not missing, f"{page.name} names files that are not in the repository: {sorted(missing)}"
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))
    unknown = {name for name in MODULE.findall(code) if not name.endswith(ENDINGS) and not exists(name)} - ABSENT
    assert not unknown, f"{page.name} names modules that do not exist: {sorted(unknown)}"


def read_uses(code):
    """The dotted names that an example imports from the repository, and those that it takes from these."""
    tree, found = ast.parse(code), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(rf"(?:{PACKAGES})\b", node.module or ""):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    yield from found.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in found:
            yield f"{found[node.value.id]}.{node.attr}"


def test_names_that_examples_import_exist():
    for page in PAGES:
        for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            missing = [name for name in read_uses(code) if not exists(name)]
            assert not missing, f"{page.name}: an example uses {missing}"


FIELD = """
throttle; SSRF guard; rate limit; atomic write; checkpoint; idempotent; lineage; takedown; quarantine; false positive;
precision; recall; boilerplate; representative; near-duplicate; cluster; shard; shuffle; manifest; invariant; threshold;
main-content extraction; deduplication; provenance; rollback; partition; 필터; 임계값; 제외 사유; 중복 제거;
형태소 분석; 데이터 카드; 샤드; 매니페스트; 비식별(마스킹); 이용허락(라이선스)
"""


def test_the_glossary_has_the_words_of_the_field():
    text = "\n".join((ROOT / "docs" / f"glossary{part}.md").read_text(encoding="utf-8") for part in ("", ".ko"))
    for word in FIELD.split(";"):
        assert word.strip() in text, f"the glossary does not have the word {word.strip()}"


def test_korean_pages_use_the_terms_of_engineers():
    for page in PAGES:
        if page.name.endswith(".ko.md"):
            found = re.findall(r"거르개|문턱|까닭|깔때기|손질|조리법|본틀|붙박이", page.read_text(encoding="utf-8"))
            assert not found, f"{page.name}: {found}"


def test_every_make_target_that_docs_name_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        for target in re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z]+)`", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.name} names make {target}"


def test_python_examples_of_the_docs_compile():
    for page in PAGES:
        for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            compile(code, str(page), "exec")


def test_the_filter_of_the_docs_works(tmp_path):
    text = (ROOT / "docs" / "add-a-filter.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)
    assert code
    (tmp_path / "exclamations.py").write_text(code[1], encoding="utf-8")
    check = (
        "import exclamations as f; from malmoi.document import Document, Provenance;"
        "d = Document('a/1', '와! ' * 9, Provenance('a', '', '', '', ''));"
        "assert f.judge(d).outcome == 'drop' and f.judge(d, max_share=0.5).outcome == 'keep'"
    )
    # Named, for a test before this one may have taken the working folder off the path.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
