# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""PuppetDataset under MMPose's pipelines, wrappers, loaders and metrics."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets import CocoDataset, CombinedDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

import mmkp  # noqa: F401  its shims come before MMPose
from mmkp.datasets import PuppetDataset, discovered_metainfo
from mmkp.datasets.body_metainfo import COCO_JOINTS
from mmkp.datasets.segmentation import segmentation_mask

CONVERTER = (
    Path(__file__).resolve().parents[2] / 'tools/dataset_converters/puppets_to_coco.py'
)
CROWD = dict(num_images=6, figures=(1, 4), data_mode='bottomup')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


def test_topdown_items_are_single_figures():
    dataset = PuppetDataset(num_images=5, figures=(1, 3), seed=2)
    crowd = PuppetDataset(num_images=5, figures=(1, 3), seed=2, data_mode='bottomup')
    people = [
        (item['img_id'], number, item)
        for item in map(crowd.get_data_info, range(5))
        for number in range(len(item['keypoints']))
    ]
    assert len(dataset) == len(people) > 5 and len(crowd) == 5
    for index, (image, number, all_of_it) in enumerate(people):
        item = dataset.get_data_info(index)
        assert item['img_id'] == image and item['id'] == all_of_it['id'][number]
        np.testing.assert_array_equal(item['img'], all_of_it['img'])
        np.testing.assert_array_equal(
            item['keypoints'], all_of_it['keypoints'][number : number + 1]
        )
        assert item['raw_ann_info'] == all_of_it['raw_ann_info'][number]
        assert item['area'] == all_of_it['area'][number] > 1
        assert item['bbox'].tolist() == [[0, 0, 128, 128]]


def test_segmentations_are_the_pixels_in_which_each_figure_is_seen():
    dataset = PuppetDataset(num_images=3, figures=3, seed=2, data_mode='bottomup')
    for item in map(dataset.get_data_info, range(3)):
        shape = item['img'].shape[:2]
        masks = [segmentation_mask(mask, shape) for mask in item['segmentation']]
        assert [mask.sum() for mask in masks] == item['area'].tolist()
        assert sum(mask.astype(int) for mask in masks).max() == 1
        seen = [annotation['keypoints'] for annotation in item['raw_ann_info']]
        for mask, keypoints in zip(masks, seen, strict=True):
            x, y, flags = np.rint(np.reshape(keypoints, (17, 3))).astype(int).T
            assert mask[y, x][flags == 2].mean() > 0.9
        assert [a['segmentation'] for a in item['raw_ann_info']] == item['segmentation']


def test_figure_boxes_are_tight():
    tight = PuppetDataset(num_images=1, box='figure').get_data_info(0)
    left, top, width, height = tight['raw_ann_info']['bbox']
    np.testing.assert_allclose(
        tight['bbox'], [[left, top, left + width, top + height]], atol=1e-4
    )


def test_bottomup_items_carry_what_base_coco_style_datasets_give(tmp_path):
    dataset = PuppetDataset(**CROWD)
    ours = dataset.get_data_info(1)
    annotations = write(dataset, tmp_path)
    theirs = CocoDataset(
        ann_file=str(annotations),
        data_prefix=dict(img=str(tmp_path / 'images')),
        data_mode='bottomup',
    ).get_data_info(1)
    assert set(theirs) <= set(ours)
    for key in set(theirs) - {'img_path', 'bbox', 'dataset_name', 'category_id'}:
        if isinstance(theirs[key], np.ndarray):
            np.testing.assert_allclose(ours[key], theirs[key], err_msg=key)
            assert ours[key].dtype == theirs[key].dtype, key
        else:
            assert ours[key] == theirs[key], key
    # MMPose clips boxes to the last pixel's centre
    np.testing.assert_allclose(ours['bbox'], theirs['bbox'], atol=0.51)
    np.testing.assert_array_equal(ours['img'], cv2.imread(theirs['img_path']))


