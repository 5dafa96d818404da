"""Figures of chapter 3.  Each function takes stored results and returns a matplotlib figure; nothing is computed here."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from studies.ch02.figures import LABELS, MARKERS


def five_panels(truth: np.ndarray, predicted: np.ndarray, width: np.ndarray, groups: list[str], size: float):
    """All five proxies, predicted with error bars against what is true; arrays (n, 5), one marker and colour per group."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(10.0, 7.2), layout="constrained")
    for k, (axis, name) in enumerate(zip(axes.flat, PROXIES, strict=False)):
        for group, marker in zip(dict.fromkeys(groups), MARKERS, strict=False):
            mask = np.array([g == group for g in groups])
            bars = {"ms": size, "lw": 0.15 * size, "capsize": 0.4 * size, "alpha": 0.8}
            axis.errorbar(
                truth[mask, k], predicted[mask, k], width[mask, k], fmt=marker, label=group.replace("_", " "), **bars
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

    from studies.ch03.tables import RIVALS, SMALL_CHAINS

    figure, axis = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
    y = np.arange(len(records))
    for (key, label), marker in zip((RIVALS | SMALL_CHAINS).items(), MARKERS, strict=False):
        points = [(i, r[key]) for i, r in zip(y, records.values(), strict=True) if key in r]
        axis.errorbar(
            [100 * r["relative_median"] for _, r in points],
            [i for i, _ in points],
            xerr=[100 * r["relative_median_sem"] for _, r in points],
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
