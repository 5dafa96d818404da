"""Adam for the few architecture parameters of a supernet: Kingma and Ba, ICLR 2015.

torch.optim has it too, but takes longer to import than a short search takes in all.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

DECAY, SMALL = (0.9, 0.99), 1e-8


class Adam:
    """``parameters`` {name: (count,)} are moved in place."""

    def __init__(self, parameters: Mapping[str, torch.Tensor]):
        self.parameters = parameters
        self.moments = {name: torch.zeros(2, len(v), dtype=v.dtype) for name, v in parameters.items()}
        self.steps = 0

    def move(self, slopes: Mapping[str, torch.Tensor], rate: float) -> None:
        """One step along ``slopes`` {name: (count,)}."""
        self.steps += 1
        for name, slope in slopes.items():
            first, second = self.moments[name]
            first.mul_(DECAY[0]).add_((1 - DECAY[0]) * slope)
            second.mul_(DECAY[1]).add_((1 - DECAY[1]) * slope**2)
            mean, square = first / (1 - DECAY[0] ** self.steps), second / (1 - DECAY[1] ** self.steps)
            with torch.no_grad():
                self.parameters[name].sub_(rate * mean / (square.sqrt() + SMALL))
