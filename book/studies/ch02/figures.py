"""Figures of chapter 2.  Each function takes stored results and returns a matplotlib figure; nothing is computed here."""

from __future__ import annotations

import numpy as np

from studies.ch02.dataset import Sample

LABELS = {
    "entropy": "entropy (nats)",
    "mean": "mean of 8 lowest levels (nats)",
    "variance": "variance (nats$^2$)",
    "skewness": "skewness",
    "renyi2": "Rényi-2 entropy (nats)",
}
LINES = {  # one-parameter families: what to put on the axis
    "tfim": ("h", "field $h$"),
    "xxz": ("delta", r"anisotropy $\Delta$"),
    "j1j2": ("j2", "coupling $J_2$"),
    "cluster": ("h", "field $h$"),
    "ssh": ("delta", r"dimerisation $\delta$"),
    "random_field": ("w", "disorder $w$"),
}
PLANES = {  # two-parameter families
    "xy": ("h", "gamma", "field $h$", r"anisotropy $\gamma$"),
    "annni": ("h", "kappa", "field $h$", r"frustration $\kappa$"),
    "long_range_ising": ("h", "alpha", "field $h$", r"range exponent $\alpha$"),
    "mixed_field_ising": ("h", "g", "transverse field $h$", "longitudinal field $g$"),
    "cluster_ising": ("h", "lam", "field $h$", r"Ising coupling $\lambda$"),
    "random_tfim": ("h", "w", "field $h$", "disorder $w$"),
}
MARKERS = "osD^vP*X"


def entropy_lines(systems: list[Sample]):
    """Half-chain entropy along the one-parameter families, one colour per size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(9.5, 5.6), layout="constrained")
    sizes = sorted({s.sites for s in systems})
    colours = plt.get_cmap("viridis")(np.linspace(0.0, 0.85, len(sizes)))
    for axis, (family, (name, text)) in zip(axes.flat, LINES.items(), strict=True):
        for colour, sites, marker in zip(colours, sizes, MARKERS, strict=False):
            line = sorted(
                (s for s in systems if s.family == family and s.sites == sites), key=lambda s: s.parameters[name]
            )
            x, y = [s.parameters[name] for s in line], [s.half_chain["entropy"] for s in line]
            axis.plot(x, y, marker, ms=3, color=colour, label=f"N = {sites}", alpha=0.9)
        axis.set(title=family.replace("_", " "), xlabel=text)
        axis.axhline(np.log(2), color="0.6", lw=0.8, ls=":")
    for axis in axes[:, 0]:
        axis.set_ylabel("half-chain entropy (nats)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(sizes), frameon=False)
    return figure


def entropy_planes(systems: list[Sample]):
    """Half-chain entropy over the planes of the two-parameter families, at the largest size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(9.5, 5.6), layout="constrained")
    largest = max(s.sites for s in systems)
    for axis, (family, (x, y, xtext, ytext)) in zip(axes.flat, PLANES.items(), strict=True):
        plane = [s for s in systems if s.family == family and s.sites == largest]
        points = axis.scatter(
            [s.parameters[x] for s in plane],
            [s.parameters[y] for s in plane],
            c=[s.half_chain["entropy"] for s in plane],
            s=22,
            cmap="viridis",
            vmin=0,
            vmax=1,
        )
        axis.set(title=family.replace("_", " "), xlabel=xtext, ylabel=ytext)
    figure.colorbar(points, ax=axes, label=f"half-chain entropy at N = {largest} (nats)", shrink=0.8, extend="max")
    return figure


def proxy_plane(systems: list[Sample]):
    """Where the classes lie in the plane of entropy and variance, and of entropy and skewness, at the largest size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    largest = [s for s in systems if s.sites == max(s.sites for s in systems)]
    for label, marker in zip(dict.fromkeys(s.label for s in largest), MARKERS, strict=False):
        members = [s.half_chain for s in largest if s.label == label]
        for axis, name in zip(axes, ("variance", "skewness"), strict=True):
            axis.plot([h["entropy"] for h in members], [h[name] for h in members], marker, ms=4, alpha=0.7, label=label)
            axis.set(xlabel=LABELS["entropy"], ylabel=LABELS[name])
    axes[1].set_yscale("symlog", linthresh=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def recovered_spectrum(truth: np.ndarray, guess: np.ndarray, names: list[str]):
    """Probabilities recovered from the four proxies against the exact ones; truth and guess are (n, names)."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(names), figsize=(2.4 * len(names), 2.9), layout="constrained")
    for k, (axis, name) in enumerate(zip(axes, names, strict=True)):
        axis.plot(truth[:, k], guess[:, k], ".", ms=2.5, alpha=0.5)
        top = 1.05 * truth[:, k].max()
        axis.plot([0, top], [0, top], "k-", lw=0.8)
        axis.set(title=f"${name[0]}_{name[1]}$" if name[0] == "p" and len(name) == 2 else name, xlabel="exact")
    axes[0].set_ylabel("recovered from 4 proxies")
    return figure
