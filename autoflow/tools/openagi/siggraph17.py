"""The colorizer of Zhang et al. 2017 (`Real-Time User-Guided Image Colorization`, arXiv 1705.02999; BSD-2-Clause).

A U-Net over the lightness of a picture that tells its two channels of colour, in the space CIE Lab. Written from its
published layers so that the released weights load: names are those of the weights, sizes are read from them. What the
network could be given besides, colours that a person chose, is left at none.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

WIDTH = 64  # channels at full size, as released
COLOURS = 529  # classes of the head that only training used; its weights are in the file
MID_LIGHTNESS, LIGHTNESS, CHROMA = 50.0, 100.0, 110.0  # of Lab: L - 50 over 100 goes in, a and b over 110 come out


def _block(*channels: int, dilation: int = 1, first: bool = True, normed: bool = True) -> nn.Sequential:
    """Convolutions of 3 x 3, each with its ReLU; at the end a batch normalization.

    Args:
        channels: what goes in, and what each convolution gives.
        first: False where a sum of two parts comes in, which has no ReLU yet.
        normed: False: leaky, and without the normalization.
    """
    layers: list[nn.Module] = [] if first else [nn.ReLU()]
    for before, after in pairwise(channels):
        layers += [
            nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation),
            nn.ReLU() if normed else nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(channels[-1])] if normed else []))


def _up(before: int, after: int) -> nn.Sequential:
    """Twice as large."""
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))


def _across(before: int, after: int) -> nn.Sequential:
    """From the way down to the way up."""
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1))


class Siggraph17(nn.Module):
    """Takes lightness (B, 1, H, W) in [0, 100], H and W multiples of 8; gives a and b (B, 2, H, W) in [-110, 110].

    Args:
        width: channels at full size.
        colours: classes of the head that only training used.
    """

    def __init__(self, width: int = WIDTH, colours: int = COLOURS) -> None:
        super().__init__()
        w = width
        self.model1, self.model2 = _block(4, w, w), _block(w, 2 * w, 2 * w)
        self.model3, self.model4 = _block(2 * w, *[4 * w] * 3), _block(4 * w, *[8 * w] * 3)
        self.model5, self.model6 = _block(*[8 * w] * 4, dilation=2), _block(*[8 * w] * 4, dilation=2)
        self.model7 = _block(*[8 * w] * 4)
        self.model8up, self.model3short8 = _up(8 * w, 4 * w), _across(4 * w, 4 * w)
        self.model8 = _block(*[4 * w] * 3, first=False)
        self.model9up, self.model2short9 = _up(4 * w, 2 * w), _across(2 * w, 2 * w)
        self.model9 = _block(2 * w, 2 * w, first=False)
        self.model10up, self.model1short10 = _up(2 * w, 2 * w), _across(w, 2 * w)
        self.model10 = _block(2 * w, 2 * w, first=False, normed=False)
        self.model_class = nn.Sequential(nn.Conv2d(4 * w, colours, 1))
        self.model_out = nn.Sequential(nn.Conv2d(2 * w, 2, 1), nn.Tanh())

    def forward(self, lightness: Tensor) -> Tensor:
        given = (lightness - MID_LIGHTNESS) / LIGHTNESS
        nothing = torch.zeros_like(given)  # no colour is given, and the mask says so
        full = self.model1(torch.cat([given, nothing, nothing, nothing], dim=1))
        half = self.model2(_thinned(full))
        quarter = self.model3(_thinned(half))
        deepest = self.model7(self.model6(self.model5(self.model4(_thinned(quarter)))))
        x = self.model8(self.model8up(deepest) + self.model3short8(quarter))
        x = self.model9(self.model9up(x) + self.model2short9(half))
        x = self.model10(self.model10up(x) + self.model1short10(full))
        made: Tensor = self.model_out(x) * CHROMA
        return made


def _thinned(x: Tensor) -> Tensor:
    """Every second pixel of both directions."""
    return x[..., ::2, ::2]


def with_weights(weights: Mapping[str, Any]) -> Siggraph17:
    """The network that these weights fit. Raises KeyError, RuntimeError: they are of no such network."""
    network = Siggraph17(weights["model1.0.weight"].shape[0], weights["model_class.0.weight"].shape[0])
    network.load_state_dict(weights)
    return network.eval()
