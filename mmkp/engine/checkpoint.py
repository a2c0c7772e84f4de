"""Loading checkpoints without running the code that a file may carry.

On import this replaces MMEngine's loaders of local and of downloaded files, through its
extension point for them, so that ``init_model``, ``load_from``, ``resume`` and the
inferencers load safely. That also mends them on torch 2.6 and later, whose own
restriction refuses every MMEngine checkpoint (open-mmlab/mmengine#1655, #1650).
"""

import os
import pickle
import tarfile
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import mmengine.runner.checkpoint
import torch
from mmengine.dist import barrier, get_rank
from mmengine.runner.checkpoint import CheckpointLoader

from mmkp.engine.restricted_globals import ForbiddenPickleError
from mmkp.engine.restricted_unpickler import InertObject, RestrictedUnpickler

__all__ = [
    'CheckpointError',
    'InertObject',
    'UntrustedCheckpointError',
    'load_checkpoint_file',
    'load_from_http',
    'load_from_local',
]

TRUST_VARIABLE = 'MMKP_TRUST_CHECKPOINTS'


class CheckpointError(RuntimeError):
    """A file that is truncated, damaged, or no checkpoint at all."""


class UntrustedCheckpointError(RuntimeError):
    """A checkpoint that carries more than data, and was not declared trusted.

    Not a :class:`CheckpointError`: whoever falls back to an older checkpoint when the
    last one is damaged should stop here.
    """


def load_checkpoint_file(
    filename: str | Path,
    map_location: Any = None,
    *,
    extra_globals: Mapping[str, Any] | None = None,
    trusted: bool | None = None,
) -> Any:
    """Load a local file written by ``torch.save`` without running code from it.

    Tensors, numpy arrays, MMEngine's ``HistoryBuffer`` and plain Python types are
    loaded. A file with anything else in it is refused before anything of it is
    imported or called.

    Args:
        filename: Path of the file; ``~`` stands for the home folder.
        map_location: Where tensors go, as in ``torch.load``.
        extra_globals: Further names that the file may use, ``'module.name'`` to the
            object taken for it, for checkpoints of other frameworks. Nothing is
            imported by name; :class:`InertObject` stands for what is not needed.
        trusted: Load whatever the file holds, running its code. None asks the
            environment variable ``MMKP_TRUST_CHECKPOINTS``.

    Returns:
        What was saved, for MMEngine a dict with ``meta``, ``state_dict``, ...

    Raises:
        FileNotFoundError: Where there is no such file.
        CheckpointError: Where the file is truncated, damaged or no checkpoint.
        UntrustedCheckpointError: Where the file carries something else, naming it.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'the checkpoint {path} can not be found')
    if trusted is None:
        trusted = os.environ.get(TRUST_VARIABLE, '').lower() in ('1', 'true', 'yes')
    try:
        if trusted:
            return torch.load(path, map_location, weights_only=False)
        _check_container(path)
        return torch.load(
            path,
            map_location,
            pickle_module=_pickle_module(extra_globals or {}),
            weights_only=False,
        )
    except ForbiddenPickleError as error:
        raise UntrustedCheckpointError(
            f'{path} holds {error}, which no MMEngine checkpoint needs and which could '
            'run code on this machine. If you trust whoever made the file, set the '
            f'environment variable {TRUST_VARIABLE}=1 or call '
            'mmkp.engine.checkpoint.load_checkpoint_file(..., trusted=True).'
        ) from error
    # A damaged pickle is a random program, which may fail in any way.
    except Exception as error:
        if _is_about_the_machine(error):
            raise
        raise _damaged(path, error) from error


def _is_about_the_machine(error: Exception) -> bool:
    """Whether an error says nothing about the file: no such device, memory, rights."""
    kinds = (torch.cuda.OutOfMemoryError, PermissionError, ImportError)
    reasons = (
        'Attempting to deserialize object on',
        'out of memory',
        "can't allocate memory",
        'explicit pickle_module',  # TORCH_FORCE_WEIGHTS_ONLY_LOAD is set
    )
    return isinstance(error, kinds) or any(text in str(error) for text in reasons)


def _damaged(path: Path, error: Exception) -> CheckpointError:
    detail = ' '.join(str(error).split())[:200]
    return CheckpointError(
        f'{path} ({path.stat().st_size} bytes) is truncated, damaged or not a '
        f'checkpoint ({type(error).__name__}: {detail}). Copy or download it again, or '
        'resume from an earlier one.'
    )


def _check_container(path: Path) -> None:
    """Refuse the containers that ``torch.load`` does not read with an unpickler."""
    with path.open('rb') as file:
        header = file.read(512)
    if header.startswith(b'PK\x03\x04'):
        # Asked of torch's reader, because it and zipfile may disagree about a file.
        records = torch._C.PyTorchFileReader(str(path)).get_all_records()
        if 'constants.pkl' in records:
            raise ForbiddenPickleError('a TorchScript program')
    # Zeros, as after a power cut, would pass for an empty tar archive.
    elif header.strip(b'\0') and tarfile.is_tarfile(path):
        raise ForbiddenPickleError('a tar archive in the format of torch before 0.2')
    elif not header.startswith(pickle.PROTO):
        raise EOFError('it is neither a zip archive nor a pickle')


def _pickle_module(extra_globals: Mapping[str, Any]) -> types.ModuleType:
    """Make what ``torch.load`` takes for the module ``pickle``."""
    module = types.ModuleType('mmkp_restricted_pickle')

    class Unpickler(RestrictedUnpickler):
        pass

    Unpickler.extra_globals = dict(extra_globals)

    def load(file: Any, **kwargs: Any) -> Any:
        return Unpickler(file, **kwargs).load()

    module.Unpickler = Unpickler  # type: ignore[attr-defined]
    module.load = load  # type: ignore[attr-defined]
    return module


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a local checkpoint for MMEngine; see :func:`load_checkpoint_file`."""
    return load_checkpoint_file(filename, map_location)


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
    progress: bool = False,
) -> Any:
    """Download a checkpoint, once, and load it; see :func:`load_checkpoint_file`.

    Args:
        filename: Address of the file.
        map_location: Where tensors go, as in ``torch.load``.
        model_dir: Folder that keeps it; None means ``checkpoints`` in torch's hub.
        progress: Show a progress bar.

    Returns:
        What was saved.

    Raises:
        UntrustedCheckpointError, CheckpointError: As :func:`load_checkpoint_file`.
    """
    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    path = folder / Path(urlparse(filename).path).name
    if get_rank() == 0 and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(filename, str(path), progress=progress)
    barrier()
    return load_checkpoint_file(path, map_location)


# MMEngine's loaders for torchvision:// and model-zoo names call it by this name.
mmengine.runner.checkpoint.load_from_http = load_from_http
