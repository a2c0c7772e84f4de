# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tables with a row an object: columns x0, y0, ..., or nose_x, nose_y, ..."""

import numpy as np

from ..image_names import find_image
from ..label_set import LabelSet
from ..landmark_table import read_landmarks
from .source import Source

_FILE_COLUMNS = ('file_name', 'filename', 'image', 'file', 'path', 'name')


def recognize(source: Source) -> bool:
    """Tell whether the first row of a text file names a column of images.

    Args:
        source: What lies at a path.
    """
    if source.is_folder or source.is_hdf5 or source.is_json:
        return False
    first = source.head.split(b'\n')[0].lower()
    return any(name.encode() in first for name in _FILE_COLUMNS[:4])


def read(source: Source) -> LabelSet:
    """Read what ``mmkp.labels.read_landmarks`` reads.

    Args:
        source: The file.

    Returns:
        The labels.

    Raises:
        ValueError: If it is no such table; the message names line and value.
    """
    header = source.table.rows[0].cells
    column = next((c for c in header if c.lower() in _FILE_COLUMNS), 'file_name')
    found = read_landmarks(source.path, column, source.separator)
    root = source.path.parent
    names = [
        find_image(root, entry.file_name) or entry.file_name.replace('\\', '/')
        for entry in found.entries
    ]
    images = list(dict.fromkeys(names))
    place = {name: index for index, name in enumerate(images)}
    return LabelSet(
        keypoint_names=found.names,
        image_names=images,
        image_index=np.array([place[name] for name in names], np.int64),
        keypoints=np.array([entry.points for entry in found.entries]),
        root=root,
    )
