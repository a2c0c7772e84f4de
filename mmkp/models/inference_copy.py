# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Copies of models that compute the same for less on a CPU."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

#: Of the largest output, what rounding may make of the sums of a deep network.
_ROUNDING = 1e-4

Pair = tuple[nn.Module, nn.Module]


@torch.no_grad()
def inference_copy(model: nn.Module, inputs: Tensor) -> nn.Module:
    """Copy a model for prediction on a CPU.

    Batch normalizations become part of the convolutions before them, weights and maps
    are channels-last, and 1x1 convolutions are computed by oneDNN, where torch takes
    its slower own code for small batches in one thread.

    Args:
        model: MMPose's, in evaluation mode; left as it is.
        inputs: network input to try it with, (B, 3, H, W).

    Returns:
        The copy.

    Raises:
        ValueError: it computes something else, as of a network whose convolutions are
            read by others than their normalization.
    """
    fast = copy.deepcopy(model)
    for convolution, norm in convolution_norm_pairs(fast, inputs):
        _fold(convolution, norm)
        _replace(fast, norm, nn.Identity())
    for module in fast.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            # The same convolution, of a kind that torch leaves to oneDNN.
            module.dilation = (2, 2)
    fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    expected, found = _outputs(model, inputs), _outputs(fast, inputs)
    for before, after in zip(expected, found, strict=True):
        largest = float((after - before).abs().max())
        if not largest <= _ROUNDING * max(1.0, float(before.abs().max())):
            raise ValueError(
                f'batch normalizations of {type(model).__name__} cannot be folded: '
                f'outputs differ by {largest:.2g}'
            )
    return fast


def bfloat16_copy(model: nn.Module) -> nn.Module:
    """Copy a model whose backbone, neck and head compute in bfloat16.

    What the head gives, and all that is made of it, is float32.

    Args:
        model: MMPose's, in evaluation mode; left as it is.

    Returns:
        The copy.
    """
    rounded: Any = copy.copy(model)
    rounded._modules = dict(model._modules)
    rounded.head = copy.copy(model.head)
    rounded.extract_feat = _autocast(rounded.extract_feat)
    rounded.head.forward = _in_float32(_autocast(rounded.head.forward))
    return rounded  # type: ignore[no-any-return]


def convolution_norm_pairs(model: nn.Module, inputs: Tensor) -> list[Pair]:
    """Convolutions of which one batch normalization reads the result, as it is.

    Found by running the model, so it does not matter how its forward is written.

    Args:
        model: MMPose's, in evaluation mode.
        inputs: network input, (B, 3, H, W).

    Returns:
        Pairs of a convolution and its normalization, each called once.
    """
    results: dict[int, tuple[Tensor, int, nn.Module]] = {}
    calls: Counter[nn.Module] = Counter()
    found: list[Pair] = []

    def convolved(module: nn.Module, _: Any, result: Tensor) -> None:
        calls[module] += 1
        # Kept, so that no other tensor takes its place; in-place changes are counted.
        results[id(result)] = result, result._version, module

    def normalized(module: nn.Module, arguments: tuple) -> None:
        calls[module] += 1
        before = results.get(id(arguments[0]))
        if before is not None and before[1] == arguments[0]._version:
            found.append((before[2], module))

    handles = []
    for module in model.modules():
        if _is_convolution(module):
            handles.append(module.register_forward_hook(convolved))
        elif _is_affine(module):
            handles.append(module.register_forward_pre_hook(normalized))
    try:
        _outputs(model, inputs)
    finally:
        for handle in handles:
            handle.remove()
    read = Counter(convolution for convolution, _ in found)
    return [
        (convolution, norm)
        for convolution, norm in found
        if calls[convolution] == calls[norm] == read[convolution] == 1
    ]


def _is_convolution(module: nn.Module) -> bool:
    if isinstance(module, nn.ConvTranspose2d):
        return module.groups == 1  # torch folds no others
    return isinstance(module, nn.Conv2d)


def _is_affine(module: nn.Module) -> bool:
    """Whether it is a batch normalization by running statistics."""
    known = isinstance(module, _BatchNorm) and not module.training
    return known and module.running_mean is not None


def _outputs(model: Any, inputs: Tensor) -> list[Tensor]:
    """All that the head gives, float32."""
    with torch.no_grad():
        return _tensors(model.head.forward(model.extract_feat(inputs)))


def _tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Tensor):
        return [found.float()]
    parts = found.values() if isinstance(found, dict) else found
    return [tensor for part in parts for tensor in _tensors(part)]


def _fold(convolution: Any, norm: Any) -> None:
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
        isinstance(convolution, nn.ConvTranspose2d),
    )


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for module in model.modules():
        for name, child in module.named_children():
            if child is old:
                setattr(module, name, new)


def _autocast(function: Callable) -> Callable:
    def rounded(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast('cpu', torch.bfloat16):
            return function(*args, **kwargs)

    return rounded


def _in_float32(function: Callable) -> Callable:
    def converted(*args: Any, **kwargs: Any) -> Any:
        return _as_float32(function(*args, **kwargs))

    return converted


def _as_float32(found: Any) -> Any:
    if isinstance(found, Tensor):
        return found.float()
    if isinstance(found, dict):
        return {name: _as_float32(part) for name, part in found.items()}
    return type(found)(_as_float32(part) for part in found)
