"""Which block is the best for which target at which budget: every size of every block trained alone (chapter 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import FAMILIES
from qednas.physics.gaussian.mean_field import mean_field
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.predictor.predictor import predictor_identity, shipped_predictor
from qednas.qed.search.architecture import every_part, kind_of, part_parameters
from qednas.qed.search.ground_state import wrong_signs
from qednas.qed.search.search import AGREED
from studies.ch02.recipes import RECIPES
from studies.ch06.every_architecture import KINDS, System
from studies.ch07.evaluation import Target, run_single, solve, target_of

DRAWN_SEED = 808
CONTROLS = ("wrong_signs", "correlation_length", "conserves_z")
LEAST = 1e-9  # relative energy errors below cannot be told apart


def draw_targets(families: list[str], each: int, sites: int) -> list[Target]:
    """``each`` points of every family, drawn like those of the data set with a seed of their own; mhs once."""
    out: list[Target] = []
    for number, family in enumerate(families):
        for k in range(each if FAMILIES[family].parameters else 1):
            rng = np.random.default_rng([DRAWN_SEED, number, k])
            recipe = RECIPES[family]
            parameters: dict[str, Any] = {
                n: round(v, 3) if isinstance(v, float) else v for n, v in recipe.draw(rng).items()
            }
            length = sites - sites % parameters.get("width", 1)
            out.append(
                {"class": recipe.label(**parameters), "family": family, "sites": length, "parameters": parameters}
            )
    return out


def correlation_length(hamiltonian: Hamiltonian) -> float:
    """Root mean square distance (sites) of the correlations of the middle site in the mean field of a chain."""
    c = mean_field(hamiltonian).correlation
    middle = len(c) // 2
    distance = np.abs(np.arange(len(c)) - middle)
    weight = np.where(distance > 0, c[middle] ** 2 + c[:, middle] ** 2, 0.0)
    return float(np.sqrt((distance**2 * weight).sum() / max(weight.sum(), 1e-12)))


class Features(TypedDict):
    """What rules may look at."""

    entanglement: dict[str, float]  # proxies as the predictor gives them, nats
    control: dict[str, float]  # by the names in CONTROLS


def features_of(target: System) -> Features:
    """What rules may look at of one target."""
    hamiltonian, _ = target_of(target)
    return {
        "entanglement": shipped_predictor().predict(hamiltonian)["proxies"],
        "control": {
            "wrong_signs": wrong_signs(hamiltonian),
            "correlation_length": correlation_length(hamiltonian),
            "conserves_z": float(hamiltonian.sector.kind == "magnetisation"),
        },
    }


class TableTarget(Target, Features):
    """A target with its features and its reference."""

    energy: float  # Pauli units
    renyi2: float  # half chain, nats


class PartRun(TypedDict):
    """One part trained alone on one target with one seed."""

    number: int  # of the target
    part: str
    seed: int
    relative: float  # energy error
    relative_error: float  # its standard error
    r_hat: float | None
    parameters: int
    train_steps: int


class BestBlock(TypedDict):
    """The kinds of blocks on one target within one budget, each at its best size."""

    number: int  # of the target
    budget: int  # parameters a site
    errors: dict[str, float]  # ln of the relative energy error by kind, mean over seeds
    sizes: dict[str, str]  # the part of each kind
    best: str  # kind


class TrainingTime(TypedDict):
    """What a training may cost."""

    train: float  # seconds of one core


class BlockTable(TypedDict):
    """Every size of every block on every target."""

    targets: list[TableTarget]
    runs: list[PartRun]  # one per target, part and seed
    best: list[BestBlock]  # one per target and budget
    budgets: list[int]  # parameters a site
    seeds: int
    times: TrainingTime


@declare(
    version=1,
    pieces=(
        solve,
        run_single,
    ),
    data=(predictor_identity,),
)
def block_table(
    families: list[str],
    each: int,
    sites: int,
    budgets: list[int],
    seeds: int,
    seconds: float,
    work: Work = Work(),
) -> BlockTable:
    """Train every size of every block of at most the largest of ``budgets`` (parameters a site) at equal cost: as many steps as
    ``seconds`` of one core pay for by the table of measured costs.
    """

    targets = draw_targets(families, each, sites)
    references = map_tasks(solve, [{"target": t} for t in targets], work=work.at("references"))
    tasks: list[Task] = []
    counts: list[dict[str, int]] = []
    for number, target in enumerate(targets):
        hamiltonian, given = target_of(target)
        parts = [p for choices in every_part(given, KINDS, max(budgets) * hamiltonian.sites).values() for p in choices]
        counts.append({p: part_parameters(p, given) for p in parts})
        tasks += [
            {"number": number, "target": target, "part": p, "seed": 1 + k, "seconds": seconds}
            for p in parts
            for k in range(seeds)
        ]
    trainings = map_tasks(run_single, tasks, work=work.at("runs"))
    runs = []
    for task, training in zip(tasks, trainings, strict=True):
        exact = references[task["number"]]["energy"]
        relative, error = (training["energy"] - exact) / abs(exact), training["error"] / abs(exact)
        runs.append(cast(
            PartRun,
            {k: task[k] for k in ("number", "part", "seed")}
            | {"relative": relative, "relative_error": error, "r_hat": training["r_hat"], "parameters": training["parameters"],
               "train_steps": training["train_steps"]},
        ))  # fmt: skip
    rows: list[TableTarget] = [
        {**t, **features_of(t), "energy": k["energy"], "renyi2": k["renyi2"]}
        for t, k in zip(targets, references, strict=True)
    ]
    return {
        "targets": rows,
        "runs": runs,
        "best": best_blocks(runs, counts, [t["sites"] for t in targets], budgets),
        "budgets": budgets,
        "seeds": seeds,
        "times": {"train": seconds},
    }


def part_error(runs: Sequence[PartRun]) -> float:
    """ln of the error of one part on one target: mean over seeds; chains that do not agree count as an error of one."""
    return float(
        np.mean(
            [
                np.log(max(r["relative"], r["relative_error"], LEAST)) if (r["r_hat"] or 1.0) < AGREED else 0.0
                for r in runs
            ]
        )
    )


def best_blocks(
    runs: Sequence[PartRun], counts: list[dict[str, int]], sites: list[int], budgets: list[int]
) -> list[BestBlock]:
    """For every target and budget: ln of the error of each kind at its best size within the budget, and the best kind."""
    out: list[BestBlock] = []
    for number, parameters in enumerate(counts):
        logs = {p: part_error([r for r in runs if (r["number"], r["part"]) == (number, p)]) for p in parameters}
        for budget in budgets:
            fitting = [p for p in parameters if parameters[p] <= budget * sites[number]]
            errors: dict[str, float] = {}
            sizes: dict[str, str] = {}
            for p in fitting:
                kind = kind_of(p)
                if logs[p] < errors.get(kind, np.inf):
                    errors[kind], sizes[kind] = logs[p], p
            out.append(
                {"number": number, "budget": budget, "errors": errors, "sizes": sizes,
                 "best": min(errors, key=errors.__getitem__)}
            )  # fmt: skip
    return out
