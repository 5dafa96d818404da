"""The network of the paper for time series: one LSTM cell, written out, so that its weights can be generated."""

from __future__ import annotations

import torch
from torch import nn

UNITS = 20


class Recurrent(nn.Module):
    """LSTM (Hochreiter and Schmidhuber 1997) with one input and a linear read-out of its last state; 1,781 weights of 20 units.

    The cell is a loop of plain linear layers over the time steps: generated weights stay a part of the graph at every one of
    them.  (The layer of torch keeps a flat copy of its weights, and weights that are copied into it get no gradient.)
    """

    def __init__(self, units: int = UNITS):
        super().__init__()
        self.units = units
        self.gates = nn.ModuleList([nn.Linear(1 + units, units) for _ in range(4)])
        self.out = nn.Linear(units, 1)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """The next values (batch, 1) of series (batch, time, 1)."""
        hidden = series.new_zeros(series.shape[0], self.units)
        cell = hidden
        for step in range(series.shape[1]):
            entering = torch.cat([series[:, step], hidden], 1)  # (batch, 1 + units)
            forget, enter, leave, new = (gate(entering) for gate in self.gates)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            hidden = torch.sigmoid(leave) * torch.tanh(cell)
        return self.out(hidden)
