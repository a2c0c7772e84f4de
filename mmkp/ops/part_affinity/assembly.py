"""Limbs that share a peak become poses; fragments are joined over missing links."""

import math
from typing import NamedTuple

import numpy as np

from mmkp.ops.part_affinity.compiled import compiled
from mmkp.ops.part_affinity.limb_skeleton import LimbTables
from mmkp.ops.part_affinity.line_integrals import LimbCandidates
from mmkp.ops.part_affinity.peaks import Peaks


class PartialPoses(NamedTuple):
    """N groups of peaks, changed in place while they grow.

    ``peak`` (N, K) int64 is the peak of each keypoint or -1, ``limb_score`` (N,)
    float64 the sum over a group's limbs, ``pose_of_peak`` (P,) int64 the group of each
    peak or -1. A group that was united with another one has no peaks left.
    """

    peak: np.ndarray
    limb_score: np.ndarray
    pose_of_peak: np.ndarray


@compiled
def assemble_poses(
    limbs: LimbCandidates, num_peaks: int, tables: LimbTables, merge: bool
) -> PartialPoses:
    """Put limbs together that share a peak (CVPR'17, section 2.4).

    A limb begins a pose (unless it is redundant), extends the pose that owns one of
    its ends, whichever it is, or unites two poses that share no keypoint.

    Args:
        limbs: matched, in the order of assembly.
        num_peaks: number P of peaks.
        tables: the skeleton.
        merge: whether poses are united.

    Returns:
        The poses.
    """
    capacity = num_peaks // 2
    poses = PartialPoses(
        np.full((capacity, len(tables.flip_indices)), -1),
        np.zeros(capacity),
        np.full(num_peaks, -1),
    )
    number = 0
    for m in range(len(limbs.limb)):
        limb, a, b = limbs.limb[m], limbs.start[m], limbs.end[m]
        first, second = poses.pose_of_peak[a], poses.pose_of_peak[b]
        if first < 0 and second < 0:
            if tables.is_redundant[limb]:
                continue
            first = number
            number += 1
            _add(poses, first, tables.start[limb], a)
            _add(poses, first, tables.end[limb], b)
        elif first < 0:
            first = second
            if not _add(poses, second, tables.start[limb], a):
                continue
        elif second < 0:
            if not _add(poses, first, tables.end[limb], b):
                continue
        elif first != second and not (merge and _unite(poses, first, second)):
            continue
        poses.limb_score[first] += limbs.score[m]
    return PartialPoses(
        poses.peak[:number], poses.limb_score[:number], poses.pose_of_peak
    )


@compiled
def _add(poses: PartialPoses, pose: int, keypoint: int, peak: int) -> bool:
    """Give a peak to a pose that lacks the keypoint; whether it does."""
    if poses.peak[pose, keypoint] >= 0:
        return False
    poses.peak[pose, keypoint] = peak
    poses.pose_of_peak[peak] = pose
    return True


@compiled
def _unite(poses: PartialPoses, first: int, second: int) -> bool:
    """Give all of the second pose to the first, if they share no keypoint."""
    num_keypoints = poses.peak.shape[1]
    for k in range(num_keypoints):
        if poses.peak[first, k] >= 0 and poses.peak[second, k] >= 0:
            return False
    for k in range(num_keypoints):
        peak = poses.peak[second, k]
        if peak >= 0:
            _add(poses, first, k, peak)
            poses.peak[second, k] = -1
    poses.limb_score[first] += poses.limb_score[second]
    poses.limb_score[second] = 0.0
    return True


@compiled
def add_single_peaks(poses: PartialPoses, peaks: Peaks, least: float) -> PartialPoses:
    """Make a group of each peak that belongs to none.

    Args:
        poses: N groups.
        peaks: P peaks.
        least: score that a single peak has to exceed.

    Returns:
        These groups, then the single peaks.
    """
    number, num_keypoints = poses.peak.shape
    single = (poses.pose_of_peak < 0) & (peaks.score > least)
    total = number + single.sum()
    grown = PartialPoses(
        np.full((total, num_keypoints), -1), np.zeros(total), poses.pose_of_peak
    )
    grown.peak[:number], grown.limb_score[:number] = poses.peak, poses.limb_score
    for k in range(num_keypoints):
        for p in range(peaks.first[k], peaks.first[k + 1]):
            if single[p]:
                _add(grown, number, k, p)
                number += 1
    return grown


@compiled
def join_fragments(
    poses: PartialPoses, peaks: Peaks, tables: LimbTables, max_gap: float
) -> None:
    """Join fragments of a person over missing links, the smallest gap first, in place.

    A neck that cannot be seen leaves two legs and a head that no field joins. A missing
    link leads from one neighbour of a keypoint to another one, over that keypoint, and
    is open between two fragments that both lack it. The gap is measured in the longer
    of their mean limb lengths, which is at least a cell.

    Args:
        poses: the fragments.
        peaks: P peaks.
        tables: the skeleton.
        max_gap: largest gap.
    """
    lengths = _mean_limb_lengths(poses, peaks, tables)
    gaps, ends = [0.0 for _ in range(0)], [(0, 0) for _ in range(0)]
    for first, second, between in tables.missing_links:
        for a in range(peaks.first[first], peaks.first[first + 1]):
            p = poses.pose_of_peak[a]
            if p < 0 or poses.peak[p, between] >= 0:
                continue
            for b in range(peaks.first[second], peaks.first[second + 1]):
                q = poses.pose_of_peak[b]
                if q < 0 or q == p or poses.peak[q, between] >= 0:
                    continue
                length = max(lengths[p], lengths[q])
                distance = _distance(peaks, a, b)
                if length > 0 and distance < max_gap * max(length, 1.0):
                    gaps.append(distance / max(length, 1.0))
                    ends.append((a, b))
    for link in np.argsort(np.array(gaps), kind='mergesort'):
        a, b = ends[link]
        p, q = poses.pose_of_peak[a], poses.pose_of_peak[b]
        if p != q:
            _unite(poses, p, q)


@compiled
def _mean_limb_lengths(
    poses: PartialPoses, peaks: Peaks, tables: LimbTables
) -> np.ndarray:
    """Mean length of each pose's limbs in cells, (N,), 0 for single peaks."""
    lengths = np.zeros(len(poses.peak))
    for n in range(len(lengths)):
        total, number = 0.0, 0
        for limb in range(len(tables.start)):
            a, b = poses.peak[n, tables.start[limb]], poses.peak[n, tables.end[limb]]
            if a >= 0 and b >= 0:
                total += _distance(peaks, a, b)
                number += 1
        if number:
            lengths[n] = total / number
    return lengths


@compiled
def _distance(peaks: Peaks, a: int, b: int) -> float:
    return math.sqrt((peaks.x[a] - peaks.x[b]) ** 2 + (peaks.y[a] - peaks.y[b]) ** 2)
