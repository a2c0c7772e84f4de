# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO's people with their feet, as COCO-WholeBody labels them."""

from typing import Any

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from mmkp.datasets.coco_check.values import as_number, shown

_SIDES = ('left', 'right')
_BODY = ('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
_FOOT = ('big_toe', 'small_toe', 'heel')
_SIGMAS = {
    'nose': 0.026,
    'eye': 0.025,
    'ear': 0.035,
    'shoulder': 0.079,
    'elbow': 0.072,
    'wrist': 0.062,
    'hip': 0.107,
    'knee': 0.087,
    'ankle': 0.089,
}
# COCO-WholeBody measured the left and the right foot apart.
_FOOT_SIGMAS = [0.068, 0.066, 0.066, 0.092, 0.094, 0.094]
_LINKS = (
    ('ankle', 'knee'),
    ('knee', 'hip'),
    ('shoulder', 'hip'),
    ('shoulder', 'elbow'),
    ('elbow', 'wrist'),
    ('nose', 'eye'),
    ('eye', 'ear'),
    ('ear', 'shoulder'),
    ('ankle', 'big_toe'),
    ('ankle', 'small_toe'),
    ('ankle', 'heel'),
)
_COLOURS = {'left': [0, 255, 0], 'right': [255, 128, 0], '': [51, 153, 255]}


def _metainfo() -> dict:
    """Metainfo in MMPose's format: COCO's 17 keypoints, then 6 of the feet."""
    names = ['nose', *(f'{side}_{part}' for part in _BODY for side in _SIDES)]
    names += [f'{side}_{part}' for side in _SIDES for part in _FOOT]
    keypoints = {}
    for index, name in enumerate(names):
        side, _, part = name.rpartition('_') if name == 'nose' else name.partition('_')
        other = dict(left='right_' + part, right='left_' + part).get(side, '')
        below = part in ('hip', 'knee', 'ankle', *_FOOT)
        keypoints[index] = dict(
            name=name,
            id=index,
            color=_COLOURS[side],
            type='lower' if below else 'upper',
            swap=other,
        )
    links = [('left_shoulder', 'right_shoulder'), ('left_hip', 'right_hip')]
    links += [('left_eye', 'right_eye')]
    links += [
        (start if start == 'nose' else f'{side}_{start}', f'{side}_{end}')
        for side in _SIDES
        for start, end in _LINKS
    ]
    skeleton = {
        index: dict(link=link, id=index, color=_COLOURS[_side(link)])
        for index, link in enumerate(links)
    }
    return dict(
        dataset_name='coco_body_foot',
        paper_info=dict(
            title='Whole-Body Human Pose Estimation in the Wild',
            homepage='https://github.com/jin-s13/COCO-WholeBody/',
        ),
        keypoint_info=keypoints,
        skeleton_info=skeleton,
        joint_weights=[1.0] * len(names),
        sigmas=[_SIGMAS[n.partition('_')[2] or n] for n in names[:17]] + _FOOT_SIGMAS,
    )


def _side(link: tuple[str, str]) -> str:
    sides = {name.partition('_')[0] for name in link} - {'nose'}
    return sides.pop() if len(sides) == 1 else ''


@DATASETS.register_module()
class CocoBodyFootDataset(BaseCocoStyleDataset):
    """The 17 keypoints of COCO and the 6 of the feet, without face and hands.

    Reads the files of COCO-WholeBody (Jin et al., ECCV 2020), and plain ones of COCO.
    What OpenPose's BODY_25 predicts are these, the neck and the middle of the hips.

    Items have one key more than those of ``CocoDataset``: ``keypoints_ignored`` (N, 23)
    bool, True for feet that nobody labelled, where their absence says nothing.

    Arguments are those of ``CocoDataset``.
    """

    METAINFO: dict = _metainfo()

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
