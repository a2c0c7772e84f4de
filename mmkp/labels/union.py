# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Several label sets as one, and some images of one."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .label_set import LabelSet
from .selection import select_objects


def join_label_sets(sets: Sequence[LabelSet], names: Sequence[str] = ()) -> LabelSet:
    """Put label sets together; what only some have is missing in the others.

    Args:
        sets: At least one.
        names: Order of the keypoints; those that it lacks follow, and those that no
            set has are left out.

    Returns:
        A new set, with the root of the first.
    """
    own = dict.fromkeys(name for labels in sets for name in labels.keypoint_names)
    order = [name for name in dict.fromkeys([*names, *own]) if name in own]
    images = list(dict.fromkeys(n for labels in sets for n in labels.image_names))
    place = {name: index for index, name in enumerate(images)}
    keypoints, scores, visibility, index = [], [], [], []
    for labels in sets:
        columns = [order.index(name) for name in labels.keypoint_names]
        points = np.full((len(labels), len(order), 2), np.nan)
        points[:, columns] = labels.keypoints
        keypoints.append(points)
        seen = np.zeros((len(labels), len(order)), np.int64)
        seen[:, columns] = labels.visibility
        visibility.append(seen)
        values = np.full((len(labels), len(order)), np.nan)
        if labels.scores is not None:
            values[:, columns] = labels.scores
        scores.append(values)
        index += [place[labels.image_names[i]] for i in labels.image_index]
    sizes = np.zeros((len(images), 2), np.int64)
    for labels in sets:
        for name, size in zip(labels.image_names, labels.image_sizes, strict=True):
            sizes[place[name]] = size
    has_scores = any(labels.scores is not None for labels in sets)
    return LabelSet(
        keypoint_names=order,
        image_names=images,
        image_index=np.array(index, np.int64),
        keypoints=np.concatenate(keypoints),
        scores=np.concatenate(scores) if has_scores else None,
        visibility=np.concatenate(visibility),
        boxes=np.concatenate([labels.boxes for labels in sets]),
        individuals=[name for labels in sets for name in labels.individuals],
        image_sizes=sizes,
        root=sets[0].root,
        scorer=sets[0].scorer,
    )


def subset_of_images(labels: LabelSet, places: Sequence[int]) -> LabelSet:
    """Keep some images and the objects in them.

    Args:
        labels: Of M images.
        places: Indices of the images to keep, in their new order.

    Returns:
        A new set.
    """
    new = {old: place for place, old in enumerate(places)}
    chosen = [n for n, old in enumerate(labels.image_index.tolist()) if old in new]
    part = select_objects(labels, chosen)
    chosen_images = list(places)
    return dataclasses.replace(
        part,
        image_index=np.array([new[old] for old in part.image_index.tolist()], np.int64),
        image_names=[labels.image_names[old] for old in chosen_images],
        image_sizes=labels.image_sizes[chosen_images],
        times=None if labels.times is None else labels.times[chosen_images],
    )
