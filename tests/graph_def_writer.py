"""Write frozen TensorFlow graphs, byte by byte, for the tests of their reader."""

import numpy as np
from caffe_writer import chunk, number

#: TensorFlow's numbers of types.
FLOAT, INT32 = 1, 3


def tensor(values, packed=False, kind=FLOAT):
    """A TensorProto, with raw bytes or with the type's own field."""
    values = np.asarray(values)
    shape = b''.join(chunk(2, number(1, size)) for size in values.shape)
    raw = values.astype('<f4' if kind == FLOAT else '<i4').tobytes()
    return number(1, kind) + chunk(2, shape) + chunk(5 if packed else 4, raw)


def node(name, op, inputs=(), **attributes):
    """A node of a graph; attributes are the bytes of an AttrValue."""
    content = chunk(1, name.encode()) + chunk(2, op.encode())
    content += b''.join(chunk(3, source.encode()) for source in inputs)
    for key, value in attributes.items():
        content += chunk(5, chunk(1, key.encode()) + chunk(2, value))
    return chunk(1, content)


def constant(name, values, **options):
    """A constant node."""
    value = chunk(8, tensor(values, **options))
    return node(name, 'Const', dtype=number(6, FLOAT), value=value)
