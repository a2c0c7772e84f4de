# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the bytes of a file to the storage of a tensor, on the device that was asked."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.storage import UntypedStorage

# Larger ones leave the processor's cache between checksum and copy.
_CHUNK = 1 << 20

Location = Callable[[UntypedStorage, str], UntypedStorage]


def fill(content: Tensor, file: Any) -> None:
    """Read all bytes of a tensor.

    Args:
        content: filled, uint8, one dimension.
        file: binary, read from where it stands.

    Raises:
        EOFError: the file ends before.
    """
    target: Any = content.numpy()
    done = 0
    while done < len(target):
        chunk = file.read(min(_CHUNK, len(target) - done))
        if not chunk:
            raise EOFError('it ends within a tensor')
        target[done : done + len(chunk)] = memoryview(chunk)
        done += len(chunk)


def locator(map_location: Any) -> Location:
    """Make what moves a storage of the CPU.

    Args:
        map_location: as in ``torch.load``.

    Returns:
        A function of the storage and the name of the device that it was saved from.
    """
    restore = torch.serialization.default_restore_location
    if map_location is None:
        return restore
    if isinstance(map_location, Mapping):
        return lambda storage, place: restore(storage, map_location.get(place, place))
    if isinstance(map_location, str | torch.device):
        return lambda storage, _: restore(storage, str(map_location))

    def locate(storage: UntypedStorage, place: str) -> UntypedStorage:
        moved = map_location(storage, place)
        return restore(storage, place) if moved is None else moved

    return locate


def move(tensor: Tensor, map_location: Any) -> Tensor:
    """Move a tensor of the CPU.

    Args:
        tensor: contiguous, alone in its storage.
        map_location: as in ``torch.load``.

    Returns:
        The tensor where it should be.
    """
    storage = locator(map_location)(tensor.untyped_storage(), 'cpu')
    moved = torch.empty(0, dtype=tensor.dtype, device=storage.device)
    return moved.set_(storage, 0, tensor.shape, tensor.stride())  # type: ignore[call-overload]
