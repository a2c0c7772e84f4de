"""Where a training can be taken up again."""

import logging
import os
import re
import shlex
import sys
import zipfile
from pathlib import Path

from mmengine.logging import print_log

from mmkp.engine.file_backend import is_unfinished
from mmkp.engine.file_kind import describe_file, is_pickle, is_safetensors

_NUMBERED = re.compile(r'(iter|epoch)_(\d+)\.pth$')


def find_resumable_checkpoint(work_dir: str | Path) -> Path | None:
    """Find the newest checkpoint of a training that can be read.

    The file ``last_checkpoint`` names the newest one. Where it or the checkpoint
    that it names is missing, empty or truncated, by a kill or a full disk, the
    one before is taken, with a warning for each that was passed over.

    Args:
        work_dir: folder of the training.

    Returns:
        Path of the checkpoint, None where there is none.

    Raises:
        ValueError: there are checkpoints but none can be read.
    """
    candidates = _newest_first(Path(work_dir))
    for candidate in candidates:
        reason = why_unreadable(candidate)
        if reason is None:
            return candidate
        print_log(
            f'{candidate} cannot be resumed from ({reason}), trying the one before.',
            logger='current',
            level=logging.WARNING,
        )
    if candidates:
        raise ValueError(
            f'none of the {len(candidates)} checkpoints in {work_dir} can be read '
            f'(the newest: {why_unreadable(candidates[0])}); move them away to start '
            'from scratch'
        )
    return None


def resume_command(checkpoint: str | Path, argv: list[str] | None = None) -> str:
    """The command that continues the training of this process.

    Args:
        checkpoint: to go on from.
        argv: the command line, by default that of this process.

    Returns:
        The same command with ``--resume``, which ``mmkp discover`` does without; where
        it is none of this package, what to set in the config.
    """
    program, *arguments = sys.argv if argv is None else argv
    name = Path(program).name
    is_module = name == '__main__.py' and Path(program).parent.name == 'mmkp'
    if not is_module and name not in ('train.py', 'mmkp'):
        return f"set resume=True and load_from='{checkpoint}'"
    kept: list[str] = []
    for number, argument in enumerate(arguments):
        is_value = number > 0 and arguments[number - 1] == '--resume'
        if argument.startswith('--resume') or (is_value and argument[:1] != '-'):
            continue
        kept.append(argument)
    resume = [] if arguments[:1] == ['discover'] else ['--resume']
    start = ['python', program] if name.endswith('.py') else [name]
    if is_module:
        start = ['python', '-m', 'mmkp']
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        start = ['torchrun', '...', program]  # its options are not known here
    return shlex.join([*start, *kept, *resume])


def why_unreadable(path: str | Path) -> str | None:
    """Say what keeps a checkpoint from being read, without unpickling it.

    Args:
        path: of a file that ``torch.save`` wrote.

    Returns:
        None when all its bytes are there and match their checksums.
    """
    path = Path(path)
    if not path.is_file():
        return 'it does not exist'
    if is_unfinished(path):
        return 'it is the part of a checkpoint that was written before a kill'
    # Before version 1.6 PyTorch wrote bare pickles, which hold no checksum.
    if is_pickle(path) or is_safetensors(path):
        return None
    if not zipfile.is_zipfile(path):
        return f'it is {describe_file(path)[0]}'
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
    # What a damaged archive raises depends on where it is damaged.
    except Exception as error:
        return f'it is damaged: {error}'
    if not any(name.endswith('data.pkl') for name in names):
        return f'it is {describe_file(path)[0]}'
    return f'it is damaged: checksum of {damaged}' if damaged else None


def _newest_first(work_dir: Path) -> list[Path]:
    """Checkpoints that a training may go on from, the best choice first."""
    numbered = [path for path in work_dir.glob('*.pth') if _step(path)[0]]
    numbered.sort(key=lambda path: (path.stat().st_mtime_ns, _step(path)[1]))
    numbered.reverse()
    pointer = work_dir / 'last_checkpoint'
    name = pointer.read_text().strip() if pointer.is_file() else ''
    if not name:
        return numbered
    last = Path(name)
    if not last.exists():  # the folder was moved, or the path was relative
        last = work_dir / last.name
    # An earlier, longer run may have left checkpoints of later iterations behind.
    kind, limit = _step(last)
    earlier = [
        path
        for path in numbered
        if path != last and (_step(path)[0] != kind or _step(path)[1] < limit)
    ]
    return [last, *earlier]


def _step(path: Path) -> tuple[str, int]:
    """Kind and number of the step in a checkpoint's name."""
    match = _NUMBERED.match(path.name)
    return (match[1], int(match[2])) if match else ('', -1)
