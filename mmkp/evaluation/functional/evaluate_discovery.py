# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Run a protocol forwards, backwards and from few images, with its baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .backward_error import score_backward
from .collapse import collapse_statistics
from .discovery_report import DETECTOR, MEAN_POSE, UNTRAINED, DiscoveryReport
from .few_shot import (
    FewShotSummary,
    draw_few_shot,
    near_interpolation_peak,
    usable_shots,
)
from .forward_error import FittedProtocol, ProtocolScore, fit_protocol, score_protocol
from .mean_pose import without_inputs
from .protocols import RegressionProtocol
from .relative_spread import relative_spread
from .samples import KeypointSamples

DEFAULT_SHOTS = (1, 5, 10, 20, 50)


@dataclass(frozen=True)
class _Contender:
    """One column of the table: rules and keypoints that are compared."""

    protocol: RegressionProtocol
    fit: KeypointSamples
    score: KeypointSamples


def evaluate_discovery(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    untrained: tuple[np.ndarray, np.ndarray] | None = None,
    shots: Sequence[int] = DEFAULT_SHOTS,
    num_draws: int = 10,
    seed: int = 0,
    groups: Mapping[str, Sequence[int]] | None = None,
) -> DiscoveryReport:
    """Run a protocol and its baselines.

    Args:
        protocol: The protocol.
        fit: Images to fit on.
        score: Images to score.
        untrained: Keypoints that the same detector gives before training, on
            the images of ``fit`` and of ``score``, (n, K, 2) fractions of the crop.
        shots: Numbers of annotated images for the few-shot figures; those not
            below the number of images to fit on are left out.
        num_draws: Draws for each number of images.
        seed: Seed of the draws.
        groups: Name -> indices of annotated points whose mean error is a figure of its
            own, ``forward_<name>``.

    Returns:
        The report.

    Raises:
        ValueError: If nothing can be fitted or scored.
    """
    counts = dict(
        fit=len(fit),
        score=len(score),
        discovered=fit.num_discovered,
        annotated=fit.num_annotated,
    )
    report = DiscoveryReport(protocol, counts, dict(forward={}, backward={}))
    contenders = _contenders(protocol, fit, score, untrained)
    for column, contender in contenders.items():
        _run(report, column, contender, groups or {})
    for count in usable_shots(shots, len(fit)):
        draws = draw_few_shot(len(fit), count, num_draws, seed)
        for column, item in contenders.items():
            plain = evaluate_few_shot(item.protocol, item.fit, item.score, draws)
            report.few_shot.setdefault(count, {})[column] = plain
            if column == MEAN_POSE:  # the same by any regression
                continue
            ridge = replace(item.protocol, regression='ridge')
            summary = evaluate_few_shot(ridge, item.fit, item.score, draws)
            report.ridge.setdefault(count, {})[column] = summary
        if near_interpolation_peak(count, _unknowns(protocol, fit)):
            report.peak_shots.add(count)
    return report


def evaluate_few_shot(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    draws: np.ndarray,
) -> FewShotSummary:
    """Fit on each draw of images and score all of ``score``.

    Args:
        protocol: The protocol.
        fit: Images to draw from.
        score: Images to score.
        draws: (draws, shots) int64 indices into ``fit``.

    Returns:
        The figure of every draw.
    """
    figures = []
    for draw in draws:
        fitted = fit_protocol(protocol, fit.select(draw))
        figures.append(score_protocol(protocol, fitted, score).figure)
    return FewShotSummary(tuple(figures))


def _contenders(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    untrained: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, _Contender]:
    rules, mean_fit = without_inputs(protocol, fit)
    _, mean_score = without_inputs(protocol, score)
    contenders = {
        DETECTOR: _Contender(protocol, fit, score),
        MEAN_POSE: _Contender(rules, mean_fit, mean_score),
    }
    if untrained is not None:
        contenders[UNTRAINED] = _Contender(
            protocol,
            fit.with_discovered(untrained[0]),
            score.with_discovered(untrained[1]),
        )
    return contenders


