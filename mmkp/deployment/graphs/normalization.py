# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What MMPose's data preprocessor does to pixels, as part of a graph."""

from typing import Any

import torch
import torch.nn.functional as F
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from torch import Tensor, nn


class InputNormalization(nn.Module):
    """BGR pixels to the network input: channel order, mean, deviation, padding.

    Args:
        preprocessor: MMPose's ``PoseDataPreprocessor``, or one derived from it.

    Attributes:
        mean: (1, 3, 1, 1), of pixels after the change of channel order; zeros where the
            preprocessor does not normalize.
        std: same shape; ones where it does not.
        to_rgb: whether the channel order is changed.

    Raises:
        TypeError: a preprocessor of another kind.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessor: nn.Module) -> None:
        super().__init__()
        if not isinstance(preprocessor, PoseDataPreprocessor):
            raise TypeError(
                f'the data preprocessor {type(preprocessor).__name__} cannot become '
                "part of a graph: only MMPose's PoseDataPreprocessor can; export "
                'without normalization'
            )
        normalizes = preprocessor._enable_normalize
        for name, neutral in (('mean', 0.0), ('std', 1.0)):
            values = getattr(preprocessor, name) if normalizes else neutral
            numbers = torch.as_tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)
            self.register_buffer(name, numbers.expand(1, 3, 1, 1).clone())
        self.to_rgb = bool(preprocessor._channel_conversion)
        self.divisor = int(preprocessor.pad_size_divisor)
        self.pad_value = float(preprocessor.pad_value)

    def forward(self, images: Tensor) -> Tensor:
        """Normalize images.

        Args:
            images: BGR, 0 to 255, shape (B, 3, H, W), any type.

        Returns:
            Network input, float32, same shape; with a ``pad_size_divisor`` each side
            is padded to a multiple of it at its end.
        """
        # An index would become two transpositions of the images.
        ordered = images.flip(1) if self.to_rgb else images
        normalized = (ordered.float() - self.mean) / self.std
        if self.divisor == 1:
            return normalized
        height, width = normalized.shape[-2:]
        ends = (0, -width % self.divisor, 0, -height % self.divisor)
        return F.pad(normalized, ends, value=self.pad_value)

    def described(self) -> dict[str, Any]:
        """``mean``, ``std`` (3 each) and ``to_rgb`` for an export's description."""
        return dict(
            mean=[float(f'{value:.7g}') for value in self.mean.flatten()],
            std=[float(f'{value:.7g}') for value in self.std.flatten()],
            to_rgb=self.to_rgb,
        )
