# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Many images with their people in one picture. Pictures are BGR, uint8."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmkp.apis.drawing import draw_maps, draw_people, skeleton_style
from mmkp.visualization.canvas import enlarged, grid, tiled, titled

People = dict[str, np.ndarray]


def people_sheet(
    images: Sequence[np.ndarray],
    people: Sequence[People],
    model: Any,
    title: str = '',
    tile: int = 288,
    columns: int = 4,
) -> np.ndarray:
    """Draw the skeletons of all people on many images.

    Args:
        images: N images (H, W, 3), uint8, BGR, of one shape in the best case.
        people: what :func:`predict_people` returns for them.
        model: of which they are, for the skeleton and its colours.
        title: line at the top.
        tile: length of a tile's longer side, in pixels.
        columns: number of images in a row.

    Returns:
        One picture.
    """
    style = skeleton_style(model)
    tiles = [
        enlarged(draw_people(image, found, style), tile)
        for image, found in zip(images, people, strict=True)
    ]
    return titled(tiled(tiles, columns), title)


def people_and_maps(
    images: Sequence[np.ndarray],
    people: Sequence[People],
    model: Any,
    title: str = '',
    tile: int = 288,
) -> np.ndarray:
    """Draw a row for each image: itself, heatmaps, part affinity fields, people.

    Args:
        images: N images (H, W, 3), uint8, BGR.
        people: what :func:`predict_people` returns for them, with maps.
        model: of which they are, for names and colours.
        title: line at the top.
        tile: length of a tile's longer side, in pixels.

    Returns:
        One picture.
    """
    style = skeleton_style(model)
    columns: dict[str, list[np.ndarray]] = {
        name: []
        for name in ('image', 'keypoint heatmaps', 'part affinity fields', 'people')
    }
    for image, found in zip(images, people, strict=True):
        drawn = (
            image,
            draw_maps(image, found, model, 'heatmaps', 'overlay'),
            draw_maps(image, found, model, 'fields', 'wheel'),
            draw_people(image, found, style),
        )
        for tiles, picture in zip(columns.values(), drawn, strict=True):
            tiles.append(enlarged(picture, tile))
    return titled(grid(columns), title)
