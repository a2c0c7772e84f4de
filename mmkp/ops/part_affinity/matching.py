"""Which peaks a limb joins: bipartite matching of its two ends."""

import numpy as np

from mmkp.ops.part_affinity.compiled import compiled
from mmkp.ops.part_affinity.line_integrals import LimbCandidates


@compiled
def match_limbs(candidates: LimbCandidates, num_peaks: int) -> LimbCandidates:
    """Choose limbs so that each peak is the end of one limb of a kind at most.

    CVPR'17, section 2.4: the largest sum of scores (eq. 12) under the constraints of
    eq. 13 and 14, limb by limb (eq. 15). As every released decoder does, the matching
    is greedy, the best candidate first.

    Args:
        candidates: limb by limb, the best of a limb first.
        num_peaks: number of peaks.

    Returns:
        Those that are chosen, in their order.
    """
    limb_from, limb_to = np.full(num_peaks, -1), np.full(num_peaks, -1)
    chosen = np.zeros(len(candidates.limb), np.bool_)
    for m in range(len(chosen)):
        limb, a, b = candidates.limb[m], candidates.start[m], candidates.end[m]
        if limb_from[a] != limb and limb_to[b] != limb:
            limb_from[a] = limb_to[b] = limb
            chosen[m] = True
    return LimbCandidates(
        candidates.limb[chosen],
        candidates.start[chosen],
        candidates.end[chosen],
        candidates.score[chosen],
    )
