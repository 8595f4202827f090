"""Train one small transformer on an array of tokens, and measure it on sequences: `python train_model.py JOB.json`.

This file needs NumPy and torch and nothing of Malmoi, so that an interpreter of another environment can run it. A job
names the array of training tokens, the sizes of model and run, and the sets to measure; docs/ablate.md describes all.
The training state is saved every few steps: a killed job continues from there, with the same result on the same
machine and number of threads.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

STATE, MODEL, RUN = "state.pt", "model.pt", "run.json"
AT_ONCE = 16  # windows that are measured together


class Attention(nn.Module):
    """Causal self-attention with rotary positions (Su et al. 2021, arXiv 2104.09864) and normed queries and keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.joint = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the attended values, shape (batch, length, width); `turn` is cosine and sine of the positions."""
        batch, length, width = x.shape
        query, key, value = self.joint(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = (_rotate(functional.rms_norm(one, (one.shape[-1],)), turn) for one in (query, key))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


def _rotate(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    cosine, sine = turn
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


class Block(nn.Module):
    """Attention and a feed-forward layer with squared ReLU (So et al. 2021, arXiv 2109.08668), each behind a norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the next hidden states, shape (batch, length, width)."""
        x = x + self.attention(functional.rms_norm(x, (x.shape[-1],)), turn)
        return x + self.down(functional.relu(self.up(functional.rms_norm(x, (x.shape[-1],)))).square())


class Model(nn.Module):
    """A decoder whose input and output share one embedding."""

    def __init__(self, vocabulary: int, layers: int, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        half = width // heads // 2
        angle = torch.outer(torch.arange(context).float(), 10_000.0 ** (-torch.arange(half).float() / half))
        self.register_buffer("cosine", angle.cos(), persistent=False)
        self.register_buffer("sine", angle.sin(), persistent=False)
        for name, one in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(one)
            else:
                nn.init.normal_(one, std=0.02 if "embedding" in name else width**-0.5)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the logits of the next token, shape (batch, length, vocabulary)."""
        length = ids.shape[1]
        turn = (self.cosine[:length], self.sine[:length])
        x = self.embedding(ids)
        x = functional.rms_norm(x, (x.shape[-1],))
        for block in self.blocks:
            x = block(x, turn)
        return functional.linear(functional.rms_norm(x, (x.shape[-1],)), self.embedding.weight)


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonal updates (Jordan et al. 2024; scale of Liu et al. 2025, arXiv 2502.16982), in float32.

    `torch.optim.Muon` orthogonalizes in bfloat16, which took twice as long on a CPU (docs/ablate.md).
    """

    def __init__(self, matrices: Sequence[nn.Parameter], rate: float, decay: float) -> None:
        super().__init__(matrices, {"lr": rate, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move each matrix."""
        for group in self.param_groups:
            for one in group["params"]:
                if not self.state[one]:
                    self.state[one]["pace"] = torch.zeros_like(one)
                pace = self.state[one]["pace"]
                pace.lerp_(one.grad, 0.05)
                update = _orthogonalize(one.grad.lerp(pace, 0.95))
                one.mul_(1 - group["lr"] * group["decay"])
                one.add_(update, alpha=-group["lr"] * 0.2 * max(one.shape) ** 0.5)


