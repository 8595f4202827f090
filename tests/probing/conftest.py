"""A workspace, and a recipe that takes texts of 100 characters."""

import pytest

from flows import run as runs
from malmoi.workspace import Workspace

RECIPE = """
name = "short"
purpose = "A test."
unredacted = "A test."
[[clean]]
filter = "rights"
uses = ["redistribute"]
[[clean]]
filter = "length"
min_chars = 100
[[judged]]
filter = "exact_duplicates"
"""


@pytest.fixture
def home(tmp_path):
    return Workspace.open(tmp_path / "w")


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(RECIPE, "utf-8")
    return str(path)


@pytest.fixture
def recipe(recipe_file):
    return runs.recipe_of(recipe_file)
