"""What the command-line tools share: arguments, config, and how errors are told."""

import argparse
import dis
import errno
import os
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from mmkp.engine.checkpoint import CheckpointError, UntrustedCheckpointError
from mmkp.engine.config import load_config
from mmkp.engine.config_names import SUFFIXES
from mmkp.engine.file_kind import is_pickle, is_zip
from mmkp.engine.machine_failures import (
    TrainingStoppedError,
    error_number,
    tell_system_error,
    tell_worker_failure,
)
from mmkp.engine.non_finite import NonFiniteError
from mmkp.engine.option_values import OptionAction

_USER_ERRORS = (
    CheckpointError,
    OSError,
    TrainingStoppedError,
    UntrustedCheckpointError,
)
# Told where a raise statement of ours raised them.
_RAISED_ERRORS = (ValueError, TypeError, RuntimeError, ImportError, EOFError)
_PACKAGE = Path(__file__).resolve().parents[1]
_library_warning = warnings.formatwarning


def add_config_arguments(
    parser: argparse.ArgumentParser, launcher: bool = False
) -> argparse.ArgumentParser:
    """Add the arguments that name a config and override it.

    Args:
        parser: gets ``config`` and ``--cfg-options``.
        launcher: whether to add ``--work-dir``, ``--launcher`` and
            ``--local-rank`` too.

    Returns:
        The parser.
    """
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_dataloader.batch_size=16 '
        'num_keypoints=12 data_root="my photos"; lists are written key="[a,b]"',
    )
    parser.add_argument(
        '--no-check',
        action='store_true',
        help='do not look for mistakes in the config: the way past a false alarm',
    )
    if launcher:
        parser.add_argument('--work-dir', help='folder for logs, checkpoints, pictures')
        parser.add_argument(
            '--launcher',
            choices=['none', 'pytorch', 'slurm', 'mpi'],
            default='none',
            help='who starts the processes of a distributed job',
        )
        # torch.distributed.launch passes it, torchrun sets LOCAL_RANK itself.
        parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser


