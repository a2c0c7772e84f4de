"""Which checkpoint a training goes on from."""

import logging
import os
import shlex
from unittest import mock

import pytest
import torch

from mmkp.engine import find_resumable_checkpoint, why_unreadable
from mmkp.engine.resume import resume_command


@pytest.fixture
def work_dir(tmp_path):
    """Three checkpoints; the file last_checkpoint names the newest."""
    for number in (3, 6, 9):
        path = tmp_path / f'iter_{number}.pth'
        torch.save({'meta': {'iter': number}, 'weight': torch.randn(500)}, path)
        os.utime(path, (number, number))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_9.pth'))
    return tmp_path


def truncate(path, keep=0.6):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def test_newest_checkpoint_is_taken(work_dir):
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_9.pth'


def test_truncated_last_checkpoint_gives_way_to_the_one_before(work_dir):
    truncate(work_dir / 'iter_9.pth')
    with mock.patch('mmkp.engine.resume.print_log') as print_log:
        assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_6.pth'
    (message,), options = print_log.call_args
    assert 'iter_9.pth cannot be resumed from (it is truncated)' in message
    assert options['level'] == logging.WARNING


def test_damage_in_the_middle_is_found_by_its_checksum(work_dir):
    path = work_dir / 'iter_9.pth'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    assert 'checksum' in why_unreadable(path)
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_6.pth'


@pytest.mark.parametrize('pointer', [None, '', 'gone/iter_9.pth'])
def test_pointer_lost_or_of_a_moved_folder(work_dir, pointer):
    (work_dir / 'last_checkpoint').unlink()
    if pointer is not None:
        (work_dir / 'last_checkpoint').write_text(pointer)
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_9.pth'


def test_pointer_to_a_checkpoint_that_is_gone(work_dir):
    (work_dir / 'iter_9.pth').unlink()
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_6.pth'


def test_later_iterations_of_an_earlier_run_are_not_taken(work_dir):
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_6.pth'))
    truncate(work_dir / 'iter_6.pth')
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_3.pth'


def test_nothing_to_resume_from(tmp_path):
    assert find_resumable_checkpoint(tmp_path) is None
    assert find_resumable_checkpoint(tmp_path / 'absent') is None


def test_all_damaged_is_an_error_and_not_a_silent_new_start(work_dir):
    for path in work_dir.glob('*.pth'):
        truncate(path)
    with pytest.raises(ValueError, match='none of the 3 checkpoints .* can be read'):
        find_resumable_checkpoint(work_dir)


@pytest.mark.parametrize(
    'content, reason',
    [(b'', 'empty'), (b'PK\3\4 and then nothing', 'truncated'), (b'text', 'no check')],
)
def test_reasons(tmp_path, content, reason):
    path = tmp_path / 'iter_1.pth'
    path.write_bytes(content)
    assert reason in why_unreadable(path)
    assert 'not exist' in why_unreadable(tmp_path / 'absent.pth')


def test_checkpoints_of_old_torch_are_no_archives_and_still_readable(tmp_path):
    path = tmp_path / 'iter_1.pth'
    torch.save({'a': 1}, path, _use_new_zipfile_serialization=False)
    assert why_unreadable(path) is None


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ('tools/train.py a.py', 'python tools/train.py a.py --resume'),
        (
            "t/train.py 'my a.py' --resume old.pth --work-dir w",
            "python t/train.py 'my a.py' --work-dir w --resume",
        ),
        ('train.py a.py --resume=x --amp', 'python train.py a.py --amp --resume'),
        ('train.py a.py --resume --amp', 'python train.py a.py --amp --resume'),
        ('/venv/bin/mmkp train a.py', 'mmkp train a.py --resume'),
        ('mmkp discover "my photos" -k 4', "mmkp discover 'my photos' -k 4"),
        ('notebook.py a', "set resume=True and load_from='last.pth'"),
    ],
)
def test_command_that_continues(given, expected, monkeypatch):
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    assert resume_command('last.pth', shlex.split(given)) == expected


def test_checkpoint_within_an_epoch_gives_way_to_that_of_an_epoch(work_dir):
    for name in ('epoch_1.pth', 'iter_7.pth'):
        torch.save({'meta': {}}, work_dir / name)
    os.utime(work_dir / 'epoch_1.pth', (8, 8))
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_7.pth'))
    assert find_resumable_checkpoint(work_dir) == work_dir / 'iter_7.pth'
    truncate(work_dir / 'iter_7.pth')
    assert find_resumable_checkpoint(work_dir) == work_dir / 'epoch_1.pth'
