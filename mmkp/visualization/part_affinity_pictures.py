"""Heatmaps and part affinity fields on the picture that they were found in.

All pictures are RGB, uint8. Maps lie on the picture by ``image_to_map``, an affine
map (2, 3) from picture pixels to cells, both with centres at integers; without it the
map covers the whole picture.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from mmkp.visualization.canvas import (
    beside,
    blank,
    caption,
    enlarged,
    framed,
    size_of,
    stack,
)
from mmkp.visualization.direction_wheel import (
    direction_colours,
    direction_wheel,
    with_direction_wheel,
)

_BRIGHTEST = 120  # grey of the brightest parts of the photograph below the maps
_OPAQUE = 0.85  # the photograph shines through a map of 1
_FAINT = 0.05  # maps that nowhere exceed it are not worth the time


def overlay_heatmaps(
    image: np.ndarray,
    heatmaps: np.ndarray,
    colours: np.ndarray,
    image_to_map: np.ndarray | None = None,
) -> np.ndarray:
    """Draw each keypoint's heatmap in its colour.

    Args:
        image: (H, W, 3).
        heatmaps: (K, h, w), 0 to 1.
        colours: RGB of each keypoint, 0 to 255, shape (K, 3).
        image_to_map: see the module.

    Returns:
        Picture of the same shape, the image dimmed and without its colours.
    """
    strongest = np.zeros(image.shape[:2], np.float32)
    colour = np.zeros(image.shape, np.float32)
    total = np.full((*image.shape[:2], 1), 1e-9, np.float32)
    for index, level in _on_picture(heatmaps[:, None], size_of(image), image_to_map):
        level = level.clip(min=0)
        strongest = np.maximum(strongest, level[..., 0])
        # Where two keypoints meet, the colour of the stronger one prevails.
        share = level**4
        colour += share * np.asarray(colours[index], np.float32)
        total += share
    return _blend(_dimmed(image), colour / total, strongest)


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
    drawn = _blend(_dimmed(image), direction_colours(vectors), length)
    return with_direction_wheel(drawn) if legend else drawn


def overlay_arrows(
    image: np.ndarray,
    fields: np.ndarray,
    image_to_map: np.ndarray | None = None,
    spacing: float | None = None,
    min_length: float = 0.2,
    legend: bool = True,
) -> np.ndarray:
    """Draw the longest vector as an arrow, on a regular grid.

    Args:
        image: (H, W, 3).
        fields: (2L, h, w), x and y of each limb in turn, lengths from 0 to 1.
        image_to_map: see the module.
        spacing: of the arrows in pixels, which is also the length of a unit vector; by
            default that of the cells, but at least a 45th of the longer side.
        min_length: shorter vectors are not drawn.
        legend: draw the wheel of directions in a corner.

    Returns:
        Picture of the same shape, the image dimmed and without its colours.
    """
    if spacing is None:
        to_map = _affine(image_to_map, size_of(image), fields.shape[:0:-1])
        cell = 1 / float(np.sqrt(abs(np.linalg.det(to_map[:, :2]))))
        spacing = max(cell, max(image.shape[:2]) / 45)
    vectors = _longest_vectors(image, fields, image_to_map)
    drawn = _dimmed(image)
    height, width = image.shape[:2]
    for y in np.arange(spacing / 2, height, spacing):
        for x in np.arange(spacing / 2, width, spacing):
            vector = vectors[int(y), int(x)]
            length = float(np.hypot(*vector))
            if length < min_length:
                continue
            half = vector / max(length, 1.0) * spacing * 0.48
            place = np.array([x, y])
            # Lighter than the wheel: thin blue lines are hard to see.
            colour = 0.7 * direction_colours(vector) + 0.3 * 255
            _arrow(drawn, place - half, place + half, colour, spacing / 12)
    drawn = drawn.round().clip(0, 255).astype(np.uint8)
    return with_direction_wheel(drawn) if legend else drawn


def heatmap_sheet(
    image: np.ndarray,
    heatmaps: np.ndarray,
    names: Sequence[str],
    colours: np.ndarray,
    image_to_map: np.ndarray | None = None,
    tile: int = 240,
) -> np.ndarray:
    """Draw a tile for each keypoint, with its name and its highest value.

    Args:
        image: (H, W, 3).
        heatmaps: (K, h, w), 0 to 1.
        names: of the keypoints, K.
        colours: RGB of each keypoint, 0 to 255, shape (K, 3).
        image_to_map: see the module.
        tile: length of a tile's longer side in pixels.

    Returns:
        One picture.
    """
    small, to_map = _tile_of(image, heatmaps, image_to_map, tile)
    tiles = [
        overlay_heatmaps(small, heatmaps[k : k + 1], colours[k : k + 1], to_map)
        for k in range(len(heatmaps))
    ]
    peaks = heatmaps.reshape(len(heatmaps), -1).max(1)
    titles = [f'{name}  {peak:.2f}' for name, peak in zip(names, peaks, strict=True)]
    return _sheet(tiles, titles)


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
    small, to_map = _tile_of(image, fields, image_to_map, tile)
    limbs = fields.reshape(len(names), 2, *fields.shape[1:])
    tiles = [overlay_fields(small, limb, to_map, legend=False) for limb in limbs]
    peaks = np.hypot(limbs[:, 0], limbs[:, 1]).reshape(len(limbs), -1).max(1)
    titles = [f'{name}  {peak:.2f}' for name, peak in zip(names, peaks, strict=True)]
    wheel = blank(*small.shape[:2])
    height, width = small.shape[:2]
    drawn = direction_wheel(round(0.6 * min(height, width)))
    top, left = (height - len(drawn)) // 2, (width - len(drawn)) // 2
    wheel[top : top + len(drawn), left : left + len(drawn)] = drawn
    return _sheet([*tiles, wheel], [*titles, 'direction'])


def limb_names(limbs: Sequence[Sequence[int]], keypoints: Sequence[str]) -> list[str]:
    """Name limbs by their ends, such as 'neck > left_hip'."""
    return [f'{keypoints[a]} > {keypoints[b]}' for a, b in limbs]


def _affine(
    image_to_map: np.ndarray | None, size: Sequence[int], cells: Sequence[int]
) -> np.ndarray:
    """The given map, or that of a map (w, h) which covers the picture (W, H)."""
    if image_to_map is not None:
        return np.asarray(image_to_map, np.float64)
    x, y = (c / s for c, s in zip(cells, size, strict=True))
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def _on_picture(
    groups: np.ndarray, size: tuple[int, int], image_to_map: np.ndarray | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Index and values (H, W, C) of each of the maps (N, C, h, w) that shows anything.

    One at a time, as all of them in the size of a photograph fill the memory.
    """
    to_map = _affine(image_to_map, size, groups.shape[:1:-1])
    for index, maps in enumerate(groups):
        maps = np.nan_to_num(maps.astype(np.float32), posinf=0, neginf=0)
        if np.abs(maps).max(initial=0) < _FAINT:
            continue
        drawn = cv2.warpAffine(
            maps.transpose(1, 2, 0),
            to_map,
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        yield index, drawn.reshape(*size[::-1], -1)


def _longest_vectors(
    image: np.ndarray, fields: np.ndarray, image_to_map: np.ndarray | None
) -> np.ndarray:
    """The longest vector of all limbs in each pixel, (H, W, 2)."""
    longest = np.zeros((*image.shape[:2], 2), np.float32)
    length = np.zeros(image.shape[:2], np.float32)
    limbs = fields.reshape(-1, 2, *fields.shape[1:])
    for _, vectors in _on_picture(limbs, size_of(image), image_to_map):
        squared = np.square(vectors).sum(-1)
        wins = squared > length
        length[wins] = squared[wins]
        longest[wins] = vectors[wins]
    return longest


def _dimmed(image: np.ndarray) -> np.ndarray:
    """The picture without colours, darker, float32; dark ones stay recognisable."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    brightest = max(float(np.percentile(grey, 99)), 64.0)
    grey = (grey.astype(np.float32) / brightest).clip(0, 1.2) ** 0.8
    return _BRIGHTEST * grey[..., None].repeat(3, -1)


def _blend(paper: np.ndarray, colour: np.ndarray, level: np.ndarray) -> np.ndarray:
    share = _OPAQUE * level.clip(0, 1)[..., None]
    drawn = paper * (1 - share) + colour * share
    return drawn.round().clip(0, 255).astype(np.uint8)


def _arrow(
    drawn: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    colour: np.ndarray,
    thickness: float,
) -> None:
    first, last = (tuple(int(v) for v in (p * 16).round()) for p in (start, end))
    rgb = tuple(float(c) for c in colour)
    width = max(1, round(thickness))
    cv2.arrowedLine(drawn, first, last, rgb, width, cv2.LINE_AA, 4, 0.4)


def _tile_of(
    image: np.ndarray, maps: np.ndarray, image_to_map: np.ndarray | None, tile: int
) -> tuple[np.ndarray, np.ndarray]:
    """A small picture, and the affine map from it to the cells."""
    small = enlarged(image, tile)
    size, small_size = size_of(image), size_of(small)
    to_map = _affine(image_to_map, size, maps.shape[:0:-1])
    x, y = (a / b for a, b in zip(size, small_size, strict=True))
    to_image = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return small, to_map @ to_image


def _sheet(tiles: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Titled tiles in rows, about as wide as high."""
    cells = [
        stack([tile, caption(title, tile.shape[1], 12)], 0)
        for tile, title in zip(tiles, titles, strict=True)
    ]
    height, width = cells[0].shape[:2]
    columns = max(1, round((len(cells) * height / width * 1.3) ** 0.5))
    rows = [beside(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return framed(stack(rows))
