"""A file in the working folder never runs because it is called like a module."""

import os
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from malmoi.processes.import_path import exclude_working_folder
from tests.builders.small_corpus import make

ROOT = Path(__file__).resolve().parents[2]
TRAPS = """
abc antigravity base64 brotli calendar cmath code colorsys copy datetime email/__init__ flows/__init__ crawlers/__init__
crawlers/fetch/__init__ filters/__init__ h2 heapq html/__init__ http/__init__ hyperlink idna json kiwipiepy
logging/__init__ lxml/__init__ malmoi numpy pickle platform prefect pyarrow queue random resource scrapy/__init__
secrets selectors sitecustomize socket ssl statistics struct tempfile token twisted/__init__ usercustomize uuid uvicorn
zstandard
""".split()
TRAP = """import os, sys
with open(os.environ["TRAP_MARK"], "a") as file:
    file.write(f"{{__name__}} in {{sys.orig_argv}}\\n")
raise ImportError("{name} of the working folder")
"""
SCRIPT = "from flows.cli.main import main\nif __name__ == '__main__':\n    main()\n"  # as an installer writes it
PROGRAM = Path(sys.executable).with_name("malmoi")


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder full of files that are called like modules; one that is imported leaves a line."""
    folder = tmp_path / "here"
    for name in TRAPS:
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TRAP.format(name=name), encoding="utf-8")
    monkeypatch.setenv("TRAP_MARK", str(tmp_path / "mark"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return folder


def malmoi(folder: Path, *arguments: object, program: Path = PROGRAM) -> str:
    """Run the console script in the folder; nothing of the folder may have been imported."""
    done = subprocess.run(
        [str(program), *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    mark = Path(os.environ["TRAP_MARK"])
    assert not mark.exists(), mark.read_text(encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.heavy
def test_a_run_through_prefect_imports_nothing_of_the_working_folder(folder):
    source = make(folder, 12)
    malmoi(folder, "run", "general", "--source", source.name, "--workspace", "w", "--prefect")


@pytest.mark.heavy
def test_trying_a_stage_imports_nothing_of_the_working_folder(folder):
    (folder / "page.html").write_text("<p>이 문장은 시험을 위하여 쓴 것이다.", encoding="utf-8")
    assert "시험을" in malmoi(folder, "try", "extract", "page.html")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["calendar", "json", "h2", "crawlers"])
def test_a_source_may_be_called_like_a_module(folder, name):
    for file in (f"{name}.py", f"{name}/__init__.py"):
        (folder / file).unlink(missing_ok=True)
    malmoi(folder, "sources", "new", name)
    written = folder / f"{name}.py"
    assert written.is_file()
    written.write_text(make(folder, 6).read_text(encoding="utf-8"), encoding="utf-8")
    malmoi(folder, "collect", written.name, "--workspace", "w")
    assert list((folder / "w").glob("1-captures/small/*/run.json"))


@pytest.mark.parametrize(
    ("entries", "chosen", "left"),
    [
        (["", "/lib"], "", ["/lib"]),
        (["{here}", "/lib"], "", ["/lib"]),
        (["", "{here}", "/lib"], "", ["/lib"]),
        (["{here}", "{here}", "/lib"], "/other{sep}{here}", ["{here}", "{here}", "/lib"]),
        (["/bin", "{here}", "/lib"], "", ["/bin", "{here}", "/lib"]),
    ],
)
def test_only_what_python_put_first_is_taken_off(tmp_path, monkeypatch, entries, chosen, left):
    def fill(text: str) -> str:
        return text.format(here=tmp_path, sep=os.pathsep)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", fill(chosen))
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setattr(sys, "path", [fill(entry) for entry in entries])
    exclude_working_folder()
    assert sys.path == [fill(entry) for entry in left]
    assert os.environ["PYTHONSAFEPATH"] == "1"


def test_a_checkout_that_is_not_installed_stays_on_the_import_path(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setattr(sys, "path", [str(ROOT), "/lib"])
    exclude_working_folder()
    assert sys.path == [str(ROOT), "/lib"]


@pytest.mark.heavy
def test_crawl_and_workers_of_an_installed_wheel_import_nothing_of_the_working_folder(folder, tmp_path, monkeypatch):
    hatchling = pytest.importorskip("hatchling.build")
    monkeypatch.chdir(ROOT)
    wheel = hatchling.build_wheel(str(tmp_path))
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / wheel) as packed:
        packed.extractall(site)  # a wheel of pure Python is installed by being unpacked
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    (libraries,) = home.glob("lib/python*/site-packages")
    others = next(p for p in sys.path if p.endswith("site-packages"))  # named last, and its .pth files are not read
    (libraries / "wheel.pth").write_text(f"{site}\n{others}\n", encoding="utf-8")
    program = home / "bin" / "malmoi"
    program.write_text(f"#!{home}/bin/python\n{SCRIPT}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("MALMOI_SAMPLE_PORT", free_port())
    where = subprocess.run(
        [home / "bin" / "python", "-P", "-c", "import crawlers; print(crawlers.__file__)"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))
    assert "released and verified" in malmoi(folder, "demo", "--workspace", "w", program=program)


def test_the_links_of_a_large_page_are_read_off_the_working_folder_and_within_a_lower_limit(folder):
    code = (
        "import asyncio, resource; from crawlers.fetch.link_reading import addresses_of\n"
        "from malmoi.archive.capture import Capture\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))\n"
        "page = b'<p>x</p>' * 40_000 + b'<a href=/next>next</a>'\n"
        "capture = Capture('', 'http://a.kr/', '', 200, (('Content-Type', 'text/html'),), page)\n"
        "print(asyncio.run(addresses_of(capture, 'page')).pages)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "['http://a.kr/next']", done.stderr
    assert not Path(os.environ["TRAP_MARK"]).exists()
