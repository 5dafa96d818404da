"""The candidates on PennyLane devices: against our own simulator, with shots, and what cannot run."""

import math
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.circuits.devices import check_device
from qednas.diffqas import device as module
from qednas.diffqas.candidates import PAPER, REPAIRED
from qednas.diffqas.device import Device
from qednas.diffqas.generator import Generator
from qednas.diffqas.simulator import Simulator
from studies.ch09.drawing import draw

CHANCE = 1e-6  # that a correct device fails one statistical test; seeds are fixed, so it is decided once


BOOK = Path(__file__).parents[2] / "book"


def angles(n: int, depth: int, seed: int = 0) -> torch.Tensor:
    theta = torch.randn(depth, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return theta.requires_grad_()


def slopes(count: int, n: int) -> torch.Tensor:
    return torch.rand(count, 1 << n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))  # from 0 to 1


def both(simulate, theta: torch.Tensor, slope: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities, and the gradient of their sum with the weights ``slope``."""
    found = simulate(theta)
    (gradient,) = torch.autograd.grad((found * slope).sum(), theta)
    return found.detach(), gradient


@pytest.mark.parametrize("pool", [PAPER, REPAIRED], ids=["paper", "repaired"])
@pytest.mark.parametrize(
    ("name", "method"),
    [("default.qubit", "backprop"), ("default.mixed", "backprop"), ("lightning.qubit", "parameter-shift")],
)
def test_exact_devices_give_what_our_simulator_gives(pool, name, method):
    n, depth = 3, 3
    theta, slope = angles(n, depth), slopes(len(pool), n)
    found = Device(name, pool, n, depth)
    assert found.method == method
    expected = Simulator(pool, n, depth)
    assert (found.pool, found.n, found.depth, found.dtype) == (expected.pool, n, depth, expected.dtype)
    for ours, theirs in zip(both(expected, theta, slope), both(found, theta, slope), strict=True):
        assert float((ours - theirs).abs().max()) < 1e-12


def test_single_precision_is_a_matter_of_the_result():
    theta = angles(2, 2).detach().float().requires_grad_()
    found = Device("default.qubit", PAPER, 2, 2, torch.float32)(theta)
    assert found.dtype == torch.float32
    found.square().sum().backward()
    assert theta.grad.dtype == torch.float32
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("name", ["default.qubit", "default.mixed", "lightning.qubit"])
def test_shots_scatter_about_the_exact_value_and_gradient(name):
    """Hoeffding's bound for averages of independent numbers, over all values at once: see CHANCE."""
    n, depth, shots = 3, 2, 4000
    pool, theta = (PAPER[1], PAPER[9]), angles(n, depth)
    slope = slopes(len(pool), n)
    p, gradient = both(Device(name, pool, n, depth, shots=shots, seed=1), theta, slope)
    exact_p, exact_gradient = both(Simulator(pool, n, depth), theta, slope)
    counts = p * shots
    assert float((counts - counts.round()).abs().max()) < 1e-6  # shots, not exact probabilities
    assert float((p - exact_p).abs().max()) > 1e-4
    allowed = math.sqrt(math.log(2 * p.numel() / CHANCE) / (2 * shots))
    assert float((p - exact_p).abs().max()) < allowed
    # of each candidate (f(+) - f(-)) / 2, each f an average of numbers from 0 to 1
    allowed = math.sqrt(len(pool) * math.log(2 * gradient.numel() / CHANCE) / (4 * shots))
    assert float((gradient - exact_gradient).abs().max()) < allowed
    assert float(exact_gradient.abs().max()) > 2 * allowed  # else a gradient of zero would pass


def test_shots_are_new_in_every_call_and_the_same_of_one_seed():
    theta = angles(2, 2).detach()
    first, second = (Device("default.qubit", PAPER, 2, 2, shots=50, seed=3) for _ in range(2))
    a, b = first(theta), first(theta)
    assert not torch.equal(a, b)
    assert torch.equal(a, second(theta))


def test_a_generator_runs_on_a_device():
    torch.manual_seed(0)
    small = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    inputs = torch.ones(2, 3, dtype=torch.float64)
    gradients = []
    for name in (None, "default.mixed"):
        net = Generator(small, 2, device=name, dtype=torch.float64)
        net(inputs).square().sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in net.parameters()]))
    assert float((gradients[0] - gradients[1]).abs().max()) < 1e-10
    with pytest.raises(InputError, match="they need a device"):
        Generator(small, 2, shots=100)
    with pytest.raises(InputError, match="no device is named"):
        Generator(small, 2, device_options={"seed": 1})


