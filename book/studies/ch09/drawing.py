"""Drawings of the candidate circuits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qednas.base.errors import InputError
from qednas.diffqas.candidates import Candidate
from qednas.diffqas.device import quantum_function

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_GATES = 400  # more are no picture


def draw(candidate: Candidate, n: int, depth: int) -> Figure:
    """A candidate on ``n`` qubits with ``depth`` layers, drawn by PennyLane, qubit 0 on top.

    The figure is white in every theme, as wide as its gates are many, and not kept by pyplot.  Raises InputError for a circuit
    without qubits or layers, and for more than 400 gates.
    """
    gates = depth * (len(candidate.gates(n)) + n) + n if n > 0 and depth > 0 else 0
    if not 1 <= gates <= MOST_GATES:
        raise InputError(f"qubits = {n}, depth = {depth}: at least 1 of both, and at most {MOST_GATES} gates to draw")
    import matplotlib as mpl
    import numpy as np
    import pennylane as qml
    from matplotlib import pyplot as plt

    with mpl.rc_context():  # PennyLane sets its style for the whole process
        figure, _ = qml.draw_mpl(quantum_function(candidate, n, depth), style="black_white", wire_order=range(n))(
            np.zeros((depth, n))
        )
        plt.close(figure)
    figure.set_facecolor("white")
    figure.set_layout_engine("none")  # PennyLane places all itself; the one of our style would warn
    return figure
