# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""VGG as a backbone under learned tokens."""

from collections.abc import Sequence
from typing import Any

from mmpose.registry import MODELS

from mmkp.models.losses.vgg_features import VGGFeatures


@MODELS.register_module()
class FrozenVGG(VGGFeatures):
    """The network of the perceptual loss (Simonyan and Zisserman, ICLR 2015).

    Its images are normalised by the model's ``data_preprocessor`` as the weights
    expect: mean and deviation of ImageNet for torchvision's, mean
    ``[122.679, 116.669, 104.007]`` and deviation 1 for Caffe's (``.npz``), RGB both.

    Args:
        depth: 16 or 19.
        layers: activations to return, ``'relu<block>_<index>'``.
        weights: torchvision's ``.pth``, or an ``.npz`` with ``conv<b>_<i>.weight`` in
            Caffe's order of colours; without it the network is random.
        base_channels: channels of the first block; 64 with a weights file.
        seed: seed of the random network.

    Raises:
        ValueError: unknown depth or layer.
    """

    def __init__(
        self,
        depth: int = 16,
        layers: Sequence[str] = ('relu3_3', 'relu4_3'),
        weights: str | None = None,
        **kwargs: Any,
    ) -> None:
        bgr_weights = str(weights).endswith('.npz')
        super().__init__(depth, layers, weights, bgr_weights=bgr_weights, **kwargs)
