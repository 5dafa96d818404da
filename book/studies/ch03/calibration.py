"""Error bars of the predictor, fitted on systems that it was not trained on."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from qednas.base.errors import InputError
from qednas.physics.entanglement import PROXIES
from qednas.qed.predictor.correction import OFFSETS
from qednas.qed.predictor.predictor import INTERVAL, ONE_STD, Calibration, Predictor
from qednas.qed.predictor.refine import Residuals, Widths, posterior
from studies.ch03.training import Table

SMALLEST = 1e-4  # relative error bars below this are not believed


def pieces(predictor: Predictor, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Errors (rows, 5) and the three parts (rows, 5, 3) that an error bar is made of (:class:`Calibration`)."""
    mean, spread = predictor.ensemble(table.x, table.base, table.gate, table.grows, table.sites, table.cut)
    size = table.gate[:, None] * (np.abs(mean) + OFFSETS)
    return np.abs(mean - table.target), np.stack([spread, np.abs(mean - table.base), size], -1)


def fit_shares(error: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Shares (3,) that maximise the likelihood of errors (n,) of a Laplace distribution whose scale is the quadrature sum."""

    def loss(log_shares: np.ndarray) -> float:
        scale = np.sqrt(((parts * np.exp(log_shares)) ** 2).sum(-1)) + 1e-9
        return float(np.mean(np.log(scale) + error / scale))

    minimum = minimize(loss, np.log([1.0, 0.1, 0.02]), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-3})
    return np.maximum(np.exp(minimum.x), [0, 0, SMALLEST])


def calibrate(predictor: Predictor, held_out: Table) -> Calibration:
    """Error bars such that 68.3 % (one standard deviation) and 90 % (the interval) of held-out half-chain values are inside.

    held_out: points never seen, at sizes that were.
    """
    error, parts = pieces(predictor, held_out)
    shares, wide = np.zeros((len(PROXIES), 3)), np.zeros(len(PROXIES))
    for k in range(len(PROXIES)):
        raw = fit_shares(error[:, k], parts[:, k])
        ratio = error[:, k] / np.sqrt(((parts[:, k] * raw) ** 2).sum(-1))
        one_std = np.quantile(ratio, ONE_STD)
        shares[k], wide[k] = raw * one_std, np.quantile(ratio, INTERVAL) / one_std
    return Calibration(shares, wide, np.zeros(len(PROXIES)))


def error_growth(predictor: Predictor, longer: Table, shares: np.ndarray) -> np.ndarray:
    """Growth (5,) of the error bars with ln(sites): what makes one standard deviation hold 68.3 % of ``longer``.

    predictor: trained on smaller sizes than those of ``longer``.  shares (5, 3): of :class:`Calibration`.
    """
    error, parts = pieces(predictor, longer)
    std = np.sqrt(((parts * shares) ** 2).sum(-1))
    steps = np.log(longer.sites / predictor.record["largest"])[:, None]
    needed = (error / std - 1) / steps  # the growth that just covers one system
    return np.maximum(np.quantile(needed, ONE_STD, axis=0), 0.0)


def fit_widths(cases: list[tuple[Residuals, np.ndarray, np.ndarray]]) -> Widths:
    """Factors of the error bars such that 68.3 % and 90 % of held-out residuals are inside.

    cases: residuals at small sizes, basis (TERMS,) at the larger one, and the residual there (5,) in the same units.
    """
    if not cases:
        raise InputError("no held-out system to fit the error bars of a refinement on")
    posteriors = [posterior(observed, phi[None]) for observed, phi, _ in cases]
    ratio = np.array([np.abs(mean[0] - r) / std[0] for (mean, std), (_, _, r) in zip(posteriors, cases, strict=True)])
    factor = np.quantile(ratio, ONE_STD, axis=0)
    return Widths(factor, np.quantile(ratio, INTERVAL, axis=0) / factor)