def write(dataset, folder):
    return runpy.run_path(str(CONVERTER))['write_puppets'](dataset, folder)


def test_converter_refuses_to_mix_runs_and_topdown_items(tmp_path):
    write(PuppetDataset(**CROWD), tmp_path)
    with pytest.raises(FileExistsError, match='not empty'):
        write(PuppetDataset(**CROWD), tmp_path)
    with pytest.raises(ValueError, match='bottomup'):
        write(PuppetDataset(num_images=1), tmp_path / 'other')


def test_topdown_pipeline_puts_targets_on_the_joints():
    size = (96, 96)
    codec = dict(type='MSRAHeatmap', input_size=size, heatmap_size=(48, 48), sigma=1)
    dataset = DATASETS.build(
        dict(
            type='PuppetDataset',
            num_images=3,
            image_size=(96, 96),
            pipeline=[
                dict(type='LoadImage'),
                dict(type='GetBBoxCenterScale', padding=1.0),
                dict(type='TopdownAffine', input_size=size),
                dict(type='GenerateTarget', encoder=codec),
                dict(type='PackPoseInputs'),
            ],
        )
    )
    for index in range(3):
        sample = dataset[index]
        raw = dataset.get_data_info(index)
        assert sample['inputs'].shape == (3, 96, 96)
        heatmaps = sample['data_samples'].gt_fields.heatmaps.numpy()
        peaks = heatmaps.reshape(17, -1).argmax(axis=1)
        found = np.stack([peaks % 48, peaks // 48], axis=1) * 2
        np.testing.assert_allclose(found, raw['keypoints'][0], atol=1.01)
        assert sample['data_samples'].dataset_name == 'puppets_coco'


def test_bottomup_pipeline_flips_and_encodes():
    encoder = dict(
        type='AssociativeEmbedding', input_size=(64, 64), heatmap_size=(16, 16), sigma=1
    )
    pipeline = [
        dict(type='LoadImage'),
        dict(type='RandomFlip', prob=1.0),
        dict(
            type='BottomupRandomAffine',
            input_size=(64, 64),
            shift_prob=0,
            scale_prob=0,
            rotate_prob=0,
        ),
        dict(type='GenerateTarget', encoder=encoder),
        dict(type='BottomupGetHeatmapMask'),
        dict(type='PackPoseInputs'),
    ]
    dataset = PuppetDataset(**CROWD, pipeline=pipeline)
    sample = dataset[0]['data_samples']
    assert sample.gt_fields.heatmaps.shape == (17, 16, 16)
    assert sample.gt_fields.heatmap_mask.all()
    # flipped, the left side is to the left of the picture
    left, right = (COCO_JOINTS.index(f'{side}_shoulder') for side in ('left', 'right'))
    keypoints = sample.gt_instances.keypoints
    raw = dataset.get_data_info(0)['keypoints']
    assert (raw[:, left, 0] > raw[:, right, 0]).all()
    assert len(keypoints) == len(raw)
    assert (keypoints[:, left, 0] > keypoints[:, right, 0]).all()  # swapped again


def test_metainfo_is_complete_and_its_flips_swap_the_sides():
    dataset = PuppetDataset(num_images=1)
    meta, names = dataset.metainfo, COCO_JOINTS
    assert [meta['keypoint_id2name'][i] for i in range(len(names))] == list(names)
    flipped = [names[i] for i in meta['flip_indices']]
    swap = {'left': 'right', 'right': 'left'}
    for name, other in zip(names, flipped, strict=True):
        side, _, kind = name.rpartition('_')
        assert other == (f'{swap[side]}_{kind}' if side else name)
    assert len(meta['sigmas']) == len(meta['dataset_keypoint_weights']) == len(names)
    assert meta['keypoint_colors'].shape == (len(names), 3)
    assert set(np.ravel(meta['skeleton_links'])) == set(range(len(names)))
    assert dataset.get_data_info(0)['keypoints'].shape == (1, len(names), 2)


def test_coco_metainfo_agrees_with_that_of_mmpose():
    ours = PuppetDataset(num_images=1).metainfo
    theirs = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
    for key in ('keypoint_id2name', 'flip_indices', 'skeleton_links', 'upper_body_ids'):
        assert ours[key] == theirs[key], key
    for key in ('sigmas', 'dataset_keypoint_weights'):
        np.testing.assert_array_equal(ours[key], theirs[key])


def test_covered_joints_are_labelled():
    found = []
    for item in map(PuppetDataset(**CROWD).get_data_info, range(6)):
        flags = [a['keypoints'][2::3] for a in item['raw_ann_info']]
        found += np.ravel(flags).tolist()
        assert (item['keypoints_visible'] == 1).all()
        assert item['num_keypoints'] == [17] * len(flags)
    assert set(found) == {1, 2}


@pytest.mark.parametrize('data_mode', ['topdown', 'bottomup'])
def test_ground_truth_scores_full_marks_under_coco_metric(data_mode):
    pipeline = [
        dict(type='LoadImage'),
        dict(
            type='PackPoseInputs',
            meta_keys=('id', 'img_id', 'img_path', 'ori_shape', 'raw_ann_info'),
        ),
    ]
    settings = dict(CROWD, data_mode=data_mode)
    dataset = PuppetDataset(**settings, pipeline=pipeline, test_mode=True)
    metric = CocoMetric(score_mode='bbox', nms_mode='none')
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples'].to_dict()
        truth = sample['gt_instances']
        sample['pred_instances'] = dict(
            keypoints=truth['keypoints'],
            keypoint_scores=truth['keypoints_visible'],
            bbox_scores=np.ones(len(truth['keypoints'])),
        )
        metric.process([], [sample])
    assert metric.evaluate(len(dataset))['coco/AP'] == pytest.approx(1)


def test_workers_draw_the_same_items():
    dataset = PuppetDataset(num_images=4, image_size=32)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, collate_fn=drop)
    for index, item in enumerate(loader):
        np.testing.assert_array_equal(item['img'], dataset.get_data_info(index)['img'])


def drop(item):
    """Leave out what need not travel between processes."""
    return {key: item[key] for key in ('img', 'keypoints')}


def test_combined_and_subset():
    part = dict(type='PuppetDataset', num_images=3, image_size=32)
    combined = CombinedDataset(
        metainfo=discovered_metainfo(4), datasets=[part, dict(part, seed=1)]
    )
    assert len(combined) == 6
    second = PuppetDataset(num_images=3, image_size=32, seed=1, indices=[2])
    assert len(second) == 1
    np.testing.assert_array_equal(combined[5]['img'], second.get_data_info(0)['img'])
    assert combined[5]['flip_indices'] == [0, 1, 2, 3]


def test_clips_are_numbered():
    dataset = PuppetDataset(num_images=7, image_size=32, frames_per_clip=3)
    numbers = [
        (item['clip_id'], item['frame_id'])
        for item in map(dataset.get_data_info, range(7))
    ]
    assert numbers == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]


def test_config_lists_are_taken_like_tuples():
    text = "dataset = dict(type='PuppetDataset', num_images=1, image_size=[48, 32],"
    text += 'figures=[1, 2], scale=[.5, .9])'
    config = Config.fromstring(text, '.py')
    item = DATASETS.build(config.dataset).get_data_info(0)
    assert item['img'].shape == (32, 48, 3)
    assert item['bbox'].tolist() == [[0, 0, 48, 32]]


@pytest.mark.parametrize(
    'name, value',
    [
        ('num_images', 0),
        ('num_images', 2.0),
        ('box', 'tight'),
        ('data_mode', 'both'),
        ('background', 'forest'),
    ],
)
def test_unusable_argument_is_named(name, value):
    with pytest.raises(ValueError, match=f'{name}'):
        PuppetDataset(**{name: value})
