# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The K keypoints of M that are worth having."""

import numpy as np

from .keypoint_components import as_keypoints


def choose_keypoints(
    scores: np.ndarray, keypoints: np.ndarray, number: int
) -> np.ndarray:
    r"""Choose good keypoints that lie apart, one after the other.

    .. math:: k_1 = \arg\max_k q_k, \quad
        k_{n+1} = \arg\max_k \; q_k^2 \min_{l \le n} d_{k k_l}

    with :math:`d_{kl}` the mean distance of two keypoints over the images: furthest
    point sampling (Gonzalez, 1985) weighed by the score. A keypoint of half the score
    is to be four times as far away.

    Args:
        scores: (M,) in [0, 1], such as :attr:`KeypointScores.scores`.
        keypoints: (n, M, 2), fractions of the crop, in n images.
        number: K, of keypoints to keep.

    Returns:
        (K,) int64 indices, ascending.

    Raises:
        ValueError: K is below 1 or above M, or shapes differ.
    """
    keypoints = as_keypoints('keypoints', keypoints)
    scores = np.nan_to_num(np.asarray(scores, np.float64))
    if scores.shape != keypoints.shape[1:2]:
        raise ValueError(
            f'{scores.shape} scores do not fit keypoints {keypoints.shape}'
        )
    if not 1 <= number <= len(scores):
        raise ValueError(f'{number} of {len(scores)} keypoints cannot be kept')
    chosen = [int(scores.argmax())]
    nearest = np.full(len(scores), np.inf)
    while len(chosen) < number:
        last = keypoints[:, chosen[-1], None]
        distance = np.linalg.norm(keypoints - last, axis=2).mean(axis=0)
        nearest = np.minimum(nearest, distance)
        worth = scores**2 * nearest
        worth[chosen] = -1
        chosen.append(int(worth.argmax()))
    return np.sort(chosen)
