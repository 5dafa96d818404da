"""What ``from qednas import families, predict, search`` gives."""

from __future__ import annotations

from typing import Any

from qednas.physics import families
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.predictor.predictor import shipped
from qednas.qed.search.search import search

__all__ = ["families", "predict", "search"]


def predict(hamiltonian: Hamiltonian, *, refine: bool = False) -> dict[str, Any]:
    """Entanglement of the ground state (half chain and every cut, nats) from the couplings alone, by the shipped predictor.

    refine: correct it by exact results at 10 to 14 sites, in seconds.  Returns ``proxies`` with their ``std``, ``profile``,
    ``in_domain`` and ``seconds``.
    """
    if refine:
        from qednas.qed.predictor.refine import refine as refined

        return refined(shipped(), hamiltonian)
    return shipped().predict(hamiltonian)
