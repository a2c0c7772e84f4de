"""Steps of the decoding of one image in loops, compiled by numba.

Import this module only where numba is installed. Each function does what one of the
array code does, adding in the same order; the tests compare them bit by bit. After a
change here or in :mod:`mmkp.ops.part_affinity.grouping`,
``make clean`` removes the machine code of
callers in other modules, which numba would keep.
"""

import numpy as np
from numba import njit

#: Machine code is kept on disk for the next process; no sum is reordered.
compile_loops = njit(cache=True, nogil=True)


@compile_loops
def _offset(below, above, score):  # type: ignore[no-untyped-def]
    """Where between two neighbours the parabola has its top, in cells."""
    ratio = np.float64(below) / score
    if not ratio > 0.01:
        ratio = 0.01
    z = (ratio - 1) / (ratio + 1)
    square = z * z
    log_below = 2 * z * (15 - 4 * square) / (15 - 9 * square)
    ratio = np.float64(above) / score
    if not ratio > 0.01:
        ratio = 0.01
    z = (ratio - 1) / (ratio + 1)
    square = z * z
    log_above = 2 * z * (15 - 4 * square) / (15 - 9 * square)
    curvature = log_below + log_above
    if not curvature < -1e-6:
        curvature = -1.0
    return 0.5 * (log_below - log_above) / curvature


@compile_loops
def _is_peak(plane, x, y):  # type: ignore[no-untyped-def]
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


@compile_loops
def find_peaks(  # type: ignore[no-untyped-def]
    maps, threshold, border, first_peak, xs, ys, scores
):
    """As :func:`mmkp.ops.part_affinity.peaks.find_peaks`, for one image.

    Args:
        maps: (C, h, w) float32, contiguous, C >= K.
        threshold: float32.
        border: 0, or 1 to leave out the outermost cells.
        first_peak: (K + 1,) int64, receives where the peaks of each map begin.
        xs: (M,) float64, receives the places of the peaks.
        ys: (M,) float64, likewise.
        scores: (M,) float64, receives their values.

    Returns:
        Number of peaks; beyond M they are counted only.
    """
    _, height, width = maps.shape
    number = 0
    for k in range(len(first_peak) - 1):
        first_peak[k] = number
        plane = maps[k]
        for y in range(border, height - border):
            for x in range(border, width - border):
                if not plane[y, x] > threshold or not _is_peak(plane, x, y):
                    continue
                if number < len(scores):
                    score = np.float64(plane[y, x])
                    xs[number], ys[number], scores[number] = x, y, score
                    if 0 < x < width - 1:
                        xs[number] += _offset(plane[y, x - 1], plane[y, x + 1], score)
                    if 0 < y < height - 1:
                        ys[number] += _offset(plane[y - 1, x], plane[y + 1, x], score)
                number += 1
    first_peak[len(first_peak) - 1] = number
    return number


@compile_loops
def keep_highest(first_peak, xs, ys, scores, number):  # type: ignore[no-untyped-def]
    """As :func:`mmkp.ops.part_affinity.peaks.highest_peaks`, in place.

    Args:
        first_peak: (K + 1,) int64, where the peaks of each map begin; changed.
        xs: (P,) float64, places of the peaks; changed.
        ys: (P,) float64; changed.
        scores: (P,) float64; changed.
        number: how many of a map are kept.

    Returns:
        Number of peaks that are kept.
    """
    total = 0
    for k in range(len(first_peak) - 1):
        start, stop = first_peak[k], first_peak[k + 1]
        first_peak[k] = total
        kept = np.arange(start, stop)
        if stop - start > number:
            order = np.argsort(-scores[start:stop], kind='mergesort')
            kept = start + np.sort(order[:number])
        for p in kept:
            xs[total], ys[total], scores[total] = xs[p], ys[p], scores[p]
            total += 1
    first_peak[len(first_peak) - 1] = total
    return total


@compile_loops
def _between_cells(plane, x, y):  # type: ignore[no-untyped-def]
    """Value of a map between its cells."""
    height, width = plane.shape
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    i, j = int(min(x, max(width - 2.0, 0.0))), int(min(y, max(height - 2.0, 0.0)))
    right, below = x - i, y - j
    left, above = 1 - right, 1 - below
    i2, j2 = min(i + 1, width - 1), min(j + 1, height - 1)
    return above * (left * plane[j, i] + right * plane[j, i2]) + below * (
        left * plane[j2, i] + right * plane[j2, i2]
    )


