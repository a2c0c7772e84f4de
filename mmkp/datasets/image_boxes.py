# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read boxes of images from COCO-style or plain json files."""

import json
import os
from collections import defaultdict

import numpy as np


def _coco_boxes(content: dict) -> dict[str, list]:
    """Return the boxes (x, y, w, h) of a COCO-style file by image name."""
    names = {image['id']: image['file_name'] for image in content['images']}
    boxes: dict[str, list] = defaultdict(list)
    for annotation in content.get('annotations', []):
        if 'bbox' in annotation and not annotation.get('iscrowd'):
            boxes[names[annotation['image_id']]].append(
                [*annotation['bbox'][:4], annotation.get('score', 1.0)]
            )
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
    with open(path, encoding='utf-8') as file:
        try:
            content = json.load(file)
        except ValueError as error:
            raise ValueError(f'box file {path} is not valid json: {error}') from error
    if not isinstance(content, dict):
        raise ValueError(
            f'box file {path} must hold a COCO-style dict or {{file name: boxes}}, '
            f'got a {type(content).__name__}'
        )
    by_name = _coco_boxes(content) if 'images' in content else content
    kept, left_out = {}, []
    for name, boxes in by_name.items():
        good = []
        for box in boxes:
            if not isinstance(box, list) or len(box) not in (4, 5):
                raise ValueError(
                    f'box file {path}: {name} has {box!r} where [x, y, w, h] or '
                    '[x, y, w, h, score] is expected'
                )
            x, y, width, height, score = [*box, 1.0][:5]
            if np.isfinite(box).all() and width > 0 and height > 0:
                good.append([x, y, x + width, y + height, score])
            else:
                left_out.append(f'{name}: {box}')
        if good:
            kept[name] = np.array(good, np.float32)
    return kept, left_out
