# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Reading the weights in a Caffe model without Caffe.

A ``.caffemodel`` is one protobuf message, ``NetParameter``; field numbers are those of
Caffe's ``caffe.proto``.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmkp.converters.readers.protobuf import (
    FIXED32,
    FIXED64,
    ProtobufError,
    as_bytes,
    as_text,
    iterate_fields,
    opened_message,
    read_varint,
)

#: Field of NetParameter to the fields of name and blobs in its layers: the current
#: message LayerParameter, and V1LayerParameter of Caffe before 2015.
_LAYER_FIELDS = {100: (1, 7), 2: (4, 6)}
#: Fields of BlobProto: its numbers, and its shape in the current and the older form.
_FLOATS, _DOUBLES, _SHAPE = 5, 8, 7
_OLD_SHAPE = (1, 2, 3, 4)
#: BlobShape's only field.
_DIMENSIONS = 1


def read_caffemodel(filename: str | Path) -> dict[str, list[np.ndarray]]:
    """Read the weights of every layer.

    Args:
        filename: a binary ``.caffemodel``; ``~`` stands for the home folder.

    Returns:
        The blobs of each layer that has any, by the layer's name, in the file's order;
        float32 (float64 where the file has doubles). A convolution has its weight,
        (O, I, kh, kw), and, where it has one, its bias, (O,) or, in older files,
        (1, 1, 1, O).

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged, or no Caffe model.
    """
    layers: dict[str, list[np.ndarray]] = {}
    with opened_message(filename, '.caffemodel') as net:
        for name, blobs in _iterate_layers(net):
            if name in layers:
                raise ProtobufError(f'two layers with weights are called {name}')
            layers[name] = blobs
        if not layers:
            raise ProtobufError('no layer in it has weights')
    return layers


def _iterate_layers(net: memoryview) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield name and blobs of each layer that has blobs."""
    for number, wire_type, value in iterate_fields(net):
        if number not in _LAYER_FIELDS:
            continue
        name_field, blob_field = _LAYER_FIELDS[number]
        name, blobs = '', []
        for inner, inner_type, part in iterate_fields(as_bytes(value, wire_type)):
            if inner == name_field:
                name = as_text(as_bytes(part, inner_type))
            elif inner == blob_field:
                blobs.append(as_bytes(part, inner_type))
        if blobs:
            yield name, [_read_blob(blob, name) for blob in blobs]


def _read_blob(blob: memoryview, layer: str) -> np.ndarray:
    """Read one BlobProto into an array that owns its memory."""
    floats, doubles = [], []
    dimensions: list[int] | None = None
    old_shape: dict[int, int] = {}
    for number, wire_type, value in iterate_fields(blob):
        # Numbers are packed in what Caffe writes; protobuf allows them one by one.
        if number == _FLOATS:
            floats.append(as_bytes(value, wire_type, FIXED32))
        elif number == _DOUBLES:
            doubles.append(as_bytes(value, wire_type, FIXED64))
        elif number == _SHAPE:
            dimensions = _read_shape(as_bytes(value, wire_type))
        elif number in _OLD_SHAPE and isinstance(value, int):
            old_shape[number] = value
    content = bytearray().join(doubles or floats)
    kind = np.dtype('<f8' if doubles else '<f4')
    size, rest = divmod(len(content), kind.itemsize)
    if dimensions is None:
        dimensions = [old_shape.get(number, 1) for number in _OLD_SHAPE]
    if rest or not size or len(dimensions) > 32 or math.prod(dimensions) != size:
        shape = ' x '.join(map(str, dimensions[:32]))
        raise ProtobufError(f'layer {layer} has {size} numbers for the shape {shape}')
    return np.frombuffer(content, kind).reshape(dimensions)


def _read_shape(shape: memoryview) -> list[int]:
    """Read BlobShape, whose dimensions are packed or one by one."""
    dimensions = []
    for number, wire_type, value in iterate_fields(shape):
        if number != _DIMENSIONS:
            continue
        if isinstance(value, int):
            dimensions.append(value)
            continue
        packed, position = as_bytes(value, wire_type), 0
        while position < len(packed):
            size, position = read_varint(packed, position)
            dimensions.append(size)
    return dimensions
