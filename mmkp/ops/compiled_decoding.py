"""The decoding of one image, compiled by numba: the same results in less time.

Import this module only where numba is installed. Each function repeats one of the
array code in loops, adding in the same order, and the tests compare them bit by bit.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit

from mmkp.ops import grouping
from mmkp.ops.decode_profile import DecodeProfile
from mmkp.ops.limb_tables import LimbTables
from mmkp.ops.people import SEARCHED_SHARE, TAKEN_RADIUS, People

_compile = njit(cache=True, nogil=True)


def _with_compiled(function: Any, **names: object) -> Callable[..., Any]:
    """Compile a function that calls others by names which stand for compiled ones."""
    scope = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, scope, function.__name__)
    copy.__module__ = function.__module__
    return _compile(copy)


_helpers = dict(
    share_keypoint=_compile(grouping.share_keypoint), unite=_compile(grouping.unite)
)
assemble_people = _with_compiled(grouping.assemble_people, **_helpers)
join_fragments = _with_compiled(grouping.join_fragments, **_helpers)
find_bridges = _compile(grouping.find_bridges)
place_absent_keypoints = _compile(grouping.place_absent_keypoints)


@_compile
def _offset(below, above, score):  # type: ignore[no-untyped-def]
    """Where between two neighbours the parabola has its top, in cells."""
    ratio = np.float64(below) / score
    if not ratio > 0.01:
        ratio = 0.01
    z = (ratio - 1) / (ratio + 1)
    log_below = 2 * z * (15 - 4 * z * z) / (15 - 9 * z * z)
    ratio = np.float64(above) / score
    if not ratio > 0.01:
        ratio = 0.01
    z = (ratio - 1) / (ratio + 1)
    log_above = 2 * z * (15 - 4 * z * z) / (15 - 9 * z * z)
    curvature = log_below + log_above
    if not curvature < -1e-6:
        curvature = -1.0
    return 0.5 * (log_below - log_above) / curvature


@_compile
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


@_compile
def find_peaks(maps, threshold, first_peak, xs, ys, scores):  # type: ignore[no-untyped-def]
    """As :func:`mmkp.ops.peaks.find_peaks`, for one image.

    Args:
        maps: (C, h, w) float32, contiguous, C >= K.
        threshold: float32.
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
        for y in range(height):
            for x in range(width):
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


@_compile
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


@_compile
def score_limbs(  # type: ignore[no-untyped-def]
    fields,
    first_peak,
    xs,
    ys,
    limb_start,
    limb_end,
    assembly_order,
    num_samples,
    sample_threshold,
    min_fraction,
    limbs,
    starts,
    ends,
    scores,
):
    """As :func:`mmkp.ops.limb_scores.score_limbs`, limb by limb in assembly order.

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
                    x, y = xs[a] + along_x * step, ys[a] + along_y * step
                    sample = (
                        _between_cells(field_x, x, y) * unit_x
                        + _between_cells(field_y, x, y) * unit_y
                    )
                    total += sample
                    passing += sample > sample_threshold
                score = total / num_samples
                if not (passing >= needed and score > 0):
                    if length >= 1:
                        continue
                    score = sample_threshold
                if number < len(scores):
                    # Insertion keeps the best of this limb first, equal ones in order.
                    place = number
                    while place > before and scores[place - 1] < score:
                        limbs[place] = limbs[place - 1]
                        starts[place], ends[place] = starts[place - 1], ends[place - 1]
                        scores[place] = scores[place - 1]
                        place -= 1
                    limbs[place], starts[place], ends[place] = which, a, b
                    scores[place] = score
                number += 1
    return number


@_compile
def _is_taken(x, y, xs, ys, found, k, radius):  # type: ignore[no-untyped-def]
    """Whether somebody's keypoint k has its peak here."""
    for n in range(len(found)):
        if found[n, k]:
            distance_x, distance_y = x - xs[n, k], y - ys[n, k]
            if distance_x * distance_x + distance_y * distance_y < radius**2:
                return True
    return False


