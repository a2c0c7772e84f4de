# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a page holds of each image: the records of ``keypoints.json``, checked."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mmkp.ops.finite import finite_or_none


@dataclass
class PageImage:
    """An image of the page.

    Attributes:
        name: as in ``keypoints.json``.
        width: pixels of the upright original.
        height: the same.
        time: seconds of a frame, None of an image.
        instances: for each object K triples ``x, y, score``; None where missing.
        picture: ``data:`` URL, None where the image is gone.
    """

    name: str
    width: int
    height: int
    time: float | None
    instances: list[list[list[float | None]]]
    picture: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it, for a json text."""
        return finite_or_none(asdict(self))


def page_images(
    keypoints: Mapping[str, Any], max_images: int, path: str
) -> tuple[list[PageImage], int, int]:
    """Choose images of a run, evenly spaced, and check what is known of them.

    Args:
        keypoints: content of ``keypoints.json``, see :func:`mmkp.apis.predict_files`.
        max_images: the most to choose, at least 1.
        path: of that file, for messages.

    Returns:
        The chosen images, without pictures; the number of all; the number K.

    Raises:
        ValueError: a record is none, or objects have different numbers of keypoints.
    """
    records = keypoints.get('images')
    if not isinstance(records, list) or not records:
        raise ValueError(f"'{path}' lists no images: predict once more")
    number = min(len(records), max_images)
    chosen = np.linspace(0, len(records) - 1, number).round().astype(int)
    images = [_page_image(records[index], index, path) for index in chosen]
    found = {len(points) for image in images for points in image.instances}
    declared = keypoints.get('num_keypoints')
    if isinstance(declared, int):
        found.add(declared)
    if len(found) > 1:
        raise ValueError(
            f"'{path}' has objects of {' and '.join(map(str, sorted(found)))} "
            'keypoints: a page shows the keypoints of one model'
        )
    return images, len(records), found.pop() if found else 0


def _page_image(record: Any, index: int, path: str) -> PageImage:
    """One record of the file, or an error that says what is wrong with it."""
    try:
        width, height = int(record['width']), int(record['height'])
        if min(width, height) < 1:
            raise ValueError(f'{width}x{height} pixels')
        time = record.get('time')
        return PageImage(
            name=str(record['image']),
            width=width,
            height=height,
            time=None if time is None else float(time),
            instances=[_triples(entry) for entry in record['instances']],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = json.dumps(record, default=str)[:80]
        raise ValueError(
            f"'{path}', image {index}: {type(error).__name__} {error} in {told}"
        ) from error


def _triples(instance: Mapping[str, Any]) -> list[list[float | None]]:
    """Rounded ``x, y, score`` of the keypoints of an object."""
    points = np.array(instance['keypoints'], np.float64).reshape(-1, 2)
    scores = instance.get('keypoint_scores')
    if scores is None:
        scores = np.ones(len(points))
    values = np.column_stack([points, np.array(scores, np.float64)])
    return finite_or_none(values.round(3))
