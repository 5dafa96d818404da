"""What the measurements of the chapter on QAOA say: means with standard errors over instances, and paired tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qednas.base.statistics import compare, estimate, mean_and_sem
from qednas.base.task import declare

NETWORKS = "fitted"  # the kind of costs that come from trained networks
NEAR_RANK = 156  # of 15,625: the best 1 %
SHOTS = 64  # of one proposal
AFTER = 100  # evaluations after which the surrogate is judged, or the nearest number there is


def averaged(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries of arrays with an axis over instances in front: means, with ``<key>_sem`` beside ``<key>``."""
    out: dict[str, Any] = {}
    for key, branch in tree.items():
        if isinstance(branch, Mapping):
            out[key] = averaged(branch)
        else:
            out[key], out[f"{key}_sem"] = mean_and_sem(branch)
    return out


def transfer_ratios(ratio: np.ndarray, uniform: np.ndarray) -> dict[str, Any]:
    """Of ratios (targets, sources) with transferred angles: ``relative`` to own ones, and ``gain``, the share of what own ones
    gain over a ``uniform`` measurement.  Mean over sources, the cost itself left out, then over targets with its error."""
    own_ratio = np.einsum("aiai->ai", ratio)
    groups, count = own_ratio.shape
    same = np.eye(groups, dtype=bool)[:, None, :, None] & np.eye(count, dtype=bool)[None, :, None, :]
    out: dict[str, Any] = {}
    for name, floor in (("relative", np.zeros_like(own_ratio)), ("gain", uniform)):
        share = (ratio - floor[:, :, None, None]) / (own_ratio - floor)[:, :, None, None]
        others = np.nanmean(np.where(same, np.nan, share), axis=3)  # (groups, instances, groups)
        out[name], out[f"{name}_sem"] = mean_and_sem(np.moveaxis(others, 1, 0))
    return out


