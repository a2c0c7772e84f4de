# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Batch normalisation that never stores statistics."""

import torch.nn.functional as F
from torch import Tensor, nn


class PictureBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation that takes each picture's own statistics in evaluation.

    TensorFlow graphs frozen in training mode do this: they run one picture at a time.
    Several pictures at a time do not influence each other here either. In training,
    statistics are those of the batch.

    Args:
        num_features: channels.
        eps: added to the variance.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__(num_features, eps, track_running_stats=False)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W)."""
        if self.training:
            return super().forward(input)
        return F.instance_norm(input, weight=self.weight, bias=self.bias, eps=self.eps)