@_compile
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
):
    """As :mod:`mmkp.ops.missing_keypoints`, for all people of one image.

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
            i = int(min(max(x + 0.5, 0.0), width - 1.0))
            j = int(min(max(y + 0.5, 0.0), height - 1.0))
            along_x = np.float64(fields[2 * which, j, i]) * sign
            along_y = np.float64(fields[2 * which + 1, j, i]) * sign
            length = (along_x * along_x + along_y * along_y) ** 0.5
            if not length >= 0.01:
                continue
            along_x, along_y = along_x / length, along_y / length
            total, score, best_x, best_y, confidence = 0.0, 0.0, 0.0, 0.0, 0.0
            for s in range(12):
                there_x, there_y = (
                    x + along_x * step * (s + 1),
                    y + along_y * step * (s + 1),
                )
                i = int(min(max(there_x + 0.5, 0.0), width - 1.0))
                j = int(min(max(there_y + 0.5, 0.0), height - 1.0))
                total += (
                    fields[2 * which, j, i] * along_x
                    + fields[2 * which + 1, j, i] * along_y
                ) * sign
                if not (-0.5 < there_x < width - 0.5 and -0.5 < there_y < height - 0.5):
                    continue
                heat = np.float64(maps[k, j, i])
                here = max(heat, 0.0) * max(total / (s + 1), 0.0)
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


@_compile
def _group(  # type: ignore[no-untyped-def]
    candidates,
    first_peak,
    xs,
    ys,
    scores,
    limb_start,
    limb_end,
    is_redundant,
    bridges,
    merge,
    max_gap,
    min_single_score,
):
    """Put peaks together: members (F, K) and sums over limbs (F,) of the fragments."""
    number, num_keypoints = len(xs), len(first_peak) - 1
    part = np.empty(number, np.int64)
    for k in range(num_keypoints):
        part[first_peak[k] : first_peak[k + 1]] = k
    owner = np.full(number, -1)
    members = np.full((number // 2 + number) * num_keypoints, -1)
    limb_scores = np.zeros(number // 2 + number)
    limbs, starts, ends, limb_score = candidates
    people = assemble_people(
        limbs,
        starts,
        ends,
        limb_score,
        part,
        is_redundant,
        num_keypoints,
        merge,
        owner,
        members,
        limb_scores,
        np.full(number, -1),
        np.full(number, -1),
    )
    total = people
    if max_gap > 0:
        for peak in range(number):
            if owner[peak] < 0 and scores[peak] > min_single_score:
                owner[peak] = total
                members[total * num_keypoints + part[peak]] = peak
                total += 1
    if max_gap > 0 and total > 1:
        capacity = 64 + 16 * number
        gaps, bridge_ends = np.empty(capacity), np.empty(2 * capacity, np.int64)
        found = find_bridges(
            people,
            first_peak,
            xs,
            ys,
            limb_start,
            limb_end,
            bridges,
            num_keypoints,
            max_gap,
            owner,
            members,
            np.zeros(total),
            gaps,
            bridge_ends,
        )
        if found:
            order = np.argsort(gaps[:found], kind='mergesort')
            join_fragments(
                order, bridge_ends, num_keypoints, owner, members, limb_scores
            )
    shape = (total, num_keypoints)
    return members[: total * num_keypoints].reshape(shape), limb_scores[:total]


@_compile
def _draft(  # type: ignore[no-untyped-def]
    members, limb_scores, xs, ys, scores, min_keypoints, min_score, by_sum
):
    """As :func:`mmkp.ops.people.draft_people`: x, y, scores, found, size, instances."""
    num_keypoints = members.shape[1]
    at_x, at_y = np.zeros(members.shape), np.zeros(members.shape)
    peak_scores, found = np.zeros(members.shape), np.zeros(members.shape, np.bool_)
    size, instance_scores = np.zeros(len(members)), np.zeros(len(members))
    n = 0
    for f in range(len(members)):
        number, total = 0, 0.0
        left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
        for k in range(num_keypoints):
            peak = members[f, k]
            found[n, k] = peak >= 0
            at_x[n, k], at_y[n, k], peak_scores[n, k] = 0.0, 0.0, 0.0
            if peak >= 0:
                number += 1
                x, y = xs[peak], ys[peak]
                at_x[n, k], at_y[n, k], peak_scores[n, k] = x, y, scores[peak]
                total += scores[peak]
                left, right = min(left, x), max(right, x)
                top, bottom = min(top, y), max(bottom, y)
        total += limb_scores[f]
        if number < min_keypoints or total / number < min_score:
            continue
        size[n] = max(right - left, bottom - top)
        instance_scores[n] = total * (number - 1) if by_sum else total / number / 2
        n += 1
    return at_x[:n], at_y[:n], peak_scores[:n], found[:n], size[:n], instance_scores[:n]


@_compile
def _decode(  # type: ignore[no-untyped-def]
    maps,
    fields,
    limb_start,
    limb_end,
    assembly_order,
    is_redundant,
    bridges,
    edge_target,
    edge_other,
    edge_limb,
    edge_sign,
    flip_indices,
    peak_threshold,
    num_samples,
    sample_threshold,
    min_fraction,
    merge,
    max_gap,
    min_single_score,
    search,
    min_keypoints,
    min_score,
    by_sum,
):
    """All steps for one image; keypoints, scores and instance scores, best first."""
    first_peak = np.empty(len(flip_indices) + 1, np.int64)
    capacity, number = 256, 257
    while number > capacity:
        capacity = max(number, capacity)
        peaks = np.empty((3, capacity))
        number = find_peaks(
            maps, peak_threshold, first_peak, peaks[0], peaks[1], peaks[2]
        )
    xs, ys, scores = peaks[0, :number], peaks[1, :number], peaks[2, :number]
    capacity, found = 512, 513
    while found > capacity:
        capacity = max(found, capacity)
        limbs, limb_score = np.empty((3, capacity), np.int64), np.empty(capacity)
        found = score_limbs(
            fields,
            first_peak,
            xs,
            ys,
            limb_start,
            limb_end,
            assembly_order,
            num_samples,
            sample_threshold,
            min_fraction,
            limbs[0],
            limbs[1],
            limbs[2],
            limb_score,
        )
    members, limb_scores = _group(
        (limbs[0, :found], limbs[1, :found], limbs[2, :found], limb_score[:found]),
        first_peak,
        xs,
        ys,
        scores,
        limb_start,
        limb_end,
        is_redundant,
        bridges,
        merge,
        max_gap,
        min_single_score,
    )
    at_x, at_y, peak_scores, is_found, size, instance_scores = _draft(
        members, limb_scores, xs, ys, scores, min_keypoints, min_score, by_sum
    )
    if search:
        search_missing(
            maps,
            fields,
            edge_target,
            edge_other,
            edge_limb,
            edge_sign,
            at_x,
            at_y,
            is_found,
            peak_scores,
            size,
            SEARCHED_SHARE,
            TAKEN_RADIUS,
        )
    place_absent_keypoints(
        at_x.reshape(-1),
        at_y.reshape(-1),
        (is_found | (peak_scores > 0)).reshape(-1),
        len(at_x),
        edge_target,
        edge_other,
        flip_indices,
    )
    order = np.argsort(-instance_scores, kind='mergesort')
    keypoints = np.empty((len(order), len(flip_indices), 2), np.float32)
    keypoints[:, :, 0], keypoints[:, :, 1] = at_x[order], at_y[order]
    return (
        keypoints,
        peak_scores[order].astype(np.float32),
        instance_scores[order].astype(np.float32),
    )


def decode_image(
    heatmaps: np.ndarray, fields: np.ndarray, tables: LimbTables, profile: DecodeProfile
) -> People:
    """Find the people of one image.

    Args:
        heatmaps: (C, h, w) float32, contiguous, finite, C >= K.
        fields: (2 L, h, w) float32, contiguous, finite.
        tables: the skeleton.
        profile: the rules, without those that are not compiled: ``samples_by_length``,
            ``only_passing`` and ``min_peak_distance``.

    Returns:
        People, coordinates in cells.
    """
    people = _decode(
        heatmaps,
        fields,
        tables.start,
        tables.end,
        tables.assembly_order,
        tables.is_redundant,
        tables.bridges,
        tables.edge_target,
        tables.edge_other,
        tables.edge_limb,
        tables.edge_sign,
        tables.flip_indices,
        np.float32(profile.peak_threshold),
        profile.num_samples,
        float(profile.sample_threshold),
        float(profile.min_fraction),
        profile.merge,
        float(profile.max_gap),
        float(profile.min_single_score),
        profile.search_missing,
        profile.min_keypoints,
        float(profile.min_score),
        profile.instance_score == 'sum',
    )
    return People(*people)
