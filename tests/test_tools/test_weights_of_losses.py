"""Weights of a perceptual loss: for trainings, also resumed ones, not for tests."""

import numpy as np
import pytest
import tiny
from mmpose.apis import MMPoseInferencer

from mmkp.engine.checkpoint import load_checkpoint_file


def test_who_needs_the_file(tmp_path, capsys):
    weights = tmp_path / 'vgg.npz'
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 0.1, (64, 3, 3, 3)).astype(np.float32)
    np.savez(weights, **{'conv1_1.weight': kernel, 'conv1_1.bias': np.zeros(64)})
    extra = (
        f"model['losses']['perceptual'].update(weights={str(weights)!r}, "
        "layers=['relu1_1'], base_channels=64)\n"
    )
    config = tiny.write_config(tmp_path, extra=extra, max_iters=6)
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'whole')
    half = ['--cfg-options', 'train_cfg.max_iters=3']
    work = tmp_path / 'work'
    tiny.call_tool('train.py', config, '--work-dir', work, *half)
    # A resumed training reads the file again, and equals one that was not interrupted.
    tiny.call_tool('train.py', config, '--work-dir', work, '--resume')
    states = [
        load_checkpoint_file(tmp_path / name / 'iter_6.pth')['state_dict']
        for name in ('whole', 'work')
    ]
    assert all(np.array_equal(states[0][key], states[1][key]) for key in states[0])
    assert not any('perceptual.features' in key for key in states[0])

    weights.unlink()
    checkpoint = work / 'iter_6.pth'
    tiny.call_tool('test.py', config, checkpoint, '--work-dir', tmp_path / 'tested')
    inferencer = MMPoseInferencer(str(config), str(checkpoint), device='cpu')
    (result,) = inferencer(str(tmp_path / 'images/000.png'))
    assert len(result['predictions'][0][0]['keypoints']) == 4
    capsys.readouterr()
    for more in ([], ['--resume', work / 'iter_3.pth']):
        with pytest.raises(SystemExit):
            tiny.call_tool('train.py', config, '--work-dir', work, *more)
        message = capsys.readouterr().err
        assert f'error: VGG weights file {weights} does not exist; give' in message
