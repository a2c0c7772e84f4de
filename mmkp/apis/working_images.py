# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Reduced copies of what keypoints are discovered in, which are read fast."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from mmkp.apis.media import Media
from mmkp.apis.progress import Progress
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_boxes import plain_name
from mmkp.datasets.transforms.cut_out_figure import CutOutFigure

#: At most so many, which is more than minutes of training see twice.
MOST = 10_000
#: Longer sides of copies, and of objects that were cut out.
SIDE, OBJECT_SIDE = 256, 128

Boxes = Mapping[str, np.ndarray] | Callable[[np.ndarray], np.ndarray]


def write_working_images(
    media: Media,
    folder: Path,
    left_out: Collection[str] = (),
    boxes: Boxes | None = None,
    cut_out: CutOutFigure | None = None,
    seconds: float = 120.0,
) -> int:
    """Write reduced copies of images or frames, or of the objects in them.

    What is damaged is left out. Of more than 10,000 images,
    or more than can be read in time, some are taken, evenly spread.

    Args:
        media: images or a film.
        folder: for the copies, ``000000.jpg`` or ``.png`` and so on.
        left_out: names of images that are not wanted.
        boxes: of objects, by name of the image (N, 4 or more), ``x1, y1, x2, y2`` in
            pixels, or what finds them in an image (H, W, 3). None: the whole image.
        cut_out: cuts the one object of each image out and frames it.
        seconds: to read for.

    Returns:
        Number of images written.

    Raises:
        ValueError: none could be read, or none has a box.
    """
    side, suffix = (SIDE, 'jpg') if cut_out is None else (OBJECT_SIDE, 'png')
    progress = Progress(
        media.length, 'frames read' if media.is_video else 'images read'
    )
    end, number, num_read = time.monotonic() + seconds, 0, 0
    for name, image in _spread(media, left_out):
        if cut_out is not None:
            image = _cut(image, cut_out)
        for part in _parts(name, image, boxes):
            write_image(folder / f'{number:06d}.{suffix}', reduced(part, side))
            number += 1
        num_read += 1
        progress.add(1)
        if time.monotonic() > end:
            print_log(
                f'{num_read} of {media.length} could be read in the time for it: the '
                'training sees these, the keypoints of all are found',
                logger='current',
                level=logging.WARNING,
            )
            break
    progress.finish()
    if not number:
        what = 'has a box' if boxes is not None and num_read else 'can be read'
        raise ValueError(f"no image of '{media.folder}' {what}")
    return number


def _spread(
    media: Media, left_out: Collection[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Images in an order such that every beginning is spread over all of them."""
    if media.is_video:
        length = media.length or 1
        media.frames = range(0, length, -(-length // MOST)) if length > MOST else None
        yield from media
        return
    kept = [part for part in media.parts if part.name not in left_out]
    order = np.random.default_rng(0).permutation(len(kept))[:MOST]
    media.parts = [kept[index] for index in order]
    yield from media


def _cut(image: np.ndarray, cut_out: CutOutFigure) -> np.ndarray:
    """The object alone, on the ground that the transform fills in."""
    height, width = image.shape[:2]
    found = cut_out(dict(img=image, bbox=np.array([[0, 0, width, height]])))
    x1, y1, x2, y2 = found['bbox'][0].astype(int)
    return found['img'][y1:y2, x1:x2]


def _parts(name: str, image: np.ndarray, boxes: Boxes | None) -> Iterator[np.ndarray]:
    """The image, or what is in its boxes."""
    if boxes is None:
        yield image
        return
    found = boxes(image) if callable(boxes) else boxes.get(plain_name(name), ())
    height, width = image.shape[:2]
    for box in np.asarray(found, float).reshape(-1, np.shape(found)[-1] or 4):
        x1, y1 = np.floor(box[:2].clip(0)).astype(int)
        x2, y2 = np.ceil(np.minimum(box[2:4], (width, height))).astype(int)
        if x2 - x1 > 1 and y2 - y1 > 1:
            yield image[y1:y2, x1:x2]


def reduced(image: np.ndarray, side: int) -> np.ndarray:
    """Shrink an image by means over areas; a small one stays as it is.

    Args:
        image: (H, W, 3) uint8.
        side: of the longer side, in pixels, at most.
    """
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(scale * length)) for length in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
