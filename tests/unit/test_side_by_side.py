"""Generators that are trained side by side are those that are trained alone."""

import pytest
import torch

from qednas.base.errors import InputError
from qednas.diffqas.candidates import PAPER, REPAIRED
from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent
from studies.ch10.side_by_side import SideBySide

RUNS = [(PAPER, 0), (PAPER, 1), *(([candidate], 2) for candidate in PAPER), (PAPER[6:9], 3)]


def batches(steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (steps, runs, batch, time, 1) and targets."""
    generator = torch.Generator().manual_seed(5)
    shape = (steps, len(RUNS), 6, 3, 1)
    return (torch.randn(*shape, dtype=torch.float64, generator=generator),
            torch.randn(*shape[:3], 1, dtype=torch.float64, generator=generator))  # fmt: skip


def trained(net, inputs, targets, optimiser) -> None:
    for x, y in zip(inputs, targets, strict=True):
        optimiser.zero_grad()
        net(x).sub(y).square().flatten(-2).mean(-1).sum().backward()
        optimiser.step()


@pytest.mark.parametrize("optimiser", [torch.optim.Adam, torch.optim.RMSprop])
def test_every_run_is_what_it_is_alone(optimiser):
    """After steps of training, to 1e-9: weights, angles, structural weights."""
    module = Recurrent(2).double()
    inputs, targets = batches(4)
    together = SideBySide(module, 3, RUNS, dtype=torch.float64)
    trained(together, inputs, targets, optimiser(together.parameters(), lr=0.01))
    found = together.weights()
    for run, (pool, seed) in enumerate(RUNS):
        net = Generator(module, 3, pool=pool, seed=seed, dtype=torch.float64)
        trained(net, inputs[:, run], targets[:, run], optimiser(net.parameters(), lr=0.01))
        for name, weight in net.weights().items():
            assert torch.allclose(found[name][run], weight, atol=1e-9, rtol=0)
        own = together.structure()[run][[PAPER.index(c) for c in pool]]
        assert torch.allclose(own, net.structure(), atol=1e-10)
        assert torch.allclose(together.angles[run, 0], net.angles, atol=1e-9)


def test_what_cannot_be_run_is_told():
    with pytest.raises(InputError, match="no runs"):
        SideBySide(Recurrent(2), 3, [])
    with pytest.raises(InputError, match="is not in the pool"):
        SideBySide(Recurrent(2), 3, [(REPAIRED, 0)])
