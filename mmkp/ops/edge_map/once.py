# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gradients that raise where they would be differentiated again."""

from typing import Any

import torch
from torch import Tensor


def differentiable_once(grad: Tensor, *sources: Tensor) -> Tensor:
    """Let a gradient raise where it would be differentiated again.

    ``once_differentiable`` would pass it on as a constant if the incoming gradient is
    one, although it depends on the keypoints.

    Args:
        grad: the gradient.
        *sources: what it depends on.

    Returns:
        The gradient, the same.
    """
    return _Once.apply(grad, *sources) if torch.is_grad_enabled() else grad


class _Once(torch.autograd.Function):
    """A gradient with an error for its own gradient."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, *sources: Tensor) -> Tensor:
        return grad.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> None:
        raise RuntimeError(
            'edge_map can be differentiated only once; detach its gradient, or do '
            'without create_graph=True'
        )
