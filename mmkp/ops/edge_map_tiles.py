# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Search for the edge that wins each pixel of an edge map.

An edge scores ``d2 - thickness * log(weight)`` at a pixel, and the lowest score wins:
the order is that of ``weight * exp(-d2 / thickness)``, without an exponential for
each edge. Moving by one pixel changes the distance to a segment by one pixel at
most, so the distance from the centre of a tile bounds an edge's scores in the tile
from below and from above. An edge whose lowest possible score is above the highest
possible score of another one wins no pixel of the tile and is not drawn there. The
bounds leave room for rounding: the result is that of drawing every edge everywhere.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

# Side of a tile in pixels. Smaller tiles compare fewer edges, but need more bounds.
TILE = 8
# Most tiles, and most bounds (tiles x edges), that are handled together: enough to
# make the cost of starting an operation small, few enough for the caches.
MAX_TILES = 1 << 10
MAX_BOUNDS = 1 << 19


class Segments(NamedTuple):
    """The edges of every image as segments: tensors of shape (B, E), in pixels.

    ``project`` is ``step / length**2``, and 0 for a segment without length, whose
    nearest point is its start. ``cost`` is ``-thickness * log(weight)``.
    """

    start_x: Tensor
    start_y: Tensor
    step_x: Tensor
    step_y: Tensor
    project_x: Tensor
    project_y: Tensor
    cost: Tensor


