"""Rules that tell the best block from the properties of a target, and whether they hold for families they have not seen.

A rule sees the entanglement that the predictor gives, control features that do not look at entanglement, or both.  Accuracy is
that of predictions for a family that was left out when the rule was learned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from qednas.base.statistics import Gain, compare
from qednas.base.task import declare
from studies.ch08.block_table import CONTROLS, BestBlock, Features

PROXIES = ("entropy", "mean", "variance", "skewness", "renyi2")
SEES = {"entanglement": PROXIES, "control": CONTROLS, "both": (*PROXIES, *CONTROLS)}
DEPTH = 2


def features(targets: Sequence[Features], names: tuple[str, ...]) -> np.ndarray:
    """(targets, names)."""
    return np.array([[{**t["entanglement"], **t["control"]}[name] for name in names] for t in targets])


def rule_of(kind: str):
    """A fresh rule: "tree" of depth two, or "linear" (logistic regression of standardised features)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    if kind == "tree":
        return DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=2, random_state=0)
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000))


def majority(labels: list[str]) -> str:
    """The most frequent label, the first of the alphabet among equals."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def predict_left_out(x: np.ndarray | None, labels: list[str], families: list[str], kind: str) -> list[str]:
    """What a rule says of every target when it has not seen the target's family."""
    predictions = [""] * len(labels)
    for family in dict.fromkeys(families):
        inside = [k for k, member in enumerate(families) if member != family]
        outside = [k for k, member in enumerate(families) if member == family]
        training = [labels[k] for k in inside]
        if x is None or len(set(training)) == 1:
            predicted = [majority(training)] * len(outside)
        else:
            predicted = rule_of(kind).fit(x[inside], training).predict(x[outside]).tolist()
        for k, label in zip(outside, predicted, strict=True):
            predictions[k] = str(label)
    return predictions


def regret(row: BestBlock, label: str) -> float:
    """ln of the energy error of the block that a rule names over that of the best; of the worst if it has no size that fits."""
    errors = row["errors"]
    return errors.get(label, max(errors.values())) - errors[row["best"]]


class RuleRow(TypedDict):
    """How right a rule is on families that it has not seen."""

    kind: str
    sees: str
    accuracy: float  # over all targets and budgets
    accuracy_sem: float
    regret: float  # mean of ln energy error over that of the best block
    by_budget: list[float]  # accuracy
    per_target: list[float]  # accuracy
    said: list[list[str]]  # (budgets, targets) blocks


def by_family(row: RuleRow, families: list[str]) -> list[float]:
    """Accuracy of a rule for each family: what it says of a family's targets comes from one rule, so a family counts once."""
    values = np.array(row["per_target"])
    return [float(values[np.array(families) == family].mean()) for family in dict.fromkeys(families)]


class DesignRules(TypedDict):
    """Rules judged on families that were left out, and rules learned from all targets."""

    rows: list[RuleRow]
    always: str  # the block that is most often the best
    shares: dict[str, dict[str, float]]  # {budget: {kind: share of targets where it is the best}}
    trees: dict[str, str]  # {budget: rule learned from all targets, in words}
    linear: dict[str, dict[str, dict[str, float]]]  # the same: {budget: {block: {feature: weight}}}
    summary: dict[
        str, float
    ]  # accuracies of "majority", "always", "blind" (the better of them) and "tree_" with what it sees
    compared: dict[str, Gain]  # the tree by what it sees with the blind rule, and "both_over_control"; by family


