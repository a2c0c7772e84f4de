# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training that goes on from a checkpoint, and what a checkpoint holds, by device."""

import pytest
import tiny
import torch
from tiny_training import assert_same_bits, final_tensors, train

from mmkp.engine import load_checkpoint_file
from mmkp.engine.random_state import get_random_state, set_random_state

DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.cuda)]


@pytest.fixture(params=DEVICES)
def device(request, monkeypatch):
    """Where the runner moves the model to."""
    monkeypatch.setattr('mmengine.runner.runner.get_device', lambda: request.param)
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    yield request.param
    torch.use_deterministic_algorithms(False)


def test_resumed_training_ends_with_the_same_bits(tmp_path, device):
    config = tiny.write_config(tmp_path)
    options = {'randomness.seed': 3, 'randomness.deterministic': True}
    options['default_hooks.checkpoint.interval'] = 2
    whole = train(config, tmp_path / 'whole', **options, **{'train_cfg.max_iters': 4})
    assert next(whole.model.parameters()).device.type == device
    train(config, tmp_path / 'part', **options, **{'train_cfg.max_iters': 2})
    resumed = train(
        config, tmp_path / 'part', resume=True, **options, **{'train_cfg.max_iters': 4}
    )
    assert resumed.iter == whole.iter == 4
    assert_same_bits(final_tensors(resumed), final_tensors(whole))
    saved = load_checkpoint_file(tmp_path / 'whole' / 'iter_4.pth')
    (state,) = saved['random_state']['ranks']
    assert ('cuda' in state) == torch.cuda.is_available()


@pytest.mark.parametrize('device_name', DEVICES)
def test_random_state_continues_where_it_was(device_name):
    torch.manual_seed(0)
    state = get_random_state()
    expected = torch.rand(3, device=device_name), torch.randn(2)
    set_random_state(state)
    found = torch.rand(3, device=device_name), torch.randn(2)
    assert all(a.equal(b) for a, b in zip(found, expected, strict=True))
    assert ('cuda' in state) == torch.cuda.is_available()
