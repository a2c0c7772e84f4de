# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Polygons and run lengths of COCO-style annotations."""

from typing import Any

import numpy as np

from .values import as_number


def usable_segmentation(segmentation: Any, size: tuple | None) -> list | dict | None:
    """Read polygons or run lengths as COCO has them.

    Args:
        segmentation: Of an annotation.
        size: Height and width of its image, None if they are not known.

    Returns:
        A list of polygons ``[x, y, x, y, …]`` of at least 3 points, or run lengths
        ``dict(counts, size)``; None if there is no area that can be read.
    """
    if isinstance(segmentation, dict):
        return _run_lengths(segmentation, size)
    if not isinstance(segmentation, list) or not segmentation:
        return None
    if not isinstance(segmentation[0], list):
        segmentation = [segmentation]  # one polygon, not in a list
    elif all(isinstance(p, list) and len(p) == 2 for p in segmentation):
        segmentation = [segmentation]  # one polygon of pairs
    polygons = []
    for polygon in segmentation:
        if not isinstance(polygon, list):
            return None
        pairs = polygon and all(isinstance(p, list) and len(p) == 2 for p in polygon)
        flat = [n for pair in polygon for n in pair] if pairs else polygon
        numbers = [as_number(n) for n in flat]
        if None in numbers or len(numbers) % 2:
            return None
        if len(numbers) >= 6:
            polygons.append(numbers)
    return polygons or None


def _run_lengths(segmentation: dict, size: tuple | None) -> dict | None:
    """Run lengths whose sum is the area of the image."""
    counts, sides = segmentation.get('counts'), segmentation.get('size')
    if not isinstance(sides, list) or len(sides) != 2:
        return None
    sides = [as_number(side) for side in sides]
    if any(side is None or side < 1 for side in sides):
        return None
    height, width = (int(side) for side in sides)
    if size is not None and None not in size and (height, width) != tuple(size):
        return None
    if isinstance(counts, str):
        lengths = _decompressed(counts)
    elif isinstance(counts, list) and all(type(n) is int and n >= 0 for n in counts):
        lengths = counts
    else:
        return None
    # More than the image has would be written beyond its mask.
    if lengths is None or sum(lengths) != height * width:
        return None
    return dict(counts=counts, size=[height, width])


def _decompressed(text: str) -> list[int] | None:
    """Run lengths of COCO's text, None if there are none or negative ones."""
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        if len(lengths) > 2:
            value += lengths[-2]
        if value < 0:
            return None
        lengths.append(value)
        value = shift = 0
    return None if shift else lengths


def box_of_segmentation(segmentation: list | dict) -> list[float] | None:
    """Return the box x, y, w, h around a segmentation.

    Args:
        segmentation: As :func:`usable_segmentation` returns it.

    Returns:
        The box, None if nothing is in it.
    """
    if isinstance(segmentation, list):
        points = np.concatenate([np.reshape(p, (-1, 2)) for p in segmentation])
        low, high = points.min(0), points.max(0)
        box = [*low, *(high - low)]
    else:
        import xtcocotools.mask as coco_mask

        lengths = segmentation
        if isinstance(lengths['counts'], list):
            lengths = coco_mask.frPyObjects(lengths, *lengths['size'])
        box = coco_mask.toBbox(lengths)
    box = [float(n) for n in box]
    return box if box[2] > 0 and box[3] > 0 else None


def area_of_polygons(polygons: list[list[float]]) -> float:
    """Return the area of polygons, those that overlap counted twice.

    Args:
        polygons: Lists ``[x, y, x, y, …]``, pixels.

    Returns:
        Square pixels.
    """
    total = 0.0
    for polygon in polygons:
        x, y = np.reshape(np.array(polygon, np.float64), (-1, 2)).T
        total += abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return total
