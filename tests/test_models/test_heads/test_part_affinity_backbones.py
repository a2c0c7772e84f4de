"""MMPose's backbones under the part affinity head, in MMPose's estimator."""

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

HRNET_W32 = dict(
    type='HRNet',
    extra=dict(
        stage1=dict(
            num_modules=1,
            num_branches=1,
            block='BOTTLENECK',
            num_blocks=(4,),
            num_channels=(64,),
        ),
        **{
            f'stage{branches}': dict(
                num_modules=modules,
                num_branches=branches,
                block='BASIC',
                num_blocks=(4,) * branches,
                num_channels=tuple(32 << b for b in range(branches)),
            )
            for branches, modules in ((2, 1), (3, 4), (4, 3))
        },
    ),
)
BACKBONES = {
    'hrnet-w32': (HRNET_W32, 32, 4),
    'resnet-50': (dict(type='ResNet', depth=50, out_indices=(1,)), 512, 8),
    'mobilenet-v2': (dict(type='MobileNetV2', out_indices=(2,)), 32, 8),
    'cspnext-s': (
        dict(
            type='CSPNeXt',
            deepen_factor=0.33,
            widen_factor=0.5,
            out_indices=(2,),
            norm_cfg=dict(type='BN'),
            act_cfg=dict(type='SiLU'),
        ),
        128,
        8,
    ),
}
WIDTH, HEIGHT = 96, 64


def build(backbone, channels, stride, **kwargs):
    return MODELS.build(
        dict(
            type='BottomupPoseEstimator',
            backbone=backbone,
            head=dict(
                type='PartAffinityHead',
                in_channels=channels,
                feature_channels=8,
                stages=dict(type='TwoBranchStages', num_stages=2, channels=4),
                decoder=dict(
                    type='PartAffinityField', input_size=(WIDTH, HEIGHT), stride=stride
                ),
            ),
            **kwargs,
        )
    )


def sample_with_targets(model, stride):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 64, (2, 17, 2))
    encoded = model.head.decoder.encode(keypoints, np.ones((2, 17)))
    fields = PixelData(**{k: torch.from_numpy(v) for k, v in encoded.items()})
    return PoseDataSample(
        gt_fields=fields,
        metainfo=dict(
            input_size=(WIDTH, HEIGHT),
            input_center=np.array([WIDTH, HEIGHT]),
            input_scale=np.array([2 * WIDTH, 2 * HEIGHT]),
        ),
    )


@pytest.mark.parametrize('name', BACKBONES)
def test_builds_steps_and_predicts(name):
    backbone, channels, stride = BACKBONES[name]
    torch.manual_seed(0)
    model = build(backbone, channels, stride)
    samples = [sample_with_targets(model, stride) for _ in range(2)]
    images = torch.randn(2, 3, HEIGHT, WIDTH)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    values = []
    for _ in range(2):
        losses = model(images, samples, mode='loss')
        loss, _ = model.parse_losses(losses)
        optimizer.update_params(loss)
        values.append(loss.item())
    assert len(losses) == 4 and 0 < values[1] < values[0]
    model.eval()
    heatmaps, fields = model(images, None, mode='tensor')
    cells = (HEIGHT // stride, WIDTH // stride)
    assert heatmaps.shape == (2, 19, *cells) and fields.shape == (2, 38, *cells)
    model.test_cfg = dict(flip_test=True, output_heatmaps=True)
    with torch.no_grad():
        results = model(images, samples, mode='predict')
    for result in results:
        people = result.pred_instances
        assert people.keypoints.shape == (len(people.bboxes), 17, 2)
        assert result.pred_fields.heatmaps.shape == (18, *cells)


def test_features_of_another_stride_are_refused():
    backbone, channels, _ = BACKBONES['mobilenet-v2']
    model = build(dict(backbone, out_indices=(1,)), 24, 8)
    images = torch.randn(1, 3, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match='come at stride 4, .* says stride=8'):
        model(images, [sample_with_targets(model, 8)], mode='loss')


def test_feature_maps_of_two_strides_are_joined_by_mmposes_neck():
    backbone, _, _ = BACKBONES['mobilenet-v2']
    model = build(
        dict(backbone, out_indices=(2, 4)),
        32 + 96,
        8,
        neck=dict(type='FeatureMapProcessor', concat=True),
    )
    heatmaps, _ = model(torch.randn(1, 3, HEIGHT, WIDTH), None, mode='tensor')
    assert heatmaps.shape == (1, 19, 8, 12)
