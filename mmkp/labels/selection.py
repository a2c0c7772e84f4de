# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Some objects of a label set."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .label_set import LabelSet


def select_objects(labels: LabelSet, indices: Sequence[int] | np.ndarray) -> LabelSet:
    """Keep some objects; all images stay.

    Args:
        labels: Of N objects.
        indices: Of those to keep, in their new order.

    Returns:
        A new set.
    """
    chosen = np.asarray(indices, np.int64)
    of_objects = (labels.scores, labels.object_scores)
    scores, object_scores = (None if a is None else a[chosen] for a in of_objects)
    return dataclasses.replace(
        labels,
        image_index=labels.image_index[chosen],
        keypoints=labels.keypoints[chosen],
        visibility=labels.visibility[chosen],
        boxes=labels.boxes[chosen],
        individuals=[labels.individuals[index] for index in chosen],
        scores=scores,
        object_scores=object_scores,
    )
