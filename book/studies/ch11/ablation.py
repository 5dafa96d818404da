"""What the parts of the search do: depth, shared angles, the pool, its structural weights, and making it discrete.

All on time series, seeds side by side, with the settings of the paper but for the learning rate: errors at the paper's go up and
down from step to step by more than what is to be seen.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NotRequired, Required, TypedDict

import torch

from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from qednas.data.series import SERIES, Windows, windows
from qednas.diffqas.candidates import PAPER, POOLS
from qednas.diffqas.recurrent import Recurrent
from qednas.diffqas.tasks.forecast import predictions, train_forecasters
from studies.ch10.campaign import FIXED, Runs, each_run, pool_of
from studies.ch10.forecasting import START, single_precision
from studies.ch10.side_by_side import SideBySide
from studies.ch11.entangling import entanglement

RULES = ("top 1", "top 3", "threshold")
EQUAL = 1 / len(PAPER)


def build_generators(task: Task) -> SideBySide:
    """The generators of a task, untrained: one for each of its seeds."""
    pool = POOLS[task.get("pool", "paper")]
    separate = task.get("separate", False)
    candidates = pool_of(task["method"]) if "method" in task else pool
    runs = [(candidates, s) for s in task["seeds"]]
    net = SideBySide(Recurrent(), task["depth"], runs, pool=pool, separate=separate, spread=START)
    if (structure := task.get("structure")) is not None:
        net.structural.data[:] = torch.tensor(structure)
        net.structural.requires_grad_(False)
    return net


class VariantRun(TypedDict):
    """A variant of the search, or a candidate alone, on one series."""

    dataset: str
    variant: str
    seed: int
    mse: float  # on the test windows after the last epoch, of the series scaled to -1 to 1
    structure: list[float]  # structural weights at the end
    trained: int  # how many numbers
    before: list[list[float]]  # (candidates that angles change, 2) Meyer-Wallach, half-chain entropy (nats)
    after: list[list[float]]  # the same after training


def measure_entanglement(net: SideBySide, pool: Sequence, run: int) -> list[list[float]]:
    """[Meyer-Wallach, half-chain entropy] of the candidates of a run that angles change."""
    sets = net.angles[run].detach().double().numpy()
    out = []
    for place, k in enumerate(net.alive):
        if not net.members[run, k]:
            continue
        values = entanglement(pool[k], sets[min(place, len(sets) - 1)])
        out.append([round(values["meyer_wallach"], 5), round(values["entropy"], 5)])
    return out


@declare(version=1)
def run_variant(task: Task) -> Runs[VariantRun]:
    """One training of a variant by all its seeds."""
    net, pool = build_generators(task), POOLS[task.get("pool", "paper")]
    before = [measure_entanglement(net, pool, run) for run in range(len(task["seeds"]))]
    data = single_precision(windows(SERIES[task["dataset"]]()))
    history = train_forecasters(net, data, task["seeds"], task["epochs"], rates=[task["rate"]] * len(task["seeds"]))
    runs: list[VariantRun] = []
    for run, seed in enumerate(task["seeds"]):
        runs.append({
            "dataset": task["dataset"], "variant": task["variant"], "seed": seed, "mse": history["test"][run][-1],
            "structure": [round(w, 4) for w in net.structure()[run].tolist()],
            "trained": sum(p[0].numel() for p in net.parameters() if p.requires_grad),
            "before": before[run], "after": measure_entanglement(net, pool, run),
        })  # fmt: skip
    return {"runs": runs}


def select_candidates(structure: torch.Tensor, rule: str) -> torch.Tensor:
    """Which candidates (runs, candidates) a rule leaves, by the size of structural weights: the largest one or three, or all that
    are larger than at the start."""
    size = structure.abs()
    if rule == "threshold":
        return (size > EQUAL) | (size == size.max(1, keepdim=True).values)
    count = int(rule.split()[1])
    return size >= size.sort(1, descending=True).values[:, count - 1 : count]


def discretised(net: SideBySide, rule: str) -> SideBySide:
    """A copy of the generators with the candidates that a rule leaves, structural weights and all else as they are."""
    discrete = copy.deepcopy(net)
    mask = select_candidates(net.structure().detach(), rule)
    discrete.members &= mask
    discrete.free &= mask
    return discrete


def errors_of(net: SideBySide, data: Windows, runs: int) -> list[float]:
    inputs, targets = data.test
    return (predictions(net, inputs, runs) - targets[:, 0]).square().mean(1).tolist()


class DiscreteRun(TypedDict):
    """A search, or what a rule makes of it, on one series."""

    dataset: str
    variant: str  # "searched", "searched, trained on" (as long), "<rule>, as found", "..., trained on", "..., from the start"
    seed: int
    mse: float  # on the test windows, of the series scaled to -1 to 1
    count: NotRequired[int]  # candidates that a rule leaves
    inert: NotRequired[int]  # how many of them cannot learn


@declare(version=1)
def run_discrete(task: Task) -> Runs[DiscreteRun]:
    """Search, then make it discrete by each rule: as found, trained on, and trained from the start with that choice alone."""
    seeds, epochs = task["seeds"], task["epochs"]
    data = single_precision(windows(SERIES[task["dataset"]]()))
    net = build_generators(task)
    rates = [task["rate"]] * len(seeds)
    train_forecasters(net, data, seeds, epochs, rates=rates)
    first = errors_of(net, data, len(seeds))
    later = [s + 1_000_000 for s in seeds]  # batches of what is trained on
    whole = copy.deepcopy(net)
    results: dict[str, tuple[list, torch.Tensor | None]] = {
        "searched": (first, None),
        "searched, trained on": (train_forecasters(whole, data, later, epochs, rates=rates)["test"], None),
    }
    for rule in RULES:
        discrete = discretised(net, rule)
        left = discrete.members.clone()
        results[f"{rule}, as found"] = (errors_of(discrete, data, len(seeds)), left)
        results[f"{rule}, trained on"] = (train_forecasters(discrete, data, later, epochs, rates=rates)["test"], left)
        fresh = build_generators(task)
        fresh.members &= left
        fresh.free &= left
        results[f"{rule}, from the start"] = (train_forecasters(fresh, data, seeds, epochs, rates=rates)["test"], left)
    inert = torch.tensor([bool(c.fixed) for c in PAPER])
    runs: list[DiscreteRun] = []
    for variant, (errors, mask) in results.items():
        for run, seed in enumerate(seeds):
            error = errors[run][-1] if isinstance(errors[run], list) else errors[run]
            row: DiscreteRun = {"dataset": task["dataset"], "variant": variant, "seed": seed, "mse": error}
            if mask is not None:
                row |= {"count": int(mask[run].sum()), "inert": int((mask[run] & inert).sum())}
            runs.append(row)
    return {"runs": runs}


class Variant(TypedDict, total=False):
    """What a variant changes of the search."""

    variant: Required[str]  # its name
    depth: Required[int]
    separate: bool  # angles of their own for every candidate
    pool: str
    structure: list[float]  # structural weights that are kept
    method: str  # a candidate alone


class VariantRuns(TypedDict):
    """Every variant on every series."""

    runs: list[VariantRun]
    default: str  # the variant that is the search itself


@declare(version=1, pieces=(run_variant,))
def variant_runs(
    datasets: list[str],
    depths: list[int],
    depth: int,
    rate: float,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> VariantRuns:
    """Variants of the search on every series: ``depths``, angles of their own, the repaired pool, fixed structural weights, and
    candidates alone.

    Then structural weights that were found on one series (mean over seeds), kept fixed on every other.
    """
    common = {"seeds": list(range(seeds)), "epochs": epochs, "rate": rate}
    variants: list[Variant] = [{"variant": f"depth {m}", "depth": m} for m in depths]
    variants += [
        {"variant": "separate angles", "depth": depth, "separate": True},
        {"variant": "repaired pool", "depth": depth, "pool": "repaired"},
        {"variant": "equal weights", "depth": depth, "structure": [EQUAL] * len(PAPER)},
    ]
    alone = [m for m in FIXED if not pool_of(m)[0].fixed]
    variants += [{"variant": method, "depth": depth, "method": method} for method in alone]
    tasks = [{**common, **v, "dataset": d} for v in variants for d in datasets]
    runs = each_run(run_variant, tasks, "variants", work)
    structures = {}
    for d in datasets:
        rows = [r["structure"] for r in runs if (r["dataset"], r["variant"]) == (d, f"depth {depth}")]
        structures[d] = torch.tensor(rows).mean(0).tolist()
    moved_tasks = [
        {**common, "depth": depth, "variant": f"weights of {a}", "structure": structures[a], "dataset": b}
        for a in datasets for b in datasets
    ]  # fmt: skip
    runs += each_run(run_variant, moved_tasks, "moved", work)
    return {"runs": runs, "default": f"depth {depth}"}


@declare(version=1, pieces=(run_discrete,))
def discrete_runs(
    datasets: list[str],
    depth: int,
    rate: float,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> Runs[DiscreteRun]:
    """Making the search discrete, on every series."""
    common = {"depth": depth, "rate": rate, "epochs": epochs, "seeds": list(range(seeds))}
    tasks = [{**common, "dataset": d} for d in datasets]
    return {"runs": each_run(run_discrete, tasks, "discrete", work)}
