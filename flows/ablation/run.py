"""Run the plan of an ablation in a folder of results; finished models and saved steps are not repeated."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flows.ablation.texts import Plan, read_held_out, read_plan, read_texts
from malmoi.ablation import Measured, compare
from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.errors import CallError, StageError
from malmoi.processes.rlimits import end_with_parent
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.locks import hold_lock

VERSION = 3  # of training and measurement: raise it when equal texts give another result
TRAINER = Path(__file__).with_name("train_model.py")
FACTS, VOCABULARY = "ablation.json", "vocabulary.json"
END = "<|end|>"  # ends a text; its id is 0
VOCABULARY_CHARS = 2_000_000  # code points of each input that train a vocabulary
POOL = 6  # code points of an input that are read for each token of a model; seeds sample from these
FEWEST_SEQUENCES = 16  # of `context` tokens that an input must have
PROBES = ("particles", "honorifics", "endings", "spacing", "order", "topics")  # kinds of korean_probes.tsv
FEW = 30  # documents; a held-out set with fewer gives wide intervals
Ids = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the models are trained; not part of a key."""

    python: str
    device: str = "auto"
    threads: int = 0  # 0: torch chooses


def run(plan_path: Path, results: Path, machine: Machine, show: Callable[[str], None]) -> dict[str, Any]:
    """Train and measure all models of a plan; return the content of ablation.json, which is written to `results`.

    CallError if the plan cannot be followed; StageError if a training process fails.
    """
    plan = read_plan(plan_path)
    _require_libraries(machine.python)
    (results / "tmp").mkdir(parents=True, exist_ok=True)
    with hold_lock(
        results / "lock", lambda holder: CallError(f"{results} is in use by another run ({holder}); wait for its end.")
    ):
        facts = {
            "version": VERSION,
            "command": f"malmoi ablate {plan_path.name} {results.name}",
            "plan": plan_path.read_text(encoding="utf-8"),
        }
        facts |= _follow(plan, plan_path.parent, results, machine, show)
        facts["notes"] = list(_list_notes(facts))
        replace_file(results / FACTS, canonical_json(facts))
    return facts


