"""Candidates for keypoints: non-maximum suppression and places between the cells."""

from typing import Any, NamedTuple

import numpy as np

from mmkp.ops.part_affinity.compiled import compiled

# A neighbour counts as at least this share of the maximum, so that a background of
# nothing (or less) beside a peak does not decide where it lies.
_FLOOR = 0.01


class Peaks(NamedTuple):
    """P local maxima of K confidence maps, keypoint by keypoint and then row by row.

    ``first`` (K + 1,) int64 says where the peaks of each keypoint begin, ``x`` and
    ``y`` (P,) float64 are places in cells, ``score`` (P,) float64 values of the cells.
    """

    first: np.ndarray
    x: np.ndarray
    y: np.ndarray
    score: np.ndarray


@compiled
def find_peaks(
    confidence_maps: np.ndarray, threshold: float, border: bool = True
) -> Peaks:
    """Find local maxima by non-maximum suppression (CVPR'17, section 2.2).

    A cell is a maximum if none of its eight neighbours exceeds it; of equal ones the
    first counts. It is placed between cells where the parabola through logarithms has
    its top, which is exact for a Gaussian. On the border there is no second neighbour,
    so the peak stays in the middle of its cell along that axis. NaN is no evidence: it
    neither is a maximum nor prevents one.

    Args:
        confidence_maps: (K, h, w) float32, contiguous.
        threshold: positive; lower maxima are left out.
        border: whether the outermost cells can be maxima. In maps enlarged bicubically
            they cannot: they undershoot beside a peak, so that what is cut off at the
            border rises towards it.

    Returns:
        The peaks.
    """
    number, height, width = confidence_maps.shape
    first = np.zeros(number + 1, np.int64)
    # Of two cells that touch at most one is a maximum.
    places = np.empty((3, number * ((height + 1) // 2) * ((width + 1) // 2)))
    found, margin, least = 0, 0 if border else 1, np.float32(threshold)
    for k in range(number):
        plane = confidence_maps[k]
        for y in range(margin, height - margin):
            for x in range(margin, width - margin):
                if plane[y, x] > least and _is_maximum(plane, x, y):
                    score = np.float64(plane[y, x])
                    places[0, found], places[1, found] = x, y
                    places[2, found] = score
                    if 0 < x < width - 1:
                        before, after = plane[y, x - 1], plane[y, x + 1]
                        places[0, found] += _top_of_parabola(before, after, score)
                    if 0 < y < height - 1:
                        before, after = plane[y - 1, x], plane[y + 1, x]
                        places[1, found] += _top_of_parabola(before, after, score)
                    found += 1
        first[k + 1] = found
    return Peaks(first, places[0, :found], places[1, :found], places[2, :found])


@compiled
def _is_maximum(plane: np.ndarray, x: int, y: int) -> bool:
    """Whether no neighbour exceeds a cell, and none before it equals it."""
    height, width = plane.shape
    value = plane[y, x]
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            other = plane[j, i]
            if other > value:
                return False
            if other == value and (j < y or (j == y and i < x)):
                return False
    return True


@compiled
def _top_of_parabola(before: Any, after: Any, score: Any) -> float:
    """Where between two neighbours the logarithms have their top, in cells."""
    below, above = _logarithm(before / score), _logarithm(after / score)
    curvature = below + above
    if not curvature < -1e-6:
        curvature = -1.0
    return 0.5 * (below - above) / curvature


@compiled
def _logarithm(ratio: float) -> float:
    """Pade's approximation: the same bits everywhere."""
    if not ratio > _FLOOR:
        ratio = _FLOOR
    z = (ratio - 1) / (ratio + 1)
    square = z * z
    return 2 * z * (15 - 4 * square) / (15 - 9 * square)


@compiled
def highest_peaks(peaks: Peaks, number: int) -> Peaks:
    """Keep the highest peaks of each keypoint, of equal ones the first.

    Args:
        peaks: P peaks.
        number: how many of a keypoint are kept.

    Returns:
        The peaks that are kept, in their order.
    """
    if len(peaks.x) <= number:
        return peaks
    kept = np.ones(len(peaks.x), np.bool_)
    for k in range(len(peaks.first) - 1):
        start, stop = peaks.first[k], peaks.first[k + 1]
        if stop - start > number:
            order = np.argsort(-peaks.score[start:stop], kind='mergesort')
            kept[start + order[number:]] = False
    return _selected(peaks, kept)


@compiled
def thinned_peaks(peaks: Peaks, distance: float) -> Peaks:
    """Leave out peaks that are near an earlier one of the same keypoint.

    Args:
        peaks: P peaks.
        distance: in cells.

    Returns:
        The peaks that are kept, in their order.
    """
    kept = np.ones(len(peaks.x), np.bool_)
    for k in range(len(peaks.first) - 1):
        for p in range(peaks.first[k], peaks.first[k + 1]):
            for q in range(peaks.first[k], p):
                x, y = peaks.x[p] - peaks.x[q], peaks.y[p] - peaks.y[q]
                if kept[q] and x * x + y * y < distance * distance:
                    kept[p] = False
    return _selected(peaks, kept)


@compiled
def _selected(peaks: Peaks, kept: np.ndarray) -> Peaks:
    first = np.zeros_like(peaks.first)
    for k in range(len(first) - 1):
        first[k + 1] = first[k] + kept[peaks.first[k] : peaks.first[k + 1]].sum()
    return Peaks(first, peaks.x[kept], peaks.y[kept], peaks.score[kept])
