"""What is read off the searches of short chains, and of networks in 8-bit integers."""

import numpy as np
import pytest

from studies.ch06.ablations import STANDARD
from studies.ch06.verdict import judge_supernet
from studies.ch14 import deployment_verdict


def run(system, variant, seed, relative, **more):
    base = {"system": {"family": system}, "variant": variant, "seed": seed, "relative": relative, "rank": 0.5}
    return base | {"supernet": 1e-3, "trained_entropy": 0.3, "wanted": {"entropy": 0.3}} | more


def test_the_worst_system_is_judged_and_systems_are_fixed():
    runs = [run("xy", STANDARD, s, 1e-5 * (1 + s), rank=0.0 if s == 0 else 0.4) for s in range(3)]
    runs += [run("ssh", STANDARD, s, 1e-3, supernet=5e-3, trained_entropy=0.27) for s in range(3)]
    runs += [run("xy", "plain", s, 1e-4 * (1 + s)) for s in range(3)] + [run("ssh", "plain", s, 1e-3) for s in range(3)]
    found = judge_supernet({"06/small": {"runs": runs}})
    summary = found["summary"]
    assert summary["best"] == {"hits": 1, "units": 6}
    assert summary["worst_supernet"] == pytest.approx(5e-3)
    assert summary["worst_missed"] == pytest.approx(0.1)
    assert summary["worst_missed_units"] == 3
    plain = found["compared"]["plain"]
    assert plain["gain"] == pytest.approx(np.log(10) / 2)  # ten times the error on one of two systems
    assert (plain["tasks"], plain["pairs"]) == (2, 6)


def test_the_network_least_surely_within_a_point_is_judged():
    networks = {"images": {"a": {"lost": 0.4, "lost_sem": 0.1}}, "sensors": {"b": {"lost": 0.1, "lost_sem": 0.5}}}
    found = deployment_verdict.judge_deployment({"r": {"networks": networks}}, "r", 3)
    assert found == {"network": "sensors: b", "lost": 0.1, "lost_sem": 0.5, "lost_units": 3, "networks": 2}
