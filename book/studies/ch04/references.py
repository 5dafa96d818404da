"""Chapter 4: the large targets and their references, by DMRG with convergence evidence.

Apart from :mod:`studies.ch04.targets`, so that a change of the predictor does not make the references stale.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.physics.gaussian.free_fermion import is_quadratic
from qednas.physics.reference import reference
from studies.ch02.recipes import RECIPES

DRAWN_SEED = 2026
LARGE_FREE = 100  # above this many sites an exact free-fermion reference stands alone, without DMRG beside it
LENGTHS = {
    "default": (50, 64, 80, 100, 128),
    "xxz": (50, 56, 64),
    "j1j2": (50, 56, 60),
    "long_range_ising": (50, 56, 64),
}
DRAWS = {"xxz": 5, "j1j2": 5, "annni": 5, "mixed_field_ising": 5, "random_field": 5, "tfim_2d": 5, "long_range_ising": 5} | {
    family: 4 for family in ("tfim", "xy", "cluster", "ssh", "random_tfim", "cluster_ising")
}  # fmt: skip

# (class, family, sites, parameters).  Chosen by hand: the points a reader would try first, and the longest chains.
CHOSEN: list[tuple[str, str, int, dict]] = [
    ("critical", "tfim", 128, {"h": 1.0}),
    ("critical", "tfim", 96, {"h": 1.06}),
    ("gapped", "xy", 72, {"gamma": 0.6, "h": 1.2}),
    ("gapless", "xxz", 64, {"delta": 0.5}),
    ("gapless", "xxz", 64, {"delta": 1.0}),
    ("gapped", "j1j2", 60, {"j2": 0.3}),
    ("critical", "tfim", 200, {"h": 1.0}),
    ("gapless", "ssh", 200, {"delta": 0.0}),
    ("disordered", "random_tfim", 200, {"h": 1.0, "w": 0.5, "disorder_seed": 7}),
    ("gapped", "annni", 200, {"kappa": 0.3, "h": 0.7}),
    ("gapped", "mixed_field_ising", 200, {"h": 1.0, "g": 0.1}),
    ("gapped", "xxz", 200, {"delta": 2.0}),
]


def draw_targets() -> list[tuple[str, str, int, dict]]:
    """Targets drawn like the points of the data set, with a seed of their own: no one picked them."""
    out = []
    for number, (family, count) in enumerate(DRAWS.items()):
        for k in range(count):
            rng = np.random.default_rng([DRAWN_SEED, number, k])
            sites = int(rng.choice(LENGTHS.get(family, LENGTHS["default"])))
            recipe = RECIPES[family]
            parameters = {name: round(v, 3) if isinstance(v, float) else v for name, v in recipe.draw(rng).items()}
            if sites % parameters.get("width", 1):
                parameters["width"] = 2
            out.append((recipe.label(**parameters), family, sites, parameters))
    return out


TARGETS = CHOSEN + draw_targets()


class TargetReference(TypedDict):
    """A ground state by DMRG, or from free fermions alone where the chain is long; entropies in nats."""

    method: str
    energy: float  # Pauli units
    proxies: dict[str, float]  # of the half-chain cut
    profile: list[float]  # entropy of every cut
    sector: str
    converged: bool
    exact_energy: float | None  # from free fermions, None where they do not apply
    exact_entropy: float | None


class Evidence(TypedDict, total=False):
    """What convergence rests on; diagnostics that may differ between machines."""

    exact: str  # why nothing has to converge
    stages: list[dict]  # of the bond dimension, as DMRG tells them
    variance: float  # of the energy
    truncation_error: float


class SolvedTarget(TargetReference):
    """A reference with how it was reached."""

    evidence: NotRequired[Evidence]  # both stand apart in the result
    seconds: NotRequired[float]


@declare(version=1)
def solve_target(task: Task) -> SolvedTarget:
    """DMRG reference of one target, and the same from free fermions where they apply (None elsewhere)."""
    hamiltonian = build(task["family"], task["sites"], **task["parameters"])
    exact = reference(hamiltonian, "free-fermion") if is_quadratic(hamiltonian) else None
    alone = exact is not None and task["sites"] > LARGE_FREE
    large: dict[str, object] = {**(exact if exact and alone else reference(hamiltonian, "dmrg", chi_max=task["chi"]))}
    keep = ("method", "energy", "proxies", "profile", "sector", "converged", "evidence")
    return cast(
        SolvedTarget,
        {k: large[k] for k in keep}
        | {
            "seconds": large["seconds"],
            "exact_energy": exact and exact["energy"],
            "exact_entropy": exact and exact["entropy"],
        },
    )


LargeTarget = TypedDict(
    "LargeTarget",
    {
        "class": str,
        "family": str,
        "sites": int,
        "parameters": dict,  # as the family names them
        "chi": int,  # largest bond dimension of DMRG
    },
)


class ReferencedTarget(LargeTarget, TargetReference):
    """What a target is, and its reference."""


class ReferenceTiming(TypedDict):
    """What the references took."""

    seconds: list[float]  # of each target


class References(TypedDict):
    """The large targets with their references, and what these rest on."""

    targets: list[ReferencedTarget]
    evidence: list[Evidence]
    timing: ReferenceTiming


@declare(version=1, pieces=(solve_target,))
def solve_targets(classes: list[str] | None, chi: int, most: int, work: Work = Work()) -> References:
    """References of the targets of ``classes`` (None: all), at most ``most`` of each class, in parallel and resumable."""
    chosen: list[LargeTarget] = []
    for label, family, sites, parameters in TARGETS:
        taken = sum(t["class"] == label for t in chosen)
        if (classes is None or label in classes) and taken < most:
            chosen.append({"class": label, "family": family, "sites": sites, "parameters": parameters, "chi": chi})
    solutions = map_tasks(solve_target, chosen, work=work)
    seconds = [f.pop("seconds") for f in solutions]
    evidence = [f.pop("evidence") for f in solutions]
    targets = cast(list[ReferencedTarget], [t | f for t, f in zip(chosen, solutions, strict=True)])
    return {"targets": targets, "evidence": evidence, "timing": {"seconds": seconds}}


def title(target: dict) -> str:
    """Short name of a target, e.g. ``tfim(h=1) N=64``."""
    values = ", ".join(f"{k}={v:g}" for k, v in target["parameters"].items() if k != "disorder_seed")
    return f"{target['family']}({values}) N={target['sites']}"
