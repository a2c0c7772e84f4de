# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read boxes of images from COCO-style or plain json files."""

import os
import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from mmkp.datasets.coco_check import check_coco
from mmkp.datasets.coco_check.values import MAX_COORDINATE
from mmkp.labels import read_json


def _coco_boxes(content: dict) -> dict[str, list]:
    """Return the boxes (x, y, w, h) of checked COCO-style content by image name."""
    names = {image['id']: image['file_name'] for image in content['images']}
    boxes: dict[str, list] = defaultdict(list)
    for annotation in content.get('annotations', []):
        if not annotation['iscrowd']:
            box, score = annotation['bbox'], annotation.get('score', 1.0)
            if isinstance(box, list):
                box = [*box, score]
            boxes[names[annotation['image_id']]].append(box)
    return boxes


def read_boxes(path: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the boxes of images.

    Two formats are read: COCO-style (``images`` with ``id`` and ``file_name``,
    ``annotations`` with ``image_id``, ``bbox`` and optionally ``score``), and a plain
    ``{file name: [[x, y, w, h], [x, y, w, h, score], ...]}``. Boxes are in pixels of
    the image as viewers show it (EXIF orientation applied).

    Args:
        path: Path of the json file.

    Returns:
        By file name an array (N, 5), float32, of ``x1, y1, x2, y2, score``, and one
        line of text for each box left out because its width or height is not
        positive, or one of its numbers is not finite.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is no json, or in neither format.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'box file {path} does not exist')
    content = read_json(path, nan=True)
    if not isinstance(content, dict):
        raise ValueError(
            f'box file {path} must hold a COCO-style dict or {{file name: boxes}}, '
            f'got a {type(content).__name__}'
        )
    by_name = content
    if 'images' in content and 'annotations' in content:
        by_name = _coco_boxes(check_coco(content, path))
    kept, left_out = {}, []
    for name, boxes in by_name.items():
        if not isinstance(boxes, list):
            _refuse(path, name, boxes)
        good = []
        for box in boxes:
            numbers = _numbers(box)
            if numbers is None:
                _refuse(path, name, box)
            x, y, width, height, score = numbers
            known = all(abs(n) < MAX_COORDINATE for n in numbers)
            if known and width > 0 and height > 0:
                good.append([x, y, x + width, y + height, score])
            else:
                left_out.append(f'{name}: {box}')
        if good:
            kept[plain_name(name)] = np.array(good, np.float32)
    return kept, left_out


def _numbers(box: Any) -> list[float] | None:
    """x, y, width, height and score, 1 if it is absent; None if these are none."""
    if not isinstance(box, list) or len(box) not in (4, 5):
        return None
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in box):
        return None
    return [*box, 1.0][:5]


def _refuse(path: str, name: str, found: Any) -> NoReturn:
    raise ValueError(
        f'box file {path}: {name} has {found!r:.60} where [x, y, w, h] or '
        '[x, y, w, h, score] is expected'
    )


def plain_name(name: str) -> str:
    """A file name as box files are compared by: with / and without ``./``."""
    return posixpath.normpath(name.replace('\\', '/'))


def box_window(
    box: np.ndarray, shape: Sequence[int], padding: float = 1.0
) -> tuple[slice, slice]:
    """Rows and columns of a picture in an enlarged box.

    Args:
        box: edges ``x1, y1, x2, y2`` in pixels.
        shape: height and width of the picture, and maybe more.
        padding: factor by which the box is enlarged.

    Returns:
        Slices that cover it inside the picture, empty for a box beside it.
    """
    corners, size = np.asarray(box, float).reshape(2, 2), shape[1::-1]
    middle, reach = corners.mean(0), padding * (corners[1] - corners[0]) / 2
    left, top = np.floor((middle - reach).clip(0, size)).astype(int)
    right, bottom = np.ceil((middle + reach).clip(0, size)).astype(int)
    return slice(top, bottom), slice(left, right)


def box_remarks(
    path: str, boxes: Mapping[str, object], left_out: list[str], names: Sequence[str]
) -> list[str]:
    """What a user should know about a box file and the images it is used for.

    Args:
        path: of the box file.
        boxes: by name, and
        left_out: texts, as :func:`read_boxes` returns them.
        names: of all images, relative to their folder.

    Returns:
        One sentence on boxes that are left out, one on names that no image has, and
        one on images without a box, where there are any.
    """
    known = {plain_name(name) for name in names}
    unknown = [name for name in boxes if name not in known]
    without = [name for name in names if plain_name(name) not in boxes]
    remarks = []
    if left_out:
        remarks.append(
            f'{path}: {len(left_out)} boxes that are empty, negative or not finite '
            f'are left out, the first is {left_out[0]}'
        )
    if unknown:
        remarks.append(
            f'{path}: {len(unknown)} of {len(boxes)} names with boxes are those of no '
            f'image, the first is {unknown[0]}'
        )
    if without:
        remarks.append(
            f'{path}: {len(without)} of {len(names)} images have no box and are left '
            f'out, the first is {without[0]}'
        )
    return remarks