def build_segments(
    keypoints: Tensor, edge_weights: Tensor, edges: Tensor, thickness_px2: float
) -> Segments:
    """Collect what the distance to an edge needs.

    Args:
        keypoints (Tensor): (B, K, 2) float, (x, y) in pixels.
        edge_weights (Tensor): (E,) float, at least 0.
        edges (Tensor): (E, 2) int64, indices of keypoints.
        thickness_px2 (float): squared pixels.

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
    cost = edge_weights.clamp_min(tiny).log().mul(-thickness_px2)
    return Segments(
        *start.unbind(-1),
        *step.unbind(-1),
        *project.unbind(-1),
        cost.expand(len(start), -1),
    )


def find_winners(
    segments: Segments, image_size: tuple[int, int], thickness_px2: float
) -> Tensor:
    """Find the edge with the highest value at each pixel.

    Args:
        segments (Segments): (B, E) finite, see :func:`build_segments`.
        image_size (tuple[int, int]): width W and height H in pixels.
        thickness_px2 (float): squared pixels.

    Returns:
        Tensor: (B, H, W) int32, ``image * E + edge`` of the winner (the first of
        equal ones); ``B * E`` where the exponential of every edge is exactly 0.
    """
    width, height = image_size
    batch, num_edges = segments.start_x.shape
    across, down = -(-width // TILE), -(-height // TILE)
    tiles = across * down
    table = torch.stack([field.flatten() for field in segments])
    winners = table.new_empty((TILE * TILE, batch, tiles), dtype=torch.int32)
    winners.fill_(batch * num_edges)
    most = max(1, min(MAX_TILES, MAX_BOUNDS // max(1, num_edges)))
    images = max(1, most // tiles)
    for image in range(0, batch if num_edges else 0, images):
        group = slice(image, image + images)
        part = Segments(*(field[group] for field in segments))
        for first in range(0, tiles, most):
            band = slice(first, min(first + most, tiles))
            left, top = _tile_corners(across, band, table)
            keep = _may_win(part, left, top, thickness_px2)
            found = _compete(keep, table, image * num_edges, left, top)
            if found is not None:
                winners[:, group, band] = found.view(TILE * TILE, *keep.shape[:2])
    winners = winners.view(TILE, TILE, batch, down, across).permute(2, 3, 0, 4, 1)
    winners = winners.reshape(batch, down * TILE, across * TILE)
    return winners[:, :height, :width].contiguous()


def _tile_corners(across: int, band: slice, like: Tensor) -> tuple[Tensor, Tensor]:
    """First pixels (x and y, each (T,)) of some tiles in the order of their rows."""
    tiles = torch.arange(band.start, band.stop, device=like.device)
    rows = tiles.div(across, rounding_mode='floor')
    left, top = (tiles - rows * across) * TILE, rows * TILE
    return left.to(like.dtype), top.to(like.dtype)


def _may_win(
    segments: Segments, left: Tensor, top: Tensor, thickness_px2: float
) -> Tensor:
    """Tell which edges may win a pixel of a tile: (B, T, E) bool."""
    start_x, start_y, step_x, step_y, project_x, project_y, cost = (
        field[:, None] for field in segments
    )
    middle = (TILE - 1) / 2
    dx = (left[:, None] + middle) - start_x
    dy = (top[:, None] + middle) - start_y
    along = (dx * project_x).addcmul_(dy, project_y).clamp_(0, 1)
    dx.addcmul_(along, step_x, value=-1)
    dy.addcmul_(along, step_y, value=-1)
    distance = torch.mul(dx, dx, out=along).addcmul_(dy, dy).sqrt_()
    coordinates = (start_x, start_y, step_x, step_y)
    largest = sum(values.abs().amax(-1, keepdim=True) for values in coordinates)
    largest = largest + left.max() + top.max()
    # The farthest pixel of a tile from its centre, and what rounding may add.
    info = torch.finfo(distance.dtype)
    radius = middle * math.sqrt(2) + 1e-4 + 32 * info.eps * largest
    highest = torch.add(distance, radius, out=dx).square_().add_(cost)
    limit = highest.amin(-1, keepdim=True)
    lowest = distance.sub_(radius).clamp_min_(0).square_()
    # From here on exp(-x) is exactly 0, below half the smallest subnormal number.
    vanishing = 1 - math.log(info.smallest_normal) - math.log(info.eps)
    visible = lowest <= vanishing * thickness_px2
    return visible.logical_and_(lowest.add_(cost) <= limit)


def _compete(
    keep: Tensor, table: Tensor, first: int, left: Tensor, top: Tensor
) -> Tensor | None:
    """Compare, pixel by pixel, the edges that may win a tile.

    Args:
        keep (Tensor): (B, T, E) bool, the edges to compare in each tile.
        table (Tensor): (7, N) float, the fields of :class:`Segments`.
        first (int): position in the table of the first image's first edge.
        left (Tensor): (T,) float, x of a tile's first pixel.
        top (Tensor): (T,) float, y of a tile's first pixel.

    Returns:
        Tensor | None: (TILE**2, B * T) int32, the winner's position in the table, N
        where there is none. None if no tile has an edge.
    """
    candidates, drawn, order = _list_candidates(keep, first)
    if not drawn:
        return None
    num_tiles = drawn[0]
    corners = torch.stack([left, top]).repeat(1, len(keep))[:, order[:num_tiles]]
    offset = torch.arange(TILE, device=left.device).to(left.dtype)[:, None]
    size = TILE * TILE
    best = left.new_full((TILE, TILE, num_tiles), math.inf)
    # The place in a tile's list of the best edge up to now, from 1; 0 for none. As
    # the lists are ascending, a new best place is always the larger one: a maximum
    # of floats takes a tenth of the time of a masked copy of integers.
    place = torch.zeros_like(best)
    buffers = left.new_empty((3, size * num_tiles))
    for rank, count in enumerate(drawn):
        fields = table.index_select(1, candidates[rank, :count])
        start, step, project, cost = fields.split((2, 2, 2, 1))
        along, x, y = buffers[:, : size * count].view(3, TILE, TILE, count)
        # Differences of the columns (x) and of the rows (y): (2, TILE, count).
        delta = (corners[:, :count] - start)[:, None] + offset
        dx, dy = delta[0], delta[1, :, None]
        ahead = delta.mul(project[:, None])
        torch.add(ahead[0], ahead[1, :, None], out=along).clamp_(0, 1)
        torch.addcmul(dx, along, step[0], value=-1, out=x)
        torch.addcmul(dy, along, step[1], value=-1, out=y)
        score = torch.addcmul(cost[0], x, x, out=x).addcmul_(y, y)
        lowest, leader = best[..., :count], place[..., :count]
        better = torch.lt(score, lowest, out=y).mul_(rank + 1)
        torch.maximum(leader, better, out=leader)
        torch.minimum(score, lowest, out=lowest)
    return _to_positions(place, candidates, order, table.shape[1])


def _list_candidates(keep: Tensor, first: int) -> tuple[Tensor, list[int], Tensor]:
    """List the edges of each tile, for tiles sorted by the length of their list.

    The r-th edges of all tiles that have one can then be drawn together, in a
    leading part of buffers that are used again.

    Args:
        keep (Tensor): (B, T, E) bool, the edges to compare in each tile.
        first (int): number given to the first image's first edge.

    Returns:
        tuple[Tensor, list[int], Tensor]: (R, B * T) int64, the r-th edge of a tile in
        ascending order; R integers, how many tiles have an r-th edge; (B * T,) int64,
        the tiles in sorted order.
    """
    images, tiles, num_edges = keep.shape
    keep = keep.view(images * tiles, num_edges)
    counts = keep.sum(-1)
    sorted_counts, order = counts.sort(descending=True, stable=True)
    column = torch.empty_like(order)
    column[order] = torch.arange(len(order), device=order.device)
    tile, edge = keep.nonzero().unbind(-1)
    rank = torch.arange(len(tile), device=tile.device)
    rank -= (counts.cumsum(0) - counts)[tile]
    edge = edge + tile.div(tiles, rounding_mode='floor').mul_(num_edges) + first
    longest = int(sorted_counts[0])
    candidates = edge.new_zeros((longest, len(order)))
    candidates[rank, column[tile]] = edge
    ranks = torch.arange(longest, device=order.device)
    drawn = torch.searchsorted(-sorted_counts, -ranks).tolist()
    return candidates, drawn, order


def _to_positions(
    place: Tensor, candidates: Tensor, order: Tensor, none: int
) -> Tensor:
    """Turn places in the tiles' lists into positions, tiles in image order."""
    count = place.shape[-1]
    lists = torch.cat([candidates.new_full((1, count), none), candidates[:, :count]])
    index = place.view(-1, count).to(torch.int64).mul_(count)
    index += torch.arange(count, device=index.device)
    found = lists.view(-1).to(torch.int32).index_select(0, index.view(-1))
    column = torch.empty_like(order)
    column[order] = torch.arange(len(order), device=order.device)
    padding = (0, len(order) - count)
    found = torch.nn.functional.pad(found.view(-1, count), padding, value=none)
    return found.index_select(1, column)
