# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A warp given by its displacement at every pixel, such as optical flow."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import full_precision, in_full_precision, per_axis
from mmkp.ops.warps.warp import Warp, to_norm


@dataclass
class FlowWarp(Warp):
    """Displacements at pixel centres, bilinear between them.

    Outside the image the displacement of the nearest pixel holds, and the map counts
    as unknown.

    Attributes:
        flow: source position minus warped position (x, y) in pixels at every pixel
            of the warped image, shape (B, 2, H, W), floating point.
        image_size: (W, H) of the image in pixels.
        valid: where the flow may be trusted, 0 to 1 or bool, shape (B, 1, H, W);
            everywhere when None.

    Raises:
        ValueError: a shape does not fit the image size.
    """

    flow: Tensor
    image_size: tuple[int, int]
    valid: Tensor | None = None

    def __post_init__(self) -> None:
        self.flow = full_precision(self.flow)
        width, height = self.image_size
        expected = (len(self.flow), 2, height, width)
        if tuple(self.flow.shape) != expected:
            raise ValueError(
                f'flow has shape {tuple(self.flow.shape)}, but images of size '
                f'{self.image_size} (W, H) need (B, 2, {height}, {width}): compute it '
                'at the resolution of the network input'
            )
        mask_shape = (len(self.flow), 1, height, width)
        if self.valid is not None and tuple(self.valid.shape) != mask_shape:
            raise ValueError(
                f'valid has shape {tuple(self.valid.shape)}, but the flow has '
                f'{expected}: one mask (1, H, W) an image is needed'
            )

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the flow."""
        return self.flow.dtype

    def _lookup(self, fields: Tensor, points: Tensor) -> Tensor:
        """Interpolate fields (B, C, H, W) at points (B, N, 2), giving (B, N, C)."""
        grid = to_norm(points, self.image_size)[:, None].to(fields.dtype)
        fields = fields.expand(len(points), -1, -1, -1)
        values = F.grid_sample(fields, grid, padding_mode='border', align_corners=True)
        return values[:, :, 0].transpose(1, 2).to(points.dtype)

    @in_full_precision
    def points_to_source(self, points: Tensor) -> Tensor:
        """See :class:`mmkp.ops.warps.warp.Warp`."""
        return points + self._lookup(self.flow, points)

    @in_full_precision
    def validity(self, points: Tensor) -> Tensor:
        """How far the flow may be trusted at positions in the warped image.

        A point counts only if all the pixels that its displacement is interpolated
        from do: between a pixel of a moving body and one of the background the mean
        of both flows is the flow of neither.

        Args:
            points: as in :class:`mmkp.ops.warps.warp.Warp`.

        Returns:
            1 where the flow may be trusted, 0 elsewhere, shape (B, N), no gradient.
        """
        with torch.no_grad():
            width, height = self.image_size
            limits = per_axis((width - 1, height - 1), points)
            inside = ((points >= 0) & (points <= limits)).all(-1)
            if self.valid is None:
                return inside.to(points.dtype)
            valid = self.valid.to(self.flow.dtype)
            weights = self._lookup(valid, points)[..., 0]
            # Rounding may leave an interpolated 1 a little short of 1.
            return (inside & (weights > 0.999)).to(points.dtype)
