# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of images, in one call."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmkp.apis.batches import (
    Image,
    build_test_pipeline,
    check_images,
    predict_samples,
    read_image,
)


def discover(
    model: Any,
    images: Sequence[Image],
    boxes: Sequence[np.ndarray | None] | None = None,
    batch_size: int = 16,
) -> list[dict[str, np.ndarray]]:
    """Find the keypoints of images, of whole ones or of boxes in them.

    MMPose's ``inference_topdown`` for many images at once.

    Args:
        model: from :func:`load_model` or MMPose's ``init_model``.
        images: files, or arrays (H, W, 3) uint8 in OpenCV's order, BGR.
        boxes: for each image (N, 4) or (N, 5), ``x1, y1, x2, y2[, score]`` in image
            pixels, or None for the whole image.
        batch_size: number of boxes that the network sees at once.

    Returns:
        For each image a dict with ``keypoints`` (N, K, 2) in image pixels,
        ``keypoint_scores`` (N, K), ``bboxes`` (N, 4) and ``bbox_scores`` (N,).

    Raises:
        ValueError: one image instead of a list, or numbers of images and boxes that
            differ.
        CorruptImageError: a file cannot be decoded.
    """
    check_images(images, 'discover')
    if boxes is None:
        boxes = [None] * len(images)
    if len(boxes) != len(images):
        raise ValueError(f'{len(images)} images but boxes for {len(boxes)}')
    pipeline = build_test_pipeline(model)
    samples, owners = [], []
    for index, (image, found) in enumerate(zip(images, boxes, strict=True)):
        image = read_image(image)
        height, width = image.shape[:2]
        if found is None:
            found = np.array([[0, 0, width, height]])
        for box in np.asarray(found, np.float32).reshape(-1, np.shape(found)[-1]):
            sample = dict(
                img=image,
                img_path='',
                bbox=box[None, :4],
                bbox_score=box[4:5] if len(box) > 4 else np.ones(1, np.float32),
            )
            samples.append(pipeline({**model.dataset_meta, **sample}))
            owners.append(index)
    predictions = predict_samples(model, samples, batch_size)
    return [
        _gathered(
            [p for p, owner in zip(predictions, owners, strict=True) if owner == i],
            model,
        )
        for i in range(len(images))
    ]


def _gathered(predictions: list, model: Any) -> dict[str, np.ndarray]:
    """The instances of one image."""
    keys = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')
    if not predictions:
        number = len(model.dataset_meta['keypoint_colors'])
        shapes = ((0, number, 2), (0, number), (0, 4), (0,))
        return {
            key: np.zeros(s, np.float32) for key, s in zip(keys, shapes, strict=True)
        }
    return {
        key: np.concatenate([np.asarray(p.pred_instances[key]) for p in predictions])
        for key in keys
    }
