"""What else a checkpoint file may hold, and what is said of it."""

import numpy as np
import pytest
import tiny
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from mmkp.apis import load_model
from mmkp.engine import CheckpointError, CheckpointMismatchError, as_checkpoint
from mmkp.engine.publish import publish_checkpoint


@pytest.fixture(scope='module')
def state():
    return dict(load_model(tiny.trained()[0], tiny.trained()[1], 'cpu').state_dict())


def prefixed(state, prefix):
    return {prefix + key: value for key, value in state.items()}


LOADED = {
    'bare': lambda s: s,
    'state_dict': lambda s: dict(state_dict=s, arch='hg', best_acc=np.float32(0.1)),
    'module.': lambda s: dict(state_dict=prefixed(s, 'module.')),
    'module. twice': lambda s: prefixed(s, 'module.module.'),
    'compiled': lambda s: dict(state_dict=prefixed(s, '_orig_mod.')),
    'compiled and parallel': lambda s: prefixed(s, 'module._orig_mod.'),
    'model': lambda s: dict(model=s, optimizer=dict(state={}, param_groups=[])),
    'model_state_dict': lambda s: dict(epoch=3, model_state_dict=s, loss=0.1),
    'nested': lambda s: dict(checkpoint=dict(model=s), epoch=1),
    'with the average': lambda s: dict(ema=s, model=s),
    'arrays': lambda s: {k: v.numpy() for k, v in s.items()},
    'HRNet': lambda s: dict(
        epoch=9, model='pose_hrnet', state_dict=s, best_state_dict=s, perf=0.7
    ),
    'other meta': lambda s: dict(state_dict=s, meta='mine'),
    'no meta': lambda s: dict(state_dict=s, meta=None),
    'other dataset_meta': lambda s: dict(state_dict=s, meta=dict(dataset_meta=[1])),
    'half precision': lambda s: {
        k: v.half() if v.is_floating_point() else v for k, v in s.items()
    },
    'old format': lambda s: s,
}


@pytest.mark.parametrize('name', LOADED)
def test_weights_are_found(name, state, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(
        LOADED[name](state),
        path,
        _use_new_zipfile_serialization=name != 'old format',
    )
    loaded = load_model(tiny.trained()[0], path, 'cpu').state_dict()
    tolerance = dict(rtol=1e-3, atol=1e-4) if name == 'half precision' else {}
    torch.testing.assert_close(dict(loaded), state, **tolerance)


REFUSED = {
    'a list': ([1, 2], r'a list of 2 \(int\)'),
    'a list of tensors': ([torch.ones(2)], r'a list of 1 \(Tensor\)'),
    'nothing': (None, r'nothing \(None\)'),
    'a tensor': (torch.zeros(3), r'a Tensor of shape \(3,\)'),
    'an array': (np.zeros((2, 2)), r'a ndarray of shape \(2, 2\)'),
    'text': ('abc', "the text 'abc'"),
    'a number': (5, 'a int'),
    'an empty dict': ({}, 'an empty dict'),
    'a dict of numbers': (dict(a=1, b=2), r"a dict of 2 keys \('a', 'b'\) without wei"),
    'a dict by numbers': ({0: torch.ones(1)}, 'a dict of 1 keys'),
    'an optimizer': (
        torch.optim.Adam([torch.ones(1)]).state_dict(),
        "a dict of 2 keys .'state', 'param_groups'. without weights",
    ),
    'state_dict of nothing': (dict(state_dict={}), 'without weights'),
    'state_dict of a number': (dict(state_dict=1), 'without weights'),
    'two networks': (
        dict(netG=dict(a=torch.ones(1)), netD=dict(a=torch.ones(1))),
        "the weights of 2 networks, below 'netG', 'netD': save those of one",
    ),
}


@pytest.mark.parametrize('name', REFUSED)
def test_one_sentence_says_what_was_found(name, tmp_path):
    content, message = REFUSED[name]
    path = tmp_path / 'other.pth'
    torch.save(content, path)
    for load in (
        lambda: load_model(tiny.trained()[0], path, 'cpu'),
        lambda: CheckpointLoader.load_checkpoint(str(path)),
        lambda: publish_checkpoint(path, tmp_path / 'published'),
    ):
        with pytest.raises(CheckpointError, match=f'other.pth holds .*{message}'):
            load()


def test_prefixes_of_other_programs_are_named(state, tmp_path):
    path = tmp_path / 'lightning.ckpt'
    torch.save(dict(state_dict=prefixed(state, 'model.net.')), path)
    message = "under names that begin with 'model.net.': save them without it"
    with pytest.raises(CheckpointMismatchError, match=message):
        load_model(tiny.trained()[0], path, 'cpu')


def test_a_trusted_network_is_no_dict_of_weights():
    with pytest.raises(CheckpointError, match='holds a Linear'):
        as_checkpoint(torch.nn.Linear(1, 1), 'net.pth')


def test_one_wrapped_name_is_left_alone():
    weights = {'module.a': torch.ones(1), 'b': torch.ones(1)}
    assert as_checkpoint(weights, 'file') is weights


def test_a_whole_network_is_told_what_to_save(tmp_path):
    torch.save(dict(model=torch.nn.Linear(1, 1)), tmp_path / 'net.pth')
    with pytest.raises(Exception, match=r'torch.nn.modules.linear.Linear.*state_dict'):
        load_model(tiny.trained()[0], tmp_path / 'net.pth', 'cpu')
