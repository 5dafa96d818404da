"""Ground state and the spectrum of every cut of random 16-spin chains: ours and QuSpin's, turn by turn in one process.

Runs in the benchmark environment (QuSpin is no dependency of the project) and prints one JSON object.  Both sides get
the same list of Pauli strings, one thread, the same number of eigenpairs and the same Lanczos tolerance, and start from
that list: making the operator is part of the time.
"""

from __future__ import annotations

import json
import os
import sys
import time

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
from quspin.basis import spin_basis_1d  # noqa: E402
from quspin.operators import hamiltonian as quspin_hamiltonian  # noqa: E402

from qednas.physics.exact import ground_state  # noqa: E402
from qednas.physics.hamiltonian import Hamiltonian  # noqa: E402

Strings = dict[str, list[tuple[float, tuple[int, ...]]]]
CHECKS_OFF = {"check_herm": False, "check_symm": False, "check_pcon": False}
TOLERANCE = 1e-13  # of Lanczos, both sides


def draw(sites: int, seed: int) -> Strings:
    """A random chain: XX, YY, ZZ at distances 1 and 2, X and Z fields, ZXZ; even seeds uniform, odd seeds disordered."""
    rng = np.random.default_rng([16, seed])
    strings: Strings = {}

    def add(letters: str, *offsets: int) -> None:
        places = [tuple(i + k for k in offsets) for i in range(sites - offsets[-1])]
        couplings = rng.normal(size=len(places)) if seed % 2 else np.full(len(places), rng.normal())
        strings.setdefault(letters, []).extend(zip(couplings.tolist(), places, strict=True))

    for letters in ("XX", "YY", "ZZ"):
        add(letters, 0, 1)
        add(letters, 0, 2)
    add("X", 0)
    add("Z", 0)
    add("ZXZ", 0, 1, 2)
    return strings


def ours(strings: Strings, sites: int) -> tuple[float, list[np.ndarray], dict]:
    terms = [(letters, places, c) for letters, listed in strings.items() for c, places in listed]
    state = ground_state(Hamiltonian.from_terms(sites, terms))
    return state.energy, state.spectra, {"gap": state.gap}


def quspin(strings: Strings, sites: int, k: int = 2) -> tuple[float, list[np.ndarray], dict]:
    basis = spin_basis_1d(sites, pauli=True)
    static = [[letters.lower(), [[c, *places] for c, places in listed]] for letters, listed in strings.items()]
    operator = quspin_hamiltonian(static, [], basis=basis, dtype=np.float64, **CHECKS_OFF)
    energies, vectors = operator.eigsh(k=k, which="SA", tol=TOLERANCE)
    psi = vectors[:, np.argmin(energies)]
    spectra = [
        np.sort(basis.ent_entropy(psi, sub_sys_A=range(left), density=False, return_rdm_EVs=True)["p_A"])[::-1]
        for left in range(1, sites)
    ]
    return float(energies.min()), spectra, {}


def largest_difference(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """Over all cuts and probabilities; a list that is shorter misses zeros only."""
    worst = 0.0
    for p, q in zip(a, b, strict=True):
        length = max(len(p), len(q))
        worst = max(worst, float(np.abs(np.pad(p, (0, length - len(p))) - np.pad(q, (0, length - len(q)))).max()))
    return worst


def compare(sites: int, count: int) -> list[dict]:
    """One row per random chain, ours and theirs in turns."""
    for side in (ours, quspin):  # first calls load code and fill caches
        side(draw(8, 0), 8)
    rows = []
    for seed in range(count):
        strings, seconds, answers = draw(sites, seed), {}, {}
        order = [("ours", ours), ("quspin", quspin)]
        for name, side in order if seed % 2 else order[::-1]:
            start = time.perf_counter()
            answers[name] = side(strings, sites)
            seconds[name] = time.perf_counter() - start
        start = time.perf_counter()
        quspin(strings, sites, k=1)
        seconds["quspin_k1"] = time.perf_counter() - start
        rows.append(
            {
                "seed": seed,
                "seconds": seconds,
                "gap": answers["ours"][2]["gap"],
                "energy_difference": abs(answers["ours"][0] - answers["quspin"][0]),
                "spectra_difference": largest_difference(answers["ours"][1], answers["quspin"][1]),
            }
        )
        print(f"  chain {seed}: ours {seconds['ours']:.2f} s, QuSpin {seconds['quspin']:.2f} s", file=sys.stderr)
    return rows


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]), int(sys.argv[2]))))
