"""Converter of LMDIS checkpoints, on synthetic ones made of our own weights.

No file of the release could be read, so the names are those that its code gives.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint
from official_lmdis import K, build, dump, model_config

import mmkp  # noqa: F401  registers the model

SCRIPT = Path(__file__).resolve().parents[2] / 'tools/model_converters/lmdis_to_mmkp.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('lmdis_to_mmkp', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tool_writes_what_mmengine_loads(tool, tmp_path, capsys):
    model = build(0)
    np.savez(tmp_path / 'lmdis.npz', **dump(model))
    config = tmp_path / 'config.py'
    config.write_text(f'model = {model_config()!r}')
    target = tmp_path / 'out' / 'lmdis.pth'
    tool.main([str(config), str(tmp_path / 'lmdis.npz'), str(target)])
    assert 'legacy_gauss=True' in capsys.readouterr().out
    loaded = build(1)
    checkpoint = load_checkpoint(loaded, str(target), map_location='cpu', strict=True)
    assert checkpoint['meta']['dataset_meta']['num_keypoints'] == K
    images = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        expected, found = (m.reconstruct(images) for m in (model, loaded))
    torch.testing.assert_close(found['keypoints'], expected['keypoints'])


def test_the_tool_tells_of_errors_in_a_sentence(tool, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(f'model = {model_config()!r}')
    broken = tmp_path / 'broken.npz'
    broken.write_bytes(b'no archive')
    for source, message in (
        (tmp_path / 'missing.npz', 'does not exist'),
        (broken, 'broken.npz .*no .npz file'),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            tool.main([str(config), str(source), str(tmp_path / 'out.pth')])
    config.write_text("model = dict(type='AutoLink')")
    with pytest.raises(ValueError, match='is of a AutoLink, not of LMDIS'):
        tool.main([str(config), str(broken), str(tmp_path / 'out.pth')])
