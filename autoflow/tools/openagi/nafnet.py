"""NAFNet (Chen et al. 2022, arXiv 2204.04676, weights under the MIT licence): a U-Net without activation functions.

Written from the paper so that published weights load; the sizes are read from the weights themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class _Norm(nn.Module):
    """Layer normalization over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W), the same out
        centred = x - x.mean(1, keepdim=True)
        scaled = centred / (centred.pow(2).mean(1, keepdim=True) + 1e-6).sqrt()
        return scaled * self.weight[:, None, None] + self.bias[:, None, None]


def _gate(x: Tensor) -> Tensor:
    """(B, 2C, H, W) -> (B, C, H, W): one half times the other."""
    first, second = x.chunk(2, dim=1)
    return first * second


class _Block(nn.Module):
    """Names are those of the published weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        c = channels
        self.norm1, self.norm2 = _Norm(c), _Norm(c)
        self.conv1 = nn.Conv2d(c, 2 * c, 1)
        self.conv2 = nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c, 1))
        self.conv3 = nn.Conv2d(c, c, 1)
        self.conv4 = nn.Conv2d(c, 2 * c, 1)
        self.conv5 = nn.Conv2d(c, c, 1)
        self.beta = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        attended = _gate(self.conv2(self.conv1(self.norm1(x))))
        y = x + self.conv3(attended * self.sca(attended)) * self.beta
        made: Tensor = y + self.conv5(_gate(self.conv4(self.norm2(y)))) * self.gamma
        return made


class NAFNet(nn.Module):
    """Takes and gives pictures (B, 3, H, W) in [0, 1], of any size.

    Args:
        width: channels at full size; each level down has twice as many.
        encoders, middle, decoders: blocks a level.
    """

    def __init__(self, width: int, encoders: list[int], middle: int, decoders: list[int]) -> None:
        super().__init__()
        self.intro, self.ending = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        c = width
        for blocks in encoders:
            self.encoders.append(nn.Sequential(*(_Block(c) for _ in range(blocks))))
            self.downs.append(nn.Conv2d(c, 2 * c, 2, 2))
            c *= 2
        self.middle_blks = nn.Sequential(*(_Block(c) for _ in range(middle)))
        for blocks in decoders:
            self.ups.append(nn.Sequential(nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)))
            c //= 2
            self.decoders.append(nn.Sequential(*(_Block(c) for _ in range(blocks))))

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        step = 2 ** len(self.encoders)
        padded = nn.functional.pad(picture, (0, -width % step, 0, -height % step))
        x, skipped = self.intro(padded), []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skipped.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for decoder, up, skip in zip(self.decoders, self.ups, reversed(skipped), strict=True):
            x = decoder(up(x) + skip)
        made: Tensor = (self.ending(x) + padded)[..., :height, :width]
        return made


def with_weights(weights: Mapping[str, Any]) -> NAFNet:
    """The network that these weights fit. Raises KeyError, RuntimeError: they are of no such network."""
    encoders, decoders = (
        [_count(weights, f"{part}.{n}.") for n in range(_count(weights, f"{part}."))]
        for part in ("encoders", "decoders")
    )
    network = NAFNet(weights["intro.weight"].shape[0], encoders, _count(weights, "middle_blks."), decoders)
    network.load_state_dict(weights)
    return network.eval()


def _count(weights: Mapping[str, Any], prefix: str) -> int:
    """How many numbered parts there are under a prefix."""
    return 1 + max((int(key[len(prefix) :].split(".")[0]) for key in weights if key.startswith(prefix)), default=-1)