@declare(version=1)
def design_rules(inputs) -> DesignRules:
    """Learn rules from ``08/table`` and judge them on families that were left out.

    Two rules look at nothing: the "majority" of the families that are not left out, which a tie can mislead, and "always" the
    block that is most often the best at all, known with hindsight.  Comparisons are with the better of the two, paired by family
    (:func:`by_family`).
    """
    table = inputs["08/table"]
    targets, budgets = table["targets"], table["budgets"]
    families = [t["family"] for t in targets]
    by_budget = {b: [row for row in table["best"] if row["budget"] == b] for b in budgets}
    rows: list[RuleRow] = []
    always = majority([row["best"] for row in table["best"]])
    for kind, sees in [("majority", None), ("always", None), *((k, s) for k in ("tree", "linear") for s in SEES)]:
        x = None if sees is None else features(targets, SEES[sees])
        right = np.zeros((len(budgets), len(targets)), bool)
        regrets = np.zeros(right.shape)
        predicted_all = []
        for b, budget in enumerate(budgets):
            best_rows = by_budget[budget]
            best = [row["best"] for row in best_rows]
            predicted = [always] * len(best_rows) if kind == "always" else predict_left_out(x, best, families, kind)
            right[b] = [row["best"] == label for row, label in zip(best_rows, predicted, strict=True)]
            regrets[b] = [regret(row, label) for row, label in zip(best_rows, predicted, strict=True)]
            predicted_all.append(predicted)
        per_target = right.mean(0)
        rows.append(
            {
                "kind": kind,
                "sees": sees or "nothing",
                "accuracy": float(right.mean()),
                "accuracy_sem": float(per_target.std(ddof=1) / len(per_target) ** 0.5),
                "regret": float(regrets.mean()),
                "by_budget": right.mean(1).tolist(),
                "per_target": per_target.tolist(),
                "said": predicted_all,
            }
        )

    def row_of(kind: str, sees: str) -> RuleRow:
        return next(r for r in rows if (r["kind"], r["sees"]) == (kind, sees))

    def compare_rules(rule: RuleRow, baseline: RuleRow) -> Gain:
        return compare(by_family(rule, families), by_family(baseline, families))

    blind = [row_of("majority", "nothing"), row_of("always", "nothing")]
    base = max(blind, key=lambda row: row["accuracy"])
    summary: dict[str, float] = {row["kind"]: row["accuracy"] for row in blind} | {"blind": base["accuracy"]}
    summary |= {f"tree_{sees}": row_of("tree", sees)["accuracy"] for sees in SEES}
    compared = {sees: compare_rules(row_of("tree", sees), base) for sees in SEES}
    compared["both_over_control"] = compare_rules(row_of("tree", "both"), row_of("tree", "control"))
    return {
        "rows": rows,
        "always": always,
        "shares": {
            str(b): {k: n / len(targets) for k, n in Counter(row["best"] for row in by_budget[b]).items()}
            for b in budgets
        },
        "trees": {str(b): tree_text(targets, [row["best"] for row in by_budget[b]]) for b in budgets},
        "linear": {str(b): linear_rule(targets, [row["best"] for row in by_budget[b]]) for b in budgets},
        "summary": summary,
        "compared": compared,
    }


def tree_text(targets: Sequence[Features], labels: list[str]) -> str:
    """The tree over all features, learned from all targets, in words."""
    from sklearn.tree import export_text

    if len(set(labels)) == 1:
        return f"always {labels[0]}\n"
    names = SEES["both"]
    return export_text(rule_of("tree").fit(features(targets, names), labels), feature_names=list(names), decimals=2)


def linear_rule(targets: Sequence[Features], labels: list[str]) -> dict[str, dict[str, float]]:
    """Weights {block: {feature: weight}} of the standardised features in the linear rule learned from all targets."""
    names = SEES["both"]
    if len(set(labels)) == 1:
        return {labels[0]: dict.fromkeys(names, 0.0)}
    fitted = rule_of("linear").fit(features(targets, names), labels)[-1]
    weights = fitted.coef_ if len(fitted.coef_) > 1 else np.concatenate([-fitted.coef_, fitted.coef_])
    return {
        str(label): dict(zip(names, row.tolist(), strict=True))
        for label, row in zip(fitted.classes_, weights, strict=True)
    }
