"""Answers of the commands as lines of text, for who does not ask for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qednas.diffqas.tasks.classify import Classified
    from qednas.diffqas.tasks.forecast import Forecast
    from qednas.physics.reference import Reference
    from qednas.qed.predictor.predictor import Prediction
    from qednas.qed.search.search import SearchResult
    from qednas.qnas.table_search import TableSearch


def reference(out: Reference) -> list[str]:
    lines = [f"energy     {out['energy']:.9f}   ({out['method']}, sector {out['sector']})"]
    lines += [f"pinning    {out['pinning']}"] if out["pinning"] else []
    lines += [
        "half-chain entanglement (nats):",
        *(f"  {name:9s}{value:12.6f}" for name, value in out["proxies"].items()),
    ]
    return [*lines, f"converged  {'yes' if out['converged'] else 'NO'}   {out['seconds']:.2f} s"]


def predict(out: Prediction) -> list[str]:
    lines = ["half-chain entanglement (nats), +- one standard deviation, 90 % interval:"]
    for name, value in out["proxies"].items():
        low, high = out["interval90"][name]
        lines.append(f"  {name:9s}{value:12.6f} +- {out['std'][name]:.6f}   90 %: {low:.4f} to {high:.4f}")
    return [*lines, "inside the training region" if out["in_domain"] else f"OUTSIDE the training region: {out['why']}"]


def search(out: SearchResult) -> list[str]:
    lines = [
        f"architecture  {' + '.join(out['architecture'])}   ({out['parameters']} parameters)",
        f"energy        {out['energy']:.8f} +- {out['energy_std']:.8f}   (V-score {out['v_score']:.2e})",
        "entropy       "
        + (
            "not resolved by the samples"
            if out["entropy"] is None
            else f"{out['entropy']:.4f} +- {out['entropy_std']:.4f}"
        )
        + f" nats, half chain   ({out['entropy_kind']})",
        f"seconds       {out['seconds']:.1f}",
    ]
    return lines if out["agreed"] else [*lines, f"WARNING: the Markov chains do not agree (R-hat {out['r_hat']:.2f})"]


def diffqas(out: Classified | Forecast) -> list[str]:
    quality: Mapping[str, Any] = out
    lines = [
        f"test accuracy  {quality['test_accuracy']:.4f}"
        if "test_accuracy" in quality
        else f"test error     {quality['test_mse']:.4g}",
        f"parameters     {out['trained_parameters']} trained for {out['target_parameters']} weights",
        "structural weights:",
    ]
    lines += [f"  {name:12s}{weight:9.4f}" for name, weight in out["structural_weights"].items()]
    lines += [f"written        {path}" for path in out["files"].values()]
    return [*lines, f"seconds        {out['seconds']:.1f}"]


def claims(out: dict) -> list[str]:
    return [f"{row['id']:10s} {row['kind']:6s} {row['verdict']:18s} {row['statement']}" for row in out["claims"]]


def status(out: dict) -> list[str]:
    return [f"{row['store']}/{row['name']:24s} {row['state']:10s} {row['why']}".rstrip() for row in out["results"]]


def nas(out: TableSearch) -> list[str]:
    best = ["none: every evaluation failed"] if out["best"] is None else [f"{k} = {v}" for k, v in out["best"].items()]
    lines = [
        f"best         {', '.join(best)}",
        f"score        {out['best_score']:.6g}   (regret {out['regret']:.4g})",
        f"evaluations  {out['evaluations']}   ({out['method']})",
    ]
    if out["missing"]:
        lines.append(f"missing      {out['missing']:.6g} configurations have no row and were not asked for")
    if random_count := out["counts"].get("random"):
        lines.append(f"at random    {random_count} of the evaluations, because the method had nothing new to propose")
    return [*lines, f"seconds      {out['seconds']:.1f}"]
