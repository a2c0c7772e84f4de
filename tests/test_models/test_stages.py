"""Stages of the part affinity networks: sizes, feedback, gradients, initialisation."""

import pytest
import torch
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the networks
from mmkp.models.stages.stage_outputs import StageOutputs

SMALL = {
    'TwoBranchStages': dict(num_stages=3, channels=8, hidden_channels=12),
    'FieldsFirstStages': dict(
        num_field_stages=3, num_blocks=2, channels=(4, 6), hidden_channels=(8, 10)
    ),
    'LightweightStages': dict(num_refinements=2, channels=8, hidden_channels=12),
}
#: Stages that predict heatmaps and fields.
LENGTHS = {
    'TwoBranchStages': (3, 3),
    'FieldsFirstStages': (2, 3),
    'LightweightStages': (3, 3),
}
NORMAL = dict(type='Normal', layer='Conv2d', std=0.01)


def build(name, **options):
    torch.manual_seed(0)
    sizes = dict(in_channels=16, num_keypoints=5, num_fields=6)
    stages = MODELS.build({'type': name, **sizes, **SMALL[name], **options})
    stages.init_weights()
    return stages


def count(module):
    return sum(p.numel() for p in module.parameters())


def built_without_memory(name, **options):
    with torch.device('meta'):
        return MODELS.build(dict(type=name, **options))


@pytest.mark.parametrize(
    ('name', 'options', 'activation', 'expected'),
    [
        ('TwoBranchStages', dict(num_keypoints=19, num_fields=38), 'relu', 52_311_446),
        ('TwoBranchStages', dict(num_keypoints=16, num_fields=28), 'relu', 51_481_032),
        (
            'TwoBranchStages',
            dict(num_keypoints=16, num_fields=28, num_stages=4),
            'relu',
            34_240_880,
        ),
        (
            'FieldsFirstStages',
            dict(num_keypoints=26, num_fields=52),
            'prelu',
            26_166_084,
        ),
    ],
)
def test_official_parameter_counts(name, options, activation, expected):
    backbone = built_without_memory('OpenPoseVGG19', activation=activation)
    stages = built_without_memory(name, in_channels=128, **options)
    assert count(backbone) + count(stages) == expected


def test_slopes_of_body25():
    backbone = built_without_memory('OpenPoseVGG19', activation='prelu')
    stages = built_without_memory(
        'FieldsFirstStages', in_channels=128, num_keypoints=26, num_fields=52
    )
    slopes = [
        layer.weight
        for module in (backbone, stages)
        for layer in module.modules()
        if isinstance(layer, torch.nn.PReLU)
    ]
    assert len(slopes) == 99
    assert sum(slope.numel() for slope in slopes) == 14_016


@pytest.mark.parametrize(('refinements', 'expected'), [(1, 4_091_698), (3, 7_308_964)])
def test_lightweight_parameter_counts(refinements, expected):
    backbone = built_without_memory('LightweightMobileNetV1')
    stages = built_without_memory(
        'LightweightStages',
        in_channels=512,
        num_keypoints=19,
        num_fields=38,
        num_refinements=refinements,
    )
    assert count(backbone) == 1_613_120
    assert count(stages.adapter) == 265_856
    assert count(stages.initial) == 604_089
    assert [count(stage) for stage in stages.refinements] == [1_608_633] * refinements
    assert count(backbone) + count(stages) == expected


@pytest.mark.parametrize('name', SMALL)
def test_shapes(name):
    stages = build(name).eval()
    for size in ((7, 9), (1, 1)):
        outputs = stages(torch.randn(2, 16, *size))
        assert isinstance(outputs, StageOutputs)
        assert (len(outputs.heatmaps), len(outputs.fields)) == LENGTHS[name]
        assert {tuple(maps.shape) for maps in outputs.heatmaps} == {(2, 5, *size)}
        assert {tuple(maps.shape) for maps in outputs.fields} == {(2, 6, *size)}


@pytest.mark.parametrize('name', SMALL)
def test_outputs_are_linear(name):
    outputs = build(name).eval()(torch.randn(2, 16, 8, 8))
    for maps in (*outputs.heatmaps, *outputs.fields):
        assert maps.min() < 0 < maps.max()


