"""Train one small Llama on an array of tokens, and measure it on sequences: `python train_model.py JOB.json`.

This file needs NumPy and transformers with torch and nothing of Malmoi, so that an interpreter of another environment
can run it. A killed job continues from its last checkpoint, with the same result on the same machine and number of
threads. docs/ablate.md describes all.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import TensorDataset
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

SAVES = 10  # checkpoints of a run


class PrintingTrainer(Trainer):
    """A trainer that prints each logged step, for the parent."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log; print the mean loss since the last logged step, which the last log of a run does not have."""
        super().log(logs, start_time)
        if "loss" in logs:
            bits = logs["loss"] / math.log(2)
            print(json.dumps({"step": self.state.global_step, "steps": self.state.max_steps, "bits": bits}), flush=True)


def train(job: dict[str, Any], folder: Path) -> LlamaForCausalLM:
    """Return the trained model of a job, from the folder `model` if it is done; write run.json."""
    if (folder / "model").exists():
        return LlamaForCausalLM.from_pretrained(folder / "model")
    sizes, context = job["model"], job["model"]["context"]
    set_seed(job["seed"])
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=sizes["vocabulary"], hidden_size=sizes["width"], intermediate_size=4 * sizes["width"],
            num_hidden_layers=sizes["layers"], num_attention_heads=sizes["heads"], max_position_embeddings=context,
            tie_word_embeddings=True, bos_token_id=0, eos_token_id=0, use_cache=False,
        )
    )  # fmt: skip
    every = max(1, job["steps"] // SAVES)
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=job["steps"], per_device_train_batch_size=job["batch"], seed=job["seed"],
        learning_rate=job["rate"], lr_scheduler_type="cosine", warmup_steps=max(1, job["steps"] // 20),
        weight_decay=0.1, adam_beta2=0.95, logging_steps=every, save_steps=every, save_total_limit=1,
        use_cpu=job["device"] == "cpu", bf16=job["device"] != "cpu" and torch.cuda.is_available(),
        report_to=[], disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip
    tokens = torch.from_numpy(np.load(job["tokens"]).astype(np.int64))
    sequences = TensorDataset(tokens[: len(tokens) // context * context].view(-1, context))

    def collate(rows: list[tuple[torch.Tensor]]) -> dict[str, torch.Tensor]:
        ids = torch.stack([row for (row,) in rows])
        return {"input_ids": ids, "labels": ids}

    trainer = PrintingTrainer(model, arguments, data_collator=collate, train_dataset=sequences)
    trainer.remove_callback(PrinterCallback)
    states = sorted(folder.glob("checkpoint-*/trainer_state.json"), key=lambda path: path.stat().st_mtime)
    trainer.train(resume_from_checkpoint=str(states[-1].parent) if states else None)  # the state is written last
    facts = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if model.device.type == "cuda" else model.device.type,
        "threads": torch.get_num_threads(),
        "parameters": model.num_parameters(),
    }
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    model.save_pretrained(folder / "model.part")
    (folder / "model.part").rename(folder / "model")
    for state in folder.glob("checkpoint-*"):
        shutil.rmtree(state)
    return model


@torch.no_grad()
def measure(model: LlamaForCausalLM, ids: npt.NDArray[Any], ends: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the bits of each sequence, shape (sequences,), without those of its first token, which ends a text.

    Sequence i is ids[ends[i - 1] : ends[i]]. A window of the model's context moves on by half, so that each token of a
    longer sequence is predicted from at least half of it.
    """
    context = model.config.max_position_embeddings
    half, bits = context // 2, np.zeros(len(ends))
    for sequence, tokens in enumerate(np.split(ids.astype(np.int64), ends[:-1])):
        for first in range(0, max(1, len(tokens) - context + half), half):
            window = torch.from_numpy(tokens[first : first + context]).to(model.device)
            logits = model(window[None]).logits[0, :-1].float()
            nats = torch.nn.functional.cross_entropy(logits, window[1:], reduction="none").double()
            bits[sequence] += nats[context - half - 1 if first else 0 :].sum().item() / math.log(2)
    return bits


def run(job: dict[str, Any]) -> None:
    """Train, and measure each set of the job that has no result yet."""
    torch.set_num_threads(job["threads"] or torch.get_num_threads())
    if job["device"] == "cuda" and not torch.cuda.is_available():
        sys.exit("torch finds no GPU")
    torch.use_deterministic_algorithms(True, warn_only=True)
    model = train(job, Path(job["folder"])).eval()
    for one in job["measure"]:
        if not Path(one["to"]).exists():
            with np.load(one["from"]) as given:
                bits = measure(model, given["ids"], given["ends"])
            part = Path(one["to"]).with_suffix(".part.npy")
            np.save(part, bits)
            part.replace(one["to"])


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
