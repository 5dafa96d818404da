"""What each part of the search is worth: the search with one thing changed at a time, on short and long chains (chapter 6)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.statistics import Gain, compare_within
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.physics.reference import reference
from qednas.qed.blocks.registry import make_ready
from qednas.qed.predictor.predictor import predictor_identity, shipped_predictor
from qednas.qed.search.architecture import Architecture
from qednas.qed.search.differentiable_search import search_architecture
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import CostClass, costs_identity, measured_costs
from qednas.qed.search.supernet import Supernet
from qednas.qed.search.trained_alone import train_alone
from qednas.qed.vmc.exact_training import Space, sum_exactly
from studies.ch06.every_architecture import EveryArchitecture, SolvedSystem, System, TrainedAlone, half_chain, space_of

LEAST = 1e-12  # relative energy errors below are rounding
CURVE, DIGITS = 40, 4  # points of a course that are kept, and their significant digits
DRAWN = 0  # the seed of which the probabilities over the search are kept


@dataclass(frozen=True)
class Variant:
    """One way to search: what it is called, settings that are changed, whose proxies are wanted, how blocks are joined."""

    label: str
    changed: dict[str, Any] = field(default_factory=dict)
    wanted: str = "predicted"
    combine: str = "product"


STANDARD = "standard"
VARIANTS = {
    STANDARD: Variant("as described"),
    "no entanglement": Variant("without the entanglement term", {"entanglement": 0.0}),
    "reference": Variant("proxies of the reference instead of predicted ones", wanted="reference"),
    "wrong": Variant("proxies of another system", wanted="wrong"),
    "one level": Variant("one level", {"level": "one"}),
    "plain": Variant("plain softmax", {"softmax": "plain"}),
    "annealed": Variant("annealed softmax", {"softmax": "annealed"}),
    "superposition": Variant("superposition", combine="superposition"),
}


def thinned(values: np.ndarray) -> list:
    """At most :data:`CURVE` points of a course (steps, ...), the last one among them, rounded: they are only drawn."""
    points = values[np.unique(np.linspace(0, len(values) - 1, CURVE).astype(int))]
    return np.vectorize(lambda x: float(f"{x:.{DIGITS}g}"))(points).tolist()


def wanted_proxies(variant: Variant, task: Task) -> dict[str, float]:
    if variant.wanted == "reference":
        return dict(task["proxies"])
    system = task["other"] if variant.wanted == "wrong" else task["system"]
    return shipped_predictor().predict(build(system["family"], system["sites"], **system["parameters"]))["proxies"]


class SearchCourse(TypedDict):
    """The course of a search, thinned (points,)."""

    relative: list[float]  # energy error of the supernet
    distance: list[float]  # of its proxies from those that are wanted


class SupernetSearch(TypedDict):
    """One search with one seed."""

    architecture: list[str]  # parts of the most probable one
    ranking: NotRequired[list[list[Any]]]  # [parts, ln of the probability], the most probable first; no result keeps it
    supernet: float  # relative energy error, mean of the last tenth of the steps
    wanted: dict[str, float]  # proxies of the half chain, nats
    steps: int
    seconds: float  # of CPU
    course: SearchCourse
    probabilities: dict[str, list[list[float]]]  # {kind: (points, choices)}, thinned; of one seed, {} of the others
    choices: dict[str, list[str]]  # {kind: "none" and parts}


def search_variant(task: Task, exact: bool) -> tuple[Supernet, SupernetSearch]:
    """Search one variant with one seed: the supernet, and what is told of it."""
    variant = VARIANTS[task["variant"]]
    hamiltonian, given, parts, budget = space_of(task["system"], task["budget"])
    net = Supernet(parts, given, combine=variant.combine, seed=task["seed"])
    settings = SearchSettings(**{**task["settings"], "seed": task["seed"], **variant.changed})
    if not exact:
        cost = measured_costs().of_search(CostClass.of(hamiltonian, given), settings, task["budget"])
        settings = replace(settings, steps=cost.steps(task["seconds"]))
    wanted = wanted_proxies(variant, task)
    make_ready()
    began = time.process_time()
    run = search_architecture(
        hamiltonian, net, settings, wanted=wanted, budget=budget, exact=exact, clock=time.process_time
    )
    relative = (run["energy"] - task["exact"]) / abs(task["exact"])
    ranked = net.rank_architectures(budget)
    record: SupernetSearch = {
        "architecture": list(ranked[0][1].parts),
        "ranking": [[list(a.parts), log] for log, a in ranked],
        "supernet": float(relative[-max(1, len(relative) // 10) :].mean()),
        "wanted": wanted,
        "steps": run["steps"],
        "seconds": time.process_time() - began,
        "course": {"relative": thinned(relative), "distance": thinned(run["distance"])},
        "probabilities": {kind: thinned(v) for kind, v in run["probabilities"].items()}
        if task["seed"] == DRAWN
        else {},
        "choices": {kind: ["none", *names] for kind, names in parts.items()},
    }
    return net, record


class SmallSearch(SupernetSearch):
    """A search by exact sums."""

    entropy: float  # half chain of the supernet, nats


@declare(version=1, data=(predictor_identity,))
def search_small(task: Task) -> SmallSearch:
    net, record = search_variant(task, exact=True)
    space = Space.of(space_of(task["system"], task["budget"])[0])
    return cast(SmallSearch, record | {"entropy": half_chain(sum_exactly(net.state, space).psi, space)["entropy"]})


def tasks_of(systems: Sequence[SolvedSystem], variants: list[str], seeds: int, common: dict) -> list[Task]:
    """One task per system, variant and seed; the "other" system is the next in the list."""
    return [
        common | {"system": system["system"], "exact": system["exact"], "proxies": system["proxies"],
                  "other": systems[(k + 1) % len(systems)]["system"], "variant": variant, "seed": seed}
        for k, system in enumerate(systems) for variant in variants for seed in range(seeds)
    ]  # fmt: skip


class VariantRun(SupernetSearch):
    """A search of one variant and what it found, trained alone."""

    system: System
    variant: str
    seed: int
    relative: float  # energy error trained alone


class SmallRun(VariantRun):
    """The same, on a system of which every architecture is known."""

    entropy: float  # half chain of the supernet, nats
    trained_entropy: float  # of what was found, trained alone
    rank: float  # from 0, the best, to 1 among all architectures of that seed
    tau: float  # Kendall's, of probabilities and energy errors


class SmallSummary(TypedDict):
    """What the standard search comes to on short chains."""

    matching_gain: float  # of the entanglement term, in ln of the error
    matching_p: float
    median_rank: float
    share_best: float
    worst_supernet: float
    median_entropy_missed: float  # share of the wanted entropy


class SearchTiming(TypedDict):
    """CPU time of searches."""

    seconds: float  # of all
    cost_ratio: float  # see cost_ratio


class SmallAblation(TypedDict):
    """Every variant on short chains."""

    runs: list[SmallRun]  # one per system, variant and seed
    compared: dict[str, Gain]  # each variant with the standard one, in ln of the error
    summary: SmallSummary
    timing: SearchTiming


@declare(version=1, pieces=(search_small,))
def small_ablation(inputs, variants: list[str], settings: dict, work: Work = Work()) -> SmallAblation:
    """Search the systems of ``06/space`` by exact sums with every variant and as many seeds as there.

    The energy of what is found is that of the same architecture and seed trained alone there.
    """
    space = inputs["06/space"]
    systems = space["systems"]
    tasks = tasks_of(systems, variants, space["seeds"], {"budget": space["budget"], "settings": settings})
    searches = map_tasks(search_small, tasks, work=work)
    runs = []
    for task, search in zip(tasks, searches, strict=True):
        system = next(s for s in systems if s["system"] == task["system"])
        errors = {tuple(r["architecture"]): r["relative"][task["seed"]] for r in system["rows"]}
        entropies = {tuple(r["architecture"]): r["entropy"][task["seed"]] for r in system["rows"]}
        chosen = tuple(search["architecture"])
        others = np.array([v for a, v in errors.items() if a != chosen])
        logs = np.log([max(errors[tuple(parts)], LEAST) for parts, _ in search["ranking"]])
        runs.append(
            cast(
                SmallRun,
                {
                    **{k: task[k] for k in ("system", "variant", "seed")},
                    **{k: v for k, v in search.items() if k != "ranking"},
                    "relative": errors[chosen],
                    "trained_entropy": entropies[chosen],
                    "rank": float((others < errors[chosen]).mean()),
                    "tau": kendall([log for _, log in search["ranking"]], -logs),
                },
            )
        )
    standard = [r for r in runs if r["variant"] == STANDARD]
    comparisons = compare_variants(runs)
    matching = comparisons.get("no entanglement", {"gain": 0.0, "p": 1.0})
    deviations = [
        abs(r["trained_entropy"] - r["wanted"]["entropy"]) / max(r["wanted"]["entropy"], 0.1) for r in standard
    ]
    return {
        "runs": runs,
        "compared": comparisons,
        "summary": {
            "matching_gain": matching["gain"],
            "matching_p": matching["p"],
            "median_rank": float(np.median([r["rank"] for r in standard])),
            "share_best": float(np.mean([r["rank"] == 0 for r in standard])),
            "worst_supernet": float(max(r["supernet"] for r in standard)),
            "median_entropy_missed": float(np.median(deviations)),
        },
        "timing": {"seconds": float(sum(r["seconds"] for r in runs)), "cost_ratio": cost_ratio(space, standard)},
    }


def kendall(a, b) -> float:
    """Kendall's tau of two rankings, 0 where one has no order."""
    from scipy.stats import kendalltau

    tau = float(kendalltau(a, b).statistic)
    return tau if np.isfinite(tau) else 0.0


