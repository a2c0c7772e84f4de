"""Part affinity fields on the picture that they were found in.

All pictures are RGB, uint8. Maps lie on the picture by ``image_to_map``, an affine
map (2, 3) from picture pixels to cells, both with centres at integers; without it the
map covers the whole picture.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from mmkp.visualization.canvas import blank, enlarged, size_of
from mmkp.visualization.direction_wheel import (
    direction_colors,
    direction_wheel,
    with_direction_wheel,
)
from mmkp.visualization.heatmap_pictures import (
    affine_to_map,
    blend,
    dimmed,
    maps_on_picture,
    rescaled_affine,
    sheet,
)

_SHORTEST_ARROW = 0.2  # of vectors whose length is 0 to 1


def overlay_fields(
    image: np.ndarray,
    fields: np.ndarray,
    image_to_map: np.ndarray | None = None,
    legend: bool = True,
) -> np.ndarray:
    """Draw the longest vector of each pixel: its direction as hue, its length as light.

    Args:
        image: (H, W, 3).
        fields: (2L, h, w), x and y of each limb in turn, lengths from 0 to 1.
        image_to_map: see the module.
        legend: draw the wheel of directions in a corner.

    Returns:
        Picture of the same shape, the image dimmed and without its colours.
    """
    vectors = _longest_vectors(image, fields, image_to_map)
    length = np.hypot(vectors[..., 0], vectors[..., 1])
    drawn = blend(dimmed(image), direction_colors(vectors), length)
    return with_direction_wheel(drawn) if legend else drawn


def overlay_arrows(
    image: np.ndarray,
    fields: np.ndarray,
    image_to_map: np.ndarray | None = None,
    spacing: float | None = None,
    legend: bool = True,
) -> np.ndarray:
    """Draw the longest vector as an arrow, on a regular grid.

    Args:
        image: (H, W, 3).
        fields: (2L, h, w), x and y of each limb in turn, lengths from 0 to 1.
        image_to_map: see the module.
        spacing: of the arrows in pixels, which is also the length of a unit vector; by
            default that of the cells, but at least a 45th of the longer side.
        legend: draw the wheel of directions in a corner.

    Returns:
        Picture of the same shape, the image dimmed and without its colours.
    """
    if spacing is None:
        to_map = affine_to_map(image_to_map, size_of(image), fields.shape[:0:-1])
        cell = 1 / float(np.sqrt(abs(np.linalg.det(to_map[:, :2]))))
        spacing = max(cell, max(image.shape[:2]) / 45)
    vectors = _longest_vectors(image, fields, image_to_map)
    drawn = dimmed(image)
    height, width = image.shape[:2]
    for y in np.arange(spacing / 2, height, spacing):
        for x in np.arange(spacing / 2, width, spacing):
            vector = vectors[int(y), int(x)]
            length = float(np.hypot(*vector))
            if length < _SHORTEST_ARROW:
                continue
            half = vector / max(length, 1.0) * spacing * 0.48
            place = np.array([x, y])
            # Lighter than the wheel: thin blue lines are hard to see.
            color = 0.7 * direction_colors(vector) + 0.3 * 255
            _arrow(drawn, place - half, place + half, color, spacing / 12)
    drawn = drawn.round().clip(0, 255).astype(np.uint8)
    return with_direction_wheel(drawn) if legend else drawn


def field_sheet(
    image: np.ndarray,
    fields: np.ndarray,
    names: Sequence[str],
    image_to_map: np.ndarray | None = None,
    tile: int = 240,
) -> np.ndarray:
    """Draw a tile for each limb, with its name and its greatest length.

    Args:
        image: (H, W, 3).
        fields: (2L, h, w), x and y of each limb in turn, lengths from 0 to 1.
        names: of the limbs, L.
        image_to_map: see the module.
        tile: length of a tile's longer side in pixels.

    Returns:
        One picture; its last tile is the wheel of directions.
    """
    small = enlarged(image, tile)
    to_map = affine_to_map(image_to_map, size_of(image), fields.shape[:0:-1])
    to_map = rescaled_affine(to_map, size_of(image), size_of(small))
    limbs = fields.reshape(len(names), 2, *fields.shape[1:])
    tiles = [overlay_fields(small, limb, to_map, legend=False) for limb in limbs]
    peaks = np.hypot(limbs[:, 0], limbs[:, 1]).reshape(len(limbs), -1).max(1)
    titles = [f'{name}  {peak:.2f}' for name, peak in zip(names, peaks, strict=True)]
    wheel = blank(*small.shape[:2])
    height, width = small.shape[:2]
    drawn = direction_wheel(round(0.6 * min(height, width)))
    top, left = (height - len(drawn)) // 2, (width - len(drawn)) // 2
    wheel[top : top + len(drawn), left : left + len(drawn)] = drawn
    return sheet([*tiles, wheel], [*titles, 'direction'])


def limb_names(limbs: Sequence[Sequence[int]], keypoints: Sequence[str]) -> list[str]:
    """Name limbs by their ends, such as 'neck > left_hip'."""
    return [f'{keypoints[a]} > {keypoints[b]}' for a, b in limbs]


def _longest_vectors(
    image: np.ndarray, fields: np.ndarray, image_to_map: np.ndarray | None
) -> np.ndarray:
    """The longest vector of all limbs in each pixel, (H, W, 2)."""
    longest = np.zeros((*image.shape[:2], 2), np.float32)
    length = np.zeros(image.shape[:2], np.float32)
    limbs = fields.reshape(-1, 2, *fields.shape[1:])
    for _, vectors in maps_on_picture(limbs, size_of(image), image_to_map):
        squared = np.square(vectors).sum(-1)
        wins = squared > length
        length[wins] = squared[wins]
        longest[wins] = vectors[wins]
    return longest


def _arrow(
    drawn: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    color: np.ndarray,
    thickness: float,
) -> None:
    first, last = (tuple(int(v) for v in (p * 16).round()) for p in (start, end))
    rgb = tuple(float(c) for c in color)
    width = max(1, round(thickness))
    cv2.arrowedLine(drawn, first, last, rgb, width, cv2.LINE_AA, 4, 0.4)
