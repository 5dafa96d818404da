"""Figures and tables of the ablations: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import ALPHA, holm, mean_and_sem
from qednas.companion.figures import COLOURS
from qednas.diffqas.candidates import PAPER
from studies.ch10.forecasting_figures import in_words, ratio, title
from studies.ch10.forecasting_verdict import series_of
from studies.ch11.ablation import RULES
from studies.ch11.device_noise import MITIGATIONS
from studies.ch11.entangling import of_random_states
from studies.ch11.gradient_variance import READS

READ_AS = {"weights": "all weights", "expectation": "one expectation value"}


VARIANTS = {
    "over_depth_5": "depth 5",
    "over_depth_15": "depth 15",
    "over_separate_angles": "angles of their own for every candidate",
    "over_repaired_pool": "repaired pool",
    "over_equal_weights": "structural weights kept equal",
}
MOVED = {
    "foreign_over_own": "found on another series / found on the same one",
    "foreign_over_learned": "found on another series / learned with the rest",
    "equal_over_foreign": "all equal / found on another series",
}


def ratio_rows(verdict, labels: dict[str, str], what: str) -> list[dict[str, str]]:
    """Ratios of errors by what they are of, with p values; those that were measured."""
    return [
        {what: label, "ratio of errors": in_words(verdict["summary"][key]), "p": f"{verdict['p'][key]:.2g}"}
        for key, label in labels.items()
        if key in verdict["summary"]
    ]


def variant_rows(verdict) -> list[dict[str, str]]:
    """Errors of variants as multiples of those of the search."""
    return ratio_rows(verdict, VARIANTS, "variant / the search")


def moved_rows(verdict) -> list[dict[str, str]]:
    """Errors with structural weights from one place over those with structural weights from another."""
    return ratio_rows(verdict, MOVED, "structural weights")


def discrete_rows(verdict, runs) -> list[dict[str, str]]:
    """Errors of what is left as multiples of those of the search, with how many candidates are left and how many are inert."""
    ways = ("as found", "trained on", "from the start")
    keys = [f"{rule}_{how}".replace(" ", "_") for rule in RULES for how in ways]
    corrected = dict(zip(keys, holm([verdict["p"][key] for key in keys]), strict=True))
    rows = []
    for rule in RULES:
        rule_runs = [r for r in runs if r["variant"] == f"{rule}, as found"]
        row = {"kept": rule, "candidates": f"{np.mean([r['count'] for r in rule_runs]):.1f}",
               "cannot learn": f"{np.mean([r['inert'] for r in rule_runs]):.1f}"}  # fmt: skip
        for how in ways:
            key = f"{rule}_{how}".replace(" ", "_")
            row[how] = f"{in_words(verdict['summary'][key])}{'*' if corrected[key] < ALPHA else ''}"
        rows.append(row)
    return rows


def entanglement(runs):
    """Half-chain entropy of candidates alone after training against their error; one panel a series, one colour a candidate."""
    import matplotlib.pyplot as plt

    alone = [r for r in runs if r["variant"].startswith("fixed/")]
    names = series_of(alone)
    figure, axes = plt.subplots(1, len(names), figsize=(2.9 * len(names), 3.6), squeeze=False, sharex=True)
    methods = list(dict.fromkeys(r["variant"] for r in alone))
    for axis, name in zip(axes[0], names, strict=True):
        for colour, mark, method in zip(COLOURS, "osD^vP", methods, strict=False):
            method_runs = [r for r in alone if (r["dataset"], r["variant"]) == (name, method)]
            number = int(method.split("/")[1])
            before, after = [r["before"][0][1] for r in method_runs], [r["after"][0][1] for r in method_runs]
            errors = [r["mse"] for r in method_runs]
            for x0, x1, y in zip(before, after, errors, strict=True):
                axis.plot([x0, x1], [y, y], color=colour, lw=0.6, alpha=0.5)
            axis.plot(after, errors, mark, color=colour, ms=5, label=f"{number} {PAPER[number - 1]}")
        axis.axvline(of_random_states(11)["entropy"], color="0.5", lw=1, ls="--")
        axis.set(title=title(name), xlabel="half-chain entropy (nats)", yscale="log")
    axes[0, 0].set_ylabel("test error")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def gradients(runs):
    """Variance of gradients against depth for every size, read as weights and as one expectation value."""
    import matplotlib.pyplot as plt

    alive = [r for r in runs if r[READS[0]] > 0]
    sizes, depths = (sorted({r[key] for r in alive}) for key in ("qubits", "depth"))
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.4), squeeze=False)
    for axis, name in zip(axes[0], READS, strict=True):
        for shade, n in zip(np.linspace(0.75, 0.0, len(sizes)), sizes, strict=True):
            variances = [[r[name] for r in alive if (r["qubits"], r["depth"]) == (n, m)] for m in depths]
            middle = [np.exp(np.mean(np.log(values))) for values in variances]
            axis.plot(depths, middle, "o-", ms=3.5, color=str(shade), label=f"{n} qubits")
        axis.set(title=f"read as {READ_AS[name]}", xlabel="layers", yscale="log")
    axes[0, 0].set_ylabel("variance of the gradient")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def shots(verdict):
    """Test errors as multiples of exact ones, against shots: when weights are made, and during the search."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 3.6))
    labels = {"reading": "weights made with shots", "searching": "searched with shots"}
    for colour, mark, (key, label) in zip(COLOURS, "os", labels.items(), strict=False):
        tests = verdict["summary"][key]
        x = [int(count) for count in tests]
        middle, low, high = np.array([ratio(test) for test in tests.values()]).T
        axis.errorbar(
            x,
            middle,
            np.array([middle - low, high - middle]),
            fmt=f"{mark}-",
            ms=5,
            capsize=2,
            color=colour,
            label=label,
        )
    axis.axhline(1, color="0.5", lw=1, ls="--")
    axis.set(xlabel="shots for each circuit", ylabel="test error / exact", xscale="log", yscale="log")
    axis.legend()
    return figure


