"""A trustworthy ground state of any system, by the best method that fits it, as one plain record."""

from __future__ import annotations

import time

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.entanglement import mode_proxies, proxies
from qednas.physics.hamiltonian import Hamiltonian

METHODS = ("auto", "ed", "free-fermion", "dmrg")
AUTO_ED_SITES = 16
SPECTRUM = 32  # how many of the largest probabilities are reported
PROFILE_SITES = 256  # above it the free-fermion entropy of every cut is left out: it costs a decomposition a cut


def is_free_fermion(hamiltonian: Hamiltonian) -> bool:
    """Whether :mod:`qednas.physics.gaussian.free_fermion` can solve it."""
    from qednas.physics.gaussian.free_fermion import quadratic_form

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
    if method == "free-fermion":
        found = _free_fermion(hamiltonian)
    elif method == "ed":
        found = _exact(hamiltonian)
    else:
        found = _dmrg(hamiltonian, chi_max, progress)
    features = found.pop("features")
    common = {"proxies": features, "entropy": features["entropy"], "renyi2": features["renyi2"]}
    labels = {"method": method, "pinning": hamiltonian.pinning, "seconds": time.perf_counter() - start}
    return found | common | labels


def _free_fermion(hamiltonian: Hamiltonian) -> dict:
    from qednas.physics.gaussian.free_fermion import ground_state

    state = ground_state(hamiltonian)
    half, sites = hamiltonian.sites // 2, hamiltonian.sites
    features, spectrum = mode_proxies(state.modes(half))
    profile = []
    if sites <= PROFILE_SITES:
        profile = [mode_proxies(state.modes(cut))[0]["entropy"] for cut in range(1, sites)]
    evidence = {"exact": "diagonal quadratic form"}
    record = _record(state.energy, state.gap, str(state.sector), True, evidence)
    return record | {"features": features, "profile": profile, "spectrum": _leading(spectrum)}


def _exact(hamiltonian: Hamiltonian) -> dict:
    from qednas.physics.exact import ground_state

    state = ground_state(hamiltonian)
    evidence = {"exact": "Lanczos to machine precision"}
    return _record(state.energy, state.gap, str(state.sector), True, evidence) | _from_spectra(state.spectra)


def _dmrg(hamiltonian: Hamiltonian, chi_max: int, progress) -> dict:
    from qednas.physics.dmrg import ground_state

    state = ground_state(hamiltonian, chi_max=chi_max, progress=progress)
    evidence = {"stages": state.stages, "variance": state.variance, "truncation_error": state.truncation_error}
    record = _record(state.energy, None, str(state.sector), state.converged, evidence)
    return record | _from_spectra(state.spectra)


def _record(energy: float, gap: float | None, sector: str, converged: bool, evidence: dict) -> dict:
    finite = gap if gap is not None and np.isfinite(gap) else None  # a sector of one state has no gap
    return {"energy": energy, "gap": finite, "sector": sector, "converged": converged, "evidence": evidence}


def _from_spectra(spectra: list[np.ndarray]) -> dict:
    """Half-chain proxies and spectrum, and the entropy of every cut."""
    every = [proxies(p) for p in spectra]
    half = (len(spectra) + 1) // 2 - 1
    return {"features": every[half], "profile": [p["entropy"] for p in every], "spectrum": _leading(spectra[half])}


def _leading(spectrum: np.ndarray) -> list[float]:
    return [float(p) for p in spectrum[:SPECTRUM]]
