"""Time series against their equations, and windows that see the past only."""

import numpy as np
import pytest
import torch
from scipy.special import jvp

from qednas.base.errors import InputError
from qednas.data.series import SERIES, bessel, damped_pendulum, delayed_control, narma, series, windows


def test_lengths_are_those_of_the_paper():
    assert {name: len(make()) for name, make in SERIES.items()} == {
        "bessel": 256, "damped-pendulum": 240, "delayed-control": 2200, "narma5": 300, "narma10": 300
    }  # fmt: skip


def test_bessel_solves_its_equation():
    """x^2 y'' + x y' + (x^2 - 4) y = 0, and its known start."""
    x = np.linspace(2, 100, 256)
    assert np.abs(jvp(2, x, 2) + jvp(2, x) / x + (1 - 4 / x**2) * bessel()).max() < 1e-12
    assert bessel()[0] == pytest.approx(0.3528340286156377, abs=1e-14)


def test_a_pendulum_with_friction_loses_the_energy_that_friction_takes():
    """d/dt (v^2/2 + g (1 - cos)) = -b v^2, so the energy at the last standstill follows from the integral of v^2."""
    v, times = damped_pendulum(), np.linspace(0, 20, 240)
    assert v[0] == pytest.approx(3.0)
    angle = np.concatenate([[0], np.cumsum((v[1:] + v[:-1]) / 2 * np.diff(times))])
    lost = 0.15 * np.concatenate([[0], np.cumsum((v[1:] ** 2 + v[:-1] ** 2) / 2 * np.diff(times))])
    energy = v**2 / 2 + 9.81 * (1 - np.cos(angle))
    assert np.abs(energy + lost - 4.5).max() < 0.05


def test_pulses_of_delayed_control_decay():
    x = np.arange(-2, 20, 0.01)
    tops = [delayed_control()[np.abs(x - 2 * n).argmin()] for n in range(10)]
    assert np.allclose(np.array(tops[1:]) / tops[:-1], np.exp(-2 / 16), rtol=1e-6)


@pytest.mark.parametrize("order", [5, 10])
def test_narma_is_its_recursion(order):
    """The other way round: the input that the values ask for has the right product."""
    y = narma(order, 200)
    t = np.arange(order, 199)
    sums = np.array([y[k - order + 1 : k + 1].sum() for k in t])
    product = (y[t + 1] - 0.3 * y[t] - 0.05 * y[t] * sums - 0.1) / 1.5
    time = np.arange(220)
    u = 0.1 * (
        1 + np.sin(2.11 * 0.02 * np.pi * time) * np.sin(3.73 * 0.02 * np.pi * time) * np.sin(4.11 * 0.02 * np.pi * time)
    )
    assert np.allclose(product, u[t + order] * u[t + 1], atol=1e-12)


def test_windows_end_before_what_they_forecast():
    found = windows(np.arange(20.0))
    inputs, targets = (torch.cat(parts) for parts in zip(found.train, found.test, strict=True))
    assert inputs.shape == (15, 4, 1)
    assert len(found.train[0]) == 10  # two thirds, in order of time
    step = 2 / 19
    assert torch.allclose(targets - inputs[:, -1], torch.full((15, 1), step, dtype=torch.float64))
    assert torch.allclose(inputs[:, :, 0].diff(dim=1), torch.full((15, 3), step, dtype=torch.float64))
    assert float(inputs[0, 0, 0]) == -1.0


@pytest.mark.parametrize(
    ("values", "window", "words"),
    [
        (np.arange(6.0), 4, "too short for windows of 4: at least 7"),
        ([1.0, np.nan, 2.0, 3.0], 1, "value 1 of the series is nan"),
        (np.ones(30), 4, "every value of the series is 1.0"),
        (np.ones((3, 3)), 1, r"a series of shape \(3, 3\)"),
        (np.arange(9.0), 0, "windows of at least 1"),
    ],
)
def test_what_is_no_series_is_told(values, window, words):
    with pytest.raises(InputError, match=words):
        windows(np.asarray(values), window)


@pytest.mark.parametrize(
    "text", ["1\n2.5\n-3e-1\n", "time,value\n0,1\n1,2.5\n\n2,-0.3", "\ufeffvalue\n1;1\n2 2.5\n3\t-0.3\n"]
)
def test_a_series_of_ones_own_is_read_from_a_file(tmp_path, text):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    assert series(str(path)).tolist() == [1, 2.5, -0.3]
    assert np.array_equal(series("bessel"), SERIES["bessel"]())


def test_a_file_that_is_no_series_is_told(tmp_path):
    with pytest.raises(InputError, match="series 'nosuch': one of bessel, .*or a file"):
        series("nosuch")
    path = tmp_path / "own.csv"
    path.write_text("value\n1\ntwo\n")
    with pytest.raises(InputError, match=r"own\.csv, line 3: 'two' does not end in a number"):
        series(str(path))
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="no text file"):
        series(str(path))
    path.write_text("1\nnan\n2\n3\n4\n5\n6\n7\n")
    with pytest.raises(InputError, match="value 1 of the series is nan"):
        windows(series(str(path)))


def test_the_shortest_series_has_a_window_of_each_kind():
    found = windows(np.arange(7.0))
    assert len(found.train[0]) == len(found.test[0]) == 1
