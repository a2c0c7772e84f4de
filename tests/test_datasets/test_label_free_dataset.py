"""Labels do not reach a model that is trained without them."""

import pytest
from mmpose.registry import DATASETS

import mmkp  # noqa: F401

PIPELINE = [
    {'type': 'LoadVerifiedImage'},
    {'type': 'RandomFlip', 'prob': 1.0},
    {'type': 'GetBBoxCenterScale', 'padding': 1.0},
    {'type': 'TopdownResize', 'input_size': (32, 32)},
    {'type': 'PackPoseInputs'},
]


def build(num_keypoints: int):
    puppets = {'type': 'PuppetDataset', 'num_images': 3, 'image_size': 48}
    return DATASETS.build(
        {
            'type': 'LabelFreeDataset',
            'num_keypoints': num_keypoints,
            'dataset': puppets,
            'pipeline': PIPELINE,
        }
    )


def test_keypoints_are_gone_and_the_metainfo_is_of_the_discovered_ones():
    dataset = build(6)
    assert len(dataset) == 3
    assert dataset.metainfo['num_keypoints'] == 6
    sample = dataset[1]
    assert sample['inputs'].shape == (3, 32, 32)
    instances = sample['data_samples'].gt_instances
    assert 'bboxes' in instances
    assert 'keypoints' not in instances
    assert 'keypoints_visible' not in instances


def test_no_keypoints_are_refused():
    with pytest.raises(ValueError, match='num_keypoints'):
        build(0)
