# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Fit a protocol on some images and score it on others."""

from dataclasses import dataclass, field, replace

import numpy as np

from .keypoint_errors import errors_per_point, point_errors, reduce_errors
from .left_right import fit_side_agnostic, settle_sides, swap_predictions
from .linear_regression import AffineMap
from .normalizers import normalizer_lengths
from .protocols import RegressionProtocol
from .samples import KeypointSamples
from .visible_regression import fit_visible_affine


@dataclass(frozen=True)
class FittedProtocol:
    """A regressor together with the annotations as the fit settled them.

    Args:
        regressor: Map from flattened discovered to flattened annotated points.
        samples: The images that were kept, sides settled.
        swaps_per_iteration: Empty unless the protocol exchanges sides.
        num_rejected: Images dropped as outliers.
    """

    regressor: AffineMap
    samples: KeypointSamples
    swaps_per_iteration: tuple[int, ...] = ()
    num_rejected: int = 0


@dataclass(frozen=True)
class ProtocolScore:
    """What a fitted protocol reached on the images to score.

    Args:
        figure: The protocol's figure, in its unit.
        per_point: (G,) float64 mean error of each point in the same unit (in
            units of the threshold for PCK protocols), NaN where never visible.
        samples: The images that were scored, sides settled.
        unscored: Names of images without a usable normaliser.
        swaps_per_iteration: Empty unless the protocol exchanges sides.
        predicted: (n, G, 2) float64, what the fit says of these images.
    """

    figure: float
    per_point: np.ndarray
    samples: KeypointSamples
    unscored: tuple[str, ...] = ()
    swaps_per_iteration: tuple[int, ...] = ()
    predicted: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 2)))


def fit_protocol(
    protocol: RegressionProtocol, samples: KeypointSamples
) -> FittedProtocol:
    """Fit the protocol's regressor from discovered to annotated keypoints.

    Args:
        protocol: What to fit.
        samples: Images to fit on.

    Returns:
        The fit.

    Raises:
        ValueError: If there is no image or the number of annotated points is
            not the protocol's.
    """
    _check_samples(protocol, samples, 'fit')
    inputs = flatten(samples.discovered)
    if protocol.permutation is None:
        regressor = fit_points(protocol, inputs, samples.annotated, samples.visible)
        return FittedProtocol(regressor, samples)
    fit = fit_side_agnostic(
        inputs,
        samples.annotated,
        samples.visible,
        lambda x, y, visible: fit_points(protocol, x, y, visible),
        protocol.permutation,
        _tolerated_swaps(protocol, len(samples)),
        protocol.reject_sigma,
    )
    settled = replace(samples, annotated=fit.targets, visible=fit.visible)
    return FittedProtocol(
        fit.regressor,
        settled.select(fit.kept),
        fit.swaps_per_iteration,
        int((~fit.kept).sum()),
    )


def score_protocol(
    protocol: RegressionProtocol, fitted: FittedProtocol, samples: KeypointSamples
) -> ProtocolScore:
    """Score a fitted protocol (forward error).

    Args:
        protocol: The protocol of the fit.
        fitted: The fit.
        samples: Images to score.

    Returns:
        The score.

    Raises:
        ValueError: If no image can be scored or point numbers do not agree.
    """
    _check_samples(protocol, samples, 'score')
    num_inputs = fitted.regressor.weights.shape[0]
    if samples.num_discovered * 2 != num_inputs:
        raise ValueError(
            f'the fit saw {num_inputs // 2} discovered keypoints, the images to '
            f'score have {samples.num_discovered}: both must come from one detector.'
        )
    samples = samples.in_frame(protocol.frame)
    lengths, usable = normalizer_lengths(samples, protocol.normalizer)
    if not usable.any():
        raise ValueError(
            f'no image to score has a usable normaliser {protocol.normalizer!r}: its '
            'points are invisible or coincide everywhere.'
        )
    unscored = tuple(np.asarray(samples.names)[~usable])
    samples, lengths = samples.select(usable), lengths[usable]
    predicted = fitted.regressor(flatten(samples.discovered))
    predicted = predicted.reshape(samples.annotated.shape)
    reference, counts = samples, tuple[int, ...]()
    if protocol.permutation is not None:
        predicted, reference, samples, counts = _settle(protocol, predicted, samples)
    errors, visible = scaled_errors(protocol, predicted, reference, lengths)
    figure = reduce_errors(errors, visible, protocol.reduction, protocol.threshold)
    if protocol.higher_is_better:
        figure *= 100
    per_point = errors_per_point(errors, visible)
    return ProtocolScore(figure, per_point, samples, unscored, counts, predicted)


