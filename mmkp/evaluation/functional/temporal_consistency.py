# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether keypoints of a film move as the picture below them does."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TemporalConsistency:
    """Errors and motions between two frames in % of the crop's side.

    All are means over keypoints whose flow is valid, NaN where there are none.

    Args:
        error: Distance of a keypoint in the later frame from where the flow carries
            the same keypoint of the earlier one.
        still_error: What that error would be if no keypoint moved: the length of the
            flow at the keypoints.
        keypoint_motion: Distance of a keypoint from itself in the earlier frame. Far
            below ``still_error``: the keypoints do not follow; far above: they jump.
        moving_error: ``error`` of those keypoints only that lie where the picture
            moves. Keypoints on a wall are consistent without any merit.
        moving_still_error: ``still_error`` of those.
        moving_share: Share of the keypoints that lie there, from 0 to 1.
        valid_share: Share of all keypoints whose flow is valid, from 0 to 1.
        image_motion: Mean length of the flow over the pixels that move.
        error_per_motion: ``error`` over ``image_motion``.
        num_pairs: Number of pairs of frames.
    """

    error: float
    still_error: float
    keypoint_motion: float
    moving_error: float
    moving_still_error: float
    moving_share: float
    valid_share: float
    image_motion: float
    error_per_motion: float
    num_pairs: int


def temporal_consistency(
    keypoints: np.ndarray,
    later_keypoints: np.ndarray,
    propagated: np.ndarray,
    valid: np.ndarray,
    image_motion: float = float('nan'),
    moving_threshold: float = 1.0,
) -> TemporalConsistency:
    """Compare keypoints of later frames with those that the flow carries there.

    Args:
        keypoints: (n, K, 2) float64, keypoints (x, y) of the earlier frame of each
            pair in % of the crop's side.
        later_keypoints: (n, K, 2) float64, those of the later frame, likewise.
        propagated: (n, K, 2) float64, where the flow carries those of the earlier
            frame; anything where it is not valid.
        valid: (n, K) bool, whether the flow of the keypoint may be trusted.
        image_motion: Mean length of the flow over moving pixels in %, if known.
        moving_threshold: Length in % above which the flow of a keypoint counts as
            motion.

    Returns:
        The figures.

    Raises:
        ValueError: If the arrays are of different pairs or keypoints.
    """
    shapes = [np.shape(k) for k in (keypoints, later_keypoints, propagated)]
    if len(set(shapes)) > 1 or np.shape(valid) != shapes[0][:2]:
        raise ValueError(
            'keypoints, later_keypoints and propagated must have one shape (n, K, 2) '
            f'and valid (n, K), got {shapes} and {np.shape(valid)}'
        )
    error = np.linalg.norm(later_keypoints - propagated, axis=2)
    flow = np.linalg.norm(propagated - keypoints, axis=2)
    motion = np.linalg.norm(later_keypoints - keypoints, axis=2)
    moving = valid & (flow > moving_threshold)
    mean_error = _mean(error[valid])
    return TemporalConsistency(
        error=mean_error,
        still_error=_mean(flow[valid]),
        keypoint_motion=_mean(motion[valid]),
        moving_error=_mean(error[moving]),
        moving_still_error=_mean(flow[moving]),
        moving_share=_mean(moving[valid]),
        valid_share=_mean(valid),
        image_motion=float(image_motion),
        error_per_motion=mean_error / image_motion if image_motion else float('nan'),
        num_pairs=len(keypoints),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float('nan')
