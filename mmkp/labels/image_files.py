# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Sizes of the images of a label set, and copies of them."""

import shutil
from pathlib import Path

import numpy as np

from .label_set import LabelSet


def sizes_of(labels: LabelSet, needed_by: str = '') -> np.ndarray:
    """Return the sizes of the images, looked up in their files where unknown.

    Args:
        labels: With M images.
        needed_by: What needs the sizes of images with objects; '' if nothing does.

    Returns:
        (M, 2) int64, width and height, 0 where unknown.

    Raises:
        ValueError: If a size is needed and unknown.
    """
    from mmkp.datasets.image_size import image_size

    sizes = np.array(labels.image_sizes, np.int64).reshape(-1, 2)
    film_size = _film_size(labels) if labels.film and (sizes == 0).any() else (0, 0)
    with_objects = set(labels.image_index.tolist()) if needed_by else set()
    for index in np.flatnonzero((sizes <= 0).any(1)).tolist():
        file = labels.root / labels.image_names[index]
        if file.is_file():
            sizes[index] = image_size(file)
        else:
            sizes[index] = film_size
        if index in with_objects and not sizes[index].all():
            raise ValueError(
                f'{needed_by} holds fractions of the images, but the size of '
                f'{labels.image_names[index]} is unknown: it is not in '
                f"'{labels.root}'; convert where the images are"
            )
    return sizes


def copy_images(labels: LabelSet, folder: Path, names: dict[str, str]) -> list[str]:
    """Copy those images that are there.

    Args:
        labels: With images.
        folder: Gets them.
        names: Name in the labels to name below the folder.

    Returns:
        Names of images that are not there.
    """
    missing = []
    for name, target in names.items():
        source = labels.root / name
        if source.is_file():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / target)
        else:
            missing.append(name)
    return missing


def _film_size(labels: LabelSet) -> tuple[int, int]:
    """Width and height of the frames of a film, 0 if it cannot be read."""
    import cv2

    film = cv2.VideoCapture(str(labels.root / str(labels.film)))
    if not film.isOpened():
        return 0, 0
    size = [film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)]
    film.release()
    return int(size[0]), int(size[1])