def fit_points(
    protocol: RegressionProtocol,
    inputs: np.ndarray,
    targets: np.ndarray,
    visible: np.ndarray,
) -> AffineMap:
    """Fit points from inputs with a protocol's centring, bias and visibility.

    Args:
        protocol: What to fit.
        inputs: (n, P) float64.
        targets: (n, G, 2) float64.
        visible: (n, G, 2) bool.

    Returns:
        Map from inputs to the flattened targets.
    """
    if protocol.distance == 'l2':
        visible = np.broadcast_to(visible.all(axis=2, keepdims=True), visible.shape)
    return fit_visible_affine(
        inputs,
        flatten(targets),
        flatten(visible),
        protocol.center,
        protocol.bias,
        protocol.regression == 'ridge',
    )


def _settle(
    protocol: RegressionProtocol, predicted: np.ndarray, samples: KeypointSamples
) -> tuple[np.ndarray, KeypointSamples, KeypointSamples, tuple[int, ...]]:
    """Return predictions, what to score them against, settled samples, counts."""
    permutation = protocol.permutation or ()
    if protocol.swap_predictions:
        predicted, swapped = swap_predictions(
            predicted, samples.annotated, samples.visible, permutation
        )
        annotated, visible = samples.annotated.copy(), samples.visible.copy()
        table = np.asarray(permutation)
        annotated[swapped] = annotated[swapped][:, table]
        visible[swapped] = visible[swapped][:, table]
        settled = replace(samples, annotated=annotated, visible=visible)
        return predicted, samples, settled, (int(swapped.sum()),)
    annotated, visible, counts = settle_sides(
        predicted,
        samples.annotated,
        samples.visible,
        permutation,
        _tolerated_swaps(protocol, len(samples)),
    )
    settled = replace(samples, annotated=annotated, visible=visible)
    return predicted, settled, settled, counts


def scaled_errors(
    protocol: RegressionProtocol,
    predicted: np.ndarray,
    samples: KeypointSamples,
    lengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors in a protocol's unit.

    Args:
        protocol: Gives distance, scale and visibility.
        predicted: (n, G, 2) float64, fractions of the crop.
        samples: Images whose annotations are the targets.
        lengths: (n,) float64, pixels that stand for 1 before scaling.

    Returns:
        Errors and the mask of those that count, both (n, G) or, for
        ``distance='l1'``, (n, G, 2).
    """
    errors = point_errors(
        predicted, samples.annotated, lengths, samples.crop_size, protocol.distance
    )
    per_point = protocol.distance == 'l2'
    visible = samples.point_visible if per_point else samples.visible
    return errors * protocol.scale, visible


def _tolerated_swaps(protocol: RegressionProtocol, num_images: int) -> int:
    return min(protocol.max_swaps, num_images // 20)


def _check_samples(
    protocol: RegressionProtocol, samples: KeypointSamples, purpose: str
) -> None:
    if len(samples) == 0:
        raise ValueError(f'there is no annotated image to {purpose}.')
    expected = protocol.num_annotated
    if expected is not None and samples.num_annotated != expected:
        raise ValueError(
            f'protocol {protocol.name!r} is defined on {expected} annotated points, '
            f'the images to {purpose} have {samples.num_annotated}: choose the points '
            '(keypoint_groups), another protocol, or set num_annotated=None and the '
            'normaliser yourself.'
        )


def flatten(points: np.ndarray) -> np.ndarray:
    """Return (n, P, 2) points as (n, 2P) rows."""
    return points.reshape(len(points), 2 * points.shape[1])
