"""How right the predictor is at points and families that it has not seen, as the claims ask for it.

The bars were set before a large target was solved.  "The median is at most b" is read as "at least half are within b", "the 95th
percentile" as "at least 95 % are": then counts tell the error.
"""

from __future__ import annotations

from typing import TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare, estimate
from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES

BARS = {  # of issue and chapter: (proxy, figure, bound) at 50 sites and more
    "entropy, median": ("entropy", "relative_median", 0.03),
    "entropy, 95th percentile": ("entropy", "relative_p95", 0.12),
    "variance, median": ("variance", "relative_median", 0.08),
    "skewness, median": ("skewness", "relative_median", 0.08),
}
MEDIAN, TAIL = BARS["entropy, median"][2], BARS["entropy, 95th percentile"][2]
ENTROPY = list(PROXIES).index("entropy")


def relative_errors(mean: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) of the entropy, of arrays (n, proxies)."""
    return np.abs(mean[:, ENTROPY] - truth[:, ENTROPY]) / np.maximum(np.abs(truth[:, ENTROPY]), 1e-9)


class UnseenVerdict(TypedDict):
    """What :func:`unseen` gives: means over points of the share of a point's systems (its sizes) within a bar, and families."""

    within_median: float  # 3 % of the entropy
    within_median_sem: float
    within_median_units: int  # points
    within_tail: float  # 12 %
    within_tail_sem: float
    within_tail_units: int
    family: Gain  # by how much ln of the median error of a family that was left out is below that of the bar


@declare(version=1)
def unseen(inputs) -> UnseenVerdict:
    """From ``03/random`` and ``03/families``: shares of systems within the bars, a point counted once, and families left out."""
    random, families = inputs["03/random"], inputs["03/families"]["families"]
    error = relative_errors(np.asarray(random["predicted"]), np.asarray(random["truth"]))
    points = np.asarray(random["point"])
    names = np.unique(points)
    shares: dict[str, float] = {}
    for key, bar in (("within_median", MEDIAN), ("within_tail", TAIL)):
        shares |= estimate([float((error[points == name] <= bar).mean()) for name in names], key)
    medians = np.array([record["errors"]["entropy"]["relative_median"] for record in families.values()])
    return cast(UnseenVerdict, shares | {"family": compare(np.full(len(medians), np.log(MEDIAN)), np.log(medians))})
