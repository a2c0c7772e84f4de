"""Reading .caffemodel files, written here by hand in both of Caffe's layouts."""

import numpy as np
import pytest
from caffe_writer import CURRENT, V1, blob, caffemodel, chunk, layer, number, varint

from mmkp.converters.readers.caffemodel import read_caffemodel
from mmkp.engine.checkpoint import CheckpointError


def state(seed=0):
    generator = np.random.default_rng(seed)
    shapes = {
        'conv1.weight': (4, 3, 3, 3),
        'conv1.bias': (4,),
        'prelu1.weight': (4,),
        'conv2.weight': (200, 4, 1, 1),
    }
    return {
        name: generator.standard_normal(shape, np.float32)
        for name, shape in shapes.items()
    }


def written(tmp_path, content):
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(content)
    return path


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize('old_shape', [True, False])
@pytest.mark.parametrize('fields', [CURRENT, V1])
def test_reads_both_layouts(tmp_path, fields, old_shape, packed):
    expected = state()
    content = caffemodel(expected, fields, old_shape=old_shape, packed=packed)
    layers = read_caffemodel(written(tmp_path, content))
    assert {name: len(blobs) for name, blobs in layers.items()} == {
        'conv1': 2,
        'prelu1': 1,
        'conv2': 1,
    }
    found = [blob for blobs in layers.values() for blob in blobs]
    for array, value in zip(found, expected.values(), strict=True):
        assert array.dtype == np.float32
        shape = (1,) * (4 - value.ndim) * old_shape + value.shape
        assert array.shape == shape
        assert np.array_equal(array.reshape(value.shape), value)
        array += 1  # owns its memory


def test_reads_doubles_and_text_names(tmp_path):
    values = np.linspace(0, 1, 6).reshape(2, 3)
    content = layer('Größe', [blob(values)])
    (array,) = read_caffemodel(written(tmp_path, content))['Größe']
    assert array.dtype == np.float64
    assert np.array_equal(array, values)


def test_reads_shape_and_data_in_pieces(tmp_path):
    values = np.arange(6, dtype='<f4')
    pieces = number(1, 2) + number(1, 3)
    halves = chunk(5, values[:2].tobytes()) + chunk(5, values[2:].tobytes())
    content = layer('x', [chunk(7, pieces) + halves])
    (array,) = read_caffemodel(written(tmp_path, content))['x']
    assert np.array_equal(array, values.reshape(2, 3))


def test_every_truncation_is_refused_or_ends_between_layers(tmp_path):
    content = caffemodel({'a.weight': np.ones((2, 1)), 'b.weight': np.zeros(3)})
    path = tmp_path / 'net.caffemodel'
    read = 0
    for size in range(len(content)):
        path.write_bytes(content[:size])
        try:
            layers = read_caffemodel(path)
        except CheckpointError as error:
            assert str(path) in str(error)
        else:
            read += 1
            assert layers['a'][0].tolist() == [[1], [1]]
    # The rest of the net without its last layers is a net too; the converter sees that
    # parameters are missing.
    assert read <= 4


def test_garbage_is_refused(tmp_path):
    generator = np.random.default_rng(1)
    for size in (1, 10, 1000, 100_000):
        for _ in range(20):
            path = written(tmp_path, generator.bytes(size))
            with pytest.raises(CheckpointError, match=r'net\.caffemodel'):
                read_caffemodel(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', r'\(0 bytes\) .*no layer in it has weights'),
        (b'<html>not found</html>', 'damaged or not a .caffemodel'),
        (b'\x89HDF\r\n\x1a\n' + bytes(64), 'damaged or not a .caffemodel'),
        (chunk(1, b'net') + layer('data'), 'no layer in it has weights'),
        (2 * layer('a', [blob([1.0])]), 'two layers with weights are called a'),
        (number(100, 5), 'should hold bytes is a number'),
        (varint(100 << 3 | 5) + bytes(4), 'of wire type 5'),
        (chunk(100, chunk(1, b'\xff')), 'a name is no text'),
        (layer('a', [chunk(5, bytes(7))]), 'layer a has 1 numbers'),
        (layer('a', [chunk(7, chunk(1, b'\x02'))]), '0 numbers for the shape 2'),
        (
            layer('a', [chunk(7, chunk(1, b'\x02\x03')) + chunk(5, bytes(20))]),
            '5 numbers for the shape 2 x 3',
        ),
        (
            layer('a', [chunk(7, chunk(1, varint(2**63) * 2)) + chunk(5, bytes(4))]),
            'layer a has 1 numbers',
        ),
        (
            layer('a', [chunk(7, chunk(1, b'\x01' * 1000)) + chunk(5, bytes(4))]),
            'layer a has 1 numbers',
        ),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_caffemodel(path)
    assert str(path) in str(caught.value)


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'absent\.caffemodel'):
        read_caffemodel(tmp_path / 'absent.caffemodel')
