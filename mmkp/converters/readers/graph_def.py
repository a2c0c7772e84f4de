# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read the nodes of a frozen TensorFlow graph without TensorFlow."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmkp.converters.readers.protobuf import (
    ProtobufError,
    as_bytes,
    as_text,
    iterate_fields,
    opened_message,
)

# Field numbers of TensorFlow's graph.proto, node_def.proto, tensor.proto and
# tensor_shape.proto.
_GRAPH_NODE = 1
_NODE_NAME, _NODE_OP, _NODE_INPUT, _NODE_ATTRIBUTE = 1, 2, 3, 5
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VALUE_TENSOR = 8
_TENSOR_TYPE, _TENSOR_SHAPE, _TENSOR_BYTES = 1, 2, 4
_SHAPE_DIMENSION, _DIMENSION_SIZE = 2, 1
#: Number of a type in types.proto, and the field that may hold its values unpacked.
_TYPES: dict[int, tuple[np.dtype, int]] = {
    1: (np.dtype('<f4'), 5),
    2: (np.dtype('<f8'), 6),
}
#: Numbers of a constant that one value stands for, and of all such in a file: more than
#: a layer of the networks that are converted, and little memory.
_MAX_REPEATED = 1 << 22
_MAX_ALL_REPEATED = 1 << 26


@dataclass
class GraphNode:
    """One operation of a graph.

    Attributes:
        name: unique in the graph.
        op: kind of operation, e.g. 'Const' or 'Conv2D'.
        inputs: names of the nodes whose outputs it takes.
        value: of a 'Const' of floats; None for everything else.
    """

    name: str = ''
    op: str = ''
    inputs: list[str] = field(default_factory=list)
    value: np.ndarray | None = None


def read_graph_def(path: str | Path) -> dict[str, GraphNode]:
    """Read a frozen graph (``*.pb``).

    Args:
        path: the file, a serialised GraphDef.

    Returns:
        The nodes by their names, in the order of the file. Values are read-only and
        of the file's type.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated or something else.
    """
    nodes: dict[str, GraphNode] = {}
    repeated = 0
    with opened_message(path, 'frozen TensorFlow graph') as buffer:
        for number, _, value in iterate_fields(buffer):
            if number == _GRAPH_NODE:
                node = _read_node(as_bytes(value))
                nodes[node.name] = node
                repeated += 0 if node.value is None else node.value.size
            if repeated > len(buffer) + _MAX_ALL_REPEATED:
                raise ProtobufError('its constants repeat their values too often')
        if not any(node.op for node in nodes.values()):
            raise ProtobufError('no node with an operation is in it')
    return nodes


def _read_node(buffer: memoryview) -> GraphNode:
    node = GraphNode()
    for number, _, value in iterate_fields(buffer):
        if number == _NODE_NAME:
            node.name = as_text(value)
        elif number == _NODE_OP:
            node.op = as_text(value)
        elif number == _NODE_INPUT:
            node.inputs.append(as_text(value))
        elif number == _NODE_ATTRIBUTE:
            tensor = _read_attribute_tensor(as_bytes(value))
            node.value = node.value if tensor is None else tensor
    return node


def _read_attribute_tensor(buffer: memoryview) -> np.ndarray | None:
    """Read the tensor of a node's attribute 'value', None for other attributes."""
    entry = dict((number, value) for number, _, value in iterate_fields(buffer))
    if _ENTRY_KEY not in entry or as_text(entry[_ENTRY_KEY]) != 'value':
        return None
    for number, _, value in iterate_fields(as_bytes(entry.get(_ENTRY_VALUE, 0))):
        if number == _VALUE_TENSOR:
            return _read_tensor(as_bytes(value))
    return None


def _read_tensor(buffer: memoryview) -> np.ndarray | None:
    """Read floats; None for tensors of other types, which are no weights."""
    fields: dict[int, list[int | memoryview]] = {}
    for number, _, value in iterate_fields(buffer):
        fields.setdefault(number, []).append(value)
    kind = fields.get(_TENSOR_TYPE, [0])[0]
    if not isinstance(kind, int) or kind not in _TYPES:
        return None
    dtype, value_field = _TYPES[kind]
    shape = [
        _read_dimension(as_bytes(dimension))
        for value in fields.get(_TENSOR_SHAPE, [])
        for number, _, dimension in iterate_fields(as_bytes(value))
        if number == _SHAPE_DIMENSION
    ]
    chunks = fields.get(_TENSOR_BYTES) or fields.get(value_field) or []
    raw = b''.join(bytes(as_bytes(chunk)) for chunk in chunks)
    try:
        if any(size < 0 for size in shape):
            raise ValueError('a negative size')
        values = np.frombuffer(raw, dtype)
        # One value may stand for all of a constant tensor.
        if len(values) == 1 and math.prod(shape) <= _MAX_REPEATED:
            return np.broadcast_to(values.reshape(()), shape)
        return values.reshape(shape)
    except ValueError as error:
        raise ProtobufError(
            f'a {dtype.name} tensor of shape {tuple(shape[:32])} has {len(raw)} bytes'
        ) from error


def _read_dimension(buffer: memoryview) -> int:
    for number, _, value in iterate_fields(buffer):
        if number == _DIMENSION_SIZE and isinstance(value, int):
            return value - (1 << 64) * (value >> 63)  # -1 where it is unknown
    return 0
