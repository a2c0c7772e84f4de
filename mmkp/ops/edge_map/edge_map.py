# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Edge map of a weighted graph of keypoints, with the maximum over edges fused."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mmkp.ops.edge_map.edge_gradients import edge_gradients
from mmkp.ops.edge_map.nearest_edges import (
    EdgeAssignment,
    Segments,
    build_segments,
    find_nearest_edges,
)

# Pixels. Far larger coordinates would overflow when squared in float32.
MAX_COORDINATE = 1e15
MAX_PIXELS = 2**31
# Squared pixels. Beyond, the map or its gradient is not finite in float32.
THICKNESS_RANGE = (1e-36, 1e36)


def complete_graph(num_keypoints: int) -> Tensor:
    """List all pairs of keypoints, the edges that AutoLink starts from.

    Args:
        num_keypoints (int): number of keypoints K, at least 0.

    Returns:
        Tensor: (K(K-1)/2, 2) int64, pairs (i, j) with i < j in the order of
        ``torch.triu_indices(K, K, 1)``.

    Raises:
        ValueError: if the number is negative.
    """
    if num_keypoints < 0:
        raise ValueError(f'num_keypoints must be at least 0, got {num_keypoints}')
    return torch.triu_indices(num_keypoints, num_keypoints, 1).T.contiguous()


def edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor | None = None,
) -> Tensor:
    """Draw a graph as the maximum of soft segments (AutoLink, He et al., section 3).

    A pixel has the value ``max_e weight_e * exp(-d2_e / thickness_px2)``, with the
    squared distance ``d2_e`` from the pixel to the segment between the edge's
    keypoints. Memory is proportional to the number of pixels, whatever the number of
    edges. The gradient is that of this maximum and goes to the winning edge only, to
    the first one of equals:

    - The distance is the exact one. The official code adds 1e-8 to the squared length
      in a projection's denominator, which changes maps by less than 1e-7 and
      gradients by less than 1e-5 of their largest entry.
    - An edge without length is a dot, and its gradient goes to its first keypoint.
    - Keypoints may lie outside the image. Pixels where every exponential is exactly 0
      in the working precision (exponents beyond 104 in float32) have no gradient.
    - An edge of weight 0 wins nowhere. If all weights are 0 the map is 0, and the
      weight of the nearest edge has a gradient.
    - Non-finite weights make the whole map NaN; non-finite keypoints of edges, and
      those beyond 1e15 pixels, make their image's map and gradient NaN.

    The paper's thickness t counts in units where the image spans [-1, 1]: for a square
    image of side S, ``thickness_px2 = t * ((S - 1) / 2) ** 2``.

    Args:
        keypoints (Tensor): (B, K, 2) float, (x, y) in pixels of the map; the centre
            of the first pixel is (0, 0).
        edge_weights (Tensor): (E,) float, at least 0, one weight an edge.
        image_size (tuple[int, int]): width W and height H of the map in pixels.
        thickness_px2 (float): squared distance in pixels at which the value falls to
            exp(-1) of the weight.
        edges (Tensor, optional): (E, 2) integers, the keypoints that each edge joins.
            The complete graph if not given.

    Returns:
        Tensor: (B, 1, H, W), float64 if an input is float64 and float32 otherwise,
        also under autocast. It can be differentiated only once.

    Raises:
        TypeError: if keypoints, weights or edges have a wrong data type.
        ValueError: if a shape, a size, the thickness, a weight or an index is invalid.
    """
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        shape = tuple(keypoints.shape)
        raise ValueError(f'keypoints must have the shape (B, K, 2), got {shape}')
    if edges is None:
        edges = complete_graph(keypoints.shape[1])
    _check_tensors(keypoints, edge_weights, edges)
    _check_values(keypoints, edge_weights, image_size, thickness_px2, edges)
    dtype = torch.promote_types(keypoints.dtype, edge_weights.dtype)
    dtype = torch.promote_types(dtype, torch.float32)
    with torch.autocast(keypoints.device.type, enabled=False):
        return _EdgeMap.apply(
            keypoints.to(dtype),
            edge_weights.to(keypoints.device, dtype),
            edges.to(keypoints.device, torch.int64),
            (int(image_size[0]), int(image_size[1])),
            float(thickness_px2),
        )


def _check_tensors(keypoints: Tensor, edge_weights: Tensor, edges: Tensor) -> None:
    for name, values in dict(keypoints=keypoints, edge_weights=edge_weights).items():
        if not values.is_floating_point():
            raise TypeError(f'{name} must be floating point, got {values.dtype}')
    if edges.ndim != 2 or edges.shape[1] != 2:
        shape = tuple(edges.shape)
        raise ValueError(f'edges must have the shape (E, 2), got {shape}')
    if edges.is_floating_point() or edges.is_complex() or edges.dtype == torch.bool:
        raise TypeError(f'edges must be integers, got {edges.dtype}')
    if edge_weights.shape != (len(edges),):
        raise ValueError(
            f'edge_weights must have one weight for each of the {len(edges)} edges, '
            f'got the shape {tuple(edge_weights.shape)}'
        )


