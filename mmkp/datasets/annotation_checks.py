# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Make keypoints that are not numbers invisible, and say so."""

import logging

import numpy as np
from mmengine.logging import print_log

from mmkp.datasets.coco_check.values import MAX_COORDINATE


def hide_undefined_keypoints(sample: dict) -> int:
    """Make keypoints with NaN, infinite or huge coordinates invisible, in place.

    Args:
        sample: Has ``keypoints`` (N, K, 2) and ``keypoints_visible`` (N, K) or
            (N, K, 2); ``img_path`` is used in the message.

    Returns:
        How many keypoints were hidden. They are moved to (0, 0).

    Raises:
        ValueError: If a number of ``bbox`` is not finite.
    """
    where = sample.get('img_path')
    if 'bbox' in sample and not np.isfinite(sample['bbox']).all():
        raise ValueError(f'{where}: the box {sample["bbox"].tolist()} is not finite')
    if sample.get('keypoints') is None:
        return 0
    # NaN is not smaller than anything.
    undefined = ~(np.abs(sample['keypoints']) < MAX_COORDINATE).all(axis=-1)
    visible = sample['keypoints_visible']
    unclear = ~(np.abs(visible) < MAX_COORDINATE)
    undefined |= unclear.any(axis=-1) if visible.ndim == 3 else unclear
    hidden = int(undefined.sum())
    if hidden:
        sample['keypoints'] = np.where(undefined[..., None], 0, sample['keypoints'])
        mask = undefined[..., None] if visible.ndim == 3 else undefined
        sample['keypoints_visible'] = np.where(mask, 0, visible).astype(visible.dtype)
        print_log(
            f'{where}: {hidden} keypoints have no finite coordinates and count as '
            'invisible',
            logger='current',
            level=logging.WARNING,
        )
    return hidden
