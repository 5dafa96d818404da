"""Natural gradient of the energy (stochastic reconfiguration) for blocks with real or complex parameters.

With O_i = d ln psi(s_i) / d theta (real parameters theta), weights w_i that sum to one, and centred

    X = sqrt(w) [Re, Im](O - <O>),        y = sqrt(w) [Re, Im](E_loc - <E_loc>),

the step solves (X^T X + shift) d = -X^T y (Sorella, PRL 80, 4558 (1998)).  With more parameters than rows the same d comes
from the small matrix, d = -X^T (X X^T + shift)^-1 y (Chen and Heyl, Nat. Phys. 20, 1476 (2024); Rende et al., Commun. Phys.
7, 260 (2024)).
"""

from __future__ import annotations

import torch
from torch.func import functional_call, grad, vmap

from qednas.errors import InputError
from qednas.qed.blocks.block import Block

LARGEST_SHIFT = 1e3  # of the diagonal, relative: beyond this a system is not solved


def free_parameters(block: Block) -> dict[str, torch.Tensor]:
    """The trainable parameters by name; complex ones as real arrays with a last axis (real, imaginary)."""
    return {
        name: torch.view_as_real(p.detach()) if p.is_complex() else p.detach()
        for name, p in block.named_parameters()
        if p.requires_grad
    }


def add_to_parameters(block: Block, step: torch.Tensor) -> None:
    """Move the trainable parameters by a flat real step (parameters,), in the order of :func:`free_parameters`."""
    first = 0
    with torch.no_grad():
        for p in block.parameters():
            if p.requires_grad:
                real = torch.view_as_real(p) if p.is_complex() else p
                real += step[first : first + real.numel()].reshape(real.shape).to(real.dtype)
                first += real.numel()


def log_derivatives(block: Block, configurations: torch.Tensor) -> torch.Tensor:
    """d ln psi / d theta, complex128 (batch, parameters), of bits (batch, sites)."""
    values = free_parameters(block)
    complex_names = {name for name, p in block.named_parameters() if p.is_complex()}

    def log_psi(real_values: dict[str, torch.Tensor], bits: torch.Tensor) -> torch.Tensor:
        given = {n: torch.view_as_complex(v) if n in complex_names else v for n, v in real_values.items()}
        return functional_call(block, given, (bits[None],))[0]

    def flat(gradient: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([g.flatten(1) for g in gradient.values()], 1).to(torch.float64)

    real = vmap(grad(lambda v, s: log_psi(v, s).real), (None, 0))(values, configurations)
    imaginary = vmap(grad(lambda v, s: log_psi(v, s).imag), (None, 0))(values, configurations)
    return torch.complex(flat(real), flat(imaginary))


def natural_step(
    derivatives: torch.Tensor, local: torch.Tensor, weights: torch.Tensor, shift: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Direction (parameters,) of the natural gradient descent and the plain gradient (parameters,) of the energy.

    derivatives (batch, parameters), local energies (batch,), weights (batch,) that sum to one; shift is relative to the mean
    of the diagonal of X^T X.  Raises InputError when numbers are not finite or no shift makes the system solvable.
    """
    if not (torch.isfinite(derivatives).all() and torch.isfinite(local).all()):
        raise InputError("training met a number that is not finite; the state before this step is kept")
    root = weights.sqrt()
    centred = (derivatives - weights.to(derivatives.dtype) @ derivatives) * root[:, None]
    missed = (local - (weights * local).sum()) * root
    x = torch.cat([centred.real, centred.imag])  # (2 batch, parameters)
    y = torch.cat([missed.real, missed.imag])
    gradient = x.T @ y
    small = x.shape[0] < x.shape[1]
    matrix = x @ x.T if small else x.T @ x
    scale = (x**2).sum() / x.shape[1]
    while True:
        shifted = matrix + shift * scale * torch.eye(len(matrix), dtype=matrix.dtype)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if not failed:
            break
        shift *= 10
        if not 0 < shift <= LARGEST_SHIFT:
            raise InputError("the natural gradient has no solution: the derivatives are zero or too uneven")
    solved = torch.cholesky_solve((y if small else gradient)[:, None], factor)[:, 0]
    return -(x.T @ solved if small else solved), 2 * gradient
