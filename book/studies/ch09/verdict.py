"""What the runs of the chapter on classification say: means with standard errors, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare_within, estimate, mean_and_sem
from qednas.base.task import declare
from qednas.diffqas.candidates import PAPER
from studies.ch09.classification import CONTROLS, DEFAULT, SEARCHED, ClassifierRun
from studies.ch09.published import TEN_CLASSES

STATED = "1,5"  # the classes for which the paper states an accuracy


def accuracies(runs: Sequence[ClassifierRun], **wanted: Any) -> dict[int, float]:
    """Test accuracy by seed of the runs that have these entries."""
    return {r["seed"]: r["accuracy"] for r in runs if all(r.get(key) == value for key, value in wanted.items())}


def same_as(number: int) -> int:
    """The candidate (from 1) that was run for this one: the first that gives the same probabilities whatever the angles."""
    candidate = PAPER[number - 1]
    return 1 + next(
        k for k, c in enumerate(PAPER) if c is candidate or (candidate.fixed and c.fixed == candidate.fixed)
    )


def candidate_accuracies(runs: Sequence[ClassifierRun], target: list[str], number: int) -> dict[int, float]:
    """Test accuracy by seed of a candidate alone."""
    return accuracies(runs, dataset=target[0], classes=target[1], method=f"fixed/{same_as(number)}")


def compare_paired(values: Mapping[Any, Sequence[float]], baseline: Mapping[Any, Sequence[float]]) -> Gain:
    """``values`` less ``baseline``, {task: by seed}, over fixed tasks."""
    return compare_within({task: np.subtract(by_seed, baseline[task]) for task, by_seed in values.items()})


def targets_of(runs: Sequence[ClassifierRun]) -> list[list[str]]:
    return [list(t) for t in dict.fromkeys((r["dataset"], r["classes"]) for r in runs)]


class ClassificationSummary(TypedDict):
    """The search, and circuits on ten classes, in shares of the test images."""

    least: float  # the lower of the mean accuracies on the two pairs of classes that the paper states
    least_sem: float
    most_lost: float  # to the network trained directly
    most_lost_sem: float
    over_mean_fixed: Gain  # of the twelve candidates alone
    over_best_fixed: Gain  # the candidate alone that is the best on the mean over all pairs, known with hindsight
    over_random: Gain  # the controls with as many parameters, like the next three
    over_bits: Gain
    over_coordinates: Gain
    over_direct: Gain
    circuit_over_random: Gain  # over data sets of ten classes and sizes, like the next
    circuit_over_frozen: Gain


class MeanAccuracy(TypedDict):
    """Of one method with one number of trained parameters."""

    accuracy: float
    accuracy_sem: float


class PairAccuracy(MeanAccuracy):
    """The search on one pair of classes."""

    accuracy_units: int  # seeds
    lost: float  # to the network trained directly
    lost_sem: float
    lost_units: int


class ClassificationVerdict(TypedDict):
    """What the claims are read from.  Data sets and sizes are fixed; errors come from seeds."""

    summary: ClassificationSummary
    ten: dict[str, dict[str, dict[str, MeanAccuracy]]]  # {data set: {method: {trained parameters: ...}}}
    pairs: dict[str, PairAccuracy]  # {"data set classes": ...}
    margins: dict[str, float]  # circuits less published, with as many parameters or fewer; also _sem, _units (seeds)
    alive: int  # candidates that angles change
    p: dict[str, float]  # raw
    best_fixed: str  # number and name


@declare(version=1)
def judge_classification(inputs) -> ClassificationVerdict:
    """From ``09/paper`` and ``09/ten``."""
    runs, ten = inputs["09/paper"]["runs"], inputs["09/ten"]["runs"]
    targets = targets_of(runs)
    searched = [accuracies(runs, dataset=d, classes=c, method=SEARCHED) for d, c in targets]
    alone = {k: [candidate_accuracies(runs, t, k) for t in targets] for k in range(1, 13)}
    best = max(alone, key=lambda k: np.mean([v for by_seed in alone[k] for v in by_seed.values()]))

    def gain_over(baseline: list[dict[int, float]]) -> Gain:
        return compare_within(
            {k: [by_seed[s] - baseline[k][s] for s in sorted(by_seed)] for k, by_seed in enumerate(searched)}
        )

    candidate_means = [
        {s: float(np.mean([alone[k][t][s] for k in alone])) for s in searched[t]} for t in range(len(targets))
    ]
    over = {
        f"over_{m}": gain_over([accuracies(runs, dataset=d, classes=c, method=m) for d, c in targets]) for m in CONTROLS
    }
    by_method: dict[str, dict[str, dict[str, MeanAccuracy]]] = {}
    for dataset, method, size in dict.fromkeys((r["dataset"], r["method"], r["parameters"]) for r in ten):
        mean, sem = mean_and_sem(accuracies(ten, dataset=dataset, method=method, parameters=size).values())
        entries = by_method.setdefault(dataset, {}).setdefault(method, {})
        entries[str(size)] = {"accuracy": mean, "accuracy_sem": sem}
    places = dict.fromkeys((r["dataset"], r["parameters"]) for r in ten if r["method"] == "circuit")

    def accuracies_by_place(method: str) -> dict[tuple[str, int], list[float]]:
        by_place = {(d, p): accuracies(ten, dataset=d, method=method, parameters=p) for d, p in places}
        return {place: [by_seed[s] for s in sorted(by_seed)] for place, by_seed in by_place.items()}

    stated = [by_seed.values() for by_seed, (_, classes) in zip(searched, targets, strict=True) if classes == STATED]
    least, least_sem = min(mean_and_sem(values) for values in stated)
    full = [accuracies(runs, dataset=d, classes=c, method="full") for d, c in targets]
    losses = [[f[s] - by_seed[s] for s in by_seed] for f, by_seed in zip(full, searched, strict=True)]
    lost, lost_sem = max(mean_and_sem(values) for values in losses)
    pairs = {
        " ".join(target): estimate(by_seed.values(), "accuracy") | estimate(values, "lost")
        for target, by_seed, values in zip(targets, searched, losses, strict=True)
    }
    margins: dict[str, float] = {}
    for dataset, size, published, _ in TEN_CLASSES:
        sizes = by_method.get(dataset, next(iter(by_method.values())))["circuit"]  # the small profile has other images
        near = max((int(s) for s in sizes if int(s) <= size), default=min(map(int, sizes)))
        margins[f"{dataset}_{size}"] = sizes[str(near)]["accuracy"] - published
        margins[f"{dataset}_{size}_sem"] = sizes[str(near)]["accuracy_sem"]
        margins[f"{dataset}_{size}_units"] = len({r["seed"] for r in ten})
    best_name = f"{best} {PAPER[best - 1]}"
    tests = {
        "over_mean_fixed": gain_over(candidate_means),
        "over_best_fixed": gain_over(alone[best]),
        **over,
        "circuit_over_random": compare_paired(accuracies_by_place("circuit"), accuracies_by_place("random")),
        "circuit_over_frozen": compare_paired(accuracies_by_place("circuit"), accuracies_by_place("frozen circuit")),
    }
    p = {name: test.pop("p") for name, test in tests.items()}
    return {
        "summary": cast(
            ClassificationSummary,
            {"least": least, "least_sem": least_sem, "most_lost": lost, "most_lost_sem": lost_sem, **tests},
        ),
        "ten": by_method,
        "pairs": cast(dict[str, PairAccuracy], pairs),
        "margins": margins,
        "alive": sum(not c.fixed for c in PAPER),
        "p": p,
        "best_fixed": best_name,
    }


class OptionRow(TypedDict):
    """Test accuracy with one option."""

    option: str
    accuracy: tuple[float, float]  # mean over seeds and its standard error
    values: list[float]  # (seeds,)


def option_rows(options: Sequence[ClassifierRun], runs: Sequence[ClassifierRun]) -> list[OptionRow]:
    """Accuracy of every option after as many epochs as it was trained; the default is read off the curves of the longer runs."""
    first = options[0]
    same = [r for r in runs if all(r[k] == first[k] for k in ("dataset", "classes", "method"))]
    steps = max(first["step"])
    default = [r["curve"][r["step"].index(steps)] for r in same]
    rows: list[OptionRow] = [{"option": DEFAULT, "accuracy": mean_and_sem(default), "values": default}]
    for name in dict.fromkeys(r["option"] for r in options):
        values = [r["accuracy"] for r in options if r["option"] == name]
        rows.append({"option": name, "accuracy": mean_and_sem(values), "values": values})
    return rows
