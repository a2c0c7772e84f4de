# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Search for the edge that wins each pixel of an edge map.

An edge ``e`` scores ``d2 / thickness - log(weight)`` at a pixel, and the lowest
score wins: the order is that of ``weight * exp(-d2 / thickness)``, without one
exponential an edge. The distance to a segment changes by at most one pixel per
pixel, so the distance at the centre of a tile bounds all scores inside it from
below and from above. An edge whose best score in a tile is worse than the worst
score of another edge cannot win there and is not drawn. The bounds carry a margin
for rounding, so the result is that of drawing every edge everywhere.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

# Side of a tile in pixels. A smaller tile keeps fewer edges but has more bounds.
TILE = 8
# Bounds (edges x tiles) and tiles handled together: temporaries stay near the caches.
MAX_BOUNDS = 1 << 18
MAX_TILES = 1 << 10


class Segments(NamedTuple):
    """The edges of every image as segments, each tensor of shape (B, E), in pixels.

    ``project`` is ``(end - start) / length**2``, and 0 for a segment without length:
    the nearest point of such a segment is its start. ``cost`` is ``-log(weight)``.
    """

    start_x: Tensor
    start_y: Tensor
    step_x: Tensor
    step_y: Tensor
    project_x: Tensor
    project_y: Tensor
    cost: Tensor


def build_segments(keypoints: Tensor, edge_weights: Tensor, edges: Tensor) -> Segments:
    """Collect what a distance to an edge needs.

    Args:
        keypoints (Tensor): (B, K, 2) float, (x, y) in pixels.
        edge_weights (Tensor): (E,) float, at least 0.
        edges (Tensor): (E, 2) int64, indices of keypoints.

    Returns:
        Segments: float tensors (B, E).
    """
    start = keypoints[:, edges[:, 0]]
    step = keypoints[:, edges[:, 1]] - start
    length2 = step.square().sum(-1, keepdim=True)
    # The reciprocal of a subnormal number would overflow.
    has_length = length2 >= torch.finfo(length2.dtype).tiny
    project = torch.where(has_length, step / length2, 0.0)
    # Edges of weight 0 lose against all others; among themselves the nearest wins.
    tiny = torch.finfo(edge_weights.dtype).tiny
    cost = edge_weights.clamp_min(tiny).log().neg()
    return Segments(
        *start.unbind(-1),
        *step.unbind(-1),
        *project.unbind(-1),
        cost.expand(len(start), -1),
    )


def vanishing_exponent(dtype: torch.dtype) -> float:
    """Smallest exponent x at which exp(-x) is exactly 0 in ``dtype``."""
    info = torch.finfo(dtype)
    return math.ceil(-math.log(info.smallest_normal) - math.log(info.eps)) + 1.0


