"""Blocks compared at one number of parameters (chapter 5), read off between the sizes that were fitted."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.base.task import declare

LEAST = 1e-12  # infidelities below this are rounding


@declare(version=1)
def equal_budget(inputs) -> dict[str, Any]:
    """What ``05/capacity`` says at the number of parameters in the middle (geometric) of the range that all blocks cover.

    Infidelity is interpolated as a power law, entropy linearly in ln P.  Returns ``parameters``; ``rows``, one per target, with
    infidelity and entropy {kind: value} and the ``best`` kind; ``distinct``, how many kinds are the best for some target; and
    for the targets with a volume law the largest difference of entropies between two kinds, in its standard errors
    (``gap_errors``, over the seeds; the entropies of the nearest size have the errors).
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
        row: dict[str, Any] = {
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


def size(row: dict[str, Any]) -> int:
    return row["parameters"]
