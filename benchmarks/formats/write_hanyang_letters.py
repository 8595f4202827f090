"""Write crawlers/formats/hanyang_letters.txt: python -m benchmarks.formats.write_hanyang_letters TABLE.

TABLE is the list of the Korean TeX Users Group (HanyangPuaTableProject, hypua2jamocomposed.txt, public domain): lines
`U+F53A => U+1112 U+119E U+11AB`; lines that begin with % are comments.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[2] / "crawlers" / "formats" / "hanyang_letters.txt"
ROW = 32  # codes a line
HEAD = """\
# Hanyang's private-use codes of old Hangul (U+E0BC to U+F8F7) as conjoining jamo. Facts of the Korean TeX Users Group,
# HanyangPuaTableProject (public domain). A line: the first code, then the sequences of the codes that follow it.
"""
_LINE = re.compile(r"U\+([0-9A-F]{4}) => ((?:U\+[0-9A-F]{4} ?)+)")


def main(arguments: list[str]) -> int:
    """Write the file; 2 for wrong arguments."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = {}
    for line in Path(arguments[0]).read_text(encoding="utf-8").splitlines():
        if match := _LINE.match(line):
            found[int(match[1], 16)] = "".join(chr(int(code[2:], 16)) for code in match[2].split())
    TARGET.write_text(HEAD + "".join(_rows(found)), encoding="utf-8")
    print(f"{TARGET.name}: {len(found)} codes")
    return 0


def _rows(found: dict[int, str]) -> list[str]:
    rows: list[str] = []
    start, row = 0, list[str]()
    for code in [*sorted(found), 0]:
        if row and (code != start + len(row) or len(row) == ROW):
            rows.append(f"{start:04X} {' '.join(row)}\n")
            row = []
        if not row:
            start = code
        row.append(found.get(code, ""))
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
