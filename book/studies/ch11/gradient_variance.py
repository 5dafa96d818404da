"""Do gradients vanish?  Their variance over random angles, against depth and number of qubits.

McClean et al., Nat. Commun. 9, 4812 (2018): for expectation values of deep random circuits it falls as 2^-n.  A generator reads
all probabilities in multiples of 2^-n instead.
"""

from __future__ import annotations

from typing import TypedDict, cast

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.simulator import Simulator

READS = ("weights", "expectation")


def gradients(number: int, n: int, depth: int, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Gradients (draws, depth, n) at random angles, of candidate ``number`` (from 1), of two things that it may be read by.

    "weights": sum_i r_i x_i / 2^(n/2) with random signs r_i and x_i = 2^n p_i, as if every weight had a slope of random sign;
    "expectation": <Z> of the qubit in the middle.
    """
    simulate = Simulator([PAPER[number - 1]], n, depth, torch.float64)
    if not simulate.alive:
        return {name: np.zeros((draws, depth, n)) for name in READS}
    generator = torch.Generator().manual_seed(seed)
    middle = 1 - 2 * ((torch.arange(1 << n) >> (n - 1 - n // 2)) & 1).double()
    samples: dict[str, list[np.ndarray]] = {name: [] for name in READS}
    for _ in range(draws):
        angles = 2 * np.pi * torch.rand(depth, n, dtype=torch.float64, generator=generator)
        signs = 2.0 * torch.randint(0, 2, (1 << n,), generator=generator).double() - 1
        for name, slope in (("weights", signs * 2.0 ** (n / 2)), ("expectation", middle)):
            leaf = angles.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(simulate(leaf)[0] @ slope, leaf)
            samples[name].append(gradient.numpy())
    return {name: np.array(rows) for name, rows in samples.items()}


class GradientVariance(TypedDict):
    """Mean square of the gradient over draws and angles, for each way to read; errors are over draws."""

    candidate: int  # from 1
    qubits: int
    depth: int
    draws: int
    seed: int
    weights: float
    weights_sem: float
    expectation: float
    expectation_sem: float


class GradientVariances(TypedDict):
    """Of every candidate, size and depth."""

    runs: list[GradientVariance]


@declare(version=1)
def run_variance(task: Task) -> GradientVariance:
    """One candidate of one size and depth."""
    samples = gradients(task["candidate"], task["qubits"], task["depth"], task["draws"], task["seed"])
    out: dict[str, float] = dict(task)
    for name, rows in samples.items():
        squares = (rows**2).mean((1, 2))
        out[name], out[f"{name}_sem"] = float(squares.mean()), float(squares.std(ddof=1) / len(squares) ** 0.5)
    return cast(GradientVariance, out)


@declare(version=1, pieces=(run_variance,))
def variance_runs(
    candidates: list[int],
    qubits: list[int],
    depths: list[int],
    draws: int,
    seed: int,
    work: Work = Work(),
) -> GradientVariances:
    """Gradient variances of candidates (numbers from 1) for every size and depth."""
    tasks = [
        {"candidate": c, "qubits": n, "depth": m, "draws": draws, "seed": seed}
        for n in sorted(qubits, reverse=True) for m in sorted(depths, reverse=True) for c in candidates
    ]  # fmt: skip
    return {"runs": map_tasks(run_variance, tasks, work=work)}
