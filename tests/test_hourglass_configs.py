"""Configs of Stacked Hourglass: pipelines, models, recipes and metrics fit together."""

import copy
import functools
import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS, MODELS
from mmpose.structures import PoseDataSample
from scipy.io import savemat
from test_package import EXPERIMENTS

PATHS = [path for path in EXPERIMENTS if 'stacked_hourglass' in path.parts]

pytestmark = [
    pytest.mark.filterwarnings('ignore:The metainfo config file'),
    pytest.mark.filterwarnings('ignore:Use the existing "bbox_center"'),
]


def name(path):
    return path.stem


@functools.cache
def read(path):
    return Config.fromfile(path)


def load(stem):
    init_default_scope('mmpose')
    (path,) = (path for path in PATHS if path.stem == stem)
    return copy.deepcopy(read(path))


@pytest.fixture
def config(path):
    return load(path.stem)


def metainfo(config):
    own = config.train_dataloader.dataset.get('metainfo')
    if own:
        return parse_pose_metainfo(own)
    return metainfo_of(config.dataset_type)


@functools.cache
def metainfo_of(dataset_type):
    return DATASETS.get(dataset_type)(lazy_init=True).metainfo


def training_pipeline(config):
    dataset = config.train_dataloader.dataset
    return dataset.datasets[0].pipeline if 'datasets' in dataset else dataset.pipeline


def narrow(config):
    """The model with few channels, everything else as it is."""
    config.model.backbone.update(channels=8, stem_channels=2)
    if config.model.head.type != 'StackedHourglassHead':
        config.model.head.in_channels = 8
    torch.manual_seed(0)
    return MODELS.build(config.model)


def synthetic_sample(config, seed=0):
    """A picture with a person or a face, as a data set would give it."""
    meta = metainfo(config)
    random = np.random.default_rng(seed)
    count = meta['num_keypoints']
    return dict(
        img=random.integers(0, 255, (240, 320, 3), dtype=np.uint8),
        img_id=1,
        id=1,
        img_path='a.jpg',
        bbox=np.float32([[80, 20, 260, 200]]),
        bbox_score=np.ones(1, np.float32),
        keypoints=random.uniform(90, 180, (1, count, 2)).astype(np.float32),
        keypoints_visible=np.ones((1, count), np.float32),
        head_size=np.float32([[30]]),
        flip_indices=meta['flip_indices'],
        skeleton_links=[],
    )


