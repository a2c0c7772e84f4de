"""Bodies of Leeds Sports Pose and FLIC, as training samples."""

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmkp.datasets import FlicDataset, LspDataset
from mmkp.datasets.body_metainfo import body_metainfo, split_side
from mmkp.datasets.coco_writer import CocoWriter
from mmkp.datasets.flic_dataset import FLIC_JOINTS
from mmkp.datasets.lsp_dataset import LSP_JOINTS

PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomFlip', prob=1.0),
]


@pytest.fixture(params=[('LspDataset', LSP_JOINTS), ('FlicDataset', FLIC_JOINTS)])
def body(request, tmp_path):
    """One person in a picture of 60 x 40, whose box leaves the picture."""
    init_default_scope('mmpose')
    name, joints = request.param
    points = np.stack([np.arange(len(joints)) * 3.0 + 1, np.arange(len(joints))], 1)
    visible = np.ones(len(joints), bool)
    visible[1] = False
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((40, 60, 3), np.uint8))
    writer = CocoWriter('body', joints, category='person')
    writer.add('a.png', (60, 40), points, visible, bbox=[-20, 0, 40, 40])
    writer.write(tmp_path / 'a.json')
    return dict(type=name, data_root=str(tmp_path), ann_file='a.json'), joints, points


def test_a_mirrored_person_has_left_and_right_swapped(body):
    config, joints, points = body
    mirrored = DATASETS.build(dict(config, pipeline=PIPELINE))[0]
    others = {'left': 'right_', 'right': 'left_', '': ''}
    for index, name in enumerate(joints):
        side, part = split_side(name)
        source = joints.index(others[side] + part)
        if source == 1:
            assert mirrored['keypoints_visible'][0, index] == 0
            continue
        x, y = points[source]
        np.testing.assert_allclose(mirrored['keypoints'][0, index], [59 - x, y])
        assert mirrored['keypoints_visible'][0, index] == 1


def test_a_box_beyond_the_picture_keeps_its_centre(body):
    config, _, _ = body
    sample = DATASETS.build(config).get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[-20, 0, 20, 40]])
    cut = DATASETS.build(dict(config, clip_boxes=True)).get_data_info(0)
    np.testing.assert_array_equal(cut['bbox'], [[0, 0, 20, 40]])


def test_another_set_of_joints_is_refused(body):
    config, joints, _ = body
    other = {'LspDataset': 'FlicDataset', 'FlicDataset': 'LspDataset'}[config['type']]
    expected = f'has {3 * len(joints)} numbers'
    with pytest.raises(ValueError, match=expected):
        DATASETS.build(dict(config, type=other))


@pytest.mark.parametrize(
    ('dataset', 'joints', 'torso', 'lower'),
    [
        (LspDataset, LSP_JOINTS, (3, 8), [0, 1, 2, 3, 4, 5]),
        (FlicDataset, FLIC_JOINTS, (0, 7), [6, 7]),
    ],
)
def test_description(dataset, joints, torso, lower):
    metainfo = dataset(lazy_init=True).metainfo
    assert [metainfo['keypoint_id2name'][k] for k in range(len(joints))] == list(joints)
    ends = {joints[index].split('_')[1] for index in torso}
    sides = {split_side(joints[index])[0] for index in torso}
    assert ends == {'hip', 'shoulder'} and sides == {'left', 'right'}
    assert metainfo['lower_body_ids'] == lower
    assert len(metainfo['upper_body_ids']) == len(joints) - len(lower)
    assert metainfo['sigmas'].shape == (len(joints),)
    assert metainfo['sigmas'][joints.index('left_wrist')] == np.float32(0.062)
    # Every joint is linked; the eyes of FLIC are linked to the nose only.
    assert {end for link in metainfo['skeleton_links'] for end in link} >= set(
        range(len(joints))
    )


def test_sides_have_their_colours():
    names = ('left_knee', 'right_knee', 'neck')
    links = [('left_knee', 'neck'), ('left_knee', 'right_knee')]
    info = body_metainfo('three', names, links, {})
    assert info['keypoint_info'][0]['swap'] == 'right_knee'
    assert info['keypoint_info'][2]['swap'] == ''
    assert info['keypoint_info'][0]['color'] == [0, 255, 0]
    assert info['skeleton_info'][1]['color'] == [51, 153, 255]
