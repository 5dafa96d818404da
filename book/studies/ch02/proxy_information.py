"""Do four numbers hold what is essential of a spectrum?  Asked by trying to recover the spectrum from them."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import bootstrap_indices
from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES

GIVEN = ("entropy", "mean", "variance", "skewness")  # the four of the proposal
RECOVERED = 4  # largest probabilities that the four numbers should give back
BOOTSTRAPS = 1000


@declare(version=1)
def recover_spectrum(inputs, seed: int = 0, trees: int = 200) -> dict:
    """Out-of-sample R^2 of the largest probabilities and of exp(-Renyi-2) at the half-chain cut, predicted from the four
    proxies by extremely randomised trees; whole parameter points are held out (5 folds).

    Returns ``r2`` {name: value} with ``r2_sem`` (bootstrap over points), ``worst`` of the probabilities with ``worst_sem`` and
    ``worst_units`` (points), and ``systems``.
    """
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import GroupKFold

    dataset = inputs["02/dataset"]
    rows, probabilities, groups = half_chain_rows(dataset)
    x = rows[:, [PROXIES.index(name) for name in GIVEN]].copy()
    x[:, 3] = np.arcsinh(x[:, 3])  # the skewness runs over four decades
    y = np.column_stack([probabilities[:, :RECOVERED], np.exp(-rows[:, PROXIES.index("renyi2")])])
    names = [f"p{k + 1}" for k in range(RECOVERED)] + ["purity"]
    guess = np.empty_like(y)
    for fit, test in GroupKFold(5).split(x, y, groups):
        model = ExtraTreesRegressor(trees, random_state=seed, n_jobs=1).fit(x[fit], y[fit])
        guess[test] = model.predict(x[test])
    r2, points = determination(guess, y), np.unique(groups, return_inverse=True)[1]
    sem = determination_sem(guess, y, points, np.random.default_rng(seed))
    recovered = dict(zip(names, r2.tolist(), strict=True))
    worst = int(r2[:RECOVERED].argmin())
    return {
        "r2": recovered,
        "r2_sem": dict(zip(names, sem.tolist(), strict=True)),
        "worst": float(r2[worst]),
        "worst_sem": float(sem[worst]),
        "worst_units": int(points.max()) + 1,
        "systems": len(y),
        "truth": y.astype(np.float32),
        "guess": guess.astype(np.float32),
        "names": names,
    }


def determination(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """R^2 of each column of (n, columns)."""
    return 1 - ((guess - truth) ** 2).sum(0) / ((truth - truth.mean(0)) ** 2).sum(0)


def determination_sem(guess: np.ndarray, truth: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standard error of :func:`determination`: bootstrap over the points 0, 1, ... that the rows (n,) belong to."""
    count = int(points.max()) + 1
    parts = np.stack([(guess - truth) ** 2, truth, truth**2, np.ones_like(truth)])  # (4, n, columns)
    sums = np.zeros((4, count, truth.shape[1]))
    for part, total in zip(parts, sums, strict=True):
        np.add.at(total, points, part)
    values = []
    for chosen in bootstrap_indices(count, BOOTSTRAPS, rng):
        residual, first, second, rows = sums[:, chosen].sum(1)
        values.append(1 - residual / (second - first**2 / rows))
    return np.std(values, axis=0)


def half_chain_rows(dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half-chain proxies (n, 5), probabilities exp(-levels) (n, 16) and point names (n,) of the unique ground states."""
    family, sites = np.asarray(dataset["family"]), np.asarray(dataset["sites"])
    keep = ~np.asarray(dataset["degenerate"])
    rows, probabilities, groups = [], [], []
    for name in dict.fromkeys(family.tolist()):
        mask = family == name
        lengths = sites[mask]
        half = (np.cumsum(lengths - 1) - lengths + lengths // 2)[keep[mask]]
        rows.append(np.asarray(dataset[f"proxies/{name}"], float)[half])
        probabilities.append(np.exp(-np.asarray(dataset[f"levels/{name}"], float)[half]))
        groups += [f"{name}/{p}" for p in np.asarray(dataset["point"])[mask & keep].tolist()]
    return np.concatenate(rows), np.concatenate(probabilities), np.array(groups)
