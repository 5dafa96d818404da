"""Maps larger than the paper's, and generators without a circuit: what they compute, and what they may cost."""

import pytest
import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.candidates import PAPER, REPAIRED
from qednas.diffqas.networks import convolutional, small, small_size
from qednas.diffqas.simulator import Simulator
from studies.ch09.blockwise import Blockwise, CircuitFeatures, FixedFeatures, bit_features, random_features
from studies.ch09.coordinates import Coordinates


def module() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))  # 16 + 10 weights


def test_a_block_mixes_the_features_of_its_weights():
    x = torch.randn(2, 26, generator=torch.Generator().manual_seed(0))
    net = Blockwise(module(), FixedFeatures(x), 9)  # three blocks of 2 + 1
    assert net.blocks == 3
    assert net.sizes.tolist() == [8, 9, 9]
    net.constant.data = torch.tensor([0.1, 0.2, 0.3])
    flat = net.flat().detach()
    for weight, block in ((0, 0), (7, 0), (8, 1), (16, 1), (17, 2), (25, 2)):
        expected = net.mixing[block] @ x[:, weight] + net.constant[block]
        fan_in = 3**0.5 if weight < 12 else 1.0 if weight < 16 or weight >= 24 else 2.0
        assert float(flat[weight]) == pytest.approx(float(expected.detach()) / fan_in, abs=1e-6)


@pytest.mark.parametrize("parameters", [60, 97, 150])
@pytest.mark.parametrize(
    "made",
    [
        lambda m, p: Blockwise(m, CircuitFeatures(26, 3), p),
        lambda m, p: Blockwise(m, CircuitFeatures(26, 3, trained=False), p),
        lambda m, p: Blockwise(m, random_features(26, 12, 0), p),
        lambda m, p: Blockwise(m, bit_features(26), p),
        lambda m, p: Coordinates(m, p),
    ],
)
def test_no_more_is_trained_than_is_allowed_and_as_much_as_fits(made, parameters):
    net = made(module(), parameters)
    assert parameters - 13 < net.trained_parameters <= parameters
    loss = net(torch.ones(5, 3)).square().sum()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_features_of_circuits_are_the_live_candidates_and_standardised():
    features = CircuitFeatures(26, 2)
    assert features.kinds == sum(not c.fixed for c in PAPER) == 6
    assert CircuitFeatures(26, 2, pool=REPAIRED).kinds == 12
    x = features()
    assert x.shape == (6, 26)
    assert torch.allclose(x.mean(1), torch.zeros(6), atol=1e-5)
    assert torch.allclose(x.std(1), torch.ones(6), atol=1e-5)
    frozen = CircuitFeatures(26, 2, trained=False)
    assert torch.equal(frozen(), features())
    assert sum(p.numel() for p in frozen.parameters()) == 0
    with pytest.raises(InputError, match="no candidate that angles change"):
        CircuitFeatures(26, 2, pool=[PAPER[0]])


def test_the_slope_of_a_block_is_that_of_finite_differences():
    net = Blockwise(module().double(), CircuitFeatures(26, 3, seed=2), 60).double()
    net.features.simulate = Simulator(net.features.simulate.pool, 5, 3, torch.float64)
    inputs = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    net(inputs).square().sum().backward()
    angles, slope = net.features.angles.data.view(-1), net.features.angles.grad.view(-1)
    for k in (0, 7, 14):
        values = []
        for step in (1e-5, -1e-5):
            angles[k] += step
            values.append(float(net(inputs).square().sum().detach()))
            angles[k] -= step
        assert float(slope[k]) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-7)


def test_coordinates_are_a_sine_network_of_the_bits():
    net = Coordinates(module(), 15, seed=3)  # five bits: two units of 7 and a constant
    assert net.trained_parameters == 15
    bits = torch.tensor([-1.0, 1.0, 1.0, -1.0, -1.0])  # of weight 12, a bias
    expected = (net.outer @ torch.sin(net.inner @ bits + net.shift) + net.constant).detach()
    assert float(net.flat().detach()[12]) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("made", "least"),
    [(lambda p: Blockwise(module(), bit_features(26), p), 6), (lambda p: Coordinates(module(), p), 8)],
)
def test_a_budget_that_is_too_small_is_told(made, least):
    made(least)
    with pytest.raises(InputError, match=f"parameters = {least - 1}: at least {least}"):
        made(least - 1)


def test_networks_have_the_sizes_they_should():
    assert sum(p.numel() for p in convolutional().parameters()) == 6690
    assert convolutional()(torch.zeros(2, 784)).shape == (2, 10)
    for budget, classes in ((200, 10), (688, 10), (3292, 10), (286, 2)):
        net = small(budget, classes)
        count = sum(p.numel() for p in net.parameters())
        assert 0.8 * budget < count <= budget
        assert net(torch.zeros(3, 784)).shape == (3, classes)
        first, second = net[1].out_channels, net[3].out_channels
        assert count == small_size(first, second, classes)
    with pytest.raises(InputError, match="the smallest network has 102"):
        small(101, 10)
