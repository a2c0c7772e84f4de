# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Batch normalisation that never stores statistics."""

import torch.nn.functional as F
from torch import Tensor, nn


class ImageBatchNorm2d(nn.InstanceNorm2d):
    """Batch normalisation that takes each image's own statistics in evaluation.

    TensorFlow graphs frozen in training mode do so, because they run one image at a
    time; here the images of a batch do not influence each other either. In training
    the statistics are those of the batch, as usual.

    Args:
        num_features: channels.
        eps: added to the variance.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__(num_features, eps, affine=True)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W)."""
        if self.training:
            return F.batch_norm(
                input, None, None, self.weight, self.bias, True, eps=self.eps
            )
        return super().forward(input)
