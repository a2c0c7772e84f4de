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
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.edge_map.tiles import TILE, from_tiles, tile_corners

# Most tiles, and most bounds (tiles x edges), that are handled together: enough to
# make the cost of starting an operation small, few enough for the caches.
MAX_TILES = 1 << 11
MAX_BOUNDS = 1 << 19


class Segments(NamedTuple):
    """The edges of every image as segments: tensors of shape (B, E), in pixels.

    ``project`` is ``step / length**2``, and 0 for a segment without length, whose
    nearest point is its start. ``cost`` is ``-thickness * log(weight)``, infinite
    for weights of 0 unless there are no others.
    """

    start_x: Tensor
    start_y: Tensor
    step_x: Tensor
    step_y: Tensor
    project_x: Tensor
    project_y: Tensor
    cost: Tensor


class EdgeAssignment(NamedTuple):
    """The winning edges of the N tiles that have one.

    ``tile`` (N,) int64 counts the tiles of all images, ``image * T + tile``, and
    ``edge`` (TILE**2, N) int32 the edges of all images, ``image * E + edge``.
    """

    tile: Tensor
    edge: Tensor


def vanishing_exponent(dtype: torch.dtype) -> float:
    """Tell from which x on exp(-x) is exactly 0, below half the smallest number."""
    info = torch.finfo(dtype)
    return 1 - math.log(info.smallest_normal) - math.log(info.eps)


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
    # Edges of weight 0 win nowhere. If there are no others the nearest one wins, with
    # a score that leaves its value 0.
    cost = edge_weights.log().mul(-thickness_px2)
    hidden = vanishing_exponent(edge_weights.dtype) * thickness_px2
    cost = torch.where(edge_weights.any(), cost, hidden)
    parts = (*start.unbind(-1), *step.unbind(-1), *project.unbind(-1))
    return Segments._make((*parts, cost.expand(len(start), -1)))


def find_nearest_edges(
    segments: Segments, image_size: tuple[int, int], thickness_px2: float
) -> tuple[Tensor, EdgeAssignment]:
    """Find the edge with the highest value at each pixel, and this value.

    Args:
        segments (Segments): (B, E), see :func:`build_segments`.
        image_size (tuple[int, int]): width W and height H in pixels.
        thickness_px2 (float): squared pixels.

    Returns:
        tuple[Tensor, EdgeAssignment]: the values (B, 1, H, W), and the winners of all
        tiles but those where the exponential of every edge is exactly 0.
    """
    width, height = image_size
    batch, num_edges = segments.start_x.shape
    across, down = -(-width // TILE), -(-height // TILE)
    tiles = across * down
    table = torch.stack([field.flatten() for field in segments])
    values = table.new_zeros((TILE * TILE, batch, tiles))
    empty = torch.empty(0, dtype=torch.int32, device=table.device)
    winners = [EdgeAssignment(empty.to(torch.int64), empty.view(TILE * TILE, 0))]
    most = max(1, min(MAX_TILES, MAX_BOUNDS // max(1, num_edges)))
    images = max(1, most // tiles)
    for image in range(0, batch if num_edges else 0, images):
        group = slice(image, image + images)
        part = Segments(*(field[group] for field in segments))
        for first in range(0, tiles, most):
            band = torch.arange(first, min(first + most, tiles), device=table.device)
            left, top = tile_corners(band, across, table.dtype)
            keep = _may_win(part, left, top, thickness_px2)
            candidates, drawn, order = _list_candidates(keep, image * num_edges)
            if not drawn:
                continue
            order = order[: drawn[0]]
            corners = torch.stack([left, top])[:, order % len(band)]
            score, edge = _compete(candidates, drawn, table, corners)
            # exp2 keeps its speed where results are subnormal, exp does not.
            value = score.mul_(-1 / (math.log(2) * thickness_px2)).exp2_()
            target = values[:, group, first : first + most]
            target.copy_(_unsort(value, order, target[0].numel()).view(target.shape))
            tile = (image + order // len(band)) * tiles + first + order % len(band)
            winners.append(EdgeAssignment(tile, edge))
    found = EdgeAssignment(
        torch.cat([winner.tile for winner in winners]),
        torch.cat([winner.edge for winner in winners], 1),
    )
    return from_tiles(values, image_size), found


def _unsort(values: Tensor, order: Tensor, num_tiles: int) -> Tensor:
    """Put sorted tiles (P, N) back in their places, and 0 in the other tiles."""
    source = torch.full((num_tiles,), len(order), device=order.device)
    source[order] = torch.arange(len(order), device=order.device)
    return F.pad(values, (0, 1)).index_select(1, source)


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
    visible = lowest <= vanishing_exponent(lowest.dtype) * thickness_px2
    return visible.logical_and_(lowest.add_(cost) <= limit)


def _compete(
    candidates: Tensor, drawn: list[int], table: Tensor, corners: Tensor
) -> tuple[Tensor, Tensor]:
    """Compare, pixel by pixel, the edges that may win a tile.

    Args:
        candidates (Tensor): see :func:`_list_candidates`.
        drawn (list[int]): see :func:`_list_candidates`.
        table (Tensor): (7, N) float, the fields of :class:`Segments`.
        corners (Tensor): (2, M) float, x and y of the first pixels of the tiles.

    Returns:
        tuple[Tensor, Tensor]: (TILE**2, M) float, the lowest score, and
        (TILE**2, M) int32, its edge's position in the table.
    """
    num_tiles = drawn[0]
    offset = torch.arange(TILE, device=table.device).to(table.dtype)[:, None]
    size = TILE * TILE
    best = table.new_full((TILE, TILE, num_tiles), math.inf)
    # The place of the best edge up to now in a tile's list. As edges are drawn in the
    # order of the lists, a new best place is always the larger one: a maximum of
    # floats takes a tenth of the time of a masked copy of integers.
    place = torch.zeros_like(best)
    buffers = table.new_empty((3, size * num_tiles))
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
        better = torch.lt(score, lowest, out=y).mul_(rank)
        torch.maximum(leader, better, out=leader)
        torch.minimum(score, lowest, out=lowest)
    index = place.view(size, num_tiles).to(torch.int64).mul_(candidates.shape[1])
    index += torch.arange(num_tiles, device=index.device)
    edge = candidates.to(torch.int32).view(-1).index_select(0, index.view(-1))
    return best.view(size, num_tiles), edge.view(size, num_tiles)


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
