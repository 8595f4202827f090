"""Run the plan of an ablation in a folder of results; finished models and saved steps are not repeated."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flows.ablation.held_out import HeldOut, select_held_out
from flows.ablation.results import (
    PROBES,
    describe_input,
    describe_set,
    gather_bits,
    gather_probes,
    list_notes,
    name_set,
)
from flows.ablation.training import require_torch, run_job
from malmoi.ablation.byte_pairs import Ids, encode_texts, open_vocabulary, train_vocabulary
from malmoi.ablation.intervals import compare
from malmoi.ablation.korean_probes import make_pairs
from malmoi.ablation.plan import Plan, Setting, Texts, read_plan
from malmoi.ablation.read_texts import read_texts
from malmoi.ablation.samples import count_tokens, sample_tokens
from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.errors import CallError
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.locks import hold_lock

VERSION = 2  # of training and measurement: raise it when equal texts give another result
FACTS = "ablation.json"
VOCABULARY = "vocabulary.json"
POOL = 6  # code points of an input that are read for each token of a model; seeds sample from these
HELD_OUT_POOL = 10  # code points of a held-out set that are read for each that is measured
SAVES = 10  # saved states in a run
FEWEST_SEQUENCES = 16  # of `context` tokens that an input must have


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the models are trained; not part of a key."""

    python: str
    device: str = "auto"
    threads: int = 0  # 0: torch chooses


@dataclass(frozen=True, slots=True)
class _Bench:
    """Shared by all runs of an ablation: folder, machine, sizes, the digest of the vocabulary, the sets to measure."""

    results: Path
    machine: Machine
    sizes: Setting
    vocabulary: str
    ids: int  # of the vocabulary
    sets: Mapping[str, Path]  # by name; the stem of the file is the digest of its content


def run(plan_path: Path, results: Path, machine: Machine, show: Callable[[str], None]) -> dict[str, Any]:
    """Train and measure all models of a plan; return the content of ablation.json, which is written to `results`.

    CallError if the plan cannot be followed; StageError if a training process fails.
    """
    plan = read_plan(plan_path)
    require_torch(machine.python)
    (results / "tmp").mkdir(parents=True, exist_ok=True)
    with hold_lock(
        results / "lock", lambda holder: CallError(f"{results} is in use by another run ({holder}); wait for its end.")
    ):
        facts = _follow(plan, plan_path, results, machine, show)
        replace_file(results / FACTS, canonical_json(facts))
    return facts


def _follow(
    plan: Plan, plan_path: Path, results: Path, machine: Machine, show: Callable[[str], None]
) -> dict[str, Any]:
    sizes, base = plan.sizes, plan_path.parent
    rows = {one.name: read_texts(base, one, POOL * sizes.tokens, tmp=results / "tmp") for one in plan.input}
    ids = {name: [id_ for id_, _ in found] for name, found in rows.items()}
    inputs = {name: [text for _, text in found] for name, found in rows.items()}
    held_out = select_held_out(
        {one.name: _read_held_out(base, one, sizes, results / "tmp") for one in plan.held_out},
        inputs,
        sizes.held_out_chars,
    )
    vocabulary = _find_vocabulary(plan, base, results, list(inputs.values()))
    documents = {name: encode_texts(vocabulary, texts) for name, texts in inputs.items()}
    budget = _find_budget(sizes, documents)
    bench = _Bench(
        results,
        machine,
        sizes,
        _digest((results / VOCABULARY).read_bytes()),
        vocabulary.get_vocab_size(),
        _write_sets(vocabulary, held_out, results),
    )
    folders: dict[str, list[Path]] = {name: [] for name in inputs}
    for seed in range(1, plan.seeds + 1):  # all inputs of a seed before the next: a stopped ablation has whole seeds
        for name in inputs:
            label = f"{name}, seed {seed} of {plan.seeds}"
            tokens = sample_tokens(ids[name], documents[name], budget, seed)
            folders[name].append(_run_once(bench, tokens, seed, partial(_show_run, show, label)))
    facts = {
        "version": VERSION,
        "command": f"malmoi ablate {plan_path.name} {results.name}",
        "plan": plan_path.read_text(encoding="utf-8"),
        "setting": {"name": plan.setting, **sizes.model_dump(), "steps": sizes.steps},
        "seeds": plan.seeds,
        "tokens": {"each_input": budget, "seen": sizes.steps * sizes.batch * sizes.context},
        "vocabulary": {"size": bench.ids, "sha256": bench.vocabulary},
        "inputs": [describe_input(one, inputs[one.name], documents[one.name]) for one in plan.input],
        "held_out": [describe_set(one) for one in held_out],
        "runs": [
            {"input": name, "seed": seed, **_read_json(folder / "run.json")}
            for name, found in folders.items()
            for seed, folder in enumerate(found, 1)
        ],
        "bits": compare(gather_bits(bench.sets, held_out, folders), list(inputs)),
        "probes": compare(gather_probes(bench.sets[PROBES], folders), list(inputs)),
    }
    return facts | {"notes": list(list_notes(facts))}


def _read_held_out(base: Path, given: Texts, sizes: Setting, tmp: Path) -> list[str]:
    rows = read_texts(base, given, HELD_OUT_POOL * sizes.held_out_chars, tmp=tmp)
    texts = (_even_blanks(text)[: sizes.document_chars] for _, text in rows)
    return [text for text in texts if text]


