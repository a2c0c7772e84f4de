# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How well each label fits the others: figures, a table, and what to look at."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.labeled_objects import LabeledObjects
from mmkp.evaluation.functional.named_regression import (
    NamedRegression,
    distances,
    unusual_errors,
)
from mmkp.labels import LabelSet

_MOST_REMARKS = 20


def report_labels(
    labels: LabelSet,
    exchanged: Sequence[Sequence[tuple[int, int]]],
    objects: LabeledObjects,
    fit: NamedRegression,
    folder: Path,
) -> dict[str, Any]:
    """Measure each label by the fit without it, and write ``labels.csv``.

    Args:
        labels: N objects, as they were given.
        exchanged: for each the pairs whose left and right are exchanged.
        objects: the labels as they were fitted.
        fit: of them.
        folder: gets the table.

    Returns:
        Figures, pixels and shares of the image: ``left_out_px``, ``left_out_percent``
        (of the side of the square of the image's area), both also of the
        ``mean_pose``, ``points`` with those of each keypoint, ``labels``,
        ``exchanged`` (image -> names), ``disagree`` (image -> error in pixels), and
        ``remarks``, sentences to print.
    """
    truth, scales = objects.labels[:, 0], objects.scales
    sides = _sides(labels, objects)[:, None]
    errors = {
        name: distances(found, truth, scales)
        for name, found in (('', fit.left_out), ('mean_pose_', fit.mean_left_out))
    }
    figures: dict[str, Any] = dict(labels=len(labels))
    for name, values in errors.items():
        figures[f'{name}left_out_px'] = _mean(values)
        figures[f'{name}left_out_percent'] = _mean(100 * values / sides)
    figures.update(mirrored=fit.mirrored, turned=fit.turned)
    figures['points'] = {
        point: dict(
            left_out_px=_mean(errors[''][:, i]),
            mean_pose_left_out_px=_mean(errors['mean_pose_'][:, i]),
            labels=int(np.isfinite(truth[:, i]).all(1).sum()),
        )
        for i, point in enumerate(labels.keypoint_names)
    }
    images = [labels.image_names[index] for index in labels.image_index]
    of_object = np.array([_mean(row) or np.nan for row in errors['']])
    figures['exchanged'] = {
        image: [
            f'{labels.keypoint_names[a]}/{labels.keypoint_names[b]}' for a, b in some
        ]
        for image, some in zip(images, exchanged, strict=True)
        if some
    }
    figures['disagree'] = {
        images[i]: round(float(of_object[i]), 2)
        for i in np.argsort(-np.nan_to_num(of_object))
        if unusual_errors(of_object)[i]
    }
    _write_table(folder / 'labels.csv', labels, images, errors[''], figures)
    figures['remarks'] = _remarks(labels, figures)
    return figures


def _sides(labels: LabelSet, objects: LabeledObjects) -> np.ndarray:
    """Side of the square of the area of each object's image, (N,)."""
    sizes = labels.image_sizes[labels.image_index].astype(float)
    sizes = np.where(sizes.all(1, keepdims=True), sizes, objects.scales)
    return np.sqrt(sizes.prod(1))


def _mean(values: np.ndarray) -> float | None:
    """Mean over what is known, None where nothing is."""
    known = values[np.isfinite(values)]
    return round(float(known.mean()), 3) if len(known) else None


def _write_table(
    path: Path,
    labels: LabelSet,
    images: Sequence[str],
    errors: np.ndarray,
    figures: dict[str, Any],
) -> None:
    """A row for each object: its errors in pixels and what is odd about it."""
    with path.open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        head = ['image', 'object', 'error_px', 'disagrees', 'exchanged']
        writer.writerow([*head, *labels.keypoint_names])
        for number, image in enumerate(images):
            writer.writerow(
                [
                    image,
                    labels.individuals[number] or number,
                    _mean(errors[number]),
                    int(image in figures['disagree']),
                    ' '.join(figures['exchanged'].get(image, ())),
                    *(round(e, 2) if np.isfinite(e) else '' for e in errors[number]),
                ]
            )


def _remarks(labels: LabelSet, figures: dict[str, Any]) -> list[str]:
    """What a person should know."""
    lines = []
    if figures['left_out_px'] is not None:
        lines.append(
            f'error of labels that were left out: {figures["left_out_px"]} px '
            f'({figures["left_out_percent"]} % of the image), mean pose '
            f'{figures["mean_pose_left_out_px"]} px '
            f'({figures["mean_pose_left_out_percent"]} %), {len(labels)} labels'
        )
        for point, one in figures['points'].items():
            lines.append(
                f'  {point}: {one["left_out_px"]} px, mean pose '
                f'{one["mean_pose_left_out_px"]} px, {one["labels"]} labels'
            )
    pairs = len(labels.swaps)
    for image, some in list(figures['exchanged'].items())[:_MOST_REMARKS]:
        what = 'all left and right' if len(some) == pairs else ', '.join(some)
        lines.append(f'{image}: {what} exchanged? It was fitted the other way round')
    for image, error in list(figures['disagree'].items())[:_MOST_REMARKS]:
        lines.append(f'{image}: its labels are {error} px off what the others say')
    return lines
