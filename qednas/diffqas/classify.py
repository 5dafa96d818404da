"""Classification of images with generated weights: the networks of the paper, the training loop, and one run of it.

Settings of the paper: 784-128-64-classes, Adam with rate 1e-3, batches of 100, 15 layers.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from qednas.companion.images import of_classes
from qednas.diffqas.device import check_device
from qednas.diffqas.export import plain, prepare, save_network
from qednas.diffqas.generator import MOST_WEIGHTS, Generator
from qednas.errors import InputError

HIDDEN = (128, 64)
RATE, BATCH = 1e-3, 100
TESTED = 2000  # images at a time when accuracy is measured
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

    Raises InputError as :func:`qednas.companion.images.of_classes` does.
    """
    parts = []
    for part in ("train", "test"):
        pixels, labels, chosen = of_classes(dataset, part, classes)
        parts.append((torch.from_numpy(pixels).flatten(1), torch.from_numpy(labels)))
    return Data(parts[0], parts[1], tuple(chosen))


def multilayer(pixels: int, outputs: int, seed: int = 0, hidden: Sequence[int] = HIDDEN) -> nn.Sequential:
    """The classifier of the paper: two hidden layers of 128 and 64 units; 108,866 weights for 784 pixels and two classes.

    Raises InputError for other hidden layers that have no unit, or more weights than can be generated.
    """
    sizes = (pixels, *hidden, outputs)
    count = sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))
    if min(sizes) < 1 or count > MOST_WEIGHTS:
        told = ",".join(map(str, hidden))
        raise InputError(f"hidden = {told}: positive, and {count} weights, of which at most 2^20 = {MOST_WEIGHTS}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


def accuracy(net: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images that a network (or a generator) classifies correctly."""
    with torch.no_grad():
        apply = frozen(net) if isinstance(net, Generator) else net
        right = sum(
            int((apply(x).argmax(1) == y).sum())
            for x, y in zip(images.split(TESTED), labels.split(TESTED), strict=True)
        )
    return right / len(labels)


def frozen(net: Generator) -> Callable[[torch.Tensor], torch.Tensor]:
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
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, list]:
    """Train in place with Adam on cross entropy, batches drawn anew in every epoch.

    Returns lists over the epochs: ``loss`` (mean over the batches, nats), ``test_accuracy`` after the epoch, and, of a generator,
    ``structure`` (what the candidates are mixed with).  Raises InputError when the loss is not finite.
    """
    if epochs < 1 or batch < 1 or not rate > 0:
        raise InputError(f"epochs = {epochs}, batch = {batch}, rate = {rate}: all positive")
    images, labels = data.train
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    history: dict[str, list] = {"loss": [], "test_accuracy": [], "structure": []}
    steps = -(-len(labels) // batch)
    for epoch in range(epochs):
        losses = []
        for number, own in enumerate(torch.randperm(len(labels), generator=order).split(batch)):
            optimiser.zero_grad()
            loss = cross_entropy(net(images[own]), labels[own])
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
            if progress:
                progress(epoch * steps + number + 1, epochs * steps, f"epoch {epoch + 1}, loss {losses[-1]:.4f}")
        mean = sum(losses) / len(losses)
        if mean != mean or mean == float("inf"):
            raise InputError(f"the loss is {mean} in epoch {epoch + 1}: a smaller rate than {rate} may help")
        history["loss"].append(mean)
        history["test_accuracy"].append(accuracy(net, *data.test))
        if isinstance(net, Generator):
            history["structure"].append(net.structure().detach().tolist())
    return history


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
) -> dict[str, Any]:
    """Search the circuit that generates the classifier of the paper; ``options`` are those of :class:`Generator`.

    hidden: units of its hidden layers.  folder: where the trained network is written, see :func:`save_network`; the result then
    has the paths as ``files``.  What is wrong with the folder or the device is told before anything is loaded.

    Returns ``test_accuracy`` on the whole test set after the last epoch, ``trained_parameters``, ``target_parameters`` (weights
    that are generated), ``structural_weights`` {candidate: weight}, the ``history`` of :func:`train_classifier`, and ``seconds``.
    """
    began = time.perf_counter()
    check_device(options.get("device"), options.get("shots"))
    if folder is not None:
        prepare(folder)
    multilayer(1, 2, hidden=hidden)  # what is wrong with the sizes is told before anything is loaded, too
    data = load(dataset, classes)
    net = Generator(multilayer(data.pixels, len(data.classes), hidden=hidden), depth, seed=seed, **options)
    history = train_classifier(net, data, epochs, seed=seed, progress=progress)
    names = [str(c) for c in net.simulate.pool]
    files = {} if folder is None else {"files": written(net, data, folder, dataset, depth, epochs, seed, options)}
    return {
        "test_accuracy": history["test_accuracy"][-1],
        "trained_parameters": net.trained_parameters,
        "target_parameters": net.count,
        "structural_weights": dict(zip(names, history["structure"][-1], strict=True)),
        "history": {name: history[name] for name in ("loss", "test_accuracy")},
        **files,
        "seconds": time.perf_counter() - began,
    }


def written(
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
    told = sizes[1:-1] and {name for name, value in options.items() if value is not None} <= {"device", "shots"}
    record = {
        "dataset": dataset,
        "classes": list(data.classes),
        "sizes": sizes,
        "activation": "ReLU",
        "input": "pixels from 0 to 1, row by row",
        "output": "one score a class; the largest is the answer",
        "test_accuracy": accuracy(module, *data.test),
        "trained_parameters": net.trained_parameters,
        "command": command if told else None,  # the command line does not know every option
    }
    return save_network(module, data.test[0][:1], folder, record)
