# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Half precision and another memory layout change results by rounding only."""

import numpy as np
import torch

from mmkp.testing.check import CheckFailed
from mmkp.testing.comparison import expect_same_predictions, relative_distance
from mmkp.testing.method import Method

# bfloat16 has 8 bits: each layer rounds by .4 %, and tens of layers add up.
_HALF_LOSS, _HALF_PIXELS = 0.1, 0.02
_LAYOUT, _SHARE = 1e-3, 0.9


def autocast() -> torch.autocast:
    """Mixed precision as MMEngine's AmpOptimWrapper switches it on, in bfloat16."""
    return torch.autocast('cpu', torch.bfloat16)


def check_half_precision_predicts_the_same(method: Method) -> None:
    """Under autocast, keypoints are computed in float32 and differ by rounding."""
    model, batch = method.trained(), method.test_batch()
    for sample in batch['data_samples']:  # keypoints are those of the input then
        size = np.asarray(sample.input_size)
        sample.set_metainfo(dict(input_center=size / 2, input_scale=size))
    expected = method.predict(model, batch)
    with autocast():
        found = method.predict(model, batch)
    pairs = [
        (left['keypoints'].ravel(), right['keypoints'].ravel())
        for left, right in zip(found, expected, strict=True)
        if left['keypoints'].shape == right['keypoints'].shape
    ]
    half, full = (np.concatenate([*each, [0.0]]) for each in zip(*pairs, strict=True))
    largest = _HALF_PIXELS * max(method.image_size)
    # Where two peaks of a map are equally high, rounding decides between them.
    median = float(np.median(np.abs(half - full)))
    if not median <= largest:
        raise CheckFailed(
            f'under autocast half of the keypoints are {median:.3g} pixels off, '
            f'should be at most {largest:.3g}'
        )
    if has_eight_bits(half) and not has_eight_bits(full):
        raise CheckFailed(
            'under autocast every position is a number of 8 bits (bfloat16), should '
            'have the 24 of float32'
        )


def has_eight_bits(values: np.ndarray) -> bool:
    """Whether all numbers are those of bfloat16, up to rounding of what followed."""
    full = torch.from_numpy(np.asarray(values, np.float64))
    half = full.bfloat16().double()
    return bool(((full - half).abs() <= 1e-5 * full.abs()).all())


def check_half_precision_trains(method: Method) -> None:
    """Under autocast, losses are near those of float32 and gradients finite."""
    values = []
    for enabled in (False, True):
        model = method.build()
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            total, _ = method.loss(model)
        values.append(float(total.detach()))
    full, half = values
    if not abs(half - full) <= _HALF_LOSS * abs(full):
        raise CheckFailed(
            f'under autocast the loss is {half:.6g}, should be within '
            f'{_HALF_LOSS:.0%} of {full:.6g}'
        )
    total.backward()
    bad = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all()
    ]
    if bad:
        raise CheckFailed(
            f'under autocast {len(bad)} gradients are not finite, should be none: '
            f'{bad[:5]}'
        )


def check_channels_last_predicts_the_same(method: Method) -> None:
    """Weights and images in channels-last memory give the same up to rounding."""
    model, batch = method.trained(), method.test_batch()
    expected = method.predict(model, batch)
    raw = method.raw_outputs(model, method.test_batch())
    model.to(memory_format=torch.channels_last)
    distance = relative_distance(method.raw_outputs(model, method.test_batch()), raw)
    if not distance <= _LAYOUT:
        raise CheckFailed(
            f'in channels-last memory outputs are {distance:.2g} of their largest '
            f'value off, should be at most {_LAYOUT:g}'
        )
    expect_same_predictions(
        method.predict(model, batch),
        expected,
        _LAYOUT * max(method.image_size),
        'channels-last memory and the usual one',
        _SHARE,
    )
