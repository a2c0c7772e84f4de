"""Configs of part affinity fields: pipelines and models that fit each other."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS, MODELS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'configs/body_2d_keypoint/openpose'
PATHS = [p for p in sorted(FOLDER.rglob('*.py')) if '_base_' not in p.parts]

pytestmark = pytest.mark.filterwarnings('ignore:The metainfo config file')


def name(path):
    return path.stem


@pytest.fixture
def config(path):
    init_default_scope('mmpose')
    return Config.fromfile(path)


@pytest.fixture
def codec(config):
    return KEYPOINT_CODECS.build(config.codec)


def synthetic_sample(codec, config):
    """A picture with two people as a data set would give it."""
    count = codec.skeleton.num_source_keypoints
    random = np.random.default_rng(0)
    points = random.uniform(40, 200, (2, count, 2)).astype(np.float32)
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    image = random.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    dataset = DATASETS.get(config.dataset_type)
    return dict(
        img=image,
        img_id=1,
        id=[1, 2],
        img_path='a.jpg',
        keypoints=points,
        keypoints_visible=np.ones((2, count), np.float32),
        bbox=boxes,
        area=np.full(2, 9000, np.float32),
        num_keypoints=[count] * 2,
        iscrowd=[0, 0],
        raw_ann_info=[dict(num_keypoints=count, iscrowd=0)] * 2,
        flip_indices=dataset(lazy_init=True).metainfo['flip_indices'],
        skeleton_links=[],
    )


@pytest.mark.parametrize('path', PATHS, ids=name)
class TestEvery:
    def test_pipeline_and_head_have_one_codec(self, config, codec):
        assert config.model.head.decoder == config.codec
        skeleton = codec.skeleton
        own = config.train_dataloader.dataset.get('metainfo')
        metainfo = DATASETS.get(config.dataset_type)(
            metainfo=own, lazy_init=True
        ).metainfo
        assert skeleton.source_keypoints == tuple(metainfo['keypoint_name2id'])
        for loader in (config.train_dataloader, config.val_dataloader):
            assert loader.dataset.type == config.dataset_type
            assert loader.dataset.data_mode == config.data_mode == 'bottomup'

    def test_training_samples_fit_the_model(self, config, codec):
        sample = synthetic_sample(codec, config)
        if config.dataset_type == 'PuppetDataset':
            sample['img'] = sample['img'][:128, :128]
        np.random.seed(0)
        packed = Compose(config.train_dataloader.dataset.pipeline)(sample)
        width, height = codec.input_size
        assert packed['inputs'].shape == (3, height, width)
        fields = packed['data_samples'].gt_fields
        with torch.device('meta'):
            model = MODELS.build(config.model)
            maps = model(torch.zeros(1, 3, height, width), None, mode='tensor')
        assert fields.heatmaps.shape == maps[0].shape[1:]
        assert fields.heatmap_weights.shape == maps[0].shape[1:]
        assert fields.part_affinity_fields.shape == maps[1].shape[1:]
        assert fields.field_weights.shape == maps[1].shape[1:]

    def test_test_samples_fit_the_model(self, config, codec):
        sample = synthetic_sample(codec, config)
        packed = Compose(config.test_dataloader.dataset.pipeline)(sample)
        metainfo = packed['data_samples'].metainfo
        first = packed['inputs']
        if config.model.test_cfg.get('multiscale_test'):
            assert len(first) == len(metainfo['aug_scales']) + 1
            first = first[0]
        width, height = metainfo['input_size']
        assert first.shape[1:] == (height, width)
        assert height - codec.input_size[1] in (0, 16)
        assert width % 16 == height % codec.stride == 0
        assert metainfo['raw_ann_info'] and 'category_id' not in metainfo

    def test_evaluators_take_the_data_set(self, config):
        metainfo = DATASETS.get(config.dataset_type)(lazy_init=True).metainfo
        evaluators = config.val_evaluator
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            metric = METRICS.build(evaluator)
            metric.dataset_meta = metainfo


def test_feet_are_trained_and_scored_from_files_of_whole_bodies(tmp_path):
    """From an annotation file to both average precisions, with perfect predictions."""
    init_default_scope('mmpose')
    config = Config.fromfile(next(FOLDER.rglob('*body25*.py')))
    points = np.random.default_rng(0).uniform(10, 90, (23, 3))
    points[:, 2] = 2
    annotation = dict(
        id=1,
        image_id=1,
        category_id=1,
        iscrowd=0,
        bbox=[5, 5, 90, 90],
        area=4000,
        num_keypoints=17,
        segmentation=[],
        keypoints=points[:17].ravel().tolist(),
        foot_kpts=points[17:].ravel().tolist(),
    )
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=128, height=128)],
        annotations=[annotation],
        categories=[dict(id=1, name='person')],
    )
    cv2.imwrite(str(tmp_path / 'a.jpg'), np.zeros((128, 128, 3), np.uint8))
    (tmp_path / 'people.json').write_text(json.dumps(content))
    place = dict(
        data_root=str(tmp_path), ann_file='people.json', data_prefix=dict(img='')
    )
    (trained,) = list(DATASETS.build({**config.train_dataloader.dataset, **place}))
    assert trained['data_samples'].gt_fields.heatmaps.shape == (26, 46, 46)

    dataset = DATASETS.build({**config.val_dataloader.dataset, **place})
    sample = dataset[0]['data_samples']
    predicted = dict(
        sample.metainfo,
        gt_instances={},
        pred_instances=dict(
            keypoints=points[None, :, :2],
            keypoint_scores=np.ones((1, 23)),
            bbox_scores=np.ones(1),
        ),
    )
    results = {}
    for evaluator in config.val_evaluator:
        metric = METRICS.build(evaluator)
        metric.dataset_meta = dataset.metainfo
        metric.process({}, [predicted])
        results |= metric.evaluate(1)
    assert results['body/AP'] == results['foot/AP'] == pytest.approx(1)
