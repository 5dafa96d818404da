"""Figures of chapters 2-4.  Each function takes stored results and returns a matplotlib figure; nothing is computed here."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.qed.dataset import Sample

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
            own = sorted(
                (s for s in systems if s.family == family and s.sites == sites), key=lambda s: s.parameters[name]
            )
            x, y = [s.parameters[name] for s in own], [s.half_chain["entropy"] for s in own]
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
        own = [s for s in systems if s.family == family and s.sites == largest]
        points = axis.scatter(
            [s.parameters[x] for s in own],
            [s.parameters[y] for s in own],
            c=[s.half_chain["entropy"] for s in own],
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
        own = [s.half_chain for s in largest if s.label == label]
        for axis, name in zip(axes, ("variance", "skewness"), strict=True):
            axis.plot([h["entropy"] for h in own], [h[name] for h in own], marker, ms=4, alpha=0.7, label=label)
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


def five_panels(truth: np.ndarray, predicted: np.ndarray, width: np.ndarray, groups: list[str], size: float):
    """All five proxies, predicted with error bars against what is true; arrays (n, 5), one marker and colour per group."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(10.0, 7.2), layout="constrained")
    for k, (axis, name) in enumerate(zip(axes.flat, PROXIES, strict=False)):
        for group, marker in zip(dict.fromkeys(groups), MARKERS, strict=False):
            own = np.array([g == group for g in groups])
            bars = {"ms": size, "lw": 0.15 * size, "capsize": 0.4 * size, "alpha": 0.8}
            axis.errorbar(
                truth[own, k], predicted[own, k], width[own, k], fmt=marker, label=group.replace("_", " "), **bars
            )
        low, high = truth[:, k].min(), truth[:, k].max()
        axis.plot([low, high], [low, high], "k-", lw=0.8)
        axis.set(title=LABELS[name])
        if name == "skewness":  # four decades
            axis.set(xscale="symlog", yscale="symlog")
    axes[1, 2].axis("off")
    axes[1, 2].legend(*axes[0, 0].get_legend_handles_labels(), loc="center", frameon=False)
    return figure, axes


def predicted_against_truth(predicted: np.ndarray, std: np.ndarray, truth: np.ndarray, families: list[str]):
    """Held-out systems; predicted, std, truth are (n, 5)."""
    figure, axes = five_panels(truth, predicted, std, families, 2.8)
    for axis in axes.flat:
        axis.set_xlabel("exact")
    for axis in axes[:, 0]:
        axis.set_ylabel("predicted ± 1 std")
    return figure


def split_errors(records: dict[str, dict]):
    """Median relative error of the entropy per held-out part, predictor beside its rivals."""
    import matplotlib.pyplot as plt

    from qednas.qed.tables import OWN, RIVALS

    figure, axis = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
    y = np.arange(len(records))
    for (key, label), marker in zip((RIVALS | OWN).items(), MARKERS, strict=False):
        own = [(i, r[key]) for i, r in zip(y, records.values(), strict=True) if key in r]
        axis.errorbar(
            [100 * r["relative_median"] for _, r in own],
            [i for i, _ in own],
            xerr=[100 * r["relative_median_sem"] for _, r in own],
            fmt=marker,
            ms=9 if key == "errors" else 5.5,
            alpha=1.0 if key == "errors" else 0.75,
            zorder=3 if key == "errors" else 2,
            capsize=2,
            lw=1,
            label=label,
        )
    axis.set_yticks(y, list(records))
    axis.invert_yaxis()
    axis.set(xscale="log", xlabel="median relative error of the half-chain entropy (%), ± standard error")
    axis.grid(axis="x", which="both", lw=0.4, alpha=0.5)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def loss_curve(losses: np.ndarray):
    """Training loss against epoch."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    axis.semilogy(np.arange(1, len(losses) + 1), losses)
    axis.set(xlabel="epoch", ylabel="Huber loss of relative errors")
    return figure


def targets_against_reference(rows: list[dict]):
    """Large targets, predicted with 90 % intervals against the reference, one marker per class."""

    def column(key: str) -> np.ndarray:
        return np.array([[row[key][name] for name in PROXIES] for row in rows])

    labels = [row["class"] for row in rows]
    figure, axes = five_panels(column("reference"), column("predicted"), column("half_width"), labels, 5)
    for axis in axes.flat:
        axis.set_xlabel("reference")
    for axis in axes[:, 0]:
        axis.set_ylabel("predicted, 90 % interval")
    return figure


def error_against_size(rows: list[dict]):
    """Relative error of the entropy against the number of sites, predictor and refined, where the mean field is not exact."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10.0, 4.4), layout="constrained", sharey=True)
    corrected = [r for r in rows if not r["exact"] and r["reference"]["entropy"] > 1e-6]
    families = list(dict.fromkeys(r["family"] for r in corrected))
    for axis, method in zip(axes, ("predicted", "refined"), strict=True):
        for k, (family, marker) in enumerate(zip(families, MARKERS, strict=False)):
            own = [r for r in corrected if r["family"] == family and method in r]
            error = [
                100 * abs(r[method]["entropy"] - r["reference"]["entropy"]) / r["reference"]["entropy"] for r in own
            ]
            shift = 1 + 0.012 * (k - len(families) / 2)  # so that equal sizes do not hide one another
            axis.plot([r["sites"] * shift for r in own], error, marker, ms=5.5, label=family.replace("_", " "))
        for bound, style in ((3, ":"), (12, "--")):
            axis.axhline(bound, color="0.4", lw=0.9, ls=style)
            axis.annotate(f"{bound} %", (212, bound), fontsize=8, va="bottom", ha="right", color="0.3")
        axis.set(xscale="log", yscale="log", xlabel="sites", title=method if method == "predicted" else "with --refine")
        axis.set_xticks([50, 64, 80, 100, 128, 200], ["50", "64", "80", "100", "128", "200"])
        axis.minorticks_off()
    axes[0].set_ylabel("relative error of the entropy (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7, frameon=False)
    return figure


def profiles(rows: list[dict], columns: int = 3):
    """Entropy of every cut, reference and prediction with its band; the first target of each class that is corrected, or the
    first if none is."""
    import matplotlib.pyplot as plt

    first: dict[str, dict] = {}
    for row in sorted(rows, key=lambda r: r["exact"]):
        if row["reference_profile"]:
            first.setdefault(row["class"], row)
    lines = -(-len(first) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(3.6 * columns, 2.8 * lines), layout="constrained", squeeze=False
    )
    for axis, row in zip(axes.flat, first.values(), strict=False):
        cuts = np.arange(1, row["sites"])
        mean, std = np.array(row["predicted_profile"]), np.array(row["profile_std"])
        axis.plot(cuts, row["reference_profile"], lw=1.6, label="reference")
        line = axis.plot(cuts, mean, "--", lw=1.2, label="predicted ± 1 std")[0]
        axis.fill_between(cuts, np.maximum(mean - std, 0), mean + std, color=line.get_color(), alpha=0.25, lw=0)
        top = 1.1 * max(np.max(row["reference_profile"]), (mean + std).max())
        axis.set(title=f"{row['class']}\n{row['name']}", ylim=(0, top), xlabel="cut after site")
        axis.title.set_fontsize(8)
    for axis in axes.flat[len(first) :]:
        axis.axis("off")
    for axis in axes[:, 0]:
        axis.set_ylabel("entropy (nats)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure
