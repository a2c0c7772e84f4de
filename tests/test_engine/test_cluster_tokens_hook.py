# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Clusters of features become the tokens before the first step."""

import time
from types import SimpleNamespace

import pytest
import tiny
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from test_token_selection_hook import MODEL

from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.hooks import ClusterTokensHook

BACKBONE = dict(MODEL['backbone'], position_weight=0.5)
HEAD = dict(MODEL['head'], num_tokens=12)
TEXT = f"""
model = {dict(MODEL, backbone=BACKBONE, head=HEAD)!r}
optim_wrapper['optimizer']['lr'] = 0.0
default_hooks['checkpoint']['max_keep_ckpts'] = -1
custom_hooks = [dict(type='ClusterTokensHook', num_images=7, batch_size=3)]
"""


def train(folder, name, steps=1, **changes):
    """Train over some steps, and return the model and the last checkpoint."""
    path = tiny.write_config(folder, f'{name}.py', TEXT, max_iters=steps)
    cfg = Config.fromfile(path)
    cfg.update(work_dir=str(folder / name), **changes)
    cfg.experiment_name = f'{name}_{time.monotonic_ns()}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    path = folder / name / f'iter_{steps}.pth'
    return runner, load_checkpoint_file(path)['state_dict']


def test_tokens_are_means_of_the_cells_that_attend_to_them(tmp_path):
    runner, state = train(tmp_path, 'run')
    tokens, model = state['head.tokens'], runner.model
    dataset = runner.train_dataloader.dataset
    cells = []
    for place in (0, 2, 3, 5, 7, 8, 10):  # 7 of 11, evenly
        batch = dict(inputs=[dataset[place]['inputs']], data_samples=[])
        images = model.data_preprocessor(batch)['inputs']
        features = model.backbone.features(images)
        cells.append(features.permute(0, 2, 3, 1).flatten(0, 2))
    cells = torch.cat(cells)
    lengths = cells.norm(dim=1)
    torch.testing.assert_close(tokens.norm(dim=1), lengths.mean().expand(12))
    nearest = (cells @ tokens.T).argmax(1)
    cosines = []
    for index in range(12):
        mean = (cells[nearest == index] / lengths[nearest == index, None]).sum(0)
        cosines.append(torch.cosine_similarity(mean, tokens[index], 0))
    assert min(cosines) > 0.97  # some of the images were flipped at random
    chosen = state['head.token_indices'].tolist()
    assert len(set(chosen)) == 4 and min(chosen) >= 0 and max(chosen) < 12
    assert (state['head.untrained_token_indices'] >= 0).all()


def test_not_over_tokens_that_were_trained(tmp_path):
    _, first = train(tmp_path, 'first')
    changed = load_checkpoint_file(tmp_path / 'first/iter_1.pth')
    changed['state_dict']['head.tokens'] += 1
    path = tmp_path / 'changed.pth'
    torch.save(changed, path)
    expected = first['head.tokens'] + 1
    _, begun = train(tmp_path, 'begun', load_from=str(path))
    assert torch.equal(begun['head.tokens'], expected)
    _, again = train(tmp_path, 'again', steps=2, load_from=str(path), resume=True)
    assert torch.equal(again['head.tokens'], expected)
    _, repeated = train(tmp_path, 'repeated')
    assert torch.equal(repeated['head.tokens'], first['head.tokens'])


def test_of_a_figure_the_background_is_no_keypoint(tmp_path):
    hook = dict(type='ClusterTokensHook', num_images=7, batch_size=3)
    hook.update(figure_tolerance=1e-4)
    runner, state = train(tmp_path, 'figure', custom_hooks=[hook])
    # The border explains no pixel as exactly as that: all is figure, as without it.
    _, plain = train(tmp_path, 'plain')
    assert torch.equal(state['head.token_indices'], plain['head.token_indices'])
    inputs = torch.zeros(1, 3, 16, 16)
    inputs[..., 4:8, 4:12] = 3.0
    figure = ClusterTokensHook(figure_tolerance=0.1)._figure(inputs, (8, 8))
    expected = torch.zeros(1, 8, 8)
    expected[:, 2:4, 2:6] = 1
    torch.testing.assert_close(figure, expected)


def test_refuses():
    with pytest.raises(ValueError, match='figure_tolerance=0 must be positive'):
        ClusterTokensHook(figure_tolerance=0)
    with pytest.raises(ValueError, match='num_cells=0'):
        ClusterTokensHook(num_cells=0)
    runner = SimpleNamespace(model=SimpleNamespace(backbone=torch.nn.Identity()))
    with pytest.raises(ValueError, match='clusters the features of FeatureAttention'):
        ClusterTokensHook().before_run(runner)
