"""Training, resuming and testing as from the command line."""

import json
import pickle

import cv2
import tiny
import torch

from mmkp.engine.checkpoint import load_checkpoint_file


def weights(path):
    return load_checkpoint_file(path)['state_dict']


def same(left, right):
    return all(torch.equal(left[key], right[key]) for key in left)


def test_resume_after_a_truncated_checkpoint(tmp_path):
    config, _ = tiny.trained()
    work = tmp_path / 'work'
    options = ['--work-dir', work]
    tiny.call_tool(
        'train.py',
        config,
        *options,
        '--cfg-options',
        'default_hooks.checkpoint.interval=4',
    )
    names = sorted(path.name for path in work.glob('*.pth'))
    assert names == ['iter_12.pth', 'iter_14.pth', 'iter_8.pth']
    last = work / 'iter_14.pth'
    uninterrupted = weights(last)
    last.write_bytes(last.read_bytes()[:5000])
    (work / 'iter_12.pth').write_bytes(b'PK')
    tiny.call_tool('train.py', config, *options, '--resume')
    assert same(uninterrupted, weights(last))


def test_resume_without_a_checkpoint_starts_from_scratch(tmp_path, capfd):
    config, _ = tiny.trained()
    for name, options in (('plain', []), ('new', ['--resume', 'auto'])):
        tiny.call_tool('train.py', config, '--work-dir', tmp_path / name, *options)
    plain, new = (tmp_path / name / 'iter_14.pth' for name in ('plain', 'new'))
    assert same(weights(plain), weights(new))


def test_seed_and_no_validation(tmp_path):
    config, finished = tiny.trained()
    arguments = ['--no-validate', '--cfg-options', 'train_cfg.max_iters=3']
    for name, seed in (('a', 5), ('b', 5), ('c', 6)):
        options = ['--work-dir', tmp_path / name, '--seed', seed]
        tiny.call_tool('train.py', config, *options, *arguments)
    a, b, c = (weights(tmp_path / name / 'iter_3.pth') for name in 'abc')
    assert same(a, b) and not same(a, c)
    assert not list(tmp_path.rglob('discovery_*.png'))


def test_test_writes_metrics_predictions_and_pictures(tmp_path):
    config, checkpoint = tiny.trained()
    out, dump, shown = (tmp_path / name for name in ('out/m.json', 'p.pkl', 'shown'))
    tiny.call_tool(
        'test.py', config, checkpoint, '--work-dir', tmp_path / 'work',
        '--out', out, '--dump', dump, '--show-dir', shown,
    )  # fmt: skip
    metrics = json.loads(out.read_text())
    assert metrics.keys() == {'tiny/spread'}
    predictions = pickle.loads(dump.read_bytes())
    assert len(predictions) == 11
    assert predictions[0]['pred_instances']['keypoints'].shape == (1, 4, 2)
    names = {path.name for path in shown.iterdir()}
    # MMPose's picture of each image, and ours of the whole.
    assert {f'{index:03d}_0.png' for index in range(11)} <= names
    assert {'discovery_test.png', 'edge_weights_test.png'} <= names
    assert cv2.imread(str(shown / '000_0.png')).shape == (48, 48, 3)


def test_epochs_of_mmpose_configs_work_with_our_runtime(tmp_path):
    extra = """
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
train_dataloader['sampler'] = dict(type='DefaultSampler', shuffle=True)
default_hooks['checkpoint'] = dict(by_epoch=True, interval=1, save_best='tiny/spread',
    rule='less', max_keep_ckpts=1)
"""
    config = tiny.write_config(tmp_path, extra=extra)
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work')
    names = sorted(path.name for path in (tmp_path / 'work').glob('*.pth'))
    assert names[0].startswith('best_tiny_spread_epoch_') and names[1] == 'epoch_2.pth'
