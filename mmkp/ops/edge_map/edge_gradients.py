# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Sums over the pixels that each edge of an edge map wins, for its gradient."""

import math

import torch
from torch import Tensor

from mmkp.ops.edge_map.nearest_edges import EdgeAssignment, Segments
from mmkp.ops.edge_map.tiles import TILE, tile_corners, to_tiles

# Tiles evaluated together: few enough for their temporaries to stay in a cache.
CHUNK = 512
# Copies of each sum. Neighbours mostly have the same winner: adding them to separate
# copies spares waiting for the addition before, and rounds less.
SPREAD = 8


def edge_gradients(
    segments: Segments,
    edge_weights: Tensor,
    winners: EdgeAssignment,
    grad: Tensor,
    thickness_px2: float,
) -> Tensor:
    """Add up how the pixels that an edge wins pull at it.

    Args:
        segments (Segments): (B, E) float.
        edge_weights (Tensor): (E,) float.
        winners (EdgeAssignment): of N tiles.
        grad (Tensor): (B, 1, H, W) float, gradient of the map.
        thickness_px2 (float): squared pixels.

    Returns:
        Tensor: (5, B, E) float, sums over pixels of ``grad * exp(-d2/thickness_px2)``
        times 1, then times ``weight`` times x and y of the vector from the nearest
        point of the segment to the pixel, and then times that vector and the place of
        the nearest point, which is 0 at the edge's start and 1 at its end.
    """
    batch, _, height, width = grad.shape
    across, down = -(-width // TILE), -(-height // TILE)
    tiles = to_tiles(grad)
    corners = torch.stack(
        tile_corners(winners.tile % (across * down), across, tiles.dtype)
    )
    weighted = segments._replace(cost=edge_weights.expand_as(segments.cost))
    table = torch.stack([field.flatten() for field in weighted])
    sums = table.new_zeros((5, SPREAD * table.shape[1]))
    copies = torch.arange(SPREAD, device=table.device).mul_(table.shape[1])
    copies = copies.repeat(TILE * TILE * CHUNK // SPREAD)
    for first in range(0, len(winners.tile), CHUNK):
        chunk = slice(first, first + CHUNK)
        edge = winners.edge[:, chunk].reshape(-1).to(torch.int64)
        fields = [row.index_select(0, edge) for row in table]
        x, y, along, exponential = _draw(fields[:6], corners[:, chunk], thickness_px2)
        pull = exponential.mul_(tiles.index_select(1, winners.tile[chunk]).view(-1))
        edge += copies[: len(edge)]
        sums[0].scatter_add_(0, edge, pull)
        pull.mul_(fields[6])
        for row, vector in zip((1, 2), (x, y), strict=True):
            sums[row].scatter_add_(0, edge, vector.mul_(pull))
            sums[row + 2].scatter_add_(0, edge, vector.mul_(along))
    return sums.view(5, SPREAD, *segments.cost.shape).sum(1)


def _draw(
    fields: list[Tensor], corners: Tensor, thickness_px2: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Evaluate the winning edge of each pixel of some tiles, and no other edge.

    Args:
        fields (list[Tensor]): start, step and projection of the winner, x and y of
            each, of all P = TILE**2 * N pixels. They are overwritten.
        corners (Tensor): (2, N) float, x and y of the tiles' first pixels.
        thickness_px2 (float): squared pixels.

    Returns:
        tuple[Tensor, Tensor, Tensor, Tensor]: each (P,) float: x and y of the vector
        from the nearest point to the pixel, the place of the nearest point, and
        ``exp(-d2 / thickness_px2)``.
    """
    x, y, step_x, step_y, project_x, project_y = fields
    grid = (TILE, TILE, corners.shape[1])
    offset = torch.arange(TILE, device=x.device).to(x.dtype)[:, None]
    torch.sub(corners[0] + offset, x.view(grid), out=x.view(grid))
    torch.sub((corners[1] + offset)[:, None], y.view(grid), out=y.view(grid))
    along = project_x.mul_(x).addcmul_(project_y, y).clamp_(0, 1)
    x.addcmul_(along, step_x, value=-1)
    y.addcmul_(along, step_y, value=-1)
    d2 = torch.mul(x, x, out=step_x).addcmul_(y, y)
    exponential = d2.mul_(-1 / (math.log(2) * thickness_px2)).exp2_()
    return x, y, along, exponential
