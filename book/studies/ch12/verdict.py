"""What the measurements of the chapter on QAOA say: means with standard errors over instances, and paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from qednas.base.statistics import compare, estimate, mean_and_sem
from qednas.base.task import declare
from studies.ch12.depth_records import EstimatedRun
from studies.ch12.landscapes import RampEnds
from studies.ch12.optimisers import AnnealingRun, AnnealingRuns

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


class TransferRatios(TypedDict):
    """Of ratios with transferred angles, (groups of targets, groups of sources) each."""

    relative: list[list[float]]  # to own ones
    relative_sem: list[list[float]]
    gain: list[list[float]]  # share of what own ones gain over a uniform measurement
    gain_sem: list[list[float]]


def transfer_ratios(ratio: np.ndarray, uniform: np.ndarray) -> TransferRatios:
    """Of ``ratio`` (groups, instances, groups, instances) and ``uniform`` (groups, instances).

    Mean over sources, the cost itself left out, then over targets with its error.
    """
    own_ratio = np.einsum("aiai->ai", ratio)
    groups, count = own_ratio.shape
    same = np.eye(groups, dtype=bool)[:, None, :, None] & np.eye(count, dtype=bool)[None, :, None, :]
    out: dict[str, list[list[float]]] = {}
    for name, floor in (("relative", np.zeros_like(own_ratio)), ("gain", uniform)):
        share = (ratio - floor[:, :, None, None]) / (own_ratio - floor)[:, :, None, None]
        others = np.nanmean(np.where(same, np.nan, share), axis=3)  # (groups, instances, groups)
        out[name], out[f"{name}_sem"] = mean_and_sem(np.moveaxis(others, 1, 0))
    return cast(TransferRatios, out)


class RampConcentration(TypedDict):
    """Best ramps by place, gamma and beta: means over costs."""

    ends: list[list[float]]  # (places, 2)
    ends_sem: list[list[float]]
    in_units: list[list[float]]  # (places, 2) in those of the shipped ramps
    in_units_sem: list[list[float]]
    relative: list[float]  # (places,) approximation ratio with the shipped ramp over that with the own one
    relative_sem: list[float]
    spread: list[float]  # (2,) standard deviation over all costs, relative to their mean, in units
    spread_sem: list[float]


def ramp_concentration(parts: Sequence[RampEnds]) -> RampConcentration:
    """Of the best ramps by place."""
    out: dict[str, list[Any]] = {key: [] for key in ("ends", "in_units", "relative")}
    out |= {f"{key}_sem": [] for key in out}
    for part in parts:
        for key, value in averaged(part).items():
            out[key].append(value)
    every = np.concatenate([np.asarray(part["in_units"]) for part in parts])
    out["spread"] = (every.std(0) / every.mean(0)).tolist()
    out["spread_sem"] = (every.std(0) / every.mean(0) / (2 * len(every)) ** 0.5).tolist()
    return cast(RampConcentration, out)


class StartMeans(TypedDict):
    """Means over costs without estimates, (starts,) each."""

    ratio: list[float]
    ratio_sem: list[float]
    optimum: list[float]
    optimum_sem: list[float]
    near: list[float]
    near_sem: list[float]
    circuits: list[float]
    circuits_sem: list[float]
    lost: NotRequired[list[float]]  # of the start: as of EstimatedMeans
    lost_sem: NotRequired[list[float]]


class EstimatedMeans(TypedDict):
    """Means of :class:`~studies.ch12.depth_records.EstimatedRun` over costs, (starts, shots, circuits)."""

    ratio: list[list[list[float]]]
    ratio_sem: list[list[list[float]]]
    optimum: list[list[list[float]]]
    optimum_sem: list[list[list[float]]]
    start: StartMeans
    lbfgs: StartMeans
    uniform: float
    uniform_sem: float
    lost: list[
        list[list[float]]
    ]  # by how much the ratio is below that of exact gradients from the same start, of the same cost
    lost_sem: list[list[list[float]]]


def judge_shots(kinds: Mapping[str, EstimatedRun]) -> dict[str, EstimatedMeans]:
    """{kind of costs: as measured, and what is lost to exact gradients}."""
    out = {}
    for kind, runs in kinds.items():
        exact = np.asarray(runs["lbfgs"]["ratio"])
        lost = exact[:, :, None, None] - np.asarray(runs["ratio"])
        start = exact - np.asarray(runs["start"]["ratio"])
        out[kind] = averaged({**runs, "lost": lost, "start": {**runs["start"], "lost": start}})
    return cast(dict[str, EstimatedMeans], out)


def both_kinds(kinds: Mapping[str, Any], *path: str) -> np.ndarray:
    """The arrays at a path below fitted and random costs, one after the other."""
    parts = []
    for branch in kinds.values():
        for key in path:
            branch = branch[key]
        parts.append(np.asarray(branch))
    return np.concatenate(parts)


def at_best_penalty(kinds: Mapping[str, AnnealingRun], sweep: int) -> np.ndarray:
    """(instances,) share of shots at the optimum, with the penalty that is best on the mean."""
    optimum = both_kinds(kinds, "optimum")[:, sweep]
    return optimum[:, optimum.mean(0).argmax()]


class AnnealedChance(TypedDict):
    """Chance that SHOTS shots include the optimum."""

    chance: float
    chance_sem: float
    chance_units: int  # costs


def annealing_chance(annealing: AnnealingRuns) -> AnnealedChance:
    """Chance that SHOTS shots of path-integral annealing of a fitted cost include the optimum, with the most sweeps and the
    penalty that is best on the mean."""
    optimum = np.asarray(annealing["found"]["quantum"][NETWORKS]["optimum"])[:, -1]
    return cast(AnnealedChance, estimate(1 - (1 - optimum[:, optimum.mean(0).argmax()]) ** SHOTS, "chance"))


class RankedGain(TypedDict):
    """One against another, as :func:`~qednas.base.statistics.compare` gives it."""

    gain: float  # mean difference
    gain_sem: float
    pairs: int
    wins: float  # share of pairs
    p: NotRequired[float]  # raw; taken out where p values stand apart


def paired_tests(inputs) -> dict[str, RankedGain]:
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
    return cast(
        dict[str, RankedGain],
        {
            "amplified": compare(standard, np.asarray(runs["uniform"]["optimum"])),
            "over_descent": compare(best, np.asarray(runs["descent"]["reached"])),
            "entangled": compare(max(entangled, key=np.mean), product),
            "tunnelling": compare(quantum, thermal),
            "tunnelling_for_its_work": compare(paths, long),
        },
    )


def with_logs(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries with ``log_rank``, the decimal logarithm, beside every ``rank``."""
    out: dict[str, Any] = {}
    for key, branch in tree.items():
        out[key] = with_logs(branch) if isinstance(branch, Mapping) else branch
        if key == "rank" and not isinstance(branch, Mapping):
            out["log_rank"] = np.log10(branch)
    return out


