"""The recurrent network of the paper: beside torch's own, and with generated weights that are trained through time."""

import pytest
import torch
from torch import nn

from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent


def test_it_is_the_cell_of_torch():
    net, peer = Recurrent(7).double(), nn.LSTM(1, 7, batch_first=True).double()
    order = [1, 0, 3, 2]  # torch keeps input, forget, cell and output gate
    with torch.no_grad():
        peer.weight_ih_l0.copy_(torch.cat([net.gates[k].weight[:, :1] for k in order]))
        peer.weight_hh_l0.copy_(torch.cat([net.gates[k].weight[:, 1:] for k in order]))
        peer.bias_ih_l0.copy_(torch.cat([net.gates[k].bias for k in order]))
        peer.bias_hh_l0.zero_()
    series = torch.randn(5, 6, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(net(series), net.out(peer(series)[0][:, -1]), atol=1e-12)


def test_the_gradient_goes_through_every_step_of_time():
    """Of the generator's parameters it is that of finite differences; of the last step alone it would be another."""
    torch.manual_seed(0)
    net = Generator(Recurrent(4).double(), 3, dtype=torch.float64, seed=1)
    series = torch.randn(6, 5, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def loss(x: torch.Tensor) -> torch.Tensor:
        return net(x).square().sum()

    loss(series).backward()
    for parameter in (net.angles, net.structural, net.map.of_bits, net.map.of_probability):
        flat, slope = parameter.data.view(-1), parameter.grad.view(-1)
        for k in (0, len(flat) - 1):
            values = []
            for step in (1e-6, -1e-6):
                flat[k] += step
                values.append(float(loss(series).detach()))
                flat[k] -= step
            assert float(slope[k]) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)
    whole = net.angles.grad.clone()
    net.zero_grad()
    loss(series[:, -1:]).backward()
    assert not torch.allclose(whole, net.angles.grad, rtol=0.1)


def test_sizes_of_the_paper():
    assert sum(p.numel() for p in Recurrent().parameters()) == 1781
    assert Generator(Recurrent(), 10).trained_parameters == 135
