"""A writer of small .caffemodel files: protobuf, encoded by hand."""

import numpy as np

#: Fields of the layer, of its name and of its blobs, in both generations of Caffe.
CURRENT = (100, 1, 7)
V1 = (2, 4, 6)


def varint(number):
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def blob(values, old_shape=False, packed=True):
    """BlobProto of an array: float32, or float64 as double_data."""
    values = np.asarray(values)
    if old_shape:
        sizes = (1,) * (4 - values.ndim) + values.shape
        shape = b''.join(number(field, n) for field, n in enumerate(sizes, 1))
    else:
        shape = chunk(7, chunk(1, b''.join(map(varint, values.shape))))
    double = values.dtype == np.float64
    field, kind, wire_type = (8, '<f8', 1) if double else (5, '<f4', 5)
    if packed:
        data = chunk(field, values.astype(kind).tobytes())
    else:
        tag = varint(field << 3 | wire_type)
        flat = values.astype(kind).ravel()
        data = b''.join(tag + value.tobytes() for value in flat)
    return shape + data


def layer(name, blobs=(), fields=CURRENT):
    """One layer; it also has a type and a bottom, as real ones do."""
    outer, name_field, blob_field = fields
    content = chunk(name_field, name.encode())
    if fields == CURRENT:
        content += chunk(2, b'Convolution') + chunk(3, b'image')
    else:
        content += number(5, 4) + chunk(2, b'image')
    content += b''.join(chunk(blob_field, b) for b in blobs)
    return chunk(outer, content)


def caffemodel(state, fields=CURRENT, **blob_options):
    """A whole net of a state dict ``<layer>.weight``, ``<layer>.bias``."""
    layers = {}
    for name, value in state.items():
        layers.setdefault(name.rpartition('.')[0], []).append(np.asarray(value))
    net = [chunk(1, b'OpenPose'), layer('image', fields=fields)]
    for name, arrays in layers.items():
        blobs = [blob(array, **blob_options) for array in arrays]
        net += [layer(name, blobs, fields), layer(f'relu_{name}', fields=fields)]
    return b''.join(net)
