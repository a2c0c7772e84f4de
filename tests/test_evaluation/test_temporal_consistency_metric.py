# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of a film against what optical flow makes of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS, METRICS, MODELS

import mmkp  # noqa: F401
from mmkp.datasets.puppet_dataset import PuppetDataset
from mmkp.evaluation.functional import temporal_consistency

ROOT = Path(__file__).resolve().parents[2]
SIDE, STEP = 80, np.array([2.0, -1.0])
START = np.array([[30.0, 40.0], [45.0, 50.0], [38.0, 30.0]])


@pytest.fixture
def clip(tmp_path):
    """Five frames of a texture that moves by (2, -1) pixels a frame."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype('f4')
    picture = cv2.normalize(cv2.GaussianBlur(noise, None, 3), None, 0, 255, 32)
    folder = tmp_path / 'clip'
    folder.mkdir()
    for index in range(5):
        x, y = (60 - index * STEP).astype(int)
        part = picture[y : y + SIDE, x : x + SIDE].astype(np.uint8)
        cv2.imwrite(str(folder / f'{index:04d}.png'), part)
    return folder


def sample(path, keypoints, **more):
    """One prediction, in a crop of the whole picture."""
    return {
        'img_path': str(path),
        'pred_instances': {'keypoints': np.asarray(keypoints)[None]},
        'input_scale': np.array([SIDE, SIDE]),
        'input_center': np.array([SIDE, SIDE]) / 2,
        **more,
    }


def evaluate(samples, **options):
    metric = METRICS.build({'type': 'TemporalConsistencyMetric', **options})
    metric.process(None, samples)
    found = metric.evaluate(len(samples))
    return {name.removeprefix('temporal/'): value for name, value in found.items()}


def follow(folder, speed, paths=None):
    """Predictions of keypoints that move by ``speed`` a frame."""
    paths = paths or sorted(folder.iterdir())
    return [sample(path, START + int(path.stem) * speed) for path in paths]


def test_hand_computed_figures():
    keypoints = np.array([[[10.0, 10.0], [50.0, 50.0], [0.0, 0.0], [90.0, 90.0]]])
    propagated = keypoints + [[[3.0, 4.0], [0.0, 0.5], [60.0, 80.0], [6.0, 8.0]]]
    later = keypoints + [[[3.0, 4.0], [0.0, 0.0], [0.0, 1.0], [0.0, 8.0]]]
    valid = np.array([[True, True, False, True]])
    found = temporal_consistency(keypoints, later, propagated, valid, 4.0)
    assert found.error == pytest.approx((0 + 0.5 + 6) / 3)
    assert found.still_error == pytest.approx((5 + 0.5 + 10) / 3)
    assert found.keypoint_motion == pytest.approx((5 + 0 + 8) / 3)
    assert found.moving_error == pytest.approx((0 + 6) / 2)
    assert found.moving_still_error == pytest.approx((5 + 10) / 2)
    assert found.moving_share == pytest.approx(2 / 3)
    assert found.valid_share == pytest.approx(3 / 4)
    assert found.error_per_motion == pytest.approx(6.5 / 3 / 4)
    assert found.num_pairs == 1


def test_nothing_valid_is_nan_and_not_zero():
    points = np.zeros((2, 3, 2))
    found = temporal_consistency(points, points, points, np.zeros((2, 3), bool))
    assert np.isnan([found.error, found.still_error, found.moving_error]).all()
    assert found.valid_share == 0


@pytest.mark.parametrize('gap', [1, 2])
def test_keypoints_that_follow_and_those_that_stay(clip, gap):
    length = 100 * gap * np.linalg.norm(STEP) / SIDE
    following = evaluate(follow(clip, STEP), gap=gap)
    assert following['error'] < 0.2
    assert following['keypoint_motion'] == pytest.approx(length)
    still = evaluate(follow(clip, np.zeros(2)), gap=gap)
    assert still['error'] == pytest.approx(length, abs=0.2)
    assert still['keypoint_motion'] == still['spread'] == 0
    for found in (following, still):
        assert found['still_error'] == pytest.approx(length, abs=0.2)
        assert found['image_motion'] == pytest.approx(length, abs=0.2)
        assert found['num_pairs'] == 5 - gap
        assert found['valid_share'] == found['moving_share'] == 1
        ratio = found['error'] / found['image_motion']
        assert found['error_per_motion'] == pytest.approx(ratio)
    # In the wrong direction the error is twice the motion.
    against = evaluate(follow(clip, -STEP), gap=gap)
    assert against['error'] == pytest.approx(2 * length, abs=0.4)


def test_large_pictures_are_reduced_and_figures_stay(clip):
    found = evaluate(follow(clip, STEP), max_side=40)
    assert found['error'] < 0.4
    length = 100 * np.linalg.norm(STEP) / SIDE
    assert found['still_error'] == pytest.approx(length, abs=0.4)
    assert found['image_motion'] == pytest.approx(length, abs=0.4)


def test_lengths_are_relative_to_the_crop(clip):
    samples = follow(clip, np.zeros(2))
    whole = evaluate(samples)
    for entry in samples:
        entry['input_scale'] = np.array([SIDE, SIDE]) / 2
    half = evaluate(samples)
    for name in ('error', 'still_error', 'image_motion'):
        assert half[name] == pytest.approx(2 * whole[name], rel=0.05), name


def test_keypoints_without_valid_flow_are_left_out(clip):
    samples = follow(clip, STEP)
    for entry in samples:
        # Outside; and far to the right where pixels leave the picture.
        entry['pred_instances']['keypoints'][0, 0] = (-3, 10)
        entry['pred_instances']['keypoints'][0, 1] = (SIDE - 1, 20)
    found = evaluate(samples)
    assert found['valid_share'] == pytest.approx(1 / 3)
    assert found['error'] < 0.2


def test_keypoints_beside_the_motion_do_not_count_as_moving(tmp_path):
    rng = np.random.default_rng(1)
    wall, disc = (
        cv2.GaussianBlur(rng.integers(0, 256, (SIDE, SIDE, 3)).astype('f4'), None, 2)
        for _ in range(2)
    )
    wall = cv2.normalize(wall, None, 0, 90, 32)
    disc = cv2.normalize(disc, None, 120, 255, 32)[20:50, 20:50]
    samples = []
    for index in range(4):
        picture = wall.copy()
        x = 20 + 3 * index
        picture[25:55, x : x + 30] = disc
        path = tmp_path / f'{index:04d}.png'
        cv2.imwrite(str(path), picture.astype(np.uint8))
        samples.append(sample(path, [[x + 15.0, 40.0], [60.0, 8.0]]))
    found = evaluate(samples)
    assert found['moving_share'] == pytest.approx(1 / 2)
    assert found['moving_still_error'] == pytest.approx(100 * 3 / SIDE, abs=0.3)
    assert found['moving_error'] < 0.3
    assert found['still_error'] == pytest.approx(50 * 3 / SIDE, abs=0.3)
    assert found['image_motion'] == pytest.approx(100 * 3 / SIDE, abs=0.5)


def test_left_out_frames_are_no_neighbours(clip):
    paths = sorted(clip.iterdir())
    found = evaluate(follow(clip, STEP, [paths[0], paths[2], paths[3]]))
    assert found['num_pairs'] == 1


def test_order_of_the_samples_does_not_matter(clip):
    samples = follow(clip, np.array([1.0, 0.5]))
    assert evaluate(samples[::-1]) == evaluate(samples)


def test_clips_of_one_frame(clip, tmp_path, monkeypatch):
    told = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', told.append)
    lonely = tmp_path / 'lonely'
    lonely.mkdir()
    (lonely / '0000.png').write_bytes((clip / '0000.png').read_bytes())
    found = evaluate(follow(clip, STEP) + follow(lonely, STEP))
    assert found['num_pairs'] == 4
    assert ['leaves out 1 of 2 clips' in message for message in told] == [True]
    with pytest.raises(ValueError, match=r'no two of the 1 images.*test all frames'):
        evaluate(follow(lonely, STEP))


def test_wrong_samples_are_named(clip):
    samples = follow(clip, STEP)
    with pytest.raises(ValueError, match='two samples of .*0000.png'):
        evaluate([*samples, samples[0]])
    del samples[0]['img_path']
    with pytest.raises(ValueError, match='no img_path'):
        evaluate(samples)
    with pytest.raises(ValueError, match='gap of Temporal.* at least 1, got 0'):
        evaluate(samples, gap=0)


def test_joints_of_puppets_follow_the_flow():
    dataset = PuppetDataset(num_images=16, frames_per_clip=8, image_size=128, seed=3)
    items = [dataset.get_data_info(index) for index in range(16)]
    samples = [
        sample(
            item['img_path'],
            item['keypoints'][0],
            clip_id=item['clip_id'],
            frame_id=item['frame_id'],
            input_scale=np.array([128, 128]),
            input_center=np.array([64, 64]),
        )
        for item in items
    ]
    found = evaluate(samples)
    assert found['num_pairs'] == 14
    assert found['moving_error'] < 0.5 * found['moving_still_error']
    assert found['moving_share'] > 0.2
    assert found['spread'] > 3


def test_untrained_control_of_an_estimator(clip):
    """A whole estimator by config, frames of a folder, and both detectors' errors."""
    pipeline = [
        dict(type='LoadVerifiedImage'),
        dict(type='GetBBoxCenterScale', padding=1.0),
        dict(type='TopdownResize', input_size=(32, 32)),
        dict(type='PackPoseInputs'),
    ]
    dataset = DATASETS.build(
        dict(
            type='UnlabeledImageDataset',
            num_keypoints=3,
            data_root=str(clip.parent),
            pipeline=pipeline,
            test_mode=True,
        )
    )
    model = MODELS.build(
        dict(
            type='UnsupervisedPoseEstimator',
            data_preprocessor=dict(
                type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3
            ),
            backbone=dict(type='AutoLinkEncoder', channels=(8,)),
            head=dict(
                type='SoftArgmaxHead',
                in_channels=8,
                num_keypoints=3,
                upsample_channels=(),
            ),
            test_cfg=dict(untrained_control=True),
        )
    ).eval()
    model.with_untrained_control = True
    batch = [dataset[index] for index in range(len(dataset))]
    with torch.no_grad():
        predicted = model.test_step(
            {
                'inputs': [item['inputs'] for item in batch],
                'data_samples': [item['data_samples'] for item in batch],
            }
        )
    found = evaluate([item.to_dict() for item in predicted])
    for name in ('error', 'untrained_error', 'untrained_moving_error'):
        assert 0 < found[name] < 10, name


@pytest.mark.parametrize(
    'name',
    [
        'lmdis/actions/lmdis-light_actions-64x64.py',
        'lmdis/actions/lmdis-light-flow_actions-64x64.py',
        'factorized_spatial_embedding/actions/fse-light_actions-64x64.py',
    ],
)
def test_configs_of_films_report_collapse_beside_it(name):
    config = Config.fromfile(ROOT / 'configs/unsupervised_2d_keypoint' / name)
    types = ['KeypointCollapseMetric', 'TemporalConsistencyMetric']
    for evaluator in (config.val_evaluator, config.test_evaluator):
        assert [metric.type for metric in evaluator] == types
