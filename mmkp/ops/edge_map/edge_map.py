# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""AutoLink's edge map of a weighted graph of keypoints."""

import math

import torch
from torch import Tensor

from mmkp.ops import accelerators
from mmkp.ops.edge_map.dense import dense_edge_map
from mmkp.ops.edge_map.formula import complete_graph
from mmkp.ops.edge_map.fused import fused_edge_map

MAX_PIXELS = 2**31
# Squared pixels. Beyond, the map or its gradient is not finite in float32.
THICKNESS_RANGE = (1e-36, 1e36)


def edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor | None = None,
) -> Tensor:
    """Draw a graph as the maximum of soft segments (AutoLink, section 3.2).

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

    On an accelerator the map is :func:`~mmkp.ops.edge_map.dense.dense_edge_map`: no
    value is read, so that the host does not wait. A negative weight makes the whole map
    NaN there instead of raising, and edges beyond the keypoints are found by the
    device's own check of indices.

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
        edges = complete_graph(keypoints.shape[1], keypoints.device)
    _check_tensors(keypoints, edge_weights, edges)
    _check_settings(image_size, thickness_px2)
    on_accelerator = accelerators.is_accelerator(keypoints.device)
    if not on_accelerator:
        _check_values(keypoints, edge_weights, edges)
    dtype = torch.promote_types(keypoints.dtype, edge_weights.dtype)
    dtype = torch.promote_types(dtype, torch.float32)
    # Fused at any size: on a CPU the plain form is faster only below some 2^16 numbers
    # (images x edges x pixels), and by three milliseconds at most.
    draw = dense_edge_map if on_accelerator else fused_edge_map
    with torch.autocast(keypoints.device.type, enabled=False):
        return draw(
            keypoints.to(dtype),
            edge_weights.to(keypoints.device, dtype),
            (int(image_size[0]), int(image_size[1])),
            float(thickness_px2),
            edges.to(keypoints.device, torch.int64),
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


def _check_settings(image_size: tuple[int, int], thickness_px2: float) -> None:
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


def _check_values(keypoints: Tensor, edge_weights: Tensor, edges: Tensor) -> None:
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
