"""Where the CPU of a run goes, function by function, over all processes: `make profile`.

py-spy samples the stacks of the run and of all processes that it starts, from outside, so the run is the one that a
user makes. A sample counts for the Python function that runs, or that called the compiled code that runs: Kiwi, lxml,
Arrow and DuckDB appear under their callers. *self* is without, *total* with the functions that it calls.

BENCH_CORPUS names an archive or a folder of archives, else the corpus web-ko is read. Written beside the table:
a flame graph as SVG; open it in a browser, and click a function to see what it calls.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.__main__ import RECIPE, SOURCE, find_archive

RATE = 200  # samples a second of each process
SHOWN = 60  # functions in the table
FRAME = re.compile(r"(?P<name>.+?) \((?P<file>[^()]+?)(?::\d+)?\) \([\d,]+ samples?, [\d.]+%\)")
ROOMS = ("malmoi", "crawlers", "filters", "data_cards", "flows")
X, WIDTH = "{http://github.com/jonhoo/inferno}x", "{http://github.com/jonhoo/inferno}w"


@dataclass(frozen=True, slots=True)
class Frame:
    """A function as the flame graph draws it, in samples from the left edge; `y` grows with the depth."""

    name: str  # function (file)
    x: int
    y: float
    width: int


def main(out: str) -> int:
    """Run with one worker under py-spy, write the flame graph to `out`, and print the table."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        print("benchmarks: py-spy is not installed here; `make install` brings it.", file=sys.stderr)
        return 2
    if find_archive() is None:
        print("benchmarks: the corpus web-ko is not here; name an archive with BENCH_CORPUS.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="malmoi-profile-") as folder:
        run = [sys.executable, "-m", "benchmarks.drive", RECIPE, SOURCE, f"{folder}/run", "1", f"{folder}/answer.json"]
        sample = [spy, "record", "--subprocesses", "--nonblocking", "--rate", str(RATE), "--format", "flamegraph"]
        usage = measure.run([*sample, "--output", out, "--", *run])
        if usage.status:
            return usage.status
    table(frames(Path(out)), usage.cpu)
    print(f"flame graph: {out}")
    return 0


def frames(path: Path) -> list[Frame]:
    """Read the frames of a flame graph that py-spy wrote."""
    found = []
    for group in etree.parse(path).iter("{http://www.w3.org/2000/svg}rect"):
        title = group.getprevious()
        if (named := FRAME.fullmatch(title.text or "") if title is not None else None) is not None:
            name = f"{named['name']} ({named['file']})"
            at = group.attrib
            found.append(Frame(name, int(at[X]), float(at["y"]), int(at[WIDTH])))
    return found


def count_samples(drawn: Iterable[Frame]) -> tuple[Counter[str], Counter[str]]:
    """Return samples of each function: in itself, and with all that it calls; a recursion counts once.

    >>> own, whole = count_samples([Frame("f", 0, 0, 5), Frame("g", 1, 16, 3), Frame("f", 1, 32, 1)])
    >>> own["f"], own["g"], whole["f"], whole["g"]
    (3, 2, 5, 3)
    """
    own, whole = Counter[str](), Counter[str]()
    above: list[Frame] = []  # the frames in which the current one lies
    for frame in sorted(drawn, key=lambda one: (one.x, one.y)):
        while above and (above[-1].y >= frame.y or frame.x >= above[-1].x + above[-1].width):
            above.pop()
        own[frame.name] += frame.width
        if above:
            own[above[-1].name] -= frame.width
        if all(one.name != frame.name for one in above):
            whole[frame.name] += frame.width
        above.append(frame)
    return own, whole


def table(drawn: list[Frame], cpu: float) -> None:
    """Print the functions in which most samples are, and the share of each package of Malmoi."""
    own, whole = count_samples(drawn)
    samples = own.total()
    rooms = Counter[str]()
    for name, count in own.items():
        file = name[name.rfind("(") + 1 : -1]
        rooms[file.partition("/")[0] if file.startswith(tuple(f"{room}/" for room in ROOMS)) else "other"] += count
    shown = Table("self", "total", "function", title=f"{cpu:.1f} s of CPU, {samples:,} samples")
    for name, count in own.most_common(SHOWN):
        shown.add_row(f"{count / samples:.1%}", f"{whole[name] / samples:.1%}", name)
    console = Console(highlight=False, width=140)
    console.print(shown, markup=False)
    console.print("  ".join(f"{room} {count / samples:.0%}" for room, count in rooms.most_common()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["profile.svg"]))
