"""Hamiltonians between two families: a question whose answer no training system holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.system_file import choose_sector
from studies.ch02.dataset import label_state
from studies.ch02.recipes import RECIPES

PARENTS = ("tfim", "xy", "xxz", "j1j2", "annni", "long_range_ising", "mixed_field_ising")
SHARE = (0.2, 0.8)  # of the first family


def interpolate(first: Hamiltonian, second: Hamiltonian, share: float) -> Hamiltonian:
    """share * first + (1 - share) * second, in the sector that the symmetries which are left choose."""
    terms = [(*t[:2], share * t[2]) for t in first.terms()] + [(*t[:2], (1 - share) * t[2]) for t in second.terms()]
    mixed = Hamiltonian.from_terms(first.sites, terms, name=f"{first.name}+{second.name}")
    return replace(mixed, sector=choose_sector(mixed))


class MixtureRecipe(TypedDict):
    """What a mixture is made of."""

    families: list[str]  # two
    share: float  # of the first
    sites: int


def draw_mixture(seed: int, number: int, sites: int) -> tuple[Hamiltonian, MixtureRecipe]:
    """Mixture ``number``: two different families at points of the data set's recipes, and what it is."""
    rng = np.random.default_rng([seed, 31, number])
    names = rng.choice(PARENTS, 2, replace=False).tolist()
    points = [RECIPES[name].draw(rng) for name in names]
    if "xxz" in names:  # without the edge fields of the Neel phase
        points[names.index("xxz")]["delta"] = float(rng.uniform(-0.8, 1.0))
    share = float(rng.uniform(*SHARE))
    first, second = (build(name, sites, **point) for name, point in zip(names, points, strict=True))
    return interpolate(first, second, share), {"families": names, "share": share, "sites": sites}


class SolvedMixture(MixtureRecipe):
    """A mixture and its ground state."""

    number: int
    degenerate: bool
    proxies: list[float]  # (5,) of the half chain, nats


@declare(version=1)
def solve_mixture(task: Task) -> SolvedMixture:
    """Exact half-chain proxies of one mixture, and whether its ground state is degenerate."""
    hamiltonian, recipe = draw_mixture(task["seed"], task["number"], task["sites"])
    label = label_state(hamiltonian)
    return cast(
        SolvedMixture,
        recipe
        | {
            "number": task["number"],
            "degenerate": label["degenerate"],
            "proxies": label["proxies"][task["sites"] // 2 - 1].tolist(),
        },
    )


class Mixtures(TypedDict):
    """Random mixtures."""

    mixtures: list[SolvedMixture]  # with a unique ground state
    degenerate: int  # the others


@declare(version=1, pieces=(solve_mixture,))
def solve_mixtures(count: int, sites: int, seed: int = 0, work: Work = Work()) -> Mixtures:
    """Exact results of ``count`` random mixtures."""
    tasks = [{"seed": seed, "number": k, "sites": sites} for k in range(count)]
    mixtures = map_tasks(solve_mixture, tasks, work=work)
    return {
        "mixtures": [f for f in mixtures if not f["degenerate"]],
        "degenerate": sum(f["degenerate"] for f in mixtures),
    }
