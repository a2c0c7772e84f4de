# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Errors of a protocol by ridge regression, its baselines beside them."""

from dataclasses import replace

import numpy as np

from .forward_error import fit_protocol, score_protocol
from .mean_pose import without_inputs
from .protocols import RegressionProtocol
from .samples import KeypointSamples


def ridge_errors(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    untrained: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, float]:
    """Fit a protocol by ridge regression with a constant term, and score it.

    Args:
        protocol: The protocol.
        fit: Images to fit on.
        score: Images to score.
        untrained: Keypoints of the untrained detector on both, (n, K, 2) fractions of
            the crop.

    Returns:
        In the protocol's unit: ``ridge``, the error on the images to score;
        ``fit_ridge``, that of each half of the images to fit on by a map of the other
        half, by which choices may be made; both with ``_mean_pose``, and
        ``ridge_untrained``.
    """
    ridge = replace(protocol, regression='ridge', bias=True)
    even = np.arange(len(fit)) % 2 == 0
    halves = (fit.select(even), fit.select(~even))
    pairs = dict(ridge=[(fit, score)], fit_ridge=[halves, halves[::-1]])
    figures = {}
    for name, sets in pairs.items():
        figures[name] = _mean_error(ridge, sets)
        without = []
        for one, other in sets:
            rules, blind = without_inputs(ridge, one)
            without.append((blind, without_inputs(ridge, other)[1]))
        rules = replace(rules, regression='least_squares')
        figures[f'{name}_mean_pose'] = _mean_error(rules, without)
    if untrained is not None:
        control = fit.with_discovered(untrained[0]), score.with_discovered(untrained[1])
        figures['ridge_untrained'] = _mean_error(ridge, [control])
    return figures


def _mean_error(
    protocol: RegressionProtocol, sets: list[tuple[KeypointSamples, KeypointSamples]]
) -> float:
    """Mean over pairs of images to fit on and to score."""
    figures = [
        score_protocol(protocol, fit_protocol(protocol, fit), score).figure
        for fit, score in sets
    ]
    return float(np.mean(figures))
