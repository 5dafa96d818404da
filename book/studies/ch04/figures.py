"""Figures of chapter 4.  Each function takes stored results and returns a matplotlib figure; nothing is computed here."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from studies.ch02.figures import MARKERS
from studies.ch03.figures import five_panels


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
            members = [r for r in corrected if r["family"] == family and method in r]
            error = [
                100 * abs(r[method]["entropy"] - r["reference"]["entropy"]) / r["reference"]["entropy"] for r in members
            ]
            shift = 1 + 0.012 * (k - len(families) / 2)  # so that equal sizes do not hide one another
            axis.plot([r["sites"] * shift for r in members], error, marker, ms=5.5, label=family.replace("_", " "))
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