@pytest.mark.parametrize('path', PATHS, ids=name)
class TestEvery:
    def test_one_codec_and_one_number_of_keypoints(self, config):
        head = config.model.head
        (target,) = (
            step for step in training_pipeline(config) if step.type == 'GenerateTarget'
        )
        assert head.decoder == target.encoder
        count = head.get(
            'num_keypoints', head.get('out_channels', head.get('num_joints'))
        )
        assert metainfo(config)['num_keypoints'] == count
        if 'num_stacks' in head:
            assert head.num_stacks == config.model.backbone.num_stacks

    def test_one_step_of_training_reaches_every_weight(self, config):
        np.random.seed(0)
        pipeline = Compose(training_pipeline(config))
        packed = [pipeline(synthetic_sample(config, seed)) for seed in range(2)]
        model = narrow(config)
        before = {key: value.clone() for key, value in model.named_parameters()}
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
        losses = model.train_step(pseudo_collate(packed), optimizer)
        assert torch.isfinite(losses['loss']) and losses['loss'] > 0
        if 'num_stacks' in config.model.head:
            expected = {f'loss_stack{i}' for i in range(config.model.head.num_stacks)}
            assert expected | {'heatmap_peak'} <= set(losses)
            total = sum(losses[key] for key in expected)
            torch.testing.assert_close(losses['loss'], total)
        unchanged = [
            key
            for key, value in model.named_parameters()
            # Normalisation takes away what a bias before it adds.
            if key.endswith('weight') and torch.equal(before[key], value)
        ]
        assert not unchanged

    def test_predicts_in_the_image(self, config):
        sample = synthetic_sample(config)
        packed = Compose(config.test_dataloader.dataset.pipeline)(sample)
        width, height = packed['data_samples'].metainfo['input_size']
        assert packed['inputs'].shape == (3, height, width)
        (result,) = narrow(config).eval().test_step(pseudo_collate([packed]))
        keypoints = result.pred_instances.keypoints
        assert keypoints.shape == sample['keypoints'].shape
        # Crops are half as large again as the box at most. Refining the flat maps of a
        # network that knows nothing may throw single keypoints out of it.
        inside = (keypoints > [20, -40]) & (keypoints < [320, 260])
        assert inside.mean() > 0.8

    def test_mirrored_maps_are_averaged_where_they_belong(self, config):
        """Perfect maps of the image and of its mirror image, without a bias in x."""
        if config.model.head.type != 'StackedHourglassHead':
            pytest.skip('no heatmaps')
        codec = KEYPOINT_CODECS.build(config.model.head.decoder)
        head = MODELS.build(config.model.head)
        meta = metainfo(config)
        swap = meta['flip_indices']
        width, height = codec.input_size
        size = np.array([width, height])
        random = np.random.default_rng(0)
        points = random.uniform(0.2, 0.8, (1, meta['num_keypoints'], 2)) * size
        mirrored = points[:, swap] * [-1, 1] + [width - 1, 0]
        feats = []
        for keypoints in (points, mirrored):
            encoded = codec.encode(
                keypoints.astype(np.float32), np.ones(keypoints.shape[:2], np.float32)
            )
            maps = torch.from_numpy(encoded['heatmaps'])[None]
            feats.append([maps] * (2 * head.num_stacks))
        sample = PoseDataSample(
            metainfo=dict(flip_indices=swap, input_size=codec.input_size)
        )
        cfg = {**config.model.test_cfg, 'flip_test': True}
        (result,) = head.predict(feats, [sample], cfg)
        errors = result.keypoints - points
        cell = width / codec.heatmap_size[0]
        assert abs(errors[..., 0].mean()) < 0.25 * cell
        assert np.abs(errors).max() < cell

    def test_evaluators_take_the_data_set(self, config):
        evaluator = dict(config.val_evaluator)
        evaluator.pop('ann_file', None)  # of data that need not be here
        metric = METRICS.build(evaluator)
        metric.dataset_meta = metainfo(config)
        if config.val_evaluator.type == 'CocoMetric':
            return
        sample = synthetic_sample(config)
        packed = Compose(config.val_dataloader.dataset.pipeline)(sample)
        result = packed['data_samples'].to_dict()
        result['pred_instances'] = dict(keypoints=sample['keypoints'])
        metric.process({}, [result])
        figures = metric.evaluate(1)
        best = 0 if config.val_evaluator.type == 'NME' else 100
        assert figures and all(
            value == pytest.approx(best) for value in figures.values()
        )


@pytest.mark.parametrize(
    ('stem', 'expected'),
    [
        ('hourglass-s1_mpii-256x256', 3426448),
        ('hourglass-s2_mpii-256x256', 6570400),
        ('hourglass-s4_mpii-256x256', 12858304),
        ('hourglass-s8_mpii-256x256', 25434112),
        ('hourglass-s8_torch-sigma_mpii-256x256', 25434112),
        ('hourglass-s2_princeton_mpii-256x256', 6570400),
        ('hourglass-s2_bearpaw_mpii-256x256', 6730912),
    ],
)
def test_published_numbers_of_parameters(stem, expected):
    config = load(stem)
    with torch.device('meta'):
        model = MODELS.build(config.model)
    assert sum(value.numel() for value in model.parameters()) == expected


