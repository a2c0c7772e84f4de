"""Converter of hourglass weights, on small files of every published layout."""

import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS
from official_hourglass import (
    author_maps,
    author_state,
    bearpaw_file,
    bearpaw_maps,
    bearpaw_state,
    princeton_file,
    princeton_state,
)
from official_openpose import two_branch_state
from torch import nn

import mmkp  # noqa: F401  registers the network

SCRIPT = (
    Path(__file__).resolve().parents[2] / 'tools/model_converters/hourglass_to_mmkp.py'
)
SIZES = dict(num_keypoints=5, order=2, channels=6, stem_channels=4)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('hourglass_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def converted(tool, content, folder, **saving):
    """Run the command, build what it names, load its file as MMEngine does."""
    source, target = folder / 'checkpoint.pth.tar', folder / 'new' / 'hourglass.pth'
    torch.save(content, source, **saving)
    tool.main([str(source), str(target)])
    meta = torch.load(target, weights_only=True)['meta']
    model = nn.ModuleDict({'backbone': MODELS.build(meta['backbone'])}).eval()
    load_checkpoint(model, str(target), 'cpu', strict=True)
    return model['backbone'], meta


def refusal(tool, *arguments):
    """The message with which the command ends, in one line."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as caught:
        tool.main([str(a) for a in arguments])
    message = str(caught.value)
    assert '\n' not in message
    return message


def refused_content(tool, content, folder):
    torch.save(content, folder / 'checkpoint.pt')
    message = refusal(tool, folder / 'checkpoint.pt', folder / 'out.pth')
    assert str(folder / 'checkpoint.pt') in message
    assert not (folder / 'out.pth').exists()
    return message


def check_heatmaps(backbone, expected, image):
    with torch.no_grad():
        found = backbone.double()(image)[: len(expected)]
    for maps, reference in zip(found, expected, strict=True):
        assert maps.shape == (1, 5, 8, 12)
        torch.testing.assert_close(maps, reference, rtol=1e-4, atol=1e-4)


def doubled(state):
    """Random weights let values grow far beyond 1, too far for single precision."""
    return {
        name: value.double() if value.is_floating_point() else value
        for name, value in state.items()
    }


@pytest.fixture
def image():
    return torch.linspace(0, 1, 3 * 32 * 48).view(1, 3, 32, 48).double()


@pytest.mark.parametrize('zipped', [True, False])
def test_princeton(tool, tmp_path, capsys, image, zipped):
    state = princeton_state(num_stacks=3)
    content = princeton_file(state)
    saving = dict(_use_new_zipfile_serialization=zipped)
    backbone, meta = converted(tool, content, tmp_path, **saving)
    assert meta['converted_from'] == "Princeton's pytorch_stacked_hourglass"
    assert meta['backbone'] == dict(
        type='StackedHourglass', num_stacks=3, stem='newell', **SIZES
    )
    check_heatmaps(backbone, author_maps(doubled(state), image, 3), image)
    # Built and stored there, but not used.
    assert 'hgs.1.0.low2.up1.skip_layer.conv.weight' in state
    assert backbone.stacks[1].hourglass.inner.up[0].skip is None

    printed = capsys.readouterr().out
    count = sum(p.numel() for p in backbone.parameters())
    assert f'hourglass.pth: {count:,} parameters of Princeton' in printed
    assert "backbone=dict(type='StackedHourglass', num_stacks=3," in printed
    assert 'mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], bgr_to_rgb=True' in printed
    assert (
        "head=dict(type='StackedHourglassHead', num_stacks=3, num_keypoints=5, "
        'decoder=codec),' in printed
    )


@pytest.mark.parametrize('num_residuals', [1, 2])
def test_author(tool, tmp_path, image, num_residuals):
    state = author_state(num_residuals=num_residuals)
    backbone, meta = converted(tool, dict(state), tmp_path)
    assert meta['converted_from'] == "the author's network in PyTorch"
    assert meta['backbone'].get('num_residuals', 1) == num_residuals
    check_heatmaps(backbone, author_maps(doubled(state), image, 2), image)


@pytest.mark.parametrize(
    ('num_residuals', 'best_acc'),
    [
        (1, 0.5),
        (1, np.float64(0.5)),
        (1, torch.tensor(0.5)),
        (2, np.array([0.5])),
    ],
)
def test_bearpaw(tool, tmp_path, capsys, image, num_residuals, best_acc):
    state = bearpaw_state(num_residuals=num_residuals)
    content = bearpaw_file(state, best_acc)
    backbone, meta = converted(tool, content, tmp_path)
    assert meta['converted_from'] == "bearpaw's pytorch-pose"
    assert meta['backbone']['stem'] == 'bearpaw'
    expected = bearpaw_maps(doubled(state), image, 2, num_residuals)
    check_heatmaps(backbone, expected, image)
    # Its loader subtracts a mean colour and divides by nothing but 255.
    printed = capsys.readouterr().out
    assert 'mean=[112.302, 113.22, 110.3385], std=[255.0, 255.0, 255.0]' in printed


def test_other_orders(tool, tmp_path):
    for state in (author_state(order=1), bearpaw_state(order=3)):
        backbone, meta = converted(tool, dict(state), tmp_path)
        order = meta['backbone']['order']
        assert order == (1 if 'pre.0.conv.weight' in state else 3)
        with torch.no_grad():
            assert backbone(torch.rand(1, 3, 33, 20))[-1].shape == (1, 6, 9, 5)


def test_files_of_old_torch_have_no_counters(tool, tmp_path):
    state = princeton_state()
    old = {k: v for k, v in state.items() if not k.endswith('num_batches_tracked')}
    assert len(old) < len(state)
    backbone, _ = converted(tool, princeton_file(old), tmp_path)
    assert backbone.stem.norm.num_batches_tracked == 0
    assert torch.equal(backbone.stem.norm.running_mean, old['pre.0.bn.running_mean'])
    backbone, _ = converted(tool, princeton_file(state), tmp_path)
    assert backbone.stem.norm.num_batches_tracked == 7


def test_pose_estimator_takes_the_file(tool, tmp_path, image):
    state = princeton_state()
    backbone, meta = converted(tool, princeton_file(state), tmp_path)
    codec = dict(type='MSRAHeatmap', input_size=(48, 32), heatmap_size=(12, 8), sigma=1)
    head = dict(
        type='StackedHourglassHead', num_stacks=2, num_keypoints=5, decoder=codec
    )
    model = MODELS.build(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=meta['data_preprocessor'],
            backbone=meta['backbone'],
            head=head,
        )
    ).eval()
    load_checkpoint(model, str(tmp_path / 'new' / 'hourglass.pth'), 'cpu', strict=True)
    model.double()
    with torch.no_grad():
        found = model(image, None, mode='tensor')
    reference = author_maps(doubled(state), image, 2)[-1]
    torch.testing.assert_close(found, reference, rtol=1e-4, atol=1e-4)


def without(state, name):
    return {k: v for k, v in state.items() if k != name}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            without(author_state(), 'features.1.1.bn.running_var'),
            '1 entries do not fit .* backbone.stacks.1.linear.norm.running_var is '
            'missing',
        ),
        (
            without(author_state(), 'pre.0.conv.weight'),
            'backbone.stem.convolution.weight is missing',
        ),
        (
            without(bearpaw_state(), 'hg.1.hg.1.0.0.conv2.weight'),
            'backbone.stacks.1.hourglass.up.0.convolution2.weight is missing',
        ),
        (
            {k: v for k, v in author_state().items() if not k.startswith('hgs')},
            'no Stacked Hourglass .* holds pre.0.conv.weight',
        ),
        (
            author_state() | {'hgs.0.0.extra.bn1.weight': torch.ones(6)},
            "1 entries are not of the author's .* hgs.0.0.extra.bn1.weight",
        ),
        (
            author_state() | {'outs.1.conv.weight': torch.ones(7, 6, 1, 1)},
            r'stacks.1.heatmap_convolution.weight is \(7, 6, 1, 1\) in the file and '
            r'\(5, 6, 1, 1\) in the network',
        ),
        (
            author_state() | {'pre.4.conv3.conv.weight': torch.ones(5, 3, 1, 1)},
            'no network has the sizes in the file: channels must be an even number',
        ),
        (
            author_state() | {'module.pre.0.bn.weight': torch.ones(4)},
            'pre.0.bn.weight is there twice',
        ),
        (
            author_state() | {'hgs.0.0.up1.0.bn1.weight': torch.ones(6)},
            'hgs.0.0.up1.0.bn1.weight and hgs.0.0.up1.bn1.weight are the same',
        ),
        (two_branch_state(), 'no Stacked Hourglass .* holds conv1_1.weight'),
        ({}, 'an empty dict without weights'),
        ({'state_dict': [1]}, 'a dict of 1 keys .* without weights'),
        ([torch.ones(2)], 'holds a list of 1 .Tensor.; expected is a dict'),
    ],
)
def test_other_files_are_explained(tool, tmp_path, content, message):
    plain = dict(content) if isinstance(content, dict) else content
    assert re.search(message, refused_content(tool, plain, tmp_path))


def test_another_hourglass_is_not_taken(tool, tmp_path):
    """MMPose's network of that name is CornerNet's."""
    network = MODELS.build(
        dict(
            type='HourglassNet',
            num_stacks=1,
            downsample_times=2,
            stage_channels=(8, 8, 8),
            stage_blocks=(1, 1, 1),
            feat_channel=8,
        )
    )
    message = refused_content(tool, network.state_dict(), tmp_path)
    assert 'no Stacked Hourglass of Princeton, of the author or of bearpaw' in message


class Malicious:
    def __reduce__(self):
        return os.system, ('touch was-run',)


def test_a_file_that_runs_code_is_refused(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = princeton_file(princeton_state()) | {'epoch': Malicious()}
    message = refused_content(tool, content, tmp_path)
    assert 'could run code' in message
    assert not (tmp_path / 'was-run').exists()


@pytest.mark.parametrize('zipped', [True, False])
def test_a_truncated_file_is_refused(tool, tmp_path, zipped):
    source = tmp_path / 'checkpoint.pt'
    content = princeton_file(princeton_state())
    torch.save(content, source, _use_new_zipfile_serialization=zipped)
    with source.open('r+b') as file:
        file.truncate(source.stat().st_size // 2)
    message = refusal(tool, source, tmp_path / 'out.pth')
    assert 'is truncated' in message


def test_a_missing_file_is_told(tool, tmp_path):
    message = refusal(tool, tmp_path / 'none.pt', tmp_path / 'out.pth')
    assert 'none.pt can not be found' in message


def test_a_target_that_is_a_folder_is_told(tool, tmp_path):
    torch.save(dict(author_state()), tmp_path / 'checkpoint.pt')
    message = refusal(tool, tmp_path / 'checkpoint.pt', tmp_path)
    assert 'is a folder' in message
