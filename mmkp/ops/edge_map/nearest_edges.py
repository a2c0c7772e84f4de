# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Search for the edge that has the maximum of an edge map at each pixel.

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

from mmkp.ops.edge_map.tiles import TILE, count_tiles, tile_corners

# Most tiles, and most bounds (tiles x edges), that are handled together: enough to
# make the cost of starting an operation small, few enough for the caches.
MAX_TILES = 1 << 11
MAX_BOUNDS = 1 << 19


class EdgeAssignment(NamedTuple):
    """The nearest edges, by score, of the N tiles that have one.

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
) -> Tensor:
    """Collect what scores of edges need.

    Args:
        keypoints: (x, y) in pixels, shape (B, K, 2).
        edge_weights: shape (E,), at least 0.
        edges: shape (E, 2), int64.
        thickness_px2: squared pixels.

    Returns:
        Shape (7, B, E): x and y of the start, x and y of the step to the end, the step
        over its squared length (0 for an edge without length, whose nearest point is
        its start), and the cost ``-thickness * log(weight)``.
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
    cost = torch.where(edge_weights.any(), cost, hidden).expand(len(start), -1)
    fields = torch.cat((start, step, project, cost[..., None]), -1)
    return fields.permute(2, 0, 1).contiguous()


def to_nearest_points_(delta: Tensor, step: Tensor, project: Tensor) -> Tensor:
    """Turn vectors from starts to pixels into those from the segments' nearest points.

    Args:
        delta: x and y of the vectors, shape (2, ...), overwritten.
        step: see :func:`build_segments`, of a shape that broadcasts to the vectors'.
        project: likewise.

    Returns:
        Where the nearest points lie, from 0 at the start to 1 at the end, shape (...).
    """
    along = (delta[0] * project[0]).addcmul_(delta[1], project[1]).clamp_(0, 1)
    delta.addcmul_(along, step, value=-1)
    return along


def squared_length(vectors: Tensor) -> Tensor:
    """Squared length (...) of vectors (2, ...)."""
    return vectors[0].square().addcmul_(vectors[1], vectors[1])


def find_nearest_edges(
    segments: Tensor, image_size: tuple[int, int], thickness_px2: float
) -> tuple[Tensor, EdgeAssignment]:
    """Find the edge with the highest value at each pixel, and its score.

    Args:
        segments: shape (7, B, E), see :func:`build_segments`.
        image_size: width W and height H in pixels.
        thickness_px2: squared pixels.

    Returns:
        ``d2 - thickness * log(weight)``, shape (TILE**2, N), and the edges of all
        tiles but those where the exponential of every edge is exactly 0.
    """
    _, batch, num_edges = segments.shape
    _, tiles = count_tiles(image_size)
    numbers = torch.arange(tiles, device=segments.device)
    most = min(MAX_TILES, MAX_BOUNDS // max(1, num_edges)) // max(1, batch)
    scores = [segments.new_empty((TILE * TILE, 0))]
    found = [EdgeAssignment(numbers[:0], scores[0].int())]
    for band in numbers.split(max(1, most)) if segments.numel() else ():
        corners = tile_corners(band, image_size, segments.dtype)
        keep = _may_win(segments, corners, thickness_px2).flatten(0, 1)
        candidates, drawn, order = _list_candidates(keep)
        if not drawn:
            continue
        order = order[: drawn[0]]
        image = order.div(len(band), rounding_mode='floor')
        place = order - image * len(band)
        candidates = candidates[:, : len(order)] + image * num_edges
        score, edge = _compete(
            candidates, drawn, segments.flatten(1), corners[:, place]
        )
        scores.append(score)
        found.append(EdgeAssignment(image * tiles + band[place], edge))
    tiles_found, edges_found = zip(*found, strict=True)
    nearest = EdgeAssignment(torch.cat(tiles_found), torch.cat(edges_found, 1))
    return torch.cat(scores, 1), nearest


def _may_win(segments: Tensor, corners: Tensor, thickness_px2: float) -> Tensor:
    """Tell which edges may win a pixel of the tiles at corners (2, T): (B, T, E)."""
    start, step, project, cost = segments[:, :, None].split((2, 2, 2, 1))
    middle = (TILE - 1) / 2
    delta = (corners[:, None, :, None] + middle) - start
    to_nearest_points_(delta, step, project)
    distance = squared_length(delta).sqrt_()
    largest = segments[:4, :, None].abs().amax(-1, keepdim=True).sum(0)
    largest = largest + corners.amax(1).sum()
    # The farthest pixel of a tile from its centre, and what rounding may add.
    rounding = 1e-4 + 32 * torch.finfo(distance.dtype).eps * largest
    radius = middle * math.sqrt(2) + rounding
    highest = (distance + radius).square_().add_(cost[0])
    limit = highest.amin(-1, keepdim=True)
    lowest = distance.sub_(radius).clamp_min_(0).square_()
    visible = lowest <= vanishing_exponent(lowest.dtype) * thickness_px2
    return visible.logical_and_(lowest.add_(cost[0]) <= limit)


def _list_candidates(keep: Tensor) -> tuple[Tensor, list[int], Tensor]:
    """List the edges to compare in each tile, from (T, E) bool, as (R, T) int64.

    Tiles are sorted by the length of their list, so that the r-th edges of all tiles
    that have one can be drawn together, in a leading part of buffers that are used
    again. Also returned are how many tiles have an r-th edge, and the tiles' order.
    """
    counts, order = keep.sum(-1).sort(descending=True, stable=True)
    tile, edge = keep[order].nonzero().unbind(-1)
    rank = torch.arange(len(tile), device=tile.device)
    rank -= (counts.cumsum(0) - counts)[tile]
    candidates = edge.new_zeros((int(counts[0]), len(order)))
    candidates[rank, tile] = edge
    ranks = torch.arange(len(candidates), device=counts.device)
    return candidates, (counts > ranks[:, None]).sum(1).tolist(), order


def _compete(
    candidates: Tensor, drawn: list[int], table: Tensor, corners: Tensor
) -> tuple[Tensor, Tensor]:
    """Compare, pixel by pixel, the edges that may win tiles at corners (2, M).

    Args:
        candidates: see :func:`_list_candidates`.
        drawn: likewise.
        table: (7, B * E), see :func:`build_segments`.
        corners: x and y of the first pixels of the tiles, (2, M).

    Returns:
        The lowest scores (TILE**2, M), and their edges, int32.
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
    edge = candidates.int().gather(0, place.view(size, num_tiles).long())
    return best.view(size, num_tiles), edge