def add_score_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of how keypoints are scored without labels.

    Args:
        parser: gets ``--rotation`` and ``--max-images``.
    """
    # Here, as other tools start without what it imports.
    from mmkp.evaluation.score_keypoints import UPRIGHT

    parser.add_argument(
        '--rotation',
        type=float,
        default=UPRIGHT,
        metavar='DEGREES',
        help='by which images are turned, a deviation: 20 for objects that lie any way',
    )
    parser.add_argument('--max-images', type=whole_number(2), default=200)


def whole_number(least: int) -> Callable[[str], int]:
    """Return a type of arguments: whole numbers from a least one on.

    Args:
        least: the smallest that is taken.

    Returns:
        What ``argparse`` calls with the text; it tells of other texts as misuse.
    """

    def read(text: str) -> int:
        if not re.fullmatch(r'[-+]?\d+', text) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f'{text} is no whole number from {least} on'
            )
        return int(text)

    return read


def config_from_arguments(args: argparse.Namespace) -> Config:
    """Read the config that the command line names, see :func:`load_config`.

    Raises:
        ValueError: config and checkpoint are given in the wrong order.
    """
    checkpoint = str(getattr(args, 'checkpoint', None) or '')
    if checkpoint.endswith(SUFFIXES) or _is_checkpoint(str(args.config)):
        raise ValueError(
            f"'{args.config}' is given as CONFIG"
            + (f" and '{checkpoint}' as CHECKPOINT" if checkpoint else '')
            + ': the config (.py) comes first, then the checkpoint (.pth)'
        )
    if hasattr(args, 'local_rank'):
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return load_config(
        args.config,
        args.cfg_options,
        getattr(args, 'work_dir', None),
        getattr(args, 'launcher', 'none'),
        check=not getattr(args, 'no_check', False),
    )


def _is_checkpoint(path: str) -> bool:
    """Whether what is given as a config is a file of weights."""
    if path.endswith(('.pth', '.pt', '.ckpt', '.safetensors')):
        return True
    return os.path.isfile(path) and (is_zip(Path(path)) or is_pickle(Path(path)))


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool; tell a user's error in one sentence instead of a traceback.

    Such errors are files that are absent or unreadable, what the system refuses (a full
    disk, a missing permission), and each ValueError, TypeError, RuntimeError or
    ImportError that a ``raise`` statement of mmkp or its tools raises, also in a worker
    process of a data loader. What Python or a library says of its own accord is a
    defect, and keeps its traceback.

    Args:
        main: the tool. The exit status is what it returns, 2 after an error of the
            user's, 1 after one of the system's. Set the environment variable
            MMKP_TRACEBACK=1 to see where it came from.
    """
    plain_warnings = warnings.formatwarning
    warnings.formatwarning = _format_warning
    # MMPose finds its own metainfo files wherever one works, and warns each time.
    warnings.filterwarnings('ignore', message='The metainfo config file')
    try:
        status = main()
    except KeyboardInterrupt:
        if os.environ.get('MMKP_TRACEBACK') == '1':
            raise
        print('interrupted', file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # whoever read what is printed has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None or os.environ.get('MMKP_TRACEBACK') == '1':
            raise
        print(f'error: {sentence}', file=sys.stderr)
        sys.exit(1 if _is_of_the_system(error) else 2)
    finally:
        warnings.formatwarning = plain_warnings
    if status:
        sys.exit(status)


def _sentence(error: Exception) -> str | None:
    """Return what to tell of an error, or ``None`` if its traceback has to be seen."""
    told = tell_worker_failure(error)
    if told is None and isinstance(error, OSError):
        told = tell_system_error(error) or _sentence_of_worker(error)
    if told is not None:
        return told
    if isinstance(error, _USER_ERRORS):
        return str(error)
    if not isinstance(error, _RAISED_ERRORS):
        return None
    return str(error) if is_raised_here(error) else _sentence_of_worker(error)


def _is_of_the_system(error: Exception) -> bool:
    """Whether an error is none of what the user wrote, such as a full disk."""
    if isinstance(error, NonFiniteError | TrainingStoppedError):
        return True
    if tell_worker_failure(error) is not None:
        return True
    number = error_number(error) if isinstance(error, OSError) else None
    return number is not None and number not in (
        errno.ENOENT,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.EEXIST,
    )


def is_raised_here(error: BaseException) -> bool:
    """Whether a ``raise`` statement of this package or its tools raised an error.

    Python's own errors (of unpacking, ``int``, ``zip(strict=True)``) come out of other
    instructions.

    Args:
        error: as it was caught.

    Returns:
        False for errors that Python or a library raised, also by an import.
    """
    if isinstance(error, ImportError) and error.name is not None:
        return False  # of an import statement
    place = error.__traceback__
    if place is None:
        return False
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    raises = code.co_code[place.tb_lasti] == dis.opmap['RAISE_VARARGS']
    return raises and _is_ours(code.co_filename)


def _is_ours(path: str) -> bool:
    """Whether a file of code is one of mmkp or of its tools."""
    folders = (_PACKAGE, _PACKAGE.parent / 'tools')
    return any(Path(path).resolve().is_relative_to(folder) for folder in folders)


def _sentence_of_worker(error: BaseException) -> str | None:
    """Return what mmkp said in a worker process, whose error torch raises again."""
    text = str(error)
    places = list(re.finditer(r'^  File "(.+)", line \d+, in .+\n +(.+)', text, re.M))
    if not places:
        return None
    last = places[-1]
    if not last[2].startswith('raise ') or not _is_ours(last[1]):
        return None
    said = re.search(r'^[\w.]+: ((?:.|\n)+)', text[last.end() :], re.M)
    return said[1].strip() if said else None


def _format_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Write a warning for the user in a line, without the code that it comes from."""
    if category is UserWarning and _is_ours(filename):
        return f'warning: {message}\n'
    return _library_warning(message, category, filename, lineno, line)
