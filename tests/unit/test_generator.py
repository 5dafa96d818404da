"""Generated weights: the counts of the paper, gradients, options, and any module."""

import pytest
import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.candidates import PAPER, REPAIRED
from qednas.diffqas.generator import Generator
from qednas.diffqas.mapping import LABELS, SCALINGS, bits_of, saturating


def classifier() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2))


def policy(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(147, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, outputs))


def recurrent() -> nn.Module:
    """The linear maps of an LSTM with hidden state 20 and one input, and its read-out."""
    return nn.ModuleList([*(nn.Linear(21, 20) for _ in range(4)), nn.Linear(20, 1)])


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.mark.parametrize(
    ("module", "depth", "weights", "qubits", "trained"),
    [
        (classifier, 15, 108_866, 17, 286),
        (recurrent, 10, 1_781, 11, 135),
        (lambda: policy(7), 10, 6_023, 13, 157),
        (lambda: policy(1), 10, 5_825, 13, 157),
    ],
)
def test_counts_are_those_of_the_paper(module, depth, weights, qubits, trained):
    net = Generator(module(), depth)
    assert (net.count, net.qubits, net.trained_parameters) == (weights, qubits, trained)
    fixed = Generator(module(), depth, pool=PAPER[:1])
    assert fixed.trained_parameters == trained - 12


@pytest.mark.parametrize("pool", [PAPER, REPAIRED, PAPER[7:8]], ids=["paper", "repaired", "one"])
@pytest.mark.parametrize("mixture", ["raw", "softmax"])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("labels", LABELS)
def test_gradients_are_those_of_finite_differences(pool, mixture, scaling, labels):
    net = Generator(
        small().double(), 3, pool=pool, mixture=mixture, scaling=scaling, labels=labels, turned=0.7, dtype=torch.float64
    )
    inputs = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss() -> torch.Tensor:
        return net(inputs).square().sum()

    loss().backward()
    step = 1e-6
    for parameter in net.parameters():
        flat, slope = parameter.detach().view(-1), parameter.grad.view(-1)
        for k in (0, len(flat) // 2, len(flat) - 1):
            with torch.no_grad():
                flat[k] += step
                up = loss()
                flat[k] -= 2 * step
                down = loss()
                flat[k] += step
            rounding = 4 * torch.finfo(torch.float64).eps * float(up) / step
            assert float(slope[k]) == pytest.approx(float(up - down) / (2 * step), rel=1e-6, abs=rounding)


def test_weights_are_the_affine_map_of_bits_and_probability():
    net = Generator(small(), 2, dtype=torch.float64)
    flat = torch.cat([w.flatten() for w in net.weights().values()]).detach()
    p = net.probabilities().detach()
    for k in (0, 7, net.count - 1):
        bits = [2 * int(b) - 1 for b in format(k, f"0{net.qubits}b")]
        expected = sum(a * b for a, b in zip(net.map.of_bits.tolist(), bits, strict=True))
        expected += float((net.map.of_probability * (p[k] - p[1:].mean()) * 2**net.qubits + net.map.constant).detach())
        assert float(flat[k]) == pytest.approx(expected, abs=1e-12)


def test_the_module_itself_is_not_trained_and_not_changed():
    module = small()
    before = [p.clone() for p in module.parameters()]
    net = Generator(module, 2)
    net(torch.zeros(1, 3)).sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert all(p.grad is None for p in module.parameters())
    assert set(net.state_dict()) == {"angles", "structural", "map.of_bits", "map.of_probability", "map.constant"}


def test_gradients_flow_through_recurrent_modules():
    cell = nn.LSTMCell(1, 4)
    net = Generator(cell, 2, turned=0.5)
    hidden = (torch.zeros(2, 4), torch.zeros(2, 4))
    weights = net.weights()
    for _ in range(3):
        hidden = torch.func.functional_call(cell, weights, (torch.ones(2, 1), hidden))
    hidden[0].sum().backward()
    assert float(net.angles.grad.abs().max()) > 0


def test_a_map_that_learns_lowers_a_loss():
    net = Generator(small(), 3, seed=3)
    inputs = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    target = inputs[:, :2] * 0.5
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = (net(inputs) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_bits_are_written_most_significant_first():
    assert bits_of(3, 2, "zero-one", torch.float32).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert bits_of(2, 1, "plus-minus", torch.float32).tolist() == [[-1], [1]]


def test_no_probability_of_zero_gives_an_infinite_slope():
    f = torch.tensor([0.0, 0.5, -0.1, 0.25], dtype=torch.float64, requires_grad=True)
    saturating(f, 2).square().sum().backward()
    assert torch.isfinite(f.grad).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mixture": "hard"}, "mixture = 'hard'"),
        ({"scaling": "log"}, "scaling = 'log'"),
        ({"labels": "letters"}, "labels = 'letters'"),
        ({"depth": 0}, "depth = 0"),
    ],
)
def test_unknown_options_are_told(change, words):
    with pytest.raises(InputError, match=words):
        Generator(small(), **{"depth": 2, **change})


def test_modules_that_cannot_be_generated_are_told():
    with pytest.raises(InputError, match="has 0 weights"):
        Generator(nn.ReLU(), 2)
    with pytest.raises(InputError, match="has 1049600 weights"):
        Generator(nn.Linear(1024, 1024), 2)


@pytest.mark.parametrize("mixture", ["raw", "softmax"])
@pytest.mark.parametrize("scaling", ["multiples", "saturating", "bounded"])
def test_weights_start_around_zero_and_as_wide_as_is_asked(scaling, mixture):
    net = Generator(nn.Linear(100, 20), 6, scaling=scaling, mixture=mixture, spread=1.5, dtype=torch.float64)
    flat = net.flat().detach()[1:]  # the first is that of |0...0>, where two candidates stay
    fan_in = (2000 * 100 + 20) / 2020
    low, high = flat.quantile(torch.tensor([0.16, 0.84], dtype=torch.float64))
    assert float(flat.mean()) == pytest.approx(0.0, abs=0.2 * 1.5 * fan_in**-0.5)
    assert float(high - low) / 2 == pytest.approx(1.5 * fan_in**-0.5, rel=0.2)


def test_structural_weights_do_not_shift_all_weights():
    net = Generator(nn.Linear(100, 20), 6, dtype=torch.float64)
    before = float(net.flat().detach()[1:].mean())
    with torch.no_grad():
        net.structural += 0.5
    size = float(net.flat().detach()[1:].std())
    assert abs(float(net.flat().detach()[1:].mean()) - before) < 0.05 * size
