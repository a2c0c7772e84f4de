"""From pictures through MMEngine's test loop to figures."""

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

import mmkp  # noqa: F401  its shims come before MMPose

WEIGHTS = np.random.default_rng(0).normal(0, 0.1, (34, 8))


@MODELS.register_module()
class KnowingDetector(BaseModel):
    """Finds fixed affine combinations of the annotated joints, in crop units."""

    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for sample in data_samples:
            origin = sample.input_center - sample.input_scale / 2
            joints = (sample.gt_instances.keypoints[0] - origin) / sample.input_scale
            found = (joints.reshape(-1) @ WEIGHTS + 0.5).reshape(1, 4, 2)
            sample.pred_instances = InstanceData(
                keypoints=found * sample.input_scale + origin
            )
        return data_samples


AUTOLINK = dict(
    type='AutoLink',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[127.5] * 3,
        std=[127.5] * 3,
        bgr_to_rgb=True,
    ),
    backbone=dict(type='AutoLinkEncoder', channels=[4, 8]),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=8,
        num_keypoints=4,
        upsample_channels=[],
    ),
    generator=dict(
        type='EdgeMapGenerator', num_keypoints=4, mask_cells=4, channels=[4, 4, 4]
    ),
    test_cfg=dict(untrained_control=True),
)
KNOWING = dict(
    type='KnowingDetector', data_preprocessor=dict(type='PoseDataPreprocessor')
)


def run(tmp_path, model, resize='TopdownAffine', image_size=64, **evaluator):
    part = dict(type='PuppetDataset', image_size=image_size)
    pipeline = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=1.0),
        dict(type=resize, input_size=(32, 32)),
        dict(type='PackPoseInputs'),
    ]
    runner = Runner(
        model=model,
        work_dir=str(tmp_path),
        test_dataloader=dict(
            batch_size=5,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=dict(
                type='DiscoveryEvaluationDataset',
                num_keypoints=4,
                fit=dict(part, num_images=60, seed=1),
                score=dict(part, num_images=6, seed=2),
                pipeline=pipeline,
            ),
        ),
        test_evaluator=dict(
            type='DiscoveredKeypointMetric', shots=(1, 5), num_draws=2, **evaluator
        ),
        test_cfg=dict(),
        default_scope='mmpose',
        default_hooks=dict(checkpoint=None),
        custom_hooks=[dict(type='UntrainedControlHook')],
        log_level='ERROR',
        experiment_name=tmp_path.name,
    )
    return runner.test()


@pytest.mark.parametrize(
    ('resize', 'image_size'),
    [('TopdownAffine', 64), ('TopdownAffine', (96, 48)), ('TopdownResize', (96, 48))],
)
def test_a_linear_map_survives_the_crop(tmp_path, resize, image_size):
    # Discovered points are a map of the 17 joints, not the other way round, so the
    # backward fit (35 unknowns, 60 images) is the exact one.
    figures = run(tmp_path, KNOWING, resize, image_size, prefix='puppets')
    assert figures['puppets/backward'] < 1e-3
    assert figures['puppets/backward_mean_pose'] > 0.5


def test_autolink_is_evaluated_beside_its_untrained_self(tmp_path):
    torch.manual_seed(0)
    figures = run(tmp_path, AUTOLINK)
    for column in ('', '_mean_pose', '_untrained'):
        assert np.isfinite(figures[f'generic/forward{column}'])
        assert np.isfinite(figures[f'generic/forward_5_shot_median{column}'])
    # How sure the detector is reaches the metric without any setting.
    assert 0 < figures['generic/entropy'] < 1
    assert 0 < figures['generic/score'] < 1
    # Freshly drawn weights of another seed are another detector.
    assert figures['generic/forward'] != figures['generic/forward_untrained']
