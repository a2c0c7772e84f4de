"""The decoding of one image, compiled by numba: the same results in less time.

Import this module only where numba is installed.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from mmkp.ops.part_affinity import grouping
from mmkp.ops.part_affinity.assembled_poses import SEARCHED_SHARE, TAKEN_RADIUS, People
from mmkp.ops.part_affinity.compiled_steps import (
    compile_loops,
    find_peaks,
    keep_highest,
    score_limbs,
    search_missing,
)
from mmkp.ops.part_affinity.grouping_config import GroupingConfig
from mmkp.ops.part_affinity.limb_tables import LimbTables


def _with_compiled(function: Any, **names: object) -> Callable[..., Any]:
    """Compile a function that calls others by names which stand for compiled ones."""
    scope = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, scope, function.__name__)
    copy.__module__ = function.__module__
    return compile_loops(copy)


_helpers = dict(
    share_keypoint=compile_loops(grouping.share_keypoint),
    unite=compile_loops(grouping.unite),
)
assemble_people = _with_compiled(grouping.assemble_people, **_helpers)
join_fragments = _with_compiled(grouping.join_fragments, **_helpers)
find_bridges = compile_loops(grouping.find_bridges)
place_absent_keypoints = compile_loops(grouping.place_absent_keypoints)


@compile_loops
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


@compile_loops
def _draft(  # type: ignore[no-untyped-def]
    members, limb_scores, xs, ys, scores, min_keypoints, min_score, by_sum
):
    """As :func:`draft_people`: x, y, scores, found, size, instances."""
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


@compile_loops
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
    field_offset,
    peak_threshold,
    border,
    max_peaks,
    num_samples,
    sample_threshold,
    min_fraction,
    length_penalty,
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
            maps, peak_threshold, border, first_peak, peaks[0], peaks[1], peaks[2]
        )
    if number > max_peaks:
        number = keep_highest(first_peak, peaks[0], peaks[1], peaks[2], max_peaks)
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
            field_offset,
            num_samples,
            sample_threshold,
            min_fraction,
            length_penalty,
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
            field_offset,
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
    heatmaps: np.ndarray,
    fields: np.ndarray,
    tables: LimbTables,
    profile: GroupingConfig,
    field_offset: float = 0.0,
) -> People:
    """Find the people of one image.

    Args:
        heatmaps: (C, h, w) float32, contiguous, finite, C >= K.
        fields: (2 L, h, w) float32, contiguous, finite.
        tables: the skeleton.
        profile: the rules, without those that are not compiled: ``samples_by_length``,
            ``only_passing`` and ``min_peak_distance``.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.

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
        float(field_offset),
        np.float32(profile.peak_threshold),
        int(profile.upsample > 1),
        profile.max_peaks,
        profile.num_samples,
        float(profile.sample_threshold),
        float(profile.min_fraction),
        profile.length_penalty,
        profile.merge,
        float(profile.max_gap),
        float(profile.min_single_score),
        profile.search_missing,
        profile.min_keypoints,
        float(profile.min_score),
        profile.instance_score == 'sum',
    )
    return People(*people)
