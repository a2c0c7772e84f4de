# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Errors of each animal apart, where some are in many more images than others."""

import re
from os.path import basename

import numpy as np

from .discovery_report import DETECTOR, MEAN_POSE, UNTRAINED, DiscoveryReport
from .forward_error import fit_protocol, score_protocol
from .mean_pose import without_inputs
from .protocols import RegressionProtocol
from .samples import KeypointSamples


def group_images(names: tuple[str, ...], pattern: str) -> dict[str, np.ndarray]:
    """Part images by what their names say.

    Args:
        names: Files of n images.
        pattern: Regular expression whose first group is found in the name of a file,
            without its folder, and tells whom it shows.

    Returns:
        What was found -> indices of its images, in order.

    Raises:
        ValueError: If it is no pattern with a group, or not found in a name.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f'image_groups={pattern!r} is no pattern: {error}') from error
    if not compiled.groups:
        raise ValueError(f'image_groups={pattern!r} needs a group in round brackets')
    labels = []
    for name in names:
        found = compiled.search(basename(name))
        if found is None:
            raise ValueError(f'image_groups={pattern!r} is not found in {name}')
        labels.append(str(found[1]))
    return {
        label: np.flatnonzero(np.array(labels) == label)
        for label in sorted(set(labels))
    }


def group_errors(
    protocol: RegressionProtocol,
    fit: KeypointSamples,
    score: KeypointSamples,
    untrained: tuple[np.ndarray, np.ndarray] | None,
    pattern: str,
) -> dict[str, dict[str, float]]:
    """Forward errors of each group of images by one fit.

    Args:
        protocol: The protocol.
        fit: Images to fit on.
        score: Images to score.
        untrained: As in :func:`.evaluate_discovery`.
        pattern: See :func:`group_images`.

    Returns:
        Column of the report -> group -> figure in the protocol's unit.

    Raises:
        ValueError: If images cannot be parted, see :func:`group_images`.
    """
    rules, mean_fit = without_inputs(protocol, fit)
    columns = {
        DETECTOR: (protocol, fit, score),
        MEAN_POSE: (rules, mean_fit, without_inputs(protocol, score)[1]),
    }
    if untrained is not None:
        parts = zip((fit, score), untrained, strict=True)
        seen = [samples.with_discovered(points) for samples, points in parts]
        columns[UNTRAINED] = (protocol, seen[0], seen[1])
    groups = group_images(score.names, pattern)
    errors: dict[str, dict[str, float]] = {}
    for column, (rule, fitted_on, scored) in columns.items():
        fitted = fit_protocol(rule, fitted_on)
        errors[column] = {
            label: score_protocol(rule, fitted, scored.select(chosen)).figure
            for label, chosen in groups.items()
        }
    return errors


def add_group_errors(
    report: DiscoveryReport, errors: dict[str, dict[str, float]]
) -> None:
    """Add the mean over groups to a report, and each group to its details.

    Args:
        report: What is added to.
        errors: See :func:`group_errors`.
    """
    report.errors['forward_groups'] = {
        column: float(np.mean(list(figures.values())))
        for column, figures in errors.items()
    }
    report.details['forward_of_groups'] = errors
    shown = ', '.join(f'{k} {v:.4g}' for k, v in errors[DETECTOR].items())
    report.remarks.append(f'forward of each group of images: {shown}')
