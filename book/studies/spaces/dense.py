"""Networks of the satellite space: layers of units on a pixel and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

LAYERS = ("layer 1", "layer 2", "layer 3")
CENTRE = slice(16, 20)  # columns of the pixel in the middle, four bands
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class DenseNetwork(nn.Module):
    """Pixels (batch, 36) to scores of classes (batch, classes); with ``pixels: centre`` from the one in the middle alone."""

    def __init__(self, choices: Mapping[str, str], inputs: int, classes: int):
        super().__init__()
        self.columns = CENTRE if choices["pixels"] == "centre" else slice(0, inputs)
        sizes = [len(range(inputs)[self.columns])]
        sizes += [int(choices[layer]) for layer in LAYERS if choices[layer] != "none"]
        pieces: list[nn.Module] = []
        for a, b in zip(sizes, sizes[1:], strict=False):
            pieces += [nn.Linear(a, b), ACTIVATIONS[choices["activation"]]()]
        self.layers = nn.Sequential(*pieces, nn.Linear(sizes[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x[:, self.columns])
