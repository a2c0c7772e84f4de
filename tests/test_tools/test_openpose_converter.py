"""Converter of OpenPose's weights, on small files of every official layout."""

import importlib.util
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from caffe_writer import CURRENT, V1, caffemodel
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS
from official_openpose import (
    TRUNK,
    TRUNK_PLACES,
    State,
    body25_state,
    in_modules,
    lightweight_state,
    numbered,
    two_branch_state,
)
from torch import nn

import mmkp  # noqa: F401  registers the networks

SCRIPT = (
    Path(__file__).resolve().parents[2] / 'tools/model_converters/openpose_to_mmkp.py'
)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('openpose_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(meta):
    head = nn.ModuleDict({'stages': MODELS.build(meta['stages'])})
    backbone = MODELS.build(meta['backbone'])
    return nn.ModuleDict({'backbone': backbone, 'head': head}).eval()


def maps_of(model):
    image = torch.linspace(-0.5, 0.5, 3 * 32 * 40).view(1, 3, 32, 40)
    with torch.no_grad():
        return model['head']['stages'](model['backbone'](image)[0])


def converted(tool, source, target, *options):
    """Run the command, build the network that it names, load its file strictly."""
    tool.main([str(a) for a in (source, target, *options)])
    meta = torch.load(target, weights_only=True)['meta']
    model = build(meta)
    load_checkpoint(model, str(target), 'cpu', strict=True)
    return model, meta


def refusal(tool, *arguments):
    """The message with which the command ends."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as caught:
        tool.main([str(a) for a in arguments])
    return str(caught.value)


@pytest.mark.parametrize('fields', [CURRENT, V1])
def test_two_branch_caffemodel(tool, tmp_path, capsys, fields):
    state = two_branch_state()
    source = tmp_path / 'coco.caffemodel'
    source.write_bytes(caffemodel(state, fields, old_shape=fields == V1))
    model, meta = converted(tool, source, tmp_path / 'new' / 'coco.pth')
    printed = capsys.readouterr().out
    assert '19 heatmaps with the background, 19 limbs' in printed
    assert "stages=dict(type='TwoBranchStages', num_stages=3, channels=4" in printed
    assert "head=dict(type='PartAffinityHead', in_channels=7, stages=dict(" in printed

    layers = model['backbone'].layers
    assert torch.equal(layers.conv4_4_CPM.bias, state['conv4_4_CPM.bias'])
    stages = model['head']['stages']
    assert torch.equal(
        stages.field_branches[0][6].weight, state['conv5_4_CPM_L1.weight']
    )
    assert torch.equal(
        stages.heatmap_branches[2][12].bias, state['Mconv7_stage3_L2.bias']
    )
    assert meta['stages']['num_keypoints'] == 19


def test_pose_estimator_takes_the_file(tool, tmp_path):
    torch.save(dict(two_branch_state()), tmp_path / 'coco.pth')
    converted_model, meta = converted(tool, tmp_path / 'coco.pth', tmp_path / 'out.pth')
    sizes = ('in_channels', 'num_keypoints', 'num_fields')
    stages = {k: v for k, v in meta['stages'].items() if k not in sizes}
    codec = dict(type='PartAffinityField', input_size=(40, 32))
    model = MODELS.build(
        dict(
            type='BottomupPoseEstimator',
            backbone=meta['backbone'],
            head=dict(
                type='PartAffinityHead', in_channels=7, stages=stages, decoder=codec
            ),
        )
    ).eval()
    load_checkpoint(model, str(tmp_path / 'out.pth'), 'cpu', strict=True)
    image = torch.linspace(-0.5, 0.5, 3 * 32 * 40).view(1, 3, 32, 40)
    with torch.no_grad():
        heatmaps, fields = model(image, None, mode='tensor')
    expected = maps_of(converted_model)
    assert torch.equal(heatmaps, expected.heatmaps[-1])
    assert torch.equal(fields, expected.fields[-1])


@pytest.mark.parametrize('rename', [dict, in_modules, numbered])
def test_ports_hold_the_same_network(tool, tmp_path, rename):
    state = two_branch_state(heatmaps=16, fields=28)
    expected = maps_of_official_two_branch(state)
    torch.save(rename(state), tmp_path / 'port.pth')
    model, _ = converted(tool, tmp_path / 'port.pth', tmp_path / 'out.pth')
    outputs = maps_of(model)
    assert outputs.heatmaps[-1].shape == (1, 16, 4, 5)
    torch.testing.assert_close(outputs.fields[-1], expected[0])
    torch.testing.assert_close(outputs.heatmaps[-1], expected[1])


def maps_of_official_two_branch(state):
    """Fields and heatmaps, straight from Caffe's names."""

    def conv(name, x, last=False):
        weight = state[f'{name}.weight']
        padding = weight.shape[-1] // 2
        x = nn.functional.conv2d(x, weight, state[f'{name}.bias'], padding=padding)
        return x if last else x.relu()

    x = torch.linspace(-0.5, 0.5, 3 * 32 * 40).view(1, 3, 32, 40)
    for name in TRUNK:
        x = conv(f'conv{name}', x)
        if name in ('1_2', '2_2', '3_4'):
            x = nn.functional.max_pool2d(x, 2)
    features, maps = x, []
    for stage in (1, 2, 3):
        inputs, maps = torch.cat((*maps, features), 1), []
        for branch in (1, 2):
            y = inputs
            if stage == 1:
                names = [f'conv5_{i}_CPM_L{branch}' for i in range(1, 6)]
            else:
                names = [f'Mconv{i}_stage{stage}_L{branch}' for i in range(1, 8)]
            for name in names:
                y = conv(name, y, last=name == names[-1])
            maps.append(y)
    return maps


def test_body25_caffemodel(tool, tmp_path, capsys):
    state = body25_state()
    (tmp_path / 'body.caffemodel').write_bytes(caffemodel(state, old_shape=True))
    model, meta = converted(tool, tmp_path / 'body.caffemodel', tmp_path / 'body.pth')
    assert '26 heatmaps with the background, 26 limbs' in capsys.readouterr().out
    assert meta['stages']['channels'] == (3, 4)
    assert meta['stages']['hidden_channels'] == (8, 9)
    stages = model['head']['stages']
    block = stages.heatmap_stages[1].blocks[4].convolutions[2]
    assert torch.equal(block[0].weight, state['Mconv5_stage1_L1_2.weight'])
    assert torch.equal(block[1].weight, state['Mprelu5_stage1_L1_2.weight'])
    assert torch.equal(
        model['backbone'].layers.prelu4_2.weight, state['prelu4_2.weight']
    )
    outputs = maps_of(model)
    assert outputs.fields[-1].shape == (1, 52, 4, 5)


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_lightweight_checkpoint(tool, tmp_path, capsys, prefix):
    state = {f'{prefix}{k}': v for k, v in lightweight_state().items()}
    checkpoint = dict(state_dict=state, optimizer={}, iter=370000, current_epoch=280)
    torch.save(checkpoint, tmp_path / 'iter.pth')
    model, meta = converted(tool, tmp_path / 'iter.pth', tmp_path / 'r3.pth')
    assert meta['backbone'] == dict(type='LightweightMobileNetV1', widen_factor=0.25)
    assert meta['stages']['num_refinements'] == 3
    outputs = maps_of(model)

    arguments = (tmp_path / 'iter.pth', tmp_path / 'r1.pth', '--num-refinements', 1)
    assert 'left out' not in capsys.readouterr().out
    fast, meta = converted(tool, *arguments)
    assert 'left out the last 2 refinement stages' in capsys.readouterr().out
    assert 'num_refinements' not in meta['stages']  # 1 is the default
    for found, whole in zip(maps_of(fast), outputs, strict=True):
        assert len(found) == 2
        torch.testing.assert_close(found, whole[:2])


def test_vgg19_to_train_from(tool, tmp_path, capsys):
    state = State()
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512)
    for place, pair in zip(TRUNK_PLACES, pairwise(widths), strict=False):
        state.conv(f'features.{place}', *pair, 3)
    state.add('classifier.6.bias', 1000)
    torch.save(dict(state), tmp_path / 'vgg19.pth')
    target = tmp_path / 'trunk.pth'
    tool.main([str(tmp_path / 'vgg19.pth'), str(target), '--vgg19-input', 'imagenet'])
    init_cfg = dict(type='Pretrained', checkpoint=str(target), prefix='backbone.')
    assert (
        "backbone=dict(type='OpenPoseVGG19', init_cfg=dict(type='Pretrained', "
        f"checkpoint='{target}', prefix='backbone.')),"
    ) in capsys.readouterr().out
    backbone = MODELS.build(dict(type='OpenPoseVGG19', init_cfg=init_cfg))
    backbone.init_weights()
    assert torch.equal(backbone.layers.conv1_1.weight, state['features.0.weight'])
    assert torch.equal(backbone.layers.conv4_2.bias, state['features.21.bias'])


