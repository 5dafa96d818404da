"""Training of one small network, and what it is worth on held-out and test data.

All networks of a space are trained alike: AdamW (arXiv:1711.05101), a rate that rises over the first tenth of the steps and falls
as a cosine to zero, gradients cut at norm 1.  Nothing is chosen by what is held out: the last weights are the ones measured.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import TypedDict, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studies.spaces.data_sets import Problem
from studies.spaces.schedule import Schedule
from studies.spaces.sequence_cells import LanguageNetwork

RISE = 0.1  # share of the steps
MOST_GRADIENT = 1.0
MEASURED_AT_ONCE = 500


def rate_at(share: float) -> float:
    """Of the largest rate, after a share of all steps."""
    return share / RISE if share < RISE else 0.5 * (1 + math.cos(math.pi * (share - RISE) / (1 - RISE)))


def batches(count: int, schedule: Schedule, seed: int) -> Iterator[Tensor]:
    """Rows of every batch, in the order of the training with this seed; a last one that is not whole is left out."""
    draws = torch.Generator().manual_seed(seed)
    for _ in range(schedule.epochs):
        order = torch.randperm(count, generator=draws)
        yield from order[: count // schedule.batch * schedule.batch].split(schedule.batch)


def loss_of(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Cross entropy in nats; a network of words has its own."""
    return net.loss(x, y) if isinstance(net, LanguageNetwork) else F.cross_entropy(net(x), y)


class Training(TypedDict):
    """How a training went."""

    loss: float | None  # nats, mean over the last tenth of the steps; None where it diverged
    diverged: bool
    seconds: float


class MeasuredTraining(Training):
    """A training and what :func:`measure` says of the network; of one that diverged all of these are None."""

    held: Mapping[str, float | None]
    test: Mapping[str, float | None]


def train(net: nn.Module, problem: Problem, schedule: Schedule, seed: int) -> Training:
    """Train in place.  A loss that is not finite ends the training: that is recorded, and is no error."""
    x, y = problem.parts["train"]
    steps = schedule.epochs * (len(y) // schedule.batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=schedule.rate, weight_decay=schedule.decay, fused=True)
    losses: list[float] = []
    start = time.perf_counter()
    net.train()
    for rows in batches(len(y), schedule, seed):
        optimiser.param_groups[0]["lr"] = schedule.rate * rate_at((len(losses) + 1) / (steps + 1))
        optimiser.zero_grad()
        loss = loss_of(net, x[rows], y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), MOST_GRADIENT)
        optimiser.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            return {"loss": None, "diverged": True, "seconds": time.perf_counter() - start}
    last = losses[-max(1, steps // 10) :]
    return {"loss": float(np.mean(last)), "diverged": False, "seconds": time.perf_counter() - start}


@torch.no_grad()
def measure(net: nn.Module, problem: Problem, part: str) -> dict[str, float]:
    """``accuracy`` and macro-averaged ``f1`` in %, or ``perplexity`` of a network of words, on a part of the data."""
    net.eval()
    x, y = problem.parts[part]
    if isinstance(net, LanguageNetwork):
        pieces = zip(x.split(MEASURED_AT_ONCE), y.split(MEASURED_AT_ONCE), strict=True)
        total = sum(net.loss(a, b).item() * b.numel() for a, b in pieces)
        return {"perplexity": math.exp(min(total / y.numel(), 700.0))}
    predicted = torch.cat([net(a).argmax(1) for a in x.split(MEASURED_AT_ONCE)])
    return classification_scores(predicted.numpy(), y.numpy())


def classification_scores(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Accuracy and macro-averaged F1 in % of labels (count,)."""
    from sklearn.metrics import f1_score

    return {
        "accuracy": 100 * float(np.mean(predicted == true)),
        "f1": 100 * float(f1_score(true, predicted, average="macro", zero_division=0)),
    }


def train_and_measure(net: nn.Module, problem: Problem, schedule: Schedule, seed: int) -> MeasuredTraining:
    """:func:`train`, then :func:`measure` on held-out and on test data."""
    record = cast(MeasuredTraining, train(net, problem, schedule, seed))
    for part in ("held", "test"):
        values = measure(net, problem, part)
        record[part] = dict.fromkeys(values) if record["diverged"] else values
    return record
