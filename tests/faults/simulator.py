"""Simulate faults by seeds: `python -m tests.faults.simulator --seeds 0:20`; one seed again: `--seeds 17 --keep`.

A seed chooses a scenario, one to three faults, and the points where they strike. After the faulted runs, a run without
faults must end as if nothing had happened; until then every visible release must be whole, every message must say what
to do, and no run may hang. A line of JSON for each seed; the last line counts. Exit status 1 if a seed fails.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults import simulated_process
from tests.faults.injection import END, READS, REMOTE, Fault
from tests.faults.lying_site import LIES, LyingSite
from tests.faults.scenarios import (
    STORE,
    Scenario,
    State,
    find_faults,
    find_leftovers,
    find_traces_left,
    list_scenarios,
    read_end,
    read_texts,
)
from tests.faults.simulated_process import HUNG, KILLED, Ended

ADVICES = 12  # damaged files are found one after the other
_ADVICE = re.compile(r"[Dd]elete (\S+?)(?: and|[;.,]? |$)")
_RAW = re.compile(r"Traceback|internal error|no answer|^signal")


@dataclass
class Known:
    """What a scenario looks like without faults."""

    source: Path
    base: Path
    end: dict[str, str]
    texts: dict[str, str]
    points: dict[str, int]  # label → how often it is passed


@dataclass
class Verdict:
    """What came of a seed."""

    seed: int
    scenario: str
    faults: list[str] = field(default_factory=list)
    ended: list[int | str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Simulator:
    """Scenarios below the folder `root`, each prepared when a seed first needs it."""

    def __init__(self, root: Path, only: str = "", kinds: str = "", *, flush: bool = True) -> None:
        self.root = root
        self.site = LyingSite(5)
        self.flush = flush
        chosen = frozenset(kinds.split(",")) - {""}
        found = [one for one in list_scenarios(self.site) if one.name.startswith(only)]
        found = [replace(one, kinds=tuple(k for k in one.kinds if not chosen or k in chosen)) for one in found]
        self.scenarios = [one for one in found if one.kinds]
        self._known: dict[str, Known] = {}
        self.kinds: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()  # a later run may not come to the point

    def warm(self) -> None:
        """Run once in this process: libraries load their models and compile."""
        from flows.cli import main

        home = self.root / "warm"
        scenario = next(one for one in list_scenarios(self.site) if one.name == "run")
        source = scenario.write(home / "inputs", 0)
        command = scenario.spell(scenario.commands[0], State(home), source)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            status = main.run_guarded(
                lambda: main.app(command, exit_on_error=False, print_error=False, result_action="return_value")
            )
        assert status == 0, said.getvalue()

    def run(self, seed: int) -> Verdict:
        dice = random.Random(seed)
        scenario = self.scenarios[seed % len(self.scenarios)]
        known = self._prepare(scenario)
        state = State(self.root / f"seed-{seed}" / scenario.name)
        _copy(known.base, state.root)
        scenario.write(known.source.parent, scenario.edition)
        verdict, exact = Verdict(seed, scenario.name), True
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            kind = dice.choice(scenario.kinds)
            exact &= not (scenario.dated and kind in ("clock", "lies"))
            if kind == "rot":
                verdict.faults.append(_damage(state, dice))
                verdict.ended.append("-")
                self.struck[kind] += 1
            else:
                self._run_with(scenario, known, state, kind, dice, verdict)
            self.kinds[kind] += 1
            verdict.problems += find_faults(scenario, state) if kind != "rot" else []
        self.site.lies = {}
        rotten = any(one.startswith("rot") for one in verdict.faults)
        self._finish(
            scenario, known, state, verdict, rotten=rotten, exact=exact, cache=self._choose_machine(scenario, dice)
        )
        return verdict

    def _choose_machine(self, scenario: Scenario, dice: random.Random) -> str:
        return "two" if scenario.bucket and dice.random() < 0.4 else "one"

    def _run_with(
        self, scenario: Scenario, known: Known, state: State, kind: str, dice: random.Random, verdict: Verdict
    ) -> None:
        """Run the commands with one fault, and look at how they end."""
        fault = None
        if kind == "lies":
            paths = [*self.site.paths(), "/robots.txt"]
            self.site.lies = {path: dice.choice(LIES) for path in dice.sample(paths, dice.randint(1, 3))}
            verdict.faults.append(f"lies {self.site.lies}")
        else:
            fault = replace(_choose(known.points, kind, dice), flush=self.flush)
            verdict.faults.append(fault.describe())
        cache = self._choose_machine(scenario, dice)
        ended = self._fork(scenario, known, state, fault, cache)
        self.site.lies = {}
        self.struck[kind] += ended.struck or kind == "lies"
        verdict.ended.append(ended.status)
        verdict.problems += _judge(ended)
        if fault is not None and fault.label == END:  # the command has said that it is done
            verdict.problems += find_traces_left(scenario, state, cache)

    def _fork(
        self, scenario: Scenario, known: Known, state: State, fault: Fault | None = None, cache: str = "one"
    ) -> Ended:
        commands = [scenario.spell(command, state, known.source) for command in scenario.commands]
        return simulated_process.fork(commands, state.disks, state.store, fault, cache)

    def _finish(
        self, scenario: Scenario, known: Known, state: State, verdict: Verdict, *, rotten: bool, exact: bool, cache: str
    ) -> None:
        """Run without faults, and compare the end."""
        ended = self._fork(scenario, known, state, cache=cache)
        for _ in range(ADVICES if rotten else 0):
            if not ended.status or not _follow(ended.said, state):
                break
            verdict.ended.append(f"advice, {ended.status}")
            ended = self._fork(scenario, known, state, cache=cache)
        verdict.ended.append(ended.status)
        verdict.problems += _judge(ended)
        if ended.status:
            if not rotten:
                verdict.problems.append(f"the run without faults ends with {ended.status}: {ended.said[-600:]}")
            return
        verdict.problems += find_faults(scenario, state)
        if exact:
            found = read_end(scenario, state)
            different = [path for path in known.end.keys() | found.keys() if known.end.get(path) != found.get(path)]
            damaged = [one.rpartition(" of ")[2] for one in verdict.faults if one.startswith("rot")]
            different = [path for path in different if path.partition("/")[2] not in damaged]  # perhaps not read again
            different.sort(key=lambda path: ("6-releases" not in path, path))
            verdict.problems += [f"differs: {path} ({_say(known.end, found, path)})" for path in different[:8]]
        elif read_texts(state) != known.texts:
            verdict.problems.append("the published texts differ")
        verdict.problems += find_leftovers(scenario, state, cache)[:8] + find_traces_left(scenario, state, cache)[:8]

    def _prepare(self, scenario: Scenario) -> Known:
        if scenario.name in self._known:
            return self._known[scenario.name]
        home = self.root / "known" / scenario.name
        source = scenario.write(home / "inputs", 0)
        base = State(home / "base" / scenario.name)
        base.root.mkdir(parents=True)
        for command in scenario.base:
            ended = simulated_process.fork([scenario.spell(command, base, source)], base.disks, base.store)
            assert ended.status == 0, ended
        scenario.write(home / "inputs", scenario.edition)
        clean = State(home / "clean" / scenario.name)
        _copy(base.root, clean.root)
        known = Known(source, base.root, {}, {}, {})
        ended = self._fork(scenario, known, clean)
        assert ended.status == 0, ended
        known.end, known.texts, known.points = read_end(scenario, clean), read_texts(clean), Counter(ended.points)
        assert known.texts or not scenario.base
        assert find_traces_left(scenario, base, "one") or not scenario.erases
        self._known[scenario.name] = known
        return known


def _choose(points: dict[str, int], kind: str, dice: random.Random) -> Fault:
    """Choose a place among all kinds of places, however often each is passed, and one of its points."""
    seed = dice.randrange(1 << 30)
    if kind == "power" and dice.random() < 0.1:
        return Fault(kind, END, 0, seed)
    labels = sorted(label for label in points if _can_strike(kind, label.removeprefix("crawler: ").split(" ")[0]))
    op = dice.choice(sorted({label.split(" ")[0] for label in labels}))
    label = dice.choice([label for label in labels if label.split(" ")[0] == op])
    return Fault(kind, label, dice.randrange(points[label]), seed)


def _can_strike(kind: str, op: str) -> bool:
    if kind in STORE:
        return op in REMOTE
    if kind in ("kill", "power"):
        return op not in READS
    return op not in REMOTE and not (kind == "full" and op in READS | {"unlink", "rmdir"})


def _damage(state: State, dice: random.Random) -> str:
    """Change a finished file: a bit, its length, or it is gone."""
    root, *other = state.workspaces() or [state.root]
    is_copy = bool(other) or root.is_relative_to(state.root / "one")
    files = defaultdict(list)
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(root)
        if name.parts[0][0] in "2345s" and not path.name.startswith("."):  # what a run can make again
            files[name.parts[0]].append(path)
    if not files:
        return "rot of nothing"
    path = dice.choice(files[dice.choice(sorted(files))])
    content, how = bytearray(path.read_bytes()), "bit" if is_copy else dice.choice(("bit", "cut", "zero", "gone"))
    found = path.stat()
    match how:
        case "bit" if content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        case "cut":
            del content[len(content) // 2 :]
        case _:
            content = bytearray(len(content))
    path.unlink()
    if how != "gone":
        path.write_bytes(content)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))  # a disk that forgets does not write a date
    return f"rot ({how}) of {path.relative_to(root)}"


def _judge(ended: Ended) -> list[str]:
    """What is wrong with an end: a run that hangs, an error without a sentence."""
    if ended.status == HUNG:
        return ["hangs"]
    said = str(ended.status) if isinstance(ended.status, str) else ended.said
    if ended.status != KILLED and _RAW.search(said):
        return [f"a raw error: {said[-400:]}"]
    if isinstance(ended.status, int) and ended.status and "malmoi: " not in ended.said:
        return [f"exit status {ended.status} without a message: {ended.said[-200:]}"]
    return []


def _follow(said: str, state: State) -> bool:
    """Delete what the message says; whether it says so."""
    found = [Path(one.rstrip(".,;")) for one in _ADVICE.findall(said.rpartition("malmoi: ")[2])]
    found = [path for path in found if path.is_relative_to(state.root) and path.exists()]
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return bool(found)


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


def _say(before: dict[str, str], after: dict[str, str], path: str) -> str:
    return "missing" if path not in after else "not there without faults" if path not in before else "other bytes"


def _parse_seeds(text: str) -> range:
    first, colon, last = text.partition(":")
    return range(int(first), int(last) if colon else int(first) + 1)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=_parse_seeds, required=True, help="FIRST:LAST, or one seed")
    parser.add_argument("--only", default="", help="scenarios whose name begins so; seeds then mean others")
    parser.add_argument("--kinds", default="", help="kinds of faults, separated by commas; seeds then mean others")
    parser.add_argument("--no-flush", action="store_true", help="let fsync do nothing: power cuts must then be noticed")
    parser.add_argument("--keep", action="store_true", help="keep the folders, and print where they are")
    given = parser.parse_args(arguments)
    root = Path(tempfile.mkdtemp(prefix="malmoi-faults-"))
    simulated_process.load()
    simulator, failed = Simulator(root, given.only, given.kinds, flush=not given.no_flush), 0
    try:
        simulator.warm()
        for seed in given.seeds:
            verdict = simulator.run(seed)
            failed += bool(verdict.problems)
            print(json.dumps(vars(verdict), ensure_ascii=False), flush=True)
            if not given.keep:
                shutil.rmtree(root / f"seed-{seed}", ignore_errors=True)
    finally:
        if given.keep:
            print(f"kept: {root}", flush=True)
        else:
            shutil.rmtree(root, ignore_errors=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    seconds = round(sum(one.ru_utime + one.ru_stime for one in used))
    counts = {"faults": simulator.kinds, "struck": simulator.struck}
    print(json.dumps({"seeds": len(given.seeds), "failed": failed, **counts, "cpu_seconds": seconds}), flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main(sys.argv[1:]))  # threads of libraries