@pytest.mark.parametrize('name', SMALL)
@pytest.mark.parametrize('branch', ['heatmaps', 'fields'])
def test_gradient_of_the_last_maps_reaches_the_first_stage(name, branch):
    stages = build(name)
    features = torch.randn(2, 16, 8, 8, requires_grad=True)
    outputs = stages(features)
    for maps in (*outputs.heatmaps, *outputs.fields):
        maps.retain_grad()
    getattr(outputs, branch)[-1].square().sum().backward()
    # A cell may be behind nothing but inactive ReLUs.
    assert (features.grad != 0).float().mean() > 0.9
    early = [outputs.fields[0]]
    if name != 'FieldsFirstStages':
        early.append(outputs.heatmaps[0])
    elif branch == 'heatmaps':
        early += [outputs.heatmaps[0], outputs.fields[-1]]
    for maps in early:
        assert (maps.grad.abs().sum((0, 2, 3)) > 0).all()
    without = [
        n for n, p in stages.named_parameters() if p.grad is None or not p.grad.any()
    ]
    # Only the other branch's last layers have no say in it.
    other = 'fields' if branch == 'heatmaps' else 'heatmaps'
    last = {
        'TwoBranchStages': f'{other[:-1]}_branches.2.',
        'FieldsFirstStages': 'heatmap_stages.' if branch == 'fields' else 'nothing',
        'LightweightStages': f'refinements.1.{other}.',
    }[name]
    assert all(n.startswith(last) for n in without)
    assert without or name == 'FieldsFirstStages'


@pytest.mark.parametrize('name', SMALL)
def test_later_stages_look_at_the_maps_before(name):
    stages = build(name).eval()
    features = torch.randn(1, 16, 8, 8)
    before = stages(features)
    first = {
        'TwoBranchStages': 'field_branches.0.8.bias',
        'FieldsFirstStages': 'field_stages.0.output.bias',
        'LightweightStages': 'initial.fields.1.bias',
    }[name]
    with torch.no_grad():
        dict(stages.named_parameters())[first].add_(1)
    after = stages(features)
    torch.testing.assert_close(after.fields[0], before.fields[0] + 1)
    assert not torch.allclose(after.fields[1], before.fields[1])
    assert not torch.allclose(after.heatmaps[-1], before.heatmaps[-1])


def test_zero_refinements():
    outputs = build('LightweightStages', num_refinements=0)(torch.randn(2, 16, 4, 4))
    assert (len(outputs.heatmaps), len(outputs.fields)) == (1, 1)


def convolutions(module):
    return [m for m in module.modules() if isinstance(m, torch.nn.Conv2d)]


@pytest.mark.parametrize('name', ['TwoBranchStages', 'FieldsFirstStages'])
def test_official_initialisation_can_be_chosen(name):
    options = dict(in_channels=16, num_keypoints=5, num_fields=6, init_cfg=NORMAL)
    stages = MODELS.build(dict(type=name, **options))
    stages.init_weights()
    weights = torch.cat([layer.weight.flatten() for layer in convolutions(stages)])
    assert abs(weights.mean()) < 1e-4
    assert weights.std().item() == pytest.approx(0.01, rel=0.01)
    assert all(not layer.bias.any() for layer in convolutions(stages))


@pytest.mark.parametrize('name', SMALL)
def test_narrow_networks_start_with_small_maps_and_large_gradients(name):
    stages = build(name)
    outputs = stages(torch.randn(4, 16, 16, 16))
    maps = [*outputs.heatmaps, *outputs.fields]
    assert all(1e-3 < each.std() < 0.1 for each in maps)
    sum((each - 1).square().mean() for each in maps).backward()
    # Of the networks without batch normalisation N(0, 0.01) leaves 1e-6 or less.
    assert next(stages.parameters()).grad.abs().max() > 1e-4


@pytest.mark.parametrize(
    ('name', 'options', 'message'),
    [
        ('TwoBranchStages', dict(num_stages=0), 'num_stages >= 1, got 0'),
        ('TwoBranchStages', dict(kernel_size=4), 'odd kernel_size, got 4'),
        ('FieldsFirstStages', dict(num_field_stages=0), '>= 1, got 0, 2, 2'),
        ('FieldsFirstStages', dict(num_blocks=0), '>= 1, got 3, 2, 0'),
        ('LightweightStages', dict(num_refinements=-1), '>= 0, got -1'),
    ],
)
def test_impossible_sizes(name, options, message):
    with pytest.raises(ValueError, match=message):
        build(name, **options)
