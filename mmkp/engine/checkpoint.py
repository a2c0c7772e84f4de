"""Loading checkpoints without running the code that a file may carry."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmkp.engine.file_backend import is_unfinished
from mmkp.engine.file_kind import (
    describe_file,
    is_old_tar,
    is_pickle,
    is_safetensors,
    is_zip,
)
from mmkp.engine.restricted_globals import ForbiddenPickleError
from mmkp.engine.restricted_unpickler import InertObject, RestrictedUnpickler
from mmkp.engine.tensor_bytes import move
from mmkp.engine.torch_file import (
    NoCheckpointError,
    check_checksums,
    read_legacy,
    read_zip,
)

__all__ = [
    'CheckpointError',
    'InertObject',
    'UntrustedCheckpointError',
    'is_trusted',
    'load_checkpoint_file',
]

TRUST_VARIABLE = 'MMKP_TRUST_CHECKPOINTS'


class CheckpointError(RuntimeError):
    """A file that is truncated, damaged, or no checkpoint at all."""


class UntrustedCheckpointError(RuntimeError):
    """A checkpoint that carries more than data, and was not declared trusted.

    Not a :class:`CheckpointError`: whoever falls back to an older checkpoint when the
    last one is damaged should stop here.
    """


def is_trusted() -> bool:
    """Whether the environment declares all checkpoints to be trusted."""
    return os.environ.get(TRUST_VARIABLE, '').lower() in ('1', 'true', 'yes')


def load_checkpoint_file(
    filename: str | Path,
    map_location: Any = None,
    *,
    extra_globals: Mapping[str, Any] | None = None,
    trusted: bool | None = None,
) -> Any:
    """Load a local file of ``torch.save`` or safetensors without running code from it.

    Tensors, numpy arrays, MMEngine's ``HistoryBuffer`` and plain Python types are
    loaded. A file with anything else in it is refused before anything of it is
    imported or called. Sizes are held against the file, and checksums compared where
    the format has them: zip archives of torch 1.6 and later, and of NumPy. Files of
    older versions and safetensors have none, so a flipped bit becomes a weight there.

    Args:
        filename: Path of the file; ``~`` stands for the home folder.
        map_location: Where tensors go, as in ``torch.load``.
        extra_globals: Further names that the file may use, ``'module.name'`` to the
            object taken for it, for checkpoints of other frameworks. Nothing is
            imported by name; :class:`InertObject` stands for what is not needed.
        trusted: Load whatever the file holds, running its code. None asks the
            environment variable ``MMKP_TRUST_CHECKPOINTS``.

    Returns:
        What was saved, for MMEngine a dict with ``meta``, ``state_dict``, ...; the
        tensors by their names for safetensors.

    Raises:
        FileNotFoundError: Where there is no such file.
        CheckpointError: Where the file is truncated, damaged or no checkpoint.
        UntrustedCheckpointError: Where the file carries something else, naming it.
    """
    path = Path(filename).expanduser()
    if path.is_dir():
        raise FileNotFoundError(
            f'the checkpoint {path} is a folder: give a file in it{_example(path)}'
        )
    if not path.is_file():
        raise FileNotFoundError(f'the checkpoint {path} can not be found')
    trusted = is_trusted() if trusted is None else trusted
    try:
        return _read(path, map_location, extra_globals or {}, trusted)
    except ForbiddenPickleError as error:
        raise UntrustedCheckpointError(
            f'{path} holds {error}, which no MMEngine checkpoint needs and which could '
            f'run code on this machine.{_origin(str(error))} If you trust whoever made '
            f'the file, set the environment variable {TRUST_VARIABLE}=1 or call '
            'mmkp.engine.checkpoint.load_checkpoint_file(..., trusted=True).'
        ) from error
    # A damaged pickle is a random program, which may fail in any way.
    except Exception as error:
        if _is_about_the_machine(error):
            raise
        raise _damaged(path, error) from error


def _read(path: Path, map_location: Any, extra: Mapping, trusted: bool) -> Any:
    if is_safetensors(path):
        from safetensors.torch import load_file  # which nothing else needs

        # The library's tensors lie in the file, which may change: these are copies.
        tensors = {name: value.clone() for name, value in load_file(path).items()}
        return {name: move(value, map_location) for name, value in tensors.items()}
    if trusted and (is_zip(path) or is_pickle(path) or is_old_tar(path)):
        if is_zip(path) and zipfile.is_zipfile(path):
            check_checksums(path)
        return torch.load(path, map_location, weights_only=False)

    class Unpickler(RestrictedUnpickler):
        extra_globals = dict(extra)

    def unpickler(file: Any) -> Any:
        return Unpickler(file, encoding='utf-8')

    if is_zip(path) and zipfile.is_zipfile(path):
        return read_zip(path, map_location, unpickler)
    if is_pickle(path):
        return read_legacy(path, map_location, unpickler)
    if is_old_tar(path):
        raise ForbiddenPickleError('a tar archive in the format of torch before 0.2')
    raise NoCheckpointError(': '.join(describe_file(path)))


def _is_about_the_machine(error: Exception) -> bool:
    """Whether an error says nothing about the file: no such device, memory, rights."""
    kinds = (torch.cuda.OutOfMemoryError, PermissionError, ImportError)
    reasons = (
        'Attempting to deserialize object on',
        'out of memory',
        "can't allocate memory",
    )
    return isinstance(error, kinds) or any(text in str(error) for text in reasons)


def _damaged(path: Path, error: Exception) -> CheckpointError:
    size = f'{path} ({path.stat().st_size} bytes)'
    if is_unfinished(path):
        size += ', the part of a checkpoint that was written before a kill,'
    if isinstance(error, NoCheckpointError):
        return CheckpointError(f'{size} is {error}')
    detail = ' '.join(str(error).split())[:200]
    return CheckpointError(
        f'{size} is truncated, damaged or not a checkpoint ({type(error).__name__}: '
        f'{detail}). Copy or download it again, or resume from an earlier one.'
    )


def _origin(refused: str) -> str:
    """Say whose objects a refused pickle holds, where that helps."""
    module = refused.partition(' ')[0]
    if module.startswith('torch.nn.') and not module.startswith('torch.nn.parameter'):
        return (
            ' It is a whole network (torch.save(model)); whoever made it can save its '
            'weights: torch.save(model.state_dict(), file).'
        )
    return ''


def _example(folder: Path) -> str:
    files = [path.name for path in folder.iterdir() if path.suffix in ('.pth', '.pt')]
    return f', such as {max(files)}' if files else ''
