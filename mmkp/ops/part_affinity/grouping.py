"""From limbs between peaks to people: greedy matching, assembly, joining of fragments.

These functions loop over plain numbers in sequences with one index. They are given
lists when interpreted and arrays when compiled by numba, and add in the same order
either way, so that both give the same people.
"""

import math
from typing import Any


def assemble_people(
    limb: Any,
    start: Any,
    end: Any,
    score: Any,
    part: Any,
    is_redundant: Any,
    num_keypoints: int,
    merge: bool,
    owner: Any,
    members: Any,
    limb_scores: Any,
    used_as_start: Any,
    used_as_end: Any,
) -> int:
    """Match the ends of each limb greedily and put people together.

    Candidates come limb by limb in the order of assembly, the best of a limb first.
    Within a limb each peak is used once. A limb begins a person (unless it is
    redundant), extends the person that owns one of its ends, whichever it is, or unites
    two people who share no keypoint.

    Args:
        limb: (M,) int, of the candidates.
        start: (M,) int, peak at which the limb begins.
        end: (M,) int, peak at which it ends.
        score: (M,) float, of the candidates.
        part: (P,) int, keypoint of each peak.
        is_redundant: (L,) whether a limb only joins.
        num_keypoints: number K of keypoints.
        merge: whether people are united.
        owner: (P,) filled with -1; receives the person that each peak belongs to.
        members: (N K,) filled with -1, N >= M; receives the peak of each keypoint.
        limb_scores: (N,) filled with 0; receives the sum over each person's limbs.
        used_as_start: (P,) filled with -1; scratch space.
        used_as_end: (P,) filled with -1; scratch space.

    Returns:
        How many people were begun; those that were united with another one have no
        members left.
    """
    number = 0
    for m in range(len(limb)):
        a, b, which = start[m], end[m], limb[m]
        if used_as_start[a] == which or used_as_end[b] == which:
            continue
        used_as_start[a] = which
        used_as_end[b] = which
        first, second = owner[a], owner[b]
        if first < 0 and second < 0:
            if is_redundant[which]:
                continue
            first = number
            owner[a] = number
            owner[b] = number
            members[number * num_keypoints + part[a]] = a
            members[number * num_keypoints + part[b]] = b
            number += 1
        elif first < 0:
            if members[second * num_keypoints + part[a]] >= 0:
                continue
            first = second
            owner[a] = second
            members[second * num_keypoints + part[a]] = a
        elif second < 0:
            if members[first * num_keypoints + part[b]] >= 0:
                continue
            owner[b] = first
            members[first * num_keypoints + part[b]] = b
        elif first != second:
            if not merge or share_keypoint(members, first, second, num_keypoints):
                continue
            unite(first, second, num_keypoints, owner, members, limb_scores)
        limb_scores[first] += score[m]
    return number


