"""Entanglement of networks as states (chapter 1): exact machines, the area law of short range, and random long-range weights.

After Deng, Li and Das Sarma, PRX 7, 021021 (2017).
"""

from __future__ import annotations

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.basis import multiply
from qednas.physics.entanglement import page_entropy, proxies, schmidt_spectra
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import exact_state
from qednas.qed.blocks.rbm import RBM
from studies.ch01.entropy_laws import entropies
from studies.ch01.exact_machines import Torus, cluster, cluster_stabilisers, volume_law

POISSON, ORTHOGONAL, UNITARY = 2 * np.log(2) - 1, 0.5307, 0.5996  # mean gap ratio: exact; GOE and GUE, Atas et al. 2013
RESOLVED = 1e-20  # probabilities above this share of the largest have levels that double precision resolves

# variances of the real and the imaginary part of a weight, in units of N^(-2 power), and hidden units per spin if not 1
ENSEMBLES: dict[str, dict] = {
    "complex, spread 1/√(2N)": {"real": 0.5, "imaginary": 0.5, "power": 0.5},
    "imaginary, spread 2/√N": {"real": 0.0, "imaginary": 4.0, "power": 0.5},
    "imaginary, spread 1/√N": {"real": 0.0, "imaginary": 1.0, "power": 0.5},
    "real, spread 1/√N": {"real": 1.0, "imaginary": 0.0, "power": 0.5},
    "complex, spread √3/N": {"real": 3.0, "imaginary": 3.0, "power": 1.0},
    "complex, spread √3/N, 4 N units": {"real": 3.0, "imaginary": 3.0, "power": 1.0, "density": 4.0},
}


def worst_stabiliser(stabilisers: list[Hamiltonian], psi: np.ndarray) -> float:
    """Largest |<P> - 1| over operators that should be 1."""
    return max(abs(np.vdot(psi, multiply(p, psi)).real - 1) for p in stabilisers)


@declare(version=1)
def exact_machines(sites: int, torus: list[int]) -> dict:
    """Known states as machines: how far stabilisers are from 1 and entropies (nats) from their exact values.

    ``rows``: one dictionary per machine with sites, hidden units, parameters used, ``stabilisers`` and ``entropies`` (largest
    differences; None where there is none); ``profile``: entropy of every cut of the volume-law machine and its exact value.
    """
    cuts = np.arange(1, sites)
    volume, ring, code = volume_law(sites), cluster(sites), Torus(*torus)
    rows = []
    profile = entropies(schmidt_spectra(exact_state(volume), sites))
    exact = np.minimum(cuts, sites - cuts) * np.log(2)
    rows.append({"state": "volume law", "stabilisers": None, "entropies": np.abs(profile - exact).max()} | size(volume))
    psi = exact_state(ring)
    bits = np.minimum(2, np.minimum(cuts, sites - cuts)) * np.log(2)
    deviation = np.abs(entropies(schmidt_spectra(psi, sites)) - bits).max()
    worst = worst_stabiliser(cluster_stabilisers(sites), psi)
    rows.append({"state": "cluster, ring", "stabilisers": worst, "entropies": deviation} | size(ring))
    machine = code.machine()
    psi = exact_state(machine)
    regions = [[0], code.stars[0], code.plaquettes[0], sorted({*code.plaquettes[0], *code.plaquettes[1]})]
    deviation = max(abs(region_entropy(psi, code.sites, region) - code.entropy(region)) for region in regions)
    name = f"toric code, {code.width} x {code.height}"
    worst = worst_stabiliser(code.stabilisers(), psi)
    rows.append({"state": name, "stabilisers": worst, "entropies": deviation} | size(machine))
    return {
        "rows": [{k: float(v) if isinstance(v, np.floating) else v for k, v in row.items()} for row in rows],
        "profile": {"entropy": profile.tolist(), "exact": exact.tolist()},
        "worst_entropy": float(rows[0]["entropies"]),
        "worst_stabiliser": float(max(row["stabilisers"] or 0.0 for row in rows)),
    }


def size(machine: RBM) -> dict:
    return {"sites": machine.sites, "units": len(machine.weights), "parameters": machine.used_parameters}


def region_entropy(psi: np.ndarray, sites: int, region: list[int]) -> float:
    """Entropy (nats) of any set of sites of a state (2**sites,)."""
    rest = np.setdiff1d(np.arange(sites), region)
    matrix = psi.reshape([2] * sites).transpose([*region, *rest]).reshape(1 << len(region), -1)
    return proxies(np.linalg.svd(matrix, compute_uv=False) ** 2)["entropy"]


def draw_machine(
    sites: int, rng: np.random.Generator, real: float, imaginary: float, density: float, reach=None
) -> RBM:
    """Gaussian weights with these standard deviations of their real and imaginary parts, and no biases."""
    machine = RBM(sites, density, reach, scale=0.0)
    shape = tuple(machine.weights.shape)
    weights = real * rng.standard_normal(shape) + 1j * imaginary * rng.standard_normal(shape)
    with torch.no_grad():
        machine.weights.copy_(torch.from_numpy(weights))
    return machine


