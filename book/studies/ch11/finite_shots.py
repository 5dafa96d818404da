"""Generators whose circuits are read by a finite number of shots, while the network is searched or when its weights are made.

Probabilities are counts of a multinomial sample over the shots, one sample a circuit, drawn anew at every step; circuits whose
probabilities no angle changes are sampled too, as a device would.  The gradient is by parameter shift,
dp/dtheta = (p(theta + pi/2) - p(theta - pi/2)) / 2, each term read by as many shots.  A loss takes these only in sums over
all basis states; such a sum over many shots is drawn as normal with its exact mean and variance (central limit theorem).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from qednas.data.series import SERIES, windows
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent
from qednas.diffqas.simulator import Simulator
from qednas.diffqas.tasks.forecast import Alone, predictions, train_forecasters
from studies.ch10.campaign import Runs, each_run
from studies.ch10.forecasting import START, single_precision

MOST_SHOTS = 1 << 62  # counts are 64-bit whole numbers


def check_shots(shots: int) -> None:
    """Raises InputError for shots that are not a positive whole number, or too many to be counted."""
    if isinstance(shots, bool) or not isinstance(shots, int) or not 1 <= shots <= MOST_SHOTS:
        raise InputError(f"shots = {shots}: a whole number from 1 to 2^62")


class SampledProbabilities(torch.autograd.Function):
    """Estimated probabilities (candidates, 2^n) for angles (depth, n); the way back is by parameter shift."""

    @staticmethod
    def forward(ctx, theta, simulate, shots, draws):
        ctx.angles, ctx.simulate, ctx.shots, ctx.draws = theta.detach(), simulate, shots, draws
        exact = simulate(theta.detach()).double().numpy()
        return torch.from_numpy(np.array([sample(row, shots, draws) for row in exact])).to(theta.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        simulate, slopes = ctx.simulate, slope.double().numpy()
        angles = ctx.angles.double().numpy()
        out = np.zeros(angles.shape)
        for place in np.ndindex(*angles.shape):
            for sign in (0.5, -0.5):
                shifted = angles.copy()
                shifted[place] += sign * np.pi
                for circuit, k in zip(simulate.circuits, simulate.alive, strict=True):
                    p = sum(plane * plane for plane in circuit.forward(shifted))
                    out[place] += sign * sample_mean(p, slopes[k], ctx.shots, ctx.draws)
        return torch.from_numpy(out).to(ctx.angles.dtype), None, None, None


def sample(p: np.ndarray, shots: int, draws: np.random.Generator) -> np.ndarray:
    """Frequencies (2^n,) of a sample by probabilities (2^n,)."""
    return draws.multinomial(shots, p / p.sum()) / shots


def sample_mean(p: np.ndarray, values: np.ndarray, shots: int, draws: np.random.Generator) -> float:
    """The mean of ``values`` over a sample by probabilities ``p``, both (2^n,), as normal."""
    mean = float(p @ values)
    variance = max(0.0, float(p @ values**2) - mean**2)
    return mean + (variance / shots) ** 0.5 * draws.standard_normal()


class SampledSimulator:
    """Stands in for :class:`Simulator` with ``shots`` for every circuit; raises InputError as that, and for wrong shots."""

    def __init__(self, exact: Simulator, shots: int, seed: int):
        check_shots(shots)
        self.exact, self.shots, self.draws = exact, shots, np.random.default_rng(seed)
        self.pool = exact.pool

    def __call__(self, theta: torch.Tensor) -> torch.Tensor:
        return SampledProbabilities.apply(theta, self.exact, self.shots, self.draws)


def error_of(net: Generator, data) -> float:
    inputs, targets = data.test
    return float((predictions(Alone(net), inputs, 1)[0] - targets[:, 0]).square().mean())


class ShotRun(TypedDict):
    """One search and one way to read it, on one series; 0 shots are exact."""

    dataset: str
    searched_with: int  # shots a circuit
    read_with: int
    seed: int
    mse: float  # on the test windows, of the series scaled to -1 to 1; mean over repeats
    spread: float  # its standard deviation


@declare(version=1)
def run_generator_shots(task: Task) -> Runs[ShotRun]:
    """Search with ``shots`` a circuit (exactly where 0), then make the weights with each of ``reads``, ``repeats`` times."""
    data = single_precision(windows(SERIES[task["dataset"]]()))
    net: Any = Generator(Recurrent(), task["depth"], pool=PAPER, seed=task["seed"], spread=START)
    exact = net.simulate
    if task["shots"]:
        net.simulate = SampledSimulator(exact, task["shots"], task["seed"])
    train_forecasters(Alone(net), data, [task["seed"]], task["epochs"], rates=[task["rate"]])
    runs: list[ShotRun] = []
    for shots in task["reads"]:
        net.simulate = SampledSimulator(exact, shots, 1000 + task["seed"]) if shots else exact
        errors = [error_of(net, data) for _ in range(task["repeats"] if shots else 1)]
        runs.append({
            "dataset": task["dataset"], "searched_with": task["shots"], "read_with": shots, "seed": task["seed"],
            "mse": float(np.mean(errors)), "spread": float(np.std(errors)),
        })  # fmt: skip
    return {"runs": runs}


@declare(version=1, pieces=(run_generator_shots,))
def generator_shot_runs(
    datasets: list[str],
    search: Sequence[int],
    reads: list[int],
    repeats: int,
    depth: int,
    rate: float,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> Runs[ShotRun]:
    """Searches with several numbers of shots, read with several numbers of shots; 0 is exact."""
    tasks = [
        {"dataset": d, "shots": s, "reads": reads, "repeats": repeats, "depth": depth, "rate": rate,
         "epochs": epochs, "seed": k}
        for s in sorted(search, reverse=True) for d in datasets for k in range(seeds)
    ]  # fmt: skip
    return {"runs": each_run(run_generator_shots, tasks, "shots", work)}
