# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO's keypoint annotations, json."""

import copy
from pathlib import Path
from typing import Any

import numpy as np

from ..image_files import sizes_of
from ..label_set import LabelSet
from ..number_text import box_corners, box_sides, plain, write_json
from .source import Source


def recognize(source: Source) -> bool:
    """Tell whether a json file has images and annotations.

    Args:
        source: What lies at a path.
    """
    content = source.json
    return isinstance(content, dict) and {'images', 'annotations'} <= set(content)


def read(source: Source) -> LabelSet:
    """Read annotations, checked as the data sets check them.

    Args:
        source: The file.

    Returns:
        The labels; ``track_id`` or ``individual`` is the name of an individual,
        ``score`` that of an object, ``keypoint_scores`` those of its points.

    Raises:
        ValueError: If it is no such file, or names no keypoints.
    """
    from mmkp.datasets.coco_check import (
        check_coco,
        landmark_category,
        landmark_edges,
        landmark_names,
    )

    path = str(source.path)
    content = check_coco(copy.deepcopy(source.json), path)
    category = landmark_category(content, path)
    if not category:
        raise ValueError(f'{path} names no keypoints in its categories')
    names = landmark_names(category, path)
    images = {image['id']: place for place, image in enumerate(content['images'])}
    found = [a for a in content.get('annotations', []) if a.get('keypoints')]
    shape = (len(found), len(names), 3)
    if any(len(a['keypoints']) != 3 * len(names) for a in found):
        raise ValueError(f'{path}: an annotation has not 3 numbers a keypoint')
    triplets = np.array([a['keypoints'] for a in found], np.float64).reshape(shape)
    visibility = triplets[..., 2].astype(np.int64)
    points = np.where(visibility[..., None] > 0, triplets[..., :2], np.nan)
    return LabelSet(
        keypoint_names=names,
        image_names=[str(image['file_name']) for image in content['images']],
        image_index=np.array([images[a['image_id']] for a in found], np.int64),
        keypoints=points,
        visibility=visibility,
        scores=_scores(found, len(names)),
        object_scores=_object_scores(found),
        boxes=np.array([_box(a) for a in found]).reshape(-1, 4),
        individuals=[_individual(a) for a in found],
        image_sizes=np.array([_size(i) for i in content['images']], np.int64),
        links=landmark_edges(category, names, path),
        root=source.path.parent,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write annotations; objects without a box get that of their points.

    Args:
        labels: To be written.
        path: File.
    """
    sizes = sizes_of(labels)
    images = [
        dict(id=number, file_name=name, width=int(size[0]), height=int(size[1]))
        for number, (name, size) in enumerate(
            zip(labels.image_names, sizes, strict=True), 1
        )
    ]
    category = dict(
        id=1,
        name='object',
        keypoints=labels.keypoint_names,
        skeleton=[[int(a) + 1, int(b) + 1] for a, b in labels.links],
    )
    annotations = [_annotation(labels, index) for index in range(len(labels))]
    write_json(
        dict(images=images, annotations=annotations, categories=[category]), path
    )


def triplets_of(labels: LabelSet, index: int) -> list[float | int | None]:
    """Return x, y and visibility of each keypoint of an object, zeros if missing.

    Args:
        labels: Of N objects.
        index: Of the object.
    """
    values: list[float | int | None] = []
    for point, seen in zip(
        labels.keypoints[index], labels.visibility[index].tolist(), strict=True
    ):
        known = bool(seen) and bool(np.isfinite(point).all())
        values += [plain(point[0]), plain(point[1]), seen] if known else [0, 0, 0]
    return values


def box_of(labels: LabelSet, index: int) -> list[float | int | None]:
    """Return x, y, width and height of an object's box, or of that of its points.

    Args:
        labels: Of N objects.
        index: Of the object.
    """
    from mmkp.datasets.coco_writer import points_box

    if np.isfinite(labels.boxes[index]).all():
        return box_sides(labels.boxes[index])
    points = labels.keypoints[index]
    points = points[np.isfinite(points).all(1)]
    return list(points_box(points, 1.25)) if len(points) else [0, 0, 0, 0]


def _annotation(labels: LabelSet, index: int) -> dict[str, Any]:
    """One object."""
    box = box_of(labels, index)
    triplets = triplets_of(labels, index)
    annotation: dict[str, Any] = dict(
        id=index + 1,
        image_id=int(labels.image_index[index]) + 1,
        category_id=1,
        iscrowd=0,
        bbox=box,
        area=plain((box[2] or 0) * (box[3] or 0)),
        num_keypoints=sum(1 for seen in triplets[2::3] if seen),
        keypoints=triplets,
    )
    individual = labels.individuals[index]
    if individual.isdecimal() and str(int(individual)) == individual:
        annotation['track_id'] = int(individual)
    elif individual:
        annotation['individual'] = individual
    if labels.object_scores is not None:
        annotation['score'] = plain(labels.object_scores[index])
    if labels.scores is not None:
        annotation['keypoint_scores'] = [plain(s) for s in labels.scores[index]]
    return annotation


def _individual(annotation: dict) -> str:
    """Name of an individual, or number of a track."""
    for key in ('individual', 'track_id'):
        value = annotation.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return ''


def _box(annotation: dict) -> list[float]:
    """Corners of a box, NaN without one."""
    box = annotation.get('bbox')
    if not isinstance(box, list) or len(box) != 4:
        return [np.nan] * 4
    return box_corners(box)


def _size(image: dict) -> list[int]:
    """Width and height, 0 if unknown."""
    sides = (image.get('width'), image.get('height'))
    return [int(side) if isinstance(side, int | float) else 0 for side in sides]


def _object_scores(found: list[dict]) -> np.ndarray | None:
    """Scores (N,) of objects, None without any."""
    if not any('score' in a for a in found):
        return None
    return np.array([number_or_nan(a.get('score')) for a in found])


def _scores(found: list[dict], number: int) -> np.ndarray | None:
    """Scores (N, K) of keypoints, None without any."""
    if not any('keypoint_scores' in a for a in found):
        return None
    scores = np.full((len(found), number), np.nan)
    for row, annotation in zip(scores, found, strict=True):
        values = annotation.get('keypoint_scores')
        if isinstance(values, list) and len(values) == number:
            row[:] = [number_or_nan(value) for value in values]
    return scores


def number_or_nan(value: Any) -> float:
    """Return a number, NaN for everything else.

    Args:
        value: From a json file.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e300 else float('nan')
