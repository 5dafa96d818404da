"""What the ablations say: paired ratios of errors, what entanglement has to do with them, and how gradients scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.diffqas.ablation import RULES
from qednas.diffqas.classification_verdict import paired
from qednas.diffqas.gradient_variance import READS

Runs = list[dict[str, Any]]


def by_place(runs: Runs, **wanted: Any) -> dict[tuple[str, int], float]:
    """log10 of the errors of the runs with these entries, by series and seed."""
    own = [r for r in runs if all(r.get(key) == value for key, value in wanted.items())]
    return {(r["dataset"], r["seed"]): float(np.log10(r["mse"])) for r in own}


def over(other: dict, mine: dict) -> tuple[list[float], list[float]]:
    """The two in the same order; both are of the same series and seeds."""
    places = sorted(mine)
    return [other[place] for place in places], [mine[place] for place in places]


def moved(runs: Runs, default: str) -> dict[str, tuple[list[float], list[float]]]:
    """Structural weights of another series against own ones, learned anew ones, and equal ones; all but the first kept fixed."""
    names = list(dict.fromkeys(r["dataset"] for r in runs))
    foreign: list[float] = []
    others: dict[str, list[float]] = {"own": [], "learned": [], "equal": []}
    for b in names:
        sources = {"own": f"weights of {b}", "learned": default, "equal": "equal weights"}
        own = {name: by_place(runs, dataset=b, variant=variant) for name, variant in sources.items()}
        for a in names:
            if a == b:
                continue
            for place, value in sorted(by_place(runs, dataset=b, variant=f"weights of {a}").items()):
                foreign.append(value)
                for name, errors in own.items():
                    others[name].append(errors[place])
    return {
        "foreign_over_own": (foreign, others["own"]),
        "foreign_over_learned": (foreign, others["learned"]),
        "equal_over_foreign": (others["equal"], foreign),
    }


def entangled(runs: Runs) -> dict[str, float]:
    """Spearman's correlation of the entropy of candidates alone, after training, with their error; ranks within each series."""
    from scipy.stats import rankdata, spearmanr

    alone = [r for r in runs if r["variant"].startswith("fixed/")]
    x, y = [], []
    for name in dict.fromkeys(r["dataset"] for r in alone):
        own = [r for r in alone if r["dataset"] == name]
        x += list(rankdata([r["after"][0][1] for r in own]))
        y += list(rankdata([r["mse"] for r in own]))
    rho, p = spearmanr(x, y)
    return {"rho": float(rho), "p": float(p)}


def scaling(runs: Runs) -> dict[str, dict[str, float]]:
    """How log2 of the gradient's variance goes with the number of qubits at the largest depth: slope with its error."""
    from scipy.stats import linregress

    deepest = max(r["depth"] for r in runs)
    own = [r for r in runs if r["depth"] == deepest and r[READS[0]] > 0]
    out = {}
    for name in READS:
        line = linregress([r["qubits"] for r in own], np.log2([r[name] for r in own]))
        out[name] = {"slope": float(line.slope), "slope_sem": float(line.stderr)}
    return out


def shots(runs: Runs) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ratios of errors to exact ones, by shots: of exact searches when read, and of searches with shots when read exactly."""
    exact = by_place(runs, searched_with=0, read_with=0)
    reading, searching = {}, {}
    for count in sorted({r["read_with"] for r in runs} - {0}):
        reading[str(count)] = over(by_place(runs, searched_with=0, read_with=count), exact)
    for count in sorted({r["searched_with"] for r in runs} - {0}):
        searching[str(count)] = over(by_place(runs, searched_with=count, read_with=0), exact)
    return reading, searching


def noises(runs: Runs) -> dict[str, tuple[list[float], list[float]]]:
    """Ratios of errors to exact ones, by noise and mitigation."""
    exact = by_place(runs, noise="exact")
    kinds = dict.fromkeys((r["noise"], r["mitigation"]) for r in runs if r["noise"] != "exact")
    return {f"{n} {m}".replace(" ", "_"): over(by_place(runs, noise=n, mitigation=m), exact) for n, m in kinds}


def judged(inputs) -> dict[str, Any]:
    """From the results of chapter 11: what the claims are read from.

    ``summary``: ratios of errors as powers of ten, with standard errors over series and seeds.  ``over_<variant>``: of a variant
    to the search (positive: the search is better).  ``<rule>``: of a search made discrete to the one that is not, as found,
    trained on, and from the start.  ``gain_of_separate_angles`` and ``gain_of_repaired_pool``: the other way round, positive
    where these are better.  ``reading``, ``searching`` and ``noise``: of circuits read by shots or with noise to exact ones.
    ``gradients``: see :func:`scaling`.  ``entanglement``: see :func:`entangled`, and ``gain``, the correlation with its sign
    turned, positive where more entangled states have lower errors.
    """
    variants, default = inputs["11/variants"]["runs"], inputs["11/variants"]["default"]
    discrete = inputs["11/discrete"]["runs"]
    mine = by_place(variants, variant=default)
    names = [v for v in dict.fromkeys(r["variant"] for r in variants) if v != default]
    compared: dict[str, tuple[list[float], list[float]]] = {
        f"over_{name.replace(' ', '_')}": over(by_place(variants, variant=name), mine)
        for name in names
        if not name.startswith(("weights of", "fixed/"))
    }
    compared |= moved(variants, default)
    for name in ("separate angles", "repaired pool"):
        compared[f"gain_of_{name.replace(' ', '_')}"] = over(mine, by_place(variants, variant=name))
    against = {"as found": "searched", "trained on": "searched, trained on", "from the start": "searched"}
    for rule in RULES:
        for how, whole in against.items():
            key = f"{rule}_{how}".replace(" ", "_")
            compared[key] = over(by_place(discrete, variant=f"{rule}, {how}"), by_place(discrete, variant=whole))
    reading, searching = shots(inputs["11/shots"]["runs"])
    linked = entangled(variants)
    # Two of them are tests of others the other way round.
    tests = {name: paired(*pair, len(compared) - 2) for name, pair in compared.items()}
    found = {name: test.pop("p") for name, test in tests.items()}

    def without_p(pairs: dict[str, Any]) -> dict[str, Any]:
        return {name: {k: v for k, v in paired(*pair).items() if k != "p"} for name, pair in pairs.items()}

    return {
        "summary": {**tests, "reading": without_p(reading), "searching": without_p(searching),
                    "noise": without_p(noises(inputs["11/noise"]["runs"])), "gradients": scaling(inputs["11/gradients"]["runs"])},
        "p": found,
        "entanglement": linked | {"gain": -linked["rho"]},
        "default": default,
    }  # fmt: skip
