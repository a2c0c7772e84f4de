# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A disk, a permission or memory that fails is told in a sentence; nothing is lost."""

import errno
import os
import resource
import signal
import subprocess
import sys

import machine_faults
import pytest
import tiny
import torch
from tiny_training import assert_same_bits, final_tensors, train
from torch.utils.data import DataLoader, Dataset

from mmkp.engine import CheckpointError, find_resumable_checkpoint, load_checkpoint_file
from mmkp.engine.cli import run_tool
from mmkp.engine.file_backend import whole_file
from mmkp.engine.machine_failures import tell_system_error, tell_worker_failure
from mmkp.engine.resumable_loading import BatchSeeder
from mmkp.engine.resume import resume_command, why_unreadable

KEEP = """
default_hooks['checkpoint'].update(interval=2, max_keep_ckpts=2)
test_evaluator = val_evaluator = dict(type='KeypointCollapseMetric')
"""


def told(capsys, action):
    """Exit status and last line of a tool."""
    try:
        run_tool(action)
    except SystemExit as stopped:
        *_, line = capsys.readouterr().err.strip().splitlines()
        return stopped.code, line
    return 0, ''


@pytest.fixture
def small_files():
    """Files end after so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, former)


def test_a_checkpoint_that_does_not_fit(tmp_path, capsys, small_files):
    config = tiny.write_config(tmp_path, extra=KEEP)
    whole = train(config, tmp_path / 'whole')
    work = tmp_path / 'work'
    train(config, work, **{'train_cfg.max_iters': 6})
    kept = sorted(path.name for path in work.glob('*.pth'))
    small_files(100_000)
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool('train.py', config, '--work-dir', work, '--resume')
    small_files(resource.RLIM_INFINITY)
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert 'Traceback' not in error
    *_, line = error.strip().splitlines()
    assert line.startswith(f'error: {work}/iter_8.pth: File too large: files of this')
    assert f'its checkpoint {work}/iter_6.pth is whole. To go on: ' in line
    assert sorted(path.name for path in work.glob('*.pth')) == kept
    assert not list(work.glob('.*'))
    resumed = train(config, work, resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'full'), KeyboardInterrupt()])
def test_what_was_half_written_is_removed(tmp_path, error):
    path = tmp_path / 'new' / 'a.pth'
    with pytest.raises(type(error)) as caught, whole_file(path) as file:
        file.write(b'half')
        raise error
    assert not list(path.parent.iterdir())
    if isinstance(error, OSError):
        assert caught.value.filename == str(path)


def test_an_unfinished_file_is_called_so(tmp_path, capsys):
    path = tmp_path / '.iter_4.pth.unfinished'
    path.write_bytes(b'PK\x03\x04' + bytes(100))
    assert 'written before a kill' in why_unreadable(path)
    with pytest.raises(CheckpointError, match='written before a kill'):
        load_checkpoint_file(path)
    config = tiny.write_config(tmp_path)
    with pytest.raises(SystemExit):
        tiny.call_tool('train.py', config, '--resume', path)
    assert 'written before a kill' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('number', 'part'),
    [
        (errno.ENOSPC, 'free some space, or write into another folder'),
        (errno.EDQUOT, 'free some space, or write into another folder'),
        (errno.EROFS, 'write into another folder'),
        (errno.EACCES, 'Permission denied'),
    ],
)
def test_the_file_that_was_written_is_named(tmp_path, capsys, number, part):
    def write():
        with open(tmp_path / 'log.json', 'w') as file:
            file.write('x')
            raise OSError(number, os.strerror(number))

    status, line = told(capsys, write)
    assert status == 1
    assert line.startswith(f'error: {tmp_path}/log.json: {os.strerror(number)}')
    assert part in line


def test_files_of_converters_and_publishing_are_whole_or_not_there(
    tmp_path, small_files
):
    from mmkp.converters.conversion import write_checkpoint
    from mmkp.engine.publish import publish_checkpoint

    content = dict(meta={}, state_dict=dict(weight=torch.randn(50_000)))
    write_checkpoint(content, tmp_path / 'a.pth')
    small_files(100_000)
    for write in (
        lambda: write_checkpoint(content, tmp_path / 'b.pth'),
        lambda: publish_checkpoint(tmp_path / 'a.pth', tmp_path / 'c.pth'),
    ):
        with pytest.raises(OSError, match='File too large') as caught:
            write()
        assert caught.value.filename.endswith('.pth')
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


class Failing(Dataset):
    """Samples that a worker process cannot make."""

    def __init__(self, action):
        self.action = action

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.action(index)


def no_space(index):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'cache/latents.npz')


def killed(index):
    os.kill(os.getpid(), signal.SIGKILL)


def no_shared_memory(index):
    def refuse(tensor):
        raise RuntimeError(
            'unable to allocate shared memory(shm) for file </torch_1_2_3>: No space '
            'left on device (28)'
        )

    torch.Tensor.share_memory_ = refuse  # of this worker process
    return torch.zeros(2)


@pytest.mark.parametrize(
    ('action', 'parts'),
    [
        (no_space, ['cache/latents.npz: No space left on device: free some space']),
        (
            killed,
            ['a worker process of the data loader (pid ', 'memory', 'num_workers'],
        ),
        (no_shared_memory, ['(/dev/shm) is full', '--shm-size', 'num_workers']),
    ],
)
def test_what_fails_in_a_worker_process(capsys, action, parts):
    loader = DataLoader(Failing(action), num_workers=1)
    BatchSeeder(loader, 0, 0, 0)
    status, line = told(capsys, lambda: list(loader))
    assert status == 1 and line.startswith('error: ')
    for part in parts:
        assert part in line


def test_a_killed_worker_in_a_training(tmp_path):
    text = machine_faults.EXTRA.format(name='worker_killed')
    config = tiny.write_config(tmp_path, extra=text, num_workers=2)
    good = tiny.write_config(
        tmp_path, 'good.py', extra=text.replace('worker_k', 'nothing_k'), num_workers=2
    )
    whole = train(good, tmp_path / 'whole')
    status, said = machine_faults.train(config, tmp_path / 'work')
    assert status == 1 and 'Traceback' not in said
    *_, line = said.strip().splitlines()
    assert line.startswith('error: a worker process of the data loader (pid ')
    assert 'probably for lack of memory: lower num_workers' in line
    assert f'its checkpoint {tmp_path}/work/iter_6.pth is whole. To go on:' in line
    resumed = train(good, tmp_path / 'work', resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


def test_other_errors_are_none_of_the_machine():
    assert tell_system_error(OSError('made by hand')) is None
    assert tell_worker_failure(RuntimeError('mat1 and mat2 shapes')) is None
    assert tell_worker_failure(ValueError('DataLoader worker')) is None


def test_the_command_of_the_module():
    argv = ['/site-packages/mmkp/__main__.py', 'train', 'a.py', '--resume', 'b.pth']
    assert resume_command('c', argv) == 'python -m mmkp train a.py --resume'


def can_mount():
    words = ['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']
    try:
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize('name', machine_faults.FAULTS)
def test_faults_of_real_disks(name):
    if not can_mount():
        pytest.skip('mounting needs root on Linux')
    options = dict(machine_faults.FAULTS[name])
    with machine_faults.small_disk(options=options.pop('disk', '')) as folder:
        status, said, work, _ = machine_faults.inject(name, folder, **options)
        *_, line = [
            line for line in said.splitlines() if line.startswith('error: ')
        ] or ['']
        if name == 'clock_set_back':
            assert status == 0 and find_resumable_checkpoint(work).name == 'iter_14.pth'
            return
        assert status in (1, 2) and line
        if name in ('checkpoint_full', 'log_full', 'read_only', 'worker_killed'):
            assert 'Traceback' not in said
            assert find_resumable_checkpoint(work).name == 'iter_6.pth'


@pytest.mark.parametrize(
    'command',
    [['-m', 'mmkp', 'doctor'], [str(tiny.TOOLS / 'train.py'), 'a.py']],
)
def test_ctrl_c_while_a_program_is_importing(command, tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-X', 'importtime', *command],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(tiny.TOOLS.parent)},
    )
    for line in process.stderr:
        if line.endswith(' numpy\n'):
            break
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait() == 130
    assert 'Traceback' not in said and said.endswith('interrupted\n')
