"""What code and docs cite can be opened: a page of this repository, or an address."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Notes beside the project, which no reader has. A slash before the name is a path of somebody else (docs/reference/…).
CITED = re.compile(r"(?<![\w/])(?:\.\./)*(?:reference|shared)/[\w-]+(?:\.md|/)|measured-library-choices")


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    kept = [line for line in listed.splitlines() if not line.startswith(("tests/", "benchmarks/"))]
    return [ROOT / line for line in kept if line.endswith((".py", ".md", ".toml", ".txt"))]


def test_no_page_is_cited_that_is_not_in_the_repository():
    cited = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files()
        if path.is_file()
        for found in CITED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert cited == []


@pytest.mark.parametrize("line", ["(reference/choices.md section 1)", "see ../shared/plans/house.md", "reference/a/b"])
def test_a_note_beside_the_project_is_recognised(line):
    assert CITED.search(line)


@pytest.mark.parametrize("line", ["content/ko/docs/reference/glossary/**", "text/shared/01/0512.html", "preference/a/"])
def test_a_path_of_somebody_else_is_none(line):
    assert not CITED.search(line)