def find_bridges(
    num_people: int,
    first_peak: Any,
    x: Any,
    y: Any,
    limb_start: Any,
    limb_end: Any,
    bridges: Any,
    num_keypoints: int,
    max_gap: float,
    owner: Any,
    members: Any,
    lengths: Any,
    gaps: Any,
    ends: Any,
) -> int:
    """List the places where two fragments of a person may be joined.

    A neck that cannot be seen leaves two legs and a head that no field joins. A bridge
    leads from one neighbour of a keypoint to another one, over that keypoint, and is
    open between two fragments that both lack it. The gap is measured in the longer of
    their mean limb lengths.

    Args:
        num_people: fragments with a limb; others are single peaks.
        first_peak: (K + 1,) int, where the peaks of each keypoint begin.
        x: (P,) float, of the peaks in cells.
        y: (P,) float, of the peaks in cells.
        limb_start: (L,) int, keypoint at which each limb begins.
        limb_end: (L,) int, keypoint at which it ends.
        bridges: (3 J,) int, triplets of two keypoints and the one between them.
        num_keypoints: number K of keypoints.
        max_gap: largest gap.
        owner: (P,) fragment of each peak, -1 where it takes no part.
        members: (N K,) peak of each fragment's keypoints, or -1.
        lengths: (N,) receives the fragments' mean limb lengths.
        gaps: (C,) receives the gaps.
        ends: (2 C,) receives pairs of peaks, one in each fragment.

    Returns:
        Number of bridges, at most C.
    """
    for n in range(num_people):
        total, many = 0.0, 0
        for which in range(len(limb_start)):
            a = members[n * num_keypoints + limb_start[which]]
            b = members[n * num_keypoints + limb_end[which]]
            if a >= 0 and b >= 0:
                total += math.sqrt((x[a] - x[b]) ** 2 + (y[a] - y[b]) ** 2)
                many += 1
        lengths[n] = total / many if many else 0.0
    found = 0
    for j in range(len(bridges) // 3):
        over = bridges[3 * j + 2]
        u, v = bridges[3 * j], bridges[3 * j + 1]
        for a in range(first_peak[u], first_peak[u + 1]):
            p = owner[a]
            if p < 0 or members[p * num_keypoints + over] >= 0:
                continue
            for b in range(first_peak[v], first_peak[v + 1]):
                q = owner[b]
                if q < 0 or q == p or members[q * num_keypoints + over] >= 0:
                    continue
                scale = max(lengths[p], lengths[q])
                distance = math.sqrt((x[a] - x[b]) ** 2 + (y[a] - y[b]) ** 2)
                if scale > 0 and distance < max_gap * max(scale, 1.0):
                    if found < len(gaps):
                        gaps[found] = distance / max(scale, 1.0)
                        ends[2 * found] = a
                        ends[2 * found + 1] = b
                        found += 1
    return found


def join_fragments(
    order: Any,
    ends: Any,
    num_keypoints: int,
    owner: Any,
    members: Any,
    limb_scores: Any,
) -> None:
    """Join fragments over bridges, the smallest gap first, if they share no keypoint.

    Args:
        order: (C,) int, the bridges from the smallest gap to the largest.
        ends: (2 C,) int, pairs of peaks, one in each fragment.
        num_keypoints: number K of keypoints.
        owner: (P,) fragment of each peak; changed.
        members: (N K,) peaks of each fragment; changed.
        limb_scores: (N,) sums over the fragments' limbs; changed.
    """
    for c in order:
        p, q = owner[ends[2 * c]], owner[ends[2 * c + 1]]
        if p != q and not share_keypoint(members, p, q, num_keypoints):
            unite(p, q, num_keypoints, owner, members, limb_scores)


def share_keypoint(members: Any, first: int, second: int, num_keypoints: int) -> bool:
    """Whether two people both have a peak for some keypoint."""
    for k in range(num_keypoints):
        if members[first * num_keypoints + k] >= 0:
            if members[second * num_keypoints + k] >= 0:
                return True
    return False


def unite(
    first: int,
    second: int,
    num_keypoints: int,
    owner: Any,
    members: Any,
    limb_scores: Any,
) -> None:
    """Give everything that the second person has to the first one."""
    for k in range(num_keypoints):
        peak = members[second * num_keypoints + k]
        if peak >= 0:
            members[first * num_keypoints + k] = peak
            members[second * num_keypoints + k] = -1
            owner[peak] = first
    limb_scores[first] += limb_scores[second]
    limb_scores[second] = 0.0


def place_absent_keypoints(
    x: Any,
    y: Any,
    is_found: Any,
    num_people: int,
    neighbor_target: Any,
    neighbor: Any,
    flip_indices: Any,
) -> None:
    """Put keypoints that were not found at a plausible place in the body.

    First choice is symmetry: a wrist hangs from its elbow as the other wrist does from
    the other elbow. Second is the mean of the neighbours, third of the whole person.

    Args:
        x: (N K,) float; changed where nothing was found.
        y: (N K,) float; changed where nothing was found.
        is_found: (N K,) whether a keypoint was found.
        num_people: number N of people.
        neighbor_target: (2 L,) int, a keypoint, in ascending order ...
        neighbor: (2 L,) int, ... and one that a limb joins to it.
        flip_indices: (K,) int, the mirror image of each keypoint.
    """
    num_keypoints = len(flip_indices)
    for n in range(num_people):
        base = n * num_keypoints
        sum_x, sum_y, many = 0.0, 0.0, 0
        for k in range(num_keypoints):
            if is_found[base + k]:
                sum_x += x[base + k]
                sum_y += y[base + k]
                many += 1
        for k in range(num_keypoints):
            if not is_found[base + k]:
                x[base + k] = sum_x / many
                y[base + k] = sum_y / many
        d = 0
        while d < len(neighbor):
            k = neighbor_target[d]
            mirror = base + flip_indices[k]
            near_x, near_y, near = 0.0, 0.0, 0
            placed = is_found[base + k]
            while d < len(neighbor) and neighbor_target[d] == k:
                other = base + neighbor[d]
                opposite = base + flip_indices[neighbor[d]]
                d += 1
                if placed or not is_found[other]:
                    continue
                if mirror != base + k and is_found[mirror] and is_found[opposite]:
                    x[base + k] = x[other] + (x[mirror] - x[opposite])
                    y[base + k] = y[other] + (y[mirror] - y[opposite])
                    placed = True
                near_x += x[other]
                near_y += y[other]
                near += 1
            if not placed and near > 0:
                x[base + k] = near_x / near
                y[base + k] = near_y / near
