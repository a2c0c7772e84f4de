"""Labels do not reach a model that is trained without them."""

import numpy as np
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


def build(num_keypoints: int, **options):
    puppets = {'type': 'PuppetDataset', 'num_images': 3, 'image_size': 48}
    return DATASETS.build(
        {
            'type': 'LabelFreeDataset',
            'num_keypoints': num_keypoints,
            'dataset': puppets,
            'pipeline': PIPELINE,
            **options,
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
    # In their place stand six that nobody has annotated, the same in each image.
    assert instances.keypoints.shape == (1, 6, 2)
    assert not instances.keypoints_visible.any()
    other = dataset[2]['data_samples'].gt_instances
    np.testing.assert_array_equal(instances.keypoints, other.keypoints)
    tested = build(6, test_mode=True)[1]['data_samples'].gt_instances
    assert 'keypoints' not in tested and 'keypoints_visible' not in tested


def test_no_keypoints_are_refused():
    with pytest.raises(ValueError, match='num_keypoints'):
        build(0)
