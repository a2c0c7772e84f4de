# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Each checkpoint holds the choice that follows from its own tokens."""

import time
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import tiny
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpose.registry import DATASETS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.hooks import TokenSelectionHook
from mmkp.engine.random_state import seed_generators

MODEL = dict(
    type='StableKeypoints',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='FeatureAttention',
        backbone=dict(type='AutoLinkEncoder', channels=[4, 8]),
        in_channels=(8,),
    ),
    head=dict(type='TokenHead', num_tokens=40, num_keypoints=4, map_size=(8, 8)),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
    ),
    losses=dict(
        localization=dict(type='LocalizationLoss', sigma=1.0),
        equivariance=dict(type='MapEquivarianceLoss'),
    ),
    train_cfg=dict(num_candidates=12, num_selected=5, sigma=1.0),
    test_cfg=dict(num_views=2, view_map_size=(8, 8), untrained_control=True),
)
HOOK = "custom_hooks = [dict(type='TokenSelectionHook', num_images=7, batch_size=2)]\n"
CHOSEN = ('head.token_indices', 'head.untrained_token_indices')


def train(folder, name, hooks=HOOK, extra=''):
    """Train over eight steps with a validation and two checkpoints in between."""
    text = f"""
model = {MODEL!r}
optim_wrapper['optimizer']['lr'] = 0.3
default_hooks['checkpoint']['max_keep_ckpts'] = -1
{hooks}{extra}"""
    config = tiny.write_config(folder, f'{name}.py', text, max_iters=8)
    cfg = Config.fromfile(config)
    cfg.work_dir = str(folder / name)
    cfg.experiment_name = f'{name}_{time.monotonic_ns()}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    paths = [folder / name / f'iter_{step}.pth' for step in (3, 6, 8)]
    return cfg, [load_checkpoint_file(path)['state_dict'] for path in paths]


def chosen_from(cfg, tokens, number=7):
    """The choice, by the names of its steps (section 3.3)."""
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model).eval()
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    seed_generators(0)
    places = np.linspace(0, len(dataset) - 1, number).round().astype(int)
    counts = torch.zeros(len(tokens))
    for start in range(0, number, 2):
        images = [dataset[place]['inputs'] for place in places[start : start + 2]]
        images = torch.stack(images).flip(1).float().sub(127.5).div(127.5)
        counts += (
            model.select_from_images(images, tokens)
            .flatten()
            .bincount(minlength=len(tokens))
        )
    return counts.argsort(descending=True, stable=True)[:4].tolist()


class TestCheckpoints:
    def test_indices_are_those_of_the_tokens(self, tmp_path):
        cfg, states = train(tmp_path, 'work')
        untrained = MODELS.build(cfg.model).head.untrained_tokens(0)
        expected = chosen_from(cfg, untrained)
        found = []
        for state in states:
            found.append(state['head.token_indices'].tolist())
            assert found[-1] == chosen_from(cfg, state['head.tokens'])
            assert state['head.untrained_token_indices'].tolist() == expected
        # So different tokens are chosen that older ones would be noticed.
        assert len({tuple(indices) for indices in found}) == 3

    def test_training_goes_on_to_the_same_bits(self, tmp_path):
        _, with_hook = train(tmp_path, 'with')
        _, without = train(tmp_path, 'without', hooks='')
        for left, right in zip(with_hook, without, strict=True):
            assert torch.equal(left['head.tokens'], right['head.tokens'])
            for name in CHOSEN:
                assert (left[name] >= 0).all() and (right[name] == -1).all()

    def test_averaged_tokens(self, tmp_path):
        hooks = HOOK.replace('[dict', "[dict(type='EMAHook', momentum=0.3), dict")
        cfg, states = train(tmp_path, 'averaged', hooks)
        last = load_checkpoint_file(tmp_path / 'averaged/iter_8.pth')
        raw = last['ema_state_dict']['module.head.tokens']
        averaged = states[-1]['head.tokens']
        assert not torch.equal(raw, averaged)
        indices = states[-1]['head.token_indices'].tolist()
        assert indices == chosen_from(cfg, averaged)
        assert indices != chosen_from(cfg, raw)


class Tokens(nn.Module):
    """Notes what it is asked, and finds the tokens of highest first channel."""

    def __init__(self, **test_cfg):
        super().__init__()
        head = dict(type='TokenHead', num_tokens=9, num_keypoints=2, token_width=3)
        self.head = MODELS.build(head)
        self.test_cfg = test_cfg
        self.asked = []
        self.data_preprocessor = MODELS.build(dict(type='PoseDataPreprocessor'))

    def select_from_images(self, inputs, tokens=None):
        assert not self.training and not torch.is_grad_enabled()
        tokens = self.head.tokens if tokens is None else tokens
        self.asked.append(inputs[:, 0, 0, 0].tolist())
        np.random.rand(), torch.rand(1)  # as views of images do
        return tokens[:, 0].topk(2).indices.expand(len(inputs), -1)


