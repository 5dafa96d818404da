"""Blocks compared at one number of parameters (chapter 5), read off between the sizes that were fitted."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from qednas.base.task import declare

LEAST = 1e-12  # infidelities below this are rounding


class BudgetRow(TypedDict):
    """Blocks of one number of parameters on a target."""

    target: str
    wanted: float  # half-chain entropy of the target, nats
    infidelity: dict[str, float]  # by kind, as entropy (nats)
    entropy: dict[str, float]
    best: str  # the kind with the smallest infidelity


class EqualBudget(TypedDict):
    """Blocks compared at one number of parameters."""

    parameters: float
    range: list[float]  # of parameters that all blocks cover: [low, high]
    rows: list[BudgetRow]  # one a target
    distinct: int  # how many kinds are the best for some target
    gap_errors: float  # largest difference of entropies between two kinds, in its standard errors


@declare(version=1)
def equal_budget(inputs) -> EqualBudget:
    """What ``05/capacity`` says at the number of parameters in the middle (geometric) of the range that all blocks cover.

    Infidelity is interpolated as a power law, entropy linearly in ln P.  The largest difference of entropies is that of targets
    with a volume law; its error is over the seeds, of the nearest size that was fitted.
    """
    fits = inputs["05/capacity"]
    rows = fits["rows"]
    kinds = list(dict.fromkeys(r["kind"] for r in rows))
    targets = list(dict.fromkeys(r["target"] for r in rows))
    of = {
        (t, k): sorted((r for r in rows if (r["target"], r["kind"]) == (t, k)), key=size)
        for t in targets
        for k in kinds
    }
    low = max(curve[0]["parameters"] for curve in of.values())
    high = min(curve[-1]["parameters"] for curve in of.values())
    budget = float(np.sqrt(low * high))
    table, gaps = [], []
    for target in targets:
        row: BudgetRow = {  # type: ignore[typeddict-item]  # the best follows
            "target": target,
            "wanted": of[target, kinds[0]][0]["wanted"],
            "infidelity": {},
            "entropy": {},
        }
        errors = {}
        for kind in kinds:
            curve = of[target, kind]
            ln_p = np.log([r["parameters"] for r in curve])
            ln_f = np.log([max(r["infidelity"], LEAST) for r in curve])
            row["infidelity"][kind] = float(np.exp(np.interp(np.log(budget), ln_p, ln_f)))
            row["entropy"][kind] = float(np.interp(np.log(budget), ln_p, [r["entropy"] for r in curve]))
            nearest = curve[int(np.abs(ln_p - np.log(budget)).argmin())]
            errors[kind] = nearest["entropy_sem"] or 0.0
        row["best"] = min(row["infidelity"], key=row["infidelity"].__getitem__)
        table.append(row)
        if target.startswith("volume law"):
            most = max(kinds, key=row["entropy"].__getitem__)
            least = min(kinds, key=row["entropy"].__getitem__)
            error = float(np.hypot(errors[most], errors[least]))
            gaps.append((row["entropy"][most] - row["entropy"][least]) / max(error, 1e-12))
    distinct = len({row["best"] for row in table})
    return {"parameters": budget, "range": [low, high], "rows": table, "distinct": distinct, "gap_errors": max(gaps)}


class Sized(TypedDict):
    """What is needed of a fit to put it in its place."""

    parameters: int


def size(row: Sized) -> int:
    return row["parameters"]
