# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How often left and right are exchanged, in the report of a protocol."""

from collections.abc import Sequence

import numpy as np

from mmkp.ops.finite import finite_or_none

from .backward_error import predict_backward
from .discovery_report import DETECTOR, DiscoveryReport
from .samples import KeypointSamples
from .swap_rate import swap_rate

Pairs = Sequence[Sequence[int]]


def add_swapped_points(
    report: DiscoveryReport, pairs: Pairs, names: Sequence[str] = ()
) -> None:
    """Add ``swapped``: how often the sides of annotated pairs are predicted exchanged.

    Args:
        report: Changed in place; ``outcomes`` say what was predicted.
        pairs: Index pairs of annotated points, left and right.
        names: Of the annotated points, where they have any.
    """
    rates = {}
    for column, outcome in report.outcomes.items():
        samples = outcome.samples
        side = samples.crop_size[:, None]
        rates[column] = swap_rate(
            outcome.predicted * side,
            samples.annotated * side,
            pairs,
            samples.point_visible,
        )
    report.shares['swapped'] = {column: _mean(rate) for column, rate in rates.items()}
    report.details['swapped_pairs'] = [
        {
            'pair': [names[i] if len(names) else int(i) for i in pair],
            **{c: finite_or_none(float(rate[index])) for c, rate in rates.items()},
        }
        for index, pair in enumerate(pairs)
    ]


def add_swapped_keypoints(
    report: DiscoveryReport, fit: KeypointSamples, pairs: Pairs
) -> None:
    """Add ``keypoints_swapped``, the same of pairs of discovered keypoints.

    The sides are those that annotated points let expect (:func:`predict_backward`).

    Args:
        report: Changed in place.
        fit: Images to fit on.
        pairs: Index pairs of discovered keypoints.
    """
    samples = report.outcomes[DETECTOR].samples
    samples = samples.select(np.all(samples.point_visible, axis=1))
    expected = predict_backward(report.protocol, fit, samples)
    if expected is None or not len(pairs):
        return
    side = samples.crop_size[:, None]
    rates = swap_rate(samples.discovered * side, expected * side, pairs)
    report.shares['keypoints_swapped'] = {DETECTOR: _mean(rates)}
    report.details['swapped_keypoints'] = [
        {'pair': [int(i) for i in pair], DETECTOR: float(rate)}
        for pair, rate in zip(pairs, rates, strict=True)
    ]


def _mean(rates: np.ndarray) -> float:
    known = rates[np.isfinite(rates)]
    return float(known.mean()) if len(known) else float('nan')
