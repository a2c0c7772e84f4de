# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""MPII with all people of a picture, for bottom-up models."""

from typing import Any

import numpy as np
from mmpose.datasets.datasets.body import MpiiDataset
from mmpose.registry import DATASETS

from mmkp.datasets.annotation_checks import hide_undefined_keypoints
from mmkp.datasets.coco_check.values import as_number, shown
from mmkp.datasets.sample_annotations import coco_annotation, judge_by_samples
from mmkp.labels import read_json
from mmkp.ops.arguments import real_array


@DATASETS.register_module()
class MpiiPeopleDataset(MpiiDataset):
    """``MpiiDataset`` whose items can train and score bottom-up models.

    MMPose's reads one person an item: it leaves out what bottom-up items need to be
    grouped by picture, masked and scored. Here they carry ``raw_ann_info`` in COCO's
    format, so that ``CocoMetric`` takes its ground truth from them.

    MPII labels only some of the people in many pictures, and does not say where the
    others are: the ``ignored`` of its official multi-person test is not in MMPose's
    files.

    Args:
        data_mode: 'bottomup' unless said otherwise.
        **kwargs: other arguments of ``MpiiDataset``.
    """

    def __init__(self, data_mode: str = 'bottomup', **kwargs: Any) -> None:
        super().__init__(data_mode=data_mode, **kwargs)
        judge_by_samples(self)  # its annotation file is not in COCO's format

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Read the people, those of one picture next to each other."""
        _check_people(read_json(self.ann_file, list, nan=True), self.ann_file)
        people, images = super()._load_annotations()
        for number, person in enumerate(people):
            hide_undefined_keypoints(person)
            # Ids start at 1: COCO's evaluation takes 0 for "no match".
            person['id'] = number + 1
            person['iscrowd'] = 0
            person['segmentation'] = None
            person['category_id'] = np.array(1)
            person['area'] = person['area'].reshape(())
            person['keypoints_visible'] = person['keypoints_visible'].astype(np.float32)
            person['num_keypoints'] = int((person['keypoints_visible'] > 0).sum())
            person['raw_ann_info'] = coco_annotation(
                person['id'],
                person['img_id'],
                person['keypoints'][0],
                np.where(person['keypoints_visible'][0] > 0, 2, 0),
                person['bbox'][0],
                person['area'],
            )
        return sorted(people, key=lambda person: person['img_id']), images


def _check_people(entries: list, path: str) -> None:
    """Refuse people that lack what their box and joints are made from."""
    sizes = dict(center=2, joints=32, joints_vis=16)
    for position, entry in enumerate(entries):
        person = entry if isinstance(entry, dict) else {}
        where = f'{path}: person {position} ({person.get("image")})'
        scale = as_number(person.get('scale'))
        if not isinstance(person.get('image'), str) or not scale or scale < 0:
            raise ValueError(
                f'{where} needs image, the name of a file, and scale, a positive '
                f'number; the scale is {shown(person.get("scale"))}'
            )
        for key, size in sizes.items():
            try:
                found = real_array(key, person.get(key)).size
            except ValueError:
                found = 0
            if found != size:
                raise ValueError(
                    f'{where} has the {key} {shown(person.get(key))}, where {size} '
                    'numbers are expected'
                )
        if any(as_number(n) is None for n in person['center']):
            raise ValueError(
                f'{where} has the center {person["center"]}, which is not finite; '
                'correct it or leave the person out'
            )
        if not person['image'].split('.')[0].isdecimal():
            raise ValueError(
                f'{where}: images of MPII have numbers for names, from which '
                "MpiiDataset takes their ids; write the people in COCO's format, and "
                'take LandmarkDataset'
            )
