"""The trainer itself, in an environment with torch: it learns, a killed job continues, windows change nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from flows.ablation.run import TRAINER
from tests.builders.small_ablation import write_ablation
from tests.builders.small_corpus import malmoi_in_process

pytestmark = pytest.mark.heavy

TORCH = Path(__file__).parents[2] / ".foreign" / "torch"


@pytest.fixture(scope="module")
def python() -> Path:
    if not (TORCH / ".installed").is_file():
        pytest.skip("no environment for torch: run make foreign")
    return TORCH / "bin" / "python"


def write_job(folder: Path, sequences: list[list[int]], **other: object) -> Path:
    folder.mkdir()
    chance = np.random.default_rng(0)
    np.save(folder / "tokens.npy", chance.zipf(1.5, 4000).clip(0, 59).astype(np.uint16))
    ends = np.cumsum([len(one) for one in sequences])
    np.savez(folder / "set.npz", ids=np.concatenate(sequences).astype(np.uint16), ends=ends)
    job = {
        "folder": str(folder), "tokens": str(folder / "tokens.npy"), "seed": 1, "device": "cpu", "threads": 1,
        "model": {"vocabulary": 60, "layers": 1, "width": 16, "heads": 2, "context": 16},
        "steps": 40, "batch": 4, "rate": 0.01,
        "measure": [{"from": str(folder / "set.npz"), "to": str(folder / "bits.npy")}],
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job | other), encoding="utf-8")
    return folder / "job.json"


def train(python: Path, job: Path) -> np.ndarray:
    subprocess.run([python, TRAINER, job], check=True, capture_output=True, timeout=120)
    return np.load(job.parent / "bits.npy")


SEQUENCES = [[0, 1, 2, 3], [0, *range(1, 50)], [0, 5], [0, *range(1, 18)], [0, *range(1, 17)]]


def test_a_killed_job_continues_from_its_last_saved_step_with_the_same_result(python, tmp_path):
    whole = train(python, write_job(tmp_path / "whole", SEQUENCES))
    job = write_job(tmp_path / "cut", SEQUENCES)
    with subprocess.Popen([python, TRAINER, job], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout and json.loads(child.stdout.readline())["step"] == 4
        assert json.loads(child.stdout.readline())["step"] == 8  # so the checkpoint of step 4 is whole
        child.kill()
    assert not (tmp_path / "cut/model").exists()
    assert train(python, job).tolist() == whole.tolist()
    assert (tmp_path / "cut/model").exists() and not list((tmp_path / "cut").glob("checkpoint-*"))


def test_a_sequence_has_the_same_bits_alone_and_among_others(python, tmp_path):
    together = train(python, write_job(tmp_path / "a", SEQUENCES))
    alone = [train(python, write_job(tmp_path / f"b{at}", [one]))[0] for at, one in enumerate(SEQUENCES)]
    assert together == pytest.approx(alone, rel=1e-5)
    assert np.all(together > 0)


def test_another_seed_gives_another_model(python, tmp_path):
    one, other = (train(python, write_job(tmp_path / str(seed), SEQUENCES, seed=seed)) for seed in (1, 2))
    assert one.tolist() != other.tolist()


def test_the_trainer_prefers_the_language_of_the_held_out_texts_in_every_seed(python, tmp_path):
    pytest.importorskip("tokenizers")
    plan = write_ablation(tmp_path)
    done = malmoi_in_process("ablate", plan, tmp_path / "results", "--python", python, "--threads", "1")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results/ablation.json").read_text(encoding="utf-8"))
    assert min(found["bits"]["unseen"]["half"]["difference"]["seeds"]) > 0
    assert {one["input"] for one in found["runs"]} == {"korean", "half"}
