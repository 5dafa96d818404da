"""Figures and tables of the chapter on classification: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import mean_and_sem
from qednas.companion.figures import COLOURS
from qednas.diffqas.candidates import PAPER
from studies.ch09.classification import CONTROLS, FROZEN, SEARCHED, ClassifierRun
from studies.ch09.published import FORECAST, SERIES, TEN_CLASSES
from studies.ch09.verdict import accuracies, candidate_accuracies, option_rows, targets_of

TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "digits"}
NAMES = {
    SEARCHED: "searched",
    FROZEN: "angles frozen",
    "full": "trained directly, whole",
    "random": "random probabilities",
    "bits": "bits",
    "coordinates": "sine network",
    "direct": "small network",
    "circuit": "circuits",
    "frozen circuit": "circuits, frozen",
}


LEFT_CHANCE = 0.6  # accuracy of two classes above which a seed has learned something


def ticks_within(limits, ticks) -> list:
    return [tick for tick in ticks if limits[0] <= tick <= limits[1]]


def title(target: list[str]) -> str:
    return f"{TITLES[target[0]]} {target[1].replace(',', ' or ')}"


def band(runs: list[ClassifierRun]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps, mean and standard error of the test accuracy over seeds."""
    curves = np.array([r["curve"] for r in runs])
    error = curves.std(0, ddof=1) / len(curves) ** 0.5 if len(curves) > 1 else 0 * curves[0]
    return np.array(runs[0]["step"]), curves.mean(0), error


def curves(runs):
    """Test accuracy over the steps, one panel a pair of classes, bands of one standard error."""
    import matplotlib.pyplot as plt

    targets = targets_of(runs)
    figure, axes = plt.subplots(1, len(targets), figsize=(3.1 * len(targets), 3.4), sharey=True, squeeze=False)
    labels = {SEARCHED: "searched", "fixed/2": "H-Ent-Ry alone", "fixed/1": "uniform (1, 3, 4, 6)",
              FROZEN: "searched, angles frozen", "random": "random probabilities, no circuit"}  # fmt: skip
    for axis, (dataset, classes) in zip(axes[0], targets, strict=True):
        for colour, (method, label) in zip(COLOURS, labels.items(), strict=False):
            method_runs = [r for r in runs if (r["dataset"], r["classes"], r["method"]) == (dataset, classes, method)]
            step, mean, error = band(method_runs)
            axis.plot(step, mean, color=colour, label=label)
            axis.fill_between(step, mean - error, mean + error, color=colour, alpha=0.25, lw=0)
        axis.set(title=title([dataset, classes]), xlabel="steps")
    axes[0, 0].set_ylabel("test accuracy")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def comparison(runs):
    """Test error of the search, every candidate alone and the controls: one panel a pair of classes, errors over seeds."""
    import matplotlib.pyplot as plt

    targets = targets_of(runs)
    lines: list[tuple[str, str, str]] = [
        ("searched", SEARCHED, COLOURS[0]),
        ("searched, angles frozen", FROZEN, COLOURS[5]),
    ]
    lines += [(f"{k} {c}", f"{k}", "0.6" if c.fixed else COLOURS[2]) for k, c in enumerate(PAPER, 1)]
    lines += [(NAMES[m], m, COLOURS[1]) for m in CONTROLS] + [(NAMES["full"], "full", COLOURS[6])]
    figure, axes = plt.subplots(1, len(targets), figsize=(3.0 * len(targets), 4.9), sharey=True, squeeze=False)
    for axis, (dataset, classes) in zip(axes[0], targets, strict=True):
        for place, (_, method, colour) in enumerate(lines):
            by_seed = (
                candidate_accuracies(runs, [dataset, classes], int(method))
                if method.isdecimal()
                else accuracies(runs, dataset=dataset, classes=classes, method=method)
            )
            mean, sem = mean_and_sem(by_seed.values())
            axis.errorbar(100 * (1 - mean), place, xerr=100 * sem, fmt="o", color=colour, capsize=2, ms=4)
        axis.set(title=title([dataset, classes]), xlabel="test error (%)", xscale="log")
        axis.set_xticks(ticks := ticks_within(axis.get_xlim(), (0.1, 0.3, 1, 3, 10, 30)), map(str, ticks))
        axis.minorticks_off()
        axis.set_yticks(range(len(lines)), [name for name, *_ in lines], fontsize=8)
    axes[0, 0].invert_yaxis()
    return figure


