"""What the runs of chapter 7 say: energies and entropies of discovered architectures, target by target, and paired comparisons.

A target counts once: its seeds are averaged first.
"""

from __future__ import annotations

from typing import TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare, compare_all, estimate, mean_and_sem
from qednas.base.task import declare
from qednas.qed.search.search import AGREED
from studies.ch04.verdict import Hits
from studies.ch06.verdict import SMALL_ENTROPY, worst
from studies.ch07.evaluation import BLIND, BLOCKS, ESTABLISHED, RANDOM, SEARCH, SEARCHERS, EvaluationRun

PRECISE = 1e-3  # relative energy error from which on a network is called of use
AS_GOOD = 2.0  # times the energy error of the best single block that counts as no worse
LONG = 50  # sites


def log_error(run: EvaluationRun) -> float:
    """ln of the relative energy error; an error smaller than its own standard error is told as that."""
    return float(np.log(max(run["relative"], run["relative_error"], 1e-12)))


def entropy_missed(run: EvaluationRun, wanted: float) -> float:
    """By what share the second Renyi entropy of a trained network is off, beyond two standard errors of its measurement.

    1 where training failed.
    """
    if run["renyi2"] is None:
        return 1.0
    beyond = abs(run["renyi2"] - wanted) - 2 * (run["renyi2_error"] or 0.0)
    return float(max(beyond, 0.0) / max(wanted, SMALL_ENTROPY))


class VerdictRow(TypedDict):
    """One target: every method, and the discovered architecture among them; means over seeds."""

    target: int  # its place in the list
    sites: int
    mean: dict[str, float]  # of ln(energy error), by method
    mean_sem: dict[str, float]
    best_block: str  # kind
    better_than_blocks: bool  # than all of them
    better_than_established: bool
    best: bool  # of all methods
    not_worse: bool  # than the best block by two standard errors
    relative: float  # energy error
    relative_sem: float
    relative_units: int  # seeds
    missed: float  # share of the entropy, see entropy_missed
    missed_sem: float
    missed_units: int
    agreed: bool  # the Markov chains of every seed


class EvaluationSummary(TypedDict):
    """The discovered architectures over all targets, or over long chains; the worst is that of a target."""

    share_better_than_blocks: float  # of targets, as all shares
    share_better_than_established: float
    share_best: float
    share_not_worse: float
    best: Hits
    median_relative: float
    worst_relative: float
    worst_relative_sem: float
    worst_relative_units: int
    worst_missed: float
    worst_missed_sem: float
    worst_missed_units: int
    long_worst_relative: float
    long_worst_relative_sem: float
    long_worst_relative_units: int
    long_worst_missed: float
    long_worst_missed_sem: float
    long_worst_missed_units: int
    share_handled: float  # of long chains
    precise: Gain  # by how much ln of the error is below that of PRECISE
    over_best_block: Gain  # below AS_GOOD times the error of the best block, chosen with hindsight
    least_gain: float  # over the searchers that are no search


class EvaluationVerdict(TypedDict):
    """What the runs of chapter 7 say."""

    rows: list[VerdictRow]
    compared: dict[str, Gain]  # every method with the discovered one in ln of the energy error, paired by target
    summary: EvaluationSummary


@declare(version=1)
def judge_evaluation(inputs) -> EvaluationVerdict:
    """What ``07/runs`` says; gains are positive where the discovered architecture is better."""
    evaluation = inputs["07/runs"]
    methods = [*BLOCKS, *SEARCHERS]
    rows: list[VerdictRow] = []
    for number, target in enumerate(evaluation["targets"]):
        logs = {
            method: [log_error(r) for r in evaluation["runs"] if r["target"] == number and r["method"] == method]
            for method in methods
        }
        moments = {m: mean_and_sem(v) for m, v in logs.items() if v}
        mean, sem = ({m: pair[k] for m, pair in moments.items()} for k in (0, 1))
        blocks = [m for m in BLOCKS if m in mean]
        first = min(blocks, key=mean.__getitem__)
        discovered = mean[SEARCH]
        searches = [r for r in evaluation["runs"] if r["target"] == number and r["method"] == SEARCH]
        wanted = evaluation["references"][number]["renyi2"]
        rows.append(
            cast(
                VerdictRow,
                {
                    "target": number,
                    "sites": target["sites"],
                    "mean": mean,
                    "mean_sem": sem,
                    "best_block": first,
                    "better_than_blocks": all(discovered < mean[m] for m in blocks),
                    "better_than_established": all(discovered < mean[m] for m in ESTABLISHED if m in mean),
                    "best": all(discovered <= mean[m] for m in mean),
                    "not_worse": discovered - mean[first] <= 2 * float(np.hypot(sem[SEARCH], sem[first])),
                    **estimate([r["relative"] for r in searches], "relative"),
                    **estimate([entropy_missed(r, wanted) for r in searches], "missed"),
                    "agreed": all((r["r_hat"] or 1.0) < AGREED for r in searches),
                },
            )
        )
    discovered = np.array([row["mean"][SEARCH] for row in rows])
    everywhere = [m for m in methods if all(m in row["mean"] for row in rows) and m != SEARCH]
    compared = compare_all({m: [row["mean"][m] for row in rows] for m in everywhere}, discovered)
    long = [row for row in rows if row["sites"] >= LONG]
    chosen = np.array([row["mean"][row["best_block"]] for row in rows])
    choosers = [compared[BLIND], compared[RANDOM]]
    return {
        "rows": rows,
        "compared": compared,
        "summary": cast(
            EvaluationSummary,
            {
                **{
                    f"share_{name}": float(np.mean([row[name] for row in rows]))
                    for name in ("better_than_blocks", "better_than_established", "best", "not_worse")
                },
                "best": {"hits": sum(row["best"] for row in rows), "units": len(rows)},
                "median_relative": float(np.median([row["relative"] for row in rows])),
                **worst(rows, "relative", "worst_relative"),
                **worst(rows, "missed", "worst_missed"),
                **worst(long, "relative", "long_worst_relative"),
                **worst(long, "missed", "long_worst_missed"),
                "share_handled": float(np.mean([row["relative"] < 1e-2 and row["agreed"] for row in long]))
                if long
                else 0.0,
                "precise": compare(np.full(len(discovered), np.log(PRECISE)), discovered),
                "over_best_block": compare(chosen + np.log(AS_GOOD), discovered),
                "least_gain": min(row["gain"] for row in choosers),
            },
        ),
    }
