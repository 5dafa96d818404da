"""Classification of images with generated weights: the networks of the paper, the training loop, and one run of it.

Settings of the paper: 784-128-64-classes, Adam with rate 1e-3, batches of 100, 15 layers.
"""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from qednas.base.errors import InputError, NumericalError
from qednas.circuits.devices import check_device
from qednas.data.images import of_classes
from qednas.diffqas.export import plain, prepare, save_network
from qednas.diffqas.generated import Generated
from qednas.diffqas.generator import Generator
from qednas.diffqas.networks import HIDDEN, multilayer
from qednas.diffqas.training_state import TrainingState

RATE, BATCH = 1e-3, 100
SCHEDULES = ("constant", "one-cycle")
WARM = 0.1  # share of the steps in which the rate of a cycle grows
TESTED = 2000  # images at a time when accuracy is measured
CHECKPOINT = "training.safetensors"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Data:
    """Images (count, pixels) from 0 to 1, and labels (count,) from 0, to train and to test on."""

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]
    classes: tuple[int, ...]

    @property
    def pixels(self) -> int:
        return self.train[0].shape[1]


def load(dataset: str, classes: str = "all") -> Data:
    """The train and test images of some classes, "5,7" or "all", of "mnist", "fashion-mnist" or "digits".

    Raises InputError as :func:`qednas.data.images.of_classes` does.
    """
    parts = []
    for part in ("train", "test"):
        pixels, labels, chosen = of_classes(dataset, part, classes)
        parts.append((torch.from_numpy(pixels).flatten(1), torch.from_numpy(labels)))
    return Data(parts[0], parts[1], tuple(chosen))


class Classified(TypedDict):
    """A classifier whose weights a searched circuit generates, on the whole test set after the last epoch."""

    test_accuracy: float
    trained_parameters: int
    target_parameters: int  # weights that are generated
    structural_weights: dict[str, float]  # by candidate
    history: dict[str, list]  # loss (nats) and test_accuracy, of every epoch
    files: dict[str, str]  # paths of the network that was written
    seconds: float


