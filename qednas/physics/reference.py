"""A trustworthy ground state of any system, by the best method that fits it, as one plain record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.entanglement import mode_proxies, proxies
from qednas.physics.hamiltonian import Hamiltonian, Sector

METHODS = ("auto", "ed", "free-fermion", "dmrg")
AUTO_ED_SITES = 16
SPECTRUM = 32  # how many of the largest probabilities are reported
PROFILE_SITES = 256  # above it the free-fermion entropy of every cut is left out: it costs a decomposition a cut


class Reference(TypedDict):
    """A ground state as plain numbers and lists."""

    energy: float  # Pauli units
    gap: float | None  # inside the sector; None from DMRG
    entropy: float  # nats, like all that follows
    renyi2: float
    proxies: dict[str, float]  # of the half-chain cut
    profile: list[float]  # entropy of every cut
    spectrum: list[float]  # largest probabilities at the half-chain cut
    method: str
    sector: str
    pinning: str
    converged: bool
    evidence: dict[str, Any]  # what convergence rests on
    seconds: float


def choose_method(hamiltonian: Hamiltonian) -> str:
    """free-fermion where possible (exact at any size), else ed to 16 sites, else dmrg."""
    from qednas.physics.gaussian.free_fermion import is_quadratic

    if is_quadratic(hamiltonian):
        return "free-fermion"
    return "ed" if hamiltonian.sites <= AUTO_ED_SITES else "dmrg"


def reference(hamiltonian: Hamiltonian, method: str = "auto", *, chi_max: int = 256, progress=None) -> Reference:
    """Energy, gap and half-chain entanglement of the ground state; raises InputError when the method does not fit the system."""
    if method not in METHODS:
        raise InputError(f"method {method!r}: need one of {', '.join(METHODS)}")
    start = time.perf_counter()
    method = choose_method(hamiltonian) if method == "auto" else method
    if method == "free-fermion":
        solution = _free_fermion(hamiltonian)
    elif method == "ed":
        solution = _exact(hamiltonian)
    else:
        solution = _dmrg(hamiltonian, chi_max, progress)
    features, gap = solution.features, solution.gap
    return {
        "energy": solution.energy,
        "gap": gap if gap is not None and np.isfinite(gap) else None,  # a sector of one state has no gap
        "entropy": features["entropy"],
        "renyi2": features["renyi2"],
        "proxies": features,
        "profile": solution.profile,
        "spectrum": [float(p) for p in solution.spectrum[:SPECTRUM]],
        "method": method,
        "sector": str(solution.sector),
        "pinning": hamiltonian.pinning,
        "converged": solution.converged,
        "evidence": solution.evidence,
        "seconds": time.perf_counter() - start,
    }


@dataclass(frozen=True)
class _Solution:
    """What a method gives; features of the half-chain cut."""

    energy: float
    gap: float | None
    sector: Sector
    converged: bool
    evidence: dict[str, Any]
    features: dict[str, float]
    profile: list[float]
    spectrum: np.ndarray


def _free_fermion(hamiltonian: Hamiltonian) -> _Solution:
    from qednas.physics.gaussian.free_fermion import ground_state

    state = ground_state(hamiltonian)
    half, sites = hamiltonian.sites // 2, hamiltonian.sites
    features, spectrum = mode_proxies(state.modes(half))
    evidence = {"exact": "diagonal quadratic form"}
    cuts = range(1, sites) if sites <= PROFILE_SITES else ()
    profile = [mode_proxies(state.modes(cut))[0]["entropy"] for cut in cuts]
    return _Solution(state.energy, state.gap, state.sector, True, evidence, features, profile, spectrum)


def _exact(hamiltonian: Hamiltonian) -> _Solution:
    from qednas.physics.exact import ground_state

    state = ground_state(hamiltonian)
    evidence = {"exact": "Lanczos to machine precision"}
    return _from_spectra(state.spectra, state.energy, state.gap, state.sector, True, evidence)


def _dmrg(hamiltonian: Hamiltonian, chi_max: int, progress) -> _Solution:
    from qednas.physics.dmrg import ground_state

    state = ground_state(hamiltonian, chi_max=chi_max, progress=progress)
    evidence = {"stages": state.stages, "variance": state.variance, "truncation_error": state.truncation_error}
    return _from_spectra(state.spectra, state.energy, None, state.sector, state.converged, evidence)


def _from_spectra(
    spectra: list[np.ndarray], energy: float, gap, sector: Sector, converged: bool, evidence
) -> _Solution:
    cuts, half = [proxies(p) for p in spectra], (len(spectra) + 1) // 2 - 1
    profile = [cut["entropy"] for cut in cuts]
    return _Solution(energy, gap, sector, converged, evidence, cuts[half], profile, spectra[half])
