"""Chapter 4: the large targets and their references, by DMRG with convergence evidence.

Apart from :mod:`qednas.qed.targets`, so that a change of the predictor does not make the references stale.
"""

from __future__ import annotations

from qednas.companion.parallel import Task, map_tasks
from qednas.physics.families import build
from qednas.physics.reference import is_free_fermion, reference

# (class, family, sites, parameters): four or more of every class; chapter 4 says which were seen while settings were chosen
TARGETS: list[tuple[str, str, int, dict]] = [
    ("gapped", "tfim", 64, {"h": 1.5}),
    ("gapped", "tfim", 100, {"h": 0.7}),
    ("gapped", "mixed_field_ising", 64, {"h": 0.8, "g": 0.3}),
    ("gapped", "annni", 64, {"kappa": 0.3, "h": 1.0}),
    ("gapped", "j1j2", 60, {"j2": 0.5}),
    ("critical", "tfim", 64, {"h": 1.0}),
    ("critical", "xy", 72, {"gamma": 0.6, "h": 1.0}),
    ("critical", "cluster", 64, {"h": 1.0}),
    ("critical", "tfim", 96, {"h": 1.06}),
    ("gapless", "xxz", 64, {"delta": 0.5}),
    ("gapless", "xxz", 50, {"delta": -0.5}),
    ("gapless", "xxz", 64, {"delta": 0.0}),
    ("gapless", "j1j2", 50, {"j2": 0.15}),
    ("topological", "cluster", 64, {"h": 0.4}),
    ("topological", "ssh", 64, {"delta": -0.5}),
    ("topological", "ssh", 96, {"delta": -0.2}),
    ("topological", "cluster_ising", 64, {"lam": 0.4, "h": 0.2}),
    ("long-range", "long_range_ising", 64, {"alpha": 2.0, "h": 3.5}),
    ("long-range", "long_range_ising", 64, {"alpha": 3.0, "h": 1.3}),
    ("long-range", "long_range_ising", 50, {"alpha": 1.5, "h": 2.0}),
    ("long-range", "long_range_ising", 100, {"alpha": 4.0, "h": 1.2}),
    ("disordered", "random_field", 64, {"w": 2.0, "disorder_seed": 1}),
    ("disordered", "random_field", 50, {"w": 4.0, "disorder_seed": 2}),
    ("disordered", "random_tfim", 64, {"h": 1.0, "w": 0.5, "disorder_seed": 3}),
    ("disordered", "random_tfim", 96, {"h": 1.5, "w": 0.7, "disorder_seed": 4}),
    ("two-dimensional", "tfim_2d", 64, {"h": 3.0, "width": 4}),
    ("two-dimensional", "tfim_2d", 64, {"h": 1.5, "width": 4}),
    ("two-dimensional", "tfim_2d", 80, {"h": 2.0, "width": 2}),
    ("two-dimensional", "tfim_2d", 60, {"h": 4.0, "width": 4}),
]


def solve_target(task: Task) -> dict:
    """DMRG reference of one target, and the same from free fermions where they apply (None elsewhere)."""
    hamiltonian = build(task["family"], task["sites"], **task["parameters"])
    large = reference(hamiltonian, "dmrg", chi_max=task["chi"])
    exact = reference(hamiltonian, "free-fermion") if is_free_fermion(hamiltonian) else None
    keep = ("energy", "proxies", "profile", "sector", "converged", "evidence")
    return {k: large[k] for k in keep} | {
        "seconds": large["seconds"],
        "exact_energy": exact and exact["energy"],
        "exact_entropy": exact and exact["entropy"],
    }


def solve_targets(
    classes: list[str] | None, chi: int, most: int, workers: int = 2, checkpoint=None, progress=None
) -> dict:
    """References of the targets of ``classes`` (None: all), at most ``most`` of each class, in parallel and resumable.

    Returns ``targets`` (what each is and its reference), ``evidence`` (stages of the bond dimension, variance, truncation
    error; diagnostics that may differ between machines) and ``timing``.
    """
    chosen: list[dict] = []
    for label, family, sites, parameters in TARGETS:
        taken = sum(t["class"] == label for t in chosen)
        if (classes is None or label in classes) and taken < most:
            chosen.append({"class": label, "family": family, "sites": sites, "parameters": parameters, "chi": chi})
    found = map_tasks(solve_target, chosen, workers=workers, checkpoint=checkpoint, progress=progress)
    seconds = [f.pop("seconds") for f in found]
    evidence = [f.pop("evidence") for f in found]
    targets = [t | f for t, f in zip(chosen, found, strict=True)]
    return {"targets": targets, "evidence": evidence, "timing": {"seconds": seconds}}


def title(target: dict) -> str:
    """Short name of a target, e.g. ``tfim(h=1) N=64``."""
    values = ", ".join(f"{k}={v:g}" for k, v in target["parameters"].items() if k != "disorder_seed")
    return f"{target['family']}({values}) N={target['sites']}"
