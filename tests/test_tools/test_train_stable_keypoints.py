# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""StableKeypoints on a tiny diffusion pipeline, as from the command line."""

import atexit
import functools
import json
import pickle
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
import torch
from tiny_diffusion import save_tiny_pipeline

from mmkp.engine.checkpoint import load_checkpoint_file

CONTENT = {
    'head.tokens',
    'head.token_indices',
    'head.untrained_token_indices',
    'backbone.base_fingerprint',
}
PARTS = """
model = dict(
    type='StableKeypoints',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3,
        bgr_to_rgb=True),
    backbone=dict(
        type='DiffusionAttention', base_model={pipeline!r}, latent_cache={cache!r}),
    head=dict(type='TokenHead', num_tokens=12, num_keypoints=4, map_size=(16, 16)),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'),
    losses=dict(
        localization=dict(type='LocalizationLoss'),
        equivariance=dict(type='MapEquivarianceLoss')),
    train_cfg=dict(num_candidates=8, num_selected=4),
    test_cfg=dict(num_views=2, view_map_size=(16, 16), untrained_control=True))
train_dataloader['batch_size'] = 1
optim_wrapper['accumulative_counts'] = 2
train_cfg['val_interval'] = 2
default_hooks['checkpoint'] = dict(interval=2)
custom_hooks = [dict(type='TokenSelectionHook', num_images=2)]
"""


def write_config(folder, pipeline, **options):
    if not (folder / 'images').is_dir():
        tiny.draw_figures(folder / 'images', number=3, size=40)
    text = PARTS.format(pipeline=str(pipeline), cache=str(folder / 'latents'))
    return tiny.write_config(folder, extra=text, max_iters=4, **options)


@functools.cache
def trained():
    """Config and work directory of a finished training, made once a session."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pipeline = save_tiny_pipeline(folder / 'pipeline')
    config = write_config(folder, pipeline)
    tiny.call_tool('train.py', config, '--work-dir', folder / 'work')
    return config, folder / 'work'


@pytest.fixture(autouse=True)
def _needs_diffusers():
    pytest.importorskip('diffusers')


def told(capsys, tool, *arguments):
    """The one line that a tool says before it ends with status 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool(tool, *arguments)
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip()
    assert message.splitlines()[-1].startswith('error: ')
    assert 'Traceback' not in message
    return message.splitlines()[-1]


class TestTraining:
    def test_a_checkpoint_is_small_and_holds_no_network(self):
        _, work = trained()
        path = work / 'iter_4.pth'
        pipeline = work.parent / 'pipeline'
        weights = sum(p.stat().st_size for p in pipeline.rglob('*.safetensors'))
        assert path.stat().st_size < 100_000 < weights
        content = load_checkpoint_file(path)
        assert set(content['state_dict']) == CONTENT
        assert content['state_dict']['head.tokens'].shape == (12, 32)
        assert (content['state_dict']['head.token_indices'] >= 0).all()
        assert (content['state_dict']['head.untrained_token_indices'] >= 0).all()
        # What Adam knows of the tokens is the rest.
        [group] = content['optimizer']['param_groups']
        assert len(group['params']) == 1

    def test_tokens_are_trained(self):
        _, work = trained()
        tokens = [
            load_checkpoint_file(work / f'iter_{step}.pth')['state_dict']['head.tokens']
            for step in (2, 4)
        ]
        change = (tokens[0] - tokens[1]).abs().amax(1)
        assert (change > 1e-4).all()  # by the softmax over all
        assert list(work.rglob('vis_image/discovery*.png'))
        # Each image is encoded once, views of it are never kept.
        assert len(list((work.parent / 'latents').iterdir())) == 3

    def test_resumed_to_the_same_bits(self, tmp_path):
        config, work = trained()
        shutil.copytree(work, tmp_path / 'work')
        (tmp_path / 'work/last_checkpoint').unlink()  # names the other folder
        last = tmp_path / 'work/iter_4.pth'
        last.write_bytes(last.read_bytes()[:5000])  # killed while writing
        options = ['--work-dir', tmp_path / 'work', '--resume']
        tiny.call_tool('train.py', config, *options)
        resumed, whole = (
            load_checkpoint_file(path)['state_dict']
            for path in (last, work / 'iter_4.pth')
        )
        assert set(resumed) == CONTENT
        for name in CONTENT:
            assert torch.equal(resumed[name], whole[name]), name


