"""How right the predictor is, as the claims ask for it: at points and families that it has not seen, and on large targets.

The bars are those of :data:`~qednas.qed.targets.BARS`, which were set before a large target was solved.  "The median is at most
b" is read as "at least half are within b", "the 95th percentile" as "at least 95 % are": then counts tell the error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.base.statistics import bootstrap_interval, bootstrap_p, compare, estimate, resampled
from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES
from qednas.qed.targets import BARS

MEDIAN, TAIL = BARS["entropy, median"][2], BARS["entropy, 95th percentile"][2]
DRAWS = 10_000  # of the bootstrap
ENTROPY = list(PROXIES).index("entropy")


def relative_errors(mean: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) of the entropy, of arrays (n, proxies)."""
    return np.abs(mean[:, ENTROPY] - truth[:, ENTROPY]) / np.maximum(np.abs(truth[:, ENTROPY]), 1e-9)


@declare(version=1)
def unseen(inputs) -> dict[str, Any]:
    """From ``03/random`` and ``03/families``: shares of systems within the bars, a point counted once, and families left out.

    ``within_median`` and ``within_tail``: mean over points of the share of a point's systems (its sizes) whose entropy is within
    3 % and 12 %, with ``_sem`` and ``_units``.  ``family``: by how much ln of the median error of a family that was left out is
    below that of the bar, families as pairs.
    """
    random, families = inputs["03/random"], inputs["03/families"]["families"]
    error = relative_errors(np.asarray(random["predicted"]), np.asarray(random["truth"]))
    points = np.asarray(random["point"])
    names = np.unique(points)
    found: dict[str, Any] = {}
    for key, bar in (("within_median", MEDIAN), ("within_tail", TAIL)):
        found |= estimate([float((error[points == name] <= bar).mean()) for name in names], key)
    medians = np.array([own["errors"]["entropy"]["relative_median"] for own in families.values()])
    return found | {"family": compare(np.full(len(medians), np.log(MEDIAN)), np.log(medians))}


def tail(errors: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """The 95th percentile of errors (n,): ``value`` with the interval (``low``, ``high``) of a bootstrap over the ``units``, and
    its raw ``p`` ``against`` the bar.  41 targets are too few to show by counts that 95 % are within a bar."""
    if not len(errors):
        return {"value": 0.0, "low": 0.0, "high": 0.0, "against": TAIL, "units": 0, "p": 1.0}
    drawn = np.quantile(errors[resampled(len(errors), DRAWS, rng)], 0.95, axis=1)
    low, high = bootstrap_interval(drawn)
    value = float(np.quantile(errors, 0.95))
    return {
        "value": value,
        "low": low,
        "high": high,
        "against": TAIL,
        "units": len(errors),
        "p": bootstrap_p(drawn, TAIL),
    }


@declare(version=1)
def large(inputs, seed: int = 0) -> dict[str, Any]:
    """From ``04/targets`` and ``04/cost``: targets whose mean field is not exact, beside the rival, and time at equal accuracy.

    ``within_median``: ``hits`` among ``units``.  ``tail``: see :func:`tail`.  ``over_largest``: by how much the relative error of
    the entropy is below that of the exact value of the same chain at 16 sites, paired by target.  ``timing``: of the targets of
    ``04/cost``, how many times as long as a prediction the fastest DMRG takes that is at least as accurate as the prediction of
    that target (or the most accurate one, where none is): the smallest.
    """
    rows, priced = inputs["04/targets"]["rows"], inputs["04/cost"]["targets"]
    hard = [row for row in rows if not row["exact"] and "largest" in row]

    def errors(method: str) -> np.ndarray:
        wanted = np.array([row["reference"]["entropy"] for row in hard])
        return np.abs(np.array([row[method]["entropy"] for row in hard]) - wanted) / wanted

    mine = errors("predicted")
    missed = {row["name"]: abs(row["predicted"]["entropy"] - row["reference"]["entropy"]) for row in rows}
    ratios = []
    for own in priced:
        as_good = [run["seconds"] for run in own["runs"] if run["error"] <= missed[own["name"]]]
        ratios.append(min(as_good, default=own["runs"][-1]["seconds"]) / own["predict"])
    return {
        "within_median": {"hits": int((mine <= MEDIAN).sum()), "units": len(hard)},
        "tail": tail(mine, np.random.default_rng(seed)),
        "over_largest": compare(errors("largest"), mine) if hard else compare([0.0]),  # a small run may have none
        "timing": {"least_ratio": float(min(ratios))},
    }