@pytest.mark.parametrize(
    ('stem', 'mean_square', 'masked'),
    [
        ('hourglass-s2_mpii-256x256', 1.0, True),
        ('hourglass-s8_torch-sigma_mpii-256x256', 1.0, False),
        ('hourglass-s2_princeton_mpii-256x256', 1.0, False),
        ('hourglass-s2_bearpaw_mpii-256x256', 0.5, True),
    ],
)
def test_conventions_of_the_loss(stem, mean_square, masked):
    """One joint of 16 has no label, and its maps are wrong."""
    config = load(stem)
    codec = KEYPOINT_CODECS.build(config.model.head.decoder)
    head = MODELS.build(config.model.head)
    visible = np.ones((1, 16), np.float32)
    visible[0, 3] = 0
    encoded = codec.encode(np.full((1, 16, 2), 100, np.float32), visible)
    targets = torch.from_numpy(encoded['heatmaps'])
    assert not targets[3].any()
    maps = torch.rand(1, 16, 64, 64, generator=torch.Generator().manual_seed(0))
    counted = [joint for joint in range(16) if joint != 3 or not masked]
    squares = ((maps[0] - targets) ** 2)[counted].sum() / (16 * 64 * 64)
    stacks = config.model.head.num_stacks
    if 'princeton' in stem:
        squares = squares / stacks
    sample = PoseDataSample()
    sample.gt_fields = PixelData(heatmaps=targets)
    sample.gt_instance_labels = InstanceData(
        keypoint_weights=torch.from_numpy(encoded['keypoint_weights'])
    )
    losses = head.loss([maps] * (2 * stacks), [sample])
    total = sum(value for key, value in losses.items() if key.startswith('loss'))
    torch.testing.assert_close(total, mean_square * stacks * squares)


def test_targets_of_the_two_sigmas():
    widths = {}
    for stem in ('hourglass-s8_mpii-256x256', 'hourglass-s8_torch-sigma_mpii-256x256'):
        codec = KEYPOINT_CODECS.build(load(stem).model.head.decoder)
        encoded = codec.encode(np.full((1, 1, 2), 130, np.float32))
        heatmap = encoded['heatmaps'][0]
        peak, neighbor = heatmap.max(), heatmap[32, 33]
        assert peak == heatmap[32, 32] == 1
        assert np.count_nonzero(heatmap.sum(0)) == 7
        widths[stem] = np.sqrt(-0.5 / np.log(neighbor))
    assert list(widths.values()) == pytest.approx([1, 1.75])


def test_mpii_from_annotations_to_figures(tmp_path):
    """The crop is the author's, and the metric finds the head boxes."""
    scale, center = 1.5, [180, 150]
    joints = np.random.default_rng(0).uniform(100, 250, (16, 2))
    joints[0] = np.subtract(center, 1)  # in the file, positions count from 0 already
    annotation = dict(
        image='1.jpg',
        center=center,
        scale=scale,
        joints=joints.tolist(),
        joints_vis=[1] * 16,
    )
    (tmp_path / 'people.json').write_text(json.dumps([annotation]))
    boxes = np.array([[[100.0], [100.0]], [[130.0], [140.0]]])
    savemat(tmp_path / 'heads.mat', dict(headboxes_src=boxes))
    cv2.imwrite(str(tmp_path / '1.jpg'), np.zeros((360, 400, 3), np.uint8))
    config = load('hourglass-s8_mpii-256x256')
    dataset = DATASETS.build(
        {
            **config.val_dataloader.dataset,
            'data_root': '',
            'ann_file': str(tmp_path / 'people.json'),
            'headbox_file': str(tmp_path / 'heads.mat'),
            'data_prefix': dict(img=str(tmp_path)),
        }
    )
    sample = dataset[0]['data_samples']
    # 15 * s pixels above the middle of a square of 1.25 * 200 * s.
    ratio = 256 / (1.25 * 200 * scale)
    cropped = Compose(config.test_pipeline[:-1])(dataset.get_data_info(0))
    (moved,) = cropped['transformed_keypoints']
    np.testing.assert_allclose(moved[0], [128, 128 - 15 * scale * ratio], atol=1e-3)

    off = np.array([0.49 * 0.6 * 50, 0])  # half of .6 of the diagonal is the limit
    result = sample.to_dict()
    result['pred_instances'] = dict(keypoints=joints[None] + off)
    metric = METRICS.build(config.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    metric.process({}, [result])
    figures = metric.evaluate(1)
    assert figures['PCKh@0.5/mean16_pooled'] == 100
    assert figures['PCKh@0.1/mean16_pooled'] == 0