class TestPrediction:
    def test_test(self, tmp_path):
        config, work = trained()
        out, dump, shown = (tmp_path / n for n in ('m.json', 'p.pkl', 'shown'))
        tiny.call_tool(
            'test.py', config, work / 'iter_4.pth', '--work-dir', tmp_path / 'work',
            '--out', out, '--dump', dump, '--show-dir', shown,
        )  # fmt: skip
        assert json.loads(out.read_text()).keys() == {'tiny/spread'}
        predictions = pickle.loads(dump.read_bytes())
        assert len(predictions) == 3
        for prediction in predictions:
            instances = prediction['pred_instances']
            keypoints = instances['keypoints']
            assert keypoints.shape == (1, 4, 2)
            # 16 cells over 40 pixels.
            cells = (keypoints + 0.5) / 2.5 - 0.5
            np.testing.assert_allclose(cells, cells.round(), atol=0.21)
            assert keypoints.min() >= 0 and keypoints.max() <= 39
            assert (instances['untrained_keypoints'] != keypoints).any()
        names = {path.name for path in shown.iterdir()}
        assert {'discovery_test.png', '000_0.png', '002_0.png'} <= names

    def test_infer(self, tmp_path):
        config, work = trained()
        out = tmp_path / 'out'
        source = work.parent / 'images'
        arguments = (config, work / 'iter_4.pth', source, '--device', 'cpu')
        tiny.call_tool('infer.py', *arguments, '--out', out, '--show-heatmaps')
        assert cv2.imread(str(out / 'heatmaps/000.png')).shape[0] >= 384
        content = json.loads((out / 'keypoints.json').read_text())
        assert content['num_keypoints'] == 4
        names = [record['image'] for record in content['images']]
        assert names == ['000.png', '001.png', '002.png']
        [instance] = content['images'][0]['instances']
        assert np.shape(instance['keypoints']) == (4, 2)
        assert all(0 < score <= 1 for score in instance['keypoint_scores'])
        drawn = cv2.imread(str(out / 'pictures/000.png'))
        plain = cv2.imread(str(source / '000.png'))
        plain = cv2.resize(plain, drawn.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        assert (drawn != plain).any()
        # One image alone is predicted as in its batch.
        alone = tmp_path / 'alone'
        arguments = (config, work / 'iter_4.pth', source / '001.png')
        tiny.call_tool('infer.py', *arguments, '--out', alone, '--no-pictures')
        [record] = json.loads((alone / 'keypoints.json').read_text())['images']
        np.testing.assert_allclose(
            record['instances'][0]['keypoints'],
            content['images'][1]['instances'][0]['keypoints'],
        )


class TestMistakes:
    def test_tokens_of_another_base_model(self, tmp_path, capsys):
        config, work = trained()
        pipeline = tmp_path / 'other'
        shutil.copytree(work.parent / 'pipeline', pipeline)
        from safetensors.torch import load_file, save_file

        path = pipeline / 'unet/diffusion_pytorch_model.safetensors'
        state = load_file(path)
        state['conv_in.weight'].neg_()
        save_file(state, path, metadata=dict(format='pt'))
        option = f'model.backbone.base_model={pipeline}'
        arguments = (config, work / 'iter_4.pth', work.parent / 'images')
        options = ('--out', tmp_path / 'out', '--cfg-options', option)
        message = told(capsys, 'infer.py', *arguments, *options)
        assert 'trained with another frozen network' in message
        assert 'Give the same base_model' in message
        assert not (tmp_path / 'out/keypoints.json').exists()

    def test_base_model_that_is_not_there(self, tmp_path, capsys):
        config, _ = trained()
        option = f'model.backbone.base_model={tmp_path / "absent"}'
        message = told(
            capsys, 'train.py', config, '--work-dir', tmp_path / 'work',
            '--cfg-options', option,
        )  # fmt: skip
        assert (
            f"base_model='{tmp_path / 'absent'}' has no folder unet or vae" in message
        )
        assert 'give the folder of a diffusers pipeline' in message

    def test_without_diffusers(self, tmp_path, capsys, monkeypatch):
        config, _ = trained()
        monkeypatch.setitem(sys.modules, 'diffusers', None)
        message = told(capsys, 'train.py', config, '--work-dir', tmp_path / 'work')
        assert 'DiffusionAttention needs diffusers' in message
        assert message.endswith('pip install -r requirements/diffusion.txt')
