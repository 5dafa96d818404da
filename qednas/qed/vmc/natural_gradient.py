"""Natural gradient of the energy (stochastic reconfiguration).

With O_i = d ln psi(s_i) / d theta, weights w_i that sum to one, and centred

    X = sqrt(w) (O - <O>),        y = sqrt(w) (E_loc - <E_loc>),

real and imaginary parts as rows of their own where the parameters are real and psi is not, the step d is the least-squares
answer to X d = -y with a penalty on its length (Sorella, PRL 80, 4558 (1998)):

    d = m d' - (X^+ X + shift)^-1 X^+ (y + m X d')

where d' is the step before and m the momentum (Goldshlager, Abrahamsen and Lin, J. Comput. Phys. 516, 113351 (2024); m = 0 is
the plain form).  With more parameters than rows the same d comes from the small matrix, X^+ (X X^+ + shift)^-1 (Chen and Heyl,
Nat. Phys. 20, 1476 (2024); Rende et al., Commun. Phys. 7, 260 (2024)), and X is never written down.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from qednas.base.errors import InputError, NumericalError
from qednas.qed.blocks.derivatives import Derivatives

NOTHING = 1e-12  # a spread, relative to the largest, that counts as none
LARGEST_SHIFT = 1e3  # of the diagonal, relative: beyond this a system is not solved


@dataclass(frozen=True)
class Step:
    """direction d (parameters,), gradient of the energy (parameters,), and |X d|^2, the square of its length in the state."""

    direction: torch.Tensor
    gradient: torch.Tensor
    length: float


class Centred:
    """X as an operator: derivatives (rows, parameters) times sqrt(w), each part of the rows centred apart.

    The parts are the real and the imaginary rows where the parameters are real and the derivatives ``stacked``.
    """

    def __init__(self, derivatives: Derivatives, root: torch.Tensor, parts: int):
        self.derivatives, self.root, self.parts = derivatives, root, parts

    def averages(self, rows: torch.Tensor) -> torch.Tensor:
        """sqrt(w) sum sqrt(w) v of each part of the rows (rows, ...)."""
        out = []
        for v, r in zip(rows.chunk(self.parts), self.root.chunk(self.parts), strict=True):
            out.append(r.reshape(-1, *[1] * (v.ndim - 1)) * torch.tensordot(r.to(v.dtype), v, 1))
        return torch.cat(out)

    def pull(self, rows: torch.Tensor) -> torch.Tensor:
        """X^+ rows (parameters,)."""
        return self.derivatives.pull(self.root * (rows - self.averages(rows)))

    def push(self, columns: torch.Tensor) -> torch.Tensor:
        """X columns (rows,)."""
        rows = self.root * self.derivatives.push(columns)
        return rows - self.averages(rows)

    def gram(self) -> torch.Tensor:
        """X X^+ (rows, rows)."""
        matrix = self.derivatives.gram() * self.root[:, None] * self.root
        matrix = matrix - self.averages(matrix)
        return matrix - self.averages(matrix.mH).mH

    def table(self) -> torch.Tensor:
        """X (rows, parameters)."""
        table = self.derivatives.table() * self.root[:, None]
        return table - self.averages(table)


def natural_step(
    derivatives: Derivatives,
    local: torch.Tensor,
    weights: torch.Tensor,
    shift: float,
    *,
    holomorphic: bool = False,
    before: torch.Tensor | None = None,
    momentum: float = 0.0,
) -> Step:
    """The step at local energies (rows,) and weights (rows,) that sum to one.

    holomorphic: the derivatives are by complex parameters, and so is the step.  shift is relative to the mean of the diagonal
    of X^+ X; where the derivatives come in groups each group is first brought to the same mean, so that one shift serves all
    (momentum is then not available).  Raises NumericalError when numbers are not finite or no shift makes the system solvable.
    """
    scales = None
    if derivatives.groups and max(derivatives.groups) > 0:
        if momentum:
            raise InputError(f"momentum = {momentum}: not for a state of several blocks")
        spread = derivatives.spread(weights)
        scales = 1 / torch.where(spread > NOTHING * spread.max(), spread, torch.inf)  # no spread: no step
        derivatives = derivatives.scaled(scales)
    x, y = centred_system(derivatives, local, weights, holomorphic)
    carried = momentum * before if before is not None and momentum else None
    y_left = y if carried is None else y + x.push(carried)
    if small := x.derivatives.rows < x.derivatives.columns:
        matrix, right_side = x.gram(), y_left
    else:
        table = x.table()
        matrix, right_side = table.mH @ table, table.mH @ y_left
    scale = matrix.diagonal().real.sum() / x.derivatives.columns
    check_finite(scale)
    solution = solve(matrix, right_side, shift, scale)
    direction = -(x.pull(solution) if small else solution)
    if carried is not None:
        direction = direction + carried
    length = float((x.push(direction).abs() ** 2).sum())
    check_finite(direction.abs().sum())
    gradient = 2 * x.pull(y)
    if scales is not None:  # back to the parameters as they are
        used = scales > 0
        direction, gradient = direction * scales, torch.where(used, gradient / torch.where(used, scales, 1.0), 0.0)
    return Step(direction, gradient, length)


def centred_system(
    derivatives: Derivatives, local: torch.Tensor, weights: torch.Tensor, holomorphic: bool
) -> tuple[Centred, torch.Tensor]:
    """X and y; raises NumericalError for a local energy that is not finite."""
    stacked = derivatives.is_complex and not holomorphic
    if holomorphic or derivatives.is_complex:
        energies = local.to(torch.complex128)
    else:
        energies = local.real if local.is_complex() else local
    check_finite(energies)
    root = weights.sqrt()
    y = (energies - (weights * energies).sum()) * root
    if stacked:
        y, root = torch.cat([y.real, y.imag]), torch.cat([root, root])
    return Centred(derivatives.stacked() if stacked else derivatives, root, 2 if stacked else 1), y


def check_finite(numbers: torch.Tensor) -> None:
    if not torch.isfinite(numbers).all():
        raise NumericalError("training met a number that is not finite; the state before this step is kept")


def solve(matrix: torch.Tensor, right_side: torch.Tensor, shift: float, scale: torch.Tensor) -> torch.Tensor:
    """(matrix + shift scale)^-1 right_side by Cholesky; the shift grows tenfold until the matrix is positive."""
    while True:
        shifted = matrix.clone()
        shifted.diagonal().add_(shift * scale)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if not failed:
            return torch.cholesky_solve(right_side[:, None], factor)[:, 0]
        shift *= 10
        if not 0 < shift <= LARGEST_SHIFT:
            raise NumericalError("the natural gradient has no solution: the derivatives are zero or too uneven")
