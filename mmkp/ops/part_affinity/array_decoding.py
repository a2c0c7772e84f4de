"""The decoding of a batch by array operations, on the CPU or on the device of the maps.

What is big (maps, samples along limbs and walks) is worked on where the maps are; the
peaks and the scores of limbs go to the CPU, where people are put together.
"""

from typing import Any, NamedTuple

import numpy as np

from mmkp.ops.part_affinity import grouping
from mmkp.ops.part_affinity.arrays import like, to_numpy
from mmkp.ops.part_affinity.assembled_poses import (
    SEARCHED_SHARE,
    TAKEN_RADIUS,
    Draft,
    People,
    draft_people,
    finished_people,
    no_people,
)
from mmkp.ops.part_affinity.grouping_config import GroupingConfig
from mmkp.ops.part_affinity.limb_tables import LimbTables
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import Peaks, find_peaks, highest_peaks, thinned_peaks
from mmkp.ops.part_affinity.recovery import recover_keypoints


class _Fragments(NamedTuple):
    """Peaks (F, K) of the fragments of one image, -1 for none, and sums over limbs."""

    members: np.ndarray
    limb_scores: np.ndarray


def decode_arrays(
    heatmaps: Any,
    fields: Any,
    tables: LimbTables,
    profile: GroupingConfig,
    stride: float,
    field_offset: float = 0.0,
) -> list[People]:
    """Find the people of a batch.

    Args:
        heatmaps: (B, C, h, w) float32, array or tensor, C >= K, finite.
        fields: (B, 2 L, h, w) float32, of the same kind, contiguous, finite.
        tables: the skeleton.
        profile: the rules; maps are taken as they are, but maxima on the border of
            enlarged ones do not count.
        stride: input pixels a cell, for rules in pixels.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.

    Returns:
        People of each image, coordinates in cells.
    """
    batch, _, height, width = heatmaps.shape
    num_keypoints = tables.num_keypoints
    maps = heatmaps[:, :num_keypoints].reshape(-1, height, width)
    is_enlarged = profile.upsample > 1
    peaks = find_peaks(maps, profile.peak_threshold, border=not is_enlarged)
    peaks = highest_peaks(peaks, profile.max_peaks)
    if profile.min_peak_distance > 0:
        peaks = thinned_peaks(peaks, profile.min_peak_distance / stride)
    candidates = score_limbs(
        fields,
        peaks,
        tables.limbs,
        num_keypoints,
        field_offset,
        profile.num_samples,
        profile.sample_threshold,
        profile.min_fraction,
        profile.length_penalty,
        profile.samples_by_length,
        profile.only_passing,
    )
    channel, x, y, scores = (to_numpy(v) for v in peaks)
    image, limb, start, end, limb_score = (to_numpy(v) for v in candidates)
    order = np.lexsort((-limb_score, tables.rank[limb], image))
    limb, start, end, limb_score = (v[order] for v in (limb, start, end, limb_score))
    bounds = np.arange(batch + 1)
    peak_bounds = np.searchsorted(channel, bounds * num_keypoints).tolist()
    limb_bounds = np.searchsorted(image[order], bounds).tolist()
    groups, owners = [], []
    for b in range(batch):
        of_peaks = slice(peak_bounds[b], peak_bounds[b + 1])
        of_limbs = slice(limb_bounds[b], limb_bounds[b + 1])
        if of_limbs.start == of_limbs.stop:
            continue
        fragments = _group(
            Peaks(
                channel[of_peaks] - b * num_keypoints,
                x[of_peaks],
                y[of_peaks],
                scores[of_peaks],
            ),
            limb[of_limbs],
            start[of_limbs] - of_peaks.start,
            end[of_limbs] - of_peaks.start,
            limb_score[of_limbs],
            tables,
            profile,
        )
        members = fragments.members
        groups.append(
            (
                np.where(members >= 0, members + of_peaks.start, -1),
                fragments.limb_scores,
            )
        )
        owners.append(np.full(len(members), b))
    if not groups:
        return [no_people(num_keypoints)] * batch
    members, limb_scores = (np.concatenate(part) for part in zip(*groups, strict=True))
    draft, kept = draft_people(members, limb_scores, x, y, scores, profile)
    image_of = np.concatenate(owners)[kept]
    if profile.search_missing:
        _search(heatmaps, fields, draft, image_of, tables, field_offset)
    _place_absent(draft, tables)
    return [
        finished_people(Draft(*(v[image_of == b] for v in draft))) for b in range(batch)
    ]


