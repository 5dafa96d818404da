"""How right the predictor is on large targets, as the claims ask for it, by the bars of :mod:`studies.ch03.verdict`."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from qednas.base.statistics import Gain, bootstrap_indices, bootstrap_interval, bootstrap_p, compare
from qednas.base.task import declare
from studies.ch03.verdict import MEDIAN, TAIL

DRAWS = 10_000  # of the bootstrap


class TailBound(TypedDict):
    """The 95th percentile of errors beside a bar."""

    value: float
    low: float  # interval of a bootstrap over the units
    high: float
    against: float  # the bar
    units: int
    p: float  # raw


def tail(errors: np.ndarray, rng: np.random.Generator) -> TailBound:
    """Of errors (n,), by a bootstrap: 41 targets are too few to show by counts that 95 % are within a bar."""
    if not len(errors):
        return {"value": 0.0, "low": 0.0, "high": 0.0, "against": TAIL, "units": 0, "p": 1.0}
    quantiles = np.quantile(errors[bootstrap_indices(len(errors), DRAWS, rng)], 0.95, axis=1)
    low, high = bootstrap_interval(quantiles)
    value = float(np.quantile(errors, 0.95))
    return {
        "value": value,
        "low": low,
        "high": high,
        "against": TAIL,
        "units": len(errors),
        "p": bootstrap_p(quantiles, TAIL),
    }


class Hits(TypedDict):
    """How many of the units have what is asked for."""

    hits: int
    units: int


class CostRatio(TypedDict):
    """How many times as long as a prediction DMRG takes."""

    least_ratio: float  # the smallest among targets


class LargeVerdict(TypedDict):
    """What :func:`large` gives: of targets whose mean field is not exact, relative errors of the entropy; and times."""

    within_median: Hits
    tail: TailBound
    over_largest: Gain  # below the error of the exact value of the same chain at 16 sites, paired by target
    timing: CostRatio


@declare(version=1)
def large(inputs, seed: int = 0) -> LargeVerdict:
    """From ``04/targets`` and ``04/cost``: targets whose mean field is not exact, beside the rival, and time at equal accuracy.

    Timed are the targets of ``04/cost``, by the fastest DMRG that is at least as accurate as the prediction of that target (or
    the most accurate one, where none is).
    """
    rows, priced = inputs["04/targets"]["rows"], inputs["04/cost"]["targets"]
    hard = [row for row in rows if not row["exact"] and "largest" in row]

    def errors(method: str) -> np.ndarray:
        truth = np.array([row["reference"]["entropy"] for row in hard])
        return np.abs(np.array([row[method]["entropy"] for row in hard]) - truth) / truth

    predicted = errors("predicted")
    deviations = {row["name"]: abs(row["predicted"]["entropy"] - row["reference"]["entropy"]) for row in rows}
    ratios = []
    for target in priced:
        as_good = [run["seconds"] for run in target["runs"] if run["error"] <= deviations[target["name"]]]
        ratios.append(min(as_good, default=target["runs"][-1]["seconds"]) / target["predict"])
    return {
        "within_median": {"hits": int((predicted <= MEDIAN).sum()), "units": len(hard)},
        "tail": tail(predicted, np.random.default_rng(seed)),
        "over_largest": compare(errors("largest"), predicted) if hard else compare([0.0]),  # a small run may have none
        "timing": {"least_ratio": float(min(ratios))},
    }
