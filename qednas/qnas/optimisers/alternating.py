"""QAOA on a cost that is a diagonal, exactly: e^(-i beta_p B) e^(-i gamma_p C) ... e^(-i beta_1 B) e^(-i gamma_1 C) |start>.

The gradient is found by going back through the layers once (the adjoint method, Jones and Gacon, arXiv:2009.02823), with the
states of the way forward kept where there is room.  Angles are a pair (gammas, betas) of arrays: (p,) each, or for multi-angle
QAOA (p, terms) and (p, angles of the mixer).
"""

from __future__ import annotations

import numpy as np

from qednas.base.errors import InputError
from qednas.circuits.statevector import phase, phase_back
from qednas.qnas.optimisers.cost_terms import Terms
from qednas.qnas.optimisers.mixers import Mixer
from qednas.qnas.optimisers.objectives import Objective

MOST_KEPT = 2**26  # amplitudes of all kept states: one gigabyte

Angles = tuple[np.ndarray, np.ndarray]


class Alternating:
    """energies: the diagonal (N,).  terms: whose sum it is up to a constant, for angles of their own.

    ``evaluations``: how many circuits were run.  Raises InputError where the sizes differ.
    """

    def __init__(self, energies: np.ndarray, mixer: Mixer, terms: Terms | None = None):
        if len(energies) != mixer.amplitudes:
            raise InputError(f"a diagonal of {len(energies)} energies for a mixer of {mixer.amplitudes} amplitudes")
        self.energies = np.ascontiguousarray(energies, dtype=float)
        self.mixer, self.terms = mixer, terms
        self.evaluations = 0
        self.states = np.empty((0, 2, len(energies)))

    def amplitudes(self, angles: Angles) -> np.ndarray:
        """Complex (N,)."""
        return self.mixer.complex_amplitudes(self._forward(self.checked(angles), keep=False)[-1])

    def probabilities(self, angles: Angles) -> np.ndarray:
        """(N,)."""
        return _squared(self._forward(self.checked(angles), keep=False)[-1])

    def value_and_gradient(self, angles: Angles, objective: Objective) -> tuple[float, Angles]:
        """The objective and its gradient by gammas and betas, in their shapes."""
        gammas, betas = angles = self.checked(angles)
        depth = len(gammas)
        keep = (depth + 1) * len(self.energies) <= MOST_KEPT
        states = self._forward(angles, keep)
        state = states[-1]
        value, slopes = objective.value_and_slope(_squared(state))
        slope = 2 * slopes * state
        by_gamma, by_beta = np.empty(gammas.shape), np.empty(betas.shape)
        for layer in reversed(range(depth)):
            gradient = self.mixer.undo(slope, state, self._betas(betas[layer]))
            by_beta[layer] = gradient if betas.ndim == 2 else gradient.sum()
            before = states[layer] if keep else self._back(state, gammas[layer], betas[layer])
            by_gamma[layer] = self._phase_back(slope, gammas[layer], before)
            state = before
        return value, (by_gamma, by_beta)

    def checked(self, angles: Angles) -> Angles:
        """As arrays; raises InputError for shapes that do not fit the circuit, and for angles that are not finite."""
        gammas, betas = (np.asarray(part, dtype=float) for part in angles)
        widths = len(self.terms) if self.terms is not None else None, self.mixer.angles
        for name, part, width in zip(("gammas", "betas"), (gammas, betas), widths, strict=True):
            depth = gammas.shape[:1]
            allowed = [depth] if width is None else [depth, (*depth, width)]
            if part.shape not in allowed or depth in ((), (0,)):
                shape = "(p,)" if width is None else f"(p,) or (p, {width})"
                raise InputError(f"{name} of shape {part.shape}: {shape} is allowed, with p layers of both")
        if not (np.isfinite(gammas).all() and np.isfinite(betas).all()):
            raise InputError("an angle is not a finite number")
        return gammas, betas

    def _forward(self, angles: Angles, keep: bool) -> np.ndarray:
        """States (p + 1, 2, N) before the first and after every layer; of the last layer alone (1, 2, N) unless kept."""
        self.evaluations += 1
        depth = len(angles[0])
        rooms = depth + 1 if keep else 2
        if len(self.states) < rooms:
            self.states = np.empty((rooms, 2, len(self.energies)))
        self.states[0] = self.mixer.start()
        for layer, (gamma, beta) in enumerate(zip(*angles, strict=True)):
            old, new = (layer, layer + 1) if keep else (layer % 2, 1 - layer % 2)
            self._phase(self.states[old], gamma, self.states[new])
            self.mixer.apply(self.states[new], self._betas(beta))
        return self.states[: depth + 1] if keep else self.states[depth % 2][None]

    def _back(self, state: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """The state before a layer; uses up the one after it."""
        self.mixer.apply(state, -self._betas(beta))
        before = np.empty_like(state)
        self._phase(state, -gamma, before)
        return before

    def _betas(self, beta: np.ndarray) -> np.ndarray:
        return np.broadcast_to(beta, self.mixer.angles)

    def _diagonal(self, gamma: np.ndarray) -> tuple[np.ndarray, float]:
        """What the phases of a layer are: a diagonal, and its factor."""
        if self.terms is None or np.ndim(gamma) == 0:
            return self.energies, float(gamma)
        return self.terms.total(gamma), 1.0

    def _phase(self, old: np.ndarray, gamma: np.ndarray, new: np.ndarray) -> None:
        phase(*old, *self._diagonal(gamma), *new)

    def _phase_back(self, slope: np.ndarray, gamma: np.ndarray, before: np.ndarray) -> float | np.ndarray:
        gradient = phase_back(*slope, *self._diagonal(gamma), *before)
        if self.terms is None or np.ndim(gamma) == 0:
            return gradient
        return self.terms.sums(slope[0] * before[1] - slope[1] * before[0])


def _squared(state: np.ndarray) -> np.ndarray:
    return state[0] ** 2 + state[1] ** 2