class _Harmful:
    def __reduce__(self):
        return os.system, ('touch executed',)


def test_bad_files_are_refused(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = two_branch_state(num_stages=1)
    content = caffemodel(state)
    Path('short.caffemodel').write_bytes(content[:-7])
    Path('page.caffemodel').write_bytes(b'<!DOCTYPE html><html></html>')
    Path('page.pth').write_bytes(b'<!DOCTYPE html><html></html>')
    torch.save(dict(state, bad=_Harmful()), 'harmful.pth')
    torch.save(torch.zeros(3), 'tensor.pth')
    torch.save({'conv1.weight': torch.zeros(3)}, 'resnet.pth')
    torch.save({'state_dict': {}}, 'empty.pth')
    torch.save({'state_dict': 5}, 'five.pth')
    torch.save(dict(state, extra=torch.zeros(3)), 'extra.pth')
    torch.save({k: v for k, v in state.items() if k != 'conv3_1.bias'}, 'less.pth')
    torch.save({k: v for k, v in state.items() if '_L' not in k}, 'trunk.pth')
    torch.save(dict(state, **{'conv3_3.bias': torch.zeros(2)}), 'shape.pth')
    torch.save(dict(state), 'good.pth')
    torch.save(dict(lightweight_state(1)), 'light.pth')
    for name, message, *options in (
        ('absent.caffemodel', 'absent.caffemodel can not be found'),
        ('absent.pth', 'absent.pth can not be found'),
        ('short.caffemodel', 'truncated, damaged or not a .caffemodel'),
        ('page.caffemodel', 'truncated, damaged or not a .caffemodel'),
        ('page.pth', 'page.pth (28 bytes) is no checkpoint but a web page'),
        ('harmful.pth', 'system'),
        ('tensor.pth', 'holds a Tensor of shape (3,); expected is a dict'),
        ('resnet.pth', 'neither of OpenPose'),
        ('empty.pth', "('state_dict') without weights"),
        ('five.pth', "('state_dict') without weights"),
        ('extra.pth', '1 entries are not of OpenPose COCO or MPI, Caffe names, e.g. '),
        ('less.pth', 'backbone.layers.conv3_1.bias is missing'),
        ('trunk.pth', 'field_branches.0.0.weight is missing'),
        ('shape.pth', 'conv3_3.bias is (2,) in the file and (4,) in the network'),
        ('good.pth', 'only Lightweight OpenPose has refine', '--num-refinements', '1'),
        ('light.pth', 'it has 1 refinement stages, not 2', '--num-refinements', '2'),
    ):
        found = refusal(tool, name, 'out.pth', *options)
        assert message in found
        assert name in found
        assert not Path('out.pth').exists()
    assert not Path('executed').exists()


def test_float64_caffemodel(tool, tmp_path):
    state = two_branch_state(num_stages=1)
    double = {k: np.asarray(v, np.float64) for k, v in state.items()}
    (tmp_path / 'net.caffemodel').write_bytes(caffemodel(double))
    model, _ = converted(tool, tmp_path / 'net.caffemodel', tmp_path / 'net.pth')
    weight = model['backbone'].layers.conv1_1.weight
    assert torch.equal(weight, state['conv1_1.weight'])
