"""From confidence maps and part affinity fields of one image to poses, step by step."""

import numpy as np

from mmkp.ops.part_affinity.assembled_poses import (
    AssembledPoses,
    best_first,
    pose_arrays,
)
from mmkp.ops.part_affinity.assembly import (
    add_single_peaks,
    assemble_poses,
    join_fragments,
)
from mmkp.ops.part_affinity.compiled import compiled
from mmkp.ops.part_affinity.grouping_config import GroupingRules
from mmkp.ops.part_affinity.limb_skeleton import LimbTables
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.matching import match_limbs
from mmkp.ops.part_affinity.peaks import find_peaks, highest_peaks, thinned_peaks
from mmkp.ops.part_affinity.recovery import (
    place_absent_keypoints,
    recover_keypoints,
)


@compiled
def decode_image(
    confidence_maps: np.ndarray,
    fields: np.ndarray,
    tables: LimbTables,
    rules: GroupingRules,
    field_offset: float,
) -> AssembledPoses:
    """Find the poses of one image (CVPR'17, section 2.4; TPAMI'19, section 3.4).

    Args:
        confidence_maps: (K, h, w) float32, contiguous, finite.
        fields: (2 L, h, w) float32, contiguous, finite.
        tables: the skeleton.
        rules: distances in cells; maps are taken as they are, but maxima on the border
            of enlarged ones do not count.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.

    Returns:
        The poses in cells, best first.
    """
    peaks = find_peaks(confidence_maps, rules.peak_threshold, rules.upsample <= 1)
    peaks = highest_peaks(peaks, rules.max_peaks)
    if rules.min_peak_distance > 0:
        peaks = thinned_peaks(peaks, rules.min_peak_distance)
    candidates = score_limbs(fields, peaks, tables, field_offset, rules)
    limbs = match_limbs(candidates, len(peaks.x))
    partial = assemble_poses(limbs, len(peaks.x), tables, rules.merge)
    if rules.max_gap > 0:
        partial = add_single_peaks(partial, peaks, rules.min_single_score)
        join_fragments(partial, peaks, tables, rules.max_gap)
    poses = pose_arrays(partial, peaks, rules)
    if rules.search_missing:
        recover_keypoints(poses, confidence_maps, fields, tables, field_offset)
    place_absent_keypoints(poses, tables)
    return best_first(poses)
