# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Signs that a detector has collapsed, read from its keypoints and maps."""

from dataclasses import dataclass

import numpy as np

from mmkp.ops.arguments import real_array

BORDER_FRACTION = 0.05


@dataclass(frozen=True)
class CollapseStatistics:
    """How much discovered keypoints move, keep apart and are sure, in crop units.

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
        entropy: Entropy of the keypoints' maps over that of a uniform map, in [0, 1],
            mean over keypoints and images. Near 1: the maps are diffuse and their
            means lie near the middle, whatever the image shows. NaN without maps.
        score: Mean score that the head gives its keypoints; for heads whose score is
            the probability near the keypoint, a small one is a diffuse map. NaN
            without scores.
        non_finite_share: Share of keypoints that are NaN or infinite. Where it is not
            0, ``border_share`` is that of the others and the other figures are NaN.
    """

    spread: float
    spread_min: float
    min_distance: float
    border_share: float
    entropy: float = float('nan')
    score: float = float('nan')
    non_finite_share: float = 0.0


def collapse_statistics(
    discovered: np.ndarray,
    entropies: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> CollapseStatistics:
    """Measure spread, separation, border share and how diffuse the maps are.

    Args:
        discovered: (n, K, 2) float64, fractions of the crop, n and K at least 1.
        entropies: (n, K) entropies of the maps in [0, 1], if there are maps.
        scores: (n, K) scores of the keypoints, if there are scores.

    Returns:
        The statistics.

    Raises:
        ValueError: If there is no image, no keypoint, or the shape is another one.
    """
    discovered = real_array('discovered keypoints', discovered).astype(np.float64)
    if discovered.ndim != 3 or 0 in discovered.shape or discovered.shape[2] != 2:
        raise ValueError(
            'discovered keypoints must have shape (images, keypoints, 2) with at least '
            f'one of each, got {discovered.shape}'
        )
    finite = np.all(np.isfinite(discovered), axis=2)
    # An infinity would warn, and spoil the differences in another way than NaN does.
    discovered = np.where(finite[..., None], discovered, np.nan)
    spread = np.sqrt(discovered.var(axis=0).sum(axis=1))
    inside = (discovered > BORDER_FRACTION) & (discovered < 1 - BORDER_FRACTION)
    return CollapseStatistics(
        spread=float(spread.mean()),
        spread_min=float(spread.min()),
        min_distance=_mean_nearest_distance(discovered),
        border_share=_share(~np.all(inside, axis=2)[finite]),
        entropy=float('nan') if entropies is None else float(np.mean(entropies)),
        score=float('nan') if scores is None else float(np.mean(scores)),
        non_finite_share=_share(~finite),
    )


def _share(chosen: np.ndarray) -> float:
    return float(chosen.mean()) if chosen.size else float('nan')


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