def cost_ratio(space: EveryArchitecture, runs: Sequence[VariantRun]) -> float:
    """CPU seconds to train every architecture once, over those of one search; the mean over the systems."""
    ratios = []
    for system, training in zip(space["systems"], space["timing"]["seconds"], strict=True):
        seconds = [r["seconds"] for r in runs if r["system"] == system["system"]]
        ratios.append(training / space["seeds"] / np.mean(seconds))
    return float(np.mean(ratios))


def compare_variants(runs: Sequence[VariantRun]) -> dict[str, Gain]:
    """Every variant with the standard search: ln of the relative energy errors, paired by seed, the systems fixed.

    ``gain`` is positive where the standard search has smaller errors; ``p`` is raw.
    """

    def errors(variant: str) -> dict[str, np.ndarray]:
        selected = sorted((r for r in runs if r["variant"] == variant), key=lambda r: (str(r["system"]), r["seed"]))
        by_system: dict[str, list[float]] = {}
        for run in selected:
            by_system.setdefault(str(run["system"]), []).append(max(run["relative"], LEAST))
        return {system: np.log(values) for system, values in by_system.items()}

    standard = errors(STANDARD)
    others = [v for v in dict.fromkeys(r["variant"] for r in runs) if v != STANDARD]
    return {v: compare_within({s: logs - standard[s] for s, logs in errors(v).items()}) for v in others}


