"""Attention block: an autoregressive transformer over the sites (Vaswani et al., NeurIPS 2017; its use for spins: Zhang and
Di Ventra, PRB 107, 075147 (2023)).

Each site sees the sites before it.  While sampling, keys and values of earlier sites are kept, so a configuration costs as
much as one amplitude.
"""

from __future__ import annotations

import torch
from torch.nn.functional import gelu, layer_norm

from qednas.base.errors import InputError
from qednas.qed.blocks.autoregressive import Autoregressive
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import Kind, is_count, register

Memory = list[tuple[torch.Tensor, torch.Tensor]]


class Attention(Autoregressive):
    """``layers`` of ``heads`` attention heads and a feed-forward part twice as wide, all ``width`` numbers per site.

    Raises InputError when a size is not positive or the width is not a multiple of the heads.
    """

    def __init__(
        self,
        sites: int,
        width: int = 16,
        layers: int = 1,
        heads: int = 2,
        *,
        magnetisation: int | None = None,
        phase: bool = False,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites, magnetisation, phase)
        for name, value in (("width", width), ("layers", layers), ("heads", heads)):
            if value < 1:
                raise InputError(f"{name} = {value}: 1 or more")
        if width % heads:
            raise InputError(f"width = {width}: a multiple of heads = {heads} is needed")
        self.width, self.layers, self.count = width, layers, heads

        def random_parameter(*shape: int, spread: float) -> torch.nn.Parameter:
            return torch.nn.Parameter(spread * torch.randn(*shape, dtype=torch.float64, generator=generator))

        self.token = random_parameter(3, width, spread=0.5)  # up, down, nothing yet
        self.place = random_parameter(sites, width, spread=0.5)
        scale = width**-0.5
        self.mix = torch.nn.ParameterList([random_parameter(3 * width, width, spread=scale) for _ in range(layers)])
        self.join = torch.nn.ParameterList(
            [random_parameter(width, width, spread=scale / layers**0.5) for _ in range(layers)]
        )
        self.rise = torch.nn.ParameterList([random_parameter(2 * width, width, spread=scale) for _ in range(layers)])
        self.bend = torch.nn.ParameterList(
            [torch.nn.Parameter(torch.zeros(2 * width, dtype=torch.float64)) for _ in range(layers)]
        )
        self.fall = torch.nn.ParameterList(
            [random_parameter(width, 2 * width, spread=scale / (2 * layers) ** 0.5) for _ in range(layers)]
        )
        self.read = random_parameter(self.outputs, width, spread=0.1 * scale)
        self.level = torch.nn.Parameter(torch.zeros(self.outputs, dtype=torch.float64))

    def extra_repr(self) -> str:
        return f"width={self.width}, layers={self.layers}, heads={self.count}, sum Z={self.magnetisation}"

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.count, -1)).transpose(-2, -3)  # (..., heads, sites, width of a head)

    def through(self, x: torch.Tensor, memory: Memory | None) -> tuple[torch.Tensor, Memory]:
        """Vectors (batch, sites, width) after all layers; with a memory they are the sites that come next."""
        cache: Memory = []
        for layer in range(self.layers):
            q, k, v = (self.split(part) for part in (self.normalise(x) @ self.mix[layer].mT).chunk(3, -1))
            if memory:
                k, v = torch.cat([memory[layer][0], k], -2), torch.cat([memory[layer][1], v], -2)
            cache.append((k, v))
            scores = q @ k.mT / (self.width / self.count) ** 0.5
            if memory is None:
                later = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool).triu(1)
                scores = scores.masked_fill(later, -torch.inf)
            attended = (scores.softmax(-1) @ v).transpose(-2, -3).flatten(-2)
            x = x + attended @ self.join[layer].mT
            x = x + gelu(self.bend[layer] + self.normalise(x) @ self.rise[layer].mT) @ self.fall[layer].mT
        return self.level + self.normalise(x) @ self.read.mT, cache

    def normalise(self, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x, (self.width,))

    def heads(self, bits: torch.Tensor) -> torch.Tensor:
        before = torch.cat([torch.full_like(bits[:, :1], 2), bits[:, :-1]], 1)
        return self.through(self.token[before] + self.place, None)[0]

    def begin(self, count: int) -> tuple[int, Memory]:
        return count, []

    def advance(self, memory, before: torch.Tensor | None, site: int):
        count, cache = memory
        token = self.token[2].expand(count, -1) if before is None else self.token[before.to(torch.int64)]
        out, cache = self.through((token + self.place[site])[:, None], cache)
        return out[:, 0], (count, cache)


def build(size: str, given: Given, generator: torch.Generator) -> Attention:
    """size: width of a token."""
    phase = not given.positive
    return Attention(given.sites, int(size), magnetisation=given.magnetisation, phase=phase, generator=generator)


# A step takes many times that of the others, so a search uses it only where it is asked for.
register(Kind("attention", 50, ("8", "16"), build, is_count, by_default=False))
