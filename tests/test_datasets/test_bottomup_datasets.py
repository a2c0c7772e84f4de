"""People with feet, and MPII's people, as bottom-up items."""

import json

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmkp.codecs import PartAffinityField, build_skeleton
from mmkp.datasets import CocoBodyFootDataset, MpiiPeopleDataset

BODY = [10.0 + i for i in range(51)]
FEET = [30.0, 40.0, 2.0] * 6


def coco_file(folder, *annotations):
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=96, height=64)],
        annotations=[
            dict(
                id=number,
                image_id=1,
                category_id=1,
                iscrowd=0,
                bbox=[0, 0, 50, 60],
                area=900,
                num_keypoints=17,
                segmentation=[],
                **fields,
            )
            for number, fields in enumerate(annotations, start=1)
        ],
        categories=[dict(id=1, name='person')],
    )
    path = folder / 'people.json'
    path.write_text(json.dumps(content))
    cv2.imwrite(str(folder / 'a.jpg'), np.zeros((64, 96, 3), np.uint8))
    return str(path)


class TestBodyAndFeet:
    def test_reads_both(self, tmp_path):
        path = coco_file(
            tmp_path,
            dict(keypoints=BODY, foot_kpts=FEET),
            dict(keypoints=BODY, foot_kpts=[0] * 18),
            dict(keypoints=BODY),
        )
        dataset = CocoBodyFootDataset(
            ann_file=path, data_mode='bottomup', data_prefix=dict(img=str(tmp_path))
        )
        (item,) = list(dataset)
        assert item['keypoints'].shape == (3, 23, 2)
        np.testing.assert_array_equal(item['keypoints'][0, 17:], [[30, 40]] * 6)
        np.testing.assert_array_equal(item['keypoints_visible'][:, 20], [1, 0, 0])
        np.testing.assert_array_equal(item['keypoints_ignored'].sum(1), [0, 6, 6])
        assert len(item['raw_ann_info'][0]['keypoints']) == 51

        targets = PartAffinityField('body25', input_size=(96, 64)).encode(
            item['keypoints'], item['keypoints_visible'], item['keypoints_ignored']
        )
        toe = build_skeleton('body25').keypoints.index('left_big_toe')
        assert (targets['heatmap_weights'][toe] == 0).any()
        assert targets['heatmap_weights'][0].all()

    def test_another_file_is_refused(self, tmp_path):
        path = coco_file(tmp_path, dict(keypoints=BODY[:48], foot_kpts=FEET))
        with pytest.raises(ValueError, match='annotation 1 has 22 keypoints'):
            CocoBodyFootDataset(ann_file=path, data_mode='bottomup')

    def test_people_without_keypoints_are_skipped(self):
        dataset = CocoBodyFootDataset(lazy_init=True)
        assert dataset.parse_data_info(dict(raw_ann_info={}, raw_img_info={})) is None

    @pytest.mark.filterwarnings('ignore:The metainfo config file')
    def test_metainfo_agrees_with_mmpose(self):
        ours = CocoBodyFootDataset(lazy_init=True).metainfo
        theirs = DATASETS.get('CocoWholeBodyDataset')(lazy_init=True).metainfo
        for index, name in theirs['keypoint_id2name'].items():
            if index < 23:
                assert ours['keypoint_id2name'][index] == name
        assert ours['flip_indices'] == theirs['flip_indices'][:23]
        np.testing.assert_allclose(ours['sigmas'], theirs['sigmas'][:23])
        links = {frozenset(link) for link in theirs['skeleton_links']}
        assert {frozenset(link) for link in ours['skeleton_links']} == {
            link for link in links if max(link) < 23
        }
        skeleton = build_skeleton('body25')
        assert skeleton.source_keypoints == tuple(ours['keypoint_name2id'])


