"""Do four numbers hold what is essential of a spectrum?  Asked by trying to recover the spectrum from them."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES

GIVEN = ("entropy", "mean", "variance", "skewness")  # the four of the proposal
RECOVERED = 4  # largest probabilities that the four numbers should give back


def recover_spectrum(inputs, seed: int = 0, trees: int = 200) -> dict:
    """Out-of-sample R^2 of the largest probabilities and of exp(-Renyi-2) at the half-chain cut, predicted from the four
    proxies by extremely randomised trees; whole parameter points are held out (5 folds).

    Returns ``r2`` {name: value}, ``r2_sem`` (jackknife over folds), ``worst`` and ``systems``.
    """
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import GroupKFold

    dataset = inputs["02/dataset"]
    rows, probabilities, groups = half_chain_rows(dataset)
    x = rows[:, [PROXIES.index(name) for name in GIVEN]].copy()
    x[:, 3] = np.arcsinh(x[:, 3])  # the skewness runs over four decades
    y = np.column_stack([probabilities[:, :RECOVERED], np.exp(-rows[:, PROXIES.index("renyi2")])])
    names = [f"p{k + 1}" for k in range(RECOVERED)] + ["purity"]
    guess, fold_of = np.empty_like(y), np.empty(len(y), int)
    for fold, (fit, test) in enumerate(GroupKFold(5).split(x, y, groups)):
        model = ExtraTreesRegressor(trees, random_state=seed, n_jobs=1).fit(x[fit], y[fit])
        guess[test], fold_of[test] = model.predict(x[test]), fold
    r2 = determination(guess, y)
    jackknife = np.array([determination(guess[fold_of != f], y[fold_of != f]) for f in range(5)])
    sem = np.sqrt(4 / 5 * ((jackknife - jackknife.mean(0)) ** 2).sum(0))
    recovered = dict(zip(names, r2.tolist(), strict=True))
    return {
        "r2": recovered,
        "r2_sem": dict(zip(names, sem.tolist(), strict=True)),
        "worst": float(r2[:RECOVERED].min()),
        "systems": len(y),
        "truth": y.astype(np.float32),
        "guess": guess.astype(np.float32),
        "names": names,
    }


def determination(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """R^2 of each column of (n, columns)."""
    return 1 - ((guess - truth) ** 2).sum(0) / ((truth - truth.mean(0)) ** 2).sum(0)


def half_chain_rows(dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half-chain proxies (n, 5), probabilities exp(-levels) (n, 16) and point names (n,) of the unique ground states."""
    family, sites = np.asarray(dataset["family"]), np.asarray(dataset["sites"])
    keep = ~np.asarray(dataset["degenerate"])
    rows, probabilities, groups = [], [], []
    for name in dict.fromkeys(family.tolist()):
        own = family == name
        lengths = sites[own]
        half = (np.cumsum(lengths - 1) - lengths + lengths // 2)[keep[own]]
        rows.append(np.asarray(dataset[f"proxies/{name}"], float)[half])
        probabilities.append(np.exp(-np.asarray(dataset[f"levels/{name}"], float)[half]))
        groups += [f"{name}/{p}" for p in np.asarray(dataset["point"])[own & keep].tolist()]
    return np.concatenate(rows), np.concatenate(probabilities), np.array(groups)
