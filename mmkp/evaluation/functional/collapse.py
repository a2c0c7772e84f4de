# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Signs that a detector has collapsed, read from the keypoints alone."""

from dataclasses import dataclass

import numpy as np

BORDER_FRACTION = 0.05


@dataclass(frozen=True)
class CollapseStatistics:
    """How much discovered keypoints move and keep apart, in crop units.

    Args:
        spread: Standard deviation of a keypoint's position over the images
            (root of the summed variances of x and y), mean over keypoints.
            Near 0: the keypoints ignore the image.
        spread_min: The same for the keypoint that moves least.
        min_distance: Distance to the nearest other keypoint of the image, mean
            over keypoints and images. Near 0: keypoints lie on one another. NaN
            for a single keypoint.
        border_share: Share of keypoints within 5 % of the crop's border or
            outside.
    """

    spread: float
    spread_min: float
    min_distance: float
    border_share: float


def collapse_statistics(discovered: np.ndarray) -> CollapseStatistics:
    """Measure spread, separation and border share.

    Args:
        discovered: (n, K, 2) float64, fractions of the crop, n and K at least 1.

    Returns:
        The statistics.
    """
    spread = np.sqrt(discovered.var(axis=0).sum(axis=1))
    inside = (discovered > BORDER_FRACTION) & (discovered < 1 - BORDER_FRACTION)
    return CollapseStatistics(
        spread=float(spread.mean()),
        spread_min=float(spread.min()),
        min_distance=_mean_nearest_distance(discovered),
        border_share=float(1 - inside.all(axis=2).mean()),
    )


def _mean_nearest_distance(discovered: np.ndarray) -> float:
    num_points = discovered.shape[1]
    if num_points < 2:
        return float('nan')
    nearest = np.empty(discovered.shape[:2])
    for index in range(num_points):
        distances = np.linalg.norm(discovered - discovered[:, index, None], axis=2)
        distances[:, index] = np.inf
        nearest[:, index] = distances.min(axis=1)
    return float(nearest.mean())
