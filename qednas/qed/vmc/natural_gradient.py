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
    if holomorphic:
        o, missed = derivatives, local.to(torch.complex128)
    elif derivatives.is_complex:
        o, missed = derivatives.stacked(), local.to(torch.complex128)
    else:
        o, missed = derivatives, local.real if local.is_complex() else local
    if not torch.isfinite(missed).all():
        raise NumericalError("training met a number that is not finite; the state before this step is kept")
    root = weights.sqrt()
    y = (missed - (weights * missed).sum()) * root
    if derivatives.is_complex and not holomorphic:
        y, root = torch.cat([y.real, y.imag]), torch.cat([root, root])
    copies = len(root) // len(weights)  # real and imaginary rows are centred apart

    def averages(rows: torch.Tensor) -> torch.Tensor:
        """sqrt(w) sum sqrt(w) v of each part of the rows (rows, ...)."""
        kept = []
        for v, r in zip(rows.chunk(copies), root.chunk(copies), strict=True):
            kept.append(r.reshape(-1, *[1] * (v.ndim - 1)) * torch.tensordot(r.to(v.dtype), v, 1))
        return torch.cat(kept)

    def pull(rows: torch.Tensor) -> torch.Tensor:
        return o.pull(root * (rows - averages(rows)))

    def push(columns: torch.Tensor) -> torch.Tensor:
        rows = root * o.push(columns)
        return rows - averages(rows)

    if before is not None and momentum:
        carried = momentum * before
        y_left = y + push(carried)
    else:
        carried, y_left = None, y
    if small := o.rows < o.columns:
        matrix = o.gram() * root[:, None] * root
        matrix = matrix - averages(matrix)
        matrix = matrix - averages(matrix.mH).mH
        wanted = y_left
    else:
        table = o.table() * root[:, None]
        table = table - averages(table)
        matrix, wanted = table.mH @ table, table.mH @ y_left
    scale = matrix.diagonal().real.sum() / o.columns
    if not torch.isfinite(scale):
        raise NumericalError("training met a number that is not finite; the state before this step is kept")
    solved = solve(matrix, wanted, shift, scale)
    direction = -(pull(solved) if small else solved)
    if carried is not None:
        direction = direction + carried
    length = float((push(direction).abs() ** 2).sum())
    if not torch.isfinite(direction.abs().sum()):
        raise NumericalError("training met a number that is not finite; the state before this step is kept")
    gradient = 2 * pull(y)
    if scales is not None:  # back to the parameters as they are
        used = scales > 0
        direction, gradient = direction * scales, torch.where(used, gradient / torch.where(used, scales, 1.0), 0.0)
    return Step(direction, gradient, length)


def solve(matrix: torch.Tensor, wanted: torch.Tensor, shift: float, scale: torch.Tensor) -> torch.Tensor:
    """(matrix + shift scale)^-1 wanted by Cholesky; the shift grows tenfold until the matrix is positive."""
    while True:
        shifted = matrix.clone()
        shifted.diagonal().add_(shift * scale)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if not failed:
            return torch.cholesky_solve(wanted[:, None], factor)[:, 0]
        shift *= 10
        if not 0 < shift <= LARGEST_SHIFT:
            raise NumericalError("the natural gradient has no solution: the derivatives are zero or too uneven")
