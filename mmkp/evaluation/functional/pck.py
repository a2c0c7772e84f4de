# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Percentage of correct keypoints (PCK, PCKh)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CorrectKeypointCounts:
    """How many keypoints were found, before anything is averaged.

    Args:
        thresholds: T thresholds as shares of the normalizing length, unitless.
        correct: (T, K) int64, samples in which the keypoint lies within the
            threshold.
        count: (K,) int64, samples in which the keypoint counts at all.
        num_without_length: Samples left out for a normalizing length that is 0,
            negative or not finite.
        num_without_keypoint: Samples with a length that count for nothing
            because none of their keypoints is valid.
    """

    thresholds: tuple[float, ...]
    correct: np.ndarray
    count: np.ndarray
    num_without_length: int
    num_without_keypoint: int


def count_correct_keypoints(
    predicted: np.ndarray,
    target: np.ndarray,
    valid: np.ndarray,
    lengths: np.ndarray,
    thresholds: Sequence[float],
) -> CorrectKeypointCounts:
    """Count the keypoints whose error is at most a share of a length.

    A keypoint is correct if ``distance / length <= threshold``, in float64:
    PCK of Yang & Ramanan (TPAMI 2013) with a length of the torso or the box,
    PCKh of Andriluka et al. (CVPR 2014) with one of the head.

    A sample without a usable length is left out as a whole; one without a valid
    keypoint counts for nothing. A warning says how many there are of both. A
    valid keypoint with a prediction that is not finite counts as wrong.

    Args:
        predicted: (N, K, 2) float, (x, y) in pixels.
        target: (N, K, 2) float, same frame.
        valid: (N, K) bool, which annotations count.
        lengths: (N,) float64, normalizing length in pixels.
        thresholds: T shares of the length, unitless.

    Returns:
        The counts.

    Raises:
        ValueError: If shapes disagree, a valid annotation is not finite or a
            threshold is negative.
    """
    predicted = np.asarray(predicted, np.float64)
    target = np.asarray(target, np.float64)
    valid = np.asarray(valid, bool)
    lengths = np.asarray(lengths, np.float64)
    limits = np.asarray(thresholds, np.float64)
    _check_inputs(predicted, target, valid, lengths, limits)
    usable = np.isfinite(lengths) & (lengths > 0)
    counted = valid & usable[:, None]
    distances = np.linalg.norm(predicted - target, axis=2)
    shares = distances / np.where(usable, lengths, 1.0)[:, None]
    within = (shares <= limits[:, None, None]) & counted
    counts = CorrectKeypointCounts(
        thresholds=tuple(float(limit) for limit in limits),
        correct=within.sum(axis=1),
        count=counted.sum(axis=0),
        num_without_length=int((~usable).sum()),
        num_without_keypoint=int((usable & ~valid.any(axis=1)).sum()),
    )
    if counts.num_without_length or counts.num_without_keypoint:
        warnings.warn(
            f'of {len(lengths)} samples, PCK leaves out {counts.num_without_length} '
            'without a normalizing length (it is 0, negative or unknown) and '
            f'{counts.num_without_keypoint} without a valid keypoint.',
            stacklevel=2,
        )
    return counts


def keypoint_percentages(correct: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the percentage of correct instances of each keypoint.

    Args:
        correct: (..., K) whole numbers.
        count: (K,) whole numbers.

    Returns:
        (..., K) float64, percent; NaN for a keypoint that never counted.
    """
    share = 100.0 * np.asarray(correct, np.float64) / np.maximum(count, 1)
    return np.where(np.asarray(count) > 0, share, np.nan)


def pooled_percentage(
    correct: np.ndarray, count: np.ndarray, keypoints: Sequence[int]
) -> float:
    """Return the percentage over all instances of some keypoints together.

    Keypoints that are annotated more often weigh more.

    Args:
        correct: (K,) whole numbers.
        count: (K,) whole numbers.
        keypoints: Indices from 0.

    Returns:
        Percent; NaN if none of them ever counted.
    """
    chosen = list(keypoints)
    total = int(np.asarray(count)[chosen].sum())
    return 100.0 * int(np.asarray(correct)[chosen].sum()) / total if total else np.nan


def unweighted_percentage(
    correct: np.ndarray, count: np.ndarray, keypoints: Sequence[int]
) -> float:
    """Return the mean of the percentages of some keypoints.

    Each keypoint weighs the same, those that never counted excepted.

    Args:
        correct: (K,) whole numbers.
        count: (K,) whole numbers.
        keypoints: Indices from 0.

    Returns:
        Percent; NaN if none of them ever counted.
    """
    values = keypoint_percentages(correct, count)[list(keypoints)]
    return _mean_of_known(values)


def group_percentages(
    correct: np.ndarray, count: np.ndarray, groups: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return the unweighted mean of each group, such as both wrists.

    Args:
        correct: (K,) whole numbers.
        count: (K,) whole numbers.
        groups: G groups of keypoint indices from 0.

    Returns:
        (G,) float64, percent; NaN for a group that never counted.
    """
    return np.array([unweighted_percentage(correct, count, group) for group in groups])


def mean_of_groups(
    correct: np.ndarray, count: np.ndarray, groups: Sequence[Sequence[int]]
) -> float:
    """Return the mean over groups, each of which weighs the same.

    With groups of two keypoints that all counted, this is the unweighted mean
    of those keypoints.

    Args:
        correct: (K,) whole numbers.
        count: (K,) whole numbers.
        groups: Groups of keypoint indices from 0.

    Returns:
        Percent; NaN if no group ever counted.
    """
    return _mean_of_known(group_percentages(correct, count, groups))


def _mean_of_known(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _check_inputs(
    predicted: np.ndarray,
    target: np.ndarray,
    valid: np.ndarray,
    lengths: np.ndarray,
    limits: np.ndarray,
) -> None:
    if target.ndim != 3 or target.shape[2] != 2 or predicted.shape != target.shape:
        raise ValueError(
            f'predictions {predicted.shape} and annotations {target.shape} must both '
            'be (samples, keypoints, 2).'
        )
    if valid.shape != target.shape[:2] or lengths.shape != target.shape[:1]:
        raise ValueError(
            f'flags {valid.shape} and lengths {lengths.shape} do not fit '
            f'{target.shape[0]} samples of {target.shape[1]} keypoints.'
        )
    if not np.isfinite(target[valid]).all():
        sample, keypoint = np.argwhere(valid & ~np.isfinite(target).all(axis=2))[0]
        raise ValueError(
            f'annotated keypoint {keypoint} of sample {sample} is marked valid but is '
            f'{target[sample, keypoint].tolist()}: mark it invalid.'
        )
    if limits.ndim != 1 or not len(limits) or not (limits >= 0).all():
        raise ValueError(
            f'thresholds={limits.tolist()} must be a list of numbers from 0, shares '
            'of the normalizing length.'
        )
