# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The same regression with inputs and targets exchanged."""

from dataclasses import replace

import numpy as np

from .forward_error import fit_points, flatten, scaled_errors
from .keypoint_errors import errors_per_point, reduce_errors
from .normalizers import normalizer_lengths
from .protocols import RegressionProtocol
from .samples import KeypointSamples


def evaluate_backward(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    mean_only: bool = False,
) -> float:
    """Predict the discovered keypoints from the annotated ones.

    Args:
        protocol: See :func:`score_backward`.
        fit: See :func:`score_backward`.
        score: See :func:`score_backward`.
        mean_only: See :func:`score_backward`.

    Returns:
        The figure in the protocol's unit; NaN if fewer than two complete images
        can be fitted or none scored.
    """
    return score_backward(protocol, fit, score, mean_only)[0]


def score_backward(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    mean_only: bool = False,
) -> tuple[float, np.ndarray]:
    """Predict the discovered keypoints from the annotated ones, each apart too.

    The same regression with inputs and targets exchanged, over the same
    normaliser, exposes keypoints that wander independently of the object,
    which a forward fit simply ignores. Only images whose annotated points are
    all visible take part. Not defined in a published protocol for incomplete
    annotations; equal to the published one for complete ones.

    Args:
        protocol: The protocol; sides are taken as given.
        fit: Images to fit on (:attr:`FittedProtocol.samples`).
        score: Images to score (:attr:`ProtocolScore.samples`).
        mean_only: Predict the mean discovered keypoints instead (baseline).

    Returns:
        The figure in the protocol's unit, and the mean error (K,) float64 of each
        keypoint: how far its place relative to the body wanders over images. NaN if
        fewer than two complete images can be fitted or none scored.
    """
    score = score.in_frame(protocol.frame)
    lengths, usable = normalizer_lengths(score, protocol.normalizer)
    usable &= score.point_visible.all(axis=1)
    score, lengths = score.select(usable), lengths[usable]
    predicted = predict_backward(protocol, fit, score, mean_only)
    if predicted is None:
        return float('nan'), np.full(score.num_discovered, np.nan)
    exchanged = replace(
        score,
        annotated=score.discovered,
        visible=np.ones(score.discovered.shape, dtype=bool),
    )
    errors, visible = scaled_errors(protocol, predicted, exchanged, lengths)
    figure = reduce_errors(errors, visible, protocol.reduction, protocol.threshold)
    figure *= 100 if protocol.higher_is_better else 1
    return figure, errors_per_point(errors, visible)


def predict_backward(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    mean_only: bool = False,
) -> np.ndarray | None:
    """Say where annotated points let the discovered keypoints be expected.

    Args:
        protocol: See :func:`score_backward`.
        fit: Images to fit on, of which the completely annotated ones count.
        score: Images whose points are all visible.
        mean_only: See :func:`score_backward`.

    Returns:
        (n, K, 2) float64 fractions of the crop; None if fewer than two images can be
        fitted, or ``score`` is empty.
    """
    fit = fit.select(np.all(fit.point_visible, axis=1))
    if len(fit) < 2 or not len(score):
        return None
    fit_inputs, score_inputs = flatten(fit.annotated), flatten(score.annotated)
    if mean_only:
        protocol = replace(protocol, center=0.0, bias=True)
        fit_inputs, score_inputs = fit_inputs[:, :0], score_inputs[:, :0]
    everywhere = np.ones(fit.discovered.shape, dtype=bool)
    regressor = fit_points(protocol, fit_inputs, fit.discovered, everywhere)
    return regressor(score_inputs).reshape(score.discovered.shape)
