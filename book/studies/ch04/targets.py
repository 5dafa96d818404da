"""Chapter 4: what the predictor says of the large targets, beside their references and its rivals."""

from __future__ import annotations

import time
from typing import NotRequired, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES
from qednas.physics.families import FAMILIES, build
from qednas.qed.predictor.inputs import predictor_inputs
from qednas.qed.predictor.predictor import Predictor
from qednas.qed.predictor.refine import refined_profile
from qednas.qed.predictor.small_parts import BASELINE_SIZES, NoExactPart, Part, small_relatives, solve_parts
from studies.ch02.recipes import RECIPES
from studies.ch03.baselines import gradient_boosting, largest_value, nearest_neighbour, scaling_fit
from studies.ch03.splits import gather_inputs, stored_predictor
from studies.ch03.training import summaries
from studies.ch03.verdict import BARS
from studies.ch04.references import ReferencedTarget, title

METHODS = {
    "predicted": "predictor",
    "refined": "predictor with --refine",
    "mean_field": "mean field alone",
    "largest": "value at the largest exact size",
    "scaling_fit": "scaling fit to its own exact 10-16 sites",
    "boosting": "gradient boosting",
    "nearest": "nearest neighbour",
}
REFINE_LARGEST = 14
COVERAGE = (0.85, 0.97)  # allowed share inside the 90 % intervals
COST_CHI = (4, 8, 16, 32, 64, 128, 256)
COST_ERROR = 1e-4  # nats
COST_SITES = 100


class StoredPart(TypedDict):
    """An exact small relative of a target."""

    sites: int
    window: bool  # a part of a disordered chain
    proxies: list[list[float]]  # (cuts, 5), nats


class TargetParts(TypedDict):
    """The exact small relatives of a target."""

    parts: list[StoredPart]
    problem: str  # why there are none, or ""


@declare(version=1)
def solve_target_parts(task: Task) -> TargetParts:
    """Exact small relatives of one target, or why there are none."""
    hamiltonian = build(task["family"], task["sites"], **task["parameters"])
    try:
        parts = solve_parts(hamiltonian, BASELINE_SIZES)
    except NoExactPart as error:
        return {"parts": [], "problem": str(error)}
    return {
        "parts": [{"sites": p.sites, "window": p.window, "proxies": p.proxies.tolist()} for p in parts],
        "problem": "",
    }


class PartsTiming(TypedDict):
    """What the parts took."""

    seconds: float


class AllParts(TypedDict):
    """The exact small relatives of every target."""

    targets: list[TargetParts]
    timing: PartsTiming


@declare(version=1, pieces=(solve_target_parts,))
def solve_all_parts(inputs, work: Work = Work()) -> AllParts:
    """Exact small relatives (10-16 sites) of every target: what refinement and per-system baselines look at."""
    tasks = [{k: t[k] for k in ("family", "sites", "parameters")} for t in inputs["04/references"]["targets"]]
    start = time.perf_counter()
    parts = map_tasks(solve_target_parts, tasks, work=work)
    return {"targets": parts, "timing": {"seconds": time.perf_counter() - start}}


def restore_parts(hamiltonian, stored: list[StoredPart]) -> list[Part]:
    """Parts from their stored form."""
    small = {h.sites: h for h, _ in small_relatives(hamiltonian, tuple(p["sites"] for p in stored))}
    return [Part(small[p["sites"]], np.array(p["proxies"]), p["window"]) for p in stored]


Labels = TypedDict("Labels", {"name": str, "class": str, "family": str, "sites": int})


class Judged(TypedDict):
    """What is said of one target; dictionaries are by proxy, of the half-chain cut, and all entropies in nats."""

    reference: dict[str, float]
    predicted: dict[str, float]
    std: dict[str, float]
    half_width: dict[str, float]  # of the 90 % interval
    mean_field: dict[str, float]
    in_domain: bool
    exact: bool  # the mean field is
    predicted_profile: list[float]  # entropy of every cut
    profile_std: list[float]
    reference_profile: list[float]
    problem: str  # why there are no small parts, or ""
    refined: NotRequired[dict[str, float]]  # with small parts, as what follows
    refined_half_width: NotRequired[dict[str, float]]
    largest: NotRequired[dict[str, float]]
    scaling_fit: NotRequired[dict[str, float]]


class TargetRow(Labels, Judged):
    """One target: its reference, the prediction and every rival."""

    nearest: dict[str, float]
    boosting: dict[str, float]


class BarRow(TypedDict):
    """A bar with what was measured."""

    bar: str
    group: str  # of targets
    value: float
    bound: float | tuple[float, float]
    met: bool


class ComparisonTiming(TypedDict):
    """Seconds of every target."""

    predict: list[float]
    refine: list[float | None]  # None without small parts


class Comparison(TypedDict):
    """Predictions beside references."""

    rows: list[TargetRow]
    unconverged: list[str]  # targets whose references were not compared
    summary: dict[str, dict]  # {group: {"targets": count, method: errors by proxy and "targets"}}
    bars: list[BarRow]
    compared: int
    timing: ComparisonTiming


