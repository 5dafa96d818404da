"""The measurements of the chapter on classification: generated classifiers, fixed circuits, and controls without a circuit.

What is called frozen here was drawn once and is not trained.  Learning rates of everything that the paper does not set are chosen
on images held out of the training images; the test images are looked at for what is reported only.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, cast

import torch
from torch import nn

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.data.images import images_identity
from qednas.diffqas.candidates import PAPER, POOLS
from qednas.diffqas.generated import Generated
from qednas.diffqas.generator import Generator
from qednas.diffqas.networks import SIDE, convolutional, multilayer, small
from qednas.diffqas.tasks.classify import RATE, Data, load, train_classifier
from studies.ch09.blockwise import Blockwise, CircuitFeatures, bit_features, random_features
from studies.ch09.coordinates import Coordinates

SEARCHED, FROZEN = "searched", "frozen"
KINDS = 12  # random features of a weight: as many as the paper has candidates
HELD = 1 / 6  # share of the training images that rates are chosen on
# Options of the generator that the paper leaves open, and what is changed.
DEFAULT = "as above"
OPTIONS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "softmax of structural weights": {"mixture": "softmax"},
    "saturating scale": {"scaling": "saturating"},
    "bounded scale": {"scaling": "bounded"},
    "bits 0 and 1": {"labels": "zero-one"},
    "repaired pool": {"pool": POOLS["repaired"]},
}
# Candidates of the paper that have to be run: the others give the same probabilities as one of these.
DISTINCT = [k for k, c in enumerate(PAPER) if not c.fixed or c.fixed not in [o.fixed for o in PAPER[:k]]]


def images(dataset: str, classes: str) -> Data:
    """The images of some classes as 28 x 28 pixels; the small digits are enlarged three times, with a margin."""
    data = load(dataset, classes)
    if data.pixels == SIDE * SIDE:
        return data
    side = math.isqrt(data.pixels)
    factor, margin = SIDE // side, SIDE % side // 2

    def enlarged(x: torch.Tensor) -> torch.Tensor:
        large = x.view(-1, side, side).repeat_interleave(factor, 1).repeat_interleave(factor, 2)
        return torch.nn.functional.pad(large, (margin,) * 4).flatten(1)

    return dataclasses.replace(
        data, train=(enlarged(data.train[0]), data.train[1]), test=(enlarged(data.test[0]), data.test[1])
    )


def held_out(data: Data, seed: int = 0) -> Data:
    """The training images alone, a sixth of them to test on."""
    images, labels = data.train
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    out, rest = order[: int(HELD * len(labels))], order[int(HELD * len(labels)) :]
    return dataclasses.replace(data, train=(images[rest], labels[rest]), test=(images[out], labels[out]))


def build_generated(target: nn.Module, method: str, parameters: int, depth: int, seed: int) -> Generated:
    """``target`` with weights from at most ``parameters`` trained numbers.

    method: "circuit" or "frozen circuit" (a block of weights mixes the probabilities of the candidates), "random" or "bits" (it
    mixes random probabilities or the bits), "coordinates" (a small network of the bits).
    """
    count = sum(p.numel() for p in target.parameters())
    if method == "coordinates":
        return Coordinates(target, parameters, seed=seed)
    if method == "random":
        return Blockwise(target, random_features(count, KINDS, seed), parameters, seed=seed)
    if method == "bits":
        return Blockwise(target, bit_features(count), parameters, seed=seed)
    features = CircuitFeatures(count, depth, trained=method == "circuit", seed=seed)
    return Blockwise(target, features, parameters, seed=seed)


CONTROLS = ("random", "bits", "coordinates", "direct")


def paper_classifier(
    data: Data, method: str, depth: int, seed: int, parameters: int, options: dict[str, Any]
) -> nn.Module:
    """The classifier of the paper: "searched", "frozen" (angles are not trained), "fixed/k" (candidate k alone), "full" (all its
    weights trained), or a control with as many parameters; "direct" is a small network instead."""
    target = multilayer(data.pixels, len(data.classes), seed)
    if method == "full":
        return target
    if method == "direct":
        return small(parameters, len(data.classes), seed)
    if method in CONTROLS:
        return build_generated(target, method, parameters, depth, seed)
    pool = [PAPER[int(method.split("/")[1]) - 1]] if method.startswith("fixed") else PAPER
    net = Generator(target, depth, **{"pool": pool, **options}, seed=seed)
    if method == FROZEN:
        net.angles.requires_grad_(False)
    return net


class Score(TypedDict):
    """A classifier after its training."""

    accuracy: float  # share of the test images, like curve; at the end
    step: list[int]  # (points,) where it was looked at
    curve: list[float]  # (points,)
    structure: list[float]  # structural weights at the end; empty without them
    trained: int  # how many numbers
    seconds: float  # of the CPU


def train_and_score(net: nn.Module, data: Data, task: Task, **settings: Any) -> Score:
    """Train, with settings as of :func:`train_classifier`."""
    began = time.process_time()
    history = train_classifier(net, data, task["epochs"], points=task.get("points", 1), seed=task["seed"], **settings)
    return {
        "accuracy": history["test_accuracy"][-1],
        "step": history["step"],
        "curve": history["test_accuracy"],
        "structure": [round(w, 4) for w in history["structure"][-1]] if history["structure"] else [],
        "trained": sum(p.numel() for p in net.parameters() if p.requires_grad),
        "seconds": time.process_time() - began,
    }


class ClassifierRun(Score):
    """One training: what it was given, and what came of it."""

    dataset: str
    classes: NotRequired[str]  # "1,5"; left out where all are told apart
    method: str
    option: NotRequired[str]  # one of OPTIONS
    depth: int
    parameters: int  # most trained numbers of what the paper does not have
    epochs: int
    points: NotRequired[int]  # an epoch
    rate: float
    seed: int
    held: NotRequired[bool]  # judged on images held out of the training images


@declare(version=1, data=(images_identity,))
def run_paper(task: Task) -> ClassifierRun:
    """One training of the classifier of the paper."""
    data = images(task["dataset"], task["classes"])
    if task.get("held"):
        data = held_out(data)
    options = OPTIONS[task.get("option", DEFAULT)]
    net = paper_classifier(data, task["method"], task["depth"], task["seed"], task["parameters"], options)
    return cast(ClassifierRun, dict(task) | train_and_score(net, data, task, rate=task["rate"]))


@declare(version=1, data=(images_identity,))
def run_ten(task: Task) -> ClassifierRun:
    """One training on all classes."""
    data = images(task["dataset"], "all")
    if task.get("held"):
        data = held_out(data)
    method, classes = task["method"], len(data.classes)
    if method == "direct":
        net: nn.Module = small(task["parameters"], classes, task["seed"])
    else:
        net = build_generated(convolutional(classes), method, task["parameters"], task["depth"], task["seed"])
    return cast(ClassifierRun, dict(task) | train_and_score(net, data, task, rate=task["rate"], schedule="one-cycle"))


def best_rates(runs: Sequence[ClassifierRun]) -> dict[str, float]:
    """{"data set classes method": rate} with the highest accuracy on the held-out images."""
    best: dict[str, ClassifierRun] = {}
    for run in runs:
        name = rate_key(run)
        if name not in best or run["accuracy"] > best[name]["accuracy"]:
            best[name] = run
    return {name: run["rate"] for name, run in best.items()}


def rate_key(task: Task) -> str:
    return f"{task['dataset']} {task.get('classes', 'all')} {task['method']}"


class TunedRuns(TypedDict):
    """Trainings at rates that were chosen."""

    runs: list[ClassifierRun]
    rates: dict[str, float]  # chosen, as of best_rates; only where several were tried


def run_tuned(run, trials: Sequence[Task], tasks: list[dict[str, Any]], work: Work) -> TunedRuns:
    """Run the trials, give every task the best rate of its :func:`rate_key` (the paper's where none was tried), run the tasks."""
    chosen = best_rates(map_tasks(run, trials, work=work.at("rates")))
    for task in tasks:
        task["rate"] = chosen.get(rate_key(task), RATE)
    runs = map_tasks(run, tasks, work=work.at("runs"))
    return {"runs": runs, "rates": chosen}


@declare(version=1, pieces=(run_paper,))
def paper_runs(
    targets: list[list[str]],
    methods: list[str],
    rates: list[float],
    rate_epochs: int,
    depth: int,
    epochs: int,
    points: int,
    parameters: int,
    seeds: int,
    work: Work = Work(),
) -> TunedRuns:
    """Train the classifier of the paper on pairs of classes [data set, classes] by every method and seed.

    Controls take the rate of ``rates`` that serves best on held-out images after ``rate_epochs``; all else has the paper's.
    """
    common = {"depth": depth, "parameters": parameters}
    controls = [m for m in methods if m in CONTROLS]
    trial = {**common, "epochs": rate_epochs, "seed": 1000, "held": True}
    trials = [
        {**trial, "dataset": d, "classes": c, "method": m, "rate": r}
        for d, c in targets for m in controls for r in rates
    ]  # fmt: skip
    tasks: list[dict[str, Any]] = [
        {**common, "dataset": d, "classes": c, "method": m, "epochs": epochs, "points": points, "seed": s}
        for d, c in targets for m in methods for s in range(seeds)
    ]  # fmt: skip
    return run_tuned(run_paper, trials, tasks, work)


class OptionRuns(TypedDict):
    """Trainings with other options."""

    runs: list[ClassifierRun]


@declare(version=1, pieces=(run_paper,))
def option_runs(
    target: list[str],
    options: list[str],
    depth: int,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> OptionRuns:
    """The search of the paper with each of the options that it leaves open."""
    common = {"dataset": target[0], "classes": target[1], "method": SEARCHED, "parameters": 0, "rate": RATE}
    tasks = [
        {**common, "option": o, "depth": depth, "epochs": epochs, "seed": s}
        for o in options for s in range(seeds)
    ]  # fmt: skip
    return {"runs": map_tasks(run_paper, tasks, work=work)}


@declare(version=1, pieces=(run_ten,))
def ten_runs(
    datasets: list[str],
    methods: list[str],
    sizes: list[int],
    rates: list[float],
    rate_size: int,
    rate_epochs: int,
    depth: int,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> TunedRuns:
    """All classes, by every method with as many trained parameters as ``sizes`` say; rates are chosen on held-out images."""
    common = {"depth": depth}
    trial = {**common, "parameters": rate_size, "epochs": rate_epochs, "seed": 1000, "held": True}
    trials = [
        {**trial, "dataset": d, "method": m, "rate": r}
        for d in datasets for m in methods for r in rates
    ]  # fmt: skip
    tasks: list[dict[str, Any]] = [
        {**common, "dataset": d, "method": m, "parameters": p, "epochs": epochs, "seed": s}
        for d in datasets for m in methods for p in sizes for s in range(seeds)
    ]  # fmt: skip
    return run_tuned(run_ten, trials, tasks, work)
