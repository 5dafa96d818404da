"""Training networks to forecast the next value of a time series, one or many side by side.

Settings of the paper: windows of four values, batches of ten, RMSProp with rate 0.01, smoothing 0.99 and epsilon 1e-8.  What is
told is the mean squared error of the series scaled to -1 to 1.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from qednas.base.errors import InputError, NumericalError
from qednas.circuits.devices import check_device
from qednas.data.series import WINDOW, Windows, series, windows
from qednas.diffqas.export import plain, prepare, save_network
from qednas.diffqas.generator import Generator
from qednas.diffqas.own_rates import OwnRates
from qednas.diffqas.recurrent import Recurrent

BATCH, RATE, SMOOTHING, EPSILON = 10, 0.01, 0.99, 1e-8
Progress = Callable[[int, int, str], None]


class Forecast(TypedDict):
    """A recurrent network whose weights a searched circuit generates; errors are mean squares of the series scaled to -1 to 1."""

    test_mse: float  # after the last epoch
    trained_parameters: int
    target_parameters: int  # weights that are generated
    structural_weights: dict[str, float]  # by candidate
    history: dict[str, list[float]]  # loss and test_mse, of every epoch
    files: dict[str, str]  # paths of the network that was written
    seconds: float


class Alone(nn.Module):
    """A single network as one run of those that are trained side by side."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (1, batch, 1) for inputs (1, batch, window, 1)."""
        return self.net(inputs[0])[None]


def predictions(net: nn.Module, inputs: torch.Tensor, runs: int) -> torch.Tensor:
    """Forecasts (runs, count) of every run for the same windows (count, window, 1)."""
    with torch.no_grad():
        return net(inputs.expand(runs, *inputs.shape))[..., 0]


def train_forecasters(
    net: nn.Module,
    data: Windows,
    seeds: Sequence[int],
    epochs: int,
    *,
    batch: int = BATCH,
    rates: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> dict[str, list]:
    """Train the runs of ``net`` (:class:`SideBySide`, :class:`Stacked`, or :class:`Alone`) in place.

    Each draws batches by its own seed, and has its own of ``rates`` (that of the paper where none are given).
    Returns, one list a run: ``loss`` (mean squared error over the batches of each epoch), ``test`` (that of the test windows
    after each epoch) and ``predictions`` of the test windows after the last.  Raises NumericalError when a loss is not finite.
    """
    if epochs < 1 or batch < 1 or not seeds:
        raise InputError(f"epochs = {epochs}, batch = {batch}, {len(seeds)} seeds: all positive")
    kind = next(net.parameters()).dtype
    (inputs, targets), (test_inputs, test_targets) = ((x.to(kind), y.to(kind)) for x, y in (data.train, data.test))
    orders = [torch.Generator().manual_seed(seed) for seed in seeds]
    settings: dict[str, Any] = {"alpha": SMOOTHING, "eps": EPSILON}
    optimiser: Any
    if rates is None:
        optimiser = torch.optim.RMSprop(net.parameters(), lr=RATE, **settings)
    else:
        optimiser = OwnRates(torch.optim.RMSprop, net.parameters(), rates, **settings)
    losses, tests = [], []
    for epoch in range(epochs):
        shuffled = torch.stack([torch.randperm(len(inputs), generator=order) for order in orders])  # (runs, count)
        total = torch.zeros(len(seeds), dtype=kind)
        for rows in shuffled.split(batch, 1):
            optimiser.zero_grad()
            loss = (net(inputs[rows]) - targets[rows]).square().flatten(1).mean(1)  # (runs,)
            loss.sum().backward()
            optimiser.step()
            total += loss.detach() * rows.shape[1]
        losses.append(total / len(inputs))
        tests.append((predictions(net, test_inputs, len(seeds)) - test_targets[:, 0]).square().mean(1))
        if not all(math.isfinite(value) for value in losses[-1].tolist()):
            raise NumericalError(f"a loss is not finite in epoch {epoch + 1}: a smaller rate may help")
        if progress:
            progress(epoch + 1, epochs, f"test error {tests[-1].median():.2g}")
    return {
        "loss": torch.stack(losses).T.tolist(),
        "test": torch.stack(tests).T.tolist(),
        "predictions": predictions(net, test_inputs, len(seeds)).tolist(),
    }


def forecast(
    dataset: str,
    depth: int,
    epochs: int,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Forecast:
    """Search the circuit that generates the recurrent network of the paper; ``options`` are those of :class:`Generator`.

    dataset: a series by name or a file, see :func:`series`.  folder: where the trained network is written, see
    :func:`save_network`.  Raises InputError for a series that does not exist or cannot be forecast, and as the generator, its
    device and the folder do.
    """
    began = time.perf_counter()
    data = windows(series(dataset))
    check_device(options.get("device"), options.get("shots"))
    if folder is not None:
        prepare(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = Recurrent()
    net = Generator(module, depth, seed=seed, **options)
    history = train_forecasters(Alone(net), data, [seed], epochs, progress=progress)
    record = {
        "dataset": dataset,
        "input": f"{WINDOW} values, the series scaled to -1 to 1",
        "output": "the next value",
        "test_mse": history["test"][0][-1],
        "trained_parameters": net.trained_parameters,
    }
    files = {} if folder is None else save_network(plain(net), torch.zeros(1, WINDOW, 1), folder, record)
    names = [str(c) for c in net.simulate.pool]
    return {
        "test_mse": history["test"][0][-1],
        "trained_parameters": net.trained_parameters,
        "target_parameters": net.count,
        "structural_weights": dict(zip(names, net.structure().tolist(), strict=True)),
        "history": {"loss": history["loss"][0], "test_mse": history["test"][0]},
        "files": files,
        "seconds": time.perf_counter() - began,
    }