def _orthogonalize(matrix: torch.Tensor) -> torch.Tensor:
    """Return the nearest semi-orthogonal matrix, nearly: five steps of Newton and Schulz."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def _make_optimizers(model: Model, job: dict[str, Any]) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices of the blocks, and AdamW for the embedding."""
    matrices = [one for name, one in model.named_parameters() if name.startswith("blocks")]
    rest = [one for name, one in model.named_parameters() if not name.startswith("blocks")]
    return [
        Muon(matrices, job["matrix_rate"], 0.1),
        torch.optim.AdamW(rest, lr=job["rate"], betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _scale_rate(step: int, steps: int, warm_up: int) -> float:
    """Return the factor of the learning rate: linear warm-up, then a cosine to a tenth."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def _read_batch(tokens: npt.NDArray[Any], step: int, job: dict[str, Any]) -> torch.Tensor:
    """Return the sequences of one step, shape (batch, context + 1): a shuffle of all, anew in each epoch."""
    context, batch = job["model"]["context"], job["batch"]
    count = (len(tokens) - 1) // context
    places = []
    for at in range(step * batch, (step + 1) * batch):
        epoch, place = divmod(at, count)
        places.append(int(_shuffle(count, job["seed"], epoch)[place]) * context)
    return torch.from_numpy(np.stack([tokens[at : at + context + 1] for at in places]).astype(np.int64))


_orders: dict[tuple[int, int, int], npt.NDArray[np.int64]] = {}


def _shuffle(count: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    if (count, seed, epoch) not in _orders:
        _orders.clear()
        _orders[count, seed, epoch] = np.random.default_rng([seed, epoch]).permutation(count)
    return _orders[count, seed, epoch]


def train(job: dict[str, Any], folder: Path, device: torch.device) -> Model:
    """Return the trained model of a job; continues a saved state, and saves the model when it is done."""
    torch.manual_seed(job["seed"])
    model = Model(**job["model"]).to(device)
    if (folder / MODEL).exists():
        model.load_state_dict(torch.load(folder / MODEL, map_location=device, weights_only=True))
        return model
    tokens = np.load(job["tokens"], mmap_mode="r")
    optimizers = _make_optimizers(model, job)
    rates = [[group["lr"] for group in one.param_groups] for one in optimizers]
    first, losses, spent = 0, [], 0.0
    if (folder / STATE).exists():
        state = torch.load(folder / STATE, map_location=device, weights_only=True)
        first, losses, spent = state["step"], state["losses"], state["cpu_seconds"]
        model.load_state_dict(state["model"])
        for one, saved in zip(optimizers, state["optimizers"], strict=True):
            one.load_state_dict(saved)
    begun = time.process_time() - spent
    for step in range(first, job["steps"]):
        for one, bases in zip(optimizers, rates, strict=True):
            for group, base in zip(one.param_groups, bases, strict=True):
                group["lr"] = base * _scale_rate(step, job["steps"], job["warm_up"])
        loss = _step(model, optimizers, _read_batch(tokens, step, job).to(device), device)
        if (step + 1) % job["save_every"] == 0 or step + 1 == job["steps"]:
            losses.append([step + 1, round(loss / math.log(2), 4)])
            done = {"step": step + 1, "losses": losses, "cpu_seconds": time.process_time() - begun}
            states = {"model": model.state_dict(), "optimizers": [one.state_dict() for one in optimizers]}
            if step + 1 < job["steps"]:
                _save(folder / STATE, done | states)
            print(json.dumps({"step": step + 1, "steps": job["steps"], "bits": losses[-1][1]}), flush=True)
    facts = {"losses": losses, "cpu_seconds": round(time.process_time() - begun, 1), "torch": torch.__version__}
    facts |= {"device": _name_device(device), "bfloat16": has_bfloat16(device), "threads": torch.get_num_threads()}
    facts |= {"parameters": sum(one.numel() for one in model.parameters())}
    (folder / RUN).write_text(json.dumps(facts), encoding="utf-8")
    _save(folder / MODEL, model.state_dict())
    (folder / STATE).unlink(missing_ok=True)
    return model


def _step(model: Model, optimizers: Sequence[torch.optim.Optimizer], ids: torch.Tensor, device: torch.device) -> float:
    """Take one step; return the mean loss in nats a token."""
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):
        logits = model(ids[:, :-1])
    loss = functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for one in optimizers:
        one.step()
        one.zero_grad(set_to_none=True)
    return float(loss.detach())


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices of bfloat16 in hardware; a CPU that does halves the time of a step."""
    cpus = Path("/proc/cpuinfo")
    return device.type == "cuda" or (cpus.exists() and "bf16" in cpus.read_text(encoding="utf-8", errors="replace"))


def _name_device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _save(path: Path, value: object) -> None:
    part = path.with_name(f".{path.name}.part")
    torch.save(value, part)
    part.replace(path)


@torch.no_grad()
def measure(model: Model, ids: npt.NDArray[Any], ends: npt.NDArray[np.int64], context: int) -> npt.NDArray[np.float64]:
    """Return the bits of each sequence, shape (sequences,), without those of its first token, which ends a text.

    Sequence i is ids[ends[i - 1] : ends[i]]. A window of `context` moves on by half, so that each token of a longer
    sequence is predicted from at least half of it.
    """
    model.eval()
    device = model.embedding.weight.device
    bits = np.zeros(len(ends))
    windows = sorted(_list_windows(ends, context), key=lambda one: (one[2] - one[1], one))
    for at in range(0, len(windows), AT_ONCE):
        some = windows[at : at + AT_ONCE]
        batch = np.zeros((len(some), max(last - first for _, first, last, _ in some)), np.int64)
        for row, (_, first, last, _) in enumerate(some):
            batch[row, : last - first] = ids[first:last]
        given = torch.from_numpy(batch).to(device)
        logits = model(given[:, :-1]).float()
        loss = functional.cross_entropy(logits.flatten(0, 1), given[:, 1:].flatten(), reduction="none")
        nats = loss.view(len(some), -1).double().cpu().numpy()
        for row, (sequence, first, last, begin) in enumerate(some):
            bits[sequence] += nats[row, begin - first - 1 : last - first - 1].sum() / math.log(2)
    return bits


def _list_windows(ends: npt.NDArray[np.int64], context: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (sequence, first token, end, first measured token) of each window, as places in all tokens."""
    first = 0
    for sequence, end in enumerate(ends.tolist()):
        begin = first + 1
        while begin < end:
            last = min(end, first + context + 1)
            yield sequence, first, last, begin
            begin, first = last, first + max(1, context // 2)
        first = end


def run(job: dict[str, Any]) -> None:
    """Train, and measure each set of the job that has no result yet."""
    torch.set_num_threads(job["threads"] or torch.get_num_threads())
    name = job["device"]
    device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
    torch.use_deterministic_algorithms(True, warn_only=True)
    folder = Path(job["folder"])
    model = train(job, folder, device)
    for one in job["measure"]:
        if not Path(one["to"]).exists():
            with np.load(one["from"]) as given:
                found = measure(model, given["ids"], given["ends"], job["model"]["context"])
            part = Path(one["to"]).with_suffix(".part.npy")
            np.save(part, found)
            part.replace(one["to"])


if __name__ == "__main__":
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
