# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO's keypoint results, json: what COCO's evaluation takes."""

from pathlib import Path

import numpy as np

from ..frames import frame_numbers
from ..label_set import LabelSet
from ..number_text import box_corners, plain, write_json
from .coco import box_of, number_or_nan
from .source import Source


def recognize(source: Source) -> bool:
    """Tell whether a json file is a list of results.

    Args:
        source: What lies at a path.
    """
    content = source.json
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and {'image_id', 'keypoints'} <= set(content[0])
    )


def read(source: Source) -> LabelSet:
    """Read results; images are called by their ids and keypoints by their numbers.

    Args:
        source: The file.

    Returns:
        The predictions.

    Raises:
        ValueError: If an entry is none, or has another number of keypoints.
    """
    entries = source.json
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'{source.path} is no list of results, or an empty one')
    names: dict[str, int] = {}
    index: list[int] = []
    rows: list[list[float]] = []
    boxes: list[list[float]] = []
    scores: list[float] = []
    for place, entry in enumerate(entries):
        known_entry = isinstance(entry, dict) and 'image_id' in entry
        row = entry.get('keypoints') if known_entry else None
        if not isinstance(row, list) or not row or len(row) % 3:
            raise ValueError(
                f'{source.path}: entry {place + 1} is no result: image_id and '
                'keypoints of 3 numbers each are expected'
            )
        if rows and len(row) != len(rows[0]):
            raise ValueError(
                f'{source.path}: entry {place + 1} has {len(row) // 3} keypoints, the '
                f'first one has {len(rows[0]) // 3}'
            )
        rows.append([number_or_nan(value) for value in row])
        index.append(names.setdefault(str(entry['image_id']), len(names)))
        box = entry.get('bbox')
        known = isinstance(box, list) and len(box) == 4
        boxes.append(box_corners(map(number_or_nan, box)) if known else [np.nan] * 4)
        scores.append(number_or_nan(entry.get('score')))
    triplets = np.array(rows).reshape(len(rows), -1, 3)
    missing = (triplets[..., 2] == 0) & (triplets[..., :2] == 0).all(-1)
    points = np.where(missing[..., None], np.nan, triplets[..., :2])
    return LabelSet(
        keypoint_names=[str(k) for k in range(triplets.shape[1])],
        image_names=list(names),
        image_index=np.array(index, np.int64),
        keypoints=points,
        scores=np.where(missing, np.nan, triplets[..., 2]),
        object_scores=np.array(scores),
        boxes=np.array(boxes).reshape(-1, 4),
        root=source.path.parent,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write results; ids of images are the numbers that all their names end in.

    Args:
        labels: To be written. Where names do not end in numbers of their own, images
            are numbered from 1 in their order, as in a COCO file written beside it.
        path: File.
    """
    numbers = frame_numbers(labels.image_names)
    if numbers is None:
        numbers = list(range(1, len(labels.image_names) + 1))
    results = []
    for index, (place, points) in enumerate(
        zip(labels.image_index.tolist(), labels.keypoints, strict=True)
    ):
        scores = np.ones(len(points)) if labels.scores is None else labels.scores[index]
        row: list = []
        for point, score in zip(points, scores, strict=True):
            known = bool(np.isfinite(point).all())
            row += [*(plain(v) for v in point), plain(score)] if known else [0, 0, 0]
        score = np.nan if labels.object_scores is None else labels.object_scores[index]
        if np.isnan(score):
            known_scores = scores[np.isfinite(points).all(1) & np.isfinite(scores)]
            score = known_scores.mean() if len(known_scores) else 0.0
        results.append(
            dict(
                image_id=numbers[place],
                category_id=1,
                keypoints=[0 if value is None else value for value in row],
                score=plain(score),
                bbox=box_of(labels, index),
            )
        )
    write_json(results, path)