@declare(version=1)
def compare(inputs, seed: int = 0) -> Comparison:
    """Prediction beside reference for every target, with and without refinement, and every rival."""
    predictor = stored_predictor(inputs["03/predictor"])
    references, small = inputs["04/references"], inputs["04/parts"]
    rows, unconverged = [], []
    for target, parts in zip(references["targets"], small["targets"], strict=True):
        if not target["converged"]:
            unconverged.append(title(target))
            continue
        labels = {k: target[k] for k in ("class", "family", "sites")}
        rows.append({"name": title(target)} | labels | judge(predictor, target, parts))
    add_regressions(inputs, rows, seed)
    timing: ComparisonTiming = {
        "predict": [row.pop("seconds") for row in rows],
        "refine": [row.pop("refine_seconds") for row in rows],
    }
    for row in rows:
        row.pop("row")
    summary = summarise(rows, seed)
    return {
        "rows": cast(list[TargetRow], rows),
        "unconverged": unconverged,
        "summary": summary,
        "bars": judge_bars(summary),
        "compared": len(rows),
        "timing": timing,
    }


def judge(predictor: Predictor, target: ReferencedTarget, small: TargetParts) -> dict:
    """One prediction against one reference: :class:`Judged`, with ``row`` for the rivals and the seconds, which go elsewhere."""
    hamiltonian = build(target["family"], target["sites"], **target["parameters"])
    answer = predictor.predict(hamiltonian)
    known = predictor_inputs(hamiltonian)
    half = hamiltonian.sites // 2 - 1

    def by_proxy(values: np.ndarray) -> dict[str, float]:
        return dict(zip(PROXIES, np.asarray(values, float).tolist(), strict=True))

    out = {
        "reference": target["proxies"],
        "predicted": answer["proxies"],
        "std": answer["std"],
        "half_width": by_proxy(np.array(list(answer["std"].values())) * predictor.wide),
        "mean_field": by_proxy(known.base[half]),
        "in_domain": answer["in_domain"],
        "exact": known.gate == 0,
        "predicted_profile": answer["profile"],
        "profile_std": answer["profile_std"],
        "reference_profile": target["profile"],
        "seconds": answer["seconds"],
        "problem": small["problem"],
        "row": known.row,
        "refine_seconds": None,
    }
    if parts := restore_parts(hamiltonian, small["parts"]):
        start = time.perf_counter()
        smaller = [p for p in parts if p.sites <= REFINE_LARGEST] or parts[:1]
        _, mean, std, wide = refined_profile(predictor, hamiltonian, smaller)
        out |= {"refined": by_proxy(mean[half]), "refined_half_width": by_proxy(std[half] * wide)}
        out["refine_seconds"] = time.perf_counter() - start
        out["largest"] = by_proxy(largest_value(parts))
        out["scaling_fit"] = by_proxy(scaling_fit(parts, hamiltonian.sites))
    return out


def add_regressions(inputs, rows: list[dict], seed: int) -> None:
    """The two rivals that are trained on the data set: nearest neighbour and gradient boosting."""
    data = gather_inputs(inputs)
    training = np.flatnonzero(data.usable)
    queries = np.array([row["row"] for row in rows])
    arguments = (data.known["row"][training], data.sites[training].astype(float), data.truth[training], queries)
    sites = np.array([float(row["sites"]) for row in rows])
    for name, values in (
        ("nearest", nearest_neighbour(*arguments)),
        ("boosting", gradient_boosting(*arguments, sites, seed)),
    ):
        for row, prediction in zip(rows, values, strict=True):
            row[name] = dict(zip(PROXIES, prediction.tolist(), strict=True))


def summarise(rows: list[dict], seed: int = 0) -> dict[str, dict]:
    """Figures of every method: over all targets, over those whose mean field is not exact, and per class and family."""
    groups = {"all": rows, "corrected": [r for r in rows if not r["exact"]]}
    groups |= {label: [r for r in rows if r["class"] == label] for label in dict.fromkeys(r["class"] for r in rows)}
    groups |= {label: [r for r in rows if r["family"] == label] for label in dict.fromkeys(r["family"] for r in rows)}
    widths = {"predicted": "half_width", "refined": "refined_half_width"}
    out: dict[str, dict] = {}
    for label, members in groups.items():
        out[label] = {"targets": len(members)}
        for method in METHODS:
            entries = [r for r in members if method in r]
            if not entries:
                continue

            def column(key: str, entries=entries) -> np.ndarray:
                return np.array([[r[key][name] for name in PROXIES] for r in entries])

            width = column(widths[method]) if method in widths else None
            out[label][method] = summaries(column(method), column("reference"), width, seed) | {"targets": len(entries)}
    return out


