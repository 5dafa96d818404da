"""The discovered architectures beside single blocks, random search and a search blind to entanglement, at equal cost (chapter 7).

Every network has the same most parameters and is trained alone at the same cost: as many steps as so many seconds of one core
pay for by the table of measured costs.  A searcher of any kind has the same cost before that.  The size of a single block is the
one that did best with a seed that is not reported.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NotRequired, TypedDict, cast

import torch

from qednas.base.errors import NumericalError
from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.reference import reference
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import make_ready
from qednas.qed.predictor.predictor import predictor_identity, shipped_predictor
from qednas.qed.search.architecture import Architecture, every_part, kind_of, part_parameters
from qednas.qed.search.differentiable_search import search_architecture
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.search import AGREED, CHOSEN, MOST_PROBABLE, CandidateRow, halving
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import CostClass, costs_identity, measured_costs
from qednas.qed.search.supernet import Supernet
from qednas.qed.search.trained_alone import train_alone
from studies.ch06.every_architecture import KINDS, System, TrainedAlone, architectures_within

SEARCH, BLIND, RANDOM = "search", "energy only", "random"
SEARCHERS = {SEARCH: "discovered", BLIND: "without entanglement", RANDOM: "random search"}
SUPERNET = 1 / 3  # of the cost of a search; the rest goes into rounds of training
ROUNDS = ((6, 0.45), (3, 0.55))
RANDOM_ROUNDS = ((8, 0.45), (4, 0.55))  # of a search without a supernet, which has a third more steps for each
ESTABLISHED = ("rbm", "mps", "dense")
# A block without compiled loops takes seconds for a step at 50 sites.  It is shown beside the others, at its smallest size and
# with one seed, and is no part of the space that is searched.
SLOW = {"attention": "attention/8"}
BLOCKS = (*KINDS, *SLOW)


Labelled = TypedDict("Labelled", {"class": str})  # of a point of its family: critical, gapped, ...


class Target(Labelled, System):
    """A Hamiltonian by its name, and the class of its point."""


def target_of(target: System) -> tuple[Hamiltonian, Given]:
    """The Hamiltonian of a target and what is given of it."""
    hamiltonian = build(target["family"], target["sites"], **target["parameters"])
    return hamiltonian, given_of(hamiltonian, target["parameters"].get("width"))


class EvaluationReference(TypedDict):
    """The ground state of a target."""

    method: str
    energy: float  # Pauli units
    renyi2: float  # half chain, nats, as proxies
    proxies: dict[str, float]
    converged: bool
    reference_seconds: float


@declare(version=1)
def solve(task: Task) -> EvaluationReference:
    """Reference of one target: exact where that is possible, else DMRG."""
    hamiltonian, _ = target_of(task["target"])
    solution: dict[str, object] = {**reference(hamiltonian, "ed" if task["target"]["family"] == "mhs" else "auto")}
    keep = ("method", "energy", "renyi2", "proxies", "converged")
    return cast(EvaluationReference, {k: solution[k] for k in keep} | {"reference_seconds": solution["seconds"]})


class Training(TrainedAlone):
    """A network trained alone, or what counts in its place."""

    failed: str  # why the training could not go on, or ""


def train_or_record_failure(
    hamiltonian: Hamiltonian, given: Given, architecture: Architecture, seconds: float, seed: int
) -> Training:
    """:func:`train_alone`; a training that could not go on counts as an energy of zero."""
    try:
        return cast(Training, train_alone(hamiltonian, given, architecture, seconds, seed) | {"failed": ""})
    except NumericalError as problem:
        nothing = dict.fromkeys(("v_score", "r_hat", "renyi2", "renyi2_error"))
        counts = {"parameters": architecture.parameters(given), "train_steps": 0, "train_seconds": 0.0}
        return cast(
            Training,
            {"energy": 0.0, "error": 0.0, "variance": 0.0, "failed": str(problem)} | nothing | counts,
        )


@declare(version=1, data=(costs_identity,))
def run_single(task: Task) -> Training:
    """One block alone."""
    hamiltonian, given = target_of(task["target"])
    architecture = Architecture((task["part"],))
    return train_or_record_failure(hamiltonian, given, architecture, task["seconds"], task["seed"])


def draw_architectures(
    given: Given, parts: dict[str, list[str]], budget: int, count: int, seed: int
) -> list[Architecture]:
    """``count`` different architectures within the budget, all equally likely."""
    every = architectures_within(given, parts, budget)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(seed)).tolist()
    return [every[k] for k in order[:count]]


class SupernetRun(TypedDict, total=False):
    """The supernet of a search; nothing of a search that has none."""

    supernet_steps: int | None  # None where it stopped
    stopped: str  # why, or ""
    probabilities: dict[str, list[float]]  # of (none, size, size, ...) for every kind, at the end


class SearcherRun(SupernetRun, Training):
    """A search, and what it found trained alone."""

    architecture: list[str]  # parts
    candidates: list[CandidateRow]
    search_seconds: float  # of CPU


@declare(
    version=1,
    data=(
        predictor_identity,
        costs_identity,
    ),
)
def run_searcher(task: Task) -> SearcherRun:
    """Search with one method and one seed, then train what was found alone with the seed that single blocks have."""
    hamiltonian, given = target_of(task["target"])
    budget = task["budget"] * hamiltonian.sites
    parts = every_part(given, KINDS, budget)
    make_ready()
    began = time.process_time()
    costs, where = measured_costs(), CostClass.of(hamiltonian, given)
    record: SupernetRun = {}
    remaining = task["search_seconds"]
    if task["method"] == RANDOM:
        ranked = draw_architectures(given, parts, budget, RANDOM_ROUNDS[0][0], task["seed"])
        rounds = RANDOM_ROUNDS
    else:
        net = Supernet(parts, given, seed=task["seed"])
        settings = SearchSettings(**{"seed": task["seed"], **CHOSEN})
        if task["method"] == BLIND:
            settings = replace(settings, entanglement=0.0)
        steps = costs.of_search(where, settings, task["budget"]).steps(SUPERNET * task["search_seconds"])
        remaining *= 1 - SUPERNET
        wanted = shipped_predictor().predict(hamiltonian)["proxies"]
        try:
            run = search_architecture(
                hamiltonian, net, replace(settings, steps=steps), wanted=wanted, budget=budget, clock=time.process_time
            )
            record = {"supernet_steps": run["steps"], "stopped": ""}
        except NumericalError as problem:  # the supernet is used as it is
            record = {"supernet_steps": None, "stopped": str(problem)}
        generator = torch.Generator().manual_seed(task["seed"] + 1)
        ranked = net.draw_architectures(MOST_PROBABLE, ROUNDS[0][0] - MOST_PROBABLE, generator, budget)
        rounds = ROUNDS
        record["probabilities"] = net.probabilities()
    best, candidates = halving(
        hamiltonian, given, ranked, remaining, task["seed"], rounds=rounds, clock=time.process_time,
        cost=lambda architecture: costs.of(where, architecture),
    )  # fmt: skip
    spent = time.process_time() - began
    alone = train_or_record_failure(hamiltonian, given, best.architecture, task["seconds"], task["seed"])
    choice = {"architecture": list(best.architecture.parts), "candidates": candidates, "search_seconds": spent}
    return cast(SearcherRun, record | choice | alone)


def best_sizes(targets: Sequence[System], tasks: Sequence[Task], trainings: Sequence[Training]) -> list[dict[str, str]]:
    """For each target and kind the size with the lowest energy among those whose chains agree, or of all when none do."""
    out = []
    for target in targets:
        pairs = [(t, f) for t, f in zip(tasks, trainings, strict=True) if t["target"] == target]
        sizes = {}
        for kind in KINDS:
            rows = [(t, f) for t, f in pairs if kind_of(t["part"]) == kind]
            if rows:
                sizes[kind] = min(rows, key=lambda row: ((row[1]["r_hat"] or 1.0) > AGREED, row[1]["energy"]))[0][
                    "part"
                ]
        out.append(sizes)
    return out


def slow_sizes(target: System, budget: int) -> dict[str, str]:
    """The blocks of :data:`SLOW` that keep to ``budget`` parameters a site."""
    hamiltonian, given = target_of(target)
    return {kind: part for kind, part in SLOW.items() if part_parameters(part, given) <= budget * hamiltonian.sites}


class PilotRow(TypedDict):
    """A block of one size, trained to choose among the sizes."""

    target: int  # its place in the list
    part: str
    energy: float  # Pauli units
    r_hat: float | None


class EvaluationRun(SupernetRun, Training):
    """One method on one target with one seed."""

    target: int  # its place in the list
    method: str  # a kind of block or a searcher
    seed: int
    architecture: list[str]  # parts
    candidates: NotRequired[list[CandidateRow]]  # of searchers, as search_seconds
    search_seconds: NotRequired[float]
    relative: float  # energy error
    relative_error: float  # its standard error


class CostSeconds(TypedDict):
    """Seconds of one core, in steps by the table of measured costs."""

    train: float  # of the final training of every network
    pilot: float  # of the choice of a size
    search: float


class Evaluation(TypedDict):
    """Every target with every method."""

    targets: list[Target]
    references: list[EvaluationReference]
    sizes: list[dict[str, str]]  # {kind: part} of every target
    pilots: list[PilotRow]
    runs: list[EvaluationRun]
    budget: int  # parameters a site
    seeds: int
    times: CostSeconds


@declare(
    version=1,
    pieces=(
        solve,
        run_single,
        run_searcher,
    ),
)
def evaluation(
    targets: list[Target],
    budget: int,
    seeds: int,
    seconds: float,
    pilot_seconds: float,
    search_seconds: float,
    work: Work = Work(),
) -> Evaluation:
    """Train and search every target with every method.

    budget: parameters a site.  seconds, pilot_seconds and search_seconds of one core: see :class:`CostSeconds`.
    """

    references = map_tasks(solve, [{"target": t} for t in targets], work=work.at("references"))
    pilots: list[Task] = []
    for target in targets:
        hamiltonian, given = target_of(target)
        parts = every_part(given, KINDS, budget * hamiltonian.sites)
        pilots += [
            {"target": target, "part": p, "seed": 0, "seconds": pilot_seconds}
            for choices in parts.values()
            for p in choices
        ]
    pilot_runs = map_tasks(run_single, pilots, work=work.at("pilots"))
    sizes = [
        by_kind | slow_sizes(target, budget)
        for target, by_kind in zip(targets, best_sizes(targets, pilots, pilot_runs), strict=True)
    ]
    singles: list[Task] = [
        {"target": target, "method": kind, "part": size, "seed": 1 + k, "seconds": seconds}
        for target, by_kind in zip(targets, sizes, strict=True)
        for kind, size in by_kind.items()
        for k in range(1 if kind in SLOW else seeds)
    ]
    alone = map_tasks(run_single, singles, work=work.at("singles"))
    searches: list[Task] = [
        {"target": target, "method": method, "seed": 1 + k, "seconds": seconds, "search_seconds": search_seconds,
         "budget": budget}
        for target in targets
        for method in SEARCHERS
        for k in range(seeds)
    ]  # fmt: skip
    search_runs = map_tasks(run_searcher, searches, work=work.at("searches"))
    energies = {str(t): r["energy"] for t, r in zip(targets, references, strict=True)}
    runs = []
    for task, run in [*zip(singles, alone, strict=True), *zip(searches, search_runs, strict=True)]:
        exact = energies[str(task["target"])]
        architecture = run.get("architecture", [task.get("part")])
        runs.append(cast(
            EvaluationRun,
            {"target": targets.index(task["target"]), "method": task["method"], "seed": task["seed"]}
            | run
            | {"architecture": architecture, "relative": (run["energy"] - exact) / abs(exact),
               "relative_error": run["error"] / abs(exact)},
        ))  # fmt: skip
    pilot_rows: list[PilotRow] = [
        {"target": targets.index(t["target"]), "part": t["part"], "energy": f["energy"], "r_hat": f["r_hat"]}
        for t, f in zip(pilots, pilot_runs, strict=True)
    ]
    return {
        "targets": targets,
        "references": references,
        "sizes": sizes,
        "pilots": pilot_rows,
        "runs": runs,
        "budget": budget,
        "seeds": seeds,
        "times": {"train": seconds, "pilot": pilot_seconds, "search": search_seconds},
    }
