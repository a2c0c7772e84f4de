"""What a discovery model sees, finds and rebuilds, in one picture."""

import cv2
import numpy as np

from mmkp.visualization.canvas import (
    TEXT_SIZE,
    beside,
    blank,
    enlarged,
    framed,
    grid,
    put_text,
    rescaled,
    size_of,
    stack,
    text_width,
    tiled,
    titled,
)
from mmkp.visualization.heatmap_pictures import overlay_heatmaps
from mmkp.visualization.keypoints import draw_edges, draw_keypoints, relative_weights


def discovery_grid(
    images: np.ndarray,
    keypoints: np.ndarray,
    colors: np.ndarray,
    heatmaps: np.ndarray | None = None,
    edges: np.ndarray | None = None,
    edge_weights: np.ndarray | None = None,
    edge_maps: np.ndarray | None = None,
    masked_images: np.ndarray | None = None,
    reconstructions: np.ndarray | None = None,
    title: str = '',
    tile: int = 192,
) -> np.ndarray:
    """Draw a row for each image and a column for each thing that the model makes.

    Args:
        images: RGB, shape (N, H, W, 3), uint8.
        keypoints: (x, y) in pixels of ``images``, shape (N, K, 2).
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        heatmaps: non-negative, shape (N, K, h, w); each is shown relative to its
            maximum.
        edges: pairs of keypoints, shape (E, 2), int.
        edge_weights: non-negative, shape (E,).
        edge_maps: shape (N, H, W); shown relative to the largest value of all.
        masked_images: RGB, shape (N, H, W, 3), uint8.
        reconstructions: RGB, shape (N, H, W, 3), uint8.
        title: line at the top.
        tile: length of a tile's longer side, in pixels, at least.

    Returns:
        One RGB picture, uint8.
    """
    side = max(tile, *images.shape[1:3])
    tiles = [enlarged(image, side) for image in images]
    points = rescaled(keypoints, size_of(images[0]), size_of(tiles[0]))
    columns = {
        'keypoints': [
            draw_keypoints(image, place, colors)
            for image, place in zip(tiles, points, strict=True)
        ]
    }
    if heatmaps is not None:
        peaks = heatmaps.max((2, 3), keepdims=True)
        columns['heatmaps'] = [
            overlay_heatmaps(image, maps, colors)
            for image, maps in zip(tiles, heatmaps / peaks.clip(1e-12), strict=True)
        ]
    if edges is not None and len(edges) > 0:
        columns['edges'] = [
            draw_keypoints(
                draw_edges(image, place, edges, edge_weights), place, colors, radius=3
            )
            for image, place in zip(tiles, points, strict=True)
        ]
    if edge_maps is not None:
        top = max(float(edge_maps.max()), 1e-12)
        columns[f'edge map (white = {top:.2g})'] = [
            enlarged(color_map(edge_map / top), side) for edge_map in edge_maps
        ]
    for name, pictures in (
        ('masked input', masked_images),
        ('reconstruction', reconstructions),
    ):
        if pictures is not None:
            columns[name] = [
                enlarged(picture, side, smooth=name != 'masked input')
                for picture in pictures
            ]
    return titled(with_legend(grid(columns), colors), title)


def keypoint_sheet(
    images: np.ndarray,
    keypoints: np.ndarray,
    colors: np.ndarray,
    edges: np.ndarray | None = None,
    edge_weights: np.ndarray | None = None,
    title: str = '',
    tile: int = 224,
    columns: int = 6,
) -> np.ndarray:
    """Draw keypoints, and edges where there are any, on many images.

    Args:
        images: RGB, shape (N, H, W, 3), uint8.
        keypoints: (x, y) in pixels of ``images``, shape (N, K, 2).
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        edges: pairs of keypoints, shape (E, 2), int.
        edge_weights: non-negative, shape (E,).
        title: line at the top.
        tile: length of a tile's longer side, in pixels.
        columns: number of images in a row.

    Returns:
        One RGB picture, uint8.
    """
    tiles = []
    for image, points in zip(images, keypoints, strict=True):
        picture = enlarged(image, tile)
        places = rescaled(points, size_of(image), size_of(picture))
        if edges is not None and len(edges) > 0:
            picture = draw_edges(picture, places, edges, edge_weights)
        tiles.append(draw_keypoints(picture, places, colors))
    return titled(with_legend(tiled(tiles, columns), colors), title)


