# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps of several views of an image, brought back to it and averaged."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.affine_warp import AffineWarp


class ViewAggregator:
    """Mean of the maps of random views (StableKeypoints, section 3.4).

    Each view's maps are enlarged bilinearly, warped back to the image and added up;
    the sum is divided by how many views show a cell.

    Args:
        map_size: (W, H) of the result in cells.
    """

    def __init__(self, map_size: tuple[int, int]) -> None:
        self.map_size = (int(map_size[0]), int(map_size[1]))
        self._total: Tensor | None = None
        self._coverage: Tensor | None = None

    def add(self, maps: Tensor, warp: AffineWarp) -> None:
        """Add a view of each image.

        Args:
            maps: of the views, shape (B, K, h, w).
            warp: maps positions in the views to the images.
        """
        width, height = self.map_size
        if maps.shape[-2:] != (height, width):
            maps = F.interpolate(
                maps, (height, width), mode='bilinear', align_corners=False
            )
        back = warp.resized(self.map_size).inverse()
        returned = back.images(maps, 'zeros')
        coverage = back.images(torch.ones_like(maps[:, :1]), 'zeros')
        if self._total is None or self._coverage is None:
            self._total, self._coverage = returned, coverage
        else:
            self._total += returned
            self._coverage += coverage

    def coverage(self) -> Tensor:
        """How many views show each cell.

        Returns:
            Shape (B, 1, H, W).

        Raises:
            ValueError: nothing was added.
        """
        if self._coverage is None:
            raise ValueError('no view was added: num_views must be at least 1')
        return self._coverage

    def result(self) -> Tensor:
        """Average what was added.

        Returns:
            Maps, shape (B, K, H, W); 0 where no view shows anything.

        Raises:
            ValueError: nothing was added.
        """
        coverage = self.coverage()
        total = torch.zeros_like(coverage) if self._total is None else self._total
        return torch.where(coverage > 0, total / coverage, 0.0)
