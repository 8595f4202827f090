"""Mutations that two revisions of the suite kill: `python -m benchmarks.mutations --before FOLDER --after FOLDER`.

The folders are checkouts to throw away, each with its `.venv`. One expression at a time is made wrong in both, and the
tests that `make check` would run decide, without those that read the source. A mutation is drawn from the lines that
both revisions have in a function of the same name. Where the suite after lets a mutation live, the one before is asked
first, so a table cut short is valid; the same command goes on with it.
"""

import argparse
import ast
import os
import queue
import random
import re
import signal
import subprocess
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

PACKAGES = ("malmoi", "crawlers", "filters", "flows", "data_cards")
HEAD = ("mutant", "place", "function", "operator", "line", "new", "before", "after", "killed before by", "after by")
OPERATOR = re.compile(rb"not in\b|is not\b|in\b|is\b|and\b|or\b|[=!<>]=|[<>]|\+|-")
NEGATED = {"==": "!=", "<": ">=", ">": "<=", "in": "not in", "is": "is not"}
NEGATED |= {new: old for old, new in NEGATED.items()}
BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
SKIPPED = ("annotation", "returns", "decorator_list", "exc", "msg")  # fields of syntax: annotations and messages
Place: TypeAlias = tuple[Path, int, int]  # a file, and the bytes that a mutation replaces


class Key(NamedTuple):
    """A mutation as both revisions name it."""

    function: str
    line: str
    operator: str
    column: int  # after the indent
    new: str


