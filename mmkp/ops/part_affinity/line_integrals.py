"""How well part affinity fields support a limb between two peaks."""

import math
from typing import NamedTuple

import numpy as np

from mmkp.ops.part_affinity.compiled import compiled, inlined
from mmkp.ops.part_affinity.grouping_config import GroupingRules
from mmkp.ops.part_affinity.limb_skeleton import LimbTables
from mmkp.ops.part_affinity.peaks import Peaks


class LimbCandidates(NamedTuple):
    """M pairs of peaks that may be the two ends of a limb.

    ``limb`` (M,) int64; ``start`` and ``end`` (M,) int64 are indices of peaks;
    ``score`` (M,) float64 is the line integral.
    """

    limb: np.ndarray
    start: np.ndarray
    end: np.ndarray
    score: np.ndarray


@inlined
def line_integral(
    field: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    rules: GroupingRules,
) -> float:
    r"""Integrate a part affinity field along a limb (CVPR'17, eq. 10 and 11).

    ``E = \int L(p(u)) . (d_2 - d_1) / |d_2 - d_1| du``, ``p(u) = (1-u) d_1 + u d_2``,
    as the mean of samples in the middles of equal pieces, each read between cells.
    Enough of them have to exceed a threshold. Ends within one cell of each other have
    no direction to integrate along and pass with at least the threshold as score.

    Args:
        field: (2, h, w) float32, its x and y.
        start: x and y of d_1 in cells.
        end: x and y of d_2 in cells.
        rules: of the samples, and of the length.

    Returns:
        The score, ``-inf`` where the field does not support the limb.
    """
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = (along_x * along_x + along_y * along_y) ** 0.5
    unit = max(length, 1e-6)
    unit_x, unit_y = along_x / unit, along_y / unit
    number, first = rules.num_samples, 0.5
    if rules.samples_by_length:
        longer = max(abs(along_x), abs(along_y))
        number, first = int(min(max((5 * longer) ** 0.5 + 0.5, 5.0), 25.0)), 0.0
    needed, passing, total, total_passing = rules.min_fraction * number, 0, 0.0, 0.0
    for s in range(number):
        if passing + number - s < needed:
            break
        u = (s + first) / number
        x, y = start[0] + along_x * u, start[1] + along_y * u
        field_x, field_y = _vector_between_cells(field, x, y)
        sample = field_x * unit_x + field_y * unit_y
        total += sample
        if sample > rules.sample_threshold:
            passing += 1
            total_passing += sample
    score = total / number
    if rules.only_passing:
        score = total_passing / max(passing, 1)
    if rules.length_penalty:
        # As the paper's own MATLAB code does: what is beyond half the map's height.
        score += min(0.5 * field.shape[1] / unit - 1, 0.0)
    if passing >= needed and score > 0:
        return score
    return rules.sample_threshold if length < 1 else -math.inf


@inlined
def _vector_between_cells(field: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Value of a field between its cells, bilinearly."""
    _, height, width = field.shape
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    i, j = int(min(x, max(width - 2.0, 0.0))), int(min(y, max(height - 2.0, 0.0)))
    right, below = x - i, y - j
    left, above = 1 - right, 1 - below
    i2, j2 = min(i + 1, width - 1), min(j + 1, height - 1)
    return (
        above * (left * field[0, j, i] + right * field[0, j, i2])
        + below * (left * field[0, j2, i] + right * field[0, j2, i2]),
        above * (left * field[1, j, i] + right * field[1, j, i2])
        + below * (left * field[1, j2, i] + right * field[1, j2, i2]),
    )


@compiled
def score_limbs(
    fields: np.ndarray,
    peaks: Peaks,
    tables: LimbTables,
    field_offset: float,
    rules: GroupingRules,
) -> LimbCandidates:
    """Integrate the field of each limb between all pairs of peaks at its two ends.

    Args:
        fields: (2 L, h, w) float32, contiguous.
        peaks: of the confidence maps.
        tables: the skeleton.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.
        rules: see :func:`line_integral`.

    Returns:
        Pairs that pass, limb by limb in the order of assembly, the best of a limb
        first.
    """
    size = peaks.first[1:] - peaks.first[:-1]
    capacity = (size[tables.start] * size[tables.end]).sum()
    indices, scores = np.empty((3, capacity), np.int64), np.empty(capacity)
    x, y = peaks.x + field_offset, peaks.y + field_offset
    number = 0
    for limb in tables.assembly_order:
        before = number
        field = fields[2 * limb : 2 * limb + 2]
        begin, end = tables.start[limb], tables.end[limb]
        for a in range(peaks.first[begin], peaks.first[begin + 1]):
            for b in range(peaks.first[end], peaks.first[end + 1]):
                score = line_integral(field, (x[a], y[a]), (x[b], y[b]), rules)
                if score > -math.inf:
                    indices[0, number], scores[number] = limb, score
                    indices[1, number], indices[2, number] = a, b
                    number += 1
        if number > before + 1:
            order = before + np.argsort(-scores[before:number], kind='mergesort')
            indices[:, before:number] = indices[:, order]
            scores[before:number] = scores[order]
    return LimbCandidates(
        indices[0, :number],
        indices[1, :number],
        indices[2, :number],
        scores[:number],
    )
