"""People as arrays, and what becomes of them once their peaks are known."""

from typing import Any, NamedTuple

import numpy as np

from mmkp.ops.part_affinity.grouping_config import GroupingConfig

#: Share of the heatmap's value that a keypoint found along a field has as its score.
SEARCHED_SHARE = 0.5
#: Cells around another person's peak where a search finds nothing.
TAKEN_RADIUS = 1.5


class People(NamedTuple):
    """N people of one image, best first.

    ``keypoints`` (N, K, 2) float32, x and y; ``scores`` (N, K) float32, 0 where a
    keypoint was not found and merely placed; ``instance_scores`` (N,) float32.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    instance_scores: np.ndarray


class Draft(NamedTuple):
    """People while they are worked on, float64: ``x``, ``y``, ``scores`` (N, K).

    ``found`` (N, K) bool says which keypoints have a peak, ``size`` (N,) is the larger
    side of the box around them in cells, ``instance_scores`` (N,).
    """

    x: np.ndarray
    y: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    size: np.ndarray
    instance_scores: np.ndarray


def draft_people(
    members: np.ndarray,
    limb_scores: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    scores: np.ndarray,
    profile: GroupingConfig,
) -> tuple[Draft, np.ndarray]:
    """Look up the peaks of people and leave out who has too few or too weak ones.

    Args:
        members: (F, K) int, peak of each keypoint of each fragment, or -1.
        limb_scores: (F,) sums over their limbs.
        x: (P,) float64, of the peaks.
        y: (P,) float64, of the peaks.
        scores: (P,) float64, of the peaks.
        profile: the rules.

    Returns:
        The people, and which fragments (N,) int they are.
    """
    number = (members >= 0).sum(1)
    kept = np.flatnonzero(number >= profile.min_keypoints)
    members = members[kept]
    found = members >= 0
    peak_scores = scores[members] * found
    # One after the other, as compiled code adds.
    total = peak_scores.cumsum(1)[:, -1] + limb_scores[kept]
    ratio = total / number[kept]
    strong = ratio >= profile.min_score
    if not strong.all():
        kept, members, found = kept[strong], members[strong], found[strong]
        peak_scores, total, ratio = peak_scores[strong], total[strong], ratio[strong]
    at_x, at_y = x[members], y[members]
    size = np.maximum(_extent(at_x, found), _extent(at_y, found))
    instance_scores = ratio / 2
    if profile.instance_score == 'sum':
        instance_scores = total * (number[kept] - 1)
    return Draft(at_x, at_y, peak_scores, found, size, instance_scores), kept


def finished_people(draft: Draft) -> People:
    """People, best first; where is as in the draft."""
    order = np.argsort(-draft.instance_scores, kind='stable')
    keypoints = np.empty((*draft.x.shape, 2), np.float32)
    keypoints[..., 0], keypoints[..., 1] = draft.x[order], draft.y[order]
    return People(
        keypoints,
        draft.scores[order].astype(np.float32),
        draft.instance_scores[order].astype(np.float32),
    )


def no_people(num_keypoints: int) -> People:
    """The people of an empty image."""
    return People(
        np.zeros((0, num_keypoints, 2), np.float32),
        np.zeros((0, num_keypoints), np.float32),
        np.zeros(0, np.float32),
    )


def _extent(values: Any, found: np.ndarray) -> np.ndarray:
    """Largest less smallest of the found values of each person, (N,)."""
    largest = np.where(found, values, -np.inf).max(1, initial=-np.inf)
    return largest - np.where(found, values, np.inf).min(1, initial=np.inf)
