"""How entangled the states of candidate circuits are, by the entanglement code that chapters 1 to 8 use."""

from __future__ import annotations

import numpy as np

from qednas.diffqas.candidates import Candidate
from qednas.diffqas.simulator import Layered
from qednas.physics.entanglement import page_entropy, proxies, schmidt_spectra


def last_state(candidate: Candidate, angles: np.ndarray) -> np.ndarray:
    """Amplitudes (2^n,) of the state of a candidate for angles (depth, n) in radians; qubit 0 is the most significant bit."""
    depth, n = angles.shape
    planes = Layered(candidate, n, depth, np.float64).forward(angles)
    return planes[0] + 1j * planes[1] if len(planes) == 2 else planes[0].astype(complex)


def meyer_wallach(state: np.ndarray) -> float:
    """2 (1 - mean purity of the single qubits) of a state (2^n,): 0 of a product, 1 where every qubit is fully mixed.

    Meyer and Wallach, J. Math. Phys. 43, 4273 (2002), in the form of Brennen, Quantum Inf. Comput. 3, 619 (2003).
    """
    n = len(state).bit_length() - 1
    purities = []
    for qubit in range(n):
        parts = np.moveaxis(state.reshape((2,) * n), qubit, 0).reshape(2, -1)
        reduced = parts @ parts.conj().T
        purities.append(np.vdot(reduced, reduced).real)
    return float(2 * (1 - np.mean(purities)))


def entanglement(candidate: Candidate, angles: np.ndarray) -> dict[str, float]:
    """``meyer_wallach`` and ``entropy`` (nats, half of the qubits against the rest) for angles (depth, n)."""
    state = last_state(candidate, angles)
    n = angles.shape[1]
    spectrum = schmidt_spectra(state, n)[n // 2 - 1]
    return {"meyer_wallach": meyer_wallach(state), "entropy": proxies(spectrum)["entropy"]}


def of_random_states(n: int) -> dict[str, float]:
    """The same two, mean over random states: (2^n - 2) / (2^n + 1), and Page's entropy."""
    return {"meyer_wallach": (2**n - 2) / (2**n + 1), "entropy": page_entropy(2 ** (n // 2), 2 ** (n - n // 2))}
