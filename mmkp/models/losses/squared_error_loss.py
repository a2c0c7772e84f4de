# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The reconstruction must equal the image, pixel by pixel."""

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.precision import full_precision


@MODELS.register_module()
class SquaredErrorLoss(nn.Module):
    """Half the sum of squared errors of an image (LMDIS, Zhang et al., CVPR 2018).

    1/2 sum |x' - x|^2 over pixels and channels, section 3.3. It grows with the size of
    the image; the paper's weights (0.1, later 1 and 10) are for 80 x 80 pixels with
    values in [0, 1].

    Args:
        loss_weight: factor on the loss.
            Where images span [-1, 1], a quarter of the paper's gives its figures.
    """

    inputs: tuple[str, ...] = ('reconstruction', 'images')

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, reconstruction: Tensor, images: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            reconstruction: shape (B, C, H, W), network-input values.
            images: the target, of the same shape; gets no gradient.

        Returns:
            Sum over pixels and channels, mean over images, scalar, at least float32.

        Raises:
            ValueError: the shapes differ.
        """
        if reconstruction.shape != images.shape:
            raise ValueError(
                'reconstruction and images must have one shape, got '
                f'{tuple(reconstruction.shape)} and {tuple(images.shape)}'
            )
        with torch.autocast(images.device.type, enabled=False):
            total = F.mse_loss(
                full_precision(reconstruction),
                full_precision(images.detach()),
                reduction='sum',
            )
        return self.loss_weight / (2 * len(images)) * total
