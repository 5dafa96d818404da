"""Entanglement of pure states: Schmidt spectra of every cut, their proxies, and analytic references.  All in nats.

A *spectrum* is the array of squared Schmidt values p_1 >= p_2 >= ... of one cut, summing to one; the levels of the
entanglement Hamiltonian are xi_i = -ln p_i (Li and Haldane, PRL 101, 010504).
"""

from __future__ import annotations

import heapq

import numpy as np

LEVELS = 8  # how many of the lowest levels enter the proxy ``mean``
FLOOR = 1e-10  # probabilities below this are beyond what DMRG resolves; their levels count as -ln FLOOR = 23.03
PROXIES = ("entropy", "mean", "variance", "skewness", "renyi2")


def schmidt_spectra(psi: np.ndarray, sites: int) -> list[np.ndarray]:
    """Spectra of the cuts after site 0, 1, ..., sites - 2 of a state of 2**sites amplitudes; each (min dim,), descending."""
    psi = np.asarray(psi) / np.linalg.norm(psi)
    spectra = []
    for left in range(1, sites):
        matrix: np.ndarray = psi.reshape(1 << left, -1)
        if left > sites - left:
            matrix = matrix.T
        # R of a thin QR has the same singular values and is square: cheaper than the SVD of a wide matrix
        if matrix.shape[1] >= 4 * matrix.shape[0]:
            matrix = np.asarray(np.linalg.qr(matrix.T, mode="r"))
        spectra.append(np.linalg.svd(matrix, compute_uv=False) ** 2)
    return spectra


def levels(spectrum: np.ndarray, count: int = LEVELS) -> np.ndarray:
    """The ``count`` lowest levels xi = -ln p (count,), each at most -ln FLOOR; missing ones are put there."""
    p = np.zeros(count)
    p[: min(count, len(spectrum))] = np.sort(spectrum)[::-1][:count]
    return -np.log(np.maximum(p, FLOOR))


def proxies_from_cumulants(k1: float, k2: float, k3: float, renyi2: float, lowest: np.ndarray) -> dict[str, float]:
    """The proxy dictionary from the first three cumulants of xi under p, the Renyi-2 entropy and the lowest levels.

    A flat spectrum (variance below 1e-9) has skewness 0 by convention.
    """
    skewness = k3 / k2**1.5 if k2 > 1e-9 else 0.0
    values = (k1, lowest.mean(), k2, skewness, renyi2)
    return {name: float(v) + 0.0 for name, v in zip(PROXIES, values, strict=True)}


def proxies(spectrum: np.ndarray) -> dict[str, float]:
    """Proxy features of one spectrum (nats): entropy sum p xi, mean of the 8 lowest levels, variance and standardised
    third cumulant of xi under p (the variance is the capacity of entanglement), Renyi-2 entropy -ln sum p^2."""
    p = spectrum[spectrum > 0] / spectrum.sum()
    xi = -np.log(p)
    entropy = p @ xi
    variance = p @ (xi - entropy) ** 2
    third = p @ (xi - entropy) ** 3
    return proxies_from_cumulants(max(entropy, 0.0), variance, third, -np.log(p @ p), levels(spectrum))


def mode_proxies(nu: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Proxies and the 64 largest probabilities of a product of two-level modes with p = (1 +- nu_k) / 2, nu in [0, 1].

    xi is a sum of independent terms, so its cumulants add over modes; the largest probabilities come from a
    best-first enumeration of the excited modes.
    """
    nu = np.clip(np.abs(nu), 0.0, 1.0)
    up, down = (1 + nu) / 2, np.maximum((1 - nu) / 2, 1e-300)
    delta = np.log(up / down)  # excitation energy of each mode
    k1 = (-up * np.log(up) - down * np.log(down)).sum()
    k2 = (up * down * delta**2).sum()
    k3 = (up * down * nu * delta**3).sum()
    renyi2 = -np.log(up**2 + down**2).sum()
    spectrum = np.exp(np.log(up).sum() - smallest_subset_sums(np.sort(delta), 64))
    return proxies_from_cumulants(k1, k2, k3, renyi2, levels(spectrum)), spectrum


def smallest_subset_sums(values: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` smallest sums of subsets of ascending non-negative ``values``, ascending; the empty set included."""
    sums = [0.0]
    heap = [(float(values[0]), 0)] if len(values) else []
    while heap and len(sums) < count:
        total, i = heapq.heappop(heap)
        sums.append(total)
        if i + 1 < len(values):  # add the next value, or exchange the last one for it: each subset is met once
            heapq.heappush(heap, (total + float(values[i + 1]), i + 1))
            heapq.heappush(heap, (total - float(values[i]) + float(values[i + 1]), i + 1))
    return np.array(sums)


def page_entropy(m: int, n: int) -> float:
    """Mean entropy (nats) of the smaller part of a random pure state of dimensions m x n: Page, PRL 71, 1291 (1993)."""
    m, n = min(m, n), max(m, n)
    return float((1.0 / np.arange(n + 1, m * n + 1)).sum() - (m - 1) / (2 * n))


def chord_length(sites: int, left: int, *, periodic: bool = False) -> float:
    """Conformal length of a block of ``left`` sites: (2N/pi) sin(pi l/N) open, (N/pi) sin(pi l/N) periodic.

    The entropy of a critical chain is (c/6) ln of it, or (c/3) ln of it: Calabrese and Cardy, J. Stat. Mech. P06002 (2004).
    """
    return float((1 if periodic else 2) * sites / np.pi * np.sin(np.pi * left / sites))
