"""Figures and tables of chapter 8: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS, MAP
from studies.ch04.references import title
from studies.ch06.every_architecture import KINDS

LABELS = {"jastrow": "Jastrow", "rbm": "RBM", "mps": "MPS", "dense": "dense"}
SEES = {"nothing": "nothing", "entanglement": "entanglement", "control": "control", "both": "both"}


def name_of(target) -> str:
    return title(target).replace("_", " ")


def rows_at(table, budget) -> list[dict]:
    return [row for row in table["best"] if row["budget"] == budget]


def blocks(table):
    """log10 of the energy error of each kind at its best size: one panel a budget, one line a target; a dot marks the best."""
    import matplotlib.pyplot as plt

    budgets, targets = table["budgets"], table["targets"]
    order = sorted(range(len(targets)), key=lambda k: targets[k]["entanglement"]["entropy"])
    figure, axes = plt.subplots(1, len(budgets), figsize=(8.8, 0.24 * len(targets) + 1.4), sharey=True,
                                layout="constrained", squeeze=False)  # fmt: skip
    image = None
    for axis, budget in zip(axes[0], budgets, strict=True):
        best = rows_at(table, budget)
        values = np.array([[best[k]["errors"].get(kind, np.nan) for kind in KINDS] for k in order]) / np.log(10)
        image = axis.imshow(values, aspect="auto", cmap=MAP, vmin=-6, vmax=0)
        for line, k in enumerate(order):
            axis.plot(KINDS.index(best[k]["best"]), line, "o", color="white", mec="black", ms=5)
        axis.set_xticks(range(len(KINDS)), [LABELS[k] for k in KINDS], rotation=40, ha="right", fontsize=8)
        axis.set_title(f"{budget} parameters a site", fontsize=9)
        axis.grid(False)
    axes[0, 0].set_yticks(range(len(order)), [name_of(targets[k]) for k in order], fontsize=7)
    figure.colorbar(image, ax=axes[0].tolist(), label="log10 of the relative energy error", shrink=0.7)
    return figure


def plane(table, budget):
    """Targets in the plane of predicted entropy and correlation length, coloured by their best block at one budget."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    best = rows_at(table, budget)
    for colour, mark, kind in zip(COLOURS, "osD^", KINDS, strict=False):
        inside = [t for t, row in zip(table["targets"], best, strict=True) if row["best"] == kind]
        axis.plot(
            [t["entanglement"]["entropy"] for t in inside], [t["control"]["correlation_length"] for t in inside],
            mark, color=colour, label=f"{LABELS[kind]} ({len(inside)})",
        )  # fmt: skip
    axis.set(xlabel="predicted half-chain entropy (nats)", ylabel="correlation length (sites)", yscale="log")
    axis.legend(title="best block")
    return figure


def rule_name(rules, row) -> str:
    return f"always {LABELS[rules['always']]}" if row["kind"] == "always" else row["kind"]


def accuracies(rules):
    """Share of targets whose best block a rule names without having seen their family."""
    import matplotlib.pyplot as plt

    rows = rules["rows"]
    figure, axis = plt.subplots(figsize=(6.8, 0.42 * len(rows) + 1.1), layout="constrained")
    for number, row in enumerate(rows):
        colour = COLOURS[("majority", "always", "tree", "linear").index(row["kind"])]
        axis.errorbar(row["accuracy"], number, xerr=row["accuracy_sem"], fmt="o", color=colour, capsize=2)
    axis.axvline(max(r["accuracy"] for r in rows if r["sees"] == "nothing"), color="0.5", lw=1, ls="--")
    names = [rule_name(rules, r) if r["sees"] == "nothing" else f"{r['kind']}: {SEES[r['sees']]}" for r in rows]
    axis.set_yticks(range(len(rows)), names)
    axis.set(xlabel="accuracy on families left out", xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    return figure


def rule_rows(rules, budgets) -> list[dict]:
    """Rows of the table of rules."""
    return [
        {
            "rule": rule_name(rules, row),
            "sees": SEES[row["sees"]],
            "accuracy": f"{row['accuracy']:.2f} ± {row['accuracy_sem']:.2f}",
            **{f"{b}": f"{a:.2f}" for b, a in zip(budgets, row["by_budget"], strict=True)},
            "regret": f"{np.exp(row['regret']):.2f}",
        }
        for row in rules["rows"]
    ]


def weight_rows(rules, budget) -> list[dict]:
    """Rows of the linear rule at one budget: the weight of each standardised feature for each block."""
    weights = rules["linear"][str(budget)]
    names = next(iter(weights.values()))
    return [
        {
            "feature": name.replace("_", " "),
            **{LABELS[block]: f"{by_feature[name]:+.2f}" for block, by_feature in weights.items()},
        }
        for name in names
    ]


def law_rows(table) -> list[dict]:
    """Rows of the table that checks the law of chapter 1, S <= ln chi, against which block is best at each budget.

    chi is the largest bond dimension of an MPS within the budget; S the predicted entropy of a target.
    """
    rows = []
    for budget in table["budgets"]:
        counts = {"over": [0, 0], "under": [0, 0]}  # targets, and those of them whose best block is the MPS
        chis = set()
        for row in rows_at(table, budget):
            number, target = row["number"], table["targets"][row["number"]]
            fitting = [
                int(r["part"].partition("/")[2])
                for r in table["runs"]
                if r["number"] == number
                and r["part"].startswith("mps/")
                and r["parameters"] <= budget * target["sites"]
            ]
            chi = max(fitting, default=0)
            chis.add(str(chi or "none fits"))
            side = counts["over" if target["entanglement"]["entropy"] > np.log(max(chi, 1)) else "under"]
            side[0] += 1
            side[1] += row["best"] == "mps"
        rows.append(
            {
                "budget": budget,
                "chi": ", ".join(sorted(chis)),
                **{k: f"{best} of {count}" for k, (count, best) in counts.items()},
            }
        )
    return rows
