"""Conversion of official AutoLink checkpoints, on small ones."""

import argparse
import sys
import types
from pathlib import Path

import pytest
import torch
from official_autolink import lightning, official_state, small_model

import mmkp  # noqa: F401  registers the models
from mmkp.converters.autolink import (
    convert_checkpoint,
    convert_state_dict,
    read_lightning,
)


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