def _even_blanks(text: str) -> str:
    """Return the lines of a text with single blanks: those before a line end say nothing of the language."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _find_vocabulary(plan: Plan, base: Path, results: Path, inputs: Sequence[Sequence[str]]) -> Any:
    """Return the vocabulary of the results: the one that the plan names, or one trained on the inputs.

    CallError if the results already have another one: their models could not be compared with new ones.
    """
    place, origin = results / VOCABULARY, results / "vocabulary-origin.json"
    given = base / plan.vocabulary if plan.vocabulary else None
    if given is not None and not given.is_file():
        raise CallError(f"the vocabulary {given} does not exist; name the vocabulary.json of an earlier ablation.")
    key = {"size": plan.sizes.vocabulary, "texts": _digest_texts(inputs)} if given is None else {}
    if place.exists():
        same = given.read_bytes() == place.read_bytes() if given else _read_json(origin) == key
        if not same:
            raise CallError(
                f"{results} has the vocabulary of other inputs, and models of two vocabularies cannot be compared. "
                f"Name a new folder, or set `vocabulary` in the plan to {place} to train this plan with it."
            )
    elif given:
        replace_file(place, given.read_bytes())
    else:
        replace_file(origin, canonical_json(key))
        train_vocabulary(inputs, plan.sizes.vocabulary, place)
    return open_vocabulary(place)


def _find_budget(sizes: Setting, documents: Mapping[str, Sequence[Ids]]) -> int:
    """Return the tokens that each input gives: those of the smallest one, and at most those that a model sees."""
    counts = {name: count_tokens(found) for name, found in documents.items()}
    smallest = min(counts, key=lambda name: counts[name])
    needed = FEWEST_SEQUENCES * sizes.context
    if counts[smallest] < needed:
        raise CallError(
            f"input {smallest} has {counts[smallest]:,} tokens; this setting needs {needed:,} at least. Add texts, "
            "widen its condition, or choose a smaller setting."
        )
    return min(counts[smallest], sizes.tokens + 1)


def _write_sets(vocabulary: Any, held_out: Sequence[HeldOut], results: Path) -> dict[str, Path]:
    """Write the token sequences to measure: one file for each held-out set, and one for the probes."""
    pairs = [(one.before + one.right, one.before + one.wrong) for one in make_pairs()]
    texts: dict[str, Sequence[str]] = {name_set(one.name): one.documents for one in held_out}
    texts[PROBES] = [text for pair in pairs for text in pair]
    found = {}
    for name, given in texts.items():
        sequences = [np.concatenate([np.zeros(1, np.uint16), ids]) for ids in encode_texts(vocabulary, given)]
        stream = io.BytesIO()
        np.savez(stream, ids=np.concatenate(sequences), ends=np.cumsum([len(one) for one in sequences]))
        digest = hashlib.sha256(b"".join(one.tobytes() + b"|" for one in sequences)).hexdigest()[:16]
        found[name] = results / "sets" / f"{digest}.npz"
        if not found[name].exists():
            replace_file(found[name], stream.getvalue())
    return found


def _run_once(bench: _Bench, tokens: Ids, seed: int, show: Callable[[str], None]) -> Path:
    """Train one model unless it is finished, measure what is not measured yet, and return the folder of the run."""
    sizes, machine = bench.sizes, bench.machine
    job = {
        "model": {
            "vocabulary": bench.ids, "layers": sizes.layers, "width": sizes.width, "heads": sizes.heads,
            "context": sizes.context,
        },
        "steps": sizes.steps, "batch": sizes.batch, "rate": sizes.rate, "matrix_rate": sizes.matrix_rate,
        "warm_up": max(1, sizes.steps // 20), "seed": seed,
    }  # fmt: skip
    content = {"version": VERSION, "vocabulary": bench.vocabulary, "tokens": _digest(tokens.tobytes()), **job}
    folder = bench.results / "runs" / _digest(spell_on_one_line(content).encode())[:16]
    measure = [
        {"from": str(path.absolute()), "to": str((folder / f"{path.stem}.npy").absolute())}
        for path in bench.sets.values()
    ]
    if all(Path(one["to"]).exists() for one in measure):
        show("finished before")
        return folder
    stream = io.BytesIO()
    np.save(stream, tokens)
    replace_file(folder / "tokens.npy", stream.getvalue())
    job |= {
        "folder": str(folder.absolute()), "tokens": str((folder / "tokens.npy").absolute()), "measure": measure,
        "save_every": max(1, sizes.steps // SAVES), "device": machine.device, "threads": machine.threads,
    }  # fmt: skip
    run_job(machine.python, job, lambda said: show("step {step} of {steps}, {bits:.3f} bits a token".format(**said)))
    (folder / "tokens.npy").unlink()
    return folder


def _show_run(show: Callable[[str], None], label: str, line: str) -> None:
    show(f"{label}: {line}")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _digest_texts(inputs: Sequence[Sequence[str]]) -> str:
    found = hashlib.sha256()
    for texts in inputs:
        for text in texts:
            found.update(text.encode("utf-8", "surrogatepass") + b"\0")
        found.update(b"\1")
    return found.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
