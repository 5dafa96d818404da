"""Networks that are trained side by side are those that are trained alone."""

import pytest
import torch

from qednas.base.errors import InputError
from qednas.diffqas.own_rates import OwnRates
from qednas.diffqas.recurrent import Recurrent
from studies.ch09.classification import build_generated
from studies.ch10.forecasting import seeded_network
from studies.ch10.stacked import Stacked


@pytest.mark.parametrize("method", ["whole", "random", "bits", "coordinates"])
def test_outputs_are_those_of_each_network(method):
    networks = [
        seeded_network(3, seed) if method == "whole" else build_generated(Recurrent(3), method, 40, 2, seed)
        for seed in range(3)
    ]
    net = Stacked(networks)
    inputs = torch.randn(3, 5, 4, 1, generator=torch.Generator().manual_seed(0))
    wanted = torch.stack([own(x) for own, x in zip(networks, inputs, strict=True)])
    assert torch.allclose(net(inputs), wanted, atol=1e-6)
    assert net.trained_parameters == sum(p.numel() for p in networks[0].parameters())
    net(inputs).square().sum().backward()
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.stacked)


@pytest.mark.parametrize(("kind", "settings"), [(torch.optim.Adam, {"betas": (0.9, 0.99)}), (torch.optim.RMSprop, {})])
def test_each_run_is_trained_at_its_rate(kind, settings):
    rates = [0.001, 0.02, 0.3]
    start = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    together = torch.nn.Parameter(start.clone())
    optimiser = OwnRates(kind, [together], rates, **settings)
    alone = [torch.nn.Parameter(row.clone()) for row in start]
    optimisers = [kind([own], lr=rate, **settings) for own, rate in zip(alone, rates, strict=True)]
    for _ in range(20):
        for own in (optimiser, *optimisers):
            own.zero_grad()
        for value in (together, *alone):
            (value - 1).pow(4).sum().backward()
        for own in (optimiser, *optimisers):
            own.step()
    assert torch.allclose(together, torch.stack(list(alone)), atol=1e-12, rtol=0)


def test_what_cannot_be_trained_is_told():
    with pytest.raises(InputError, match="no networks"):
        Stacked([])
    with pytest.raises(InputError, match=r"rate = -0\.1: positive"):
        OwnRates(torch.optim.Adam, [torch.nn.Parameter(torch.zeros(2))], [0.1, -0.1])
