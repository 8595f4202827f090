"""Measure the collection of a repository of law on loopback: whole, killed, and again after its history was rewritten.

    python -m benchmarks.simulation.git_collection [--files 6000] [--folder FOLDER]

The repository has the layout of legalize-kr/ordinance-kr with invented texts. Its second history has another root, half
of the files at other paths and 1 % of them amended. CPU is that of the collecting processes and of the git that serves
them; `sent` are the bytes that the server sent.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.measure import run
from tests.builders.small_repository import ENVIRONMENT, Served, serve

ROOT = Path(__file__).parents[2]
KILLS = 6
CHARACTERS = (400, 12_000)  # of a text: least and most
README = "- 저장소 구조, 메타데이터: MIT\n".encode()
WORDS = "시장은 조례에 따라 다음 각 호의 사항을 정하고 종이를 접는 사람에게 비용을 예산의 범위에서 지원한다".split()
SOURCE = """from dataclasses import replace
from crawlers.sources.law import law_git_ordinances as original
from malmoi.source import Expect, Manners
SOURCE = replace(original.SOURCE, access=replace(original.SOURCE.access, url={url!r}),
    manners=Manners(delay=0.0, loopback=({host!r},)), expect=Expect())
items, evidence, text = original.items, original.evidence, original.text
"""


def write_text(number: int, revision: int) -> bytes:
    """Return a file of invented law: the same number and revision give the same bytes."""
    draw = random.Random(number * 1_000 + revision)
    lines: list[str] = []
    left = draw.randint(*CHARACTERS)
    while left > 0:
        sentence = " ".join(draw.choices(WORDS, k=draw.randint(5, 30)))
        lines.append(f"##### 제{len(lines) + 1}조 (접기)\n\n{sentence}.\n")
        left -= len(sentence)
    front = (
        f"자치법규ID: '{number}'\n자치법규명: '가상시 종이접기 조례 {number}'\n자치법규종류: '조례'\n"
        "지자체기관명: '경기도 가상시'\n공포일자: 2030-05-06\n본문출처: 'api-text'\n"
        f"출처: 'https://www.law.go.kr/자치법규/가상시종이접기조례{number}'\n"
    )
    return f"---\n{front}---\n\n# 가상시 종이접기 조례 {number}\n\n{chr(10).join(lines)}".encode()


def write_history(served: Served, files: Iterator[tuple[str, bytes]], day: int) -> None:
    """Replace the branch by one commit without a parent."""
    served.git("update-ref", "-d", "refs/heads/main")
    command = ["git", "--git-dir", str(served.folder), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        process.stdin.write(
            f"commit refs/heads/main\ncommitter a <a@example.kr> {1_900_000_000 + day} +0900\n".encode()
        )
        process.stdin.write(b"data 1\nm\n")
        for path, body in (("README.md", README), *files):
            process.stdin.write(f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n")
    served.git("repack", "-adq")


def list_files(count: int, *, rewritten: bool) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the files of the first history, or of the rewritten one."""
    for number in range(count):
        moved, amended = rewritten and number % 2 == 0, rewritten and number % 100 == 0
        yield (
            f"경기도/{'새시' if moved else '가상시'}/조례/가상시 종이접기 조례 {number}/본문.md",
            write_text(number, int(amended)),
        )


def collect(folder: Path, served: Served, number: int, kills: int = 0, span: float = 0.0) -> float:
    """Collect into `folder/<number>`, first killed `kills` times within `span` seconds; return its wall seconds."""
    runs = [str(folder / str(earlier)) for earlier in range(1, number)]
    job = folder / f"job-{number}.json"
    job.write_text(
        json.dumps({"source": str(folder / "source.py"), "run_dir": str(folder / str(number)), "earlier": runs})
    )
    command, draw, sent = [sys.executable, "-m", "crawlers.fetch", str(job)], random.Random(number), served.sent
    for _ in range(kills):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0.2, 0.6) * span)
            os.killpg(process.pid, signal.SIGKILL)
    used = run(command, log=folder / "log")
    stats = json.loads((folder / str(number) / "stats.json").read_text())
    counts = {name: stats[name] for name in ("pages", "fetched", "not_modified", "left_out")}
    print(f"run {number}, killed {kills} times: {counts}, gone {len(stats['gone'])}", flush=True)
    print(f"  sent {(served.sent - sent) / 1e6:.1f} MB; the last process: {used}", flush=True)
    return used.wall


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=6_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="git-collection-", dir=given.folder))
    with serve(folder / "served") as served:
        host = served.base.removeprefix("http://")
        (folder / "source.py").write_text(SOURCE.format(url=served.url, host=host), encoding="utf-8")
        write_history(served, list_files(given.files, rewritten=False), 1)
        size = sum(len(body) for _, body in list_files(given.files, rewritten=False))
        print(f"{given.files:,} files, {size / 1e6:.0f} MB, packed {_size_packed(served) / 1e6:.1f} MB")
        seconds = collect(folder, served, 1)
        collect(folder, served, 2)
        write_history(served, list_files(given.files, rewritten=True), 2)
        collect(folder, served, 3)
        shutil.rmtree(folder / "1")
        collect(folder, served, 1, KILLS, seconds)
    shutil.rmtree(folder)


def _size_packed(served: Served) -> int:
    return sum(path.stat().st_size for path in served.folder.rglob("*.pack"))


if __name__ == "__main__":
    main()
