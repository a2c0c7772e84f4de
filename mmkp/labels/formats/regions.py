# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From single points and boxes, as annotation tools have them, to objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..label_set import LabelSet


@dataclass(frozen=True)
class Region:
    """A point or a box that a person has drawn.

    Attributes:
        image: Number of its image.
        group: What those of one object share, '' if that is not known.
        label: Name of the keypoint, '' of a box.
        point: x and y, None of a box.
        box: ``x1, y1, x2, y2``, None of a point.
        score: Of a model, NaN of a person.
        individual: Name of the object.
        visibility: 1 hidden, 2 visible.
    """

    image: int
    group: str
    label: str
    point: tuple[float, float] | None
    box: tuple[float, float, float, float] | None = None
    score: float = np.nan
    individual: str = ''
    visibility: int = 2


def objects_of_regions(
    regions: Sequence[Region], names: Sequence[str], images: Sequence[str]
) -> LabelSet:
    """Put points together.

    Args:
        regions: In the order of the images.
        names: Of keypoints that are known; others follow in the order that they occur.
        images: Names of the M images.

    Returns:
        The objects. Points of no group make one until a keypoint repeats.
    """
    order = {str(name): index for index, name in enumerate(names)}
    for region in regions:
        if region.label:
            order.setdefault(region.label, len(order))
    # A group's box may come after its points.
    places: dict[tuple[int, str], int] = {}
    objects: list[list[Region]] = []
    for region in regions:
        key = (region.image, region.group)
        known = places.get(key)
        repeats = known is not None and any(
            not region.group and other.label == region.label for other in objects[known]
        )
        if known is None or repeats:
            places[key] = len(objects)
            objects.append([])
        objects[places[key]].append(region)
    objects = [found for found in objects if any(region.label for region in found)]
    number = len(objects)
    labels = LabelSet(
        keypoint_names=list(order),
        image_names=list(images),
        image_index=np.array([found[0].image for found in objects], np.int64),
        keypoints=np.full((number, len(order), 2), np.nan),
        scores=np.full((number, len(order)), np.nan),
        object_scores=np.full(number, np.nan),
        individuals=[
            next((r.individual for r in found if r.individual), '') for found in objects
        ],
    )
    assert labels.scores is not None and labels.object_scores is not None
    for place, found in enumerate(objects):
        for region in found:
            if region.point is not None and region.label:
                part = order[region.label]
                labels.keypoints[place, part] = region.point
                labels.scores[place, part] = region.score
                labels.visibility[place, part] = region.visibility
            elif region.box is not None:
                labels.boxes[place] = region.box
                labels.object_scores[place] = region.score
    if np.isnan(labels.object_scores).all():
        labels.object_scores = None
    return labels
