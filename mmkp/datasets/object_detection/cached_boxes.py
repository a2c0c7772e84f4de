# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Boxes that a detector has found once."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from mmkp.datasets.coco_writer import write_atomically

from .box_detector import build_detector, class_list
from .find_boxes import find_boxes

CACHE = 'work_dirs/boxes'


def cached_box_file(
    options: Mapping[str, Any], folder: str, names: Sequence[str], cache: str = CACHE
) -> str:
    """Find boxes of images, or the file of them that an earlier run has left.

    Training, validation and a resumed training read one file. It is that of the same
    detector, options and images: by the content of the detector, and by name, size and
    time of change of each image.

    Args:
        options: arguments of :func:`build_detector`: ``model``, ``classes``, ...
        folder: of the images.
        names: of the images, relative to it.
        cache: folder of the box files.

    Returns:
        Path of the box file, see :func:`mmkp.datasets.image_boxes.read_boxes`.

    Raises:
        FileNotFoundError: The detector does not exist.
        ValueError: See :func:`build_detector` and :func:`find_boxes`.
    """
    path = Path(cache, f'{_digest(options, folder, names)}.json')
    if not path.is_file():
        detector = build_detector(**options)
        _tell(f'{detector} looks for boxes in {len(names)} images of {folder}')
        found = find_boxes(detector, folder, names)
        number = sum(map(len, found.values()))
        write_atomically(path, json.dumps(found).encode())
        _tell(f'{number} boxes in {len(found)} of {len(names)} images: {path}')
    return str(path)


def _tell(text: str) -> None:
    print_log(text, logger='current')


def _digest(options: Mapping[str, Any], folder: str, names: Sequence[str]) -> str:
    """What decides on the boxes, in 16 digits."""
    digest = hashlib.sha256()
    settings = dict(options, classes=class_list(options.get('classes')))
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    for key in ('model', 'weights'):
        path = Path(str(options.get(key) or ''))
        if path.is_file():
            digest.update(path.read_bytes())
    for name in names:
        path = Path(folder, name)
        found = os.stat(path) if path.is_file() else None
        changed = (found.st_size, found.st_mtime_ns) if found else ()
        digest.update(repr((os.path.abspath(path), *changed)).encode())
    return digest.hexdigest()[:16]
