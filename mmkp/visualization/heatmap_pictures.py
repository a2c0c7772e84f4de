# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Heatmaps on the picture that they were found in.

All pictures are RGB, uint8. Maps lie on the picture by ``image_to_map``, an affine
map (2, 3) from picture pixels to cells, both with centres at integers; without it the
map covers the whole picture.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from mmkp.visualization.canvas import (
    caption,
    enlarged,
    size_of,
    stack,
    tiled,
)

_BRIGHTEST = 120  # grey of the brightest parts of the photograph below the maps
_OPAQUE = 0.85  # the photograph shines through a map of 1
_FAINT = 0.05  # maps that nowhere exceed it are not worth the time


def overlay_heatmaps(
    image: np.ndarray,
    heatmaps: np.ndarray,
    colors: np.ndarray,
    image_to_map: np.ndarray | None = None,
) -> np.ndarray:
    """Draw each keypoint's heatmap in its colour.

    Args:
        image: (H, W, 3).
        heatmaps: (K, h, w), 0 to 1; or (N, K, h, w), those of N boxes.
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        image_to_map: see the module; of boxes one each, (N, 2, 3).

    Returns:
        Picture of the same shape, the image dimmed and without its colours.
    """
    strongest = np.zeros(image.shape[:2], np.float32)
    color = np.zeros(image.shape, np.float32)
    total = np.full((*image.shape[:2], 1), 1e-9, np.float32)
    maps = heatmaps.reshape(-1, 1, *heatmaps.shape[-2:])
    for index, level in maps_on_picture(maps, size_of(image), image_to_map):
        level = level.clip(min=0)
        strongest = np.maximum(strongest, level[..., 0])
        # Where two keypoints meet, the colour of the stronger one prevails.
        share = level**4
        color += share * np.asarray(colors[index % len(colors)], np.float32)
        total += share
    return blend(dimmed(image), color / total, strongest)


def heatmap_sheet(
    image: np.ndarray,
    heatmaps: np.ndarray,
    names: Sequence[str],
    colors: np.ndarray,
    image_to_map: np.ndarray | None = None,
    tile: int = 240,
) -> np.ndarray:
    """Draw a tile for each keypoint, with its name and its highest value.

    Args:
        image: (H, W, 3).
        heatmaps: (K, h, w), 0 to 1; or (N, K, h, w), those of N boxes.
        names: of the keypoints, K.
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        image_to_map: see the module; of boxes one each, (N, 2, 3).
        tile: length of a tile's longer side in pixels.

    Returns:
        One picture.
    """
    maps = heatmaps.reshape(-1, *heatmaps.shape[-3:])
    small = enlarged(image, tile)
    to_map = affine_to_map(image_to_map, size_of(image), maps.shape[:-3:-1])
    to_map = rescaled_affine(to_map, size_of(image), size_of(small))
    tiles = [
        overlay_heatmaps(small, maps[:, k : k + 1], colors[k : k + 1], to_map)
        for k in range(len(names))
    ]
    peaks = maps.max((0, 2, 3))
    titles = [f'{name}  {peak:.2f}' for name, peak in zip(names, peaks, strict=True)]
    return sheet(tiles, titles)


def affine_to_map(
    image_to_map: np.ndarray | None, size: Sequence[int], cells: Sequence[int]
) -> np.ndarray:
    """The given map, or that of a map (w, h) which covers the picture (W, H).

    Args:
        image_to_map: (..., 2, 3), see the module, or None.
        size: width and height of the picture in pixels.
        cells: width and height of the map.

    Returns:
        Affine map, shape (..., 2, 3), float64.
    """
    if image_to_map is not None:
        return np.asarray(image_to_map, np.float64)
    x, y = (c / s for c, s in zip(cells, size, strict=True))
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def maps_on_picture(
    groups: np.ndarray, size: tuple[int, int], image_to_map: np.ndarray | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Resample maps to a picture, one at a time, as all of them fill the memory.

    Args:
        groups: maps, shape (N, C, h, w).
        size: width and height of the picture in pixels.
        image_to_map: see the module; or (M, 2, 3), each of N / M maps in a row.

    Yields:
        Index and values (H, W, C), float32, of each map that shows anything.
    """
    to_map = affine_to_map(image_to_map, size, groups.shape[:1:-1]).reshape(-1, 2, 3)
    for index, maps in enumerate(groups):
        maps = np.nan_to_num(maps.astype(np.float32), posinf=0, neginf=0)
        if np.abs(maps).max(initial=0) < _FAINT:
            continue
        drawn = cv2.warpAffine(
            maps.transpose(1, 2, 0),
            to_map[index * len(to_map) // len(groups)],
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        yield index, drawn.reshape(*size[::-1], -1)


def dimmed(image: np.ndarray) -> np.ndarray:
    """The picture without colours, darker, float32; dark ones stay recognisable."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    brightest = max(float(np.percentile(grey, 99)), 64.0)
    grey = (grey.astype(np.float32) / brightest).clip(0, 1.2) ** 0.8
    return _BRIGHTEST * grey[..., None].repeat(3, -1)


def blend(paper: np.ndarray, color: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Lay a colour over a picture, the more opaque the higher the level.

    Args:
        paper: (H, W, 3), 0 to 255.
        color: (H, W, 3), 0 to 255.
        level: (H, W), 0 to 1.

    Returns:
        Picture (H, W, 3), uint8.
    """
    share = _OPAQUE * level.clip(0, 1)[..., None]
    drawn = paper * (1 - share) + color * share
    return drawn.round().clip(0, 255).astype(np.uint8)


def rescaled_affine(
    image_to_map: np.ndarray, from_size: Sequence[int], to_size: Sequence[int]
) -> np.ndarray:
    """The affine map from a resized picture.

    Args:
        image_to_map: (..., 2, 3), see the module.
        from_size: width and height that it is for, in pixels.
        to_size: width and height of the resized picture.

    Returns:
        Affine map (..., 2, 3), float64.
    """
    x, y = (a / b for a, b in zip(from_size, to_size, strict=True))
    to_image = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return image_to_map @ to_image


def sheet(tiles: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Arrange tiles of one size, with titles below them, about as wide as high.

    Args:
        tiles: each of shape (h, w, 3).
        titles: one for each tile.

    Returns:
        One picture.
    """
    cells = [
        stack([tile, caption(title, tile.shape[1], 12)], 0)
        for tile, title in zip(tiles, titles, strict=True)
    ]
    height, width = cells[0].shape[:2]
    columns = max(1, round((len(cells) * height / width * 1.3) ** 0.5))
    return tiled(cells, columns)
