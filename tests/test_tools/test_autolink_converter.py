"""Converter of official AutoLink checkpoints, on small ones of the official format."""

import argparse
import importlib.util
import os
import sys
import types
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the models
from mmkp.converters.autolink import (
    convert_checkpoint,
    convert_state_dict,
    read_lightning,
)
from mmkp.models.losses.perceptual_loss import PerceptualLoss

SCRIPT = (
    Path(__file__).resolve().parents[2]
    / 'tools/model_converters/autolink_lightning_to_mmkp.py'
)
ENCODER = (3, 4, 5, 6)
UNET = (3, 4, 5, 6, 6)


def official_state(num_keypoints=4, seed=0):
    """Names and shapes of the official checkpoint, with narrower networks."""
    generator = np.random.default_rng(seed)
    state = {}

    def add(name, *shape):
        values = generator.standard_normal(shape).astype(np.float32)
        state[name] = torch.from_numpy(np.asarray(values))

    def conv(name, inputs, outputs):
        add(f'{name}.weight', outputs, inputs, 3, 3)
        add(f'{name}.bias', outputs)

    def norm(name, channels):
        for kind in ('weight', 'bias', 'running_mean'):
            add(f'{name}.{kind}', channels)
        state[f'{name}.running_var'] = torch.rand(channels) + 0.5
        state[f'{name}.num_batches_tracked'] = torch.tensor(7)

    detector = 'encoder.detector.conv'
    state['encoder.detector.coord'] = torch.zeros(1, 1, 1024, 2)
    for i, (a, b) in enumerate(pairwise((3, *ENCODER))):
        conv(f'{detector}.{i}.conv_res.0', a, b)
        norm(f'{detector}.{i}.conv_res.2', b)
        conv(f'{detector}.{i}.net.0', a, b)
        norm(f'{detector}.{i}.net.2', b)
        conv(f'{detector}.{i}.net.4', b, b)
        norm(f'{detector}.{i}.net.5', b)
    conv(f'{detector}.4.net.1', 6, 8)
    norm(f'{detector}.4.net.2', 8)
    conv(f'{detector}.5.net.1', 8, 7)
    norm(f'{detector}.5.net.2', 7)
    conv(f'{detector}.6', 7, num_keypoints)
    add('decoder.alpha')
    add('decoder.skeleton_scalar', num_keypoints, num_keypoints)
    conv('decoder.down0.0', 4, UNET[0])
    for i, (a, b) in enumerate(pairwise(UNET), start=1):
        conv(f'decoder.down{i}.net.0', a, b)
        norm(f'decoder.down{i}.net.1', b)
        conv(f'decoder.down{i}.net.3', b, b)
        norm(f'decoder.down{i}.net.4', b)
    for i, (a, b) in enumerate(((6, 6), (12, 5), (10, 4), (8, 3)), start=1):
        conv(f'decoder.up{i}.net.1', a, b)
        norm(f'decoder.up{i}.net.2', b)
        conv(f'decoder.up{i}.net.4', b, b)
        norm(f'decoder.up{i}.net.5', b)
    conv('decoder.conv', 6, 3)
    return state


def add_vgg(state):
    vgg = PerceptualLoss(seed=5).features
    places = '0.0 0.2 1.5 1.7 2.10 2.12 2.14 3.17 3.19 3.21'.split()
    for place, name in zip(places, vgg.plan, strict=True):
        for kind in ('weight', 'bias'):
            key = f'vgg_loss.blocks.{place}.{kind}'
            state[key] = getattr(vgg, f'{name}_{kind}')
    state['vgg_loss.mean'] = torch.zeros(1, 3, 1, 1)
    state['vgg_loss.std'] = torch.ones(1, 3, 1, 1)
    return vgg


def lightning(state, **hyper_parameters):
    return {
        'epoch': 3,
        'global_step': 20001,
        'pytorch-lightning_version': '1.5.10',
        'state_dict': state,
        'callbacks': {"ModelCheckpoint{'monitor': 'val_loss'}": {'best': None}},
        'optimizer_states': [{'state': {}, 'param_groups': [{'lr': 1e-4}]}],
        'lr_schedulers': [],
        'hparams_name': 'kwargs',
        'hyper_parameters': dict(n_parts=4, thick=2.5e-3, sklr=512, **hyper_parameters),
    }


