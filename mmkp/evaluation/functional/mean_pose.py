# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The baseline that looks at no image."""

from dataclasses import replace

import numpy as np

from .protocols import RegressionProtocol
from .samples import KeypointSamples


def without_inputs(
    protocol: RegressionProtocol, samples: KeypointSamples
) -> tuple[RegressionProtocol, KeypointSamples]:
    """Turn a protocol into its mean-pose baseline.

    A regression from no inputs with a constant term predicts the mean of the
    visible annotations (sides settled, if the protocol settles them).

    Args:
        protocol: Any protocol.
        samples: Any samples.

    Returns:
        The protocol and the samples of the baseline.
    """
    nothing = np.zeros((len(samples), 0, 2))
    return replace(protocol, center=0.0, bias=True), samples.with_discovered(nothing)


def mean_keypoints(
    keypoints: np.ndarray, visible: np.ndarray, center: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Average annotated keypoints in the frames of their boxes.

    Args:
        keypoints: (N, K, 2) float, (x, y) in image pixels.
        visible: (N, K) bool, which annotations count.
        center: (N, 2) float, centres of the boxes in image pixels.
        scale: (N, 2) float, widths and heights of the boxes in image pixels.

    Returns:
        (K, 2) float64, fractions of the box from its upper left corner. NaN for
        a keypoint that is never visible.

    Raises:
        ValueError: If shapes disagree.
    """
    keypoints = np.asarray(keypoints, np.float64)
    visible = np.asarray(visible, bool)
    center, scale = np.asarray(center, np.float64), np.asarray(scale, np.float64)
    num = len(keypoints)
    if visible.shape != keypoints.shape[:2] or not (
        center.shape == scale.shape == (num, 2)
    ):
        raise ValueError(
            f'flags {visible.shape}, centres {center.shape} and scales {scale.shape} '
            f'do not fit keypoints {keypoints.shape}.'
        )
    fractions = (keypoints - center[:, None]) / scale[:, None] + 0.5
    total = np.where(visible[..., None], fractions, 0.0).sum(axis=0)
    count = visible.sum(axis=0)[:, None]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def place_keypoints(
    fractions: np.ndarray, center: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Put the same keypoints into every box.

    Args:
        fractions: (K, 2) float, fractions of a box from its upper left corner.
        center: (N, 2) float, centres of the boxes in image pixels.
        scale: (N, 2) float, widths and heights of the boxes in image pixels.

    Returns:
        (N, K, 2) float64, (x, y) in image pixels.
    """
    center, scale = np.asarray(center, np.float64), np.asarray(scale, np.float64)
    return center[:, None] + (np.asarray(fractions) - 0.5) * scale[:, None]
