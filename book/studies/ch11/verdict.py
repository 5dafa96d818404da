"""What the ablations say: paired ratios of errors, what entanglement has to do with them, and how gradients scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare_within
from qednas.base.task import declare
from studies.ch11.ablation import RULES, VariantRun
from studies.ch11.device_noise import NoiseRun
from studies.ch11.finite_shots import ShotRun
from studies.ch11.gradient_variance import READS, GradientVariance

Differences = dict[str, list[float]]  # of logarithms of errors, {series: by seed}


class ErrorRow(TypedDict):
    """What every run of the chapter has."""

    dataset: str
    seed: int
    mse: float


def log_errors(runs: Sequence[ErrorRow], **wanted: Any) -> dict[tuple[str, int], float]:
    """log10 of the errors of the runs with these entries, by series and seed."""
    rows = [r for r in runs if all(r.get(key) == value for key, value in wanted.items())]
    return {(r["dataset"], r["seed"]): float(np.log10(r["mse"])) for r in rows}


def log_ratios(errors: Mapping[tuple[str, int], float], baseline: Mapping[tuple[str, int], float]) -> Differences:
    """``errors`` less ``baseline``, which are of the same series and seeds."""
    ratios: Differences = {}
    for series, seed in sorted(baseline):
        ratios.setdefault(series, []).append(errors[series, seed] - baseline[series, seed])
    return ratios


def transfer_ratios(runs: Sequence[VariantRun], default: str) -> dict[str, Differences]:
    """Structural weights of another series against own ones, learned anew ones, and equal ones; all but the first kept fixed.

    Of a series and seed the mean over the series that weights came from is taken: what it is compared with is one run.
    """
    names = list(dict.fromkeys(r["dataset"] for r in runs))
    foreign: dict[tuple[str, int], float] = {}
    others: dict[str, dict[tuple[str, int], float]] = {"own": {}, "learned": {}, "equal": {}}
    for b in names:
        sources = [log_errors(runs, dataset=b, variant=f"weights of {a}") for a in names if a != b]
        if sources:
            foreign |= {place: float(np.mean([source[place] for source in sources])) for place in sources[0]}
            others["own"] |= log_errors(runs, dataset=b, variant=f"weights of {b}")
            others["learned"] |= log_errors(runs, dataset=b, variant=default)
            others["equal"] |= log_errors(runs, dataset=b, variant="equal weights")
    if not foreign:  # of one series there is no other
        return {}
    return {
        "foreign_over_own": log_ratios(foreign, others["own"]),
        "foreign_over_learned": log_ratios(foreign, others["learned"]),
        "equal_over_foreign": log_ratios(others["equal"], foreign),
    }


class EntropyCorrelation(Gain):
    """Spearman's correlations with their sign turned: the gain is positive where more entangled states have lower errors."""

    rho: float  # their mean


def entropy_correlation(runs: Sequence[VariantRun]) -> EntropyCorrelation:
    """Of the entropy of candidates alone, after training, with their error, of every series and seed."""
    from scipy.stats import spearmanr

    alone = [r for r in runs if r["variant"].startswith("fixed/")]
    correlations: Differences = {}
    for series, seed in dict.fromkeys((r["dataset"], r["seed"]) for r in alone):
        rows = [r for r in alone if (r["dataset"], r["seed"]) == (series, seed)]
        x, y = [r["after"][0][1] for r in rows], [r["mse"] for r in rows]
        orders = min(len(set(x)), len(set(y))) > 1  # of values that are all the same there is no correlation
        correlations.setdefault(series, []).append(-float(spearmanr(x, y).statistic) if orders else 0.0)
    comparison = compare_within(correlations)
    return cast(EntropyCorrelation, comparison | {"rho": -comparison["gain"]})


class Slope(TypedDict):
    """Of log2 of the gradient's variance by the number of qubits."""

    slope: float
    slope_sem: float


def scaling(runs: Sequence[GradientVariance]) -> dict[str, Slope]:
    """How the gradient's variance goes with the number of qubits at the largest depth, for each way to read."""
    from scipy.stats import linregress

    deepest = max(r["depth"] for r in runs)
    rows = [r for r in runs if r["depth"] == deepest and r[READS[0]] > 0]  # type: ignore[literal-required]
    out: dict[str, Slope] = {}
    for name in READS:
        line = linregress(
            [r["qubits"] for r in rows],
            np.log2([r[name] for r in rows]),  # type: ignore[literal-required]
        )
        out[name] = {"slope": float(line.slope), "slope_sem": float(line.stderr)}
    return out


