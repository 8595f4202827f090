"""The documentation site: strict, built without network, loading nothing from other hosts, searchable in Korean."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = """
import socket

def refuse(*_):
    raise OSError("the site must build without network")

socket.socket.connect = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with warnings as errors by a Python that cannot connect to anything."""
    pytest.importorskip("material", reason="mkdocs-material is not installed; `make install` brings it")
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(folder), "NO_MKDOCS_2_WARNING": "1"}
    call = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder / "built"]
    done = subprocess.run(call, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "built"


def test_every_page_is_built_and_stands_in_the_navigation(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    plans = ROOT / "docs/plans"  # the state of open work: no page of the site
    for page in (page for page in (ROOT / "docs").rglob("*.md") if not page.is_relative_to(plans)):
        built = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        built = "index.html" if built == "README.html" else built
        assert (site / built).exists(), built
        assert f'href="{built}"' in home, f"{page.name} is not in the navigation: name it in mkdocs.yml"


def test_no_page_loads_anything_from_another_host(site):
    loads = re.compile(r"<(?:script|link|img|iframe|source|use)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//", re.I)
    for page in site.rglob("*.html"):
        assert not loads.search(page.read_text(encoding="utf-8")), page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_korean_pages_are_marked_as_korean_and_can_be_found(site):
    assert '<html lang="ko"' in (site / "tutorial.ko.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in (site / "tutorial.html").read_text(encoding="utf-8")
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    assert "ko" in index["config"]["lang"]
    words = {
        re.split(index["config"]["separator"], one["title"])[0] for one in index["docs"] if ".ko." in one["location"]
    }
    assert {"튜토리얼", "용어집", "중복", "정제"} <= words
