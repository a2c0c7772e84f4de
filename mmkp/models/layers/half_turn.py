# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which of two opposite ways an object lies, by what the others look like."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.ops.precision import full_precision


class HalfTurn(nn.Module):
    """Turn images by 180 degrees that agree better with the mean image when turned.

    Images in the frame of their principal axis are right up to half a turn. The running
    mean over training images, each as it was settled, decides (congealing, Learned-
    Miller, PAMI 2006, over a group of two): the greater product with the mean wins.

    Args:
        cells: images are averaged over this many cells along each side.
        momentum: share of each batch in the running mean.
    """

    mean: Tensor

    def __init__(self, cells: int = 16, momentum: float = 0.05) -> None:
        super().__init__()
        self.cells, self.momentum = cells, momentum
        self.register_buffer('mean', torch.zeros(3, cells, cells))
        line = torch.linspace(-1, 1, cells)
        bell = (-2 * line.square()).exp()  # others lie at the rim
        self.register_buffer('window', bell * bell[:, None], persistent=False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Settle a batch; in training the mean takes part of it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Images of the same shape and dtype, and which of them were turned, (B,)
            bool.
        """
        with torch.autocast(images.device.type, enabled=False):
            small = F.adaptive_avg_pool2d(full_precision(images), self.cells)
            small = (small - small.mean((2, 3), keepdim=True)) * self.window
            agreement = (small * self.mean).sum((1, 2, 3))
            opposite = (small * self.mean.flip(-2, -1)).sum((1, 2, 3))
            turned = opposite > agreement
            where = turned[:, None, None, None]
            if self.training:
                settled = torch.where(where, small.flip(-2, -1), small).mean(0)
                self.mean.lerp_(settled.to(self.mean), self.momentum)
        return torch.where(where, images.flip(-2, -1), images), turned
