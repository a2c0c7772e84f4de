# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that another model has found, for a training that begins from them."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmpose.structures.bbox import bbox_overlaps

from mmkp.datasets.coco_check.values import MAX_COORDINATE
from mmkp.datasets.image_boxes import plain_name
from mmkp.labels import read_json

# Boxes of one object, found twice, have at least so much of their union in common.
_SAME_OBJECT = 0.5


def read_found_keypoints(
    path: str, num_keypoints: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the ``keypoints.json`` that :func:`mmkp.apis.predict_files` has written.

    Args:
        path: of the file.
        num_keypoints: number K of keypoints of each object.

    Returns:
        By image name boxes ``x1, y1, x2, y2`` (N, 4) and keypoints (N, K, 3), (x, y) in
        pixels of the upright image and 1, or 0 where the file has none; float32.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another form, or of another number of keypoints.
    """
    content = read_json(path, dict)
    records = content.get('images')
    try:
        return {
            plain_name(record['image']): (
                _array([one['bbox'] for one in record['instances']], (4,)),
                _visible([one['keypoints'] for one in record['instances']]),
            )
            for record in _of_number(path, content, num_keypoints, records)
            if record['instances']
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if str(error).startswith(path):
            raise
        raise ValueError(
            f'{path} is no file of keypoints that `mmkp predict` writes: it needs '
            f'images, their instances, and of each keypoints and bbox ({error!r:.80})'
        ) from None


def _of_number(path: str, content: dict, number: int, records: Any) -> list[dict]:
    """The records, if each object in them has so many keypoints."""
    told = {len(o['keypoints']) for record in records for o in record['instances']}
    if told - {number}:
        raise ValueError(
            f'{path} has {", ".join(map(str, sorted(told)))} keypoints an object, '
            f'num_keypoints is {number}: find as many'
        )
    return records


def _array(rows: list, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of this shape a row; null becomes NaN."""
    found = np.array(rows, np.float64)
    if found.shape[1:] != shape:
        raise ValueError(f'shape {found.shape[1:]}, not {shape}')
    return found.astype(np.float32)


def _visible(rows: list) -> np.ndarray:
    """Points with a 1 behind each, or zeros where they are none."""
    points = _array(rows, (len(rows[0]), 2))
    known = (np.abs(points) < MAX_COORDINATE).all(-1, keepdims=True)
    return np.concatenate((np.where(known, points, 0), known), -1, dtype=np.float32)


def add_found_keypoints(
    samples: Sequence[dict], names: Sequence[str], path: str, num_keypoints: int
) -> None:
    """Give samples the keypoints that were found in them, in place of annotations.

    A sample with a box takes those of the object whose box is most like its own, if
    half of their union is common to both; a sample without one those of the first.

    Args:
        samples: with ``img_id``, the place of its name, and maybe ``bbox`` (1, 4). They
            get ``keypoints`` (1, K, 2) and ``keypoints_visible`` (1, K), float32.
        names: of the images.
        path: see :func:`read_found_keypoints`.
        num_keypoints: K.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see :func:`read_found_keypoints`, or nothing fits any sample.
    """
    found, given = read_found_keypoints(path, num_keypoints), 0
    for sample in samples:
        boxes, points = found.get(plain_name(names[sample['img_id']]), (None, None))
        if boxes is None or points is None:
            continue
        best = 0
        if 'bbox' in sample:
            shares = bbox_overlaps(*map(torch.as_tensor, (sample['bbox'], boxes)))[0]
            best = int(shares.nan_to_num(0).argmax())
            if not shares[best] >= _SAME_OBJECT:
                continue
        sample['keypoints'] = points[None, best, :, :2]
        sample['keypoints_visible'] = points[None, best, :, 2]
        given += 1
    if not given:
        raise ValueError(
            f'{path} has keypoints of none of the images (it names '
            f'{list(found)[:2]}, the folder has {list(names[:2])}): predict the folder '
            'that is trained on'
        )
    if given < len(samples):
        print_log(
            f'{path} has keypoints for {given} of {len(samples)} objects; the others '
            'are trained on without',
            logger='current',
            level=logging.WARNING,
        )
