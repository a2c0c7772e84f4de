# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A prediction depends on its image alone, whatever else is in the batch."""

import copy

import numpy as np
import torch

from mmkp.testing.check import CheckFailed
from mmkp.testing.comparison import (
    expect_equal_state,
    expect_same_predictions,
    relative_distance,
)
from mmkp.testing.method import Method

# Of the network, or of several sizes.
Input = torch.Tensor | list[torch.Tensor]
# Convolutions of another batch size sum in another order.
_ROUNDING = 1e-3
# Of the keypoints of a network that has learned little.
_SHARE = 0.9


def split(batch: dict, order: list[int]) -> dict:
    """Choose samples of a batch.

    Args:
        batch: lists of ``inputs`` and ``data_samples``.
        order: indices of the samples.
    """
    return {key: [values[index] for index in order] for key, values in batch.items()}


def check_prediction_is_finite(method: Method) -> None:
    """Keypoints and scores are finite float arrays, one row a keypoint."""
    number = getattr(method.build(), 'num_keypoints', None)
    for index, found in enumerate(method.predict(method.trained())):
        keypoints, scores = found['keypoints'], found['keypoint_scores']
        expected = keypoints.shape[:2]
        if keypoints.ndim != 3 or keypoints.shape[2] != 2 or scores.shape != expected:
            raise CheckFailed(
                f'keypoints of image {index} have the shape {keypoints.shape} and '
                f'scores {scores.shape}, should be (N, K, 2) and (N, K)'
            )
        if number is not None and keypoints.shape[1] != number:
            raise CheckFailed(
                f'{keypoints.shape[1]} keypoints were predicted, should be {number}'
            )
        if not (np.isfinite(keypoints).all() and np.isfinite(scores).all()):
            raise CheckFailed(f'keypoints or scores of image {index} are not finite')


def check_batch_equals_singles(method: Method) -> None:
    """A batch and its images one by one give the same up to rounding."""
    model, batch = method.trained(), method.test_batch()
    number = len(batch['inputs'])
    singles = [split(batch, [index]) for index in range(number)]
    raw = method.raw_outputs(model, copy.deepcopy(batch))
    parts = [method.raw_outputs(model, copy.deepcopy(single)) for single in singles]
    joined = [torch.cat(each) for each in zip(*parts, strict=True)]
    distance = relative_distance(raw, joined)
    if not distance <= _ROUNDING:
        raise CheckFailed(
            f'outputs of a batch of {number} are {distance:.2g} of their largest value '
            f'off those of its images one by one, should be at most {_ROUNDING:g}'
        )
    expect_same_predictions(
        method.predict(model, batch),
        [method.predict(model, single)[0] for single in singles],
        _ROUNDING * max(method.image_size),
        f'a batch of {number} and its images one by one',
        _SHARE,
    )


def check_order_does_not_matter(method: Method) -> None:
    """The images of a batch in another order give the same, in that order."""
    model, batch = method.trained(), method.test_batch()
    order = list(reversed(range(len(batch['inputs']))))
    expected = method.predict(model, batch)
    found = method.predict(model, split(batch, order))
    expect_same_predictions(
        found,
        [expected[index] for index in order],
        _ROUNDING * max(method.image_size),
        'a batch and the same in reverse order',
        _SHARE,
    )


def check_prediction_changes_nothing(method: Method) -> None:
    """A prediction leaves the weights and buffers as they were, and can be repeated."""
    model, batch = method.trained(), method.test_batch()
    before = copy.deepcopy(model.state_dict())
    first = method.predict(model, batch)
    expect_equal_state(model.state_dict(), before, 'the model after a prediction')
    second = method.predict(model, batch)
    expect_same_predictions(second, first, 0.0, 'a prediction and its repetition')


def check_bad_image_spoils_no_other(method: Method) -> None:
    """An image of NaN is refused in a sentence, or does not reach its neighbours."""
    model, batch = method.trained(), method.test_batch()
    expected = method.predict(model, batch)
    bad = copy.deepcopy(batch)
    bad['inputs'] = [_as_float(image) for image in bad['inputs']]
    _fill(bad['inputs'][0], float('nan'))
    try:
        found = method.predict(model, bad)
    except ValueError:
        return  # a clear error
    expect_same_predictions(
        found[1:],
        expected[1:],
        _ROUNDING * max(method.image_size),
        'images beside one of NaN and the same beside a good one',
        _SHARE,
    )


def check_loss_of_bad_image_is_not_finite(method: Method) -> None:
    """An image of NaN is refused, or makes a loss that is not finite: never silence."""
    batch = method.training_batch()
    batch['inputs'] = [_as_float(image) for image in batch['inputs']]
    _fill(batch['inputs'][0], float('nan'))
    try:
        total = float(method.loss(method.build(), batch)[0].detach())
    except ValueError:
        return  # a clear error
    if np.isfinite(total):
        raise CheckFailed(
            f'the loss of a batch with an image of NaN is {total:.4g}, should be '
            'refused or not finite, by which a training stops'
        )


def _as_float(image: Input) -> Input:
    """An input, or the sizes of one, in float32."""
    if isinstance(image, list):
        return [part.float() for part in image]
    return image.float()


def _fill(image: Input, value: float) -> None:
    """Set every pixel of an input, or of the sizes of one."""
    for part in image if isinstance(image, list) else [image]:
        part.fill_(value)
