# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What of a label set a file format cannot hold."""

from collections.abc import Callable, Collection

import numpy as np

from .label_set import LabelSet

#: What a format may keep: how it is called, and how much of it labels have.
ASPECTS: dict[str, tuple[str, Callable[[LabelSet], int]]] = {
    'names': (
        'names of {} keypoints; they are numbered',
        lambda labels: sum(not name.isdecimal() for name in labels.keypoint_names),
    ),
    'images': (
        'names of {} images; they are numbered',
        lambda labels: 0 if labels.film else len(labels.image_names),
    ),
    'empty': ('{} images without an object', lambda labels: _empty_images(labels)),
    'several': (
        '{} objects in images that have another one; the one of the best score, else '
        'the first, is kept',
        lambda labels: len(labels) - len(set(labels.image_index.tolist())),
    ),
    'individuals': (
        'names of {} objects (individuals, tracks)',
        lambda labels: sum(map(bool, labels.individuals)),
    ),
    'scores': (
        'scores of {} keypoints',
        lambda labels: 0 if labels.scores is None else labels.scores.size,
    ),
    'object_scores': (
        'scores of {} objects',
        lambda labels: 0 if labels.object_scores is None else len(labels),
    ),
    'hidden': (
        'that {} points are hidden; they count as visible',
        lambda labels: int((labels.visibility == 1).sum()),
    ),
    'boxes': (
        'boxes of {} objects',
        lambda labels: int(np.isfinite(labels.boxes).all(1).sum()),
    ),
    'sizes': (
        'sizes of {} images',
        lambda labels: int((labels.image_sizes > 0).all(1).sum()),
    ),
    'times': (
        'times of {} frames',
        lambda labels: 0 if labels.times is None else len(labels.times),
    ),
    'links': ('{} links of the skeleton', lambda labels: len(labels.links)),
    'swaps': ('{} pairs of left and right keypoints', lambda labels: len(labels.swaps)),
    'film': (
        'that the {} images are frames of a film; their names stay',
        lambda labels: len(labels.image_names) if labels.film else 0,
    ),
    'scorer': ('the name of the scorer', lambda labels: int(bool(labels.scorer))),
}


def losses(labels: LabelSet, keeps: Collection[str]) -> list[str]:
    """Say what a format leaves out of these labels.

    Args:
        labels: To be written.
        keeps: Of ``ASPECTS``, what the format holds.

    Returns:
        A line a thing that the labels have and the format does not hold.
    """
    return [
        text.format(count(labels))
        for aspect, (text, count) in ASPECTS.items()
        if aspect not in keeps and count(labels)
    ]


def best_of_image(labels: LabelSet) -> np.ndarray:
    """Choose an object an image, for formats that hold one.

    Args:
        labels: Of N objects.

    Returns:
        Indices of the chosen objects, in the order of the images: that of the best
        score, the first where there are none.
    """
    if labels.object_scores is not None:
        scores = np.nan_to_num(labels.object_scores, nan=-np.inf)
    elif labels.scores is not None:
        scores = np.nan_to_num(labels.scores).mean(1)
    else:
        scores = np.zeros(len(labels))
    order = np.lexsort((np.arange(len(labels)), -scores, labels.image_index))
    first = np.unique(labels.image_index[order], return_index=True)[1]
    return order[first]


def _empty_images(labels: LabelSet) -> int:
    """Number of images without an object."""
    return len(labels.image_names) - len(set(labels.image_index.tolist()))
