# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Perceptual distance of two pictures (Johnson et al., ECCV 2016)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmkp.models.losses.vgg_features import VGGFeatures, default_layers
from mmkp.ops.arguments import one_of
from mmkp.ops.precision import full_precision

# What the networks were trained on: x -> (x - mean) / std of 0-255 RGB.
_PREPROCESSING = {
    'torchvision': ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    'caffe': ((122.679, 116.669, 104.007), (1.0, 1.0, 1.0)),
}
# A first feature map of 64 channels then takes 25 MiB: larger blocks are given back to
# the system and cleared anew in every step, and they do not stay in the caches.
CPU_CHUNK_PIXELS = 2 * 224 * 224
_warned_random = False


@MODELS.register_module()
class PerceptualLoss(nn.Module):
    r"""Mean distance between the VGG features of a reconstruction and its target.

    .. math::
        L = \lambda \sum_l w_l \, \mathrm{mean} |F_l(\hat x) - F_l(x)|

    as in AutoLink (He et al., NeurIPS 2022, section 3.4), where the layers are
    relu1_2, relu2_2, relu3_3 and relu4_3 of VGG16 with weight 1. The target's
    features are computed without gradient. The network is frozen and is neither
    saved nor optimised (see :class:`VGGFeatures`).

    Caffe's networks take pictures of 0-255, so their features are larger, mostly in
    the first block; ``layer_weights`` and ``loss_weight`` balance them.

    Args:
        depth (int): 16 or 19.
        layers (Sequence[str], optional): Compared activations; by default the last
            of each of the first four blocks.
        layer_weights (Sequence[float], optional): One weight a layer; default all 1.
        distance (str): ``'l1'``, mean absolute, or ``'l2'``, mean squared difference.
        image_size (int | tuple[int, int], optional): Pixels (a side, or width and
            height) to which both pictures are resized bilinearly; None keeps them.
        weights (str, optional): Torchvision state dict ``.pth``, or ``.npz`` with the
            names ``conv1_1.weight`` ... and Caffe's channel order. None takes a random
            network and warns once.
        preprocessing (str): ``'torchvision'`` (RGB, mean and std of ImageNet),
            ``'caffe'`` (BGR, mean only) or ``'auto'``: caffe for an ``.npz``.
        input_mean (Sequence[float] | float): With ``input_std`` brings the network's
            input back to 0-255: ``x * input_std + input_mean``.
        input_std (Sequence[float] | float): See ``input_mean``.
        base_channels (int): Width of the random network; 64 for stored weights.
        seed (int): Seed of the random network.
        loss_weight (float): Factor of the whole loss.
        chunk_size (int, optional): Pictures that go through the network together. By
            default the whole batch on a GPU, and on the CPU as many as stay cheap to
            allocate. The result is the same, the memory that of one chunk; without
            effect under float16 autocast, whose gradients need the scaled loss.

    The file is read by :meth:`init_weights`, or else at the first use.

    Raises:
        ValueError: An option has no meaning.
    """

    #: Names of the model's outputs with which the loss is called.
    inputs = ('reconstruction', 'images')

    gain: Tensor
    shift: Tensor

    def __init__(
        self,
        depth: int = 16,
        layers: Sequence[str] | None = None,
        layer_weights: Sequence[float] | None = None,
        distance: str = 'l1',
        image_size: int | tuple[int, int] | None = 224,
        weights: str | None = None,
        preprocessing: str = 'auto',
        input_mean: Sequence[float] | float = 127.5,
        input_std: Sequence[float] | float = 127.5,
        base_channels: int = 64,
        seed: int = 0,
        loss_weight: float = 1.0,
        chunk_size: int | None = None,
    ) -> None:
        super().__init__()
        layers = tuple(layers) if layers is not None else default_layers(depth)
        if layer_weights is None:
            layer_weights = (1.0,) * len(layers)
        if len(layer_weights) != len(layers):
            raise ValueError(
                f'layer_weights has {len(layer_weights)} entries for {len(layers)} '
                f'layers {layers}; give one a layer'
            )
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f'chunk_size must be at least 1 or None, got {chunk_size}')
        one_of('preprocessing', preprocessing, ('auto', *_PREPROCESSING))
        if preprocessing == 'auto':
            caffe = weights is not None and str(weights).endswith('.npz')
            preprocessing = 'caffe' if caffe else 'torchvision'
        if weights is None:
            _warn_random(seed)
        self.features = VGGFeatures(
            depth, layers, weights, base_channels, seed, preprocessing == 'caffe'
        )
        self.layer_weights = tuple(float(w) for w in layer_weights)
        self.distance = one_of('distance', distance, ('l1', 'l2'))
        self.image_size = _height_width(image_size)
        self.preprocessing = preprocessing
        self.loss_weight = loss_weight
        self.chunk_size = chunk_size
        # One multiply-add from network input to VGG input.
        mean, std = (torch.tensor(v).double() for v in _PREPROCESSING[preprocessing])
        in_mean, in_std = _channels(input_mean), _channels(input_std)
        for name, value in (('gain', in_std / std), ('shift', (in_mean - mean) / std)):
            self.register_buffer(name, value.view(1, 3, 1, 1).float(), persistent=False)

    def init_weights(self) -> None:
        """Read the weights file, once.

        Raises:
            FileNotFoundError: ``weights`` does not exist.
            ValueError: The file is of another network, or damaged.
        """
        self.features.init_weights()

    def preprocess(self, pictures: Tensor) -> Tensor:
        """Bring network input to what VGG expects.

        Args:
            pictures (Tensor): (B, 3, H, W) float, RGB, network-input values.

        Returns:
            Tensor: (B, 3, H', W'), at least float32, normalised and resized.
        """
        # Before the resizing: the smaller picture is cheaper, bilinear weights sum
        # to 1, so the result is the same.
        pictures = torch.addcmul(self.shift, full_precision(pictures), self.gain)
        if self.image_size in (None, tuple(pictures.shape[-2:])):
            return pictures
        return F.interpolate(
            pictures, size=self.image_size, mode='bilinear', align_corners=False
        )

    def per_layer(self, reconstruction: Tensor, images: Tensor) -> list[Tensor]:
        """Compute each layer's distance, without its weight.

        Args:
            reconstruction (Tensor): (B, 3, H, W) float, network-input values.
            images (Tensor): (B, 3, H, W) float, the target; gets no gradient.

        Returns:
            list[Tensor]: One scalar a layer, at least float32.

        Raises:
            ValueError: The two shapes differ or are not pictures.
        """
        if reconstruction.shape != images.shape or images.shape[1:2] != (3,):
            raise ValueError(
                'reconstruction and images must both be (B, 3, H, W), got '
                f'{tuple(reconstruction.shape)} and {tuple(images.shape)}'
            )
        with torch.no_grad():
            targets = self.features(self.preprocess(images))
        found = self.features(self.preprocess(reconstruction))
        measure = F.l1_loss if self.distance == 'l1' else F.mse_loss
        return [
            measure(full_precision(f), full_precision(t))
            for f, t in zip(found, targets, strict=True)
        ]

    def forward(self, reconstruction: Tensor, images: Tensor) -> Tensor:
        """Compute the weighted sum over the layers.

        Args:
            reconstruction (Tensor): (B, 3, H, W) float, network-input values.
            images (Tensor): (B, 3, H, W) float, the target; gets no gradient.

        Returns:
            Tensor: Scalar, at least float32, also under autocast.

        Raises:
            ValueError: The two shapes differ or are not pictures.
        """
        chunk = self._pictures_a_chunk(reconstruction)
        if chunk >= len(reconstruction):
            return self._weighted_sum(reconstruction, images)
        return _Chunked.apply(reconstruction, images, self._weighted_sum, chunk)

    def _weighted_sum(self, reconstruction: Tensor, images: Tensor) -> Tensor:
        values = self.per_layer(reconstruction, images)
        total = values[0].new_zeros(())
        for weight, value in zip(self.layer_weights, values, strict=True):
            total = total + weight * value
        return self.loss_weight * total

    def _pictures_a_chunk(self, pictures: Tensor) -> int:
        # What autocast does to a product; its own queries differ between versions.
        probe = torch.zeros(1, 1, device=pictures.device)
        if torch.mm(probe, probe).dtype == torch.float16:
            return len(pictures)
        if self.chunk_size is not None:
            return self.chunk_size
        if pictures.device.type != 'cpu':
            return len(pictures)
        height, width = self.image_size or pictures.shape[-2:]
        return max(1, CPU_CHUNK_PIXELS // (height * width))


class _Chunked(torch.autograd.Function):
    """A mean over pictures, with its gradient computed chunk by chunk on the way."""

    @staticmethod
    def forward(
        ctx: Any,
        reconstruction: Tensor,
        images: Tensor,
        loss: Callable[[Tensor, Tensor], Tensor],
        chunk: int,
    ) -> Tensor:
        values, gradients = [], []
        parts = zip(reconstruction.split(chunk), images.split(chunk), strict=True)
        for found, target in parts:
            share = len(found) / len(reconstruction)
            with torch.set_grad_enabled(ctx.needs_input_grad[0]):
                found = found.detach().requires_grad_(ctx.needs_input_grad[0])
                value = loss(found, target) * share
            if ctx.needs_input_grad[0]:
                with torch.autocast(found.device.type, enabled=False):
                    gradients += torch.autograd.grad(value, found)
            values.append(value.detach())
        if gradients:
            ctx.save_for_backward(torch.cat(gradients))
        return torch.stack(values).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return (upstream * gradient).to(gradient.dtype), None, None, None


def _channels(value: Sequence[float] | float) -> Tensor:
    tensor = torch.as_tensor(value, dtype=torch.float64)
    if tensor.numel() not in (1, 3):
        raise ValueError(
            f'input_mean and input_std take one number or three, got {value!r}'
        )
    return tensor.reshape(-1).expand(3)


def _height_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    width, height = (size, size) if isinstance(size, int) else size
    if min(width, height) < 1:
        raise ValueError(f'image_size must be positive pixels or None, got {size!r}')
    return height, width


def _warn_random(seed: int) -> None:
    global _warned_random
    if not _warned_random:
        _warned_random = True
        warnings.warn(
            'PerceptualLoss has no weights file: it compares features of a random '
            f'VGG (seed {seed}). Good for trying things out; for real training give '
            "weights='<torchvision vgg16 .pth>'.",
            stacklevel=3,
        )