def structure(runs):
    """What the search mixes the candidates with at its end: one line a pair of classes, errors over seeds."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.8, 3.6))
    targets = targets_of(runs)
    for colour, shift, (dataset, classes) in zip(COLOURS, np.linspace(-0.2, 0.2, len(targets)), targets, strict=False):
        weights = np.array([r["structure"] for r in runs
                            if (r["dataset"], r["classes"], r["method"]) == (dataset, classes, SEARCHED)])  # fmt: skip
        error = weights.std(0, ddof=1) / len(weights) ** 0.5 if len(weights) > 1 else 0 * weights[0]
        axis.errorbar(
            np.arange(12) + shift, weights.mean(0), error, fmt="o", ms=4, color=colour, label=title([dataset, classes])
        )
    axis.axhline(1 / 12, color="0.5", lw=1, ls="--")
    labels = [f"{c}{' *' if c.fixed else ''}" for c in PAPER]
    axis.set_xticks(range(12), labels, rotation=45, ha="right", fontsize=8)
    axis.set(ylabel="structural weight")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def ten_classes(verdict):
    """Error rate against trained parameters, one panel a data set; crosses are published numbers."""
    import matplotlib.pyplot as plt

    ten = verdict["ten"]
    figure, axes = plt.subplots(1, len(ten), figsize=(4.4 * len(ten), 4.0), squeeze=False)
    for axis, (dataset, methods) in zip(axes[0], ten.items(), strict=True):
        for colour, mark, (method, sizes) in zip(COLOURS, "osD^vP", methods.items(), strict=False):
            x = [int(size) for size in sizes]
            mean, sem = np.array([[entry["accuracy"], entry["accuracy_sem"]] for entry in sizes.values()]).T
            axis.errorbar(x, 100 * (1 - mean), 100 * sem, color=colour, marker=mark, label=NAMES[method], ms=5)
        points = [(size, 100 * (1 - accuracy)) for name, size, accuracy, _ in TEN_CLASSES if name == dataset]
        if points:
            axis.plot(*zip(*points, strict=True), "x", color="black", ms=9, mew=2, label="published")
        axis.set(title=f"{TITLES[dataset]}, ten classes", xlabel="trained parameters", xscale="log", yscale="log")
        axis.set_xticks(x, [f"{v:,}" for v in x])
        axis.set_yticks(ticks := ticks_within(axis.get_ylim(), (2, 3, 5, 7, 10, 15, 20, 30, 40, 50)), map(str, ticks))
        axis.minorticks_off()
    axes[0, 0].set_ylabel("test error (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def percent(pair) -> str:
    return f"{100 * pair[0]:.2f} ± {100 * pair[1]:.2f}"


def inert_rows() -> list[dict[str, str]]:
    """The published forecasting errors of the candidates that cannot learn."""
    return [
        {"candidate": f"{k} {PAPER[k - 1]}", "always": PAPER[k - 1].fixed,
         **{name: f"{value:.6f}" for name, value in zip(SERIES, FORECAST[k], strict=True)}}
        for k in (1, 3, 4, 6, 9, 12)
    ]  # fmt: skip


def accuracy_rows(runs) -> list[dict[str, str]]:
    """Accuracies (%) of the search, the best and the mean candidate alone, and the controls, with the trained parameters."""
    targets, rows = targets_of(runs), []
    lines: list[tuple[str, str]] = [("searched", SEARCHED), ("searched, angles frozen", FROZEN)]
    lines += [
        (f"{k} {c} alone", f"fixed/{k}")
        for k, c in enumerate(PAPER, 1)
        if any(r["method"] == f"fixed/{k}" for r in runs)
    ]
    lines += [(NAMES[m], m) for m in (*CONTROLS, "full")]
    for label, method in lines:
        estimates = [mean_and_sem(accuracies(runs, dataset=d, classes=c, method=method).values()) for d, c in targets]
        trained = next(r["trained"] for r in runs if r["method"] == method)
        rows.append({"weights from": label, "trained": f"{trained:,}"}
                    | {title(t): percent(v) for t, v in zip(targets, estimates, strict=True)})  # fmt: skip
    return rows


def options_table(options, runs) -> list[dict[str, str]]:
    """Accuracies (%) of every option: of all seeds, of those that left chance, and how many did not."""
    rows = []
    for row in option_rows(options, runs):
        left = [value for value in row["values"] if value > LEFT_CHANCE]
        alone = f"{100 * left[0]:.2f}" if left else ""
        rows.append({
            "option": row["option"],
            "test accuracy (%)": percent(row["accuracy"]),
            "seeds that stay at chance": f"{len(row['values']) - len(left)} of {len(row['values'])}",
            "accuracy of the others (%)": percent(mean_and_sem(left)) if len(left) > 1 else alone,
        })  # fmt: skip
    return rows


def ten_rows(verdict, dataset: str) -> list[dict[str, str]]:
    """Accuracies (%) of one data set: one line a method, one column a number of trained parameters."""
    return [
        {
            "weights from": NAMES[method],
            **{f"{int(size):,}": percent((entry["accuracy"], entry["accuracy_sem"])) for size, entry in sizes.items()},
        }
        for method, sizes in verdict["ten"][dataset].items()
    ]


def paired_rows(verdict) -> list[dict[str, str]]:
    """Gains (percentage points) of the search over others, with p values."""
    summary = verdict["summary"]
    labels = {
        "over_mean_fixed": "searched − mean of the twelve alone",
        "over_best_fixed": f"searched − {verdict['best_fixed']} alone (best, in hindsight)",
        **{f"over_{m}": f"searched − {NAMES[m]}" for m in CONTROLS},
        "circuit_over_random": "ten classes: circuits − random probabilities",
        "circuit_over_frozen": "ten classes: circuits − the same, frozen",
    }
    return [
        {"difference": label, "points": percent((test["gain"], test["gain_sem"])), "p": f"{verdict['p'][key]:.2g}"}
        for key, label, test in ((key, label, summary[key]) for key, label in labels.items())
    ]


def differences(verdict) -> dict[str, str]:
    """The paired differences (percentage points) with their errors, in words for a sentence."""
    return {
        name: f"{100 * test['gain']:+.2f} ± {100 * test['gain_sem']:.2f}"
        for name, test in verdict["summary"].items()
        if isinstance(test, dict)
    }
