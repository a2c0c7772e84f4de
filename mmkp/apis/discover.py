# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of images from a model that discovered them, in one call."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mmkp.apis.batches import Image
from mmkp.apis.predict_topdown import predict_instances


def discover(
    model: Any,
    images: Iterable[Image],
    boxes: Sequence[np.ndarray | None] | None = None,
    batch_size: int = 16,
) -> list[dict[str, np.ndarray]]:
    """Find the keypoints of images, of whole ones or of boxes in them.

    What :func:`predict_topdown` does, by the name of what these models do.

    Args:
        model: from :func:`load_model` or MMPose's ``init_model``.
        images: list or generator of files, arrays (H, W, 3) in OpenCV's order, BGR,
            tensors (3, H, W) in RGB, or PIL images; see
            :func:`mmkp.datasets.image_arrays.array_as_image`. They are read as they
            are needed.
        boxes: for each image (N, 4) or (N, 5), ``x1, y1, x2, y2[, score]`` in image
            pixels, or None for the whole image.
        batch_size: number of boxes that the network sees at once.

    Returns:
        For each image a dict with ``keypoints`` (N, K, 2) in image pixels,
        ``keypoint_scores`` (N, K), ``bboxes`` (N, 4) and ``bbox_scores`` (N,).

    Raises:
        ValueError: one image instead of a list, an array that is no image, or numbers
            of images and boxes that differ.
        CorruptImageError: a file cannot be decoded.
    """
    return predict_instances(model, images, boxes, batch_size, 'discover')
