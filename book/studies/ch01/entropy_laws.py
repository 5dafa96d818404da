"""The three ways entropy grows with the size of a block, on states that show them exactly (chapter 1)."""

from __future__ import annotations

import numpy as np

from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES, chord_length, levels, page_entropy, proxies, schmidt_spectra
from qednas.physics.exact import ground_state
from qednas.physics.families import build

GAPPED_FIELD, CRITICAL_FIELD = 2.0, 1.0
CENTRAL_CHARGE = 0.5  # of the critical transverse-field Ising chain


def half_chain(sites: int) -> int:
    """Index of the half-chain cut in a list of the spectra of all cuts."""
    return sites // 2 - 1


@declare(version=1)
def ising_line(sites: int, fields: list[float]) -> dict:
    """Half-chain entanglement of the transverse-field Ising chain at each field.

    Returns ``fields`` and ``gap`` (in the even sector, Pauli units), ``proxies`` ({name: one value a field}, nats) and the
    array ``levels`` (fields, 8) of the lowest levels xi = -ln p.
    """
    states = [ground_state(build("tfim", sites, h=h)) for h in fields]
    spectra = [state.spectra[half_chain(sites)] for state in states]
    features = [proxies(p) for p in spectra]
    return {
        "sites": sites,
        "fields": [float(h) for h in fields],
        "gap": [state.gap for state in states],
        "proxies": {name: [f[name] for f in features] for name in PROXIES},
        "levels": np.array([levels(p) for p in spectra]),
    }


def entropies(spectra: list[np.ndarray]) -> np.ndarray:
    """Entropy (nats) of each cut (cuts,)."""
    return np.array([proxies(p)["entropy"] for p in spectra])


def haar_state(sites: int, rng: np.random.Generator) -> np.ndarray:
    """Uniformly random pure state, amplitudes (2**sites,)."""
    psi = rng.standard_normal(1 << sites) + 1j * rng.standard_normal(1 << sites)
    return psi / np.linalg.norm(psi)


@declare(version=1)
def entropy_profiles(sites: int, samples: int, seed: int = 0) -> dict:
    """Entropy of every cut, lists (sites - 1,) in nats: a gapped chain, a critical chain and random states.

    ``conformal`` is (c/6) ln of the chord length, shifted to the critical half-chain value (Calabrese and Cardy 2004);
    ``haar`` is the mean over ``samples`` random states with standard error ``haar_sem``, ``page`` its exact mean.
    ``haar_half``, ``haar_half_sem`` and ``page_half`` are the half-chain values.
    """
    gapped, critical = (
        entropies(ground_state(build("tfim", sites, h=h)).spectra) for h in (GAPPED_FIELD, CRITICAL_FIELD)
    )
    rng = np.random.default_rng(seed)
    haar = np.array([entropies(schmidt_spectra(haar_state(sites, rng), sites)) for _ in range(samples)])
    mean, sem = haar.mean(axis=0), haar.std(axis=0, ddof=1) / np.sqrt(samples)
    page = [page_entropy(2**left, 2 ** (sites - left)) for left in range(1, sites)]
    growth = CENTRAL_CHARGE / 6 * np.log([chord_length(sites, left) for left in range(1, sites)])
    middle = half_chain(sites)
    return {
        "sites": sites,
        "samples": samples,
        "gapped": gapped.tolist(),
        "critical": critical.tolist(),
        "conformal": (growth - growth[middle] + critical[middle]).tolist(),
        "haar": mean.tolist(),
        "haar_sem": sem.tolist(),
        "page": page,
        "haar_half": float(mean[middle]),
        "haar_half_sem": float(sem[middle]),
        "page_half": page[middle],
    }


def plot_ising_line(line):
    """Half-chain entropy and proxies (left) and lowest levels (right) against the field, from :func:`ising_line`."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
    marks = {"entropy": "o-", "renyi2": "s--", "variance": "^:"}
    texts = {"entropy": "entropy", "renyi2": "Rényi-2 entropy", "variance": "variance of the levels"}
    for name, mark in marks.items():
        left.plot(line["fields"], line["proxies"][name], mark, ms=4, label=texts[name])
    left.axhline(np.log(2), color="0.5", lw=0.8, ls=":", label="ln 2")
    left.set(
        xlabel="field $h$",
        ylabel="nats (variance: nats$^2$)",
        title=f"half-chain proxies, N = {line['sites']}",
        ylim=(-0.02, 0.95),
    )
    left.legend(ncols=2, loc="upper center")
    for number, level in enumerate(np.asarray(line["levels"]).T[:6]):
        right.plot(line["fields"], level, "o-", ms=3, label=rf"$\xi_{number}$")
    right.set(
        xlabel="field $h$", ylabel=r"level $\xi = -\ln p$ (nats)", title="lowest entanglement levels", ylim=(0, 27)
    )
    right.legend(ncols=6, loc="upper center", handlelength=1, columnspacing=0.9, handletextpad=0.4)
    return figure


def plot_profiles(profiles):
    """Entropy of every cut from :func:`entropy_profiles`: all three laws (left), the two small ones enlarged (right)."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
    cuts = np.arange(1, profiles["sites"])
    for axis in (left, right):
        axis.plot(cuts, profiles["gapped"], "s-", color="#0072B2", ms=4, label=f"gapped chain, h = {GAPPED_FIELD:g}")
        axis.plot(
            cuts, profiles["critical"], "o", color="#D55E00", ms=4, label=f"critical chain, h = {CRITICAL_FIELD:g}"
        )
        axis.plot(cuts, profiles["conformal"], "-", color="#D55E00", lw=1, label="conformal, c = 1/2")
        axis.set(xlabel="cut after site", ylabel="entropy (nats)")
    spread = {"yerr": profiles["haar_sem"], "fmt": "^", "ms": 4, "color": "#009E73"}
    left.errorbar(cuts, profiles["haar"], **spread, label=f"random states (mean of {profiles['samples']})")
    left.plot(cuts, profiles["page"], "-", color="#009E73", lw=1, label="Page")
    left.set(title="volume law against the others", ylim=(0, 1.5 * max(profiles["page"])))
    left.legend(loc="upper center", ncols=2, fontsize=7.5)
    right.set(title="the same, enlarged", ylim=(0, 1.45 * max(profiles["critical"])))
    right.legend(loc="upper center", ncols=2, fontsize=7.5)
    return figure
