# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What each stack of a network makes of an image, side by side."""

import numpy as np

from mmkp.visualization.canvas import caption, enlarged, grid, rescaled, size_of
from mmkp.visualization.heatmap_pictures import overlay_heatmaps, rescaled_affine
from mmkp.visualization.model_pictures import keypoint_colors
from mmkp.visualization.skeletons import (
    CONFIDENT_SCORE,
    SkeletonStyle,
    draw_skeletons,
)


def stack_sheet(
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    heatmaps: np.ndarray,
    image_to_map: np.ndarray,
    style: SkeletonStyle,
    min_score: float = CONFIDENT_SCORE,
    tile: int = 256,
) -> np.ndarray:
    """Draw a column for each stack: its skeletons, and below them its heatmaps.

    Only the part of the image that the network sees is shown. Below the heatmaps
    stands the mean over them of their highest value.

    Args:
        image: RGB, shape (H, W, 3), uint8.
        keypoints: (x, y) in image pixels of N boxes by each of S stacks, shape
            (N, S, K, 2).
        scores: (N, S, K).
        heatmaps: (N, S, K, h, w), 0 to 1.
        image_to_map: affine maps from image pixels to cells, both with centres at
            integers, shape (N, 2, 3).
        style: links and colours.
        min_score: keypoints of a lower score are not drawn.
        tile: length of a tile's longer side in pixels.

    Returns:
        RGB picture, uint8.
    """
    cells = heatmaps.shape[:-3:-1]
    regions = _seen_regions(image_to_map, cells)
    left, top, right, bottom = _clipped_union(regions, size_of(image))
    corner = np.array([left, top])
    photo = np.ascontiguousarray(image[top:bottom, left:right])
    picture = enlarged(photo, tile)
    sizes = size_of(photo), size_of(picture)
    to_map = np.array(image_to_map, np.float64)
    to_map[..., 2] += to_map[..., :2] @ corner  # from the part's pixels
    to_map = rescaled_affine(to_map, *sizes)
    boxes = rescaled(regions.reshape(-1, 2, 2) - corner, *sizes).reshape(-1, 4)
    colors = keypoint_colors(heatmaps.shape[2], None)
    columns = {}
    for stack in range(heatmaps.shape[1]):
        points = rescaled(keypoints[:, stack] - corner, *sizes)
        maps = heatmaps[:, stack]
        peak = float(maps.max((-2, -1)).mean())
        columns[f'stack {stack + 1}'] = [
            draw_skeletons(picture, points, scores[:, stack], boxes, style, min_score),
            overlay_heatmaps(picture, maps, colors, to_map),
            caption(f'mean peak {peak:.2f}', picture.shape[1], 12),
        ]
    return grid(columns)


def _seen_regions(image_to_map: np.ndarray, cells: tuple[int, ...]) -> np.ndarray:
    """What the maps (w, h) cover of the image, x1, y1, x2, y2, shape (N, 4)."""
    corners = np.array([[-0.5, -0.5], np.asarray(cells) - 0.5])
    regions = [
        (corners - to_map[:, 2]) @ np.linalg.inv(to_map[:, :2]).T
        for to_map in np.asarray(image_to_map, np.float64)
    ]
    return np.reshape(regions, (-1, 4))


def _clipped_union(regions: np.ndarray, size: tuple[int, int]) -> list[int]:
    """The smallest part of an image (W, H) with all regions: x1, y1, x2, y2."""
    lower = np.floor(regions[:, :2].min(0)).astype(int)
    upper = np.ceil(regions[:, 2:].max(0)).astype(int) + 1
    # A box outside of the image leaves a pixel at its edge.
    lower = lower.clip(0, np.array(size) - 1)
    return [*lower.tolist(), *upper.clip(lower + 1, size).tolist()]
