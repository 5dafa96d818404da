"""What deployment says: the network that most likely loses more in 8-bit integers than is allowed."""

from __future__ import annotations

from typing import TypedDict

from qednas.base.task import declare

ALLOWED = 1.0  # points of accuracy


class WorstLoss(TypedDict):
    """The network that is the least far below ALLOWED, counted in its standard errors."""

    network: str  # "space: name"
    lost: float  # points of accuracy, mean over trainings
    lost_sem: float
    lost_units: int  # trainings
    networks: int  # of how many it is the worst


@declare(version=1)
def judge_deployment(inputs, result: str, seeds: int) -> WorstLoss:
    """From ``result`` (:func:`~studies.ch14.deployment.deploy_found`) with ``seeds`` trainings of every network."""
    every = [
        (f"{space}: {name}", network["lost"], network.get("lost_sem", 0.0))
        for space, by_name in inputs[result]["networks"].items()
        for name, network in by_name.items()
    ]
    name, lost, sem = max(every, key=lambda one: (one[1] - ALLOWED) / max(one[2], 1e-12))
    return {"network": name, "lost": lost, "lost_sem": sem, "lost_units": seeds, "networks": len(every)}