def judge_bars(summary: dict[str, dict]) -> list[BarRow]:
    """Every bar with what was measured, over all targets and over those whose mean field is not exact."""
    rows: list[BarRow] = []
    for text, (proxy, figure, bound) in BARS.items():
        for group in ("all", "corrected"):
            value = summary[group]["predicted"][proxy][figure]
            rows.append({"bar": text, "group": group, "value": value, "bound": bound, "met": bool(value <= bound)})
    for method in ("predicted", "refined"):
        for group in ("all", "corrected"):
            value = summary[group][method]["entropy"]["covered"]
            met = bool(COVERAGE[0] <= value <= COVERAGE[1])
            rows.append(
                {"bar": f"90 % interval, {method}", "group": group, "value": value, "bound": COVERAGE, "met": met}
            )
    return rows


class DmrgRun(TypedDict):
    """DMRG at one bond dimension."""

    chi: int
    seconds: float
    error: float  # of the half-chain entropy, nats


class DmrgCost(TypedDict):
    """DMRG at growing bond dimension."""

    runs: list[DmrgRun]


@declare(version=1)
def cost_of(task: Task) -> DmrgCost:
    """DMRG of one target at growing bond dimension until its entropy is right to COST_ERROR."""
    from qednas.physics.dmrg import ground_state
    from qednas.physics.entanglement import proxies

    hamiltonian = build(task["family"], task["sites"], **task["parameters"])
    runs: list[DmrgRun] = []
    for chi in COST_CHI:
        start = time.perf_counter()
        state = ground_state(hamiltonian, chi_max=chi)
        seconds = time.perf_counter() - start
        entropy = proxies(state.spectra[hamiltonian.sites // 2 - 1])["entropy"]
        runs.append({"chi": chi, "seconds": seconds, "error": abs(entropy - task["entropy"])})
        if runs[-1]["error"] <= COST_ERROR:
            break
    return {"runs": runs}


Priced = TypedDict(
    "Priced",
    {
        "class": str,
        "name": str,
        "predict": float,  # seconds of a prediction: median of some after one to warm up
        "ratio": float | None,  # seconds of the first DMRG that is right, over them
    },
)


class PricedTarget(Priced, DmrgCost):
    """What a prediction costs and what DMRG costs, of one target."""


class CostTiming(TypedDict):
    """Ratios over the targets, and seconds of 100-site predictions over the families."""

    ratio_median: float
    ratio_smallest: float
    hundred_median: float
    hundred_largest: float


class Costs(TypedDict):
    """What a prediction costs and what DMRG costs."""

    targets: list[PricedTarget]  # one of each class
    hundred: dict[str, float]  # seconds of a 100-site prediction by family
    timing: CostTiming


@declare(version=1, pieces=(cost_of,))
def cost(inputs, repeats: int = 5, work: Work = Work()) -> Costs:
    """What a prediction costs and what DMRG costs; all of it is of this machine.  repeats: predictions of a median."""
    predictor = stored_predictor(inputs["03/predictor"])
    chosen: dict[str, dict] = {}
    for target in inputs["04/references"]["targets"]:
        if target["converged"] and target["sites"] <= COST_SITES:
            chosen.setdefault(target["class"], target)
    tasks = [
        {k: t[k] for k in ("family", "sites", "parameters")} | {"entropy": t["proxies"]["entropy"]}
        for t in chosen.values()
    ]
    dmrg_costs = map_tasks(cost_of, tasks, work=work.alone())
    targets: list[PricedTarget] = []
    for label, task, runs in zip(chosen, tasks, dmrg_costs, strict=True):
        hamiltonian = build(task["family"], task["sites"], **task["parameters"])
        seconds = prediction_seconds(predictor, hamiltonian, repeats)
        good = [r["seconds"] for r in runs["runs"] if r["error"] <= COST_ERROR]
        ratio = good[0] / seconds if good else None
        targets.append(
            cast(PricedTarget, {"class": label, "name": title(task), "predict": seconds, "ratio": ratio} | runs)
        )
    hundred = {}
    for number, (family, recipe) in enumerate(RECIPES.items()):
        if FAMILIES[family].parameters:  # the modified Haldane-Shastry chain has none, and 10,000 terms at this size
            parameters = recipe.draw(np.random.default_rng([7, number]))
            hamiltonian = build(family, COST_SITES, **parameters)
            hundred[family] = prediction_seconds(predictor, hamiltonian, repeats)
    ratios = [t["ratio"] for t in targets if t["ratio"] is not None]
    timing = {"ratio_median": float(np.median(ratios)), "ratio_smallest": float(min(ratios))}
    timing |= {"hundred_median": float(np.median(list(hundred.values()))), "hundred_largest": max(hundred.values())}
    return {"targets": targets, "hundred": hundred, "timing": cast(CostTiming, timing)}


def prediction_seconds(predictor: Predictor, hamiltonian, repeats: int) -> float:
    predictor.predict(hamiltonian)
    return float(np.median([predictor.predict(hamiltonian)["seconds"] for _ in range(repeats)]))
