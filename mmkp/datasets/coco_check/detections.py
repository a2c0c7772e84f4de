# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Boxes of a detector in COCO's format of results."""

import os.path as osp
from typing import Any

import numpy as np

from mmkp.labels import read_json

from .boxes import usable_box
from .foreign import refuse_foreign
from .images import check_images
from .notes import Notes
from .reading import read_coco
from .values import as_id, as_number, shown


def detected_boxes(
    path: str, ann_file: str, image_folder: str, metainfo: dict
) -> tuple[list[dict], list[dict]]:
    """Read top-down items from a file of detections.

    Detections of the data set's categories count. A detector may number its categories
    otherwise: where it has one only, that one is meant.

    Args:
        path: Of the detections: ``image_id``, ``category_id``, ``bbox`` (x, y, width,
            height) and ``score`` of each.
        ann_file: COCO-style file that names the images.
        image_folder: Of the images.
        metainfo: Of the data set, for ``num_keypoints``.

    Returns:
        Items as ``BaseCocoStyleDataset`` makes them, and the categories of the file.

    Raises:
        FileNotFoundError: If one of the files does not exist.
        ValueError: If the detections are no list of boxes, or none can be used.
    """
    if not osp.exists(path):
        raise FileNotFoundError(f'box file {path} does not exist')
    detections = read_json(path, nan=True)
    if not isinstance(detections, list):
        raise ValueError(
            f'box file {path} holds a {type(detections).__name__}, a list of boxes '
            'with image_id, category_id, bbox and score is expected'
        )
    content = read_json(ann_file, nan=True)
    if not isinstance(content, dict) or 'images' not in content:
        refuse_foreign(content, ann_file)
    # By the ids in the files, which may be text.
    references = check_images(content, Notes(ann_file))
    checked = read_coco(ann_file, image_folder or '.')
    images = {image['id']: image for image in checked['images']}
    known = {as_id(category['id']) for category in checked['categories']}
    found = {as_id(d.get('category_id')) for d in detections if isinstance(d, dict)}
    notes, items = Notes(path), []
    for position, detection in enumerate(detections):
        box, image = _box_and_image(detection, position, references, path)
        name = f'number {position + 1}'
        if len(found) > 1 and as_id(detection.get('category_id')) not in known:
            notes.add('boxes are left out: their category is another one', name)
        elif image is None:
            notes.add('boxes are left out: their image is not in the data set', name)
        elif box is None:
            notes.add('boxes are left out: they are empty or not finite', name)
        else:
            score = as_number(detection.get('score', 1.0)) or 0.0
            items.append(_item(images[image['id']], box, score, image_folder, metainfo))
            items[-1]['id'] = len(items) - 1
            category = as_id(detection.get('category_id'))
            if category in known:
                items[-1]['category_id'] = np.array(category)
    notes.tell()
    if not items:
        raise ValueError(
            f'box file {path} has no usable box for the images of {ann_file}'
        )
    return items, checked['categories']


def _box_and_image(
    detection: Any, position: int, references: dict, path: str
) -> tuple[list[float] | None, dict | None]:
    box = detection.get('bbox') if isinstance(detection, dict) else None
    if not isinstance(box, list) or len(box) < 4 or 'image_id' not in detection:
        raise ValueError(
            f'box file {path}: entry {position + 1} is {shown(detection)}, image_id '
            'and bbox (x, y, width, height) are expected'
        )
    key = as_id(detection['image_id'])
    return usable_box(box[:4]), references.get(key)


def _item(
    image: dict, box: list[float], score: float, folder: str, metainfo: dict
) -> dict:
    """A top-down item without known keypoints."""
    number = metainfo['num_keypoints']
    x, y, width, height = box
    return dict(
        img_id=image['id'],
        img_path=osp.join(folder, image['file_name']),
        img_shape=(image['height'], image['width']),
        bbox=np.array([[x, y, x + width, y + height]], np.float32),
        bbox_score=np.array([score], np.float32),
        keypoints=np.zeros((1, number, 2), np.float32),
        keypoints_visible=np.ones((1, number), np.float32),
    )