def _follow(plan: Plan, base: Path, results: Path, machine: Machine, show: Callable[[str], None]) -> dict[str, Any]:
    """Read the texts, train the models and measure them; return what ablation.json says of them."""
    sizes, tmp = plan.sizes, results / "tmp"
    steps = max(1, sizes.tokens // (sizes.batch * sizes.context))
    rows = {given.name: read_texts(base, given, POOL * sizes.tokens, tmp=tmp) for given in plan.input}
    inputs = {name: [text for _, text in pairs] for name, pairs in rows.items()}
    held_out = read_held_out(plan, base, inputs, tmp=tmp)
    vocabulary = _open_vocabulary(results / VOCABULARY, sizes.vocabulary, list(inputs.values()))
    documents = {name: _encode(vocabulary, texts) for name, texts in inputs.items()}
    counts = {name: sum(len(ids) + 1 for ids in encoded) for name, encoded in documents.items()}
    smallest, needed = min(counts, key=lambda name: counts[name]), FEWEST_SEQUENCES * sizes.context
    if counts[smallest] < needed:
        raise CallError(
            f"input {smallest} has {counts[smallest]:,} tokens; this setting needs {needed:,} at least. Add texts, "
            "widen its condition, or choose a smaller setting."
        )
    budget = min(counts[smallest], sizes.tokens + 1)

    lines = Path(__file__).with_name("korean_probes.tsv").read_text(encoding="utf-8").splitlines()
    kinds, right, wrong = map(np.array, zip(*(line.split("\t") for line in lines), strict=True))
    probes = _write_set(vocabulary, np.stack([right, wrong], 1).ravel().tolist(), results)
    sets = {one.name: _write_set(vocabulary, one.documents, results) for one in held_out}
    model = sizes.model_dump(include={"layers", "width", "heads", "context"})
    model["vocabulary"], sha256 = vocabulary.get_vocab_size(), _digest((results / VOCABULARY).read_bytes())
    job = {"model": model, "steps": steps, "batch": sizes.batch, "rate": sizes.rate}
    folders: dict[str, list[Path]] = {name: [] for name in inputs}
    for seed in range(1, plan.seeds + 1):  # all inputs of a seed before the next: a stopped ablation has whole seeds
        for name, pairs in rows.items():
            tokens = sample_tokens([id_ for id_, _ in pairs], documents[name], budget, seed)
            key = {"version": VERSION, "vocabulary": sha256, "tokens": _digest(tokens.tobytes()), "seed": seed, **job}
            folder = results / "runs" / _digest(spell_on_one_line(key).encode())[:16]
            for line in _train(folder, tokens, job | {"seed": seed}, [*sets.values(), probes], machine):
                show(f"{name}, seed {seed} of {plan.seeds}: {line}")
            folders[name].append(folder)

    def load(path: Path) -> npt.NDArray[np.float64]:  # bits of all sequences: (inputs, seeds, sequences)
        return np.array([[np.load(folder / f"{path.stem}.npy") for folder in trained] for trained in folders.values()])

    gain = load(probes)[..., 1::2] - load(probes)[..., 0::2]
    passed = (gain > 0) + 0.5 * (gain == 0)
    lengths = {one.name: np.array([float(len(text)) for text in one.documents]) for one in held_out}
    bits = {name: Measured(load(path), lengths[name]) for name, path in sets.items()}
    probe_kinds = {kind: Measured(passed[..., kinds == kind], np.ones((kinds == kind).sum())) for kind in PROBES}
    return {
        "setting": {"name": plan.setting, **sizes.model_dump(), "steps": steps},
        "seeds": plan.seeds,
        "tokens": {"each_input": budget, "seen": steps * sizes.batch * sizes.context},
        "vocabulary": {"size": model["vocabulary"], "sha256": sha256},
        "inputs": [
            {**given.model_dump(), **_count(inputs[given.name]), "tokens": counts[given.name]} for given in plan.input
        ],
        "held_out": [
            {"name": one.name, **_count(one.documents), "overlapping": one.overlapping, "unsearched": one.unsearched}
            for one in held_out
        ],
        "runs": [
            {"input": name, "seed": seed, **json.loads((folder / "run.json").read_bytes())}
            for name, trained in folders.items()
            for seed, folder in enumerate(trained, 1)
        ],
        "bits": compare(bits, list(inputs)),
        "probes": compare(probe_kinds, list(inputs)),
    }


def _count(texts: Sequence[str]) -> dict[str, int]:
    return {"documents": len(texts), "characters": sum(map(len, texts))}


def _list_notes(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what limits the result: a code, and the values that its sentence names."""
    each, seen = facts["tokens"]["each_input"], facts["tokens"]["seen"]
    if seen > 1.05 * each:
        smallest = min(facts["inputs"], key=lambda given: given["tokens"])
        yield {"code": "repeats", "input": smallest["name"], "tokens": each, "times": round(seen / each, 1)}
    for held_out in facts["held_out"]:
        if held_out["documents"] < FEW:
            yield {"code": "few", "set": held_out["name"], "documents": held_out["documents"]}
    if facts["seeds"] == 1:
        yield {"code": "one_seed"}


def _open_vocabulary(place: Path, size: int, inputs: Sequence[Sequence[str]]) -> Any:
    """Return the byte pairs of a folder of results; the first run trains them on equal shares of its inputs."""
    try:
        import tokenizers
    except ImportError as error:
        raise CallError(
            "malmoi ablate needs the package tokenizers, which is not installed. Run pip install 'malmoi[ablate]'."
        ) from error
    if not place.exists():
        trained = tokenizers.ByteLevelBPETokenizer()
        share = min(VOCABULARY_CHARS, *(sum(map(len, texts)) for texts in inputs))
        shares = ("\n".join(texts)[:share] for texts in inputs)
        trained.train_from_iterator(shares, size, show_progress=False, special_tokens=[END])
        replace_file(place, trained.to_str())
    try:
        vocabulary = tokenizers.Tokenizer.from_file(str(place))
        if vocabulary.token_to_id(END) != 0 or vocabulary.get_vocab_size() > 1 << 16:
            raise ValueError(f"its first of at most {1 << 16:,} tokens is not {END}")
    except Exception as error:  # tokenizers raises Exception itself
        raise CallError(
            f"{place} is not a vocabulary of an ablation ({error}); take vocabulary.json of an earlier one."
        ) from error
    vocabulary.encode_special_tokens = True  # letters of END in a text are plain text
    return vocabulary


def _encode(vocabulary: Any, texts: Sequence[str]) -> list[Ids]:
    """Return the token ids of each text, without the one that ends it."""
    return [np.array(one.ids, np.uint16) for one in vocabulary.encode_batch(list(texts), add_special_tokens=False)]


def _write_set(vocabulary: Any, texts: Sequence[str], results: Path) -> Path:
    """Write the token sequences of a set to measure, each after END; the stem of the file is their digest."""
    sequences = [np.concatenate([np.zeros(1, np.uint16), ids]) for ids in _encode(vocabulary, texts)]
    path = results / "sets" / f"{_digest(b''.join(ids.tobytes() + b'|' for ids in sequences))[:16]}.npz"
    if not path.exists():
        stream = io.BytesIO()
        np.savez(stream, ids=np.concatenate(sequences), ends=np.cumsum([len(ids) for ids in sequences]))
        replace_file(path, stream.getvalue())
    return path


def sample_tokens(ids: Sequence[str], documents: Sequence[Ids], budget: int, seed: int) -> Ids:
    """Return exactly `budget` tokens: documents in the order of `seed`, the last one cut; token 0 before each.

    The order depends on ids alone. So two inputs give a model the same documents as far as both have them, in the same
    order, and models of one seed differ by what was done to the documents, not by the luck of the draw.

    >>> sample_tokens(["a", "b"], [np.array([5, 6], np.uint16), np.array([7], np.uint16)], 4, seed=1).tolist()
    [0, 5, 6, 0]
    """
    parts, size = [], 0
    for place in sorted(range(len(ids)), key=lambda place: hashlib.sha256(f"{seed} {ids[place]}".encode()).digest()):
        parts += [np.zeros(1, np.uint16), documents[place]]
        size += len(documents[place]) + 1
        if size >= budget:
            break
    return np.concatenate(parts)[:budget]


def _train(folder: Path, tokens: Ids, job: dict[str, Any], sets: Sequence[Path], machine: Machine) -> Iterator[str]:
    """Train a model in a child process, measure what is not measured yet, and yield lines of progress.

    A killed job continues from its last checkpoint. StageError if the child fails.
    """
    measure = [{"from": str(path.absolute()), "to": str((folder / f"{path.stem}.npy").absolute())} for path in sets]
    if all(Path(one["to"]).exists() for one in measure):
        yield "finished before"
        return
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens.npy", tokens)
    places = {"folder": str(folder.absolute()), "tokens": str((folder / "tokens.npy").absolute()), "measure": measure}
    job |= places | {"device": machine.device, "threads": machine.threads}
    replace_file(folder / "job.json", json.dumps(job))
    with (folder / "errors.log").open("w+", encoding="utf-8") as errors:
        child = subprocess.Popen(
            [machine.python, TRAINER, folder / "job.json"],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment(),
            preexec_fn=partial(end_with_parent, signal.SIGKILL),
        )  # fmt: skip
        try:
            assert child.stdout is not None
            for line in child.stdout:
                yield "step {step} of {steps}, {bits:.3f} bits a token".format(**json.loads(line))
            status = child.wait()
        finally:
            child.kill()
            child.wait()
        if status:
            errors.seek(0)
            reason = (errors.read().strip().splitlines() or ["no message"])[-1]
            raise StageError(
                f"training ended with status {status} ({reason}; {folder / 'errors.log'}). Run the same command again: "
                "it continues from the last saved step."
            )
    (folder / "tokens.npy").unlink()


def _require_libraries(python: str) -> None:
    try:
        command = [python, "-c", "import accelerate, numpy, torch, transformers"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
        reason = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended with an error"])[-1]
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise CallError(
            f"{python} cannot import torch and transformers ({reason}). Run pip install 'malmoi[ablate]', or name with "
            "--python the interpreter of an environment that has both."
        )


def _environment() -> dict[str, str]:
    """Return the environment of a trainer: one GPU, no network, and no modules of this interpreter in another one."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return {"CUDA_VISIBLE_DEVICES": "0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"} | kept | {"HF_HUB_OFFLINE": "1"}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
