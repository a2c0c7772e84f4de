# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of boxes or whole images, from a top-down model."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import repeat
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample

from mmkp.apis.batches import (
    Image,
    build_test_pipeline,
    predict_stream,
    read_images,
    temporary_test_cfg,
)
from mmkp.apis.instance_maps import instance_maps

Instances = dict[str, np.ndarray]

_NAMES = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')


def predict_topdown(
    model: Any,
    images: Iterable[Image],
    boxes: Sequence[np.ndarray | None] | None = None,
    batch_size: int = 16,
    with_maps: bool = False,
    with_stacks: bool = False,
) -> list[Instances]:
    """Find the keypoints of whole images, or of boxes in them, with a top-down model.

    MMPose's ``inference_topdown`` for many images at once.

    Args:
        model: from :func:`mmkp.apis.load_model` or MMPose's ``init_model``.
        images: list or generator of files, arrays (H, W, 3) in OpenCV's order, BGR,
            tensors (3, H, W) in RGB, or PIL images; see
            :func:`mmkp.datasets.image_arrays.array_as_image`. They are read as they
            are needed.
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
        ValueError: one image instead of a list, an array that is no image, numbers of
            images and boxes that differ, or maps of a model that predicts none.
        CorruptImageError: a file cannot be decoded.
    """
    maps = (with_maps or with_stacks, with_stacks)
    pipeline = build_test_pipeline(model)
    found: list[list[Instances]] = []
    owners: deque[list[Instances]] = deque()

    def samples() -> Iterator[dict]:
        for image, chosen in _with_boxes(
            read_images(images, 'predict_topdown'), images, boxes
        ):
            found.append([])
            for sample in _box_samples(image, chosen):
                owners.append(found[-1])
                yield pipeline({**model.dataset_meta, **sample})

    with temporary_test_cfg(model, output_heatmaps=maps[0], output_stacks=maps[1]):
        for prediction in predict_stream(model, samples(), batch_size):
            owners.popleft().append(_instance(prediction, model, *maps))
    return [_gathered(instances, model) for instances in found]


def _with_boxes(
    read: Iterator[np.ndarray],
    images: Iterable[Image],
    boxes: Sequence[np.ndarray | None] | None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Images with their boxes, of which there must be as many."""
    if boxes is None:
        yield from zip(read, repeat(None), strict=False)
        return
    if isinstance(images, Sized) and len(images) != len(boxes):
        raise ValueError(f'{len(images)} images but boxes for {len(boxes)}')
    number = 0
    for number, image in enumerate(read, 1):
        if number > len(boxes):
            raise ValueError(f'more images than boxes, which are for {len(boxes)}')
        yield image, boxes[number - 1]
    if number < len(boxes):
        raise ValueError(f'{number} images but boxes for {len(boxes)}')


def _box_samples(image: np.ndarray, boxes: np.ndarray | None) -> list[dict]:
    """What the test pipeline begins with, for each box of an image."""
    if boxes is None:
        height, width = image.shape[:2]
        boxes = np.array([[0, 0, width, height]])
    array = np.asarray(boxes, np.float32)
    if array.size == 0:
        return []
    if array.shape[-1] not in (4, 5):
        raise ValueError(
            f'boxes have the shape {array.shape}: give (N, 4) or (N, 5) for each '
            'image, x1, y1, x2, y2[, score]'
        )
    return [
        dict(
            img=image,
            img_path='',
            bbox=box[None, :4],
            bbox_score=box[4:5] if len(box) > 4 else np.ones(1, np.float32),
        )
        for box in array.reshape(-1, array.shape[-1])
    ]


def _instance(
    prediction: PoseDataSample, model: Any, with_maps: bool, with_stacks: bool
) -> Instances:
    """What was predicted of a box, each array with a first axis of one."""
    found = {name: np.asarray(prediction.pred_instances[name]) for name in _NAMES}
    if with_maps:
        maps = instance_maps(prediction, model.head, with_stacks)
        found.update({name: value[None] for name, value in maps.items()})
    return found


def _gathered(instances: list[Instances], model: Any) -> Instances:
    """The instances of one image."""
    if not instances:
        number = len(model.dataset_meta['keypoint_colors'])
        shapes = ((0, number, 2), (0, number), (0, 4), (0,))
        empty = (np.zeros(shape, np.float32) for shape in shapes)
        return dict(zip(_NAMES, empty, strict=True))
    return {key: np.concatenate([i[key] for i in instances]) for key in instances[0]}
