"""Poses as arrays, made of groups of peaks."""

from typing import NamedTuple

import numpy as np

from mmkp.ops.part_affinity.assembly import PartialPoses
from mmkp.ops.part_affinity.compiled import compiled
from mmkp.ops.part_affinity.grouping_config import GroupingRules
from mmkp.ops.part_affinity.peaks import Peaks


class AssembledPoses(NamedTuple):
    """N poses of one image.

    ``keypoints`` (N, K, 2), x and y; ``scores`` (N, K), 0 where a keypoint was not
    found and merely placed; ``instance_scores`` (N,). Float64 while they are worked
    on, float32 when they are done.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    instance_scores: np.ndarray


@compiled
def pose_arrays(
    partial: PartialPoses, peaks: Peaks, rules: GroupingRules
) -> AssembledPoses:
    """Look up the peaks of poses and leave out who has too few or too weak ones.

    Args:
        partial: F groups of peaks.
        peaks: P peaks.
        rules: on who is left out, and on the score of a pose.

    Returns:
        The poses, in the order of the groups, what has no peak at the origin.
    """
    capacity, num_keypoints = partial.peak.shape
    keypoints = np.zeros((capacity, num_keypoints, 2))
    scores, instance_scores = np.zeros((capacity, num_keypoints)), np.zeros(capacity)
    n = 0
    for f in range(capacity):
        number, total = 0, 0.0
        for peak in partial.peak[f]:
            if peak >= 0:
                number += 1
                total += peaks.score[peak]
        total += partial.limb_score[f]
        if number < rules.min_keypoints or total / number < rules.min_score:
            continue
        for k in range(num_keypoints):
            peak = partial.peak[f, k]
            if peak >= 0:
                keypoints[n, k, 0], keypoints[n, k, 1] = peaks.x[peak], peaks.y[peak]
                scores[n, k] = peaks.score[peak]
        mean = total / number / 2
        instance_scores[n] = total * (number - 1) if rules.scores_by_sum else mean
        n += 1
    return AssembledPoses(keypoints[:n], scores[:n], instance_scores[:n])


@compiled
def best_first(poses: AssembledPoses) -> AssembledPoses:
    """Sort poses by their scores.

    Args:
        poses: float64.

    Returns:
        The same in float32, best first.
    """
    order = np.argsort(-poses.instance_scores, kind='mergesort')
    return AssembledPoses(
        poses.keypoints[order].astype(np.float32),
        poses.scores[order].astype(np.float32),
        poses.instance_scores[order].astype(np.float32),
    )
