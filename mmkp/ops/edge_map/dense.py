# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The edge map in few large operations: every edge is compared at every pixel.

What it exploits: an accelerator computes all ``images x edges x pixels`` sooner than it
starts the many small operations that would leave most of them out, and no value is
read by the host. The images are taken in as many parts as its memory requires; of each
part, only the winning edge of a pixel is kept for the backward pass.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmkp.ops.accelerators import working_set
from mmkp.ops.edge_map.fused import MAX_COORDINATE
from mmkp.ops.edge_map.nearest_edges import vanishing_exponent
from mmkp.ops.edge_map.once import differentiable_once


def dense_edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor,
    memory_limit: int | None = None,
) -> Tensor:
    """Edge map, the same as :func:`~mmkp.ops.edge_map.formula.plain_edge_map`.

    Forward and backward take 44 operations and 7 for each part, whatever the number of
    edges. There are ``ceil(8 B E W H / memory_limit)`` parts in float32.

    Args:
        keypoints: see :func:`mmkp.ops.edge_map.edge_map.edge_map`.
        edge_weights: likewise; where one is negative the map is NaN.
        image_size: likewise.
        thickness_px2: likewise.
        edges: likewise, within the number of keypoints, which is not checked.
        memory_limit: bytes that may be taken in between, at least one row of an image;
            that of the device when None, see :mod:`mmkp.ops.accelerators`.

    Returns:
        Shape (B, 1, H, W).
    """
    if not len(keypoints) or not len(edges):
        width, height = image_size
        nothing = keypoints[:, :0].sum() + edge_weights[:0].sum()
        return keypoints.new_zeros((len(keypoints), 1, height, width)) + nothing
    limit = working_set(keypoints.device) if memory_limit is None else memory_limit
    return _DenseEdgeMap.apply(
        keypoints, edge_weights, image_size, thickness_px2, edges, limit
    )


class _Segments(NamedTuple):
    """Start, step to the end, and step over its squared length, each (B, E, 2)."""

    start: Tensor
    step: Tensor
    project: Tensor


class _DenseEdgeMap(torch.autograd.Function):
    """The value, and the gradient, of the winning edge of each pixel."""

    @staticmethod
    def forward(
        ctx: Any,
        keypoints: Tensor,
        edge_weights: Tensor,
        image_size: tuple[int, int],
        thickness_px2: float,
        edges: Tensor,
        memory_limit: int,
    ) -> Tensor:
        segments = _segments(keypoints, edges)
        logarithms = _logarithms(edge_weights)
        scale = 1 / (thickness_px2 * math.log(2))
        score, winner = _best_edges(
            segments, logarithms, image_size, scale, memory_limit
        )
        values = score.exp2_()
        # Fields first: the numbers of a field lie together.
        table = torch.cat([field.mT for field in segments], 1)
        ctx.save_for_backward(keypoints, edge_weights, edges, table, winner, values)
        ctx.thickness_px2 = thickness_px2
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        keypoints, edge_weights, edges, table, winner, values = ctx.saved_tensors
        with torch.no_grad(), torch.autocast(grad.device.type, enabled=False):
            # NaN spreads from where a map has it to all gradients of its image.
            start = values[:, :, 0, :1] * 0
            sums = start.expand(-1, 5, table.shape[2]).clone()
            _add_by_edge_(sums, table, winner, values, grad, ctx.thickness_px2)
            grad_weights = sums[:, 0].sum(0)
            both, to_end = sums[:, 1:].split(2, 1)
            to_ends = torch.stack(((both - to_end).mT, to_end.mT), 2).flatten(1, 2)
            grad_keypoints = start.expand_as(keypoints).clone()
            grad_keypoints.index_add_(
                1, edges.flatten(), to_ends, alpha=2 / ctx.thickness_px2
            )
        sources = grad, keypoints, edge_weights
        return (
            differentiable_once(grad_keypoints, *sources),
            differentiable_once(grad_weights, *sources),
            *(None,) * 4,
        )


def _segments(keypoints: Tensor, edges: Tensor) -> _Segments:
    """Collect what distances to segments need; too large coordinates become NaN."""
    ends = keypoints.index_select(1, edges.flatten())
    ends = ends.masked_fill_(ends.abs() > MAX_COORDINATE, math.nan)
    start, end = ends.unflatten(1, (-1, 2)).unbind(2)
    step = end - start
    length2 = step.square().sum(-1, keepdim=True)
    # A segment without length is nearest at its start: its step is 0.
    project = step / length2.clamp_min_(torch.finfo(step.dtype).tiny)
    return _Segments(start, step, project)


