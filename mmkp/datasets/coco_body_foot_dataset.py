# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO's people with their feet, as COCO-WholeBody labels them."""

from typing import Any

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from mmkp.datasets.body_metainfo import COCO_JOINTS, COCO_LINKS, SIDES, body_metainfo
from mmkp.datasets.coco_check.values import as_number, shown

_FOOT = ('big_toe', 'small_toe', 'heel')


@DATASETS.register_module()
class CocoBodyFootDataset(BaseCocoStyleDataset):
    """The 17 keypoints of COCO and the 6 of the feet, without face and hands.

    Reads the files of COCO-WholeBody (Jin et al., ECCV 2020), and plain ones of COCO.
    What OpenPose's BODY_25 predicts are these, the neck and the middle of the hips.

    Items have one key more than those of ``CocoDataset``: ``keypoints_ignored`` (N, 23)
    bool, True for feet that nobody labelled, where their absence says nothing.

    Arguments are those of ``CocoDataset``.
    """

    METAINFO: dict = body_metainfo(
        'coco_body_foot',
        (*COCO_JOINTS, *(f'{side}_{part}' for side in SIDES for part in _FOOT)),
        (
            *COCO_LINKS,
            *((f'{side}_ankle', f'{side}_{part}') for side in SIDES for part in _FOOT),
        ),
        dict(
            title='Whole-Body Human Pose Estimation in the Wild',
            homepage='https://github.com/jin-s13/COCO-WholeBody/',
        ),
    )

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Read one annotation.

        Args:
            raw_data_info: ``raw_ann_info``, an annotation with ``keypoints`` (51,) and
                ``foot_kpts`` (18,), and ``raw_img_info``.

        Returns:
            What ``CocoDataset`` makes of it with 23 keypoints, and
            ``keypoints_ignored`` (1, 23); None if it has no keypoints or box.

        Raises:
            ValueError: another number of keypoints.
        """
        annotation: dict[str, Any] = raw_data_info['raw_ann_info']
        if 'keypoints' not in annotation:
            return None
        feet = annotation.get('foot_kpts') or [0] * 18
        if not isinstance(feet, list) or any(as_number(n) is None for n in feet):
            raise ValueError(
                f'{self.ann_file}: annotation {annotation.get("id")} has the foot_kpts '
                f'{shown(feet)}, where 18 finite numbers are expected (x, y and '
                'visibility of each of 6 keypoints)'
            )
        keypoints = [*annotation['keypoints'], *feet]
        if len(keypoints) != 69:
            raise ValueError(
                f'annotation {annotation.get("id")} has {len(keypoints) // 3} '
                'keypoints of body and feet instead of 17 and 6: CocoBodyFootDataset '
                'reads files of COCO-WholeBody'
            )
        whole = dict(raw_data_info, raw_ann_info=dict(annotation, keypoints=keypoints))
        item = super().parse_data_info(whole)
        if item is not None:
            item['raw_ann_info'] = annotation
            ignored = np.zeros((1, 23), bool)
            ignored[:, 17:] = not any(feet[2::3])
            item['keypoints_ignored'] = ignored
        return item
