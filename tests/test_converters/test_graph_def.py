"""The reader of frozen graphs, on graphs written here."""

import numpy as np
import pytest
from caffe_writer import chunk, number
from graph_def_writer import INT32, constant, node

from mmkp.converters.readers.graph_def import read_graph_def
from mmkp.engine import CheckpointError

VALUES = np.arange(6, dtype=np.float32).reshape(1, 2, 3) - 2.5


@pytest.fixture
def read(tmp_path):
    def read(*parts):
        path = tmp_path / 'graph.pb'
        path.write_bytes(b''.join(parts))
        return read_graph_def(path)

    return read


def test_nodes_and_their_inputs(read):
    nodes = read(
        node('image', 'Placeholder', dtype=number(6, 1)),
        constant('weights', VALUES),
        node('conv', 'Conv2D', ('image', 'weights'), padding=chunk(2, b'SAME')),
        chunk(4, number(1, 21)),  # versions of TensorFlow
    )
    assert list(nodes) == ['image', 'weights', 'conv']
    assert [n.op for n in nodes.values()] == ['Placeholder', 'Const', 'Conv2D']
    assert nodes['conv'].inputs == ['image', 'weights']
    assert nodes['conv'].value is None
    assert nodes['weights'].value.dtype == np.float32
    np.testing.assert_array_equal(nodes['weights'].value, VALUES)


def large_tensor(content, *sizes, name='large'):
    """A constant of many floats of which only `content` is stored."""
    shape = b''.join(chunk(2, number(1, size)) for size in sizes)
    value = number(1, 1) + chunk(2, shape) + chunk(5, content)
    return node(name, 'Const', value=chunk(8, value))


ONE = b'\0\0\x80?'


@pytest.mark.parametrize(
    'sizes',
    [(2**40,), (2**62, 2**62), (2**63,), (2**64 - 1,), (1,) * 80],
)
def test_sizes_that_no_memory_holds(read, sizes):
    with pytest.raises(CheckpointError, match='float32 tensor of shape'):
        read(large_tensor(ONE, *sizes))


def test_many_constants_of_one_value(read):
    with pytest.raises(CheckpointError, match='repeat their values'):
        read(*(large_tensor(ONE, 2**22, name=f'n{i}') for i in range(20)))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'graph .*absent.pb can not be found'):
        read_graph_def(tmp_path / 'absent.pb')


def test_ways_to_store_a_tensor(read):
    nodes = read(
        constant('packed', VALUES, packed=True),
        constant('scalar', np.float32(7)),
        constant('empty', np.zeros(0)),
        constant('integers', [1, 2], kind=INT32),
        large_tensor(ONE, 2**20),  # for all of them
    )
    np.testing.assert_array_equal(nodes['packed'].value, VALUES)
    assert nodes['scalar'].value == 7 and nodes['scalar'].value.shape == ()
    assert nodes['empty'].value.shape == (0,)
    assert nodes['integers'].value is None
    assert nodes['large'].value.shape == (2**20,) and nodes['large'].value[-1] == 1


def test_every_truncation_is_noticed(read):
    first = node('image', 'Placeholder')
    graph = first + constant('weights', VALUES)
    for length in set(range(1, len(graph))) - {len(first)}:
        with pytest.raises(CheckpointError, match=rf'graph\.pb \({length} bytes\)'):
            read(graph[:length])


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'no node with an operation'),
        (chunk(1, chunk(1, b'\xff\xff')), 'a name is no text'),
        (number(1, 1), 'a field that should hold bytes is a number'),
        (
            large_tensor(b'\0' * 8, 2**40),
            r'tensor of shape \(1099511627776,\) has 8 bytes',
        ),
        (large_tensor(b'\0' * 7, 2**40), 'has 7 bytes'),
        (b'\x89PNG\r\n\x1a\n', 'not a frozen TensorFlow graph'),
    ],
)
def test_damaged_and_foreign_files(read, content, reason):
    with pytest.raises(CheckpointError, match=reason):
        read(content)


def test_absent_file():
    with pytest.raises(FileNotFoundError):
        read_graph_def('absent.pb')
