"""Going on from a checkpoint that does not fit: one sentence, and the way out."""

import logging
import re

import pytest
import tiny
import torch

from mmkp.engine import load_checkpoint_file


def told(capsys, *arguments):
    """What train.py says before it ends with status 2."""
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool('train.py', *arguments)
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith('error: ') and message.count('\n') == 0
    return message


CHANGES = {
    'paramwise_cfg': (
        "optim_wrapper['optimizer']['weight_decay'] = 0.1\n"
        "optim_wrapper['paramwise_cfg'] = dict(norm_decay_mult=0.0)\n",
        r'its optimizer has 1 group of \d+ parameters, that of the config \d+ groups',
    ),
    'another optimizer': (
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))\n",
        r"its optimizer has the settings \['betas'\], the config's SGD has "
        r"\['momentum'\]",
    ),
    'more schedulers': (
        "param_scheduler.append(dict(type='ConstantLR', by_epoch=False))\n",
        'it has 2 param_scheduler, the config 3',
    ),
    'another scheduler': (
        "param_scheduler[1] = dict(type='MultiStepLR', milestones=[3])\n",
        "its param_scheduler 1 is another than the config's MultiStepLR",
    ),
}


@pytest.mark.parametrize('name', CHANGES)
def test_resume_with_other_settings(name, tmp_path, capsys):
    extra, message = CHANGES[name]
    config = tiny.write_config(tmp_path, extra=extra, max_iters=16)
    checkpoint = tiny.trained()[1]
    work = ['--work-dir', tmp_path / 'work']
    found = told(capsys, config, *work, '--resume', checkpoint)
    assert f'error: {checkpoint} cannot be resumed from: ' in found
    assert f'--cfg-options load_from={checkpoint} instead of --resume' in found
    assert re.search(message, found)


@pytest.mark.parametrize('kept', ['state_dict', 'weights alone', 'another meta'])
def test_resume_without_the_state_of_a_training(kept, tmp_path, capsys):
    config, checkpoint = tiny.trained()
    content = load_checkpoint_file(checkpoint)
    changed = {
        'state_dict': dict(state_dict=content['state_dict'], meta=content['meta']),
        'weights alone': content['state_dict'],
        'another meta': dict(content, meta='of my own'),
    }[kept]
    torch.save(changed, tmp_path / 'changed.pth')
    found = told(
        capsys,
        config,
        '--work-dir',
        tmp_path / 'work',
        '--resume',
        tmp_path / 'changed.pth',
    )
    part = 'message_hub' if kept == 'state_dict' else 'meta'
    assert f'not the state of a training ({part} is missing)' in found


def test_fine_tuning_to_another_number_of_keypoints(tmp_path, capsys, caplog):
    checkpoint = tiny.trained()[1]
    config = tiny.write_config(
        tmp_path, num_keypoints=6, extra="optim_wrapper['optimizer']['lr'] = 0.0\n"
    )
    options = [
        *('--work-dir', tmp_path / 'work', '--no-validate', '--cfg-options'),
        *(f'load_from={checkpoint}', 'train_cfg.max_iters=1'),
    ]
    switch = 'default_hooks.checkpoint_match.enable=False'
    found = told(capsys, config, *options)
    assert 'holds a model of 4 keypoints' in found
    assert found.endswith(f'add --cfg-options {switch}')
    options = [*options, switch, 'default_hooks.checkpoint.interval=1']
    with caplog.at_level(logging.WARNING):
        tiny.call_tool('train.py', config, *options)
    text = caplog.text + ''.join(capsys.readouterr())
    text += ''.join(p.read_text() for p in (tmp_path / 'work').rglob('*.log'))
    old = load_checkpoint_file(checkpoint)['state_dict']
    new = load_checkpoint_file(tmp_path / 'work/iter_1.pth')['state_dict']
    reshaped = [key for key in new if new[key].shape != old[key].shape]
    assert any(key.startswith('head.') for key in reshaped)
    for key, value in new.items():
        if key not in reshaped and value.is_floating_point() and 'running' not in key:
            torch.testing.assert_close(value, old[key])
    assert f'{len(new) - len(reshaped)} of the {len(new)} parameters' in text
    assert reshaped[0] in text


def test_hooks_find_weights_that_were_saved_alone(tmp_path):
    weights = load_checkpoint_file(tiny.trained()[1])['state_dict']
    torch.save(weights, tmp_path / 'weights.pth')
    extra = f"""custom_hooks = [dict(type='EMAHook')]
load_from = {str(tmp_path / 'weights.pth')!r}
"""
    config = tiny.write_config(tmp_path, extra=extra, max_iters=1)
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work', '--no-validate')
