# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the machine refused, a disk, a permission or memory, told with a remedy."""

import errno
import io
import os
import re
import traceback

_SPACE = 'free some space, or write into another folder'
_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: 'files of this size are not allowed here (ulimit -f, quota)',
    errno.EROFS: 'write into another folder',
    errno.EMFILE: 'raise the limit (ulimit -n), or lower num_workers',
}
#: Reasons that lie in the machine, not in what the user wrote.
OF_THE_MACHINE = frozenset(
    {*_REMEDIES, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOMEM, errno.ESTALE}
)

_FEWER = (
    'lower num_workers of the data loader (0 reads in the main process), batch_size or '
    'prefetch_factor'
)
_ENLARGE = f'enlarge it (docker run --shm-size=8g), or {_FEWER}'
_SHARED_MEMORY = 'the shared memory of the data loader (/dev/shm)'
_WORKERS = (
    # What torch says; what is told: the first pattern that fits counts.
    (
        r'worker \(pid (?P<pid>\d+)\) is killed by signal: Bus error',
        'a worker process of the data loader (pid {pid}) was killed, as the shared '
        'memory (/dev/shm) is full: {enlarge}',
    ),
    (
        r'worker \(pid (?P<pid>\d+)\) is killed by signal: (?P<signal>.+?)\. ',
        'a worker process of the data loader (pid {pid}) was killed ({signal}), '
        'probably for lack of memory: {fewer}',
    ),
    (
        r'worker \(pid\(s\) (?P<pid>[\d, ]+)\) exited unexpectedly',
        'a worker process of the data loader (pid {pid}) ended unexpectedly, probably '
        'killed for lack of memory: {fewer}',
    ),
    (
        r'(?P<what>unable to [a-z ]+(?:shared memory|file </torch)[^\n]*)',
        f'{_SHARED_MEMORY} is full ({{what}}): {{enlarge}}',
    ),
    (
        r'(?P<what>Too many open files|received 0 items of ancdata)',
        'the data loader has too many open files: raise the limit (ulimit -n), or '
        '{fewer}',
    ),
)
# The last line of what torch quotes of a worker's error from the system.
_QUOTED = re.compile(
    r'^(?:\w+\.)*\w*Error: \[Errno (\d+)\] (.+?)(?:: \'(.+)\')?$', re.M
)


class TrainingStoppedError(RuntimeError):
    """A training was stopped by the machine; what was saved is whole."""


def tell_system_error(error: OSError) -> str | None:
    """Say what the system refused, for which file, and what to do.

    Args:
        error: raised by the system in this process or in a loader's worker process.

    Returns:
        One sentence; None where the error was made by hand.
    """
    number, reason, name = error.errno, error.strerror, error.filename
    if quoted := _quoted(error):
        number, (reason, name) = int(quoted[1]), quoted.group(2, 3)
    if number is None or not reason:
        return None
    place = name or _file_at_hand(error)
    remedy = _ENLARGE if place == _SHARED_MEMORY else _REMEDIES.get(number)
    parts = (place, reason, remedy)
    return ': '.join(str(part) for part in parts if part)


def error_number(error: OSError) -> int | None:
    """The number of an error of the system, in this process or a worker process."""
    quoted = _quoted(error)
    return int(quoted[1]) if quoted else error.errno


def _quoted(error: OSError) -> re.Match[str] | None:
    """What torch quotes of the system's error in a worker process."""
    if error.errno is not None or 'worker process' not in str(error):
        return None
    return next(iter(_QUOTED.finditer(str(error))), None)


def tell_worker_failure(error: BaseException) -> str | None:
    """Say why the worker processes of a data loader are gone.

    PyTorch raises in the midst of whatever the main process does when a worker is
    killed, so that a traceback tells nothing.

    Args:
        error: a RuntimeError of torch.

    Returns:
        One sentence with remedies; None where it is another error.
    """
    if not isinstance(error, RuntimeError | OSError):
        return None
    text = f'{error} '
    if (
        'DataLoader' not in text
        and 'shared memory' not in text
        and '/torch_' not in text
    ):
        return None
    for pattern, sentence in _WORKERS:
        if found := re.search(pattern, text):
            words = dict(fewer=_FEWER, enlarge=_ENLARGE, **found.groupdict())
            return sentence.format(**words)
    return None


def _file_at_hand(error: BaseException) -> str | None:
    """Name of the file that was written, which the system tells of no open one."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        if '/multiprocessing/' in frame.f_code.co_filename:
            return _SHARED_MEMORY
        for value in frame.f_locals.values():
            name = (
                getattr(value, 'name', None) if isinstance(value, io.IOBase) else None
            )
            if isinstance(name, str | os.PathLike):
                return os.fspath(name)
    return None
