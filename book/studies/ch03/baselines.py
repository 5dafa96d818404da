"""What the predictor has to beat: simpler ways from couplings, or from small exact results, to a large chain."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.qed.predictor.small_parts import Part

LENGTHS = (1.0, 2.0, 3.0, 4.5, 7.0, 10.0, 15.0, 25.0, 50.0, 1e6)  # correlation lengths tried by the scaling fit
EXPONENTS = (0.5, 1.0)  # decay of the alternation tried
BOOSTING = {"max_iter": 300, "learning_rate": 0.1, "min_samples_leaf": 5}


def largest_value(parts: list[Part]) -> np.ndarray:
    """The half-chain proxies (5,) of the largest exact part: "nothing changes beyond 16 sites"."""
    part = max(parts, key=lambda p: p.sites)
    return part.proxies[part.sites // 2 - 1]


def scaling_fit(parts: list[Part], sites: int) -> np.ndarray:
    """Half-chain proxies (5,) from a fit to this system's own exact profiles.

    Least squares of  b0 + b1 L + b2 (-1)^l exp(-p L)  with  L = -ln(D^-2 + xi^-2) / 2  over all interior cuts of all sizes;
    xi and p from a grid, by the smallest residual.  Windows enter with their central cut and without alternation.
    """
    n = np.concatenate([np.full(p.sites - 1, float(p.sites)) for p in parts])
    cut = np.concatenate([np.arange(1.0, p.sites) for p in parts])
    value = np.concatenate([p.proxies for p in parts])
    window = parts[0].window
    keep = cut == n // 2 if window else (cut > 1) & (cut < n - 1)
    n, cut, value = n[keep], cut[keep], value[keep]

    def columns(n, cut, xi: float, exponent: float) -> np.ndarray:
        chord = 2 * n / np.pi * np.sin(np.pi * cut / n)
        length = -0.5 * np.log(chord**-2 + xi**-2)
        alternation = 0 * length if window else np.cos(np.pi * cut) * np.exp(-exponent * length)
        return np.stack([np.ones_like(length), length, alternation], -1)

    best: np.ndarray = np.full(len(PROXIES), np.inf)
    answer: np.ndarray = np.zeros(len(PROXIES))
    for xi in LENGTHS:
        for exponent in EXPONENTS:
            design = columns(n, cut, xi, exponent)
            fit = np.linalg.lstsq(design, value, rcond=1e-6)[0]
            miss = ((design @ fit - value) ** 2).sum(0)
            there = columns(np.array([float(sites)]), np.array([float(sites // 2)]), xi, exponent)[0] @ fit
            answer, best = np.where(miss < best, there, answer), np.minimum(miss, best)
    return np.maximum(answer, np.where(np.array(PROXIES) == "skewness", -np.inf, 0.0))


def nearest_neighbour(rows: np.ndarray, sites: np.ndarray, values: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The half-chain proxies (n, 5) of the nearest training system in term space, at the largest size trained on.

    rows (m, f), sites (m,), values (m, 5) of the training systems; queries (n, f).
    """
    spread = np.maximum(rows.std(0), 1e-3)
    largest = np.flatnonzero(sites == sites.max())
    x, y = rows[largest] / spread, queries / spread
    square = (y**2).sum(1)[:, None] + (x**2).sum(1) - 2 * y @ x.T
    return values[largest][square.argmin(1)]


def gradient_boosting(
    rows: np.ndarray, sites: np.ndarray, values: np.ndarray, queries: np.ndarray, query_sites: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Half-chain proxies (n, 5) by boosted trees on couplings, 1/N and the parity of the cut; arguments as above."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def table(rows: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return np.concatenate([rows, 1 / sites[:, None], (sites[:, None] // 2) % 2], 1)

    out = []
    for k in range(len(PROXIES)):
        model = HistGradientBoostingRegressor(random_state=seed, **BOOSTING).fit(table(rows, sites), values[:, k])
        out.append(model.predict(table(queries, query_sites)))
    return np.stack(out, 1)
