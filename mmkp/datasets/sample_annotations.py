# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Annotations in COCO's format, of data sets that have no file in it."""

from typing import Any

import numpy as np
from mmengine.logging import MessageHub


def judge_by_samples(dataset: Any) -> None:
    """Let ``CocoMetric`` take its annotations from the samples of a data set.

    It needs the name of the category for that, and must not find a file.

    Args:
        dataset: One of people, whose samples have ``raw_ann_info``.
    """
    dataset._metainfo['CLASSES'] = [dict(id=1, name='person')]
    name = f'{dataset._metainfo["dataset_name"]}_ann_file'
    MessageHub.get_current_instance().pop_info(name, None)


def coco_annotation(
    identifier: int,
    image_id: int,
    keypoints: np.ndarray,
    flags: np.ndarray,
    box: np.ndarray,
    area: float,
) -> dict:
    """One person in the format of COCO's annotation files.

    Args:
        identifier: Of the person, from 1: COCO's evaluation takes 0 for "no match".
        image_id: Of the image.
        keypoints: (K, 2) float, pixels.
        flags: (K,), 0 for not labelled, 1 for covered and 2 for seen.
        box: (4,) float, the edges x1, y1, x2 and y2 in pixels.
        area: In square pixels.

    Returns:
        The annotation.
    """
    left, top, right, bottom = box.tolist()
    return dict(
        id=identifier,
        image_id=image_id,
        category_id=1,
        bbox=[left, top, right - left, bottom - top],
        area=float(area),
        keypoints=np.column_stack([keypoints, flags]).ravel().tolist(),
        num_keypoints=int(np.count_nonzero(flags)),
        iscrowd=0,
    )
