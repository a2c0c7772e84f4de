"""Confidence maps and part affinity fields of whole maps, as the paper writes them."""

import numpy as np

from mmkp.ops.part_affinity.targets import MAX_EXPONENT, round_half_away


def confidence_map(
    points: np.ndarray, map_size: tuple[int, int], stride: int, sigma: float
) -> np.ndarray:
    """Confidence map of one keypoint of several people (CVPR'17, eq. 6 and 7).

    The plain form of :func:`mmkp.ops.part_affinity.targets.render_heatmaps`.

    Args:
        points: (x, y) in network-input pixels, shape (N, 2).
        map_size: number of cells (w, h).
        stride: pixels a cell.
        sigma: standard deviation in pixels; the paper's is the root of 2 larger.

    Returns:
        The map (h, w), float64.
    """
    row, column = np.indices(map_size[::-1])
    cells = np.stack([column, row], -1) * stride + (stride - 1) / 2
    distance = np.linalg.norm(cells - np.reshape(points, (-1, 1, 1, 2)), axis=-1)
    exponent = distance**2 / (2 * sigma**2)
    of_people = np.where(exponent <= MAX_EXPONENT, np.exp(-exponent), 0)
    return of_people.max(0, initial=0)


def part_affinity_field(
    start: np.ndarray,
    end: np.ndarray,
    map_size: tuple[int, int],
    stride: int,
    half_width: float,
) -> np.ndarray:
    """Part affinity field of one limb of several people (CVPR'17, eq. 8 and 9).

    The plain form of :func:`mmkp.ops.part_affinity.targets.render_fields`, aligned as
    OpenPose does.

    Args:
        start: (x, y) of the limbs' beginnings in network-input pixels, shape (N, 2).
        end: of their ends, elsewhere, shape (N, 2).
        map_size: number of cells (w, h).
        stride: pixels a cell.
        half_width: of the limbs, in pixels.

    Returns:
        The field (2, h, w), x and y, float64.
    """
    row, column = np.indices(map_size[::-1])
    total, number = np.zeros((2, *row.shape)), np.zeros(row.shape)
    reach = half_width / stride
    for a, b in zip(start / stride, end / stride, strict=True):
        unit = (b - a) / np.linalg.norm(b - a)
        low = round_half_away(np.minimum(a, b) - reach)
        high = round_half_away(np.maximum(a, b) + reach)
        across = unit[0] * (row - a[1]) - unit[1] * (column - a[0])
        on_limb = (np.abs(across) <= reach) & (column >= low[0]) & (column < high[0])
        on_limb &= (row >= low[1]) & (row < high[1])
        total += unit[:, None, None] * on_limb
        number += on_limb
    return total / np.maximum(number, 1)
