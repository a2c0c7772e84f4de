"""The tools around training: look at data, count, publish, analyse."""

import hashlib
import json

import cv2
import pytest
import tiny

from mmkp.apis import load_model
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.log_analysis import read_scalars


@pytest.mark.parametrize('phase', ['train', 'val'])
def test_browse_dataset(tmp_path, phase, capsys):
    config, _ = tiny.trained()
    out = tmp_path / 'new' / 'samples.png'
    tiny.call_tool(
        'misc/browse_dataset.py', config, '--phase', phase, '--out', out, '--number', 4
    )
    assert cv2.imread(str(out)).shape[1] > 3 * 224
    assert str(out) in capsys.readouterr().out


def test_published_checkpoint_is_small_complete_and_named_by_its_content(
    tmp_path, capsys
):
    config, checkpoint = tiny.trained()
    tiny.call_tool('misc/publish_model.py', checkpoint, tmp_path / 'zoo' / 'model.pth')
    [path] = (tmp_path / 'zoo').iterdir()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name.startswith(f'model-{digest[:8]}_')
    assert path.stat().st_size < 0.7 * checkpoint.stat().st_size
    assert load_checkpoint_file(path).keys() == {'meta', 'state_dict'}
    assert load_model(config, path, 'cpu').dataset_meta['num_keypoints'] == 4
    with pytest.raises(SystemExit):
        tiny.call_tool(
            'misc/publish_model.py',
            checkpoint,
            tmp_path / 'm',
            '--save-keys',
            'stat_dict',
        )
    assert (
        "has no part 'stat_dict', did you mean 'state_dict'?" in capsys.readouterr().err
    )


def test_get_flops(capsys):
    config, checkpoint = tiny.trained()
    tiny.call_tool('analysis_tools/get_flops.py', config)
    told = capsys.readouterr().out
    assert 'input shape: (1, 3, 32, 32)' in told
    number = sum(p.numel() for p in load_model(config, checkpoint, 'cpu').parameters())
    assert f'parameters: {number:,}' in told


def test_print_config(capsys):
    config, _ = tiny.trained()
    tiny.call_tool('analysis_tools/print_config.py', config)
    assert 'AutoLinkEncoder' in capsys.readouterr().out


def test_analyze_logs(tmp_path, capsys):
    _, checkpoint = tiny.trained()
    logs = checkpoint.parent
    tiny.call_tool('analysis_tools/analyze_logs.py', 'keys', logs)
    told = capsys.readouterr().out
    assert 'loss_equivariance' in told and 'tiny/spread' in told
    tiny.call_tool('analysis_tools/analyze_logs.py', 'cal_train_time', logs)
    assert 's an iteration' in capsys.readouterr().out
    out = tmp_path / 'curves.png'
    tiny.call_tool(
        'analysis_tools/analyze_logs.py', 'plot_curve', logs,
        '--keys', 'loss', 'tiny/spread', '--out', out,
    )  # fmt: skip
    assert cv2.imread(str(out)).shape == (550, 990, 3)


def test_logs_of_a_killed_and_resumed_training_are_joined(tmp_path):
    for run, lines in (
        (
            '20260101_000000',
            [dict(iter=1, step=1, loss=3), dict(iter=2, step=2, loss=2)],
        ),
        (
            '20260101_000001',
            [dict(iter=2, step=2, loss=1.5), dict(iter=3, step=3, loss=1)],
        ),
    ):
        path = tmp_path / run / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        text = '\n'.join(json.dumps(line) for line in lines)
        path.write_text(text + '\n{"iter": 4, "lo')
    scalars = read_scalars(tmp_path)
    assert scalars['loss'].tolist() == [[1, 3], [2, 1.5], [3, 1]]
    with pytest.raises(FileNotFoundError, match='no log'):
        read_scalars(tmp_path / 'absent')
