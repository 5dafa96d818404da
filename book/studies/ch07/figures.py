"""Figures and tables of chapter 7: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import mean_interval
from qednas.companion.figures import COLOURS
from qednas.qed.search.architecture import kind_of
from studies.ch04.references import title
from studies.ch07.evaluation import BLIND, BLOCKS, RANDOM, SEARCH, SEARCHERS, EvaluationRun
from studies.ch07.verdict import log_error

MARKS = dict(zip((*BLOCKS, *SEARCHERS), "osD^X*vP", strict=True))
LABELS = {"jastrow": "Jastrow", "rbm": "RBM", "mps": "MPS", "dense": "dense", "attention": "attention", **SEARCHERS}


UNBROKEN = "\u2011"  # a hyphen at which no line of a narrow column ends


def name_of(target) -> str:
    return title(target).replace("_", " ")


def short(target) -> str:
    """The family alone, for tables: their targets are of one family each."""
    return target["family"].replace("_", " ")


def runs_of(runs, number, method) -> list[EvaluationRun]:
    return [r for r in runs["runs"] if (r["target"], r["method"]) == (number, method)]


def errors(runs, verdict):
    """Relative energy error of every method on every target, one line a target; mean of the logarithm and standard error."""
    import matplotlib.pyplot as plt

    targets = runs["targets"]
    figure, axis = plt.subplots(figsize=(8.4, 0.62 * len(targets) + 1.6), layout="constrained")
    methods = list(MARKS)
    for number, row in enumerate(verdict["rows"]):
        for place, method in enumerate(methods):
            if method not in row["mean"]:
                continue
            middle, sem = row["mean"][method], row["mean_sem"][method]
            height = number + 0.09 * (place - len(methods) / 2)
            discovered = method == SEARCH
            colour = COLOURS[place]
            axis.plot(np.exp([middle - sem, middle + sem]), [height, height], "-", color=colour, lw=1)
            axis.plot(np.exp(middle), height, MARKS[method], color=colour, ms=10 if discovered else 5,
                      label=LABELS[method] if number == 0 else None)  # fmt: skip
        axis.axhline(number + 0.5, color="0.85", lw=0.8)
    axis.set_yticks(range(len(targets)), [f"{name_of(t)}\n{t['class']}" for t in targets], fontsize=8)
    axis.set(xscale="log", xlabel="relative energy error", ylim=(len(targets) - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


def comparison(verdict):
    """Factor between the energy error of every method and that of the discovered architecture, over the targets, with intervals
    of 95 %."""
    import matplotlib.pyplot as plt

    rows = verdict["compared"]
    figure, axis = plt.subplots(figsize=(6.4, 0.4 * len(rows) + 1.2), layout="constrained")
    for number, row in enumerate(rows.values()):
        interval = mean_interval(row["gain"], row["gain_sem"], max(row["pairs"] - 1, 1))
        axis.plot(np.exp(interval), [number, number], "-", color=COLOURS[0])
        axis.plot(np.exp(row["gain"]), number, "o", color=COLOURS[0])
    axis.axvline(1, color="0.4", ls="--", lw=1)
    axis.set_yticks(range(len(rows)), [LABELS[m] for m in rows])
    axis.set(xscale="log", xlabel="energy error over that of the discovered architecture", ylim=(len(rows) - 0.5, -0.5))
    return figure


def error_text(row, method) -> str:
    """Geometric mean of the error over seeds, and its standard error as a factor."""
    return f"{np.exp(row['mean'][method]):.1e} ({np.exp(row['mean_sem'][method]):.1f})"


def optional_text(pattern: str, value: float | None) -> str:
    return "" if value is None else pattern.format(value).replace("-", UNBROKEN)


def energy_rows(runs, verdict) -> list[dict]:
    """Rows of the table of energies: the best single block, the discovered architecture and its two rivals."""
    rows = []
    for number, (target, row) in enumerate(zip(runs["targets"], verdict["rows"], strict=True)):
        best = row["best_block"]
        rows.append(
            {
                "target": short(target),
                "best block": runs["sizes"][number][best],
                "error of the block": error_text(row, best),
                "discovered": error_text(row, SEARCH),
                "blind": error_text(row, BLIND),
                "random": error_text(row, RANDOM),
            }
        )
    return rows


def design_rows(runs) -> list[dict]:
    """Rows of the table of designs: what was discovered with each seed, with V-score, entropy, parameters and seconds."""
    rows = []
    for number, (target, reference) in enumerate(zip(runs["targets"], runs["references"], strict=True)):
        for run in runs_of(runs, number, SEARCH):
            deviation = None if run["renyi2"] is None else run["renyi2"] - reference["renyi2"]
            rows.append(
                {
                    "target": short(target),
                    "architecture": " + ".join(run["architecture"]),
                    "V-score": optional_text("{:.1e}", run["v_score"]),
                    "R-hat": optional_text("{:.3f}", run["r_hat"]),
                    "S2 error": "" if deviation is None else f"{deviation:+.3f} ± {run['renyi2_error']:.3f}",
                    "parameters": run["parameters"],
                    "seconds": f"{run['search_seconds']:.0f} + {run['train_seconds']:.0f}",
                }
            )
    return rows


def proposes(run, kind) -> bool:
    """Whether a block of this kind, alone, is among the networks that a search has trained."""
    return any([kind_of(part) for part in c["architecture"]] == [kind] for c in run["candidates"])


def why_rows(runs, verdict) -> list[dict]:
    """Rows of the table that shows where a better network was not there and where it was there and not found.

    A combination is a network of two blocks or more, of any searcher and seed; the best of several is chosen with hindsight.
    """
    rows = []
    for number, (target, row) in enumerate(zip(runs["targets"], verdict["rows"], strict=True)):
        on_target = [r for r in runs["runs"] if r["target"] == number]
        alone = runs_of(runs, number, row["best_block"])
        several = [r for r in on_target if len(r["architecture"]) > 1]
        searches = runs_of(runs, number, SEARCH)
        first = min(several, key=log_error, default=None)
        dropped = [c["steps"] for r in searches for c in r["candidates"] if c["rounds"] == 1]
        rows.append(
            {
                "target": short(target),
                "better": "yes" if row["better_than_blocks"] else "no",
                "best block": f"{np.exp(row['mean'][row['best_block']]):.1e}",
                "proposed": f"{sum(proposes(r, row['best_block']) for r in searches)} of {len(searches)}",
                "first round": f"{np.median(dropped):.0f}" if dropped else "",
                "seeds": f"{np.exp(np.ptp([log_error(r) for r in searches])):.1f}",
                "best combination": "" if first is None else
                f"{np.exp(log_error(first)):.1e}, {' + '.join(first['architecture'])}",
                "steps": "" if not several else
                f"{np.median([r['train_steps'] for r in several]) / np.median([r['train_steps'] for r in alone]):.2f}",
            }
        )  # fmt: skip
    return rows
