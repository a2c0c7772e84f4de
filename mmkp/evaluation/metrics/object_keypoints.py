# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which predicted keypoints lie on the annotated object."""

from collections.abc import Mapping

import numpy as np

from mmkp.datasets.segmentation import segmentation_mask
from mmkp.evaluation.functional import on_object

from .predicted_keypoints import predicted_keypoints


def keypoints_on_object(data_sample: dict, name: str) -> tuple[np.ndarray, ...]:
    """Compare predicted keypoints with the segmentation of their object.

    Args:
        data_sample: A ``PoseDataSample`` as a dict, with ``ori_shape`` and the
            annotation in COCO's format as ``raw_ann_info``.
        name: File or id for messages.

    Returns:
        (K,) bool of the keypoints and, where there are, of the untrained ones.

    Raises:
        ValueError: If the object has no segmentation, or one of another size.
    """
    annotation = data_sample.get('raw_ann_info')
    mask = None
    if isinstance(annotation, Mapping):
        shape = (int(data_sample['ori_shape'][0]), int(data_sample['ori_shape'][1]))
        mask = segmentation_mask(annotation.get('segmentation'), shape)
    if mask is None:
        raise ValueError(
            f'{name}: the annotation has no segmentation, so nobody can tell which '
            'keypoints lie on the object: set object_share=False.'
        )
    return tuple(on_object(points, mask) for points in predicted_keypoints(data_sample))
