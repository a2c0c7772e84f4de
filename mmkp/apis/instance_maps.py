# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Heatmaps of a box, where they lie in the image, and what each stack predicted."""

from itertools import count, takewhile
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample

_PROBE_SIGMA = 1.5  # in cells


def instance_maps(
    prediction: PoseDataSample, head: Any, with_stacks: bool = False
) -> dict[str, np.ndarray]:
    """Take the heatmaps of a top-down prediction, in NumPy, with their place.

    Args:
        prediction: with ``pred_fields.heatmaps`` and, for stacks,
            ``pred_fields.heatmaps_stack0`` and so on.
        head: that predicted them, with its ``decoder``, or one whose heatmaps hold
            their ``geometry``, as those of discovery models.
        with_stacks: decode the heatmaps of each stack too.

    Returns:
        ``heatmaps`` (K, h, w), ``image_to_map`` (2, 3), with stacks also
        ``stack_heatmaps`` (S, K, h, w), ``stack_keypoints`` (S, K, 2) in image
        pixels, and ``stack_scores`` (S, K).

    Raises:
        ValueError: the model predicts no heatmap for each keypoint, or no stacks.
    """
    fields = prediction.get('pred_fields')
    number = prediction.pred_instances.keypoints.shape[1]
    if fields is None or 'heatmaps' not in fields or len(fields.heatmaps) != number:
        raise ValueError(
            f'{type(head).__name__} predicts no heatmap for each keypoint to show'
        )
    to_input = image_to_input(prediction)
    heatmaps = _as_array(fields.heatmaps)
    to_cells = np.linalg.inv(_map_to_input(prediction, head, heatmaps.shape))
    found = dict(heatmaps=heatmaps, image_to_map=(to_cells @ to_input)[:2])
    if not with_stacks:
        return found
    names = takewhile(fields.__contains__, (f'heatmaps_stack{i}' for i in count()))
    stacks = [_as_array(fields.get(name)) for name in names]
    if not stacks:
        raise ValueError(
            f'{type(head).__name__} predicts no stacks to show: that takes a head of '
            'several stacks, such as StackedHourglassHead'
        )
    decoded = [head.decoder.decode(maps) for maps in stacks]
    to_image = np.linalg.inv(to_input)
    points = np.concatenate([keypoints for keypoints, _ in decoded])
    found['stack_heatmaps'] = np.stack(stacks)
    found['stack_keypoints'] = points @ to_image[:2, :2].T + to_image[:2, 2]
    found['stack_scores'] = np.concatenate([scores for _, scores in decoded])
    return found


def _as_array(maps: Any) -> np.ndarray:
    return maps.detach().float().cpu().numpy()


def image_to_input(prediction: PoseDataSample) -> np.ndarray:
    """Affine map (3, 3) from pixels of the image to those of the network's input.

    That of MMPose, which turns predictions back by it; test pipelines never rotate.
    """
    meta = prediction.metainfo
    center, scale, size = (
        np.asarray(meta[f'input_{key}'], np.float64).reshape(2)
        for key in ('center', 'scale', 'size')
    )
    return scaling(size / scale, -(center - 0.5 * scale) * size / scale)


def _map_to_input(
    prediction: PoseDataSample, head: Any, shape: tuple[int, ...]
) -> np.ndarray:
    """Affine map (3, 3) from cells to input pixels, as the head sees it."""
    if getattr(head, 'decoder', None) is not None:
        return _decoded_layout(head.decoder, shape)
    geometry = prediction.pred_fields.metainfo['geometry']
    return scaling(np.array(geometry.spacing), np.array(geometry.first))


def _decoded_layout(decoder: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Affine map (3, 3) from cells to input pixels, as a decoder sees it.

    Codecs differ in where in the input a cell lies, by up to half a cell, so two
    blobs are decoded to learn it.
    """
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    cells, places = [], []
    for part in (1, 3):
        cell = np.array([part * shape[-1] // 4, part * shape[-2] // 4])
        distance = np.square(x - cell[0]) + np.square(y - cell[1])
        blob = np.exp(-0.5 * distance / _PROBE_SIGMA**2).astype(np.float32)
        keypoints, _ = decoder.decode(np.broadcast_to(blob, shape).copy())
        cells.append(cell)
        places.append(np.asarray(keypoints, np.float64).reshape(-1, 2)[0])
    scale = (places[1] - places[0]) / (cells[1] - cells[0])
    return scaling(scale, places[0] - scale * cells[0])


def scaling(scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Affine map (3, 3) that scales by (x, y), then moves."""
    return np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]], [0, 0, 1]])
