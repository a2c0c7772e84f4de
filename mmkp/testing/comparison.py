# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How far two outputs, states or predictions of a model are apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmkp.testing.check import CheckFailed

Prediction = dict[str, np.ndarray]


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists and dicts, in order.

    Args:
        value: tensors, lists, tuples, dicts of them; anything else holds none.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for key in value:
            yield from tensors_in(value[key])
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from tensors_in(item)


def relative_distance(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Largest difference of any two tensors, as a share of the largest value.

    Args:
        found: tensors.
        expected: as many, of the same shapes.

    Returns:
        max |f - e| / max |e|, the largest of all pairs; infinite where shapes differ or
        one is finite and the other is not.
    """
    if [t.shape for t in found] != [t.shape for t in expected]:
        return float('inf')
    worst = 0.0
    for left, right in zip(found, expected, strict=True):
        if right.numel() == 0:
            continue
        left, right = left.double(), right.double()
        difference = (left - right).abs().max() / right.abs().max().clamp_min(1e-30)
        if left.equal(right):
            continue
        worst = max(worst, float(difference.nan_to_num(nan=float('inf'))))
    return worst


def expect_equal_state(
    found: Mapping[str, Any], expected: Mapping[str, Any], what: str
) -> None:
    """Refuse two states that differ in any bit.

    Args:
        found: name -> tensor.
        expected: the same.
        what: they are, for the message.

    Raises:
        CheckFailed: naming the first entries that differ.
    """
    if found.keys() != expected.keys():
        odd = sorted(found.keys() ^ expected.keys())
        raise CheckFailed(f'{what} has other entries: {odd[:5]}')
    different = [
        key
        for key, value in expected.items()
        if isinstance(value, Tensor) and not same_bits(found[key], value)
    ]
    if different:
        raise CheckFailed(
            f'{what}: {len(different)} of {len(expected)} tensors differ, should be '
            f'none: {different[:5]}'
        )


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are equal, NaN to NaN."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return torch.equal(left.nan_to_num(), right.nan_to_num())


def expect_same_predictions(
    found: Sequence[Prediction],
    expected: Sequence[Prediction],
    pixels: float,
    what: str,
    share: float = 1.0,
) -> None:
    """Refuse predictions that lie further apart than so many pixels.

    Args:
        found: of each image, ``keypoints`` (N, K, 2) in pixels.
        expected: the same.
        pixels: largest distance in each coordinate.
        what: is compared with what, for the message.
        share: of the keypoints that have to be as near. Where a map has two peaks of
            one height, or is flat around its peak, rounding decides where a keypoint
            lies.

    Raises:
        CheckFailed: telling the distance, or that numbers of instances differ.
    """
    distances = [np.zeros(0)]
    for index, (left, right) in enumerate(zip(found, expected, strict=True)):
        shapes = left['keypoints'].shape, right['keypoints'].shape
        if shapes[0] != shapes[1]:
            raise CheckFailed(
                f'{what}: image {index} has keypoints of shape {shapes[0]}, should be '
                f'{shapes[1]}'
            )
        apart = np.abs(left['keypoints'] - right['keypoints'])
        distances.append(apart.max(-1).ravel())
    every = np.concatenate(distances)
    if not len(every):
        return
    distance = np.quantile(every, share)
    if not distance <= pixels:
        raise CheckFailed(
            f'{what}: keypoints are up to {distance:.3g} pixels off, should be at most '
            f'{pixels:.3g} for {share:.0%} of them'
        )
