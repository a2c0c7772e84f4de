# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Disks, permissions, memory and clocks that fail while `mmkp train` runs.

``python tests/machine_faults.py`` injects each fault into a small training, in folders
that it mounts (for root, on Linux), and prints what the user sees, the exit status, and
what survives.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tiny
from mmengine.hooks import Hook
from mmpose.registry import HOOKS

from mmkp.engine import find_resumable_checkpoint

ROOT = Path(__file__).resolve().parents[1]
EXTRA = """
custom_imports = dict(imports=['mmkp', 'machine_faults'], allow_failed_imports=False)
custom_hooks = [dict(type='Fault', name={name!r})]
default_hooks['checkpoint'].update(interval=2, max_keep_ckpts=2)
default_hooks['logger'].update(interval=1)
test_evaluator = val_evaluator = dict(type='KeypointCollapseMetric')
log_level = 'INFO'
"""
STEP = 7  # the checkpoints of steps 2, 4 and 6 are there


@HOOKS.register_module()
class Fault(Hook):
    """Lets something fail before a step."""

    def __init__(self, name):
        self.name = name

    def before_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == STEP:
            getattr(self, self.name, lambda runner: None)(runner)

    def checkpoint_full(self, runner):
        fill(Path(runner.work_dir), 20_000)

    def log_full(self, runner):
        fill(Path(runner.work_dir), 0)
        runner.logger.info('a line that takes a page of the disk ' * 400)

    def read_only(self, runner):
        place = Path(runner.work_dir).parent
        # Open files hold up a remounting; binding the folder to itself does not.
        run('mount', '--bind', place, place)
        run('mount', '-o', 'remount,bind,ro', place)

    def removed(self, runner):
        shutil.rmtree(runner.work_dir)

    def worker_killed(self, runner):
        children = Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)

    def clock_set_back(self, runner):
        now = time.time
        time.time = lambda: now() - 86400


def fill(folder: Path, left: int) -> None:
    """Fill a disk but for some bytes."""
    free = os.statvfs(folder)
    (folder.parent / 'filler').write_bytes(bytes(free.f_bavail * free.f_bsize - left))


def run(*words):
    subprocess.run([str(word) for word in words], check=True)


@contextlib.contextmanager
def small_disk(size='4m', options=''):
    """A folder that is a disk of its own."""
    folder = Path(tempfile.mkdtemp())
    run('mount', '-t', 'tmpfs', '-o', f'size={size}{options}', 'tmpfs', folder)
    try:
        yield folder
    finally:
        while os.path.ismount(folder):
            run('umount', '-l', folder)
        folder.rmdir()


def train(config, work, *options, before=()):
    """Train by the command; status and what it said on stderr."""
    words = [
        sys.executable,
        '-m',
        'mmkp',
        'train',
        str(config),
        '--work-dir',
        str(work),
    ]
    tests = Path(__file__).parent
    paths = os.pathsep.join(map(str, (ROOT, tests, tests / 'test_engine')))
    done = subprocess.run(
        [*before, *words, '--no-validate', *map(str, options)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1'},
    )
    return done.returncode, done.stderr


def shared_memory(size):
    """What to put before a command so that it has so little shared memory."""
    mount = f'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"'
    return ('unshare', '-m', 'sh', '-c', mount, 'sh')


def inject(name: str, folder: Path, workers: int = 0, **options):
    """Train in a folder until a fault ends it."""
    images = Path(tempfile.mkdtemp())
    config = tiny.write_config(
        images, extra=EXTRA.format(name=name), num_workers=workers
    )
    work = folder / 'work'
    if name == 'is_a_file':
        work.write_text('')
    try:
        return (*train(config, work, **options), work, config)
    finally:
        with contextlib.suppress(OSError):
            (folder / 'filler').unlink()


def survivors(work: Path) -> str:
    """Files in a folder, and which checkpoint is gone on from."""
    if not work.is_dir():
        return 'no folder'
    names = sorted(path.name for path in work.iterdir() if 'pth' in path.name)
    return f'{names}, resumes from {find_resumable_checkpoint(work)}'


FAULTS = {
    'checkpoint_full': {},
    'log_full': {},
    'read_only': {},
    'removed': {},
    'is_a_file': {},
    'starts_read_only': dict(disk=',ro'),
    'worker_killed': dict(workers=2),
    'shared_memory_absent': dict(workers=2, before=shared_memory('4k')),
    'shared_memory_full': dict(workers=2, before=shared_memory('40k')),
    'clock_set_back': {},
}


def main() -> None:
    """Print the table."""
    print(
        '| fault | status | last line | traceback | what is left |\n' + '|---' * 5 + '|'
    )
    for name in sys.argv[1:] or FAULTS:
        options = dict(FAULTS[name])
        with small_disk(options=options.pop('disk', '')) as folder:
            status, told, work, _ = inject(name, folder, **options)
            last = [line for line in told.strip().splitlines() if line.strip()]
            print(
                f'| {name} | {status} | {last[-1] if last else ""} | '
                f'{"Traceback" in told} | {survivors(work)} |',
                flush=True,
            )
            if 'Traceback' in told and os.environ.get('SHOW'):
                print(told)


if __name__ == '__main__':
    main()