class TopHits(TypedDict):
    """In how many searches it is so."""

    hits: int
    units: int


class SurrogateSummary(TypedDict):
    """The quadratic model of ranks: means over searches, ``_units`` of them."""

    spearman: float  # correlation over all cells that were not evaluated
    spearman_sem: float
    spearman_units: int
    log_rank: float  # log10 of the true rank of its argmax
    log_rank_sem: float
    log_rank_units: int
    top: float  # share of searches whose argmax truly is among the best 1 %
    top_sem: float
    top_units: int
    log_rank_evaluated: float  # log10 of the true rank of the best cell evaluated
    log_rank_evaluated_sem: float
    log_rank_evaluated_units: int
    evaluations: int
    at_top: TopHits  # the counts of top


def judge_surrogate(result) -> SurrogateSummary:
    """Of the quadratic model of ranks after AFTER evaluations."""
    place = int(np.abs(np.array(result["counts"]) - AFTER).argmin())
    model = result["found"]["quadratic"]["rank"]
    out: dict[str, float] = {}
    for name, values in (
        ("spearman", model["spearman"]),
        ("log_rank", np.log10(model["rank"])),
        ("top", np.asarray(model["rank"]) <= NEAR_RANK),
        ("log_rank_evaluated", np.log10(result["found"]["evaluated"]["rank"])),
    ):
        out |= estimate(np.asarray(values)[:, place], name)
    hits = int(np.count_nonzero(np.asarray(model["rank"])[:, place] <= NEAR_RANK))
    return cast(
        SurrogateSummary,
        out | {"evaluations": result["counts"][place], "at_top": {"hits": hits, "units": out["top_units"]}},
    )


class QaoaSummary(TypedDict):
    """Each number with its standard error over costs; depth, vqe, annealing and surrogate as measured, see averaged."""

    depth: dict[str, dict[str, Any]]  # {circuit: {kind of costs: means of DepthRun}}
    shots: dict[str, EstimatedMeans]  # {kind of costs: ...}
    vqe: dict[str, Any]  # {kind of costs: means of VqeRun}
    annealing: dict[str, Any]  # {annealer: {kind of costs: means of AnnealingRun without seconds}}
    surrogate: dict[str, Any]  # means of what run_surrogates gives, with logarithms of ranks
    concentration: dict[str, RampConcentration]  # {mixer: ...}
    transfer: TransferRatios
    tests: dict[str, RankedGain]  # see paired_tests
    near: float  # chance of the best 1 % of a fitted cost at the largest depth
    near_sem: float
    near_units: int
    fit: SurrogateSummary
    annealed: AnnealedChance


class QaoaVerdict(TypedDict):
    """What claims are read from, and all means for a comparison with another run."""

    summary: QaoaSummary
    p: dict[str, float]  # raw, of the tests
    unmixed: float  # the largest effect of phases alone, as of Landscape


@declare(version=1)
def judge_qaoa(inputs) -> QaoaVerdict:
    """From the results of chapter 12."""
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
        "summary": cast(
            QaoaSummary,
            {
                "depth": circuits,
                "shots": judge_shots(inputs["12/shots"]["found"]),
                "vqe": averaged(inputs["12/vqe"]["found"]),
                "annealing": averaged(untimed),
                "surrogate": averaged(with_logs(inputs["12/surrogate"]["found"])),
                "concentration": {
                    m: ramp_concentration(parts) for m, parts in inputs["12/concentration"]["found"].items()
                },
                "transfer": transfer_ratios(np.asarray(transfer["ratio"]), np.asarray(transfer["uniform"])),
                "tests": tests,
                **estimate(near, "near"),
                "fit": judge_surrogate(inputs["12/surrogate"]),
                "annealed": annealing_chance(annealing),
            },
        ),
        "p": p,
        "unmixed": max(run["unmixed"] for run in inputs["12/landscape"]["runs"]),
    }
