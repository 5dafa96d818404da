"""Networks of the language space: words to vectors, cells that look back only, and a softmax over the whole vocabulary.

The softmax is the adaptive one of Grave et al. (arXiv:1609.04309): rare words share few numbers, and still every word has its
probability, so that perplexities are of all 10,000 words.  Every operation normalises its input (layer normalisation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studies.spaces.cells import EDGES, Cell

CUTOFFS = (500, 2500)  # ranks of words at which the softmax gets narrower
NARROWER = 4.0
WINDOW = 3  # words that a convolution sees


class CausalConvolution(nn.Module):
    """Of a word and the two before it, then ReLU; (batch, words, channels)."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm, self.mix = nn.LayerNorm(channels), nn.Conv1d(channels, channels, WINDOW)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.mix(F.pad(self.norm(x).transpose(1, 2), (WINDOW - 1, 0)))).transpose(1, 2)


class Recurrent(nn.Module):
    """A layer of long short-term memory, from zeros at the first word of a window."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm, self.cell = nn.LayerNorm(channels), nn.LSTM(channels, channels, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(self.norm(x))[0]


class Attention(nn.Module):
    """Two heads of attention to this word and those before it."""

    def __init__(self, channels: int, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.into, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, words, channels = x.shape
        parts = self.into(self.norm(x)).view(batch, words, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts  # (batch, heads, words, channels / heads)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        later = torch.ones(words, words, dtype=torch.bool, device=x.device).triu(1)
        mixed = scores.masked_fill(later, -math.inf).softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(batch, words, channels))


def operation(name: str, channels: int) -> nn.Module:
    """What an edge carries, (batch, words, channels) to the same shape."""
    kinds = {"conv": CausalConvolution, "lstm": Recurrent, "attention": Attention}
    return nn.Identity() if name == "skip" else kinds[name](channels)


class LanguageNetwork(nn.Module):
    """Words (batch, words) to features (batch, words, width); :meth:`loss` and :attr:`softmax` turn these into probabilities.

    A vector of the place in the window is added to that of the word: attention alone does not know the order.
    """

    def __init__(self, choices: Mapping[str, str], words: int, vocabulary: int):
        super().__init__()
        width = int(choices["width"])
        cells = [Cell([operation(choices[e], width) for e in EDGES]) for _ in range(int(choices["cells"]))]
        self.add_embedding_and_softmax(nn.Sequential(*cells), width, words, vocabulary)

    def add_embedding_and_softmax(self, body: nn.Module, width: int, words: int, vocabulary: int) -> None:
        """The parts around a body, the same for every network of words."""
        self.body = body
        self.embedding = nn.Embedding(vocabulary, width)
        self.place = nn.Parameter(torch.zeros(words, width))
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.norm = nn.LayerNorm(width)
        cutoffs = [c for c in CUTOFFS if c < vocabulary - 1]
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(width, vocabulary, cutoffs, NARROWER)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.body(self.embedding(x) + self.place[: x.shape[1]]))

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean -log p in nats of the words y (batch, words) that follow."""
        return self.softmax(self(x).flatten(0, 1), y.flatten()).loss