def fake_runner(model=None, training=True, number=10):
    dataset = [
        dict(inputs=torch.full((3, 2, 2), i), data_samples=PoseDataSample())
        for i in range(number)
    ]
    model = Tokens().train() if model is None else model
    loop = mock.Mock(spec=IterBasedTrainLoop) if training else dict(max_iters=3)
    return SimpleNamespace(
        model=model,
        train_dataloader=SimpleNamespace(dataset=dataset),
        _train_loop=loop,
        logger=mock.Mock(),
    )


def save(hook, runner):
    state = {k: v.clone() for k, v in runner.model.state_dict().items()}
    hook.before_save_checkpoint(runner, dict(state_dict=state))
    return state


class TestChoice:
    def test_images_are_spread_over_the_data_set(self):
        runner = fake_runner()
        TokenSelectionHook(num_images=4, batch_size=3).before_val_epoch(runner)
        assert runner.model.asked == [[0, 3, 6], [9]]
        runner = fake_runner(number=3)
        TokenSelectionHook(num_images=100).before_val_epoch(runner)
        assert runner.model.asked == [[0], [1], [2]]

    def test_equal_tokens_are_not_looked_at_again(self):
        hook, runner = TokenSelectionHook(num_images=2), fake_runner()
        head, asked = runner.model.head, runner.model.asked
        hook.before_val_epoch(runner)
        first = save(hook, runner)
        assert len(asked) == 2
        assert first['head.token_indices'].tolist() == head.token_indices.tolist()
        best = head.tokens[:, 0].topk(2).indices.sort().values
        assert head.token_indices.tolist() == best.tolist()
        with torch.no_grad():
            head.tokens[3:5, 0] = 9
        second = save(hook, runner)
        assert len(asked) == 4
        assert second['head.token_indices'].tolist() == [3, 4]
        hook.before_val_epoch(runner)
        assert len(asked) == 4

    def test_generators_and_mode_stay(self):
        hook = TokenSelectionHook(num_images=2)
        for training in (True, False):
            runner = fake_runner(Tokens(untrained_control=True).train(training))
            states = torch.get_rng_state(), np.random.get_state()[1].copy()
            save(hook, runner)
            assert len(runner.model.asked) == 4
            assert torch.equal(torch.get_rng_state(), states[0])
            assert (np.random.get_state()[1] == states[1]).all()
            assert runner.model.training == training

    def test_generators_and_mode_stay_after_a_failure(self):
        runner = fake_runner()
        runner.model.select_from_images = mock.Mock(side_effect=RuntimeError('full'))
        state = torch.get_rng_state()
        with pytest.raises(RuntimeError, match='full'):
            TokenSelectionHook().before_val_epoch(runner)
        assert torch.equal(torch.get_rng_state(), state)
        assert runner.model.training

    def test_untrained_tokens_are_looked_at_once(self):
        hook = TokenSelectionHook(num_images=1)
        runner = fake_runner(Tokens(untrained_control=True, untrained_seed=4))
        head = runner.model.head
        state = save(hook, runner)
        best = head.untrained_tokens(4)[:, 0].topk(2).indices.sort().values
        assert state['head.untrained_token_indices'].tolist() == best.tolist()
        with torch.no_grad():
            head.tokens.add_(1)
        save(hook, runner)
        assert len(runner.model.asked) == 3

    def test_without_a_control_none_is_chosen(self):
        runner = fake_runner()
        state = save(TokenSelectionHook(num_images=1), runner)
        assert state['head.untrained_token_indices'].tolist() == [-1, -1]

    def test_a_validation_alone_takes_the_choice_of_the_checkpoint(self):
        runner = fake_runner(training=False)
        TokenSelectionHook().before_val_epoch(runner)
        assert not runner.model.asked
        assert runner.model.head.token_indices.tolist() == [-1, -1]

    def test_is_told(self):
        runner = fake_runner()
        with torch.no_grad():
            runner.model.head.tokens[3:5, 0] = 9
        TokenSelectionHook(num_images=6).before_val_epoch(runner)
        [call] = runner.logger.info.call_args_list
        assert 'tokens [3, 4]' in call.args[0]
        assert '[6, 6] of 6 training images' in call.args[0]


class TestMistakes:
    def test_models_without_tokens(self, tmp_path, capsys):
        config = tiny.write_config(tmp_path, extra=HOOK)
        with pytest.raises(SystemExit, match='2'):
            tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work')
        error = capsys.readouterr().err
        assert error.startswith('error: TokenSelectionHook chooses tokens')
        assert 'which AutoLink does not have: take it out of custom_hooks' in error

    @pytest.mark.parametrize('options', (dict(num_images=0), dict(batch_size=0)))
    def test_no_images(self, options):
        with pytest.raises(ValueError, match='must be at least 1'):
            TokenSelectionHook(**options)