class Mutator(ast.NodeVisitor):
    """The mutations of one file: of functions and constants, not of annotations, docstrings and messages."""

    def __init__(self, file: Path) -> None:
        self.file, self.source = file, file.read_bytes()
        self.lines = [b"", *self.source.splitlines(keepends=True)]
        self.starts = [0, *accumulate(map(len, self.lines))]  # of each line; lines count from 1
        self.scope: list[str] = []
        self.mutations: list[tuple[Key, Place]] = []
        self.visit(ast.parse(self.source))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        last, column = node.end_lineno or 0, node.end_col_offset or 0
        return self.starts[node.lineno] + node.col_offset, self.starts[last] + column

    def add(self, operator: str, start: int, end: int, new: str) -> None:
        number = self.source.count(b"\n", 0, start) + 1
        line = self.lines[number].decode()
        column = start - self.starts[number] - (len(line) - len(line.lstrip()))
        self.mutations.append((Key(".".join(self.scope), line.strip(), operator, column, new), (self.file, start, end)))

    def exchange(self, operands: Sequence[ast.expr], name: str, words: dict[str, str]) -> None:
        for left, right in pairwise(operands):
            start, end = self.span(left)[1], self.span(right)[0]
            sign = OPERATOR.search(self.source, start, end)
            if sign and (new := words.get(sign[0].decode())):
                self.add(name, sign.start(), sign.end(), new)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            return  # before Python 3.12 parts of an f-string have wrong positions
        names = [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
        self.scope += names
        self.mutate(node)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if name not in SKIPPED and isinstance(child, ast.AST):
                    self.visit(child)
        del self.scope[len(self.scope) - len(names) :]

    def mutate(self, node: ast.AST) -> None:
        match node:
            case ast.Compare():
                self.exchange([node.left, *node.comparators], "negated comparison", NEGATED)
                self.exchange([node.left, *node.comparators], "boundary", BOUNDARY)
            case ast.BoolOp():
                self.exchange(node.values, "and/or", {"and": "or", "or": "and"})
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                self.exchange([node.left, node.right], "sign", {"+": "-", "-": "+"})
            case ast.Constant(value=bool() as value):
                self.add("constant", *self.span(node), str(not value))
            case ast.Constant(value=int() | float() as value):
                self.add("constant", *self.span(node), str(value + 1))
            case ast.Return(value=ast.expr() as result) if ast.unparse(result) != "None":
                self.add("returns None", *self.span(result), "None")
            case (
                ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Continue() | ast.Break() | ast.Raise()
            ):
                self.add("deleted", *self.span(node), "pass")
            case ast.If() | ast.While() | ast.IfExp():
                start, end = self.span(node.test)
                self.add("negated condition", start, end, f"(not ({self.source[start:end].decode()}))")


def mutations(tree: Path) -> dict[Key, Place]:
    """The mutations of a checkout whose key nothing else in it has."""
    files = [file for package in PACKAGES for file in sorted((tree / package).rglob("*.py"))]
    every = [mutation for file in files for mutation in Mutator(file).mutations]
    counts = Counter(key for key, _ in every)
    return {key: place for key, place in every if counts[key] == 1}


def draw(keys: Sequence[Key], seed: int, count: int) -> list[Key]:
    """Lines drawn evenly, so that a module weighs as its lines do, then one mutation of each."""
    lines: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for key in sorted(keys):
        lines[key.function, key.line].append(key)
    dice = random.Random(seed)
    return [dice.choice(lines[line]) for line in dice.sample(sorted(lines), count)]


def run_tests(tree: Path, files: Sequence[str], seconds: int) -> tuple[str, str]:
    """The outcome of tests within so many seconds of processor time, and which one failed."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    options = ("-n", "0", "-x", "-p", "no:cacheprovider", "-m", "not soak and not heavy and not real_time")
    command = ("prlimit", f"--cpu={seconds}", ".venv/bin/python", "-m", "pytest", *options, *files)
    with subprocess.Popen(command, cwd=tree, env=env, stdout=-1, stderr=-2, text=True, start_new_session=True) as run:
        try:
            output, _ = run.communicate(timeout=seconds * 4)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            return "timeout", ""
    if run.returncode < 0:  # the processor time is over
        return "timeout", ""
    if run.returncode == 4:
        raise SystemExit(f"{tree}: pytest cannot start: {output[-500:]}")
    failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.M)
    return "survived" if run.returncode in (0, 5) else "killed", " ".join(failed)  # 5: all tests were left out


def try_mutation(tree: Path, place: Place, new: str, seconds: int) -> tuple[str, str]:
    """Whether the tests nearest to a mutation kill it, and which one did."""
    file, start, end = place
    source = file.read_bytes()
    file.write_bytes(source[:start] + new.encode() + source[end:])
    try:
        nearest = (".venv/bin/python", "-m", "tests.project.changed_tests")
        files = subprocess.run(nearest, cwd=tree, capture_output=True, text=True, check=True).stdout.split()
        files = [path for path in files if not path.startswith("tests/project/")]
        return run_tests(tree, files, seconds) if files else ("survived", "")
    finally:
        file.write_bytes(source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=33)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=240, help="of processor time for the tests of one mutation")
    parser.add_argument("--table", type=Path, default=Path("mutations.tsv"))
    args = parser.parse_args()
    trees = (args.before, args.after)
    for tree in trees:  # a run cut short leaves a mutation
        subprocess.run(["git", "checkout", "--quiet", "--", *PACKAGES], cwd=tree, check=True)
    places = [mutations(tree) for tree in trees]
    keys = draw([*places[0].keys() & places[1].keys()], args.seed, args.count)
    lines = args.table.read_text("utf-8").splitlines()[1:] if args.table.exists() else []
    rows = {int(row[0]) - 1: row for row in (line.split("\t") for line in lines)}
    waiting: queue.PriorityQueue[tuple[bool, int]] = queue.PriorityQueue()

    def fill(side: int, n: int) -> None:
        key, place = keys[n], places[side][keys[n]]
        number = place[0].read_bytes().count(b"\n", 0, place[1]) + 1
        names = (str(n + 1), f"{place[0].relative_to(trees[side])}:{number}", key.function, key.operator)
        row = rows.setdefault(n, [*names, f"{key.column}: {key.line}", key.new, "", "", "", ""])
        if row[6 + side] not in ("killed", "survived"):
            row[6 + side], row[8 + side] = try_mutation(trees[side], place, key.new, args.seconds)
            text = "\n".join("\t".join(row) for row in (HEAD, *(rows[n] for n in sorted(rows))))
            args.table.write_text(text + "\n", encoding="utf-8")

    def fill_after() -> None:
        for n in range(args.count):
            fill(1, n)
            waiting.put((rows[n][7] == "killed", n))
        waiting.put((True, args.count))

    threading.Thread(target=fill_after).start()
    while (n := waiting.get()[1]) < args.count:
        fill(0, n)


if __name__ == "__main__":
    main()