def find_winners(
    segments: Segments, image_size: tuple[int, int], thickness_px2: float
) -> Tensor:
    """Find the edge with the highest value at each pixel.

    Args:
        segments (Segments): from :func:`build_segments`, B images of E edges.
        image_size (tuple[int, int]): width W and height H in pixels.
        thickness_px2 (float): squared pixels.

    Returns:
        Tensor: (B, H, W) int32, ``image * E + edge`` of the winner (the first one of
        equals), and -1 where every edge's exponential is exactly 0.
    """
    width, height = image_size
    batch, num_edges = segments.start_x.shape
    across, down = -(-width // TILE), -(-height // TILE)
    device = segments.start_x.device
    padded = torch.empty(
        (batch, down, TILE, across, TILE), dtype=torch.int32, device=device
    )
    table = torch.stack([t.reshape(-1) for t in segments])
    tiles = max(1, min(MAX_TILES, MAX_BOUNDS // num_edges))
    rows = max(1, min(down, tiles // across))
    images = max(1, tiles // (down * across))
    for image in range(0, batch, images):
        part = Segments(*(t[image : image + images] for t in segments))
        for row in range(0, down, rows):
            stop = min(row + rows, down)
            left, top = _tile_corners(across, row, stop, part.start_x)
            keep = _may_win(part, left, top, thickness_px2)
            winners = _compete(
                keep, table, image * num_edges, left, top, thickness_px2
            )
            shape = (TILE, TILE, len(keep), stop - row, across)
            padded[image : image + images, row:stop] = winners.view(shape).permute(
                2, 3, 0, 4, 1
            )
    padded = padded.view(batch, down * TILE, across * TILE)
    return padded[:, :height, :width].contiguous()


def _tile_corners(
    across: int, row: int, stop: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """First pixel (x and y, each (T,)) of the tiles of rows ``row`` to ``stop``."""
    left = torch.arange(across, device=like.device).to(like.dtype) * TILE
    top = torch.arange(row, stop, device=like.device).to(like.dtype) * TILE
    return left.repeat(stop - row), top.repeat_interleave(across)


def _may_win(
    segments: Segments, left: Tensor, top: Tensor, thickness_px2: float
) -> Tensor:
    """Which edges can win a pixel of a tile: (B, T, E) bool."""
    start_x, start_y, step_x, step_y, project_x, project_y, cost = (
        t[:, None, :] for t in segments
    )
    middle = (TILE - 1) / 2
    dx = (left[:, None] + middle) - start_x
    dy = (top[:, None] + middle) - start_y
    along = dx * project_x
    along.addcmul_(dy, project_y).clamp_(0, 1)
    dx.addcmul_(along, step_x, value=-1)
    dy.addcmul_(along, step_y, value=-1)
    distance = torch.hypot(dx, dy, out=along)
    # Farthest pixel of a tile from its centre, plus what rounding can add.
    largest = torch.stack([start_x, start_y, step_x, step_y]).abs().max()
    rounding = 1e-4 + 16 * torch.finfo(dx.dtype).eps * (largest + left.max() + top.max())
    radius = middle * math.sqrt(2) + rounding
    scale = 1 / thickness_px2
    highest = torch.add(distance, radius, out=dx).square_().mul_(scale).add_(cost)
    limit = highest.amin(-1, keepdim=True)
    lowest = distance.sub_(radius).clamp_min_(0).square_().mul_(scale)
    keep = lowest <= vanishing_exponent(lowest.dtype)
    return keep.logical_and_(lowest.add_(cost) <= limit)


def _compete(
    keep: Tensor,
    table: Tensor,
    first: int,
    left: Tensor,
    top: Tensor,
    thickness_px2: float,
) -> Tensor:
    """Compare, pixel by pixel, the edges that may win a tile.

    Tiles are sorted by their number of edges: the r-th edges of all tiles that have
    one are then drawn together, in a leading part of buffers that are used again.

    Args:
        keep (Tensor): (B, T, E) bool, edges to compare in each tile.
        table (Tensor): (7, N) float, the fields of :class:`Segments`.
        first (int): index in the table of the first edge of the first image.
        left (Tensor): (T,) float, x of the first pixel of a tile.
        top (Tensor): (T,) float, y of the first pixel of a tile.
        thickness_px2 (float): squared pixels.

    Returns:
        Tensor: (TILE, TILE, B * T) int32, the winner's index in the table, or -1.
    """
    images, tiles, num_edges = keep.shape
    num_tiles, device = images * tiles, keep.device
    counts = keep.view(num_tiles, num_edges).sum(-1)
    sorted_counts, order = counts.sort(descending=True, stable=True)
    position = torch.empty_like(order)
    position[order] = torch.arange(num_tiles, device=device)
    pair = keep.view(-1).nonzero().view(-1)
    tile = pair.div(num_edges, rounding_mode='floor')
    rank = torch.arange(len(pair), device=device)
    rank -= (counts.cumsum(0) - counts)[tile]
    most = int(sorted_counts[0])
    index = pair - (tile - tile.div(tiles, rounding_mode='floor')) * num_edges
    # index of the edge in its image, plus that of the image's first edge
    index = first + tile.div(tiles, rounding_mode='floor') * num_edges + pair % num_edges
    candidates = torch.zeros((most, num_tiles), dtype=torch.int64, device=device)
    candidates[rank, position[tile]] = index
    ranks = torch.arange(most, device=device)
    drawn = torch.searchsorted(-sorted_counts, -ranks).tolist()

    left = left.repeat(images)[order]
    top = top.repeat(images)[order]
    offset = torch.arange(TILE, device=device).to(left.dtype)[:, None]
    scale = 1 / math.sqrt(thickness_px2)
    shape = (TILE, TILE, num_tiles)
    best = torch.full(shape, math.inf, dtype=left.dtype, device=device)
    winner = torch.full(shape, -1, dtype=torch.int32, device=device)
    buffers = best.new_empty((3, best.numel()))
    better_buffer = torch.empty(best.numel(), dtype=torch.bool, device=device)
    for row, count in zip(candidates, drawn, strict=True):
        index = row[:count]
        start_x, start_y, step_x, step_y, project_x, project_y, cost = (
            table.index_select(1, index)
        )
        used = (TILE, TILE, count)
        along, x, y = buffers[:, : TILE * TILE * count].view(3, *used)
        better = better_buffer[: TILE * TILE * count].view(used)
        dx = (left[:count] - start_x) + offset
        dy = ((top[:count] - start_y) + offset)[:, None]
        torch.add(dx * project_x, dy * project_y, out=along).clamp_(0, 1)
        torch.addcmul(dx * scale, along, step_x * -scale, out=x)
        torch.addcmul(dy * scale, along, step_y * -scale, out=y)
        score = torch.addcmul(cost, x, x, out=x).addcmul_(y, y)
        leading = best[..., :count]
        torch.lt(score, leading, out=better)
        torch.minimum(score, leading, out=leading)
        chosen = winner[..., :count]
        torch.where(better, index.to(torch.int32), chosen, out=chosen)
    return winner[..., position]
