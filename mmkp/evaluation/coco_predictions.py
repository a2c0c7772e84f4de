# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What predictions lack to be compared with COCO-style annotations."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log


def complete_predictions(metric: Any, samples: Sequence[dict]) -> list[dict]:
    """Give predictions a category, and make those that are not finite absent.

    Args:
        metric: A ``CocoMetric``.
        samples: With ``pred_instances``.

    Returns:
        The samples with ``category_id``.

    Raises:
        ValueError: If the annotations belong to several categories and a sample does
            not say which is predicted.
    """
    return [_complete(metric, sample) for sample in samples]


def _complete(metric: Any, sample: dict) -> dict:
    if 'pred_instances' not in sample:
        return sample
    return dict(
        sample,
        category_id=_category(metric, sample.get('category_id')),
        pred_instances=_finite(sample),
    )


def _category(metric: Any, category: Any) -> int:
    """Category of the predictions of a sample: its own, or the data set's."""
    if getattr(metric, 'class_agnostic', False):
        return 1
    own = {int(c) for c in np.ravel(category)} if category is not None else set()
    # A bottom-up sample holds those of all annotated people.
    if len(own) == 1 and np.ndim(category) == 0:
        return own.pop()
    known = _annotated_categories(metric)
    if len(known) == 1:
        return next(iter(known))
    if not known:
        return 1
    names = ', '.join(f'{number} ({name})' for number, name in known.items())
    raise ValueError(
        f'the annotations belong to the categories {names}, but the model does not '
        'predict which: take BottomupCocoMetric(class_agnostic=True), or test on a '
        'file of one category'
    )


def _annotated_categories(metric: Any) -> dict[int, str]:
    """Categories that have annotated keypoints, or all if none has."""
    if metric.coco is not None:
        listed = metric.coco.dataset.get('categories', [])
        used = {
            annotation['category_id']
            for annotation in metric.coco.dataset.get('annotations', [])
            if 'keypoints' in annotation
        }
    else:
        listed, used = (metric.dataset_meta or {}).get('CLASSES', []), set()
    chosen = [c for c in listed if c['id'] in used]
    chosen = chosen or [c for c in listed if c.get('keypoints')] or listed
    return {int(c['id']): str(c.get('name')) for c in chosen}


def _finite(sample: dict) -> Any:
    """Predictions in which keypoints that are not finite have score 0."""
    people = sample['pred_instances']
    points, scores = np.asarray(people['keypoints']), people['keypoint_scores']
    undefined = ~(np.isfinite(points).all(-1) & np.isfinite(scores))
    if not undefined.any():
        return people
    print_log(
        f'{sample.get("img_path", sample.get("img_id"))}: {undefined.sum()} predicted '
        'keypoints are not finite and count as not found',
        logger='current',
        level=logging.WARNING,
    )
    people = dict(people)
    people['keypoints'] = np.where(undefined[..., None], 0, points)
    people['keypoint_scores'] = np.where(undefined, 0, scores)
    for key in ('bboxes', 'bbox_scores'):
        if key in people:
            people[key] = np.nan_to_num(people[key], nan=0, posinf=0, neginf=0)
    return people
