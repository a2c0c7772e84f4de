# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Segmentations of COCO's annotation files as masks, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xtcocotools.mask as coco_mask


def run_lengths(segmentation: Any, height: int, width: int) -> list:
    """Compressed run lengths of a segmentation.

    Args:
        segmentation: polygons, run lengths in either format, or None.
        height: of the image in pixels.
        width: of the image in pixels.

    Returns:
        One entry a polygon, as ``xtcocotools.mask`` takes them; [] without an area.
    """
    if not segmentation:
        return []
    if isinstance(segmentation, Mapping):
        if isinstance(segmentation['counts'], list):
            return [coco_mask.frPyObjects(segmentation, height, width)]
        return [segmentation]
    # Fewer than 3 points are no area.
    polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
    return coco_mask.frPyObjects(polygons, height, width) if polygons else []


def segmentation_mask(segmentation: Any, shape: tuple[int, int]) -> np.ndarray | None:
    """Pixels of a segmentation.

    Args:
        segmentation: polygons, run lengths in either format, or None.
        shape: height and width of the image in pixels.

    Returns:
        True inside, (H, W) bool; None where nothing is segmented.

    Raises:
        ValueError: run lengths of an image of another size.
    """
    parts = run_lengths(segmentation, *shape)
    if not parts:
        return None
    if any(tuple(part['size']) != tuple(shape) for part in parts):
        raise ValueError(
            f'a segmentation is for an image of {parts[0]["size"]} (height, width), '
            f'but its image has {list(shape)}: correct the annotation file'
        )
    return coco_mask.decode(coco_mask.merge(parts)).astype(bool)


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """Run lengths of a mask, as COCO's files hold them.

    Args:
        mask: (H, W) bool.

    Returns:
        ``size`` [H, W] and ``counts``, compressed, text.
    """
    encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=list(mask.shape), counts=encoded['counts'].decode())