def _group(
    peaks: Peaks,
    limb: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    score: np.ndarray,
    tables: LimbTables,
    profile: GroupingConfig,
) -> _Fragments:
    """Put the peaks of one image together; limbs come in the order of assembly."""
    num_keypoints, num_peaks = tables.num_keypoints, len(peaks.x)
    part = peaks.channel.tolist()
    owner = [-1] * num_peaks
    members = [-1] * ((num_peaks // 2 + num_peaks) * num_keypoints)
    limb_scores = [0.0] * (num_peaks // 2 + num_peaks)
    number = grouping.assemble_people(
        limb.tolist(),
        start.tolist(),
        end.tolist(),
        score.tolist(),
        part,
        tables.is_redundant.tolist(),
        num_keypoints,
        profile.merge,
        owner,
        members,
        limb_scores,
        [-1] * num_peaks,
        [-1] * num_peaks,
    )
    total = number
    if profile.max_gap > 0:
        for peak in np.flatnonzero(peaks.score > profile.min_single_score).tolist():
            if owner[peak] < 0:
                owner[peak] = total
                members[total * num_keypoints + part[peak]] = peak
                total += 1
        _join(
            number, total, peaks, tables, profile.max_gap, owner, members, limb_scores
        )
    flat = np.array(members[: total * num_keypoints], np.int64)
    return _Fragments(flat.reshape(-1, num_keypoints), np.array(limb_scores[:total]))


def _join(
    num_people: int,
    num_fragments: int,
    peaks: Peaks,
    tables: LimbTables,
    max_gap: float,
    owner: list[int],
    members: list[int],
    limb_scores: list[float],
) -> None:
    """Join fragments over bridges, in place."""
    if num_fragments < 2:
        return
    capacity = 64 + 16 * len(owner)
    gaps, ends = [0.0] * capacity, [0] * (2 * capacity)
    first_peak = np.searchsorted(peaks.channel, np.arange(tables.num_keypoints + 1))
    found = grouping.find_bridges(
        num_people,
        first_peak.tolist(),
        peaks.x.tolist(),
        peaks.y.tolist(),
        tables.start.tolist(),
        tables.end.tolist(),
        tables.bridges.tolist(),
        tables.num_keypoints,
        max_gap,
        owner,
        members,
        [0.0] * num_fragments,
        gaps,
        ends,
    )
    if found:
        order = np.argsort(np.array(gaps[:found]), kind='stable').tolist()
        grouping.join_fragments(
            order, ends, tables.num_keypoints, owner, members, limb_scores
        )


def _search(
    heatmaps: Any,
    fields: Any,
    draft: Draft,
    image: np.ndarray,
    tables: LimbTables,
    field_offset: float,
) -> None:
    """Look for missing keypoints along all fields that lead to them, in place."""
    absent = ~draft.found[:, tables.edge_target] & draft.found[:, tables.edge_other]
    person, edge = np.nonzero(absent)
    if not len(person):
        return
    target, other = tables.edge_target[edge], tables.edge_other[edge]
    walks: tuple = (
        image[person],
        target,
        tables.edge_limb[edge],
        tables.edge_sign[edge],
        draft.x[person, other],
        draft.y[person, other],
        draft.size[person],
    )
    found = recover_keypoints(
        heatmaps, fields, *[like(v, fields) for v in walks], field_offset=field_offset
    )
    score, x, y, heat = (to_numpy(v) for v in found)
    # The best walk to a keypoint is written last, and the first of equal ones.
    order = np.lexsort((-np.arange(len(score)), score))
    order = order[score[order] > 0]
    # A peak belongs to one person only, also when another one's walk ends there.
    if len(draft.found) > 1:
        ends = (x[order], y[order])
        order = order[~_is_taken(draft, image, person[order], target[order], ends)]
    place = (person[order], target[order])
    draft.x[place], draft.y[place] = x[order], y[order]
    draft.scores[place] = heat[order] * SEARCHED_SHARE


def _is_taken(
    draft: Draft, image: np.ndarray, person: np.ndarray, target: np.ndarray, ends: tuple
) -> np.ndarray:
    """Whether walks (M,) end where somebody else of the image has that keypoint."""
    of_others = draft.found[:, target].T & (image[person][:, None] == image[None])
    distance_x = ends[0][:, None] - draft.x[:, target].T
    distance_y = ends[1][:, None] - draft.y[:, target].T
    near = distance_x * distance_x + distance_y * distance_y < TAKEN_RADIUS**2
    return (near & of_others).any(1)


def _place_absent(draft: Draft, tables: LimbTables) -> None:
    """Put what was not found at a plausible place, in place."""
    found = draft.found | (draft.scores > 0)
    if found.all():
        return
    x, y = draft.x.ravel().tolist(), draft.y.ravel().tolist()
    grouping.place_absent_keypoints(
        x,
        y,
        found.ravel().tolist(),
        len(found),
        tables.edge_target.tolist(),
        tables.edge_other.tolist(),
        tables.flip_indices.tolist(),
    )
    draft.x[...] = np.array(x).reshape(found.shape)
    draft.y[...] = np.array(y).reshape(found.shape)