def _logarithms(edge_weights: Tensor) -> Tensor:
    """Logarithms of weights, base 2; NaN where one is negative or not finite."""
    logarithms = edge_weights.log2().add_(edge_weights, alpha=0)  # inf * 0 is NaN
    # If no edge has a weight the nearest one wins, with a score of value 0.
    hidden = -vanishing_exponent(edge_weights.dtype) / math.log(2)
    return torch.where(edge_weights.any(), logarithms, hidden)


def _best_edges(
    segments: _Segments,
    logarithms: Tensor,
    image_size: tuple[int, int],
    scale: float,
    memory_limit: int,
) -> tuple[Tensor, Tensor]:
    """Highest ``log2 w - scale * d2`` of all edges, and whose it is, (B, 1, H, W)."""
    start, step, project = segments
    width, height = image_size
    places = torch.arange(max(image_size), dtype=start.dtype, device=start.device)
    delta = places - start[..., None]
    ahead = delta * project[..., None]
    score = start.new_empty((len(start), 1, height, width))
    winner = torch.empty_like(score, dtype=torch.int64)
    of_edge = logarithms[:, None, None]
    row_bytes = 2 * start.shape[1] * width * start.element_size()
    for images, rows in _parts(len(start), height, memory_limit // row_bytes):
        x, y = (delta[images, :, axis] for axis in (0, 1))
        along_x, along_y = (ahead[images, :, axis] for axis in (0, 1))
        step_x, step_y = step[images, :, :, None, None].unbind(2)
        along = along_x[:, :, None, :width] + along_y[:, :, rows, None]
        along.clamp_(0, 1)
        # Each result overwrites what is not needed any more: two numbers a pixel.
        dx = torch.addcmul(x[:, :, None, :width], along, step_x, value=-1)
        dy = torch.addcmul(y[:, :, rows, None], along, step_y, value=-1, out=along)
        torch.addcmul(of_edge, dx, dx, value=-scale, out=dx)
        dx.addcmul_(dy, dy, value=-scale)
        found = score[images, :, rows], winner[images, :, rows]
        torch.max(dx, 1, keepdim=True, out=found)
    return score, winner


def _parts(batch: int, height: int, max_rows: int) -> list[tuple[slice, slice]]:
    """Cut images, or the rows of each one, into parts of at most so many rows."""
    images, rows = max(1, max_rows // height), min(height, max(1, max_rows))
    return [
        (slice(image, image + images), slice(row, min(row + rows, height)))
        for image in range(0, batch, images)
        for row in range(0, height, rows)
    ]


def _add_by_edge_(
    sums: Tensor,
    table: Tensor,
    winner: Tensor,
    values: Tensor,
    grad: Tensor,
    thickness_px2: float,
) -> None:
    """Add up, for each edge (B, 5, E), what the pixels that it wins pull at it.

    The five are ``g exp(-d2 / thickness)``, the gradient of the weight, x and y of
    ``g value r`` with the vector r from the nearest point to the pixel, and the same
    times the place of that point, 0 at the start and 1 at the end.
    """
    batch, _, height, width = values.shape
    index = winner.view(batch, 1, -1)
    fields = table.gather(2, index.expand(-1, 6, -1))
    start, step, project = fields.view(batch, 3, 2, height, width).unbind(1)
    places = torch.arange(max(height, width), device=grad.device, dtype=grad.dtype)
    x, y = places[:width].expand(height, -1), places[:height, None].expand(-1, width)
    delta = torch.stack((x, y)) - start
    along = (delta * project).sum(1, keepdim=True).clamp_(0, 1)
    delta.addcmul_(along, step, value=-1)
    pull = delta.square().sum(1, keepdim=True)
    pull.mul_(-1 / (thickness_px2 * math.log(2))).exp2_().mul_(grad)
    delta.mul_(grad * values)
    pulls = torch.cat((pull, delta, delta * along), 1).flatten(2)
    sums.scatter_add_(2, index.expand(-1, 5, -1), pulls)
