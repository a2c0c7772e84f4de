"""The control that looks at no image, through whole configs."""

import json

import cv2
import numpy as np
import pytest
import tiny
from mmpose.registry import DATASETS

from mmkp.apis.mean_pose_baseline import evaluate_mean_pose, with_pipeline
from mmkp.datasets import discovered_metainfo
from mmkp.engine import load_config
from mmkp.evaluation.functional import mean_keypoints, place_keypoints

CONFIG = f"""
_base_ = '{tiny.RUNTIME}'
pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(48, 64)),
    dict(type='PackPoseInputs')]
train_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='RepeatDataset', times=3,
        dataset=dict(
            type='PuppetDataset', num_images=12, image_size=96, seed=1, box='figure',
            pipeline=[pipeline[0], pipeline[1], dict(type='RandomFlip', prob=1.0),
                *pipeline[2:]])))
test_dataloader = dict(
    batch_size=3, num_workers=0, drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PuppetDataset', num_images=7, image_size=96, seed=2, box='figure',
        test_mode=True, pipeline=pipeline))
test_evaluator = [
    dict(type='PercentageOfCorrectKeypoints', thresholds=(0.2,), norm_item='torso'),
    dict(type='NME', norm_mode='keypoint_distance', keypoint_indices=(1, 2)),
    dict(type='CocoMetric')]
log_level = 'WARNING'
"""


@pytest.fixture()
def config(tmp_path):
    path = tmp_path / 'puppets.py'
    path.write_text(CONFIG)
    return path


def figures_by_hand(cfg):
    """PCK and NME from the data sets' annotations, without MMPose's transforms."""

    def read(dataset):
        data = [dataset.get_data_info(index) for index in range(len(dataset))]
        boxes = np.stack([item['bbox'][0] for item in data]).astype(np.float64)
        size = 1.25 * (boxes[:, 2:] - boxes[:, :2])
        # The box is extended to the 3:4 of the input, about its centre.
        height = np.maximum(size[:, 1], size[:, 0] * 4 / 3)
        scale = np.stack([height * 3 / 4, height], axis=1)
        keypoints = np.stack([item['keypoints'][0] for item in data])
        return keypoints, (boxes[:, :2] + boxes[:, 2:]) / 2, scale

    train = DATASETS.build(cfg.train_dataloader.dataset.dataset)
    keypoints, center, scale = read(train)
    mean = ((keypoints - center[:, None]) / scale[:, None]).mean(axis=0)
    keypoints, center, scale = read(DATASETS.build(cfg.test_dataloader.dataset))
    errors = np.linalg.norm(mean * scale[:, None] + center[:, None] - keypoints, axis=2)
    torso = np.linalg.norm(keypoints[:, 6] - keypoints[:, 11], axis=1)
    eyes = np.linalg.norm(keypoints[:, 1] - keypoints[:, 2], axis=1)
    found = errors <= 0.2 * torso[:, None]
    return 100 * found.mean(), (errors / eyes[:, None]).mean()


def test_tool_scores_the_mean_pose_of_the_unaugmented_training_set(
    config, tmp_path, capsys
):
    out = tmp_path / 'new' / 'figures.json'
    tiny.call_tool('analysis_tools/mean_pose_baseline.py', config, '--out', out)
    figures = json.loads(out.read_text())
    pck, nme = figures_by_hand(load_config(config))
    assert figures['PCK@0.2/mean'] == pytest.approx(pck, abs=1e-6)
    assert 0 < pck < 90
    assert figures['NME'] == pytest.approx(nme, rel=1e-5)
    assert 0 <= figures['coco/AP'] < 1
    assert f'NME: {figures["NME"]:.4f}' in capsys.readouterr().out


def test_a_training_set_of_one_sample_finds_that_sample(config):
    cfg = load_config(config)
    cfg.test_dataloader.dataset = with_pipeline(
        cfg.train_dataloader.dataset, cfg.pipeline
    )
    cfg.test_dataloader.dataset.indices = 1
    figures = evaluate_mean_pose(cfg, max_train_samples=1)
    assert figures['PCK@0.2/mean'] == 100.0 and figures['NME'] < 1e-5


def test_mistakes_are_told(config, capsys):
    cfg = load_config(config)
    with pytest.raises(ValueError, match='max_train_samples=0'):
        evaluate_mean_pose(cfg, 0)
    cfg.test_dataloader.dataset.metainfo = discovered_metainfo(18)
    with pytest.raises(ValueError, match='17 keypoints and the test set 18'):
        evaluate_mean_pose(cfg)
    cfg.test_dataloader.dataset.pipeline = [cfg.pipeline[0], cfg.pipeline[-1]]
    with pytest.raises(ValueError, match='input_center is missing'):
        evaluate_mean_pose(cfg)
    with pytest.raises(SystemExit):
        tiny.call_tool(
            'analysis_tools/mean_pose_baseline.py', config, '--train-samples', 0
        )
    assert 'max_train_samples=0 must be at least 1' in capsys.readouterr().err
    cv2.imwrite(str(config.parent / 'image.png'), np.zeros((8, 8, 3), np.uint8))
    cfg = load_config(config)
    cfg.train_dataloader.dataset = dict(
        type='UnlabeledImageDataset', data_root=str(config.parent), num_keypoints=17
    )
    cfg.test_dataloader.dataset.pipeline[0] = dict(type='LoadVerifiedImage')
    with pytest.raises(
        ValueError, match='no keypoint of the 1 training samples is annotated'
    ):
        evaluate_mean_pose(cfg)
    cfg.train_dataloader = None
    with pytest.raises(ValueError, match='no train_dataloader'):
        evaluate_mean_pose(cfg)


def test_wrapped_data_sets_are_read_with_the_other_pipeline():
    inner = dict(type='PuppetDataset', pipeline=['augment'])
    repeated = dict(type='RepeatDataset', times=2, dataset=inner)
    joined = dict(type='ConcatDataset', datasets=[repeated, inner])
    read = dict(type='PuppetDataset', pipeline=['read'])
    assert with_pipeline(repeated, ['read']) == read
    assert with_pipeline(joined, ['read'])['datasets'] == [read, read]
    combined = dict(type='CombinedDataset', datasets=[inner], pipeline=['augment'])
    assert with_pipeline(combined, ['read']) == {**combined, 'pipeline': ['read']}
    assert inner['pipeline'] == ['augment']


def test_mean_over_visible_keypoints_by_hand():
    keypoints = np.array([[[10.0, 20], [0, 0]], [[30.0, 20], [7, 7]]])
    visible = np.array([[True, False], [True, False]])
    center, scale = np.array([[10.0, 10], [20, 20]]), np.array([[20.0, 40], [40, 40]])
    mean = mean_keypoints(keypoints, visible, center, scale)
    np.testing.assert_allclose(mean, [[0.625, 0.625], [np.nan, np.nan]])
    placed = place_keypoints(mean, center, scale)
    np.testing.assert_allclose(placed[:, 0], [[12.5, 15], [25, 25]])
    visible[1, 0] = False
    np.testing.assert_allclose(
        mean_keypoints(keypoints, visible, center, scale)[0], [0.5, 0.75]
    )
    with pytest.raises(ValueError, match=r'centres \(1, 2\)'):
        mean_keypoints(keypoints, visible, center[:1], scale)
