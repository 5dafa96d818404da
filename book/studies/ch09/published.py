"""Numbers of other publications that results are put beside."""

from __future__ import annotations

SERIES = ("Bessel", "damped pendulum", "delayed control", "NARMA-5", "NARMA-10")

# Test mean squared errors of the searched circuit (0) and of candidates 1 to 12 alone: Chen et al., arXiv:2505.09653, Table II.
FORECAST: dict[int, tuple[float, ...]] = {
    0: (0.000040, 0.000036, 0.001710, 0.000050, 0.000117),
    1: (0.000515, 0.000155, 0.000715, 0.000038, 0.000095),
    2: (0.000525, 0.000695, 0.001190, 0.000068, 0.000103),
    3: (0.000515, 0.000155, 0.000676, 0.000038, 0.000095),
    4: (0.000515, 0.000155, 0.002011, 0.000038, 0.000095),
    5: (0.002902, 0.000820, 0.001111, 0.000024, 0.000098),
    6: (0.000515, 0.000155, 0.002638, 0.000038, 0.000095),
    7: (0.000601, 0.000040, 0.001679, 0.000052, 0.000120),
    8: (0.000141, 0.008873, 0.001723, 0.000091, 0.000081),
    9: (0.001391, 0.000154, 0.000956, 0.000045, 0.000125),
    10: (0.000216, 0.000157, 0.001839, 0.000040, 0.000121),
    11: (0.007428, 0.032072, 0.000211, 0.000054, 0.000140),
    12: (0.001391, 0.000154, 0.000956, 0.000045, 0.000125),
}

# Ten classes from generated weights: (data set, trained parameters, test accuracy, what it is).
TEN_CLASSES = (
    ("mnist", 688, 0.9329, "photonic, arXiv:2505.08474"),  # on 600 images
    ("mnist", 3292, 0.9550, "photonic, arXiv:2505.08474"),  # on 600 images
    ("mnist", 1497, 0.912, "Quantum-Train, its logs"),  # on 1,000 images
    ("fashion-mnist", 1497, 0.787, "Quantum-Train, its logs"),  # on 1,000 images
)
