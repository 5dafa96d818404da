"""Derivatives of ln psi with respect to the parameters of a block, kept in the form that is cheapest to use.

A table of them has one row per configuration and one column per parameter.  For the weights of a layer a row is the outer
product of two short vectors (what comes back to the layer and what went in), and every product with the table can be made
from the two factors without writing it down: the Gram matrix of the rows, for one, is the entrywise product of the Gram
matrices of the factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.func import functional_call, grad, vmap

if TYPE_CHECKING:
    from qednas.qed.blocks.block import Block


@dataclass(frozen=True)
class Outer:
    """Rows left[i] x right[i], flattened: the derivatives by an array of parameters (left, right).

    left (batch, p), right (batch, q); both of the same dtype.
    """

    left: torch.Tensor
    right: torch.Tensor

    def table(self) -> torch.Tensor:
        return (self.left[:, :, None] * self.right[:, None, :]).flatten(1)


Piece = torch.Tensor | Outer  # (batch, parameters) of a part of the parameters


@dataclass(frozen=True)
class Derivatives:
    """O[i, a] = d ln psi(s_i) / d theta_a, in pieces that stand side by side in the order of the parameters.

    The pieces are real for a real state, else complex: by real parameters, or by complex ones when the block is holomorphic.
    groups (pieces,): pieces of one number are parameters of one kind; kinds may differ in scale by orders of magnitude.
    """

    pieces: list[Piece]
    groups: list[int] | None = None

    @property
    def rows(self) -> int:
        first = self.pieces[0]
        return len(first.left if isinstance(first, Outer) else first)

    @property
    def columns(self) -> int:
        return sum(self.sizes())

    @property
    def is_complex(self) -> bool:
        return any((p.left if isinstance(p, Outer) else p).is_complex() for p in self.pieces)

    def table(self) -> torch.Tensor:
        """The whole table (rows, columns)."""
        return torch.cat([p.table() if isinstance(p, Outer) else p for p in self.pieces], 1)

    def stacked(self) -> Derivatives:
        """Real and imaginary parts as rows of their own (2 rows, columns)."""
        tables = [p.table() if isinstance(p, Outer) else p for p in self.pieces]
        pieces: list[Piece] = [torch.cat([t.real, t.imag if t.is_complex() else torch.zeros_like(t)]) for t in tables]
        return Derivatives(pieces, self.groups)

    def sizes(self) -> list[int]:
        """Columns of each piece."""
        return [p.left.shape[1] * p.right.shape[1] if isinstance(p, Outer) else p.shape[1] for p in self.pieces]

    def spread(self, weights: torch.Tensor) -> torch.Tensor:
        """Standard deviation (columns,) of a typical derivative of each group, for weights (rows,) that sum to one."""
        groups = self.groups or [0] * len(self.pieces)
        variance, count = torch.zeros(max(groups) + 1, dtype=torch.float64), torch.zeros(max(groups) + 1)
        for p, group, size in zip(self.pieces, groups, self.sizes(), strict=True):
            if isinstance(p, Outer):
                squares = (p.left.abs() ** 2).sum(1) * (p.right.abs() ** 2).sum(1)
                means = (p.left * weights[:, None]).mT @ p.right
            else:
                squares, means = (p.abs() ** 2).sum(1), weights.to(p.dtype) @ p
            variance[group] += (weights * squares).sum() - (means.abs() ** 2).sum()
            count[group] += size
        typical = (variance.clamp_min(0) / count).sqrt()
        return torch.cat([typical[g].expand(n) for g, n in zip(groups, self.sizes(), strict=True)])

    def scaled(self, columns: torch.Tensor) -> Derivatives:
        """Every column times its number (columns,), which is the same all over a piece."""
        pieces: list[Piece] = []
        for p, factors in zip(self.pieces, columns.split(self.sizes()), strict=True):
            pieces.append(Outer(p.left * factors[0], p.right) if isinstance(p, Outer) else p * factors[:1])
        return Derivatives(pieces, self.groups)

    def gram(self) -> torch.Tensor:
        """O O^dagger (rows, rows)."""
        total: torch.Tensor | float = 0.0
        for p in self.pieces:
            if isinstance(p, Outer):
                total = total + (p.left @ p.left.mH) * (p.right @ p.right.mH)
            else:
                total = total + p @ p.mH
        assert isinstance(total, torch.Tensor)
        return total

    def pull(self, rows: torch.Tensor) -> torch.Tensor:
        """O^dagger v (columns,) of v (rows,)."""
        parts = []
        for p in self.pieces:
            if isinstance(p, Outer):
                parts.append(((p.left.conj() * rows[:, None]).mT @ p.right.conj()).flatten())
            else:
                parts.append(p.mH @ rows)
        return torch.cat(parts)

    def push(self, columns: torch.Tensor) -> torch.Tensor:
        """O d (rows,) of d (columns,)."""
        total, first = torch.zeros((), dtype=columns.dtype), 0
        for p in self.pieces:
            if isinstance(p, Outer):
                shape = p.left.shape[1], p.right.shape[1]
                part = columns[first : first + shape[0] * shape[1]].reshape(shape)
                total = total + ((p.left @ part) * p.right).sum(1)
                first += part.numel()
            else:
                total = total + p @ columns[first : first + p.shape[1]]
                first += p.shape[1]
        return total


def free_parameters(block: Block) -> dict[str, torch.Tensor]:
    """The trainable parameters by name; complex ones as real arrays with a last axis (real, imaginary)."""
    return {
        name: torch.view_as_real(p.detach()) if p.is_complex() else p.detach()
        for name, p in block.named_parameters()
        if p.requires_grad
    }


def add_to_parameters(block: Block, step: torch.Tensor) -> None:
    """Move the trainable parameters by a flat step (parameters,), in their order.

    A complex step moves complex parameters one by one; a real one moves (real, imaginary) as in :func:`free_parameters`.
    """
    first = 0
    with torch.no_grad():
        for p in block.parameters():
            if p.requires_grad:
                view = torch.view_as_real(p) if p.is_complex() and not step.is_complex() else p
                view += step[first : first + view.numel()].reshape(view.shape).to(view.dtype)
                first += view.numel()


def log_derivatives(block: Block, configurations: torch.Tensor) -> torch.Tensor:
    """d ln psi / d theta (batch, parameters) of any block by automatic differentiation; see :func:`free_parameters`.

    float64 for a real state, else complex128.
    """
    values = free_parameters(block)
    complex_names = {name for name, p in block.named_parameters() if p.is_complex()}

    def log_psi(real_values: dict[str, torch.Tensor], bits: torch.Tensor) -> torch.Tensor:
        parameters = {n: torch.view_as_complex(v) if n in complex_names else v for n, v in real_values.items()}
        return functional_call(block, parameters, (bits[None],))[0]

    def flat(gradient: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([g.flatten(1) for g in gradient.values()], 1).to(torch.float64)

    real = flat(vmap(grad(lambda v, s: log_psi(v, s).real), (None, 0))(values, configurations))
    if block.is_real:
        return real
    return torch.complex(real, flat(vmap(grad(lambda v, s: log_psi(v, s).imag), (None, 0))(values, configurations)))