def ramp_concentration(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Best ramps by place: mean, standard error and ``spread`` over costs, in the units of the shipped ramps and without."""
    out: dict[str, Any] = {key: [] for key in ("ends", "in_units", "relative")}
    out |= {f"{key}_sem": [] for key in out}
    for part in parts:
        for key, value in averaged(part).items():
            out[key].append(value)
    every = np.concatenate([np.asarray(part["in_units"]) for part in parts])
    out["spread"] = (every.std(0) / every.mean(0)).tolist()
    out["spread_sem"] = (every.std(0) / every.mean(0) / (2 * len(every)) ** 0.5).tolist()
    return out


def judge_shots(kinds: Mapping[str, Any]) -> dict[str, Any]:
    """As measured, and ``lost``: by how much the approximation ratio is below that of exact gradients from the same start, of the
    same cost; of the ``start`` itself too."""
    out = {}
    for kind, runs in kinds.items():
        exact = np.asarray(runs["lbfgs"]["ratio"])
        lost = exact[:, :, None, None] - np.asarray(runs["ratio"])
        start = exact - np.asarray(runs["start"]["ratio"])
        out[kind] = averaged({**runs, "lost": lost, "start": {**runs["start"], "lost": start}})
    return out


def both_kinds(kinds: Mapping[str, Any], *path: str) -> np.ndarray:
    """The arrays at a path below fitted and random costs, one after the other."""
    parts = []
    for branch in kinds.values():
        for key in path:
            branch = branch[key]
        parts.append(np.asarray(branch))
    return np.concatenate(parts)


def at_best_penalty(kinds: Mapping[str, Any], sweep: int) -> np.ndarray:
    """(instances,) share of shots at the optimum, with the penalty that is best on the mean."""
    optimum = both_kinds(kinds, "optimum")[:, sweep]
    return optimum[:, optimum.mean(0).argmax()]


def annealing_chance(annealing) -> dict[str, float]:
    """Chance that SHOTS shots of path-integral annealing of a fitted cost include the optimum, with the most sweeps and the
    penalty that is best on the mean."""
    optimum = np.asarray(annealing["found"]["quantum"][NETWORKS]["optimum"])[:, -1]
    return estimate(1 - (1 - optimum[:, optimum.mean(0).argmax()]) ** SHOTS, "chance")


def paired_tests(inputs) -> dict[str, dict[str, float]]:
    """The paired tests that claims are read from; those of circuits at the largest depth.

    ``tunnelling``: path-integral against simulated annealing of as many sweeps.  A sweep of paths updates many slices of every
    qubit and takes a hundred times as long, so ``tunnelling_for_its_work`` gives simulated annealing its most sweeps, which still
    take a fraction of the time of the paths'.
    """
    depth, vqe, annealing = (inputs[f"12/{name}"] for name in ("depth", "vqe", "annealing"))
    runs = next(iter(depth["found"].values()))[NETWORKS]
    optimum = np.asarray(runs["optimum"])[:, :, -1]
    standard = optimum[:, depth["strategies"].index("standard")]
    best = optimum[:, optimum.mean(0).argmax()]
    product, *entangled = np.moveaxis(both_kinds(vqe["found"], "optimum")[:, 0], 1, 0)
    sweeps = annealing["sweeps"]
    common = max(set(sweeps["thermal"]) & set(sweeps["quantum"]))
    thermal, quantum = (
        at_best_penalty(annealing["found"][name], sweeps[name].index(common)) for name in ("thermal", "quantum")
    )
    long = at_best_penalty(annealing["found"]["thermal"], int(np.argmax(sweeps["thermal"])))
    paths = at_best_penalty(annealing["found"]["quantum"], int(np.argmax(sweeps["quantum"])))
    return {
        "amplified": compare(standard, np.asarray(runs["uniform"]["optimum"])),
        "over_descent": compare(best, np.asarray(runs["descent"]["reached"])),
        "entangled": compare(max(entangled, key=np.mean), product),
        "tunnelling": compare(quantum, thermal),
        "tunnelling_for_its_work": compare(paths, long),
    }


def with_logs(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries with ``log_rank``, the decimal logarithm, beside every ``rank``."""
    out: dict[str, Any] = {}
    for key, branch in tree.items():
        out[key] = with_logs(branch) if isinstance(branch, Mapping) else branch
        if key == "rank" and not isinstance(branch, Mapping):
            out["log_rank"] = np.log10(branch)
    return out


def judge_surrogate(result) -> dict[str, float]:
    """Of the quadratic model of ranks after AFTER evaluations: Spearman's correlation, log10 of the true ranks of its argmax and
    of the best cell evaluated, and ``top``, in how many searches its argmax truly is among the best 1 % (``at_top``: counts)."""
    place = int(np.abs(np.array(result["counts"]) - AFTER).argmin())
    model = result["found"]["quadratic"]["rank"]
    out: dict[str, Any] = {}
    for name, values in (
        ("spearman", model["spearman"]),
        ("log_rank", np.log10(model["rank"])),
        ("top", np.asarray(model["rank"]) <= NEAR_RANK),
        ("log_rank_evaluated", np.log10(result["found"]["evaluated"]["rank"])),
    ):
        out |= estimate(np.asarray(values)[:, place], name)
    hits = int(np.count_nonzero(np.asarray(model["rank"])[:, place] <= NEAR_RANK))
    return out | {"evaluations": result["counts"][place], "at_top": {"hits": hits, "units": out["top_units"]}}


@declare(version=1)
def judge_qaoa(inputs) -> dict[str, Any]:
    """From the results of chapter 12: what claims are read from, and all means for a comparison with another run.

    ``summary``, each number with its standard error over costs: ``depth``, ``vqe``, ``annealing`` and ``surrogate`` as measured;
    ``shots``, see :func:`judge_shots`; ``concentration`` {mixer: see :func:`ramp_concentration`}; ``transfer``, see
    :func:`transfer_ratios`; ``tests``, see :func:`paired_tests`; ``near``, the chance of the best 1 % of a fitted cost at the
    largest depth; ``fit``, see :func:`judge_surrogate`; ``annealed``, see :func:`annealing_chance`.  ``p``: raw, of the tests.
    ``unmixed``: the largest effect of phases alone, see :func:`~studies.ch12.landscapes.run_landscape`.
    """
    depth, transfer, annealing = (inputs[f"12/{name}"] for name in ("depth", "transfer", "annealing"))
    circuits = {circuit: averaged(kinds) for circuit, kinds in depth["found"].items()}
    row = depth["strategies"].index("standard")
    # The time of a shot is measured, not judged.
    untimed = {
        name: {kind: {k: v for k, v in runs.items() if k != "seconds"} for kind, runs in kinds.items()}
        for name, kinds in annealing["found"].items()
    }
    tests = paired_tests(inputs)
    p = {name: test.pop("p") for name, test in tests.items()}
    near = np.asarray(next(iter(depth["found"].values()))[NETWORKS]["near"])[:, row, -1]
    return {
        "summary": {
            "depth": circuits,
            "shots": judge_shots(inputs["12/shots"]["found"]),
            "vqe": averaged(inputs["12/vqe"]["found"]),
            "annealing": averaged(untimed),
            "surrogate": averaged(with_logs(inputs["12/surrogate"]["found"])),
            "concentration": {m: ramp_concentration(parts) for m, parts in inputs["12/concentration"]["found"].items()},
            "transfer": transfer_ratios(np.asarray(transfer["ratio"]), np.asarray(transfer["uniform"])),
            "tests": tests,
            **estimate(near, "near"),
            "fit": judge_surrogate(inputs["12/surrogate"]),
            "annealed": annealing_chance(annealing),
        },
        "p": p,
        "unmixed": max(run["unmixed"] for run in inputs["12/landscape"]["runs"]),
    }
