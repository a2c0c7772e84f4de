# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Batch normalisation whose statistics stay accurate in channels-last memory."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmkp.ops import accelerators
from mmkp.ops.precision import in_full_precision

# Pixels of which torch may sum values one after the other.
BLOCK = 1024


class BatchNorm2d(nn.BatchNorm2d):
    """``torch.nn.BatchNorm2d`` with accurate statistics on the CPU.

    In channels-last memory torch adds up all pixels of a channel one by one in
    float32: with 64 pictures of 128 x 128 the standard deviation is off by 2e-4. Here
    blocks of pixels are taken by themselves and combined in float64, at the same cost.
    Everything else, conversion to SyncBatchNorm included, is torch's.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Args:
            input (Tensor): (B, C, H, W) float.

        Returns:
            Tensor: (B, C, H, W), in the memory format of the input.

        Raises:
            ValueError: in training with a single value for each channel.
        """
        if not (self.training and _is_inaccurate(input)):
            return super().forward(input)
        output, mean, var = _Normalise.apply(input, self.weight, self.bias, self.eps)
        if self.track_running_stats:
            self._track(mean, var, input.numel() // input.shape[1])
        return output

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor, count: int) -> None:
        """Update running statistics by those of a batch of ``count`` pixels."""
        assert self.num_batches_tracked is not None  # for the type checker
        assert self.running_mean is not None and self.running_var is not None
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(var * (count / (count - 1)), momentum)


def _is_inaccurate(x: Tensor) -> bool:
    channels_last = x.is_contiguous(memory_format=torch.channels_last)
    return (
        not accelerators.is_accelerator(x.device)
        and x.dtype == torch.float32
        and channels_last
        and not x.is_contiguous()
        and x.numel() > BLOCK * x.shape[1]
    )


@in_full_precision
def channel_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel.

    Args:
        x (Tensor): (B, C, H, W) float, in channels-last memory.

    Returns:
        tuple[Tensor, Tensor]: Mean and variance, (C,), in the dtype of ``x``, at least
        float32.
    """
    pixels = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
    blocks = pixels.split(BLOCK)
    # A block looks like one channels-last picture of a single column.
    parts = [
        torch.batch_norm_update_stats(block.t()[None, :, :, None], None, None, 0.0)
        for block in blocks
    ]
    means = torch.stack([part[0] for part in parts]).double()
    variances = torch.stack([part[1] for part in parts]).double()
    share = torch.tensor([len(block) for block in blocks], dtype=torch.float64)
    share = (share / len(pixels))[:, None]
    mean = (share * means).sum(0)
    variance = (share * (variances + (means - mean).square())).sum(0)
    return mean.to(x.dtype), variance.to(x.dtype)


class _Normalise(torch.autograd.Function):
    """torch's training-mode normalisation with statistics of our own."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = channel_statistics(x)
        output = F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return output, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale = ctx.saved_tensors
        return (
            *torch.ops.aten.native_batch_norm_backward(
                grad.contiguous(memory_format=torch.channels_last),
                x, weight, None, None, mean, scale, True, ctx.eps,
                list(ctx.needs_input_grad[:3]),
            ),
            None,
        )  # fmt: skip
