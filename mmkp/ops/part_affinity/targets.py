# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Training targets of part affinity field models: confidence maps and fields.

Cao et al., "Realtime multi-person 2D pose estimation using part affinity fields",
CVPR 2017, section 2.2 and 2.3, with the constants of OpenPose's training code. Only the
cells near a keypoint or limb are computed, all of them at once;
:mod:`mmkp.ops.part_affinity.formula` has the plain forms.
"""

from typing import NamedTuple

import numpy as np

#: Gaussians end where their exponent exceeds this, at a value of 0.01.
MAX_EXPONENT = 4.6052

FIELD_ALIGNMENTS = ('openpose', 'centred')


class RenderedMaps(NamedTuple):
    """Maps and where something was drawn on them.

    ``maps`` is (C, h, w) float32. ``drawn`` (D,) int64 lists cells as indices into the
    flattened keypoints or limbs x h x w; cells drawn several times may repeat.
    """

    maps: np.ndarray
    drawn: np.ndarray


def render_heatmaps(
    keypoints: np.ndarray,
    visible: np.ndarray,
    map_size: tuple[int, int],
    stride: int = 8,
    sigma: float = 7.0,
) -> RenderedMaps:
    """Draw the confidence maps of keypoints (CVPR'17, eq. 6), and the background.

    Cell g has its centre at ``stride * g + (stride - 1) / 2``. People are merged by the
    maximum (eq. 7), and the background is what the largest keypoint leaves of 1.
    Keypoints outside of the image still cast the part of their Gaussian that reaches
    into it.

    Args:
        keypoints: (x, y) in network-input pixels, shape (N, K, 2), finite.
        visible: shape (N, K), positive where there is a keypoint to draw.
        map_size: number of cells (w, h).
        stride: pixels a cell.
        sigma: standard deviation of the Gaussians in pixels.

    Returns:
        Heatmaps (K + 1, h, w) in [0, 1], background last, and their drawn cells in
        (K, h, w).
    """
    width, height = map_size
    num_keypoints = keypoints.shape[1]
    heatmaps = np.zeros((num_keypoints + 1, height, width), np.float32)
    person, part = np.nonzero(visible)
    center = np.asarray(keypoints[person, part], np.float64)
    radius = sigma * np.sqrt(2 * MAX_EXPONENT)
    middle = (stride - 1) / 2
    first = np.ceil((center - radius - middle) / stride)
    side = int(2 * radius / stride) + 1
    near = ((first + side > 0) & (first < map_size)).all(1)
    part, center, first = part[near], center[near], first[near].astype(np.int64)
    if side > max(map_size):
        # More than the map is no use, and of wide Gaussians costs gigabytes.
        side, first = max(map_size), np.maximum(first, 0)

    cells = first[:, None] + np.arange(side)[:, None]
    offset = (cells * stride + middle - center[:, None]) / sigma
    exponent = offset * offset / 2
    # Cells beyond the edge are out of reach of everything.
    exponent[(cells < 0) | (cells >= map_size)] = np.inf
    gaussian = np.exp(-exponent)
    reached = exponent[:, :, None, 1] + exponent[:, None, :, 0] <= MAX_EXPONENT
    values = gaussian[:, :, None, 1] * gaussian[:, None, :, 0]
    rows = (part[:, None] * height + cells[..., 1]) * width
    drawn = (rows[:, :, None] + cells[:, None, :, 0])[reached]
    np.maximum.at(heatmaps.reshape(-1), drawn, values[reached].astype(np.float32))
    heatmaps[-1] = 1 - heatmaps[:-1].max(0, initial=0)
    return RenderedMaps(heatmaps, drawn)


def render_fields(
    keypoints: np.ndarray,
    visible: np.ndarray,
    limbs: np.ndarray,
    map_size: tuple[int, int],
    stride: int = 8,
    half_width: float = 8.0,
    alignment: str = 'openpose',
) -> RenderedMaps:
    """Draw part affinity fields: the unit vector from A to B on each limb (eq. 8).

    Where limbs of several people overlap, their vectors are averaged (eq. 9).
    Limbs without both ends or without length are not drawn.

    Args:
        keypoints: (x, y) in network-input pixels, shape (N, K, 2), finite.
        visible: shape (N, K), positive where there is a keypoint.
        limbs: keypoint indices (A, B), shape (L, 2) int64.
        map_size: number of cells (w, h).
        stride: pixels a cell.
        half_width: distance from the limb's line in pixels up to which cells belong to
            it.
        alignment: 'openpose' puts cell g at pixel ``stride * g`` and cuts the limb's
            box (grown by the half width) at rounded cells, the last row and column left
            out: the convention of every released model, although it moves fields by
            half a cell. 'centred' puts cells where the heatmaps have them, and takes
            all cells of the grown box; it commutes with mirroring.

    Returns:
        Fields (2L, h, w), x and y of limb l at 2l and 2l + 1, and their drawn cells in
        (L, h, w).

    Raises:
        ValueError: unknown ``alignment``.
    """
    width, height = map_size
    num_limbs, num_cells = len(limbs), width * height
    ends = np.asarray(visible)[:, limbs] > 0
    person, limb = np.nonzero(ends.all(2))
    # (M, 2 ends, x and y) in cells
    ends = np.asarray(keypoints, np.float64)[person[:, None], limbs[limb]]
    ends = _to_cells(ends, stride, alignment)
    vector: np.ndarray = ends[:, 1] - ends[:, 0]
    length = np.hypot(vector[:, 0], vector[:, 1])
    has_length = length > 0
    limb, ends = limb[has_length], ends[has_length]
    vector = vector[has_length] / length[has_length, None]

    reach = half_width / stride
    low, high = _box_of_cells(ends, reach, map_size, alignment)
    which, column, row = _cells_of_boxes(low, high)
    start, vector = ends[which, 0], vector[which]
    across = vector[:, 0] * (row - start[:, 1]) - vector[:, 1] * (column - start[:, 0])
    # Mirrored limbs must not differ by rounding.
    near = np.abs(across) <= reach + 1e-9
    cell = (row * width + column)[near]
    limb, vector = limb[which[near]], vector[near].astype(np.float32)
    return _average(limb, cell, vector, (num_limbs, num_cells), map_size)


def _average(
    limb: np.ndarray,
    cell: np.ndarray,
    vector: np.ndarray,
    shape: tuple[int, int],
    map_size: tuple[int, int],
) -> RenderedMaps:
    """Write vectors (D, 2) to cells of limbs; average those of the same cell."""
    num_limbs, num_cells = shape
    drawn = limb * num_cells + cell
    place = limb * (2 * num_cells) + cell
    fields = np.zeros(2 * num_limbs * num_cells, np.float32)
    np.add.at(fields, place, vector[:, 0])
    np.add.at(fields, place + num_cells, vector[:, 1])
    count = np.zeros(num_limbs * num_cells, np.int32)
    np.add.at(count, drawn, 1)
    shared = count[drawn] > 1
    if shared.any():
        repeated, first = np.unique(drawn[shared], return_index=True)
        place = place[shared][first]
        fields[place] /= count[repeated]
        fields[place + num_cells] /= count[repeated]
    return RenderedMaps(fields.reshape(-1, map_size[1], map_size[0]), drawn)


def _to_cells(points: np.ndarray, stride: int, alignment: str) -> np.ndarray:
    if alignment == 'openpose':
        return points / stride
    if alignment == 'centred':
        return (points - (stride - 1) / 2) / stride
    raise ValueError(
        f'alignment of fields must be one of {FIELD_ALIGNMENTS}, got {alignment!r}'
    )


def round_half_away(values: np.ndarray) -> np.ndarray:
    """Round to whole numbers, halves away from zero as C does.

    Args:
        values: any shape, float.

    Returns:
        Whole numbers of the same shape, float.
    """
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def _box_of_cells(
    ends: np.ndarray, reach: float, map_size: tuple[int, int], alignment: str
) -> tuple[np.ndarray, np.ndarray]:
    """First cells and cells beyond the last, (M, 2) int64 each, within the map."""
    low, high = ends.min(1) - reach, ends.max(1) + reach
    if alignment == 'openpose':
        low, high = round_half_away(low), round_half_away(high)
    else:
        low, high = np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1
    low, high = np.clip(low, 0, map_size), np.clip(high, 0, map_size)
    return low.astype(np.int64), high.astype(np.int64)


def _cells_of_boxes(
    low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which box, column and row of every cell in boxes (M, 2), one after the other."""
    size = np.maximum(high - low, 0)
    area = size[:, 0] * size[:, 1]
    which = np.repeat(np.arange(len(area)), area)
    number = np.arange(len(which)) - np.repeat(np.cumsum(area) - area, area)
    row, column = np.divmod(number, size[which, 0])
    return which, column + low[which, 0], row + low[which, 1]
