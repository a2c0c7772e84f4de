"""Configs of the data sets that methods are compared on: nothing to score is seen."""

import pytest
import tiny_sources
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS

from mmkp.engine import load_config

NAMES = (
    'aflw-mtfl', 'bees', 'celeba-halved', 'flies', 'openfield', 'openfield-boxes',
    'seedlings',
)  # fmt: skip
#: Shapes are kept where objects are turned any way, or are long.
LETTERBOXED = ('flies', 'openfield-boxes', 'seedlings')
#: Where an object is cut out by boxes that somebody has drawn.
BOXED = ('flies', 'openfield-boxes')


def config_of(name):
    return load_config(f'lmdis-light_{name}-64x64')


def seen(dataset):
    """File of annotations or of names, and the samples of it that are read."""
    inner = dataset.get('dataset', dataset)
    file = inner.get('ann_file') or inner.get('files')
    return file, set(inner.get('indices') or ())


@pytest.mark.parametrize('name', NAMES)
def test_what_is_scored_is_not_trained_on(name):
    config = config_of(name)
    dataset = config.val_dataloader.dataset
    train, score = (
        seen(config.train_dataloader.dataset),
        seen(dataset.get('score', dataset)),
    )
    if train[0] == score[0]:
        assert train[1] and score[1] and not train[1] & score[1]
    else:
        assert 'test' in score[0] and 'test' not in train[0]
    if 'fit' in dataset:
        assert seen(dataset.fit) != score
        assert name == 'celeba-halved' or seen(dataset.fit) == train


@pytest.mark.parametrize('name', NAMES)
def test_samples_have_one_size_and_no_labels(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmpose')
    config = config_of(name)
    tiny_sources.stage(config)
    train, val = (
        DATASETS.build(config[f'{part}_dataloader'].dataset)
        for part in ('train', 'val')
    )
    for sample in (train[0], val[0]):
        assert sample['inputs'].shape == (3, 64, 64)
        assert sample['inputs'].dtype == torch.uint8
    instances = train[0]['data_samples'].gt_instances
    assert not instances.get('keypoints_visible', torch.zeros(1)).any()
    box = val[0]['data_samples'].gt_instances.bboxes[0]
    assert (box.tolist() == [0, 0, 96, 96]) == (
        name not in BOXED + ('aflw-mtfl', 'celeba-halved')
    )
    steps = [s for s in config.val_dataloader.dataset.pipeline if 'input_size' in s]
    assert bool(steps[0].get('keep_aspect_ratio')) == (name in LETTERBOXED)


@pytest.mark.parametrize('name', NAMES)
def test_each_is_scored_in_a_unit_of_its_own(name):
    evaluators = config_of(name).val_evaluator
    if name == 'seedlings':
        assert [e.type for e in evaluators] == [
            'KeypointCollapseMetric',
            'ObjectShareMetric',
        ]
        return
    protocol = METRICS.build(evaluators).protocol
    expected = {
        'aflw-mtfl': ((0, 1), 'image', 'pooled'),
        'bees': ((0, 5), 'image', 'pooled'),  # front of the head to the body's end
        'celeba-halved': ((0, 1), 'crop', 'pooled'),  # the papers' square
        'flies': ('crop', 'image', 'pooled'),
    }.get(name, ('none', 'image', 'root_mean_square'))
    assert (protocol.normalizer, protocol.frame, protocol.reduction) == expected
