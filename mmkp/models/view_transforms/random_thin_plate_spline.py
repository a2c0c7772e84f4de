"""A second view of each image by a random thin-plate spline and colour jitter."""

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.warp import ThinPlateSpline, random_thin_plate_spline


@MODELS.register_module()
class RandomThinPlateSpline(nn.Module):
    """Warp images at random, on the device that they are on.

    Args:
        control_grid: number of control points along each side.
        local_std: standard deviation of the spline coefficients.
        rotation_std: standard deviation of the rotation in degrees.
        scale_std: standard deviation of the logarithm of the scale.
        translation_std: standard deviation of the shift, in half image sides.
        brightness: largest change of brightness, in units of the input.
        contrast: largest relative change of contrast of each channel, in [0, 1).
        padding_mode: what lies outside the image, as in ``grid_sample``.
    """

    def __init__(
        self,
        control_grid: int = 5,
        local_std: float = 0.01,
        rotation_std: float = 5.0,
        scale_std: float = 0.1,
        translation_std: float = 0.1,
        brightness: float = 0.0,
        contrast: float = 0.0,
        padding_mode: str = 'reflection',
    ) -> None:
        super().__init__()
        self.warp_options: dict[str, Any] = {
            'control_grid': control_grid,
            'local_std': local_std,
            'rotation_std': rotation_std,
            'scale_std': scale_std,
            'translation_std': translation_std,
        }
        self.brightness = brightness
        self.contrast = contrast
        self.padding_mode = padding_mode

    def forward(self, images: Tensor) -> tuple[Tensor, ThinPlateSpline]:
        """Sample one warp for each image and apply it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Warped images of the same shape, and the warp, which maps positions
            in them back to the images.
        """
        height, width = images.shape[-2:]
        warp = random_thin_plate_spline(
            len(images), (width, height), device=images.device, **self.warp_options
        )
        return self.jitter(warp.images(images, self.padding_mode)), warp

    def jitter(self, images: Tensor) -> Tensor:
        """Change brightness and contrast of each colour channel at random."""
        if self.brightness == 0 and self.contrast == 0:
            return images
        shape = (*images.shape[:2], 1, 1)
        gain = 1 + self.contrast * (2 * torch.rand(shape, device=images.device) - 1)
        shift = self.brightness * (2 * torch.rand(shape, device=images.device) - 1)
        return images * gain + shift
