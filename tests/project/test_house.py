"""The laws of the house, on one reading of its sources: floors, owners, words, and a budget that only falls.

Nothing here counts files of a folder, lines of a file or arguments: such laws are met by cutting one idea into five
modules. What pushes to less is the budget. Whoever removes something lowers its number; a new ability pays for itself
in the same landing. Bounds of complexity are in pyproject.toml.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from flows.cli.main import app
from malmoi import recipe
from malmoi.publisher import Publisher
from malmoi.recipe import Expectations

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("malmoi", "crawlers", "filters", "data_cards", "flows")
MAY_IMPORT = {
    "malmoi": {"malmoi"},
    "crawlers": {"malmoi", "crawlers"},
    "filters": {"malmoi", "filters"},
    "data_cards": {"malmoi", "data_cards"},
    "flows": set(PACKAGES),
}
OWNERS = {
    "scrapy": "crawlers/fetch/",
    "twisted": "crawlers/fetch/",
    "prefect": "flows/",
    "kiwipiepy": "filters/morphology.py",
    "duckdb": "malmoi/storage/duckdb_tables.py",
    "datasketch": "filters/duplicates/",
    "jinja2": "data_cards/",
    "pygal": "data_cards/charts.py",
    "fastwarc": "malmoi/archive/capture.py",
    "cyclopts": "flows/cli",
    "huggingface_hub": "malmoi/releases/distribution/hub.py",
    "obstore": "malmoi/storage/bucket.py",
    "pycld2": "filters/language.py",
}
PURE = (
    "malmoi/document.py",
    "malmoi/licensing/rights_decision.py",
    "malmoi/licensing/licences.py",
    "malmoi/licensing/licence_words.py",
    "malmoi/source.py",
)
# Sorted JSON that is not canonical: compared and thrown away, or with the escapes that files of old runs hold.
OTHER_JSON = {
    "malmoi/canonical_json.py",
    "malmoi/releases/verification/verify.py",
    "crawlers/fetch/dump_download.py",
    "flows/engine/shard_jobs.py",
}
# First words of a function that say neither what it does nor what it returns. `is_told` and `to_table` are fine: the
# first word is another one.
REFUSED = frozenset(
    # participles
    "been begun born borne bound broken brought bought caught chosen done drawn fallen forbidden forgotten found given "
    "gone got grown heard held hidden hung kept known laid led left lost made meant met misread overlaid paid "
    "rewritten said seen sent shown sold sought spelt spoken stood stuck swept taken thought told torn withheld won "
    "worn written allowing counting forbidding forgiving lasting quoting resting running showing speaking standing "
    "stopping telling "
    # prepositions
    "about above after against among around at before behind below beneath beside besides between beyond by for in "
    "inside into near of off on onto out outside over per through under upon with within without "
    # adverbs
    "again alone apart aside away either everything here nothing once together when whose".split()
)
NO_PARTICIPLES = frozenset("bed embed exceed feed need needs proceed red seed shed speed".split())  # end in -ed
FOREIGN = {"addressResolved", "unused_data"}  # the names that Twisted and zlib ask for
PHRASES = {  # of the old idiom, in docstrings, comments and messages
    "mechanisms that stand": r"\b(?:stands?|stood|standing)\b",
    "negated copulas": r"\b(?:is|are|was|were|be) (?:no|none|nothing|nobody)\b(?! longer| more than)",
    "unnamed agents": r"\b(?:nobody|somebody|whoever)\b",
    "relative clauses as subjects": r'(?:^|[.;:] |""")What (?!to\b|is\b\?)',
    "keepers that fall": r"\b(?:fell|fallen|falls) ?(?:keeper|out)?\b",
    "kin": r"\b(?:kin|(?<!share-)alike)\b",  # share-alike is the term of the licences
    "things that tell": r"\b(?:told|tells?)\b(?! whether)",
    "doors and meetings": r"\b(?:doors?|meets?|meeting)\b",
    "there no more": r"\bno more\b(?! than)|\bany ?more\b",
    "furniture": r"\bfurniture\b",
}
# Notes beside the project, which no reader has. A slash before the name is a path of somebody else (docs/reference/…).
CITED = re.compile(r"(?<![\w/])(?:\.\./)*(?:reference|shared)/[\w-]+(?:\.md|/)|measured-library-choices")
BUDGET = {
    "lines of production Python": 86_900,
    "modules": 466,
    "private functions with one caller": 810,
    "parameters of the command line": 228,
    "keys of a recipe": 85,
    "base dependencies": 39,  # eight were imported and not declared
    "functions beyond the bound of complexity": 2,
    "phrases of the old idiom": 83,  # some are words of data
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of each production file."""
    files = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in files}


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    return [(file, node) for file, tree in trees().items() for node in ast.walk(tree)]


@cache
def imports() -> dict[str, set[str]]:
    """Each production file → the modules and names that it imports, wherever in it the import stands."""
    return {file: set(_list_imports(tree, _module(file), file)) for file, tree in trees().items()}


@cache
def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT)
    return [line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _list_imports(tree: ast.Module, module: str, file: str) -> Iterator[str]:
    package = module.split(".") if file.endswith("__init__.py") else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def read_graph(imported: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Each module → the modules of the house that it imports, itself left out."""
    modules = {_module(file) for file in imported}

    def find_module(word: str) -> str:
        while word and word not in modules:
            word = word.rpartition(".")[0]
        return word

    return {
        _module(file): {target for word in words if (target := find_module(word)) and target != _module(file)}
        for file, words in imported.items()
    }


def neighbours(graph: Mapping[str, set[str]], house: str) -> dict[str, set[str]]:
    """The graph between the files and folders directly in the package `house`, each folder with all that it holds."""
    prefix = f"{house}." if house else ""

    def room(module: str) -> str:
        return prefix + module.removeprefix(prefix).split(".")[0]

    joined: dict[str, set[str]] = {}
    for module, targets in graph.items():
        if module.startswith(prefix):
            inside = {room(target) for target in targets if target.startswith(prefix)}
            joined.setdefault(room(module), set()).update(inside - {room(module)})
    return joined


def find_ring(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """A ring of imports, from a module back to itself; [] without one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_go_down_only():
    for file, words in imports().items():
        allowed = MAY_IMPORT[file.split("/")[0]]
        wrong = [word for word in words if (top := word.split(".")[0]) in PACKAGES and top not in allowed]
        assert not wrong, f"{file} imports {wrong}"


def test_malmoi_knows_its_releases_only_from_within_and_cards_do_not_know_how_they_are_made():
    for file, words in imports().items():
        if not file.startswith(("malmoi/releases/", "flows/")):
            assert not [word for word in words if word.startswith("malmoi.releases")], file


def test_the_orchestration_of_a_collection_leaves_what_knows_sources_to_crawlers():
    known = read_graph(imports())["flows.collect"]
    assert {module for module in known if module.startswith("crawlers.")} == {
        "crawlers.catalogue", "crawlers.collect",
    }  # fmt: skip


def test_a_heavy_library_has_one_owner():
    for file, words in imports().items():
        for word in words:
            owner = OWNERS.get(word.split(".")[0])
            assert owner is None or file.startswith(owner), f"{file} imports {word}; {owner} owns it"


def test_the_words_and_the_decision_table_need_the_standard_library_only():
    for file in PURE:
        tops = {word.split(".")[0] for word in imports()[file]}
        assert tops <= {*sys.stdlib_module_names, "malmoi"}, file


@pytest.mark.parametrize(
    ("files", "ring"),
    [
        (  # an import for type checkers closes a ring
            {
                "house/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.b import B\n",
                "house/b.py": "def late():\n    from . import c\n",
                "house/c.py": "import house.a\n",
                "house/d.py": "from house.a import x\n",
            },
            {"house.a", "house.b", "house.c"},
        ),
        (  # two folders form one where no two modules do
            {
                "house/one/a.py": "from house.two.b import y\n",
                "house/one/z.py": "",
                "house/two/b.py": "from house.one import z\n",
            },
            {"house.one", "house.two"},
        ),
    ],
)
def test_a_ring_is_recognised(files, ring):
    graph = read_graph({file: set(_list_imports(ast.parse(text), _module(file), file)) for file, text in files.items()})
    assert ring in ({*find_ring(graph)}, {*find_ring(neighbours(graph, "house"))})


def test_no_modules_and_no_folders_import_each_other_in_a_ring():
    graph = read_graph(imports())
    assert find_ring(graph) == []
    for house in ("", *(module for module in graph if (ROOT / module.replace(".", "/") / "__init__.py").is_file())):
        assert find_ring(neighbours(graph, house)) == []


@pytest.mark.parametrize(
    ("code", "without"),
    [
        ("import flows.engine.preload", ("scrapy", "twisted", "prefect")),
        ("import flows.cli.main", ("prefect", "scrapy", "pyarrow", "kiwipiepy")),
        ("import flows.run", ("prefect", "scrapy", "kiwipiepy", "scipy")),
    ],
)
def test_what_a_process_does_not_use_it_does_not_load(code, without):
    check = f"import sys; {code}; sys.exit(','.join(m for m in {without!r} if m in sys.modules) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_every_file_opens_with_its_sentence_and_is_named_for_something():
    for file, tree in trees().items():
        assert ast.get_docstring(tree), file
    # A room is named by what it holds; these words say only that somebody needed a place.
    words = {"base", "common", "core", "helpers", "misc", "shared", "support", "tools", "util", "utils"}
    assert not [file for file in trees() if words & {*file.removesuffix(".py").split("/")}]
    names = Counter(file.rpartition("/")[2] for file in trees())
    assert not {file: count for file, count in names.items() if count > 3 and not file.startswith("__")}


def is_refused(function: str) -> bool:
    """Whether the first word of a function's name says neither what it does nor what it returns."""
    word = function.strip("_").split("_")[0].lower()
    return function not in FOREIGN and (
        word in REFUSED or (word.endswith("ed") and word not in NO_PARTICIPLES)
    )  # fmt: skip


def test_no_function_is_called_by_a_participle_or_a_preposition():
    assert all(map(is_refused, ("said", "_found", "joined_lines", "without_session", "_judged")))
    assert not any(map(is_refused, ("read_captures", "is_known", "to_table", "needs_script", "_seed", "charset")))
    functions = (
        (file, node.name) for file, node in nodes() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert [f"{file}: {function}" for file, function in functions if is_refused(function)] == []


def test_sorted_json_is_written_by_one_module_and_one_function_says_what_a_hangul_syllable_is():
    sorted_json = {
        file
        for file, node in nodes()
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "json.dumps"
        and any(keyword.arg == "sort_keys" for keyword in node.keywords)
    }
    assert sorted_json <= OTHER_JSON
    hangul = [
        file
        for file, node in nodes()
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.body[-1]) == "return '가' <= char <= '힣'"
    ]
    assert hangul == ["filters/korean/hangul.py"]


def test_no_page_is_cited_that_is_not_in_the_repository():
    for line in ("(reference/choices.md section 1)", "see ../shared/plans/house.md", "reference/a/b"):
        assert CITED.search(line)
    for line in ("content/ko/docs/reference/glossary/**", "text/shared/01/0512.html", "preference/a/"):
        assert not CITED.search(line)
    pages = [
        file
        for file in tracked()
        if not file.startswith(("tests/", "benchmarks/")) and file.endswith((".py", ".md", ".toml", ".txt"))
    ]
    assert [
        f"{file}: {cited[0]}" for file in pages for cited in CITED.finditer((ROOT / file).read_text(encoding="utf-8"))
    ] == []


def test_no_line_names_a_package_registry_or_a_machine():
    words = (
        "py" + "pi.org",
        "python" + "hosted",
        "registry." + "npmjs",
        "--index" + "-url",
        "/wo" + "rk/",
        "/op" + "t/wheels",
    )
    for file in tracked():
        if not file.endswith(".png"):
            text = (ROOT / file).read_text(encoding="utf-8", errors="replace")
            named = [word for word in words if word in text]
            # A path begins here; behind a host it is part of an address.
            assert not [word for word in named if re.search(rf"(?<!\w){re.escape(word)}", text)], file


def count_one_caller(tree: ast.Module) -> int:
    """Private functions of a module whose name occurs once in it, outside of themselves."""
    words = Counter(_list_words(tree))
    private = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("_")]
    return sum(words[node.name] - Counter(_list_words(node))[node.name] == 1 for node in private)


def _list_words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def count_options() -> int:
    options = 0
    for command in (app[name] for name in app if not name.startswith("-")):
        for part in (command, *(command[name] for name in command if not name.startswith("-"))):
            if part.default_command is not None:
                options += len(part.assemble_argument_collection())
    return options


def count_phrases() -> int:
    return sum(
        len(re.findall(phrase, token.string, re.M))
        for file in trees()
        for token in tokenize.generate_tokens(io.StringIO((ROOT / file).read_text("utf-8")).readline)
        if token.type in (tokenize.STRING, tokenize.COMMENT)
        for phrase in PHRASES.values()
    )


def test_the_budget_only_falls():
    sources = [(ROOT / file).read_text("utf-8") for file in trees()]
    parameters = [key for filter in recipe.list_filters() for key in recipe.schema(filter).model_fields]
    tables = (recipe.RecipeFile, Expectations, Publisher)
    counted = {
        "lines of production Python": sum(text.count("\n") for text in sources),
        "modules": len(sources),
        "private functions with one caller": sum(map(count_one_caller, trees().values())),
        "parameters of the command line": count_options(),
        "keys of a recipe": len(parameters) + sum(len(table.model_fields) for table in tables),
        "base dependencies": len(
            tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
        ),
        "functions beyond the bound of complexity": sum(text.count("C901") for text in sources),
        "phrases of the old idiom": count_phrases(),
    }
    above = {what: f"{count:,} of {BUDGET[what]:,}" for what, count in counted.items() if count > BUDGET[what]}
    assert not above, "make room first: remove as much as you add"
    below = {what: count for what, count in counted.items() if count < BUDGET[what] * 0.995 - 1}
    assert not below, "lower the numbers in BUDGET to what is counted"
