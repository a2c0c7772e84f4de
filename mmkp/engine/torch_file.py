# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Reading what ``torch.save`` wrote, each claim of the pickle held against the file.

``torch.load`` would do, were it not for three things: before torch 2.10 it believes the
sizes that a pickle claims and reads memory beyond the record; it never compares the
archive's checksums, so a flipped bit becomes a weight; and in files of torch before 1.6
it leaves storages without data uninitialised.
"""

import io
import mmap
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.storage import TypedStorage, UntypedStorage

from mmkp.engine.file_kind import describe_file
from mmkp.engine.restricted_globals import ForbiddenPickleError
from mmkp.engine.shown import shown
from mmkp.engine.tensor_bytes import fill, locator
from mmkp.engine.tensor_rebuilding import StorageType
from mmkp.labels.zip_archive import check_archive

_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
#: Each byte of a pickle may make an object of 200 bytes.
_MAX_PACKED_PICKLE = 1 << 22


class NoCheckpointError(ValueError):
    """Says what a file is instead."""


class Unpickler(Protocol):
    """What reads one pickle from a file; given tensors by ``persistent_load``."""

    persistent_load: Callable[[Any], Any]

    def load(self) -> Any:
        """Read it."""


MakeUnpickler = Callable[[Any], Unpickler]


def read_zip(path: Path, map_location: Any, make_unpickler: MakeUnpickler) -> Any:
    """Read a file of torch 1.6 and later.

    Args:
        path: of the file.
        map_location: where tensors go, as in ``torch.load``.
        make_unpickler: given a binary file, makes the unpickler that reads it.

    Returns:
        What was saved.

    Raises:
        NoCheckpointError: it is an archive of something else.
        zipfile.BadZipFile, ValueError, KeyError: the file is damaged.
        ForbiddenPickleError: it is a program of TorchScript, or the unpickler's.
    """
    place = locator(map_location)
    with zipfile.ZipFile(path) as archive:
        folder = _check_records(archive, path)
        swapped = _is_swapped(archive, folder)
        storages: dict[str, UntypedStorage] = {}
        damaged: dict[str, str] = {}

        def persistent_load(claim: Any) -> TypedStorage:
            dtype, key, location, count, *_ = _parse_claim(claim)
            if key not in storages:
                info = archive.getinfo(f'{folder}data/{key}')
                if info.file_size != count * dtype.itemsize:
                    raise ValueError(
                        f'storage {key} should have {count} numbers of {dtype} and has '
                        f'{info.file_size} bytes'
                    )
                try:
                    with archive.open(info) as file:
                        storage = _read_storage(file, info.file_size)
                except zipfile.BadZipFile as error:
                    damaged[key] = str(error)
                    storage = UntypedStorage(info.file_size)
                if swapped:
                    storage.byteswap(dtype)
                storages[key] = place(storage, location)
            return _typed(storages[key], dtype)

        unpickler = make_unpickler(io.BytesIO(archive.read(f'{folder}data.pkl')))
        unpickler.persistent_load = persistent_load
        content = unpickler.load()
        if damaged:
            lost = {storages[key].data_ptr() for key in damaged}
            names = list(islice(_names_of_tensors(content, lost), 3))
            raise zipfile.BadZipFile(
                f'{next(iter(damaged.values()))}, which holds {" and ".join(names)}'
            )
        return content


def _names_of_tensors(value: Any, storages: set[int], name: str = '') -> Iterator[str]:
    """Where the tensors of some storages are in what was saved."""
    if isinstance(value, Tensor):
        if value.untyped_storage().data_ptr() in storages:
            yield name or 'the tensor'
    elif isinstance(value, Mapping | list | tuple):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _names_of_tensors(item, storages, f'{name}.{key}'.lstrip('.'))


def check_checksums(path: Path) -> None:
    """Compare the checksums of an archive, which ``torch.load`` itself does not.

    Args:
        path: of a file of torch 1.6 and later.

    Raises:
        zipfile.BadZipFile: an entry is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f'Bad CRC-32 for file {damaged!r}')


def _check_records(archive: zipfile.ZipFile, path: Path) -> str:
    """Find the folder inside the archive, and refuse sizes that it cannot have."""
    folders = [
        name.removesuffix('data.pkl')
        for name in archive.namelist()
        if name.endswith('/data.pkl') or name == 'data.pkl'
    ]
    if not folders:
        raise NoCheckpointError(': '.join(describe_file(path)))
    if len(folders) > 1:
        raise ValueError(f'{len(folders)} data.pkl are in it')
    if f'{folders[0]}constants.pkl' in archive.namelist():
        raise ForbiddenPickleError('a TorchScript program')
    check_archive(archive, path.stat().st_size)
    program = archive.getinfo(f'{folders[0]}data.pkl')
    if program.file_size > max(_MAX_PACKED_PICKLE, program.compress_size):
        raise ValueError(
            f'its pickle is packed and has {program.file_size} bytes: torch.save packs '
            'nothing'
        )
    return folders[0]


