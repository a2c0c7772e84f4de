# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""MMEngine's ways to name a checkpoint, all of them loaded safely.

On import this replaces MMEngine's loaders through its extension point for them, so that
``init_model``, ``load_from``, ``resume`` and the inferencers load safely. That also
mends them on torch 2.6 and later, whose own restriction refuses every MMEngine
checkpoint (open-mmlab/mmengine#1655, #1650).
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import mmengine.runner.checkpoint
import torch
from mmengine.dist import barrier, get_rank
from mmengine.fileio import get_file_backend
from mmengine.runner.checkpoint import CheckpointLoader, load_from_openmmlab

from mmkp.engine.checkpoint import CheckpointError, load_checkpoint_file
from mmkp.engine.checkpoint_content import as_checkpoint

_PREFIX = re.compile(r'[\w:-]+://')


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a local checkpoint for MMEngine.

    Args:
        filename: path of the file; ``~`` stands for the home folder.
        map_location: where tensors go, as in ``torch.load``.

    Returns:
        The checkpoint, see :func:`mmkp.engine.checkpoint_content.as_checkpoint`.

    Raises:
        FileNotFoundError, UntrustedCheckpointError, CheckpointError: as
            :func:`load_checkpoint_file`.
    """
    prefix = _PREFIX.match(str(filename))
    if prefix and not Path(filename).exists():
        raise FileNotFoundError(
            f'the checkpoint {filename} can not be found, as nothing is known of '
            f'addresses that begin with {prefix.group()}: give the path of a file'
        )
    return as_checkpoint(load_checkpoint_file(filename, map_location), str(filename))


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
    progress: bool = False,
) -> Any:
    """Download a checkpoint, once a machine, and load it.

    Args:
        filename: address of the file.
        map_location: where tensors go, as in ``torch.load``.
        model_dir: folder that keeps it; None means ``checkpoints`` in torch's hub.
        progress: show a progress bar.

    Returns:
        The checkpoint, see :func:`mmkp.engine.checkpoint_content.as_checkpoint`.

    Raises:
        CheckpointError: it cannot be downloaded, or as :func:`load_checkpoint_file`.
        UntrustedCheckpointError: as :func:`load_checkpoint_file`.
    """
    name = Path(urlparse(filename).path).name
    if not name:
        raise CheckpointError(f'{filename} names no file: give the address of one')
    path = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'), name)
    try:
        # Machines may have their own disks: the first process of each downloads.
        if int(os.environ.get('LOCAL_RANK', get_rank())) == 0:
            _download(filename, path, progress)
    finally:
        barrier()
    # Whoever still lacks it, as a launcher told no local rank, gets it too: the file
    # appears whole, by renaming, whoever else does the same.
    _download(filename, path, progress)
    return load_from_local(str(path), map_location)


def _download(address: str, path: Path, progress: bool) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(address, str(path), progress=progress)
    except OSError as error:  # urllib's errors are of this kind
        raise CheckpointError(
            f'{address} cannot be downloaded to {path} ({error}): download it in '
            'another way and give the path of the file'
        ) from error


@CheckpointLoader.register_scheme(prefixes='pavi://', force=True)
def load_from_pavi(filename: str, map_location: Any = None) -> Any:
    """Load a checkpoint of pavi's model cloud; see :func:`load_from_local`."""
    try:
        from pavi import modelcloud
    except ImportError as error:
        raise _client_missing(filename, 'pavi') from error
    with tempfile.TemporaryDirectory() as folder:
        model = modelcloud.get(filename.removeprefix('pavi://'))
        path = Path(folder, Path(model.name).name)
        model.download(str(path))
        return load_from_local(str(path), map_location)


@CheckpointLoader.register_scheme(
    prefixes=[r'(\S+\:)?s3://', r'(\S+\:)?petrel://'], force=True
)
def load_from_ceph(
    filename: str, map_location: Any = None, backend: str = 'petrel'
) -> Any:
    """Load a checkpoint of an object store; see :func:`load_from_local`.

    Args:
        filename: address, ``s3://...`` or ``petrel://...``.
        map_location: where tensors go, as in ``torch.load``.
        backend: MMEngine's name of what reads it.

    Returns:
        The checkpoint.

    Raises:
        ImportError: the store's client is not installed.
    """
    try:
        store = get_file_backend(filename, backend_args={'backend': backend})
    except ImportError as error:
        raise _client_missing(filename, 'petrel_client') from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(urlparse(filename).path).name or 'checkpoint')
        path.write_bytes(store.get(filename))
        return load_from_local(str(path), map_location)


@CheckpointLoader.register_scheme(
    prefixes=('open-mmlab://', 'openmmlab://'), force=True
)
def load_from_open_mmlab(filename: str, map_location: Any = None) -> Any:
    """Load a checkpoint by its name in MMEngine's list; see :func:`load_from_http`.

    Names may stand for files in MMEngine's home, which it reads unguarded.
    """
    name = filename.partition('://')[2]
    names = mmengine.runner.checkpoint.get_external_models()
    home = mmengine.runner.checkpoint._get_mmengine_home()
    address = names.get(name, '')
    if address and '://' not in address:
        return load_from_local(os.path.join(home, address), map_location)
    return load_from_openmmlab(filename, map_location=map_location)


def _client_missing(address: str, package: str) -> ImportError:
    return ImportError(
        f'{address} is read by the package {package}, which is not installed: install '
        'it, or download the file and give its path'
    )


# MMEngine's loaders for torchvision:// and model-zoo names call it by this name.
mmengine.runner.checkpoint.load_from_http = load_from_http
