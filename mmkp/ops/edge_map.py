# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Edge map of a weighted keypoint graph, with the maximum over edges fused."""

import math

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .edge_map_tiles import build_segments, find_winners

# Pixels evaluated together: their temporaries stay in a core's cache.
CHUNK = 1 << 15
# Beyond this (pixels) squared lengths would overflow in float32.
MAX_COORDINATE = 1e15


def complete_graph(num_keypoints: int) -> Tensor:
    """List every pair of keypoints (the AutoLink paper, section 3.2).

    Args:
        num_keypoints (int): number of keypoints K, at least 0.

    Returns:
        Tensor: (K(K-1)/2, 2) int64 pairs (i, j) with i < j, in the order of
        ``torch.triu_indices(K, K, 1)``.
    """
    return torch.triu_indices(num_keypoints, num_keypoints, 1).T.contiguous()


def edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor | None = None,
) -> Tensor:
    """Draw a graph of keypoints as the maximum over its edges of soft segments.

    The value of a pixel is ``max_e weight_e * exp(-d2_e / thickness_px2)``.
    """
    keypoints, edge_weights, edges = _check(
        keypoints, edge_weights, image_size, thickness_px2, edges
    )
    with torch.autocast(keypoints.device.type, enabled=False):
        return _EdgeMap.apply(
            keypoints, edge_weights, edges, image_size, float(thickness_px2)
        )


def _check(keypoints, edge_weights, image_size, thickness_px2, edges):
    if edges is None:
        edges = complete_graph(keypoints.shape[1])
    edges = edges.to(keypoints.device)
    dtype = torch.promote_types(keypoints.dtype, edge_weights.dtype)
    dtype = torch.promote_types(dtype, torch.float32)
    return keypoints.to(dtype), edge_weights.to(dtype), edges


class _EdgeMap(torch.autograd.Function):
    @staticmethod
    def forward(ctx, keypoints, edge_weights, edges, image_size, thickness_px2):
        batch = len(keypoints)
        width, height = image_size
        segments = build_segments(keypoints, edge_weights, edges)
        winners = find_winners(segments, image_size, thickness_px2)
        ctx.save_for_backward(keypoints, edge_weights, edges, winners)
        ctx.thickness_px2 = thickness_px2
        values = keypoints.new_zeros(batch, 1, height, width)
        table = torch.stack([t.reshape(-1) for t in segments])
        weights = edge_weights.repeat(batch)
        flat = values.view(-1)
        for pixels, winner in _drawn_pixels(winners):
            x, y, along = _to_segment(pixels, winner, table, width, height)
            exponential = (x.square_().addcmul_(y, y)).div_(-thickness_px2).exp_()
            flat[pixels] = exponential.mul_(weights[winner])
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        keypoints, edge_weights, edges, winners = ctx.saved_tensors
        batch, height, width = winners.shape
        segments = build_segments(keypoints, edge_weights, edges)
        table = torch.stack([t.reshape(-1) for t in segments])
        weights = edge_weights.repeat(batch)
        flat = grad.reshape(-1)
        num = table.shape[1]
        sums = torch.zeros(5, num, dtype=torch.float64)
        for pixels, winner in _drawn_pixels(winners):
            x, y, along = _to_segment(pixels, winner, table, width, height)
            g = (x * x).addcmul_(y, y).div_(-ctx.thickness_px2).exp_()
            g.mul_(flat[pixels])
            sums[0] += torch.bincount(winner, g, num)
            g.mul_(weights[winner])
            x *= g
            y *= g
            sums[1] += torch.bincount(winner, x, num)
            sums[2] += torch.bincount(winner, y, num)
            sums[3] += torch.bincount(winner, x.mul_(along), num)
            sums[4] += torch.bincount(winner, y.mul_(along), num)
        sums = sums.view(5, batch, -1)
        gw = sums[0].sum(0)
        end = sums[3:].permute(1, 2, 0)
        start = sums[1:3].permute(1, 2, 0) - end
        gk = torch.zeros(keypoints.shape, dtype=sums.dtype)
        gk.index_add_(1, edges[:, 0], start)
        gk.index_add_(1, edges[:, 1], end)
        gk *= 2 / ctx.thickness_px2
        return gk.to(keypoints.dtype), gw.to(keypoints.dtype), None, None, None


def _drawn_pixels(winners):
    winners = winners.view(-1)
    for start in range(0, len(winners), CHUNK):
        part = winners[start : start + CHUNK]
        pixels = (part >= 0).nonzero().view(-1)
        if len(pixels):
            yield pixels + start, part[pixels]


def _to_segment(pixels, winner, table, width, height):
    start_x, start_y, step_x, step_y, project_x, project_y = (
        row[winner] for row in table[:6]
    )
    row = pixels.div(width, rounding_mode='floor')
    x = (pixels - row * width) - start_x
    y = row % height - start_y
    along = (x * project_x).addcmul_(y, project_y).clamp_(0, 1)
    x.addcmul_(along, step_x, value=-1)
    y.addcmul_(along, step_y, value=-1)
    return x, y, along