def _run(
    report: DiscoveryReport,
    column: str,
    contender: _Contender,
    groups: Mapping[str, Sequence[int]],
) -> None:
    protocol = contender.protocol
    fitted = fit_protocol(protocol, contender.fit)
    scored = score_protocol(protocol, fitted, contender.score)
    report.errors['forward'][column] = scored.figure
    report.points[column] = scored.per_point
    report.outcomes[column] = scored
    for name, points in groups.items():
        errors = report.errors.setdefault(f'forward_{name}', {})
        errors[column] = float(np.mean(scored.per_point[list(points)]))
    if column == MEAN_POSE:
        return
    _run_backward(report, column, fitted, scored)
    report.collapse[column] = collapse_statistics(contender.score.discovered)
    if column == DETECTOR:
        _run_backward(report, MEAN_POSE, fitted, scored)
        _describe(report, fitted, scored)
        discovered = contender.score.discovered
        report.keypoints['relative_spread'] = relative_spread(discovered)
        report.keypoints['spread'] = np.sqrt(discovered.var(axis=0).sum(axis=1))


def _run_backward(
    report: DiscoveryReport, column: str, fitted: FittedProtocol, scored: ProtocolScore
) -> None:
    figure, per_keypoint = score_backward(
        report.protocol, fitted.samples, scored.samples, mean_only=column == MEAN_POSE
    )
    report.errors['backward'][column] = figure
    name = 'backward' if column == DETECTOR else f'backward_{column}'
    report.keypoints[name] = per_keypoint


def _describe(
    report: DiscoveryReport, fitted: FittedProtocol, scored: ProtocolScore
) -> None:
    """Add to the report what the detector's own fit went through."""
    report.details.update(
        error_per_point=[None if np.isnan(e) else float(e) for e in scored.per_point],
        fit_swaps_per_iteration=list(fitted.swaps_per_iteration),
        score_swaps_per_iteration=list(scored.swaps_per_iteration),
        num_rejected=fitted.num_rejected,
        unscored=list(scored.unscored),
    )
    if scored.unscored:
        report.remarks.append(
            f'{len(scored.unscored)} images are not scored because the points of '
            f'normaliser {report.protocol.normalizer!r} coincide or are invisible: '
            f'{", ".join(scored.unscored[:5])}'
            + (', ...' if len(scored.unscored) > 5 else '')
        )
    complete = int(fitted.samples.point_visible.all(axis=1).sum())
    bias = int(report.protocol.bias)
    for direction, num_fit, num_inputs in (
        ('forward', len(fitted.samples), fitted.samples.num_discovered),
        ('backward', complete, fitted.samples.num_annotated),
    ):
        remark = _scarcity(direction, num_fit, 2 * num_inputs + bias)
        report.remarks += [remark] if remark else []
    never = np.flatnonzero(~fitted.samples.point_visible.any(axis=0))
    if len(never):
        report.remarks.append(
            f'annotated points {never.tolist()} are visible in no fitted image and '
            'predicted at the origin of the fit.'
        )


def _scarcity(direction: str, num_fit: int, unknowns: int) -> str | None:
    """Return a warning where too few images determine a fit."""
    if num_fit >= 1.5 * unknowns:
        return None
    if num_fit < 2:
        return f'{direction}: {num_fit} fully annotated images, nothing to fit.'
    consequence = (
        'about as many equations as unknowns, where errors peak'
        if near_interpolation_peak(num_fit, unknowns)
        else 'the minimum-norm solution interpolates them'
    )
    return (
        f'{direction}: only {num_fit} images for {unknowns} coefficients per target, '
        f'{consequence}; annotate more images.'
    )


def _unknowns(protocol: RegressionProtocol, samples: KeypointSamples) -> int:
    return 2 * samples.num_discovered + int(protocol.bias)
