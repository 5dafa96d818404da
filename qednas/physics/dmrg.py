"""Large ground states by TeNPy's two-site DMRG, with the evidence that they are converged.  The only user of TeNPy.

The bond dimension doubles from stage to stage, each stage starting from the last state, until the energy and the entropy of
every cut stop moving; converged means that, and a small energy variance.  The stages, the truncation error and the variance
are kept as evidence.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.exact import TIE, sectors_to_try
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.mpo import build_grids

MAX_SITES = 200
ENERGY_CHANGE = 1e-8  # relative, over the last doubling of the bond dimension
ENTROPY_CHANGE = 1e-5  # nats, over the last doubling, at every cut
ENERGY_SPREAD = 1e-5  # standard deviation of the energy in the final state, relative to the energy
MAX_STAGES = 12  # a state that needs no more bond dimension may still creep; then it is reported as unconverged
PROBE_CHI = 24  # bond dimension of the search over magnetisations


@dataclass(frozen=True)
class DmrgState:
    """A DMRG ground state: energy and variance (Pauli units), spectra of the sites - 1 cuts (discarded weight missing),
    largest truncation error, whether it is converged, one record per stage, the sector it lives in."""

    energy: float
    variance: float
    spectra: list[np.ndarray]
    truncation_error: float
    converged: bool
    stages: list[dict]
    sector: Sector


def ground_state(
    hamiltonian: Hamiltonian,
    *,
    chi_max: int = 256,
    chi_start: int = 32,
    progress: Callable[[str], None] | None = None,
) -> DmrgState:
    """Ground state in the Hamiltonian's sector with bond dimension up to ``chi_max``.

    progress is called with a line of text after every stage.  Raises InputError above 200 sites.
    """
    sites = hamiltonian.sites
    if sites > MAX_SITES:
        raise InputError(f"DMRG to {MAX_SITES} sites, not {sites}")
    if not hamiltonian.conserves(hamiltonian.sector):
        raise InputError(f"{hamiltonian.name} does not conserve {hamiltonian.sector}")
    if chi_max < 2:
        raise InputError(f"bond dimension {chi_max}: at least 2")
    chi_start = min(chi_start, chi_max // 2)  # two stages at least: convergence is judged between stages
    frame = hamiltonian.swap_xz() if hamiltonian.sector.kind == "parity_x" else hamiltonian
    if frame.sector.kind == "magnetisation" and frame.sector.value is None:
        frame = frame.in_sector(lowest_magnetisation(frame))
    states = [_solve(frame, sector, chi_start, chi_max, progress) for sector in sectors_to_try(frame)]
    best = states[0]
    for state in states[1:]:
        if state.energy < best.energy - TIE * abs(best.energy):
            best = state
    kind = hamiltonian.sector.kind  # named in the frame of the caller
    return replace(best, sector=Sector(kind, best.sector.value))


def lowest_magnetisation(hamiltonian: Hamiltonian) -> Sector:
    """The sum Z with the lowest energy, by a golden-section search with small bond dimension: the energy is convex in it."""
    energies: dict[int, float] = {}

    def energy(k: int) -> float:
        if k not in energies:
            sector = Sector("magnetisation", 2 * k - hamiltonian.sites)
            energies[k] = _solve(hamiltonian, sector, PROBE_CHI, PROBE_CHI, None).energy
        return energies[k]

    low, high = 0, hamiltonian.sites  # numbers of up spins
    while high - low > 2:
        inner = low + max(1, round(0.382 * (high - low)))
        outer = min(max(inner + 1, high - (inner - low)), high - 1)
        low, high = (low, outer) if energy(inner) <= energy(outer) else (inner, high)
    best = min(range(low, high + 1), key=lambda k: (energy(k), abs(2 * k - hamiltonian.sites)))
    return Sector("magnetisation", 2 * best - hamiltonian.sites)


def _start(hamiltonian: Hamiltonian, sector: Sector) -> list[str]:
    """A product state of the sector, as spread out as possible; of it and its mirror image the one that fields along z
    prefer: two-site updates cannot carry a flipped edge spin from one end of a gapped chain to the other."""
    sites = hamiltonian.sites
    if sector.kind != "magnetisation":
        state = ["up"] * sites
        if sector.value == -1:
            state[sites // 2] = "down"
        return state
    value = sector.value or 0
    down = (sites - value) // 2
    if (sites - value) % 2 or not 0 <= down <= sites:
        raise InputError(f"sector {sector} of {sites} sites is empty: sum Z has the parity of the number of sites")
    steps = np.floor(np.arange(1, sites + 1) * down / sites) - np.floor(np.arange(sites) * down / sites)
    state = ["down" if step else "up" for step in steps]
    classical = ~hamiltonian.x.any(1)
    strings, couplings = hamiltonian.z[classical], hamiltonian.couplings[classical]
    energy, mirrored = (couplings @ (1.0 - 2.0 * (strings @ s.astype(int) % 2)) for s in (steps, steps[::-1]))
    return state[::-1] if mirrored < energy - 1e-12 * np.abs(hamiltonian.couplings).max() else state


def _model(hamiltonian: Hamiltonian, sector: Sector):
    """TeNPy model of the Hamiltonian with the charge of the sector conserved."""
    from tenpy.models.lattice import Chain
    from tenpy.models.model import MPOModel
    from tenpy.networks.mpo import MPO
    from tenpy.networks.site import SpinHalfSite

    conserve = {"magnetisation": "Sz", "parity_z": "parity", "none": "None"}[sector.kind]
    site = SpinHalfSite(conserve=conserve, sort_charge=True)
    if sector.kind == "magnetisation":
        names, products = {"P": "Sp", "M": "Sm", "Z": "Sigmaz"}, hamiltonian.ladder_terms()
    else:
        names = {a: f"Sigma{a.lower()}" for a in "XYZ"}
        products = {(letters, places): c for letters, places, c in hamiltonian.terms()}
    names["Id"] = "Id"
    if all(abs(np.imag(c)) == 0 for c in products.values()):
        products = {k: float(np.real(c)) for k, c in products.items()}
    grids = [
        [[[(names[op], value) for op, value in entry] or None for entry in row] for row in grid]
        for grid in build_grids(products, hamiltonian.sites)
    ]
    n = hamiltonian.sites
    operator = MPO.from_grids(
        [site] * n, grids, bc="finite", IdL=[0] * n + [None], IdR=[None] + [-1] * n, mps_unit_cell_width=n
    )
    return MPOModel(Chain(n, site, bc="open", bc_MPS="finite"), operator)


def _solve(hamiltonian: Hamiltonian, sector: Sector, chi: int, chi_max: int, progress) -> DmrgState:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TeNPy warns of unused options and of its optional compiled part
        level = logging.getLogger("tenpy").level
        logging.getLogger("tenpy").setLevel(logging.ERROR)
        try:
            return _stages(hamiltonian, sector, chi, chi_max, progress)
        finally:
            logging.getLogger("tenpy").setLevel(level)


def _stages(hamiltonian: Hamiltonian, sector: Sector, chi: int, chi_max: int, progress) -> DmrgState:
    from tenpy.algorithms.dmrg import TwoSiteDMRGEngine
    from tenpy.networks.mps import MPS

    model = _model(hamiltonian, sector)
    psi = MPS.from_product_state(model.lat.mps_sites(), _start(hamiltonian, sector), bc="finite")
    stages: list[dict] = []
    previous = None
    converged = False
    while True:
        first = previous is None
        options = {
            "mixer": True,
            "mixer_params": {"amplitude": 1e-3 if first else 1e-6, "decay": 2.0, "disable_after": 8 if first else 2},
            "trunc_params": {"chi_max": chi, "svd_min": 1e-9},
            "max_E_err": 1e-10,
            "max_S_err": 1e-6,
            "max_trunc_err": None,  # a large one is reported as unconverged, not an error
            "min_sweeps": 10 if first else 4,
            "max_sweeps": 20 if first else 10,
            "N_sweeps_check": 2,
        }
        engine = TwoSiteDMRGEngine(psi, model, options)
        # these are read late: an interrupted run would be told that they are unused
        engine.options.touch("max_E_err", "max_S_err", "max_trunc_err")
        energy, psi = engine.run()
        psi.canonical_form()
        spectra = [np.sort(psi.get_SL(i) ** 2)[::-1] for i in range(1, hamiltonian.sites)]
        entropies = np.array([-(p[p > 0] @ np.log(p[p > 0])) for p in spectra])
        truncation = float(np.max(engine.sweep_stats["max_trunc_err"][-1:]))
        stage = {
            "chi": chi,
            "used_chi": int(max(psi.chi)),
            "energy": float(energy),
            "entropy": float(entropies[(hamiltonian.sites - 2) // 2]),
            "truncation_error": truncation,
            "sweeps": int(engine.sweeps),
        }
        stages.append(stage)
        if progress:
            progress(
                f"DMRG chi {chi}: energy {energy:.9f}, entropy {stage['entropy']:.6f}, truncation {truncation:.1e}"
            )
        complete = stage["used_chi"] < chi  # the state does not fill the bond dimension: nothing left to truncate
        if previous is not None:
            changes = abs(energy - previous[0]) / abs(energy), np.abs(entropies - previous[1]).max()
            converged = bool(changes[0] <= ENERGY_CHANGE and changes[1] <= ENTROPY_CHANGE)
        if converged or chi >= chi_max or len(stages) == MAX_STAGES:
            break
        previous, chi = (energy, entropies), chi if complete else min(2 * chi, chi_max)
    variance = float(np.real(model.H_MPO.variance(psi, energy)))
    converged = converged and bool(max(variance, 0.0) ** 0.5 <= ENERGY_SPREAD * abs(energy))
    return DmrgState(float(energy), variance, spectra, truncation, converged, stages, sector)
