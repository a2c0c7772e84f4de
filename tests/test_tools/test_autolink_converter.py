"""Converter of official AutoLink checkpoints, on small ones of the official format."""

import importlib.util
import os
from pathlib import Path

import pytest
import torch
from mmengine.runner import load_checkpoint
from official_autolink import add_vgg, lightning, official_state, small_model

import mmkp  # noqa: F401  registers the models
from mmkp.models.losses.perceptual_loss import PerceptualLoss

SCRIPT = (
    Path(__file__).resolve().parents[2]
    / 'tools/model_converters/autolink_lightning_to_mmkp.py'
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


def test_a_checkpoint_without_vgg_says_so(tool, tmp_path):
    torch.save(lightning(official_state()), tmp_path / 'model.ckpt')
    paths = [tmp_path / name for name in ('model.ckpt', 'out.pth', 'vgg.pth')]
    message = refusal(tool, *paths[:2], '--vgg-out', paths[2])
    assert 'carries no VGG' in message
    assert not paths[1].exists() and not paths[2].exists()