def _is_swapped(archive: zipfile.ZipFile, folder: str) -> bool:
    try:
        order = archive.read(f'{folder}byteorder').decode()
    except KeyError:
        order = 'little'
    if order not in ('little', 'big'):
        raise ValueError(f'its order of bytes is {order!r:.20}')
    return order != sys.byteorder


def read_legacy(path: Path, map_location: Any, make_unpickler: MakeUnpickler) -> Any:
    """Read a file of torch before 1.6: pickles, then the numbers of each storage.

    Args:
        path: of the file.
        map_location: where tensors go, as in ``torch.load``.
        make_unpickler: given a binary file, makes the unpickler that reads it.

    Returns:
        What was saved.

    Raises:
        ValueError, EOFError: the file is truncated or damaged, or a pickle that
            ``torch.save`` did not write.
        ForbiddenPickleError: the unpickler's.
    """
    place = locator(map_location)
    claimed: dict[str, tuple[torch.dtype, int, str]] = {}
    storages: dict[str, UntypedStorage] = {}

    def persistent_load(claim: Any) -> TypedStorage:
        dtype, key, location, count, view = _parse_claim(claim)
        if claimed.setdefault(key, (dtype, count, location))[:2] != (dtype, count):
            raise ValueError(f'storage {key} is said to have two sizes')
        if view is not None:
            raise ValueError('it holds views of storages, as torch before 0.4 made')
        # The numbers come last: what is built before them only says what they are for.
        if key not in storages:
            empty = UntypedStorage(count * dtype.itemsize, device='meta')
            return _typed(empty, dtype)
        return _typed(storages[key], dtype)

    # In memory a size that a damaged pickle claims is bounded by the file's.
    with (
        path.open('rb') as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):

        def load() -> Any:
            unpickler = make_unpickler(content)
            unpickler.persistent_load = persistent_load
            return unpickler.load()

        if load() != _LEGACY_MAGIC:
            raise ValueError('it is a pickle that torch.save did not write')
        if load() != _LEGACY_PROTOCOL:
            raise ValueError('it is of an unknown version')
        load()  # sizes of C's types
        start = content.tell()
        load()
        keys = load()
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(claimed):
            raise ValueError('its storages are not those that its tensors need')
        for key in map(str, keys):
            dtype, count, location = claimed[key]
            if int.from_bytes(content.read(8), 'little') != count:
                raise ValueError(f'storage {key} is not of the size {count}')
            if count * dtype.itemsize > len(content) - content.tell():
                raise EOFError(f'it ends within storage {key}')
            storage = _read_storage(content, count * dtype.itemsize)
            storages[key] = place(storage, location)
        content.seek(start)
        return load()


def _parse_claim(claim: Any) -> tuple[torch.dtype, str, str, int, Any]:
    """What a pickle says of a storage: type, key, location, number, view."""
    if type(claim) is not tuple or len(claim) not in (5, 6):
        raise ValueError(f'it refers to {shown(claim)}')
    name, kind, key, location, count, *view = claim
    if kind is UntypedStorage:
        dtype = torch.uint8
    elif isinstance(kind, StorageType):
        dtype = kind.dtype
    else:
        raise ValueError(f'it refers to a storage of {shown(kind)}')
    if type(count) is not int or not 0 <= count < 1 << 60:
        raise ValueError(f'it refers to a storage of {shown(count)} numbers')
    name, key, location = (
        text.decode('ascii') if isinstance(text, bytes) else text
        for text in (name, key, location)
    )
    if name != 'storage' or type(location) is not str or type(key) not in (str, int):
        raise ValueError(f'it refers to {shown(claim)}')
    return dtype, str(key), location, count, view[0] if view else None


def _read_storage(file: Any, size: int) -> UntypedStorage:
    content = torch.empty(size, dtype=torch.uint8)
    fill(content, file)
    if isinstance(file, zipfile.ZipExtFile):
        file.read(1)  # at the end the checksum is compared
    return content.untyped_storage()


def _typed(storage: UntypedStorage, dtype: torch.dtype) -> TypedStorage:
    return TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)
