"""A small corpus for tests of the whole corridor: the sample pages as files, with a claim of their own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from crawlers.sample.site import build
from flows.cli import main
from flows.engine import worker_pool

SOURCE = '''"""Pages in a folder, all under CC BY 4.0 by the word of a licence file."""

from pathlib import Path

from malmoi.source import Folder, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="small",
    title="작은 말뭉치",
    publisher="시험",
    access=Folder(Path({folder!r}), include=("**/*.html", "*.csv")),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
    rule=LicenceRule(
        ("licence-file", "kogl-block", "rel-license"),
        (("folder:small/", ".kogl, .codeView01, #menuNuri, .gongBox, .ccl"),),
    ),
)
'''
ROWS = 'id,제목,본문\n1,하나,"{a}"\n2,둘,"{b}"\n'
PROSE = "이 문장은 시험을 위하여 쓴 것으로, 표의 칸 하나에 들어 있는 짧지 않은 글이다. "
OTHER = "둘째 줄에는 첫째 줄과 다른 이야기를 적어 두었으니 서로 닮지 않았다. "


def make(root: Path, pages: int = 40) -> Path:
    """Write the corpus below `root` and return the file that defines its source."""
    folder = root / "pages"
    site = build()
    chosen = sorted(p for p, r in site.items() if p.endswith(".html") and r.status == 200 and "/private/" not in p)
    folder.mkdir(parents=True)
    for path in chosen[:pages]:
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(site[path].body)
    (folder / "rows.csv").write_text(ROWS.format(a=PROSE * 9, b=OTHER * 6), encoding="utf-8")
    (folder / "LICENCE.txt").write_text("이 말뭉치는 CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    source = root / "small.py"
    source.write_text(SOURCE.format(folder=str(folder)), encoding="utf-8")
    return source


def malmoi(*arguments: object, timeout: float = 300, **kwargs: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "flows.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **kwargs)  # type: ignore[call-overload]


def malmoi_in_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, which has loaded the libraries and started a fork server already.

    It costs a twentieth of `malmoi` where nothing is computed. What is about the process itself needs `malmoi`:
    signals, environment, hash seed, import path, exit status of the operating system.
    """
    command, out, err, mask = list(map(str, arguments)), io.StringIO(), io.StringIO(), os.umask(0o022)
    os.umask(mask)  # a command makes what it writes private
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.run_guarded(
                lambda: main.app(command, exit_on_error=False, print_error=False, result_action="return_value")
            )
    finally:
        worker_pool.configure(None)  # ends its workers
        os.umask(mask)
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def sums(workspace: Path, name: str = "general") -> str:
    """SHA256SUMS of the only version of a release."""
    (found,) = (workspace / "6-releases" / name).glob("*.*.*/SHA256SUMS")
    return found.read_text(encoding="utf-8")