@declare(version=1)
def short_range_draws(sites: int, ranges: list[int], draws: int, spread: float = 1.0, seed: int = 0) -> dict:
    """Entropy of every cut over random machines of short range with one hidden unit per spin.

    Returns, per range R, ``largest`` and ``mean`` (sites - 1,) and the ``bound`` 2 R ln 2 of one cut; ``share``: the largest
    entropy met, over the bound.
    """
    by_range: dict[str, dict] = {}
    for reach in ranges:
        rng = np.random.default_rng([seed, reach])
        profiles = np.array(
            [
                entropies(schmidt_spectra(exact_state(draw_machine(sites, rng, spread, spread, 1.0, reach)), sites))
                for _ in range(draws)
            ]
        )
        bound = 2 * reach * np.log(2)
        by_range[str(reach)] = {
            "largest": profiles.max(0).tolist(),
            "mean": profiles.mean(0).tolist(),
            "bound": bound,
            "share": float(profiles.max() / bound),
        }
    return {
        "sites": sites,
        "draws": draws,
        "ranges": by_range,
        "worst_share": max(f["share"] for f in by_range.values()),
    }


def gap_ratio(spectrum: np.ndarray) -> float:
    """Mean of min(d_k, d_{k+1}) / max over adjacent gaps d of the levels -ln p (Oganesyan and Huse, PRB 75, 155111)."""
    gaps = np.diff(np.sort(-np.log(spectrum[spectrum > RESOLVED * spectrum.max()])))
    return float(np.mean(np.minimum(gaps[1:], gaps[:-1]) / np.maximum(np.maximum(gaps[1:], gaps[:-1]), 1e-300)))


@declare(version=1)
def draw_random(task: Task) -> dict:
    """Half-chain entropy (nats) and gap ratio of machines of one ensemble and size, one value a draw."""
    sites, shape = task["sites"], ENSEMBLES[task["ensemble"]]
    rng = np.random.default_rng([task["seed"], list(ENSEMBLES).index(task["ensemble"]), sites])
    unit = sites ** -shape["power"]
    # variances over N (power 1/2) or over N^2 (power 1)
    real, imaginary = np.sqrt(shape["real"]) * unit, np.sqrt(shape["imaginary"]) * unit
    density = shape.get("density", 1.0)
    states = (exact_state(draw_machine(sites, rng, real, imaginary, density)) for _ in range(task["draws"]))
    spectra = [np.linalg.svd(psi.reshape(1 << sites // 2, -1), compute_uv=False) ** 2 for psi in states]
    return {"entropy": [proxies(p)["entropy"] for p in spectra], "ratio": [gap_ratio(p) for p in spectra]}


@declare(version=1, pieces=(draw_random,))
def random_machines(sizes: list[int], draws: int, seed: int = 0, work: Work = Work()) -> dict:
    """Long-range machines with random weights: entropy against size, Page's value, and the statistics of the levels.

    ``ensembles``: per ensemble, lists over ``sizes`` of entropy, its standard error, its share of ``page`` and the gap ratio
    with its standard error; ``slope``: growth of the entropy per site over the larger half of the sizes (nats), with its
    standard error, and over Page's growth, ln(2) / 2.
    """
    tasks = [{"ensemble": name, "sites": n, "draws": draws, "seed": seed} for name in ENSEMBLES for n in sizes]
    samples = iter(map_tasks(draw_random, tasks, work=work))
    page = [page_entropy(2 ** (n // 2), 2 ** (n - n // 2)) for n in sizes]
    late = np.arange(len(sizes)) >= len(sizes) // 2
    ensembles = {}
    for name in ENSEMBLES:
        by_size = [next(samples) for _ in sizes]
        entropy, ratio = (np.array([d[key] for d in by_size]) for key in ("entropy", "ratio"))  # (sizes, draws)
        sem = entropy.std(1, ddof=1) / np.sqrt(draws)
        x = np.array(sizes)[late] - np.mean(np.array(sizes)[late])
        slope = x @ entropy.mean(1)[late] / (x @ x)
        ensembles[name] = {
            "entropy": entropy.mean(1).tolist(),
            "sem": sem.tolist(),
            "share": (entropy.mean(1) / page).tolist(),
            "ratio": ratio.mean(1).tolist(),
            "ratio_sem": (ratio.std(1, ddof=1) / np.sqrt(draws)).tolist(),
            "slope": float(slope),
            "slope_sem": float(np.sqrt((x**2) @ sem[late] ** 2) / (x @ x)),
            "slope_share": float(slope / (np.log(2) / 2)),
        }
    return {"sizes": sizes, "draws": draws, "page": page, "ensembles": ensembles}
