"""Weights of Caffe and TensorFlow, safetensors and .npz."""

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from caffe_writer import V1, caffemodel
from graph_def_writer import constant, node

from fuzzing.mutations import Random, chance, choose, damaged_bytes, damaged_json
from fuzzing.target import Target
from mmkp.converters.readers.caffemodel import read_caffemodel
from mmkp.converters.readers.graph_def import read_graph_def
from mmkp.engine import load_checkpoint_file
from mmkp.labels import read_npz

_VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
_CAFFE = [
    caffemodel({'conv.weight': _VALUES, 'conv.bias': _VALUES[0]}),
    caffemodel({'conv.weight': _VALUES}, V1, old_shape=True),
    caffemodel({'conv.weight': _VALUES.astype(np.float64)}, packed=False),
]
_GRAPHS = [
    constant('weight', _VALUES) + node('conv', 'Conv2D', ['weight', 'image']),
    constant('weight', _VALUES, packed=True) + constant('one', np.float32(1)),
]
_HEADER = dict(
    weight=dict(dtype='F32', shape=[3, 4], data_offsets=[0, 48]),
    bias=dict(dtype='F16', shape=[4], data_offsets=[48, 56]),
)


def _npz(save: Any = np.savez) -> bytes:
    buffer = io.BytesIO()
    save(buffer, weight=_VALUES, names=np.array(['a', 'bc']), flag=np.array(True))
    return buffer.getvalue()


_ARRAYS = [_npz(), _npz(np.savez_compressed)]


def _make_caffe(rng: Random) -> bytes:
    return damaged_bytes(rng, choose(rng, _CAFFE), choose(rng, _CAFFE))


def _make_graph(rng: Random) -> bytes:
    return damaged_bytes(rng, choose(rng, _GRAPHS), choose(rng, _GRAPHS))


def _make_safetensors(rng: Random) -> bytes:
    text = json.dumps(_HEADER).encode()
    if chance(rng, 0.7):
        text = damaged_json(rng, _HEADER)
    content = struct.pack('<Q', len(text)) + text + bytes(range(56))
    return damaged_bytes(rng, content) if chance(rng, 0.3) else content


def _make_npz(rng: Random) -> bytes:
    """Damage an archive, or the members of one that is then packed soundly."""
    if chance(rng, 0.4):
        return damaged_bytes(rng, choose(rng, _ARRAYS), choose(rng, _ARRAYS))
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_ARRAYS[0])) as old,
        zipfile.ZipFile(target, 'w', choose(rng, (0, 8))) as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            if chance(rng, 0.6):
                content = damaged_bytes(rng, content)
            new.writestr(choose(rng, ('../x', '/x.npy', *[info.filename] * 8)), content)
    return target.getvalue()


def _reader(suffix: str, read: Any) -> Any:
    def use(content: bytes, folder: Path) -> None:
        path = folder / f'file{suffix}'
        path.write_bytes(content)
        read(path)

    return use


TARGETS = {
    'caffemodel': Target(_make_caffe, _reader('.caffemodel', read_caffemodel), 2.0),
    'graph': Target(_make_graph, _reader('.pb', read_graph_def), 2.0),
    'safetensors': Target(
        _make_safetensors, _reader('.safetensors', load_checkpoint_file)
    ),
    'npz': Target(_make_npz, _reader('.npz', read_npz)),
}
