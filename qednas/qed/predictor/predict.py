"""One call for the entanglement of a ground state from its couplings, by the predictor that comes with the package."""

from __future__ import annotations

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.predictor.predictor import Prediction, shipped_predictor

LEAST_SITES = 4


def predict(hamiltonian: Hamiltonian, *, refine: bool = False) -> Prediction:
    """Entanglement of the ground state (half chain and every cut, nats) from the couplings alone.

    refine: correct it by exact results at 10 to 14 sites, in seconds.  Raises InputError below 4 sites, and where nothing can be
    solved exactly to refine by.
    """
    if hamiltonian.sites < LEAST_SITES:
        raise InputError(f"sites = {hamiltonian.sites}: a prediction needs at least {LEAST_SITES} sites")
    if refine:
        from qednas.qed.predictor.refine import refine as refined

        return refined(shipped_predictor(), hamiltonian)
    return shipped_predictor().predict(hamiltonian)
