# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read a safetensors file: a header of JSON, then the tensors' bytes."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkp.engine.tensor_bytes import fill

_DTYPES = {
    'BOOL': 'bool',
    'U8': 'uint8',
    'I8': 'int8',
    'F8_E4M3': 'float8_e4m3fn',
    'F8_E5M2': 'float8_e5m2',
    'U16': 'uint16',
    'I16': 'int16',
    'F16': 'float16',
    'BF16': 'bfloat16',
    'U32': 'uint32',
    'I32': 'int32',
    'F32': 'float32',
    'U64': 'uint64',
    'I64': 'int64',
    'F64': 'float64',
    'C64': 'complex64',
}
#: The format's own bound.
_MAX_HEADER_BYTES = 100_000_000
_MAX_DIMENSIONS = 64


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a file.

    Args:
        path: of the file.

    Returns:
        Tensors on the CPU by their names; each owns its memory.

    Raises:
        ValueError: the file is truncated, damaged, or of a type that this torch lacks.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        header_size = int.from_bytes(file.read(8), 'little')
        start = 8 + header_size
        if header_size > min(_MAX_HEADER_BYTES, size - 8):
            raise ValueError(f'its header of {header_size} bytes does not end in it')
        entries = _parse_header(file.read(header_size))
        tensors, position = {}, 0
        for name, entry in sorted(entries.items(), key=lambda item: item[1][2]):
            dtype, shape, begin, end = entry
            length = math.prod(shape) * dtype.itemsize
            # No gaps, no overlaps, nothing behind the end of the file.
            if begin != position or end - begin != length or start + end > size:
                raise ValueError(
                    f'tensor {name!r:.80} of shape {shape} and {dtype} lies at bytes '
                    f'{begin} to {end} of {size - start}'
                )
            position = end
            content = torch.empty(length, dtype=torch.uint8)
            fill(content, file)
            tensors[name] = content.view(dtype).reshape(shape)
    if start + position != size:
        raise ValueError(f'{size - start - position} bytes lie behind its tensors')
    return {name: tensors[name] for name in entries}


def _parse_header(content: bytes) -> dict[str, tuple[torch.dtype, list[int], int, int]]:
    header = json.loads(content, object_pairs_hook=_unique)
    if not isinstance(header, dict):
        raise ValueError('its header is no dictionary')
    header.pop('__metadata__', None)
    return {name: _parse_entry(name, entry) for name, entry in header.items()}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError('its header says something twice')
    return dict(pairs)


def _parse_entry(name: str, entry: Any) -> tuple[torch.dtype, list[int], int, int]:
    try:
        kind, shape, offsets = entry['dtype'], entry['shape'], entry['data_offsets']
        numbers = [*shape, *offsets]
        begin, end = offsets
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f'its header is wrong about {name!r:.80}') from error
    dtype = getattr(torch, _DTYPES.get(str(kind), '?'), None)
    if dtype is None:
        raise ValueError(f'tensor {name!r:.80} is of the unknown type {kind!r:.20}')
    if len(shape) > _MAX_DIMENSIONS or any(
        type(number) is not int or number < 0 for number in numbers
    ):
        raise ValueError(
            f'tensor {name!r:.80} has shape {shape!r:.80}, {offsets!r:.80}'
        )
    return dtype, shape, begin, end
