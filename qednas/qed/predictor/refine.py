"""`--refine`: exact results at 10-14 sites of the very Hamiltonian asked for correct its prediction.

The prediction is repeated for the small chains.  What it misses there, the residual r, is continued to the large one by
Bayesian linear regression (Bishop, Pattern Recognition and Machine Learning, 2006, eqs. 3.50-3.59) in

    r(N, l) / std = w0 + w1 u + (-1)^l (w2 sqrt(u) + w3 u) + noise,       u = 8 / D,  D = (2N/pi) sin(pi l/N),

with fixed prior scales and, for each system, the noise of the greatest evidence (ibid., section 3.5): where the residual is
the same at all small sizes it is believed at the large one too.  Held-out systems, whose residuals at 10-14 sites are asked
to tell those at 16, say how wide the error bars have to be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.predictor.inputs import predictor_inputs
from qednas.qed.predictor.predictor import REFINE_KINDS, ROUNDING, Prediction, Predictor
from qednas.qed.predictor.small_parts import Part, solve_parts

KINDS = REFINE_KINDS  # of exact parts
SCALES = (1.0, 0.2, 0.7, 0.2)  # prior standard deviations of w0 ... w3, in predicted standard deviations
TERMS = len(SCALES)
NOISES = (1.0, 0.3, 0.1, 0.03, 0.01)  # of which the likeliest is taken for each system
CENTRAL_CUTS = 2  # cuts farther from the middle teach little about it


@dataclass(frozen=True)
class Widths:
    """factor and wide (5,): of the posterior's standard deviation, so that it holds 68.3 %, and of that for the 90 % interval."""

    factor: np.ndarray
    wide: np.ndarray

    @classmethod
    def from_arrays(cls, arrays, kind: str) -> Widths:
        return cls(*(np.asarray(arrays[f"refine_{kind}_{name}"], float) for name in ("factor", "wide")))

    def arrays(self, kind: str) -> dict[str, np.ndarray]:
        return {f"refine_{kind}_{name}": getattr(self, name) for name in ("factor", "wide")}


def basis(sites: np.ndarray, cut: np.ndarray, window: bool) -> np.ndarray:
    """The functions of w0 ... w3 (rows, TERMS); those that alternate are no use between windows of one cut."""
    u = 8 / (2 * sites / np.pi * np.sin(np.pi * cut / sites))
    sign = np.cos(np.pi * cut)
    zero = 0 * u
    if window:
        return np.stack([1 + zero, u, zero, zero], -1)
    return np.stack([1 + zero, u, sign * np.sqrt(u), sign * u], -1)


@dataclass(frozen=True)
class Residuals:
    """What a prediction misses on small parts: phi (rows, TERMS) and r (rows, 5), in units of ``unit`` (5,)."""

    phi: np.ndarray
    r: np.ndarray
    unit: np.ndarray


def residuals(predictor: Predictor, parts: list[Part]) -> Residuals:
    """Residuals of the interior cuts of rebuilt chains, or of the central cut of windows."""
    phi, r, unit = [], [], np.zeros(len(PROXIES))
    for part in parts:
        mean, std = predictor.profile(predictor_inputs(part.hamiltonian))
        cuts = np.arange(1, part.sites)
        keep = cuts == part.sites // 2 if part.window else np.abs(cuts - part.sites / 2) <= CENTRAL_CUTS
        phi.append(basis(np.full(keep.sum(), float(part.sites)), cuts[keep].astype(float), part.window))
        r.append((part.proxies - mean)[keep])
        unit = std[part.sites // 2 - 1]
    return Residuals(np.concatenate(phi), np.concatenate(r) / unit, unit)


def posterior(observed: Residuals, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (rows, 5) of the residual where the basis is phi (rows, TERMS), in units."""
    prior = np.diag(np.square(SCALES))
    explained = observed.phi @ prior @ observed.phi.T
    fits = []
    for noise in NOISES:
        inverse = np.linalg.inv(explained + noise**2 * np.eye(len(explained)))
        fit = inverse @ observed.r
        evidence = (np.linalg.slogdet(inverse)[1] - (observed.r * fit).sum(0)) / 2  # (5,), up to a constant
        gain = phi @ prior @ observed.phi.T
        variance = ((phi @ prior - gain @ inverse @ observed.phi @ prior) * phi).sum(-1) + noise**2
        fits.append((evidence, gain @ fit, np.sqrt(variance)[:, None] * np.ones(len(PROXIES))))
    evidence, mean, std = (np.array(column) for column in zip(*fits, strict=True))
    best = evidence.argmax(0)
    proxy = np.arange(len(PROXIES))
    return mean[best, :, proxy].T, std[best, :, proxy].T


def refined_profile(predictor: Predictor, hamiltonian: Hamiltonian, parts: list[Part]):
    """Mean, standard deviation (cuts, 5) and half widths of the 90 % interval in standard deviations (5,)."""
    inputs = predictor_inputs(hamiltonian)
    mean, std = predictor.profile(inputs)
    if inputs.gate == 0:  # exact already
        return inputs, mean, std, predictor.wide
    cut_out = parts[0].window
    prior = Widths.from_arrays(predictor.arrays, KINDS[cut_out])
    observed = residuals(predictor, parts)
    cuts = np.arange(1.0, hamiltonian.sites)
    residual, spread = posterior(observed, basis(np.full(len(cuts), float(hamiltonian.sites)), cuts, cut_out))
    new = np.maximum(mean + residual * observed.unit, np.where(np.array(PROXIES) == "skewness", -np.inf, 0.0))
    new_std = predictor.size_factor(hamiltonian.sites) * spread * observed.unit * prior.factor + ROUNDING
    if cut_out:  # windows say something about their centre only
        half = hamiltonian.sites // 2 - 1
        others = np.arange(len(cuts)) != half
        new[others], new_std[others] = mean[others], std[others]
    return inputs, new, new_std, prior.wide


def refine(predictor: Predictor, hamiltonian: Hamiltonian) -> Prediction:
    """The record of :meth:`Predictor.predict`, refined; ``refined`` names the exact parts.

    Raises InputError when an exact part is degenerate or there is none.
    """
    start = time.perf_counter()
    parts = solve_parts(hamiltonian)
    inputs, mean, std, wide = refined_profile(predictor, hamiltonian, parts)
    out = predictor.answer(mean, std, predictor.outside(inputs, hamiltonian.sites), wide, start)
    kind = "windows around the middle" if parts[0].window else "the same Hamiltonian"
    out["refined"] = {"exact": kind, "sizes": [part.sites for part in parts]}
    return out
