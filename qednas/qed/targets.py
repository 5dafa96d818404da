"""Chapter 4: what the predictor says of the large targets, beside their references."""

from __future__ import annotations

import time

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.physics.families import build
from qednas.qed.predictor import Predictor
from qednas.qed.references import title
from qednas.qed.scaling_form import OFFSETS
from qednas.qed.splits import stored_predictor


def compare(inputs) -> dict:
    """Prediction beside reference for every target.

    Returns ``rows`` (one dictionary a target: proxies of both, standard deviations, in_domain, profiles), ``summary`` (per
    class and overall, for each proxy, the median and largest of |error| / (|value| + offset)), ``unconverged`` (names of
    the references that were not compared) and ``timing`` (seconds).
    """
    predictor = stored_predictor(inputs["03/predictor"])
    references = inputs["04/references"]
    rows, unconverged, quick, slow = [], [], [], []
    for target, seconds in zip(references["targets"], references["timing"]["seconds"], strict=True):
        name = title(target)
        if not target["converged"]:
            unconverged.append(name)
            continue
        start = time.perf_counter()
        row = judge(predictor, target)
        quick.append(time.perf_counter() - start)
        slow.append(seconds)
        rows.append(
            {"name": name, "class": target["class"], "family": target["family"], "sites": target["sites"]} | row
        )
    timing = {"predict_median": float(np.median(quick)), "reference_median": float(np.median(slow))}
    timing["ratio"] = timing["reference_median"] / timing["predict_median"]
    return {
        "rows": rows,
        "unconverged": unconverged,
        "summary": summarise(rows),
        "compared": len(rows),
        "timing": timing,
    }


def judge(predictor: Predictor, target: dict) -> dict:
    """One prediction against one reference."""
    hamiltonian = build(target["family"], target["sites"], **target["parameters"])
    answer = predictor.predict(hamiltonian)
    truth = target["proxies"]
    relative = {
        name: abs(answer["proxies"][name] - truth[name]) / (abs(truth[name]) + offset)
        for name, offset in zip(PROXIES, OFFSETS, strict=True)
    }
    return {
        "predicted": answer["proxies"],
        "std": answer["std"],
        "reference": truth,
        "relative_error": relative,
        "in_domain": answer["in_domain"],
        "predicted_profile": answer["profile"],
        "reference_profile": target["profile"],
    }


def summarise(rows: list[dict]) -> dict:
    """Median and largest relative error of each proxy and the share inside two standard deviations, per class and overall."""
    groups = {"all": rows} | {
        label: [r for r in rows if r["class"] == label] for label in dict.fromkeys(r["class"] for r in rows)
    }
    out: dict[str, dict] = {}
    for label, members in groups.items():
        out[label] = {"targets": len(members)}
        for name in PROXIES:
            relative = np.array([r["relative_error"][name] for r in members])
            inside = [abs(r["predicted"][name] - r["reference"][name]) <= 2 * r["std"][name] for r in members]
            sem = float(relative.std(ddof=1) / np.sqrt(len(relative))) if len(relative) > 1 else 0.0
            out[label][name] = {
                "median": float(np.median(relative)),
                "mean": float(relative.mean()),
                "mean_sem": sem,
                "largest": float(relative.max()),
                "inside_two_std": float(np.mean(inside)),
            }
    return out
