# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From torchvision's VGG19 to the first ten layers of OpenPose."""

from collections.abc import Mapping

import torch
from torch import Tensor

#: Torchvision's index of conv1_1 .. conv4_2 in ``features``.
VGG19_LAYERS = {
    'conv1_1': 0,
    'conv1_2': 2,
    'conv2_1': 5,
    'conv2_2': 7,
    'conv3_1': 10,
    'conv3_2': 12,
    'conv3_3': 14,
    'conv3_4': 16,
    'conv4_1': 19,
    'conv4_2': 21,
}
#: Of RGB values in [0, 1], with which torchvision's networks were trained.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

INPUTS = ('openpose', 'imagenet')


def check_input(name: str) -> None:
    """Raise ValueError unless ``name`` is a known kind of network input."""
    if name not in INPUTS:
        raise ValueError(
            f'the input is {name!r}; choose openpose (BGR / 256 - 0.5) or imagenet '
            "(RGB with ImageNet's mean and deviation)"
        )


def fold_normalization(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Adapt a first convolution for ImageNet's normalisation to BGR / 256 - 0.5.

    With u the new input, the old one is (256 / 255 u + 128 / 255 - mean) / std, with
    the channels in reverse order. Both give the same output except along the border,
    where the padding's zeros now stand for grey 128 instead of ImageNet's mean.

    Args:
        weight: shape (O, 3, k, k), for RGB.
        bias: shape (O,).

    Returns:
        Weight (for BGR) and bias of the same shapes and dtypes.
    """
    mean = torch.tensor(IMAGENET_MEAN, dtype=torch.float64).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, dtype=torch.float64).view(3, 1, 1)
    exact = weight.double()
    shift = (exact * (128 / 255 - mean) / std).sum((1, 2, 3))
    scaled = (exact * 256 / (255 * std)).flip(1)
    return scaled.to(weight.dtype), (bias.double() + shift).to(bias.dtype)


def convert_vgg19(
    official: Mapping[str, Tensor], network_input: str = 'openpose'
) -> dict[str, Tensor]:
    """Take conv1_1 .. conv4_2 out of torchvision's VGG19.

    Args:
        official: torchvision's state dict, ``features.0.weight`` ...
        network_input: ``'openpose'`` (BGR / 256 - 0.5; conv1_1 is adapted) or
            ``'imagenet'`` (weights stay as they are).

    Returns:
        ``conv1_1.weight`` .. ``conv4_2.bias``, twenty entries.

    Raises:
        ValueError: entries are missing, or an unknown ``network_input``.
    """
    check_input(network_input)
    converted = {}
    for name, index in VGG19_LAYERS.items():
        for kind in ('weight', 'bias'):
            key = f'features.{index}.{kind}'
            if key not in official:
                raise ValueError(f"no {key}: this is not torchvision's VGG19")
            converted[f'{name}.{kind}'] = official[key]
    if network_input == 'openpose':
        folded = fold_normalization(
            converted['conv1_1.weight'], converted['conv1_1.bias']
        )
        converted['conv1_1.weight'], converted['conv1_1.bias'] = folded
    return converted
