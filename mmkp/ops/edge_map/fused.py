# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The edge map with its maximum fused: only the winning edge of a pixel is kept.

Memory is proportional to the number of pixels, whatever the number of edges, and most
edges are never drawn where they cannot win.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mmkp.ops.edge_map.nearest_edges import (
    EdgeAssignment,
    build_segments,
    find_nearest_edges,
    squared_length,
    to_nearest_points_,
)
from mmkp.ops.edge_map.once import differentiable_once
from mmkp.ops.edge_map.tiles import TILE, from_tiles, tile_corners, to_tiles

# Pixels. Far larger coordinates would overflow when squared in float32.
MAX_COORDINATE = 1e15
# Tiles whose gradients are computed together: their temporaries stay in a cache.
CHUNK = 512


def fused_edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor,
) -> Tensor:
    """Edge map, the same as :func:`~mmkp.ops.edge_map.formula.plain_edge_map`.

    Args: see :func:`mmkp.ops.edge_map.edge_map.edge_map`.

    Returns:
        Shape (B, 1, H, W).
    """
    return _FusedEdgeMap.apply(
        keypoints, edge_weights, image_size, thickness_px2, edges
    )


class _FusedEdgeMap(torch.autograd.Function):
    """The value, and the gradient, of the winning edge of each pixel."""

    @staticmethod
    def forward(
        ctx: Any,
        keypoints: Tensor,
        edge_weights: Tensor,
        image_size: tuple[int, int],
        thickness_px2: float,
        edges: Tensor,
    ) -> Tensor:
        with _one_thread(keypoints.device):
            valid = (keypoints[:, edges].abs() <= MAX_COORDINATE).flatten(1).all(-1)
            valid = valid & edge_weights.isfinite().all()
            visible = torch.where(valid[:, None, None], keypoints, 0.0)
            segments = build_segments(visible, edge_weights, edges, thickness_px2)
            scores, nearest = find_nearest_edges(segments, image_size, thickness_px2)
            values = _exponential_(scores, thickness_px2)
            values = from_tiles(values, nearest.tile, len(keypoints), image_size)
        ctx.save_for_backward(keypoints, edge_weights, edges, valid, segments, *nearest)
        ctx.thickness_px2 = thickness_px2
        if not valid.all():
            values[~valid] = math.nan
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        keypoints, edge_weights, edges, valid, segments, *nearest = ctx.saved_tensors
        with (
            torch.no_grad(),
            torch.autocast(grad.device.type, enabled=False),
            _one_thread(grad.device),
        ):
            grad_weights, to_start, to_end = edge_gradients(
                segments,
                edge_weights,
                EdgeAssignment(*nearest),
                grad,
                ctx.thickness_px2,
            )
            grad_keypoints = torch.zeros_like(keypoints)
            grad_keypoints.index_add_(1, edges[:, 0], to_start)
            grad_keypoints.index_add_(1, edges[:, 1], to_end)
            if not valid.all():
                grad_keypoints[~valid] = math.nan
                grad_weights.fill_(math.nan)
        sources = grad, keypoints, edge_weights
        grad_keypoints = differentiable_once(grad_keypoints, *sources)
        grad_weights = differentiable_once(grad_weights, *sources)
        return grad_keypoints, grad_weights, None, None, None


def edge_gradients(
    segments: Tensor,
    edge_weights: Tensor,
    nearest: EdgeAssignment,
    grad: Tensor,
    thickness_px2: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of weights and ends of edges, each summed over the pixels it wins.

    With the vector r from the nearest point, at the place a of the segment, to a
    pixel, ``d2 = |r|^2`` and ``value = weight * exp(-d2 / thickness)`` the gradients
    are ``exp(-d2 / thickness)`` of the weight, ``value * 2 r / thickness * a`` of the
    end and likewise with ``1 - a`` of the start.

    Args:
        segments: shape (7, B, E), see :func:`build_segments`.
        edge_weights: shape (E,).
        nearest: the edge that wins each pixel.
        grad: gradient of the map, shape (B, 1, H, W).
        thickness_px2: squared pixels.

    Returns:
        Gradients of the weights (E,), and of x and y of starts and ends, (B, E, 2).
    """
    image_size = grad.shape[3], grad.shape[2]
    tiles = to_tiles(grad)
    table = segments.flatten(1)
    weights = edge_weights.repeat(len(grad))
    offset = torch.arange(TILE, device=grad.device).to(grad.dtype)[:, None]
    # A copy of each sum for each row of the tiles: neighbours in memory mostly add to
    # other copies, which spares waiting for the addition before, and rounds less.
    sums = table.new_zeros((5, TILE, table.shape[1]))
    chunks = (values.split(CHUNK, -1) for values in nearest)
    for tile, edge in zip(*chunks, strict=True):
        edge = edge.reshape(-1).long()
        fields = table[:6].index_select(1, edge).view(3, 2, TILE, TILE, len(tile))
        delta, step, project = fields
        pixels = tile_corners(tile, image_size, grad.dtype)[:, None] + offset
        torch.sub(pixels[0], delta[0], out=delta[0])
        torch.sub(pixels[1, :, None], delta[1], out=delta[1])
        along = to_nearest_points_(delta, step, project)
        pull = _exponential_(squared_length(delta), thickness_px2)
        pull.mul_(tiles.index_select(1, tile).view_as(pull))
        rows = edge.view(1, TILE, TILE * len(tile))
        sums[:1].scatter_add_(2, rows, pull.view_as(rows))
        delta.mul_(pull.mul_(weights.index_select(0, edge).view_as(pull)))
        rows = rows.expand(2, -1, -1)
        sums[1:3].scatter_add_(2, rows, delta.view_as(rows))
        sums[3:].scatter_add_(2, rows, delta.mul_(along).view_as(rows))
    sums = sums.sum(1).view(5, *segments.shape[1:])
    both, to_end = sums[1:].mul_(2 / thickness_px2).permute(1, 2, 0).split(2, -1)
    return sums[0].sum(0), both - to_end, to_end


def _exponential_(px2: Tensor, thickness_px2: float) -> Tensor:
    """Put ``exp(-px2 / thickness)`` in the place of squared pixels."""
    # exp2 keeps its speed where results are subnormal, exp does not.
    return px2.mul_(-1 / (math.log(2) * thickness_px2)).exp2_()


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """Compute in one thread on CPUs, and restore the number of threads after.

    An operation here takes some ten microseconds. Sharing it between threads saves
    next to nothing, and where other programs keep the cores busy the waiting for each
    other takes tens of times longer than all the work.
    """
    threads = torch.get_num_threads()
    if device.type != 'cpu' or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