def _check_values(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor,
) -> None:
    if len(image_size) != 2 or any(int(s) != s or s < 1 for s in image_size):
        raise ValueError(f'image_size must be (width, height) >= 1, got {image_size}')
    if math.prod(image_size) > MAX_PIXELS:
        raise ValueError(
            f'image_size {tuple(image_size)} has more than {MAX_PIXELS} pixels'
        )
    low_px2, high_px2 = THICKNESS_RANGE
    if not low_px2 <= thickness_px2 <= high_px2:
        raise ValueError(
            f'thickness_px2 must be positive and finite, from {low_px2} to {high_px2}, '
            f'got {thickness_px2}'
        )
    if not len(edges):
        return
    smallest = float(edge_weights.detach().min())
    if smallest < 0:
        raise ValueError(
            f'edge_weights must be at least 0, got {smallest}; a softplus makes logits '
            'positive'
        )
    low, high = (int(i) for i in edges.aminmax())
    if low < 0 or high >= keypoints.shape[1]:
        raise ValueError(
            f'edges must index {keypoints.shape[1]} keypoints, got indices from {low} '
            f'to {high}'
        )


class _EdgeMap(torch.autograd.Function):
    """The value, and the gradient, of the winning edge of each pixel."""

    @staticmethod
    def forward(
        ctx: Any,
        keypoints: Tensor,
        edge_weights: Tensor,
        edges: Tensor,
        image_size: tuple[int, int],
        thickness_px2: float,
    ) -> Tensor:
        with _one_thread(keypoints.device):
            valid = (keypoints[:, edges].abs() <= MAX_COORDINATE).flatten(1).all(-1)
            valid = valid & edge_weights.isfinite().all()
            segments = _valid_segments(
                keypoints, edge_weights, edges, valid, thickness_px2
            )
            values, winners = find_nearest_edges(segments, image_size, thickness_px2)
        ctx.save_for_backward(keypoints, edge_weights, edges, valid, *winners)
        ctx.thickness_px2 = thickness_px2
        if not valid.all():
            values[~valid] = math.nan
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        keypoints, edge_weights, edges, valid, *winners = ctx.saved_tensors
        with (
            torch.no_grad(),
            torch.autocast(grad.device.type, enabled=False),
            _one_thread(grad.device),
        ):
            segments = _valid_segments(
                keypoints, edge_weights, edges, valid, ctx.thickness_px2
            )
            sums = edge_gradients(
                segments,
                edge_weights,
                EdgeAssignment(*winners),
                grad,
                ctx.thickness_px2,
            )
            to_end = sums[3:].permute(1, 2, 0)
            to_start = sums[1:3].permute(1, 2, 0) - to_end
            # The nearest point of a segment does not move along it to first order, so
            # its place counts as a constant; this is exact and not a shortcut.
            grad_keypoints = torch.zeros_like(keypoints)
            grad_keypoints.index_add_(1, edges[:, 0], to_start)
            grad_keypoints.index_add_(1, edges[:, 1], to_end)
            grad_keypoints.mul_(2 / ctx.thickness_px2)
            grad_weights = sums[0].sum(0)
            if not valid.all():
                grad_keypoints[~valid] = math.nan
                grad_weights.fill_(math.nan)
        if torch.is_grad_enabled():
            sources = grad, keypoints, edge_weights
            grad_keypoints = _Once.apply(grad_keypoints, *sources)
            grad_weights = _Once.apply(grad_weights, *sources)
        return grad_keypoints, grad_weights, None, None, None


class _Once(torch.autograd.Function):
    """A gradient that raises where it would be differentiated again.

    ``once_differentiable`` would pass it on as a constant if the incoming gradient is
    one, although it depends on the keypoints.
    """

    @staticmethod
    def forward(ctx: Any, grad: Tensor, *sources: Tensor) -> Tensor:
        return grad.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> None:
        raise RuntimeError(
            'edge_map can be differentiated only once; detach its gradient, or do '
            'without create_graph=True'
        )


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


def _valid_segments(
    keypoints: Tensor,
    edge_weights: Tensor,
    edges: Tensor,
    valid: Tensor,
    thickness_px2: float,
) -> Segments:
    """Build segments, with those of invalid images put to 0."""
    keypoints = torch.where(valid[:, None, None], keypoints, 0.0)
    return build_segments(keypoints, edge_weights, edges, thickness_px2)
