# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The images to fit on and those to score, out of the records of an evaluation."""

import numpy as np

from mmkp.evaluation.functional import KeypointSamples

from .evaluation_record import EvaluationRecord


def split_records(
    records: list[EvaluationRecord],
) -> tuple[list[EvaluationRecord], list[EvaluationRecord]]:
    """Part the records to fit on from those to score.

    Args:
        records: Of all images.

    Returns:
        Both, neither of them empty.

    Raises:
        ValueError: If there is nothing to fit or to score, or images disagree about
            the number of keypoints.
    """
    parts = []
    for purpose, what in (('fit', 'to fit the regressor on'), ('score', 'to score')):
        parts.append([record for record in records if record.purpose == purpose])
        if not parts[-1]:
            raise ValueError(
                f'there is no image {what}: of {len(records)} evaluated images none '
                f'has a dataset_name that ends in _{purpose}. Evaluate on '
                'DiscoveryEvaluationDataset(fit=dict(...), score=dict(...)), and '
                f'check that its {purpose} dataset is not empty.'
            )
    _check_numbers(records)
    return parts[0], parts[1]


def untrained_keypoints(
    fit: list[EvaluationRecord], score: list[EvaluationRecord]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Stack the control's keypoints of both sets.

    Args:
        fit: Records to fit on.
        score: Records to score.

    Returns:
        (n, K, 2) float64 of each, fractions of the crop; None if an image lacks them.
    """
    stacks = []
    for records in (fit, score):
        points = [r.untrained for r in records if r.untrained is not None]
        if len(points) < len(records):
            return None
        stacks.append(np.stack(points))
    return stacks[0], stacks[1]


def _check_numbers(records: list[EvaluationRecord]) -> None:
    first = records[0]
    for record in records:
        for what in ('discovered', 'annotated', 'untrained'):
            ours, theirs = getattr(record, what), getattr(first, what)
            if ours is None or theirs is None:
                continue
            if len(ours) != len(theirs):
                raise ValueError(
                    f'{first.name} has {len(theirs)} {what} keypoints but '
                    f'{record.name} has {len(ours)}: images to fit and to score need '
                    'the same annotated keypoints (see keypoint_groups) and one '
                    'detector.'
                )


def to_samples(records: list[EvaluationRecord]) -> KeypointSamples:
    """Stack records.

    Args:
        records: Of images with the same numbers of keypoints.

    Returns:
        The arrays that protocols work on.
    """
    return KeypointSamples.from_arrays(
        np.stack([r.discovered for r in records]),
        np.stack([r.annotated for r in records]),
        np.stack([r.visible for r in records]),
        np.stack([r.crop_size for r in records]),
        np.stack([r.image_size for r in records]),
        tuple(r.name for r in records),
    )