def accuracy(net: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images that a network (or a generator) classifies correctly."""
    with torch.no_grad():
        apply = frozen(net) if isinstance(net, Generated) else net
        correct = sum(
            int((apply(x).argmax(1) == y).sum())
            for x, y in zip(images.split(TESTED), labels.split(TESTED), strict=True)
        )
    return correct / len(labels)


def frozen(net: Generated) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network with its weights generated once."""
    weights = net.weights()
    return lambda x: torch.func.functional_call(net.module, weights, (x,))


def train_classifier(
    net: nn.Module,
    data: Data,
    epochs: int,
    *,
    batch: int = BATCH,
    rate: float = RATE,
    schedule: str = "constant",
    points: int = 1,
    seed: int = 0,
    checkpoint: Path | None = None,
    task: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, list]:
    """Train in place with Adam on cross entropy, batches drawn anew in every epoch.

    schedule: "constant", or "one-cycle" (Smith and Topin 2019: up to ``rate`` over the first tenth of the steps, then down to
    nothing).  points: how many times an epoch the network is looked at.  checkpoint: a file that is written after every epoch and
    gone on from if it is there; task: what has to be the same for that, beside the arguments here.
    Returns lists over these points: ``step``, ``loss`` (mean over the batches since the last, nats), ``test_accuracy`` and, of a
    generator, ``structure`` (what the candidates are mixed with).  Raises NumericalError when the loss is not finite.
    """
    if epochs < 1 or batch < 1 or points < 1 or not rate > 0:
        raise InputError(f"epochs = {epochs}, batch = {batch}, points = {points}, rate = {rate}: all positive")
    if schedule not in SCHEDULES:
        raise InputError(f"schedule = {schedule!r}: one of {', '.join(SCHEDULES)}")
    images, labels = data.train
    order = torch.Generator().manual_seed(seed)
    steps = -(-len(labels) // batch)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    one_cycle = torch.optim.lr_scheduler.OneCycleLR
    rates = one_cycle(optimiser, rate, epochs * steps, pct_start=WARM) if schedule == "one-cycle" else None
    marks = {-(-steps * (k + 1) // points) for k in range(points)}
    history: dict[str, list] = {"step": [], "loss": [], "test_accuracy": [], "structure": []}
    losses: list[float] = []
    same = {"epochs": epochs, "batch": batch, "rate": rate, "schedule": schedule, "points": points, "seed": seed}
    state = TrainingState(net, optimiser, rates, order, {**(task or {}), **same})
    done, earlier = state.load(checkpoint) if checkpoint else (0, {})
    history |= earlier
    for epoch in range(done, epochs):
        for number, rows in enumerate(torch.randperm(len(labels), generator=order).split(batch), 1):
            optimiser.zero_grad()
            loss = cross_entropy(net(images[rows]), labels[rows])
            loss.backward()
            optimiser.step()
            if rates:
                rates.step()
            losses.append(float(loss.detach()))
            step = epoch * steps + number
            if not math.isfinite(losses[-1]):
                raise NumericalError(f"the loss is {losses[-1]} in step {step}: a smaller rate than {rate} may help")
            if progress:
                progress(step, epochs * steps, f"epoch {epoch + 1}, loss {losses[-1]:.4f}")
            if number in marks:
                add_point(history, step, losses, net, data)
                losses.clear()
        if checkpoint:
            state.save(checkpoint, epoch + 1, history)
    return history


def add_point(history: dict[str, list], step: int, losses: list[float], net: nn.Module, data: Data) -> None:
    history["step"].append(step)
    history["loss"].append(sum(losses) / len(losses))
    history["test_accuracy"].append(accuracy(net, *data.test))
    if isinstance(net, Generator):
        history["structure"].append(net.structure().detach().tolist())


def classify(
    dataset: str,
    classes: str,
    depth: int,
    epochs: int,
    *,
    seed: int = 0,
    hidden: Sequence[int] = HIDDEN,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    **options,
) -> Classified:
    """Search the circuit that generates the classifier of the paper; ``options`` are those of :class:`Generator`.

    hidden: units of its hidden layers.  folder: where the trained network is written, see :func:`save_network`; until then it
    keeps the state after every epoch, so an interrupted run goes on.  What is wrong with the folder or the device is told before
    anything is loaded.
    """
    began = time.perf_counter()
    check_device(options.get("device"), options.get("shots"))
    if folder is not None:
        prepare(folder)
    multilayer(1, 2, hidden=hidden)  # what is wrong with the sizes is told before anything is loaded, too
    data = load(dataset, classes)
    net = Generator(multilayer(data.pixels, len(data.classes), hidden=hidden), depth, seed=seed, **options)
    checkpoint = None if folder is None else Path(folder) / CHECKPOINT
    task = {"dataset": dataset, "classes": list(data.classes), "hidden": list(hidden), "depth": depth}
    task |= {name: value for name, value in options.items() if isinstance(value, str | int | float)}
    history = train_classifier(net, data, epochs, seed=seed, checkpoint=checkpoint, task=task, progress=progress)
    names = [str(c) for c in net.simulate.pool]
    files = {} if folder is None else write_classifier(net, data, folder, dataset, depth, epochs, seed, options)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)  # it is done: another training may take the folder
    return {
        "test_accuracy": history["test_accuracy"][-1],
        "trained_parameters": net.trained_parameters,
        "target_parameters": net.count,
        "structural_weights": dict(zip(names, history["structure"][-1], strict=True)),
        "history": {name: history[name] for name in ("loss", "test_accuracy")},
        "files": files,
        "seconds": time.perf_counter() - began,
    }


def write_classifier(
    net: Generator,
    data: Data,
    folder: str | Path,
    dataset: str,
    depth: int,
    epochs: int,
    seed: int,
    options: dict[str, Any],
) -> dict[str, str]:
    """Write a trained classifier, with what it is and the command that makes it again; returns the paths."""
    module = plain(net)  # with shots these weights are one draw: what is told is the accuracy of just these
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    sizes = [linear[0].in_features, *(layer.out_features for layer in linear)]
    chosen = {
        "hidden": ",".join(map(str, sizes[1:-1])),
        **{k: options[k] for k in ("device", "shots") if options.get(k)},
    }
    more = "".join(f" --{name} {value}" for name, value in chosen.items())
    classes = ",".join(map(str, data.classes))
    command = (
        f"qednas diffqas --dataset {dataset} --classes {classes} --depth {depth} --epochs {epochs} --seed {seed}{more} "
        f"--out {shlex.quote(str(folder))}"
    )
    reproducible = sizes[1:-1] and {name for name, value in options.items() if value is not None} <= {"device", "shots"}
    record = {
        "dataset": dataset,
        "classes": list(data.classes),
        "sizes": sizes,
        "activation": "ReLU",
        "input": "pixels from 0 to 1, row by row",
        "output": "one score a class; the largest is the answer",
        "test_accuracy": accuracy(module, *data.test),
        "trained_parameters": net.trained_parameters,
        "command": command if reproducible else None,  # the command line does not know every option
    }
    return save_network(module, data.test[0][:1], folder, record)
