# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Activations that are computed again instead of being kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(
    module: nn.Module, function: Callable[[Tensor], Any], inputs: Tensor
) -> Any:
    """Run a function, keep its input alone and run it again in the backward pass.

    Outputs, gradients and running statistics are those of a plain run: torch's
    ``checkpoint`` by itself would let batch normalisation count a batch twice.

    Args:
        module: whose normalisation layers the function runs through.
        function: what to run.
        inputs: its only argument.

    Returns:
        What the function returns.
    """
    if not torch.is_grad_enabled():
        return function(inputs)

    def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
        return nullcontext(), _without_statistics(module)

    return checkpoint(function, inputs, use_reentrant=False, context_fn=contexts)


@contextmanager
def _without_statistics(module: nn.Module) -> Iterator[None]:
    """Leave running statistics as they are, but normalise by those of the batch."""
    tracking = [
        (part, part.momentum, part.num_batches_tracked.clone())
        for part in module.modules()
        if isinstance(part, _BatchNorm) and part.track_running_stats and part.training
    ]
    # Not by switching tracking off, since autograd then keeps fewer tensors than in the
    # first run and takes that for an error.
    for part, *_ in tracking:
        part.momentum = 0.0
    try:
        yield
    finally:
        for part, momentum, count in tracking:
            part.momentum = momentum
            part.num_batches_tracked.copy_(count)