class TestMpii:
    @pytest.fixture
    def dataset(self, tmp_path):
        def person(image, shift, labeled):
            joints = [[20.0 + shift + i, 30.0 + i] for i in range(16)]
            visible = [1] * labeled + [0] * (16 - labeled)
            center = [40.0 + shift, 50.0]
            return dict(
                image=image, center=center, scale=0.3, joints=joints, joints_vis=visible
            )

        people = [
            person('0002.jpg', 0, 16),
            person('0001.jpg', 5, 16),
            person('0002.jpg', 20, 9),
        ]
        (tmp_path / 'mpii.json').write_text(json.dumps(people))
        for name in ('0001.jpg', '0002.jpg'):
            cv2.imwrite(str(tmp_path / name), np.zeros((120, 160, 3), np.uint8))
        init_default_scope('mmpose')
        return MpiiPeopleDataset(
            ann_file=str(tmp_path / 'mpii.json'),
            data_prefix=dict(img=str(tmp_path)),
            test_mode=True,
            pipeline=[
                dict(type='LoadVerifiedImage'),
                dict(type='PersonScaledAffine', input_size=(96, 96)),
                dict(type='RandomFlip'),
                dict(type='LabeledMask'),
                dict(
                    type='GenerateTarget',
                    encoder=dict(
                        type='PartAffinityField', skeleton='mpi15', input_size=(96, 96)
                    ),
                ),
                dict(type='PackPoseInputs', meta_keys=('img_id', 'raw_ann_info')),
            ],
        )

    @pytest.mark.filterwarnings('ignore:The metainfo config file')
    def test_people_are_grouped_by_picture(self, dataset):
        items = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert [item['img_id'] for item in items] == [1, 2]
        assert items[1]['keypoints'].shape == (2, 16, 2)
        assert items[1]['id'] == [1, 3] and items[1]['num_keypoints'] == [16, 9]
        raw = items[1]['raw_ann_info'][1]
        assert raw['image_id'] == 2 and raw['num_keypoints'] == 9
        assert len(raw['keypoints']) == 48 and raw['keypoints'][2] == 2
        assert raw['bbox'][2] == pytest.approx(60)

    @pytest.mark.filterwarnings('ignore:The metainfo config file')
    def test_they_train(self, dataset):
        for item in dataset:
            fields = item['data_samples'].gt_fields
            assert fields.heatmaps.shape == (16, 12, 12)
            assert fields.heatmaps[:-1].any()


def mpii_person(**changes):
    person = dict(image='015601864.jpg', scale=1.0, center=[30, 30])
    person |= dict(joints=[[1 + n, 2 + n] for n in range(16)], joints_vis=[1] * 16)
    return {k: v for k, v in (person | changes).items() if v is not ...}


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(scale=...), 'scale is None'),
        (dict(scale=-1), 'scale is -1'),
        (dict(center=None), 'the center None, where 2 numbers'),
        (dict(center=[float('nan'), 1]), r'the center \[nan, 1\], which is not finite'),
        (dict(joints=[[1, 1]] * 14), 'where 32 numbers are expected'),
        (dict(joints_vis=['a'] * 16), 'the joints_vis'),
        (dict(image='a.jpg'), 'images of MPII have numbers for names'),
    ],
)
def test_people_of_mpii_that_lack_something(tmp_path, changes, message):
    (tmp_path / 'x.json').write_text(json.dumps([mpii_person(**changes)]))
    with pytest.raises(ValueError, match=f'x.json: person 0 .*{message}'):
        MpiiPeopleDataset(ann_file='x.json', data_root=str(tmp_path))


def test_joints_of_mpii_that_are_not_finite_are_invisible(tmp_path):
    joints = [[float('nan'), 1], *mpii_person()['joints'][1:]]
    (tmp_path / 'x.json').write_text(json.dumps([mpii_person(joints=joints)]))
    data = MpiiPeopleDataset(ann_file='x.json', data_root=str(tmp_path))
    item = data.get_data_info(0)
    assert np.isfinite(item['keypoints']).all()
    assert item['keypoints_visible'][0].tolist() == [0] + [1] * 15


@pytest.mark.parametrize('feet', [3, 'feet', [float('nan')] * 18])
def test_feet_that_are_no_numbers(tmp_path, feet):
    path = coco_file(tmp_path, dict(keypoints=BODY, foot_kpts=feet))
    with pytest.raises(ValueError, match='annotation 1 has the foot_kpts'):
        CocoBodyFootDataset(ann_file=path, data_mode='bottomup')
