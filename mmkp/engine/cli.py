"""What the command-line tools share: arguments, config, and how errors are told."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable

from mmengine.config import Config, DictAction

from mmkp.engine.checkpoint import CheckpointError, UntrustedCheckpointError
from mmkp.engine.config import load_config

_USER_ERRORS = (
    CheckpointError,
    FileNotFoundError,
    UntrustedCheckpointError,
)


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
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_dataloader.batch_size=16 '
        'model.head.num_keypoints=12; lists are written key="[a,b]"',
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


def config_from_arguments(args: argparse.Namespace) -> Config:
    """Read the config that the command line names, see :func:`load_config`."""
    if hasattr(args, 'local_rank'):
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return load_config(
        args.config,
        args.cfg_options,
        getattr(args, 'work_dir', None),
        getattr(args, 'launcher', 'none'),
    )


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; tell a user's error in one sentence instead of a traceback.

    Such errors are files that are absent or unreadable, and each ValueError or
    ImportError that this package raises itself; what comes out of a library, or of an
    import statement, keeps its traceback.

    Args:
        main: the tool. Its exit status is 2 after such an error. Set the environment
            variable MMKP_TRACEBACK=1 to see where it came from.
    """
    try:
        main()
    except (ValueError, ImportError, *_USER_ERRORS) as error:
        told = isinstance(error, _USER_ERRORS) or _is_raised_here(error)
        if not told or os.environ.get('MMKP_TRACEBACK') == '1':
            raise
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


def _is_raised_here(error: BaseException) -> bool:
    """Whether the statement that raised an error is one of this package."""
    if isinstance(error, ImportError) and error.name is not None:
        return False  # of an import statement
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get('__name__')).startswith('mmkp.')