def shots(runs: Sequence[ShotRun]) -> tuple[dict[str, Differences], dict[str, Differences]]:
    """Ratios of errors to exact ones, by shots: of exact searches when read, and of searches with shots when read exactly."""
    exact = log_errors(runs, searched_with=0, read_with=0)
    reading, searching = {}, {}
    for count in sorted({r["read_with"] for r in runs} - {0}):
        reading[str(count)] = log_ratios(log_errors(runs, searched_with=0, read_with=count), exact)
    for count in sorted({r["searched_with"] for r in runs} - {0}):
        searching[str(count)] = log_ratios(log_errors(runs, searched_with=count, read_with=0), exact)
    return reading, searching


def noises(runs: Sequence[NoiseRun]) -> dict[str, Differences]:
    """Ratios of errors to exact ones, by noise and mitigation."""
    exact = log_errors(runs, noise="exact")
    kinds = dict.fromkeys((r["noise"], r["mitigation"]) for r in runs if r["noise"] != "exact")
    return {f"{n} {m}".replace(" ", "_"): log_ratios(log_errors(runs, noise=n, mitigation=m), exact) for n, m in kinds}


class AblationVerdict(TypedDict):
    """What the claims are read from."""

    summary: dict[str, Gain | dict[str, Gain] | dict[str, Slope]]  # ratios of errors as powers of ten
    p: dict[str, float]  # raw
    entanglement: EntropyCorrelation
    default: str  # the variant that is the search itself


@declare(version=1)
def judge_ablations(inputs) -> AblationVerdict:
    """From the results of chapter 11; ``summary`` has, with errors over seeds, the series fixed:

    ``over_<variant>``: of a variant to the search (positive: the search is better).  ``<rule>``: of a search made discrete to the
    one that is not, as found, trained on, and from the start.  ``gain_of_separate_angles`` and ``gain_of_repaired_pool``: the
    other way round, positive where these are better.  ``reading``, ``searching`` and ``noise``: {shots, or noise and mitigation:
    of circuits read by shots or with noise to exact ones}.  ``gradients``: see :func:`scaling`.
    """
    variants, default = inputs["11/variants"]["runs"], inputs["11/variants"]["default"]
    discrete = inputs["11/discrete"]["runs"]
    searched = log_errors(variants, variant=default)
    names = [v for v in dict.fromkeys(r["variant"] for r in variants) if v != default]
    ratios: dict[str, Differences] = {
        f"over_{name.replace(' ', '_')}": log_ratios(log_errors(variants, variant=name), searched)
        for name in names
        if not name.startswith(("weights of", "fixed/"))
    }
    ratios |= transfer_ratios(variants, default)
    for name in ("separate angles", "repaired pool"):
        ratios[f"gain_of_{name.replace(' ', '_')}"] = log_ratios(searched, log_errors(variants, variant=name))
    against = {"as found": "searched", "trained on": "searched, trained on", "from the start": "searched"}
    for rule in RULES:
        for how, whole in against.items():
            key = f"{rule}_{how}".replace(" ", "_")
            ratios[key] = log_ratios(
                log_errors(discrete, variant=f"{rule}, {how}"), log_errors(discrete, variant=whole)
            )
    reading, searching = shots(inputs["11/shots"]["runs"])
    tests = cast(dict[str, Gain], {name: compare_within(by_series) for name, by_series in ratios.items()})
    p = {name: test.pop("p") for name, test in tests.items()}

    def compare(groups: Mapping[str, Differences]) -> dict[str, Gain]:
        return cast(dict[str, Gain], {name: compare_within(by_series) for name, by_series in groups.items()})

    return {
        "summary": {**tests, "reading": compare(reading), "searching": compare(searching),
                    "noise": compare(noises(inputs["11/noise"]["runs"])), "gradients": scaling(inputs["11/gradients"]["runs"])},
        "p": p,
        "entanglement": entropy_correlation(variants),
        "default": default,
    }  # fmt: skip
