"""The time series of the paper, each as one array, and windows of them to forecast the next value from.

Definitions follow the public code of the paper's first author where that has them; of NARMA it has none, see :func:`narma`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from qednas.base.errors import InputError

WINDOW = 4  # values that the next one is forecast from
TRAINED = 0.67  # share of the windows, the first ones, that is trained on
NARMA_LENGTH = 300


def bessel() -> np.ndarray:
    """Bessel function J_2 at 256 points from 2 to 100."""
    from scipy.special import jv

    return jv(2, np.linspace(2, 100, 256))


def damped_pendulum() -> np.ndarray:
    """Angular velocity (rad/s) of a pendulum with friction, 240 points in 20 s.

    theta'' = -(b/m) theta' - (g/l) sin(theta) with b = 0.15 kg/s, g = 9.81 m/s^2, l = 1 m, m = 1 kg, from theta = 0 at 3 rad/s.
    """
    from scipy.integrate import solve_ivp

    times = np.linspace(0, 20, 240)
    solution = solve_ivp(
        lambda _, y: [y[1], -0.15 * y[1] - 9.81 * np.sin(y[0])],
        (0, 20),
        [0.0, 3.0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
    )
    return solution.y[1]


def delayed_control() -> np.ndarray:
    """Delayed quantum control: eleven Gaussian pulses that decay, 2,200 points."""
    x = np.arange(-2, 20, 0.01)
    return sum(np.exp(-10 * (x - 2 * n) ** 2) * np.exp(-x / 16) for n in range(11))


def narma(order: int, length: int = NARMA_LENGTH) -> np.ndarray:
    """NARMA of an order: y(t+1) = 0.3 y(t) + 0.05 y(t) sum_{j<order} y(t-j) + 1.5 u(t) u(t-order+1) + 0.1, from zeros.

    Atiya and Parlos, IEEE Trans. Neural Netw. 11, 697 (2000).  The paper does not say which input it takes; this is that of
    Fujii and Nakajima, Phys. Rev. Applied 8, 024030 (2017): u(t) = 0.1 (1 + product of three sines of 2.11, 3.73 and 4.11
    periods in 100 steps).  The first ``order`` values, which start from nothing, are left out.
    """
    time = np.arange(length + order)
    u = 0.1 * (1 + np.prod([np.sin(2 * np.pi * f * time / 100) for f in (2.11, 3.73, 4.11)], axis=0))
    y = np.zeros(length + order)
    for t in range(order - 1, length + order - 1):
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - order + 1 : t + 1].sum() + 1.5 * u[t - order + 1] * u[t] + 0.1
    return y[order:]


SERIES: dict[str, Callable[[], np.ndarray]] = {
    "bessel": bessel,
    "damped-pendulum": damped_pendulum,
    "delayed-control": delayed_control,
    "narma5": lambda: narma(5),
    "narma10": lambda: narma(10),
}


def series(dataset: str) -> np.ndarray:
    """The values (length,) of one of :data:`SERIES`, or of a file: the last number of each line, after a line of names or not.

    Raises InputError for a name that is neither, and for a line without a number.
    """
    if dataset in SERIES:
        return SERIES[dataset]()
    path = Path(dataset)
    if not path.is_file():
        raise InputError(f"series {dataset!r}: one of {', '.join(SERIES)}, or a file with a number in each line")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (UnicodeDecodeError, OSError) as problem:
        raise InputError(f"{dataset}: no text file ({problem})") from None
    values = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        cell = line.replace(";", ",").replace(",", " ").split()[-1:]
        try:
            values.append(float(cell[0]))
        except (IndexError, ValueError):
            if number > 1:
                raise InputError(f"{dataset}, line {number}: {line[:40]!r} does not end in a number") from None
    return np.array(values)


@dataclass(frozen=True)
class Windows:
    """Inputs (count, window, 1) and what comes next (count, 1), scaled to -1 to 1, to train and to test on, in order of time."""

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]


def windows(values: np.ndarray, window: int = WINDOW) -> Windows:
    """Windows of a series (length,).

    As in the public code the scale is that of the whole series, the part to test on included, and its last value is not used.
    Raises InputError for a series that is not a row of finite numbers, is constant, or too short to leave windows to test on.
    """
    values = np.asarray(values, float)
    if values.ndim != 1 or window < 1:
        raise InputError(f"a series of shape {values.shape} and windows of {window}: one row, windows of at least 1")
    if wrong := np.flatnonzero(~np.isfinite(values)).tolist():
        raise InputError(f"value {wrong[0]} of the series is {values[wrong[0]]}: all have to be finite")
    count = len(values) - window - 1
    trained = int(TRAINED * count) if count > 0 else 0
    if trained < 1 or count - trained < 1:
        raise InputError(
            f"a series of {len(values)} values is too short for windows of {window}: at least {window + 3}"
        )
    low, high = values.min(), values.max()
    if low == high:
        raise InputError(f"every value of the series is {low}: there is nothing to forecast")
    scaled = torch.from_numpy(2 * (values - low) / (high - low) - 1)
    inputs = scaled.unfold(0, window, 1)[:count, :, None]
    targets = scaled[window : window + count, None]
    return Windows((inputs[:trained], targets[:trained]), (inputs[trained:], targets[trained:]))