@pytest.mark.parametrize("shots", [None, 2000])
def test_qiskit_aer_gives_what_our_simulator_gives(shots):
    """Exact with its state vector; else Hoeffding's bound, see CHANCE (Qiskit draws its own seed)."""
    pool, theta = PAPER[1:2], angles(2, 1)
    slope = slopes(1, 2)
    p, gradient = both(Device("qiskit.aer", pool, 2, 1, shots=shots), theta, slope)
    exact_p, exact_gradient = both(Simulator(pool, 2, 1), theta, slope)
    bound = 1e-10 if shots is None else math.sqrt(math.log(2 * p.numel() / CHANCE) / (2 * shots))
    assert float((p - exact_p).abs().max()) < bound
    assert float((gradient - exact_gradient).abs().max()) < bound  # of fewer numbers, averaged over twice the shots


@pytest.mark.parametrize(
    ("name", "shots", "words"),
    [
        ("nosuch", None, r"device = 'nosuch' is not installed: here are .*default\.qubit"),
        ("braket.aws.qubit", None, r"`pip install amazon-braket-pennylane-plugin` may bring it; here are"),
        ("lightning.tensor", None, "pip install pennylane-lightning-tensor"),
        ("null.qubit", None, "computes nothing"),
        ("default.qubit", 0, "shots = 0"),
        ("default.qubit", -5, "shots = -5"),
        ("default.qubit", 1.5, "shots = 1.5"),
        ("default.qubit", True, "shots = True"),
        (None, 10, "need a device"),
    ],
)
def test_devices_and_shots_that_cannot_be_are_told(name, shots, words):
    with pytest.raises(InputError, match=words) as told:
        check_device(name, shots)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("default.qutrit", {}, "'default.qutrit' cannot run these circuits"),
        ("default.qubit", {"options": {"colour": "red"}}, "cannot be made for 2 qubits: TypeError: .*colour"),
        ("default.qubit", {"options": {"wires": 1}}, "device option 'wires'"),
        ("default.qubit", {"dtype": torch.int32}, "dtype = torch.int32"),
        ("default.qubit", {"depth": 0}, "depth = 0"),
        ("default.qubit", {"n": 21}, "qubits = 21"),
        ("default.qubit", {"pool": ()}, "0 candidates"),
        ("default.mixed", {"n": 20}, "20 qubits and depth 2 needs 3.52e"),
    ],
)
def test_what_a_device_cannot_do_is_told(name, more, words):
    options = {"pool": PAPER, "n": 2, "depth": 2, **more}
    with pytest.raises(InputError, match=words) as told:
        Device(name, **options)
    assert "\n" not in str(told.value)


def test_states_that_memory_does_not_hold_are_told(monkeypatch):
    """12 qubits: 16 bytes x 4^12 x 2 is 0.54 GB a state, and backpropagation keeps one after each of 12 + 10 x 24 gates."""
    monkeypatch.setattr(module, "memory", lambda: 8e9)
    with pytest.raises(InputError, match=r"needs 135 GB \(16,777,216 numbers a state, 252 states\).* has 8 GB"):
        Device("default.mixed", PAPER, 12, 10)
    assert Device("default.qubit", PAPER, 12, 10).method == "backprop"


def test_wrong_angles_are_told():
    with pytest.raises(InputError, match=r"angles of shape \(3, 2\)"):
        Device("default.qubit", PAPER, 3, 2)(torch.zeros(3, 2))


def test_penny_lane_is_imported_only_for_a_device():
    code = (
        "import sys; sys.path.append(sys.argv[1]); from torch import nn; from qednas.diffqas import device, export, generator;"
        "from qednas.diffqas.tasks import classify; from studies.ch09 import drawing;"
        "generator.Generator(nn.Linear(2, 2), 2);"
        "print(*sorted({'pennylane', 'onnxruntime', 'onnxscript', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, BOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_drawing_has_every_gate_on_white():
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    before, n, depth = dict(mpl.rcParams), 3, 2
    figure = draw(PAPER[4], n, depth)
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert [labels.count(word) for word in ("H", "RY")] == [n, n * depth]
    assert [labels.count(str(q)) for q in range(n)] == [1] * n
    file = BytesIO()
    figure.savefig(file, format="png")
    pixels = mpl.image.imread(BytesIO(file.getvalue()))
    assert np.array_equal(pixels[0], np.ones_like(pixels[0]))  # opaque white
    assert (pixels[..., :3] < 0.01).all(axis=-1).any()
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("n", "depth"), [(0, 1), (3, 0), (17, 15)])
def test_circuits_that_are_no_picture_are_told(n, depth):
    with pytest.raises(InputError, match=f"qubits = {n}, depth = {depth}"):
        draw(PAPER[0], n, depth)
