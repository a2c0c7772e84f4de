"""The terminal gets a few lines before the first loss, the log file all of them."""

import os
import subprocess
import sys

import tiny

EXTRA = """
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
log_level = 'INFO'
default_hooks['logger'].update(interval=1)
"""


def train(folder):
    config = tiny.write_config(folder, extra=EXTRA, max_iters=2)
    done = subprocess.run(
        [sys.executable, str(tiny.TOOLS / 'train.py'), str(config)]
        + ['--work-dir', str(folder / 'work'), '--resume'],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'MMKP_VERBOSE': '0'},
    )
    assert done.returncode == 0, done.stdout
    return until_a_loss(done.stdout)


def until_a_loss(told):
    """The lines before the first loss, and its own."""
    lines = told.splitlines()
    first = next(i for i, line in enumerate(lines) if 'loss: ' in line)
    return lines[:first], lines[first]


def test_few_lines_before_the_first_loss(tmp_path):
    before, first = train(tmp_path)
    text = '\n'.join(before)
    assert len(before) < 25, text
    for part in (
        'tiny.py',
        '11 samples to train on, 2 a step',
        '11 to validate on every 4 steps',
        'parameters to learn, on cpu, seed 3',
        'steps    2',
        f"there is no checkpoint in '{tmp_path / 'work'}'",
        'step 1',
    ):
        assert part in text
    assert 'eta: ' in first
    for unwanted in ('deprecated', 'FileClient', 'System environment'):
        assert unwanted not in text
    [log] = tmp_path.glob('work/*/*.log')
    for part in ('System environment', 'Hooks will be executed', 'default_hooks'):
        assert part in log.read_text()


def test_everything_on_request(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('MMKP_VERBOSE', '1')
    config = tiny.write_config(tmp_path, extra=EXTRA, max_iters=2)
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work', '--resume')
    told = capsys.readouterr()
    before, _ = until_a_loss(told.out + told.err)
    assert len(before) > 100
