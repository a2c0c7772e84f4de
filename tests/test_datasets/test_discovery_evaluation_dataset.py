import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS

from mmkp.datasets import DiscoveryEvaluationDataset

PIPELINE = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(16, 16)),
    dict(type='PackPoseInputs'),
]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


@pytest.fixture
def parts(make_landmarks):
    """Configs of a set of seven and one of three images."""
    for name, count in (('first', 7), ('second', 3)):
        points = [[[i + 1, 2, 2], [3, i + 4, 2], [5, 6, 2]] for i in range(count)]
        root = make_landmarks(points, f'{name}.json')
    return [
        dict(type='LandmarkDataset', ann_file=f'{name}.json', data_root=str(root))
        for name in ('first', 'second')
    ]


def test_samples_carry_their_role(parts):
    dataset = DiscoveryEvaluationDataset(10, *parts)
    names = [dataset.get_data_info(index)['dataset_name'] for index in range(10)]
    assert names == ['first_fit'] * 7 + ['second_score'] * 3
    assert dataset.metainfo['num_keypoints'] == 10
    assert dataset.metainfo['annotated_names'] == ['left_a', 'right_a', 'b']
    assert dataset.metainfo['annotated_links'] == [(0, 2)]
    assert dataset.get_data_info(9)['keypoints'].shape == (1, 3, 2)
    np.testing.assert_array_equal(dataset.get_data_info(8)['keypoints'][0, 0], [2, 2])


def test_fewer_samples_are_spread_evenly(parts):
    dataset = DiscoveryEvaluationDataset(10, *parts, max_fit=3, max_score=9)
    ids = [dataset.get_data_info(index)['img_id'] for index in range(len(dataset))]
    assert ids == [0, 3, 6, 0, 1, 2]
    assert dataset.indices_of('fit') == range(3)
    assert dataset.indices_of('score') == range(3, 6)
    with pytest.raises(ValueError, match='role='):
        dataset.indices_of('train')


@pytest.mark.parametrize('limit', [0, -1, True])
def test_refuses_no_samples(parts, limit):
    with pytest.raises(ValueError, match='max_fit must be at least 1, or None for all'):
        DiscoveryEvaluationDataset(10, *parts, max_fit=limit)


def test_refuses_an_empty_data_set(parts):
    parts[1].update(indices=[], serialize_data=False)
    with pytest.raises(ValueError, match='the data set to score has no samples'):
        DiscoveryEvaluationDataset(10, *parts)


def test_wraps_puppets():
    part = dict(type='PuppetDataset', num_images=2, image_size=32)
    config = dict(
        type='DiscoveryEvaluationDataset',
        num_keypoints=5,
        fit=part,
        score=dict(part, seed=1),
        pipeline=PIPELINE,
    )
    dataset = DATASETS.build(config)
    samples = [dataset[index]['data_samples'] for index in range(len(dataset))]
    assert [s.dataset_name.rpartition('_')[2] for s in samples] == [
        'fit',
        'fit',
        'score',
        'score',
    ]
    assert samples[0].gt_instances.keypoints.shape == (1, 17, 2)
    assert len(samples[0].flip_indices) == 5


class CentreModel(BaseModel):
    """Predict the centre of each image."""

    def forward(self, inputs, data_samples, mode='tensor'):
        for sample in data_samples:
            points = np.tile(sample.input_center, (1, 5, 1))
            sample.pred_instances = InstanceData(keypoints=points)
        return data_samples


class RoleMetric(BaseMetric):
    """Keep what a metric of discovered keypoints reads."""

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            self.results.append(
                (
                    sample['dataset_name'],
                    sample['id'],
                    sample['pred_instances']['keypoints'].shape,
                    sample['gt_instances']['keypoints'].shape,
                )
            )

    def compute_metrics(self, results):
        RoleMetric.seen = results
        return dict(samples=len(results), keypoints=self.dataset_meta['num_keypoints'])


def test_runs_in_the_test_loop(parts, tmp_path):
    torch.manual_seed(0)
    dataset = dict(
        type='DiscoveryEvaluationDataset',
        num_keypoints=5,
        fit=parts[0],
        score=parts[1],
        pipeline=PIPELINE,
    )
    runner = Runner(
        model=CentreModel(),
        work_dir=str(tmp_path / 'work'),
        test_dataloader=dict(
            batch_size=4,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dataset,
        ),
        test_evaluator=[RoleMetric()],
        test_cfg=dict(),
        default_scope='mmpose',
        experiment_name='roles',
    )
    assert runner.test() == dict(samples=10, keypoints=5)
    assert [role for role, *_ in RoleMetric.seen].count('second_score') == 3
    assert {seen[2:] for seen in RoleMetric.seen} == {((1, 5, 2), (1, 3, 2))}
