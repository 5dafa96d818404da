"""`--refine`: exact results at 10-14 sites of the very Hamiltonian asked for correct its prediction.

The prediction is repeated for the small chains.  What it misses there, the residual r, is continued to the large one by
Bayesian linear regression (Bishop, Pattern Recognition and Machine Learning, 2006, eqs. 3.50-3.59) in

    r(N, l) / std = w0 + w1 u + (-1)^l (w2 sqrt(u) + w3 u) - w4 ln u + noise,       u = 8 / D,  D = (2N/pi) sin(pi l/N),

with prior scales fitted once on held-out systems, whose residuals at 10-14 sites are asked to tell those at 16.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from qednas.errors import InputError
from qednas.physics.entanglement import PROXIES
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.calibration import INTERVAL, ONE_STD
from qednas.qed.inputs import know
from qednas.qed.predictor import REFINE_KINDS, REFINE_SCALES, ROUNDING, Predictor
from qednas.qed.small_parts import Part, solve_parts

KINDS = REFINE_KINDS  # of exact parts
TERMS = REFINE_SCALES - 1
EDGE_CUTS = 2  # cuts this close to an end teach nothing about the middle


@dataclass(frozen=True)
class Prior:
    """scales (TERMS + 1,): of w0 ... w4 and of the noise, in predicted standard deviations; factor and wide (5,): of the
    posterior's standard deviation, so that it holds 68.3 %, and of that for the 90 % interval."""

    scales: np.ndarray
    factor: np.ndarray
    wide: np.ndarray

    @classmethod
    def from_arrays(cls, arrays, kind: str) -> Prior:
        return cls(*(np.asarray(arrays[f"refine_{kind}_{name}"], float) for name in ("scales", "factor", "wide")))

    def arrays(self, kind: str) -> dict[str, np.ndarray]:
        return {f"refine_{kind}_{name}": getattr(self, name) for name in ("scales", "factor", "wide")}


def basis(sites: np.ndarray, cut: np.ndarray, window: bool) -> np.ndarray:
    """The functions of w0 ... w4 (rows, TERMS); those that alternate or grow are no use between windows of one cut."""
    u = 8 / (2 * sites / np.pi * np.sin(np.pi * cut / sites))
    sign = np.cos(np.pi * cut)
    zero = 0 * u
    if window:
        return np.stack([1 + zero, u, zero, zero, zero], -1)
    return np.stack([1 + zero, u, sign * np.sqrt(u), sign * u, -np.log(u)], -1)


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
        mean, std = predictor.profile(know(part.hamiltonian))
        cuts = np.arange(1, part.sites)
        keep = cuts == part.sites // 2 if part.window else (cuts > EDGE_CUTS) & (cuts < part.sites - EDGE_CUTS)
        phi.append(basis(np.full(keep.sum(), float(part.sites)), cuts[keep].astype(float), part.window))
        r.append((part.proxies - mean)[keep])
        unit = std[part.sites // 2 - 1]
    return Residuals(np.concatenate(phi), np.concatenate(r) / unit, unit)


def posterior(scales: np.ndarray, seen: Residuals, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (rows, 5) and standard deviation (rows,) of the residual where the basis is phi (rows, TERMS), in units."""
    prior, noise = scales[:TERMS], scales[TERMS]
    precision = seen.phi.T @ seen.phi / noise**2 + np.diag(prior**-2.0)
    covariance = np.linalg.inv(precision)
    mean = phi @ covariance @ seen.phi.T @ seen.r / noise**2
    variance = ((phi @ covariance) * phi).sum(-1) + noise**2
    return mean, np.sqrt(variance)


def fit_prior(cases: list[tuple[Residuals, np.ndarray, np.ndarray]]) -> Prior:
    """Prior scales of the greatest likelihood (Laplace) of held-out residuals.

    cases: residuals at small sizes, basis (TERMS,) at the larger one, and the residual there (5,) in the same units.
    """

    def ratios(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [posterior(np.exp(logs), seen, phi[None]) for seen, phi, _ in cases]
        error = np.array([np.abs(mean[0] - r) for (mean, _), (_, _, r) in zip(found, cases, strict=True)])
        return error, np.array([std for _, std in found])

    def loss(logs: np.ndarray) -> float:
        error, std = ratios(logs)
        return float(np.mean(np.log(std) + error / std) + 1e-3 * (logs**2).sum())

    if not cases:
        raise InputError("no held-out system to fit the prior of a refinement on")
    start = np.log([1.0, 0.5, 0.5, 0.5, 0.2, 0.2])
    logs = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 600, "xatol": 1e-2, "fatol": 1e-4}).x
    error, std = ratios(logs)
    factor = np.quantile(error / std, ONE_STD, axis=0)
    return Prior(np.exp(logs), factor, np.quantile(error / std, INTERVAL, axis=0) / factor)


def refined_profile(predictor: Predictor, hamiltonian: Hamiltonian, parts: list[Part]):
    """Mean, standard deviation (cuts, 5) and half widths of the 90 % interval in standard deviations (5,)."""
    known = know(hamiltonian)
    mean, std = predictor.profile(known)
    if known.gate == 0:  # exact already
        return known, mean, std, predictor.wide
    cut_out = parts[0].window
    prior = Prior.from_arrays(predictor.arrays, KINDS[cut_out])
    seen = residuals(predictor, parts)
    cuts = np.arange(1.0, hamiltonian.sites)
    found, spread = posterior(prior.scales, seen, basis(np.full(len(cuts), float(hamiltonian.sites)), cuts, cut_out))
    new = np.maximum(mean + found * seen.unit, np.where(np.array(PROXIES) == "skewness", -np.inf, 0.0))
    new_std = spread[:, None] * seen.unit * prior.factor + ROUNDING
    if cut_out:  # windows say something about their centre only
        half = hamiltonian.sites // 2 - 1
        others = np.arange(len(cuts)) != half
        new[others], new_std[others] = mean[others], std[others]
    return known, new, new_std, prior.wide


def refine(predictor: Predictor, hamiltonian: Hamiltonian) -> dict:
    """The record of :meth:`Predictor.predict`, refined; ``refined`` says by what.

    Raises InputError when an exact part is degenerate or there is none.
    """
    start = time.perf_counter()
    parts = solve_parts(hamiltonian)
    known, mean, std, wide = refined_profile(predictor, hamiltonian, parts)
    out = predictor.answer(mean, std, predictor.outside(known, hamiltonian.sites), wide)
    kind = "windows around the middle" if parts[0].window else "the same Hamiltonian"
    out["refined"] = {"exact": kind, "sizes": [part.sites for part in parts]}
    return out | {"seconds": time.perf_counter() - start}
