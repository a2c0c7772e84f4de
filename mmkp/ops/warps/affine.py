# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Affine warps, given in coordinates in which the image spans [-1, 1]."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops import accelerators
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import (
    constants,
    full_precision,
    full_precision_product,
    in_full_precision,
)
from mmkp.ops.warps.warp import Warp, half_sides, to_norm, to_pixels


def affine_map(points: Tensor, matrices: Tensor) -> Tensor:
    """A x + b for each image, on coordinates of any unit.

    Args:
        points: (x, y), shape (B, N, 2) or (1, N, 2).
        matrices: A and b, shape (B, 2, 3), of the same dtype.

    Returns:
        Shape (B, N, 2).
    """
    moved = full_precision_product(points, matrices[:, :, :2].transpose(1, 2))
    return moved + matrices[:, None, :, 2]


@in_full_precision
def rotation_scale_shift(
    angle: Tensor, scale: Tensor, shift: Tensor, extent: tuple[float, float]
) -> Tensor:
    """Matrices that scale along x and y, then rotate, then shift.

    Args:
        angle: rotation in radians, positive from x to y, shape (B,).
        scale: factors along x and y, shape (B, 2).
        shift: (x, y) in half image sides, shape (B, 2).
        extent: lengths (x, y) in pixels that [-1, 1] spans; the rotation turns pixels,
            so that it keeps angles in images that are not square.

    Returns:
        Matrices on (x, y, 1) in [-1, 1] coordinates, shape (B, 2, 3), at least float32.
    """
    cos, sin = angle.cos(), angle.sin()
    aspect = extent[1] / extent[0]
    rows = (
        torch.stack((cos * scale[:, 0], -sin * scale[:, 1] * aspect, shift[:, 0]), -1),
        torch.stack((sin * scale[:, 0] / aspect, cos * scale[:, 1], shift[:, 1]), -1),
    )
    return torch.stack(rows, 1)


@dataclass
class AffineWarp(Warp):
    """One affine map for each image.

    Attributes:
        affine: on homogeneous (x, y, 1) in [-1, 1] coordinates, (B, 2, 3).
        image_size: (W, H) of the image in pixels.
        align_corners: whether -1 and 1 are pixel centres, else edges.
        legacy_grid: as in :class:`mmkp.ops.warps.thin_plate_spline.ThinPlateSpline`.
    """

    affine: Tensor
    image_size: tuple[int, int]
    align_corners: bool = True
    legacy_grid: bool = False

    def __post_init__(self) -> None:
        self.affine = full_precision(self.affine)

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the matrices."""
        return self.affine.dtype

    @in_full_precision
    def points_to_source(self, points: Tensor) -> Tensor:
        """See :class:`mmkp.ops.warps.warp.Warp`."""
        inclusive = self.align_corners or self.legacy_grid
        norm = to_norm(points, self.image_size, inclusive)
        moved = affine_map(norm, self.affine)
        return to_pixels(moved, self.image_size, self.align_corners)

    def inverse(self) -> 'AffineWarp':
        """Return the map from the source image to the warped image.

        Returns:
            The inverse warps.
        """
        if self.legacy_grid and not self.align_corners:
            # Positions before and after have different coordinates.
            return self._between_edges().inverse()
        with torch.autocast(self.affine.device.type, enabled=False):
            # An accelerator would be waited for to learn whether there is an inverse.
            check = not accelerators.is_accelerator(self.affine.device)
            linear = self.affine[:, :, :2]
            linear, _ = torch.linalg.inv_ex(linear, check_errors=check)
            shift = full_precision_product(-linear, self.affine[:, :, 2:])
        return replace(self, affine=torch.cat((linear, shift), -1))

    def _between_edges(self) -> 'AffineWarp':
        """The same map, given in coordinates in which -1 and 1 are the edges."""
        if not (self.align_corners or self.legacy_grid):
            return self
        # From pixel centres to edges: x -> scale x + offset.
        extent = 2 * constants(half_sides(self.image_size), self.affine)
        size = constants(self.image_size, self.affine)
        scale, offset = extent / size, (extent + 1) / size - 1
        linear = self.affine[:, :, :2] / scale
        shift = self.affine[:, :, 2] - (linear * offset).sum(-1)
        if self.align_corners:
            linear = linear * scale[:, None]
            shift = shift * scale + offset
        affine = torch.cat((linear, shift[:, :, None]), -1)
        return AffineWarp(affine, self.image_size, align_corners=False)


@in_full_precision
def maps_to_source(maps: Tensor, warp: Warp, geometry: MapGeometry) -> Tensor:
    """Bring maps of a warped image back to the source image, T^-1.

    Args:
        maps: of the warped image, shape (B, K, h, w), any floating dtype.
        warp: maps positions in the warped image to the source.
        geometry: where the cells of the maps lie in both images.

    Returns:
        Maps, shape (B, K, h, w), at least float32; 0 where the warped image shows
        nothing.

    Raises:
        ValueError: the warp is not affine, so its inverse is not known.
    """
    if not isinstance(warp, AffineWarp):
        raise ValueError(
            f'maps cannot be brought back through a {type(warp).__name__}, which has '
            'no inverse here: use RandomAffineWarp as the view_transform'
        )
    centers = geometry.centers(warp.affine).expand(maps.shape[0], -1, -1)
    cells = geometry.to_cells(warp.inverse().points_to_source(centers))
    places = to_norm(cells, geometry.map_size).to(maps.dtype)
    return F.grid_sample(
        maps,
        places.view(maps.shape[0], *maps.shape[-2:], 2),
        padding_mode='zeros',
        align_corners=True,
    )
