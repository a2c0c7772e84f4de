# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""All people of whole images, from a bottom-up model."""

from collections.abc import Iterable, Sequence
from itertools import count
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
from mmkp.apis.instance_maps import image_to_input, scaling


def finds_people(model: Any) -> bool:
    """Whether a model takes whole images and finds all people in them (bottom-up)."""
    return model.cfg.get('data_mode') == 'bottomup'


def predict_people(
    model: Any,
    images: Iterable[Image],
    batch_size: int = 16,
    with_maps: bool = False,
    names: Sequence[str] | None = None,
) -> list[dict[str, np.ndarray]]:
    """Find the people, animals or figures of images with a bottom-up model.

    MMPose's ``inference_bottomup`` for many images at once.

    Args:
        model: from :func:`mmkp.apis.load_model` or MMPose's ``init_model``.
        images: list or generator of files, arrays (H, W, 3) in OpenCV's order, BGR,
            tensors (3, H, W) in RGB, or PIL images; see
            :func:`mmkp.datasets.image_arrays.array_as_image`. They are read as they
            are needed.
        batch_size: number of images of one size that the network sees at once.
        with_maps: also return what the network predicted.
        names: of the images, for warnings; by default their numbers.

    Returns:
        For each image a dict with ``keypoints`` (N, K, 2) in image pixels,
        ``keypoint_scores`` (N, K), 0 where a keypoint was not found, ``bboxes`` (N, 4),
        the box x1, y1, x2, y2 of the keypoints, and ``bbox_scores`` (N,); best first.
        With maps also ``heatmaps`` (K', h, w), of part affinity models
        ``part_affinity_fields`` (2L, h, w), and ``image_to_map`` (2, 3), the affine map
        from image pixels to cells, both with centres at integers.

    Raises:
        ValueError: one image instead of a list, an array that is no image, or the
            model is not bottom-up.
        CorruptImageError: a file cannot be decoded.
    """
    if not finds_people(model):
        raise ValueError(
            'predict_people needs a bottom-up model (data_mode = "bottomup" in its '
            f'config), {type(model).__name__} is not: use predict_topdown'
        )
    pipeline = build_test_pipeline(model)
    samples = (
        pipeline({**model.dataset_meta, 'img': image, 'img_path': name})
        for image, name in zip(
            read_images(images, 'predict_people'),
            names or map('image {}'.format, count()),
            strict=False,
        )
    )
    with temporary_test_cfg(model, output_heatmaps=with_maps):
        predictions = predict_stream(model, samples, batch_size)
        return [_people(prediction, model, with_maps) for prediction in predictions]


def _people(
    prediction: PoseDataSample, model: Any, with_maps: bool
) -> dict[str, np.ndarray]:
    """The people of one image, best first."""
    found = prediction.pred_instances
    keypoints = np.asarray(found.keypoints, np.float32)
    scores = np.asarray(found.keypoint_scores, np.float32)
    people_scores = np.asarray(found.get('bbox_scores', scores.mean(1)), np.float32)
    boxes = found.get('bboxes')
    if boxes is None:
        boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], -1)
    order = np.argsort(-people_scores, kind='stable')
    people = dict(
        keypoints=keypoints[order],
        keypoint_scores=scores[order],
        bboxes=np.asarray(boxes, np.float32).reshape(-1, 4)[order],
        bbox_scores=people_scores[order],
    )
    if with_maps:
        fields = prediction.pred_fields
        for name in ('heatmaps', 'part_affinity_fields'):
            if name in fields:
                people[name] = fields.get(name).float().cpu().numpy()
        people['image_to_map'] = _image_to_map(prediction, model)
    return people


def _image_to_map(prediction: PoseDataSample, model: Any) -> np.ndarray:
    """Affine map (2, 3) from pixels of the image to cells of the maps."""
    stride = getattr(getattr(model.head, 'decoder', None), 'stride', None)
    if stride is None:
        cells = prediction.pred_fields.heatmaps.shape[:-3:-1]
        stride = np.array(prediction.metainfo['input_size']) / cells
    pixels = np.broadcast_to(stride, 2)
    to_cells = np.linalg.inv(scaling(pixels, (pixels - 1) / 2))
    return (to_cells @ image_to_input(prediction))[:2]
