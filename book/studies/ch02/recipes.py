"""How points of every family are drawn, and which class of systems a point belongs to.

Apart from :mod:`studies.ch02.dataset`, so that a change of how points are solved does not make the large references
stale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """How the parameters of a family are drawn (``draw(rng)``) and the class a point belongs to (``label(**parameters)``)."""

    draw: Callable[[np.random.Generator], dict]
    label: Callable[..., str]


def near(
    rng: np.random.Generator, low: float, high: float, *critical: float, width: float = 0.15, share: float = 0.4
) -> float:
    """Uniform in [low, high], but a share of the draws is normal around one of the critical values."""
    if critical and rng.random() < share:
        return float(np.clip(rng.normal(rng.choice(critical), width), low, high))
    return float(rng.uniform(low, high))


def disorder(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def ising_label(distance: float) -> str:
    return "critical" if abs(distance) < 0.1 else "gapped"


RECIPES: dict[str, Recipe] = {
    "tfim": Recipe(lambda r: {"h": near(r, 0.2, 3, 1.0)}, lambda h: ising_label(h - 1)),
    "xy": Recipe(
        lambda r: {"gamma": float(r.uniform(0.1, 1)), "h": near(r, 0, 2, 1.0)}, lambda gamma, h: ising_label(h - 1)
    ),
    "xxz": Recipe(
        lambda r: {"delta": near(r, -0.8, 4, 0.0, 1.0, width=0.4)}, lambda delta: "gapless" if delta <= 1 else "gapped"
    ),
    "j1j2": Recipe(lambda r: {"j2": near(r, 0, 1, 0.241)}, lambda j2: "gapless" if j2 <= 0.2411 else "gapped"),
    "cluster": Recipe(
        lambda r: {"h": near(r, 0, 2.5, 1.0)},
        lambda h: "critical" if abs(h - 1) < 0.1 else "topological" if h < 1 else "gapped",
    ),
    "ssh": Recipe(
        lambda r: {"delta": near(r, -0.9, 0.9, 0.0)},
        lambda delta: "gapless" if abs(delta) < 0.05 else "topological" if delta < 0 else "gapped",
    ),
    "annni": Recipe(
        lambda r: {"kappa": float(r.uniform(0, 0.7)), "h": near(r, 0.2, 2)},
        lambda kappa, h: "gapped" if h > 1.1 or kappa < 0.35 else "frustrated",
    ),
    "long_range_ising": Recipe(
        lambda r: {"alpha": float(r.uniform(1.3, 6)), "h": near(r, 0.5, 5, 1.4, width=0.5)}, lambda **_: "long-range"
    ),
    "random_field": Recipe(lambda r: {"w": near(r, 0.1, 5), "disorder_seed": disorder(r)}, lambda **_: "disordered"),
    "random_tfim": Recipe(
        lambda r: {"h": near(r, 0.3, 2, 1.0), "w": float(r.uniform(0.1, 0.9)), "disorder_seed": disorder(r)},
        lambda **_: "disordered",
    ),
    "mixed_field_ising": Recipe(
        lambda r: {"h": near(r, 0.2, 2, 1.0), "g": float(r.uniform(0.02, 1))}, lambda **_: "gapped"
    ),
    "cluster_ising": Recipe(
        lambda r: {"lam": near(r, -0.95, 0.95), "h": near(r, 0, 2.5)},
        lambda lam, h: "topological" if h + abs(lam) < 0.9 else "gapped",
    ),
    "tfim_2d": Recipe(
        lambda r: {"h": near(r, 0.5, 5, 2.0, 3.0, width=0.4), "width": int(r.choice([2, 4]))},
        lambda **_: "two-dimensional",
    ),
    "mhs": Recipe(lambda r: {}, lambda: "long-range"),
}

# families whose mean field is not exact: what is left is learned, from more points than the others have
INTERACTING = ("xxz", "j1j2", "annni", "long_range_ising", "random_field", "mixed_field_ising", "tfim_2d")
