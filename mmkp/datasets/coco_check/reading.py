# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What MMPose reads annotation files with, checked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from xtcocotools.coco import COCO

from mmkp.labels import read_json

from .check import check_coco

# Of the data set that is being read; a metric has none.
_folder: ContextVar[str | None] = ContextVar('image_folder', default=None)


@contextmanager
def images_in(folder: str | None) -> Iterator[None]:
    """Say where the images are of the files that are read inside.

    Args:
        folder: Of the images.
    """
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def read_coco(path: str, image_folder: str | None = None, named: bool = True) -> dict:
    """Read a COCO-style annotation file and check it, see :func:`check_coco`.

    Args:
        path: Of the json file.
        image_folder: Of the images, None to leave names and sizes as they are.
        named: Whether images must have a ``file_name``.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it cannot be used.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f'annotation file {path} does not exist')
    return check_coco(read_json(path, nan=True), str(path), image_folder, named)


class CheckedCOCO(COCO):
    """``COCO`` of a file whose content has been checked.

    Args:
        annotation_file: Path of the json file.
        test_index: As in ``COCO``.
        ann_data: Content to take in place of a file's, as it is.
    """

    def __init__(
        self,
        annotation_file: str | None = None,
        test_index: list[int] | None = None,
        ann_data: dict | None = None,
    ) -> None:
        if annotation_file is not None and ann_data is None:
            folder = _folder.get()
            ann_data = read_coco(annotation_file, folder, named=folder is not None)
        super().__init__(annotation_file, test_index, ann_data)
