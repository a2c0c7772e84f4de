# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Features of frozen networks, as scores of keypoints read them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmkp.models.losses.vgg_features import VGGFeatures

#: Takes pictures (B, 3, H, W), float32, RGB, 0 to 255; gives maps, each (B, C, h, w).
Features = Callable[[Tensor], Sequence[Tensor]]

# Of ImageNet, RGB, as the weights of VGG16 from Caffe expect.
_MEAN = (122.679, 116.669, 104.007)


def vgg16_features(weights: str | Path, device: str | None = None) -> Features:
    """Two maps of VGG16, of relu3_3 and relu4_3, strides 4 and 8.

    Args:
        weights: file in Caffe's order (BGR, .npz), see docs/data.md.
        device: of the network and of the pictures.

    Returns:
        The features.

    Raises:
        FileNotFoundError: there is no such file.
    """
    network = VGGFeatures(16, ('relu3_3', 'relu4_3'), str(weights), bgr_weights=True)
    network.to(device)
    mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)

    def features(pictures: Tensor) -> Sequence[Tensor]:
        return network(pictures - mean)

    return features
