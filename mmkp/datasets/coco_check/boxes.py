# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The boxes of COCO-style annotations, x, y, width and height in pixels."""

from typing import Any

from .keypoints import is_finite_box
from .values import MAX_COORDINATE, as_number

# A box around keypoints reaches beyond them by this share of its longer side.
_MARGIN = 0.1
# One point has no extent: its box has this share of the image's longer side.
_POINT_SHARE = 0.1
_POINT_SIDE = 32.0  # pixels, where the size of the image is not known


def usable_box(box: Any) -> list[float] | None:
    """Read a box of positive size.

    Args:
        box: Of an annotation; text is read as numbers, sizes below 0 lead to the left
            and upwards.

    Returns:
        x, y, width, height; None if it is no box.
    """
    if isinstance(box, list) and len(box) == 4:
        numbers = [as_number(n) for n in box]
        if None in numbers or any(abs(n) >= MAX_COORDINATE for n in numbers if n):
            return None
        x, y, width, height = (float(n) for n in numbers if n is not None)
        if width < 0 and height < 0 and (x, y) == (width, height):
            return None  # such as -1, -1, -1, -1: nothing
        if width < 0:
            x, width = x + width, -width
        if height < 0:
            y, height = y + height, -height
        if width > 0 and height > 0:
            return [x, y, width, height]
    return None


def box_of_keypoints(
    keypoints: list[float], size: tuple[int | None, int | None]
) -> list[float]:
    """Make a box around labelled keypoints.

    Args:
        keypoints: ``x, y, visibility`` of each; at least one is labelled.
        size: Width and height of the image, or None.

    Returns:
        x, y, width, height: their smallest box and a tenth of its longer side around
        it; around a single point a tenth of the image.
    """
    seen = [flag > 0 for flag in keypoints[2::3]]
    xs = [x for x, is_seen in zip(keypoints[::3], seen, strict=True) if is_seen]
    ys = [y for y, is_seen in zip(keypoints[1::3], seen, strict=True) if is_seen]
    longer = max(max(xs) - min(xs), max(ys) - min(ys))
    margin = _MARGIN * longer
    if longer < 1:
        sides = [side for side in size if side is not None]
        side = _POINT_SHARE * max(sides) if sides else _POINT_SIDE
        margin = max(side, 2.0) / 2
    return [
        min(xs) - margin,
        min(ys) - margin,
        max(xs) - min(xs) + 2 * margin,
        max(ys) - min(ys) + 2 * margin,
    ]


def are_corners(annotations: list[dict], images: dict) -> bool:
    """Whether boxes hold two corners, x1, y1, x2, y2, instead of a corner and a size.

    They do if all fit into their images as corners, and most do not as sizes.

    Args:
        annotations: With ``bbox`` and ``image_id``.
        images: The images by id, with ``width`` and ``height`` or None.

    Returns:
        True where there is such evidence.
    """
    boxes = beyond = 0
    for annotation in annotations:
        box = annotation.get('bbox')
        if not is_finite_box(box):
            continue
        image = images[annotation['image_id']]
        width, height = image['width'], image['height']
        if not (box[2] > box[0] and box[3] > box[1] and width):
            return False
        if box[2] > width + 1 or box[3] > height + 1:
            return False
        boxes += 1
        beyond += box[0] + box[2] > width + 1 or box[1] + box[3] > height + 1
    return 2 * beyond > boxes
