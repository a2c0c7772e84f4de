# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps of several views of an image, brought back to it and averaged."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.precision import full_precision
from mmkp.ops.warps.affine import maps_to_source
from mmkp.ops.warps.warp import Warp


class ViewAggregator:
    """Mean of the maps of random views (StableKeypoints, section 3.4).

    Each view's maps are enlarged bilinearly, warped back to the image and added up;
    the sum is divided by how many views show a cell.

    Args:
        geometry: where the cells of the result lie in the image, each in the middle of
            the pixels that it covers.
    """

    def __init__(self, geometry: MapGeometry) -> None:
        self.geometry = geometry
        # The sum of the maps and, as the last channel, that of the coverage.
        self._total: Tensor | None = None

    def add(self, maps: Tensor, warp: Warp) -> None:
        """Add a view of each image.

        Args:
            maps: of the views, shape (B, K, h, w), any floating dtype.
            warp: maps positions in the views to the images, an
                :class:`~mmkp.ops.warps.affine.AffineWarp`.

        Raises:
            ValueError: the warp is not affine.
        """
        maps = full_precision(maps)
        width, height = self.geometry.map_size
        if size_of(maps) != (width, height):
            maps = F.interpolate(
                maps, (height, width), mode='bilinear', align_corners=False
            )
        # One pass for both: the positions are the same.
        seen = torch.cat((maps, torch.ones_like(maps[:, :1])), 1)
        returned = maps_to_source(seen, warp, self.geometry)
        self._total = returned if self._total is None else self._total + returned

    def coverage(self) -> Tensor:
        """How many views show each cell.

        Returns:
            Shape (B, 1, H, W).

        Raises:
            ValueError: nothing was added.
        """
        if self._total is None:
            raise ValueError('no view was added: num_views must be at least 1')
        return self._total[:, -1:]

    def result(self) -> Tensor:
        """Average what was added.

        Returns:
            Maps, shape (B, K, H, W), at least float32; 0 where no view shows anything.

        Raises:
            ValueError: nothing was added.
        """
        coverage = self.coverage()
        total = coverage if self._total is None else self._total[:, :-1]
        return torch.where(coverage > 0, total / coverage, 0.0)
