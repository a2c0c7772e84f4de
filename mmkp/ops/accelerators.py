# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What an operation asks of its device: which form suits it, how much memory it has.

A CPU is fastest where numbers stay in its caches, and where work that cannot matter is
found and left out. An accelerator is fastest with few large operations, and stands
still where the host waits for a value to decide on.
"""

import functools

import torch

# About what a processor keeps in its caches.
CPU_WORKING_SET = 16 * 2**20
# Of a device that does not tell how much memory it has.
DEFAULT_WORKING_SET = 4 * 2**30


def is_accelerator(device: torch.device) -> bool:
    """Tell whether a device wants few large operations and no reading of values.

    Args:
        device: of the tensors.

    Returns:
        False for CPUs, True for everything else.
    """
    return device.type != 'cpu'


def working_set(device: torch.device) -> int:
    """Bytes that an operation may take in between, beyond input and output.

    Args:
        device: of the tensors.

    Returns:
        16 MiB on CPUs, two fifths of the memory of a CUDA device, else 4 GiB.
    """
    if not is_accelerator(device):
        return CPU_WORKING_SET
    if device.type != 'cuda':
        return DEFAULT_WORKING_SET
    return _total_memory(device.index) * 2 // 5


@functools.cache
def _total_memory(index: int | None) -> int:
    """Memory of a CUDA device in bytes, asked once: each question takes time."""
    return torch.cuda.get_device_properties(index or 0).total_memory
