"""Random smooth warps that move points and images consistently.

A warp maps positions in the warped image to positions in the source image,
which is what ``grid_sample`` needs, so a keypoint found in the warped image goes
back to the source without inverting anything. Positions are pixels with centres
at integers; inside, the image spans [-1, 1] from the first to the last pixel
centre ("inclusive", ``align_corners=True``), called ``*_norm``.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class ThinPlateSpline:
    """Affine map plus thin-plate-spline displacement, one for each image.

    Attributes:
        affine: on homogeneous (x, y, 1) in [-1, 1] coordinates, (B, 2, 3).
        control_points: (x, y) in [-1, 1] coordinates, (C, 2).
        coefficients: weight of each control point's kernel, (B, C, 2).
        image_size: (W, H) of the image in pixels.
    """

    affine: Tensor
    control_points: Tensor
    coefficients: Tensor
    image_size: tuple[int, int]

    def _half_sides(self, like: Tensor) -> Tensor:
        width, height = self.image_size
        return like.new_tensor([(width - 1) / 2, (height - 1) / 2])

    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the source image of positions in the warped image.

        Args:
            points: (x, y) in pixels of the warped image, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the source image, shape (B, N, 2).
        """
        half_sides = self._half_sides(points)
        norm = points / half_sides - 1
        moved = norm @ self.affine[:, :, :2].transpose(1, 2)
        moved = moved + self.affine[:, None, :, 2]
        moved = moved + thin_plate_kernel(norm, self.control_points) @ self.coefficients
        return (moved + 1) * half_sides

    def images(self, images: Tensor, padding_mode: str = 'reflection') -> Tensor:
        """Warp images.

        Args:
            images: source images, shape (B, C, H, W).
            padding_mode: what lies outside, as in ``grid_sample``.

        Returns:
            Warped images, shape (B, C, H, W).
        """
        width, height = self.image_size
        y, x = torch.meshgrid(
            torch.arange(height, device=images.device),
            torch.arange(width, device=images.device),
            indexing='ij',
        )
        pixels = torch.stack((x, y), -1).reshape(1, -1, 2).to(self.affine.dtype)
        source = self.points_to_source(pixels.expand(len(images), -1, -1))
        grid = source / self._half_sides(source) - 1
        grid = grid.view(len(images), height, width, 2).to(images.dtype)
        return F.grid_sample(
            images, grid, padding_mode=padding_mode, align_corners=True
        )


def thin_plate_kernel(points_norm: Tensor, control_points_norm: Tensor) -> Tensor:
    """Thin-plate kernel r^2 log r^2 between points and control points.

    Args:
        points_norm: shape (B, N, 2).
        control_points_norm: shape (C, 2).

    Returns:
        Kernel values, shape (B, N, C); r^2 is clipped at 1e-8 from below.
    """
    difference = points_norm[:, :, None] - control_points_norm
    r2 = difference.square().sum(-1).clamp_min(1e-8)
    return r2 * r2.log()


def random_thin_plate_spline(
    batch_size: int,
    image_size: tuple[int, int],
    control_grid: int = 5,
    local_std: float = 0.01,
    rotation_std: float = 5.0,
    scale_std: float = 0.1,
    translation_std: float = 0.1,
    device: torch.device | str = 'cpu',
    generator: torch.Generator | None = None,
) -> ThinPlateSpline:
    """Sample thin-plate-spline warps, coefficients drawn directly (IMM, DVE).

    Args:
        batch_size: number B of warps.
        image_size: (W, H) in pixels.
        control_grid: number of control points along each side.
        local_std: standard deviation of the spline coefficients.
        rotation_std: standard deviation of the rotation in degrees.
        scale_std: standard deviation of the logarithm of the scale.
        translation_std: standard deviation of the shift in units of half the
            image side.
        device: where to sample.
        generator: source of randomness; torch's global one when None.

    Returns:
        The warps, float32.
    """
    line = torch.linspace(-1, 1, control_grid, device=device)
    control = torch.stack(torch.meshgrid(line, line, indexing='xy'), -1).view(-1, 2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, device=device, generator=generator)

    angle = torch.deg2rad(rotation_std * normal(batch_size))
    scale = torch.exp(scale_std * normal(batch_size))
    shift = translation_std * normal(batch_size, 2)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    aspect = (image_size[1] - 1) / max(image_size[0] - 1, 1)
    rows = (
        torch.stack((cos, -sin * aspect, shift[:, 0]), -1),
        torch.stack((sin / aspect, cos, shift[:, 1]), -1),
    )
    coefficients = local_std * normal(batch_size, len(control), 2)
    return ThinPlateSpline(torch.stack(rows, 1), control, coefficients, image_size)
