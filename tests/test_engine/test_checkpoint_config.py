"""Configs inside checkpoints are settings; whatever else they hold is never run."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from mmdet.apis import DetInferencer
from mmengine.config import Config
from mmengine.runner import BaseLoop, Runner
from mmpose.apis import MMPoseInferencer, Pose2DInferencer, init_model
from tiny import CONFIG, RUNTIME

from mmkp.apis import load_model
from mmkp.engine import UntrustedCheckpointError, literal_config
from mmkp.engine.publish import publish_checkpoint

SYSTEM = "__import__('os').system('touch owned')"
TEXTS = {
    'a call': f"model = dict(type='X', a={SYSTEM})",
    'a call at the top': SYSTEM,
    'an import': 'import owned',
    'an attribute': 'model = dict(type=().__class__)',
    'a comprehension': 'model = [x for x in (1, 2)]',
    'a formatted text': "model = dict(type=f'{1}')",
    'a call of dict with a call': f'model = dict(**{SYSTEM})',
    'a base': "_base_ = './owned.py'",
    'a function as a type': "model = dict(type='os.system', command='touch owned')",
    'a function of mmengine': "model = dict(type='mmengine.dump', obj=1, file='owned')",
    'a deeper function': "model = dict(type='mmengine.fileio.dump', file='owned')",
    'a module as a type': "model = dict(type='owned')",
    'a scope that is imported': "model = dict(type='owned.ResNet')",
    'a default scope': "default_scope = 'owned'",
    'a scope inside': "model = dict(type='ResNet', _scope_='owned')",
    'an evaluated value': f'model = dict(warp_mode="{SYSTEM}")',
    'an evaluated type': f'model = dict(nms=dict(type="{SYSTEM}"))',
    'a config file': "dataset = dict(metainfo=dict(from_file='owned.py'))",
    'deep nesting': 'model = ' + '[' * 5000 + ']' * 5000,
    'a zero byte': 'model = 1\0',
    'no Python': '{"model": ',
}


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """A working folder with modules that leave a mark where they are imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    marks = "open('owned', 'w').close()"
    (tmp_path / 'owned.py').write_text(marks)
    yield tmp_path
    assert not (tmp_path / 'owned').exists()
    assert 'owned' not in sys.modules


def checkpoint(text, place='message_hub', state=None):
    """A checkpoint file with a config's text where MMEngine looks for it."""
    content = dict(state_dict=state or dict(weight=torch.ones(1)))
    if place == 'message_hub':
        content[place] = dict(runtime_info=dict(cfg=text))
    else:
        content['meta'] = {place: text}
    torch.save(content, 'model.pth')
    return 'model.pth'


ENTRIES = {
    'Pose2DInferencer': lambda file: Pose2DInferencer(None, file, device='cpu'),
    'MMPoseInferencer': lambda file: MMPoseInferencer(
        pose2d=None, pose2d_weights=file, device='cpu'
    ),
    'DetInferencer': lambda file: DetInferencer(None, file, device='cpu'),
}


@pytest.mark.parametrize('place', ['message_hub', 'cfg'])
@pytest.mark.parametrize('entry', ENTRIES)
def test_no_inferencer_runs_it(entry, place, in_folder):
    file = checkpoint(TEXTS['a call'], place)
    with pytest.raises((UntrustedCheckpointError, ValueError)) as caught:
        ENTRIES[entry](file)
    if isinstance(caught.value, UntrustedCheckpointError):
        assert 'give the config file' in str(caught.value)
    else:  # MMPose asks for a model before it looks at the weights
        assert entry == 'MMPoseInferencer'


@pytest.mark.parametrize('name', TEXTS)
def test_what_is_more_than_settings_is_refused(name, in_folder):
    with pytest.raises(UntrustedCheckpointError, match='MMKP_TRUST_CHECKPOINTS=1'):
        Pose2DInferencer(None, checkpoint(TEXTS[name]), device='cpu')


def test_a_resumed_runner_does_not_run_it(in_folder, monkeypatch):
    monkeypatch.setattr(
        Runner,
        'load_checkpoint',
        lambda *_, **__: dict(meta=dict(epoch=0, iter=0, config=TEXTS['a call'])),
    )
    runner = object.__new__(Runner)
    runner._train_loop = type('Loop', (BaseLoop,), dict(run=None))
    monkeypatch.setattr(Runner, 'train_loop', runner._train_loop)
    with pytest.raises(UntrustedCheckpointError):
        runner.resume('model.pth', map_location='cpu')


@pytest.fixture
def tiny_config(in_folder):
    """A config as a runner sees it, and the weights of its model."""
    text = CONFIG.format(
        runtime=RUNTIME, num_keypoints=3, folder='.', num_workers=0, max_iters=1, seed=0
    )
    config = Config.fromstring(text, '.py')
    return config, load_model(config, device='cpu').state_dict()


def test_others_load_such_a_file_and_leave_the_text_alone(tiny_config):
    config, state = tiny_config
    file = checkpoint(TEXTS['a call'], 'cfg', state)
    load_model(config, file, device='cpu')
    init_model(config.copy(), file, device='cpu')
    assert publish_checkpoint(file, 'published').is_file()


def test_settings_are_read_as_mmengine_reads_them():
    text = (
        "a = dict(b=[1, -2.5, (None, True)], c={'d-e': 1e-3, 2: {3}})\n"
        "f = dict({'g.h': dict(type='ResNet', depth=18)}, **{'i': 'text'})\n"
        "j = float('1')\n"
    ).replace("float('1')", '-1')
    read = literal_config(text)
    run = Config.fromstring(text, '.py')
    assert read.to_dict() == run.to_dict()
    assert literal_config('a = [inf, -inf]').a == [float('inf'), -float('inf')]


def test_the_config_of_a_training_makes_an_inferencer(tiny_config):
    config, state = tiny_config
    config.model.losses = None
    config.custom_imports.imports.append('owned')
    text = ''.join(f'{k} = {v!r}\n' for k, v in config.to_dict().items())
    file = checkpoint(text, state=state)
    inferencer = Pose2DInferencer(None, file, device='cpu')
    torch.testing.assert_close(dict(inferencer.model.state_dict()), dict(state))


def test_trusted_text_and_text_of_ones_own_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Config.fromstring('a = len([1, 2])', '.py').a == 2
    monkeypatch.setenv('MMKP_TRUST_CHECKPOINTS', '1')
    text = "a = open('ran', 'w').close(); model = dict(type='Identity')"
    checkpoint(text, 'cfg')
    with suppress(Exception):  # it is the config of no model
        Pose2DInferencer(None, 'model.pth', device='cpu')
    assert Path('ran').exists()