@compile_loops
def score_limbs(  # type: ignore[no-untyped-def]
    fields,
    first_peak,
    xs,
    ys,
    limb_start,
    limb_end,
    assembly_order,
    field_offset,
    num_samples,
    sample_threshold,
    min_fraction,
    length_penalty,
    limbs,
    starts,
    ends,
    scores,
):
    """As :func:`score_limbs`, limb by limb in assembly order.

    Returns the number of candidates, each limb's best first; beyond the length of
    ``scores`` they are counted only.
    """
    number = 0
    needed = min_fraction * num_samples
    for which in assembly_order:
        before = number
        field_x, field_y = fields[2 * which], fields[2 * which + 1]
        a_part, b_part = limb_start[which], limb_end[which]
        for a in range(first_peak[a_part], first_peak[a_part + 1]):
            for b in range(first_peak[b_part], first_peak[b_part + 1]):
                along_x, along_y = xs[b] - xs[a], ys[b] - ys[a]
                length = (along_x * along_x + along_y * along_y) ** 0.5
                unit = max(length, 1e-6)
                unit_x, unit_y = along_x / unit, along_y / unit
                passing, total = 0, 0.0
                for s in range(num_samples):
                    if passing + num_samples - s < needed:
                        break
                    step = (s + 0.5) / num_samples
                    x = xs[a] + along_x * step + field_offset
                    y = ys[a] + along_y * step + field_offset
                    sample = (
                        _between_cells(field_x, x, y) * unit_x
                        + _between_cells(field_y, x, y) * unit_y
                    )
                    total += sample
                    passing += sample > sample_threshold
                score = total / num_samples
                if length_penalty:
                    score = score + min(0.5 * fields.shape[1] / unit - 1, 0.0)
                if not (passing >= needed and score > 0):
                    if length >= 1:
                        continue
                    score = sample_threshold
                if number < len(scores):
                    limbs[number], starts[number], ends[number] = which, a, b
                    scores[number] = score
                number += 1
        if before < number <= len(scores):
            order = np.argsort(-scores[before:number], kind='mergesort')
            starts[before:number] = starts[before:number][order]
            ends[before:number] = ends[before:number][order]
            scores[before:number] = scores[before:number][order]
    return number


@compile_loops
def _is_taken(x, y, xs, ys, found, k, radius):  # type: ignore[no-untyped-def]
    """Whether somebody's keypoint k has its peak here."""
    for n in range(len(found)):
        if found[n, k]:
            distance_x, distance_y = x - xs[n, k], y - ys[n, k]
            if distance_x * distance_x + distance_y * distance_y < radius**2:
                return True
    return False


@compile_loops
def search_missing(  # type: ignore[no-untyped-def]
    maps,
    fields,
    targets,
    others,
    edge_limbs,
    signs,
    xs,
    ys,
    found,
    scores,
    sizes,
    share,
    radius,
    field_offset,
):
    """As :mod:`mmkp.ops.part_affinity.recovery`, for all people of one image.

    Args:
        maps: (C, h, w) float32.
        fields: (2 L, h, w) float32.
        targets: (2 L,) int64, limbs seen from both ends: the keypoint looked for,
        others: (2 L,) int64, the one to start from,
        edge_limbs: (2 L,) int64, and the limb between them.
        signs: (2 L,) float64, 1 where the limb leads to the target.
        xs: (N, K) float64; changed where something is found.
        ys: (N, K) float64; likewise.
        scores: (N, K) float64; likewise.
        found: (N, K) bool, what was found before; not changed.
        sizes: (N,) float64.
        share: of the heatmap's value that becomes the score.
        radius: around another person's peak where nothing is found, in cells.
        field_offset: of a place in the fields to the same place in the heatmaps, cells.
    """
    _, height, width = maps.shape
    best = np.zeros(found.shape)
    for n in range(len(found)):
        step = max(sizes[n] * 0.8, 2.0) / 12
        for e in range(len(targets)):
            k, other, which, sign = targets[e], others[e], edge_limbs[e], signs[e]
            if found[n, k] or not found[n, other]:
                continue
            x, y = xs[n, other], ys[n, other]
            i = int(min(max(x + field_offset + 0.5, 0.0), width - 1.0))
            j = int(min(max(y + field_offset + 0.5, 0.0), height - 1.0))
            along_x = np.float64(fields[2 * which, j, i]) * sign
            along_y = np.float64(fields[2 * which + 1, j, i]) * sign
            length = (along_x * along_x + along_y * along_y) ** 0.5
            if not length >= 0.01:
                continue
            along_x, along_y = along_x / length, along_y / length
            total, score, best_x, best_y, confidence = 0.0, 0.0, 0.0, 0.0, 0.0
            for s in range(12):
                there_x = x + along_x * step * (s + 1)
                there_y = y + along_y * step * (s + 1)
                i = int(min(max(there_x + field_offset + 0.5, 0.0), width - 1.0))
                j = int(min(max(there_y + field_offset + 0.5, 0.0), height - 1.0))
                field_x, field_y = fields[2 * which, j, i], fields[2 * which + 1, j, i]
                total += (field_x * along_x + field_y * along_y) * sign
                if not (-0.5 < there_x < width - 0.5 and -0.5 < there_y < height - 0.5):
                    continue
                i = int(min(max(there_x + 0.5, 0.0), width - 1.0))
                j = int(min(max(there_y + 0.5, 0.0), height - 1.0))
                heat = float(maps[k, j, i])
                here = float(np.float32(max(heat, 0.0) * max(total / (s + 1), 0.0)))
                if here > score:
                    score, confidence = here, heat
                    best_x, best_y = there_x, there_y
            if score <= best[n, k] or _is_taken(
                best_x, best_y, xs, ys, found, k, radius
            ):
                continue
            best[n, k] = score
            xs[n, k], ys[n, k] = best_x, best_y
            scores[n, k] = confidence * share