class LargeSearch(SupernetSearch, TrainedAlone):
    """A search by samples, and what was found trained alone."""

    relative: float  # energy error


@declare(
    version=1,
    data=(
        predictor_identity,
        costs_identity,
    ),
)
def search_large(task: Task) -> LargeSearch:
    """Search a long chain by samples, then train what was found alone."""
    _, record = search_variant(task, exact=False)
    hamiltonian, given, _, _ = space_of(task["system"], task["budget"])
    alone = train_alone(
        hamiltonian, given, Architecture(tuple(record["architecture"])), task["train_seconds"], 100 + task["seed"]
    )
    del record["ranking"]
    return cast(LargeSearch, record | alone | {"relative": (alone["energy"] - task["exact"]) / abs(task["exact"])})


class LargeReference(TypedDict):
    """The ground state of a long chain."""

    exact: float  # energy, Pauli units
    proxies: dict[str, float]  # of the half chain, nats
    method: str


@declare(version=1)
def large_reference(task: Task) -> LargeReference:
    solution = reference(build(task["family"], task["sites"], **task["parameters"]))
    return {"exact": solution["energy"], "proxies": solution["proxies"], "method": solution["method"]}


class LargeSystem(SolvedSystem):
    """A long chain and its ground state."""

    method: str  # of the reference


class LargeRun(VariantRun, TrainedAlone):
    """A search on a long chain."""


class LargeAblation(TypedDict):
    """Every variant on long chains."""

    systems: list[LargeSystem]
    runs: list[LargeRun]  # one per system, variant and seed
    compared: dict[str, Gain]  # each variant with the standard one, in ln of the error
    allowance: list[float]  # seconds of one core: of a search, of the training of what it found


@declare(
    version=1,
    pieces=(
        large_reference,
        search_large,
    ),
)
def large_ablation(
    systems: list[System],
    budget: int,
    variants: list[str],
    seeds: int,
    seconds: float,
    train_seconds: float,
    settings: dict,
    work: Work = Work(),
) -> LargeAblation:
    """The same at 50 sites and more: as many steps as ``seconds`` of one core pay for in a search, ``train_seconds`` for what it
    found, by the table of measured costs.  References come from free fermions or DMRG.
    """
    solved = map_tasks(large_reference, systems, work=work.at("references"))
    known = cast(list[LargeSystem], [{"system": s} | solution for s, solution in zip(systems, solved, strict=True)])
    common = {"budget": budget, "settings": settings, "seconds": seconds, "train_seconds": train_seconds}
    tasks = tasks_of(known, variants, seeds, common)
    searches = map_tasks(search_large, tasks, work=work)
    runs = cast(
        list[LargeRun],
        [{k: t[k] for k in ("system", "variant", "seed")} | f for t, f in zip(tasks, searches, strict=True)],
    )
    return {"systems": known, "runs": runs, "compared": compare_variants(runs), "allowance": [seconds, train_seconds]}
