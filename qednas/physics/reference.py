"""A trustworthy ground state of any system, by the best method that fits it, as one plain record."""

from __future__ import annotations

import time

import numpy as np

from qednas.errors import InputError
from qednas.physics.entanglement import mode_proxies, proxies
from qednas.physics.hamiltonian import Hamiltonian

METHODS = ("auto", "ed", "free-fermion", "dmrg")
AUTO_ED_SITES = 16
SPECTRUM = 32  # how many of the largest probabilities are reported
PROFILE_SITES = 256  # above it the free-fermion entropy of every cut is left out: it costs a decomposition a cut


def is_free_fermion(hamiltonian: Hamiltonian) -> bool:
    """Whether :mod:`qednas.physics.free_fermion` can solve it."""
    from qednas.physics.free_fermion import quadratic_form

    try:
        quadratic_form(hamiltonian)
    except InputError:
        return False
    return True


def choose_method(hamiltonian: Hamiltonian) -> str:
    """free-fermion where possible (exact at any size), else ed to 16 sites, else dmrg."""
    if is_free_fermion(hamiltonian):
        return "free-fermion"
    return "ed" if hamiltonian.sites <= AUTO_ED_SITES else "dmrg"


def reference(hamiltonian: Hamiltonian, method: str = "auto", *, chi_max: int = 256, progress=None) -> dict:
    """Energy, gap (None from DMRG) and half-chain entanglement of the ground state.

    Returns a dictionary of plain numbers and lists: ``energy`` and ``gap`` (Pauli units), ``entropy``, ``renyi2``,
    ``proxies`` (nats), ``profile`` (entropy of every cut), ``spectrum`` (largest probabilities at the half-chain cut),
    ``method``, ``sector``, ``pinning``, ``converged``, ``evidence`` (what convergence rests on), ``seconds``.
    Raises InputError when the method does not fit the system.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}: need one of {', '.join(METHODS)}")
    start = time.perf_counter()
    method = choose_method(hamiltonian) if method == "auto" else method
    half = hamiltonian.sites // 2
    gap, converged = None, True
    if method == "free-fermion":
        from qednas.physics.free_fermion import ground_state

        state = ground_state(hamiltonian)
        cuts = range(1, hamiltonian.sites) if hamiltonian.sites <= PROFILE_SITES else [half]
        found = {cut: mode_proxies(state.modes(cut)) for cut in cuts}
        features, spectrum = found[half]
        profile = [p["entropy"] for p, _ in found.values()] if len(found) > 1 else []
        gap, evidence = state.gap, {"exact": "diagonal quadratic form"}
    else:
        if method == "ed":
            from qednas.physics.exact import ground_state

            state = ground_state(hamiltonian)
            gap, evidence = state.gap, {"exact": "Lanczos to machine precision"}
        else:
            from qednas.physics.dmrg import ground_state

            state = ground_state(hamiltonian, chi_max=chi_max, progress=progress)
            converged = state.converged
            evidence = {"stages": state.stages, "variance": state.variance, "truncation_error": state.truncation_error}
        every = [proxies(p) for p in state.spectra]
        features, spectrum = every[half - 1], state.spectra[half - 1]
        profile = [p["entropy"] for p in every]
    return {
        "energy": state.energy,
        "gap": gap if gap is None or np.isfinite(gap) else None,
        "entropy": features["entropy"],
        "renyi2": features["renyi2"],
        "proxies": features,
        "profile": profile,
        "spectrum": [float(p) for p in spectrum[:SPECTRUM]],
        "method": method,
        "sector": str(state.sector),
        "pinning": hamiltonian.pinning,
        "converged": converged,
        "evidence": evidence,
        "seconds": time.perf_counter() - start,
    }
