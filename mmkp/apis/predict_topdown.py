# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of boxes or whole images, from a top-down model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample

from mmkp.apis.batches import (
    Image,
    build_test_pipeline,
    check_images,
    predict_samples,
    read_image,
    temporary_test_cfg,
)
from mmkp.apis.instance_maps import instance_maps

Instances = dict[str, np.ndarray]


def predict_topdown(
    model: Any,
    images: Sequence[Image],
    boxes: Sequence[np.ndarray | None] | None = None,
    batch_size: int = 16,
    with_maps: bool = False,
    with_stacks: bool = False,
) -> list[Instances]:
    """Find the keypoints of whole images, or of boxes in them, with a top-down model.

    MMPose's ``inference_topdown`` for many images at once.

    Args:
        model: from :func:`mmkp.apis.load_model` or MMPose's ``init_model``.
        images: files, or arrays (H, W, 3) uint8 in OpenCV's order, BGR.
        boxes: for each image (N, 4) or (N, 5), ``x1, y1, x2, y2[, score]`` in image
            pixels, or None for the whole image.
        batch_size: number of boxes that the network sees at once.
        with_maps: also return the heatmaps.
        with_stacks: also return what each of the S stacks of the network predicts.

    Returns:
        For each image a dict with ``keypoints`` (N, K, 2) in image pixels,
        ``keypoint_scores`` (N, K), ``bboxes`` (N, 4) and ``bbox_scores`` (N,). With
        maps or stacks also ``image_to_map`` (N, 2, 3), the affine maps from image
        pixels to cells, both with centres at integers, and ``heatmaps`` (N, K, h, w);
        with stacks ``stack_heatmaps`` (N, S, K, h, w), ``stack_keypoints``
        (N, S, K, 2) in image pixels, and ``stack_scores`` (N, S, K).

    Raises:
        ValueError: one image instead of a list, numbers of images and boxes that
            differ, or maps of a model that predicts none.
        CorruptImageError: a file cannot be decoded.
    """
    check_images(images, 'predict_topdown')
    if boxes is None:
        boxes = [None] * len(images)
    if len(boxes) != len(images):
        raise ValueError(f'{len(images)} images but boxes for {len(boxes)}')
    pipeline = build_test_pipeline(model)
    samples, owners = [], []
    for index, (image, found) in enumerate(zip(images, boxes, strict=True)):
        for sample in _box_samples(read_image(image), found):
            samples.append(pipeline({**model.dataset_meta, **sample}))
            owners.append(index)
    settings = dict(output_heatmaps=with_maps or with_stacks, output_stacks=with_stacks)
    with temporary_test_cfg(model, **settings):
        predictions = predict_samples(model, samples, batch_size)
    instances = [
        _instance(prediction, model, with_maps or with_stacks, with_stacks)
        for prediction in predictions
    ]
    return [
        _gathered([i for i, o in zip(instances, owners, strict=True) if o == k], model)
        for k in range(len(images))
    ]


def _box_samples(image: np.ndarray, boxes: np.ndarray | None) -> list[dict]:
    """What the test pipeline begins with, for each box of an image."""
    if boxes is None:
        height, width = image.shape[:2]
        boxes = np.array([[0, 0, width, height]])
    return [
        dict(
            img=image,
            img_path='',
            bbox=box[None, :4],
            bbox_score=box[4:5] if len(box) > 4 else np.ones(1, np.float32),
        )
        for box in np.asarray(boxes, np.float32).reshape(-1, np.shape(boxes)[-1])
    ]


def _instance(
    prediction: PoseDataSample, model: Any, with_maps: bool, with_stacks: bool
) -> Instances:
    """What was predicted of a box, each array with a first axis of one."""
    names = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')
    found = {name: np.asarray(prediction.pred_instances[name]) for name in names}
    if with_maps:
        maps = instance_maps(prediction, model.head, with_stacks)
        found.update({name: value[None] for name, value in maps.items()})
    return found


def _gathered(instances: list[Instances], model: Any) -> Instances:
    """The instances of one image."""
    if not instances:
        keys = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')
        number = len(model.dataset_meta['keypoint_colors'])
        shapes = ((0, number, 2), (0, number), (0, 4), (0,))
        return {
            key: np.zeros(s, np.float32) for key, s in zip(keys, shapes, strict=True)
        }
    return {key: np.concatenate([i[key] for i in instances]) for key in instances[0]}
