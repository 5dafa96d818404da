"""How long, in which steps and at which rate a network of a trained space is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """epochs over the training data, rows of a batch, largest rate, weight decay."""

    epochs: int
    batch: int
    rate: float
    decay: float = 0.01
