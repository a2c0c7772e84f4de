# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints are pixels of the image: they follow where it is, its size, its mirror.

A network that has learned nothing finds something else in every picture, so each check
holds for any weights.
"""

import copy
from types import SimpleNamespace

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.structures import PoseDataSample

from mmkp.apis.batches import temporary_test_cfg
from mmkp.testing.check import CheckFailed, CheckSkipped
from mmkp.testing.comparison import expect_same_predictions, relative_distance
from mmkp.testing.method import Method

# Of the network, or of several sizes.
Input = torch.Tensor | list[torch.Tensor]


def check_keypoints_follow_resize(method: Method) -> None:
    """The same input, said to show a larger part elsewhere, moves keypoints with it."""
    model, batch = method.trained(), method.test_batch()
    expected = method.predict(model, batch)
    moved = copy.deepcopy(batch)
    factor, shift = np.array([2.0, 3.0]), np.array([11.0, -7.0])
    for sample in moved['data_samples']:
        sample.set_metainfo(
            dict(
                input_scale=np.asarray(sample.input_scale) * factor,
                input_center=np.asarray(sample.input_center) * factor + shift,
            )
        )
    for prediction in expected:
        prediction['keypoints'] = prediction['keypoints'] * factor + shift
    expect_same_predictions(
        method.predict(model, moved),
        expected,
        1e-3 * max(method.image_size),
        'the same input, said to be of an image of twice the width and thrice the '
        'height, and its keypoints moved so',
    )


def check_pipeline_and_prediction_agree(method: Method) -> None:
    """What the pipeline does to a pixel, the prediction undoes.

    A spot is painted, found again in what the pipeline gives to the network, and
    mapped back as MMPose maps keypoints, by ``input_center``, ``input_scale`` and
    ``input_size``.
    """
    width, height = 2 * method.image_size[0], 3 * method.image_size[1]
    transform = Compose(method.pipeline('test'))
    for spot in (np.array([width * 0.3, height * 0.35]), np.array([width, height]) / 2):
        sample = transform(_painted(method, (width, height), spot))
        black = transform(_painted(method, (width, height), spot, 0))
        # What is left of the border that a pipeline adds is nothing.
        image, ground = (_first(each['inputs']).float() for each in (sample, black))
        found = _center_of_mass((image - ground).sum(0).numpy())
        meta: PoseDataSample = sample['data_samples']
        scale, size = np.asarray(meta.input_scale), np.asarray(meta.input_size)
        back = (found / size - 0.5) * scale + np.asarray(meta.input_center)
        distance, largest = np.abs(back - spot).max(), (scale / size).max()
        if not distance <= largest:
            raise CheckFailed(
                f'a spot at {spot.round(1).tolist()} of an image of {width}x{height} '
                f'pixels is mapped back to {back.round(1).tolist()}, should be at most '
                f'{largest:.3g} pixels, one of the input, off'
            )


def check_keypoints_follow_flip(method: Method) -> None:
    """With ``flip_test``, the mirrored image gives the mirrored keypoints.

    Maps of an image and of its mirror image are averaged, so this holds for any
    weights.
    """
    model = method.trained()
    skeleton = getattr(getattr(model.head, 'decoder', None), 'skeleton', None)
    described = skeleton or SimpleNamespace(**method.dataset_meta)
    pairs = list(described.flip_indices)
    batch = method.test_batch()
    mirrored = copy.deepcopy(batch)
    mirrored['inputs'] = [_mirrored(image) for image in batch['inputs']]
    outputs = []
    for each in (batch, mirrored):
        with temporary_test_cfg(model, flip_test=True, output_heatmaps=True):
            try:
                with torch.no_grad():
                    found = model.test_step(copy.deepcopy(each))
            except ValueError as error:
                raise CheckSkipped(f'flip_test is refused: {error}') from error
        outputs.append([sample.pred_fields.heatmaps for sample in found])
    expected, got = outputs
    if len(expected[0]) != len(pairs):
        raise CheckSkipped(f'{len(expected[0])} maps of {len(pairs)} keypoints')
    back = [maps[pairs].flip(-1) for maps in got]
    distance = relative_distance(back, expected)
    if not distance <= 1e-3:
        raise CheckFailed(
            'with flip_test the maps of a mirrored image, mirrored back, are '
            f'{distance:.2g} of their largest value off, should be at most 0.001'
        )


def _painted(
    method: Method, size: tuple[int, int], spot: np.ndarray, white: int = 255
) -> dict:
    """A sample of a black image with a blurred white spot."""
    width, height = size
    x, y = np.arange(width), np.arange(height)[:, None]
    square = (x - spot[0]) ** 2 + (y - spot[1]) ** 2
    radius = max(size) / 16
    grey = (white * np.exp(-square / (2 * radius**2))).astype(np.uint8)
    return dict(
        method.dataset_meta,
        img=cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR),
        img_path='',
        bbox=np.array([[0, 0, width, height]], np.float32),
        bbox_score=np.ones(1, np.float32),
    )


def _center_of_mass(image: np.ndarray) -> np.ndarray:
    """Mean position (x, y) of what is brighter than half of the maximum."""
    weights = (image - image.max() / 2).clip(0)
    y, x = np.indices(image.shape)
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def _first(inputs: Input) -> torch.Tensor:
    """An input, or the first of its sizes."""
    return inputs[0] if isinstance(inputs, list) else inputs


def _mirrored(image: Input) -> Input:
    """An input, or the sizes of one, with left and right exchanged."""
    if isinstance(image, list):
        return [part.flip(-1) for part in image]
    return image.flip(-1)
