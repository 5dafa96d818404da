"""Paired comparisons of methods: differences, a rank test, and Holm's correction for many tests at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LEAST_PAIRS = 5  # with fewer no rank test can be significant


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for the number of them: Holm, Scand. J. Stat. 6, 65 (1979)."""
    order = np.argsort(p)
    out = np.empty(len(p))
    largest = 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[k]))
        out[k] = largest
    return out.tolist()


def compare(mine: Sequence[float], other: Sequence[float]) -> dict[str, Any]:
    """``other`` minus ``mine`` of pairs: ``mean`` with ``mean_sem``, ``wins`` (share of pairs in which mine is the smaller, ties
    half), and ``p``, two-sided, of Wilcoxon's signed ranks; 1 with fewer than five pairs or without any difference."""
    from scipy.stats import wilcoxon

    difference = np.asarray(other, float) - np.asarray(mine, float)
    count = len(difference)
    moved = np.any(difference != 0)
    p = float(wilcoxon(difference, zero_method="zsplit").pvalue) if count >= LEAST_PAIRS and moved else 1.0
    return {
        "mean": float(difference.mean()),
        "mean_sem": float(difference.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
        "wins": float((difference > 0).mean() + (difference == 0).mean() / 2),
        "pairs": count,
        "p": p,
    }


def compare_all(mine: Sequence[float], others: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """:func:`compare` with every other method, with ``p_holm`` over them all."""
    found = {name: compare(mine, values) for name, values in others.items()}
    for row, p in zip(found.values(), holm([row["p"] for row in found.values()]), strict=True):
        row["p_holm"] = p
    return found