def small_model(num_keypoints=4):
    init_default_scope('mmpose')
    return MODELS.build(
        dict(
            type='AutoLink',
            backbone=dict(type='AutoLinkEncoder', channels=ENCODER),
            head=dict(
                type='SoftArgmaxHead',
                in_channels=6,
                upsample_channels=(8, 7),
                num_keypoints=num_keypoints,
            ),
            generator=dict(
                type='EdgeMapGenerator', num_keypoints=num_keypoints, channels=UNET
            ),
        )
    )


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('autolink_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(tool, *arguments):
    """The message with which the command ends."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as caught:
        tool.main([str(a) for a in arguments])
    return str(caught.value)


def test_command_writes_what_load_checkpoint_reads(tool, tmp_path, capsys):
    state = official_state()
    vgg = add_vgg(state)
    torch.save(lightning(state), tmp_path / 'model.ckpt')
    new = tmp_path / 'new'
    arguments = [tmp_path / 'model.ckpt', new / 'autolink.pth']
    arguments += ['--vgg-out', new / 'vgg.pth']
    tool.main([str(a) for a in arguments])
    printed = capsys.readouterr().out
    assert '4 keypoints, step 20001' in printed
    assert 'thickness=0.0025' in printed

    model = small_model()
    loaded = load_checkpoint(model, str(new / 'autolink.pth'), 'cpu', strict=True)
    assert loaded['meta']['dataset_meta']['num_keypoints'] == 4
    assert loaded['meta']['hyper_parameters']['n_parts'] == 4
    assert len(loaded['meta']['dataset_meta']['keypoint_colors']) == 4
    first = model.backbone.blocks[0]
    assert torch.equal(
        first.skip_conv.weight, state['encoder.detector.conv.0.conv_res.0.weight']
    )
    assert torch.equal(
        model.generator.unet.up[1].layers[4].running_mean,
        state['decoder.up2.net.5.running_mean'],
    )
    matrix = state['decoder.skeleton_scalar']
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    expected = torch.stack([matrix[i, j] * 512 for i, j in pairs])
    assert torch.equal(model.generator.edge_logits.detach(), expected)

    loss = PerceptualLoss(weights=str(new / 'vgg.pth'))
    loss.init_weights()
    assert torch.equal(loss.features.conv4_3_weight, vgg.conv4_3_weight)


def test_every_parameter_is_filled_once():
    converted = convert_state_dict(official_state())
    assert set(converted) == set(small_model().state_dict())


@pytest.mark.parametrize('container', [dict, argparse.Namespace])
def test_factor_of_the_run_is_used(container):
    checkpoint = lightning(official_state())
    checkpoint['hyper_parameters'] = container(sklr=2, data_root=Path('x'))
    converted = convert_checkpoint(checkpoint)
    first = checkpoint['state_dict']['decoder.skeleton_scalar'][0, 1]
    assert converted['state_dict']['generator.edge_logits'][0] == 2 * first
    assert converted['meta']['hyper_parameters'] == {'sklr': 2}


def test_reads_what_lightning_pickles(tmp_path):
    checkpoint = lightning(official_state())
    checkpoint['hyper_parameters'] = argparse.Namespace(sklr=512, root=Path('/data'))
    torch.save(checkpoint, tmp_path / 'model.ckpt')
    found = convert_checkpoint(read_lightning(tmp_path / 'model.ckpt'), 4)
    assert found['meta']['hyper_parameters'] == {'sklr': 512}
    assert found['state_dict']['generator.visible_scale'].shape == ()


def test_reads_paths_of_python_3_13(tmp_path, monkeypatch):
    module = types.ModuleType('pathlib._local')

    class PosixPath(str):
        def __reduce__(self):
            return PosixPath, (str(self),)

    PosixPath.__module__, PosixPath.__qualname__ = module.__name__, 'PosixPath'
    module.PosixPath = PosixPath
    monkeypatch.setitem(sys.modules, module.__name__, module)
    checkpoint = lightning(official_state())
    root = module.PosixPath('/data')
    checkpoint['hyper_parameters'] = argparse.Namespace(sklr=512, root=root)
    torch.save(checkpoint, tmp_path / 'model.ckpt')
    found = convert_checkpoint(read_lightning(tmp_path / 'model.ckpt'), 4)
    assert found['meta']['hyper_parameters'] == {'sklr': 512}


class _Harmful:
    def __reduce__(self):
        return os.system, ('touch executed',)


def test_refuses_with_a_reason(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = {}
    torch.save(lightning(official_state()), tmp_path / 'k4.ckpt')
    cases['k4.ckpt'] = ('it finds 4 keypoints, not 8', ['--num-keypoints', '8'])

    torch.save(lightning(official_state(), bad=_Harmful()), tmp_path / 'bad.ckpt')
    cases['bad.ckpt'] = ('system', [])

    (tmp_path / 'short.ckpt').write_bytes((tmp_path / 'k4.ckpt').read_bytes()[:5000])
    cases['short.ckpt'] = ('truncated', [])
    cases['absent.ckpt'] = ('absent.ckpt', [])
    for name, (message, options) in cases.items():
        assert message in refusal(tool, name, 'out.pth', *options)
        assert not (tmp_path / 'out.pth').exists()
    assert not (tmp_path / 'executed').exists()


def test_refuses_other_networks():
    with pytest.raises(ValueError, match='no state_dict in the file'):
        convert_checkpoint({'model': {}})
    with pytest.raises(ValueError, match='not a checkpoint of the official AutoLink'):
        convert_state_dict({'layer1.weight': torch.zeros(2)})

    state = official_state()
    state['decoder.skeleton_scalar'] = torch.zeros(8, 8)
    with pytest.raises(ValueError, match=r'4 keypoints but the edge matrix is \(8, 8'):
        convert_state_dict(state)

    state = official_state()
    state['decoder.up5.net.1.weight'] = torch.zeros(2)
    with pytest.raises(ValueError, match=r'1 entries are not .* decoder\.up5\.net'):
        convert_state_dict(state)

    state = official_state()
    del state['decoder.down2.net.3.bias']
    with pytest.raises(RuntimeError, match=r'Missing key.*down\.1\.3\.bias'):
        small_model().load_state_dict(convert_state_dict(state))


def test_a_checkpoint_without_vgg_says_so(tool, tmp_path):
    torch.save(lightning(official_state()), tmp_path / 'model.ckpt')
    paths = [tmp_path / name for name in ('model.ckpt', 'out.pth', 'vgg.pth')]
    message = refusal(tool, *paths[:2], '--vgg-out', paths[2])
    assert 'carries no VGG' in message
    assert not paths[1].exists() and not paths[2].exists()
