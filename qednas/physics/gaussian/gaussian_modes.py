"""Entanglement proxies of Gaussian states, of many cuts at once.

One cut with its full spectrum: :func:`qednas.physics.entanglement.mode_proxies`, which this is tested against.
"""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import FLOOR, LEVELS


def gaussian_proxies(modes: list[np.ndarray]) -> np.ndarray:
    """The five proxies (cuts, 5) of products of two-level modes, as :func:`mode_proxies`, of all cuts at once.

    modes: polarisations nu of each cut.  The LEVELS smallest sums of excitations hold at most the LEVELS - 1 softest modes.
    """
    nu = np.ones((len(modes), max([LEVELS - 1, *map(len, modes)])))
    for row, polarisations in zip(nu, modes, strict=True):
        row[: len(polarisations)] = np.clip(np.abs(polarisations), 0.0, 1.0)
    up, down = (1 + nu) / 2, np.maximum((1 - nu) / 2, 1e-300)
    delta = np.log(up / down)
    entropy = -(up * np.log(up) + down * np.log(down)).sum(1)
    variance = (up * down * delta**2).sum(1)
    third = (up * down * nu * delta**3).sum(1)
    renyi2 = -np.log(up**2 + down**2).sum(1)
    soft = np.partition(delta, LEVELS - 2, axis=1)[:, : LEVELS - 1]
    subsets = (np.arange(1 << (LEVELS - 1))[:, None] >> np.arange(LEVELS - 1)) & 1
    sums = np.partition(soft @ subsets.T, LEVELS - 1, axis=1)[:, :LEVELS]
    lowest = np.minimum(sums - np.log(up).sum(1)[:, None], -np.log(FLOOR)).mean(1)
    skewness = np.where(variance > 1e-9, third / np.maximum(variance, 1e-9) ** 1.5, 0.0)
    return np.stack([np.maximum(entropy, 0.0), lowest, variance, skewness, renyi2], 1)
