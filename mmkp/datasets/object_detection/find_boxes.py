# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the boxes of all images of a folder, as a box file holds them."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.logging import print_log

from mmkp.datasets.image_decoding import CorruptImageError, read_image

from .box_detector import BoxDetector


def find_boxes(
    detector: BoxDetector,
    folder: str | Path,
    names: Sequence[str],
    tell: Callable[[int], None] = lambda number: None,
) -> dict[str, list[list[float]]]:
    """Find boxes in images.

    Args:
        detector: what looks for them.
        folder: of the images.
        names: of the images, relative to it. Damaged ones get no box, with a warning
            that counts them.
        tell: called with 1 after each image.

    Returns:
        By name ``[x, y, width, height, score]`` of each box in pixels of the upright
        image, the plain form of :func:`mmkp.datasets.image_boxes.read_boxes`.

    Raises:
        ValueError: There is no box in any image.
    """
    found, damaged = {}, []
    for name in names:
        try:
            boxes = detector(read_image(Path(folder) / name)).astype(float)
        except CorruptImageError as error:
            damaged.append(str(error))
            continue
        finally:
            tell(1)
        boxes[:, 2:4] -= boxes[:, :2]
        if len(boxes):
            found[name] = boxes.round(4).tolist()
    if damaged:
        print_log(
            f'{folder}: {len(damaged)} of {len(names)} images cannot be read and get '
            f'no box, the first: {damaged[0]}',
            logger='current',
            level=logging.WARNING,
        )
    if not found:
        raise ValueError(
            f'{detector} finds no box of {detector.min_size:g} pixels and more in any '
            f'of the {len(names)} images in {folder}: look for other classes, or lower '
            'the score'
        )
    return found
