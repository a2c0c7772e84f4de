"""Masks of real images against those that OpenPose's tools gave."""

import json

import numpy as np
import pytest

from mmkp.datasets import LabeledMask


@pytest.fixture(scope='module')
def annotations(data_dir):
    path = data_dir / 'coco/annotations/person_keypoints_val2017.json'
    content = json.loads(path.read_text())
    names = {image['id']: image['file_name'] for image in content['images']}
    grouped = {name: [] for name in names.values()}
    for annotation in content['annotations']:
        grouped[names[annotation['image_id']]].append(annotation)
    return grouped


# Case 1 shows an image that the data at hand lack.
@pytest.mark.parametrize('number', [0, *range(2, 12)])
def test_golden_masks(golden_dir, annotations, number):
    folder = golden_dir / 'openpose_targets'
    image = json.loads((folder / 'index.json').read_text())['cases'][number]['image']
    with np.load(folder / f'case{number:02}.npz') as arrays:
        case = dict(arrays)
    scale, shift = float(case['scale']), 184 - case['crop_center']
    sample = dict(
        img=np.zeros((368, 368, 3), np.uint8),
        ori_shape=tuple(int(n) for n in case['image_size_wh'][::-1]),
        warp_mat=np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]),
        flip=bool(case['flip']),
        flip_direction='horizontal',
        raw_ann_info=annotations[image],
    )
    for outside in (255, 0):
        mask = LabeledMask(outside=outside / 255)(dict(sample))['labeled_mask']
        expected = case[f'mask46_pad{outside}'].astype(np.float32)
        # One cell in 11 masks is off by 1 of 255.
        difference = np.abs(mask * 255 - expected)
        assert difference.max() < 1.001
        assert np.count_nonzero(difference > 0.01) <= 1
