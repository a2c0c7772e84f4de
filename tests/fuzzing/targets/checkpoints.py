"""Checkpoints of either format of torch, and their pickles by instructions."""

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from fuzzing.mutations import WHOLE, Random, chance, choose, damaged_bytes
from fuzzing.target import Target
from mmkp.engine import load_checkpoint_file

_CONTENT = dict(
    state_dict=OrderedDict(
        weight=torch.arange(12.0).reshape(3, 4),
        view=torch.arange(6.0)[2:5],
        half=torch.ones(5, dtype=torch.bfloat16),
        parameter=torch.nn.Parameter(torch.ones(2)),
    ),
    meta=dict(iter=3, ids={1, 2}, number=2 + 1j, text='a', long=2**70),
    message_hub=dict(log=HistoryBuffer([1.0, 2.0], [1, 1])),
    arrays=[np.arange(6.0), np.array([1, 'a'], dtype=object), np.float64(0.5)],
)


def _saved(**options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(_CONTENT, buffer, **options)
    return buffer.getvalue()


_ZIP, _LEGACY = _saved(), _saved(_use_new_zipfile_serialization=False)
_PICKLES = [
    zipfile.ZipFile(io.BytesIO(_saved(pickle_protocol=protocol))).read(
        'archive/data.pkl'
    )
    for protocol in (2, 4, 5)
]
_GLOBALS = (
    *('os system', 'builtins eval', 'builtins getattr', 'torch.storage sys.modules'),
    *('numpy ndarray', 'numpy dtype', 'torch Size', 'collections OrderedDict'),
    *('torch._utils _rebuild_tensor_v2', 'torch._utils _rebuild_parameter'),
    *('builtins set', 'builtins bytearray', 'collections Counter', 'torch quint8'),
    *('mmengine.logging.history_buffer HistoryBuffer', 'torch HalfStorage'),
)


def _instructions(program: bytes) -> list[bytes]:
    places = [position for _, _, position in pickletools.genops(program)]
    ends = [*places[1:], len(program)]
    return [program[start:end] for start, end in zip(places, ends, strict=True) if end]


_PARTS = [_instructions(program) for program in _PICKLES]
_ALL_PARTS = sorted({part for parts in _PARTS for part in parts})


def _new_instruction(rng: Random) -> bytes:
    """An instruction of a sound pickle, a bare one, a global, or a number."""
    kind = int(rng.integers(4))
    if kind == 0:
        return choose(rng, _ALL_PARTS)
    if kind == 1:
        return choose(rng, pickletools.opcodes).code.encode('latin1')
    if kind == 2:
        return b'c' + choose(rng, _GLOBALS).replace(' ', '\n').encode() + b'\n'
    value = choose(rng, WHOLE) * choose(rng, (1, -1))
    return pickle.dumps(value, 2)[2:-1]


def _make_program(rng: Random) -> bytes:
    parts = list(choose(rng, _PARTS))
    for _ in range(int(rng.integers(1, 5))):
        at, kind = int(rng.integers(len(parts))), int(rng.integers(4))
        if kind == 0:
            parts[at] = _new_instruction(rng)
        elif kind == 1:
            parts.insert(at, _new_instruction(rng))
        elif kind == 2 and len(parts) > 1:
            del parts[at]
        else:
            size = int(rng.integers(1, 20))
            parts[at:at] = parts[at : at + size]
    program = b''.join(parts)
    return damaged_bytes(rng, program) if chance(rng, 0.2) else program


def _use_program(program: bytes, folder: Path) -> None:
    path = folder / 'program.pth'
    with zipfile.ZipFile(io.BytesIO(_ZIP)) as old, zipfile.ZipFile(path, 'w') as new:
        for info in old.infolist():
            is_program = info.filename.endswith('data.pkl')
            new.writestr(info.filename, program if is_program else old.read(info))
    _load(path)


def _make_file(rng: Random) -> bytes:
    content, other = (_ZIP, _LEGACY) if chance(rng, 0.5) else (_LEGACY, _ZIP)
    return damaged_bytes(rng, content, other)


def _use_file(content: bytes, folder: Path) -> None:
    path = folder / 'file.pth'
    path.write_bytes(content)
    _load(path)


def _load(path: Path) -> None:
    """Load, and read every number: memory beyond a storage would crash."""
    todo, seen = [load_checkpoint_file(path)], 0
    while todo and seen < 10_000:
        item, seen = todo.pop(), seen + 1
        if isinstance(item, torch.Tensor) and item.numel() < 1 << 20:
            item.detach().cpu().float().sum().item()
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item


TARGETS = {
    'checkpoint': Target(_make_file, _use_file),
    'pickle': Target(_make_program, _use_program, 2.0),
}