def edge_weight_matrix(
    edges: np.ndarray, weights: np.ndarray, colors: np.ndarray, title: str = ''
) -> np.ndarray:
    """Draw the learned edge weights as a symmetric matrix.

    Args:
        edges: pairs of keypoints, shape (E, 2), int.
        weights: non-negative, shape (E,).
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        title: line at the top.

    Returns:
        One RGB picture, uint8, with a scale from 0 to the largest weight.
    """
    number = len(colors)
    cell = max(14, min(36, 420 // number))
    matrix = np.zeros((number, number))
    rows, columns = np.asarray(edges, int).reshape(-1, 2).T
    matrix[rows, columns] = matrix[columns, rows] = relative_weights(weights, len(rows))
    picture = enlarged(color_map(matrix), cell * number, smooth=False)
    for index in range(number):  # a keypoint has no edge to itself
        start = index * cell
        picture[start : start + cell, start : start + cell] = (235, 236, 238)
    across = blank(cell, cell * number)
    places = np.stack([np.arange(number) * cell + cell / 2, np.full(number, cell / 2)])
    across = _numbered(across, places.T, colors, cell)
    down = _numbered(blank(cell * number, cell), places.T[:, ::-1], colors, cell)
    body = stack(
        [beside([blank(cell, cell), across], 2), beside([down, picture], 2)], 2
    )
    ramp = np.linspace(1, 0, cell * number)[:, None].repeat(16, 1)
    scale = beside([color_map(ramp), blank(cell * number, 64)], 4)
    largest = float(np.max(weights, initial=0))
    scale = put_text(scale, f'{largest:.3g}', (22, 8), anchor='lm')
    scale = put_text(scale, '0', (22, len(scale) - 8), anchor='lm')
    body = beside([body, stack([blank(cell, 1), scale], 2)], 12)
    width = max(body.shape[1], text_width(title) + 4)
    head = put_text(blank(TEXT_SIZE + 12, width), title, (2, 4))
    return framed(stack([head, body], 0), 10)


def color_map(values: np.ndarray) -> np.ndarray:
    """Paint values from 0 to 1, shape (H, W), from black over orange to white."""
    levels = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return cv2.cvtColor(
        cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )


def _numbered(
    band: np.ndarray, places: np.ndarray, colors: np.ndarray, cell: int, first: int = 0
) -> np.ndarray:
    """Draw each keypoint's disc with its number in it, from the first on."""
    band = draw_keypoints(band, places - 0.5, colors, radius=0.42 * cell)
    for index, (x, y) in enumerate(places):
        light = np.dot(colors[index], (0.299, 0.587, 0.114)) > 140
        ink = (0, 0, 0) if light else (255, 255, 255)
        size = max(8, round(0.45 * cell))
        band = put_text(band, str(first + index), (x, y), ink, size, 'mm')
    return band


def with_legend(body: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Put each keypoint's colour and number above a picture.

    Args:
        body: the picture, RGB, (H, W, 3) uint8.
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
    """
    pitch, width = 26, body.shape[1]
    per_line = max(1, (width - 16) // pitch)
    lines = []
    for start in range(0, len(colors), per_line):
        shown = np.asarray(colors[start : start + per_line])
        x = 8 + pitch * (np.arange(len(shown)) + 0.5)
        places = np.stack([x, np.full(len(x), pitch / 2)], 1)
        lines.append(_numbered(blank(pitch, width), places, shown, pitch, start))
    return stack([*lines, body], 0)
