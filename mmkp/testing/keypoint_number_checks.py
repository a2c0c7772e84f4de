# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Any number of keypoints: one, two, many."""

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.testing.check import CheckFailed, CheckSkipped
from mmkp.testing.loss_checks import check_loss_is_finite
from mmkp.testing.method import Method

NUMBERS = (1, 2, 64)
_NAMES = ('num_keypoints', 'num_joints', 'num_selected')


def check_any_number_of_keypoints(method: Method) -> None:
    """1, 2 and 64 keypoints are built, have a finite loss, and are predicted.

    What a skeleton of one keypoint lacks, or a config has too few of for 64, may be
    refused when the model is built.
    """
    if method.samples_are_given:
        raise CheckSkipped('the samples are given, and so is their number of keypoints')
    for number in NUMBERS:
        other = with_keypoints(method, number)
        try:
            other.build()
        except ValueError:
            if number == 2:
                raise
            continue
        check_loss_is_finite(other)
        for found in other.predict(other.build().eval()):
            if found['keypoints'].shape[1:] != (number, 2):
                raise CheckFailed(
                    f'with num_keypoints={number}, keypoints have the shape '
                    f'{found["keypoints"].shape}, should be (N, {number}, 2)'
                )


def with_keypoints(method: Method, number: int) -> Method:
    """The same method for another number of keypoints.

    Args:
        method: whose config says the number as ``num_keypoints`` in its parts, or by a
            codec's ``skeleton``.
        number: K.

    Returns:
        A method of its own, all of whose parts and data sets follow.

    Raises:
        CheckSkipped: nothing in the model is called so.
    """
    cfg = copy.deepcopy(method.cfg)
    metainfo = discovered_metainfo(number, [(k, k + 1) for k in range(number - 1)])
    if not _replace(cfg.model, number, metainfo):
        raise CheckSkipped('no part of the model has num_keypoints or a skeleton')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if isinstance(cfg.get(name), Mapping) and 'dataset' in cfg[name]:
            _replace(cfg[name].dataset, number, metainfo)
            cfg[name].dataset.metainfo = metainfo
    other = Method(cfg, steps=method.steps)
    other.dataset_meta = parse_pose_metainfo(metainfo)
    return other


def _replace(value: Any, number: int, metainfo: dict) -> int:
    """Set every number of keypoints in a part of a config; how many there were."""
    if isinstance(value, list | tuple):
        return sum(_replace(item, number, metainfo) for item in value)
    if not isinstance(value, MutableMapping):
        return 0
    count = 0
    for key in list(value):
        if key in _NAMES and isinstance(value[key], int):
            value[key], count = number, count + 1
        elif key == 'skeleton':
            value[key], count = metainfo, count + 1
        elif key != 'metainfo':
            count += _replace(value[key], number, metainfo)
    return count