def noise_rows(runs) -> list[dict[str, str]]:
    """Test error (geometric mean, multiples of the exact one) and distance of the probabilities, by noise and mitigation."""
    exact = {(r["dataset"], r["seed"]): r["mse"] for r in runs if r["noise"] == "exact"}
    rows = []
    for noise, name in dict.fromkeys((r["noise"], r["mitigation"]) for r in runs):
        group = [r for r in runs if (r["noise"], r["mitigation"]) == (noise, name)]
        mean, sem = mean_and_sem([np.log10(r["mse"] / exact[r["dataset"], r["seed"]]) for r in group])
        far, far_sem = mean_and_sem([r["distance"] for r in group])
        rows.append({
            "noise": {"uniform": "probabilities lost", "shots": "shots alone"}.get(noise, noise),
            "mitigation": name if noise not in ("exact", "uniform", "shots") else "",
            "distance": f"{far:.3f} ± {far_sem:.3f}",
            "error / exact": in_words({"gain": mean, "gain_sem": sem}) if noise != "exact" else "1",
        })  # fmt: skip
    return rows


def noise(runs):
    """Test errors as multiples of exact ones, one group a noise, one mark a mitigation."""
    import matplotlib.pyplot as plt

    exact = {(r["dataset"], r["seed"]): r["mse"] for r in runs if r["noise"] == "exact"}
    kinds = [k for k in dict.fromkeys(r["noise"] for r in runs) if k not in ("exact", "shots", "uniform")]
    figure, axis = plt.subplots(figsize=(6.8, 3.6))

    def ratios(kind: str, name: str) -> tuple[float, float]:
        group = [r for r in runs if (r["noise"], r["mitigation"]) == (kind, name)]
        return mean_and_sem([np.log10(r["mse"] / exact[r["dataset"], r["seed"]]) for r in group])

    for colour, mark, shift, name in zip(COLOURS, "osD^", (-0.18, -0.06, 0.06, 0.18), MITIGATIONS, strict=False):
        bounds = [ratio(dict(zip(("gain", "gain_sem"), ratios(kind, name), strict=True))) for kind in kinds]
        middle, low, high = np.array(bounds).T
        x = np.arange(len(kinds)) + shift
        axis.errorbar(
            x, middle, np.array([middle - low, high - middle]), fmt=mark, ms=5, capsize=2, color=colour, label=name
        )
    for kind, style, label in (("shots", ":", "shots alone"), ("uniform", "--", "probabilities lost")):
        axis.axhline(10 ** ratios(kind, "none")[0], color="0.4", lw=1.2, ls=style, label=label)
    axis.set_xticks(range(len(kinds)), kinds)
    axis.set(ylabel="test error / exact", yscale="log")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, title="mitigation")
    return figure
