# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Random brightness and contrast, on the device."""

import torch
from torch import Tensor, nn


class ColorJitter(nn.Module):
    """Change brightness and contrast of each colour channel of each image at random.

    Args:
        brightness: largest change of brightness, in units of the input.
        contrast: largest relative change of contrast of each channel, in [0, 1).
    """

    def __init__(self, brightness: float = 0.0, contrast: float = 0.0) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast

    def forward(self, images: Tensor) -> Tensor:
        """Draw one gain and one shift for each channel of each image.

        Args:
            images: network input, shape (B, C, H, W).

        Returns:
            Images of the same shape and dtype; the same ones when nothing is to change.
        """
        if self.brightness == 0 and self.contrast == 0:
            return images
        shape = (*images.shape[:2], 1, 1)
        gain = 1 + self.contrast * (2 * torch.rand(shape, device=images.device) - 1)
        shift = self.brightness * (2 * torch.rand(shape, device=images.device) - 1)
        return (images * gain + shift).to(images.dtype)
