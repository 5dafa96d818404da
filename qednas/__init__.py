"""QED-NAS companion: architecture searches over quantum systems, measured claim by claim.

What users call, imported when it is asked for, so that ``import qednas`` and the command line start quickly:

    families, Hamiltonian       Hamiltonians by name, or as a sum of Pauli strings
    reference                   a ground state, by exact diagonalisation, free fermions or DMRG
    predict                     its entanglement from the couplings alone
    search                      a network for it, found by its predicted entanglement, and trained
    train, measure              a network of one's own choice, by variational Monte Carlo
    Generator                   a torch module whose weights a searched quantum circuit generates
    Search                      architectures proposed (ask) and judged (tell) one by one, by quantum or classical methods
"""

from importlib import import_module

__version__ = "0.2.0"
OFFERED = {
    "families": "qednas.physics.families",
    "Hamiltonian": "qednas.physics.hamiltonian",
    "reference": "qednas.physics.reference",
    "predict": "qednas.qed.predictor.predict",
    "search": "qednas.qed.search.search",
    "train": "qednas.qed.vmc.vmc",
    "measure": "qednas.qed.vmc.vmc",
    "Generator": "qednas.diffqas.generator",
    "Search": "qednas.qnas.loop",
}
__all__ = list(OFFERED)


def __getattr__(name: str):
    if name not in OFFERED:
        raise AttributeError(f"module 'qednas' has no attribute {name!r}")
    module = import_module(OFFERED[name])
    return getattr(module, name, module)
