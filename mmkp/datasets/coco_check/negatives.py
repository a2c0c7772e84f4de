# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Items of bottom-up training whose image shows nobody."""

import numpy as np


def item_without_people(image: dict, num_keypoints: int) -> dict:
    """Make the item of an image without people.

    Args:
        image: With ``img_id`` and ``img_path``.
        num_keypoints: K of the data set.

    Returns:
        What MMPose's bottom-up items hold, of no people.
    """
    return dict(
        img_id=image['img_id'],
        img_path=image['img_path'],
        bbox=np.zeros((0, 4), np.float32),
        bbox_score=np.zeros(0, np.float32),
        num_keypoints=[],
        keypoints=np.zeros((0, num_keypoints, 2), np.float32),
        keypoints_visible=np.zeros((0, num_keypoints), np.float32),
        area=np.zeros(0, np.float32),
        iscrowd=[],
        segmentation=[],
        id=[],
        category_id=np.zeros(0, np.int64),
        raw_ann_info=[],
        invalid_segs=[],
    )
