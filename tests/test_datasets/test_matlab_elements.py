"""MATLAB files that SciPy reads beyond its tables and buffers, or that are bombs."""

import io
import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from mmkp.datasets.matlab_elements import MatlabError, unpacked
from mmkp.datasets.matlab_file import load_matlab, load_variables

STRUCT = np.empty((1, 2), [('name', object), ('points', object)])
STRUCT[0, 0] = ('a.jpg', np.arange(6.0).reshape(3, 2))
STRUCT[0, 1] = ('ä', np.zeros((0, 2)))
VARIABLES = dict(
    numbers=np.arange(12.0).reshape(3, 4),
    small=np.array([[1]], np.uint8),
    complex=np.array([[1 + 2j]]),
    flags=np.array([[True, False]]),
    text='some text',
    cells=np.array([['a', 2.0]], object),
    records=STRUCT,
)


def saved(packed=False, **variables):
    buffer = io.BytesIO()
    savemat(buffer, variables, do_compression=packed)
    return buffer.getvalue()


@pytest.mark.parametrize('packed', [True, False])
def test_variables_of_all_kinds_are_as_scipy_has_them(packed, tmp_path):
    path = tmp_path / 'a.mat'
    path.write_bytes(saved(packed, **VARIABLES))
    found = load_variables(path)
    assert list(found) == list(VARIABLES)
    np.testing.assert_array_equal(found['numbers'], VARIABLES['numbers'])
    np.testing.assert_array_equal(found['complex'], VARIABLES['complex'])
    assert found['text'].tolist() == ['some text']
    assert found['cells'][0, 1] == 2
    np.testing.assert_array_equal(
        found['records'][0, 0]['points'], STRUCT[0, 0]['points']
    )


def element(kind, data, size=None):
    size = len(data) if size is None else size
    return struct.pack('<II', kind, size) + data + bytes(-len(data) % 8)


def array(content, kind=6, sides=(1, 1), flags=0):
    head = element(6, struct.pack('<II', kind | flags, 0))
    head += element(5, struct.pack(f'<{len(sides)}i', *sides)) + element(1, b'x')
    return element(14, head + content)


HEADER = b'MATLAB 5.0'.ljust(124) + b'\0\1IM'
NUMBER = element(9, struct.pack('<d', 7))
EMPTY = element(14, b'')
BROKEN = {
    'numbers of an unknown type': (array(element(8, bytes(8))), 'has .* bytes'),
    'numbers of a type beyond the table': (
        array(element(77, bytes(8))),
        'has .* bytes',
    ),
    'an array for numbers': (array(EMPTY), 'has .* bytes'),
    'more numbers than bytes': (array(NUMBER, sides=(1 << 20, 1 << 20)), 'numbers has'),
    'fewer': (array(NUMBER, sides=(0, 1)), '0 numbers has'),
    'a negative side': (array(NUMBER, sides=(-1, -1)), 'sizes'),
    'no sides': (array(NUMBER, sides=()), 'sizes'),
    'a thousand sides': (array(NUMBER, sides=(1,) * 1000), 'sizes'),
    'half a complex number': (array(NUMBER, flags=0x0800), 'numbers has'),
    'cells that are not there': (array(EMPTY, 1, (1 << 15, 1 << 15)), '1 arrays where'),
    'a struct without fields': (array(EMPTY, 2), 'names of fields'),
    'names of no length': (
        array(element(5, bytes(4)) + element(1, b'ab') + EMPTY, 2),
        'names of 0 each',
    ),
    'a text without characters': (array(b'', 4), 'without characters'),
    'a text of arrays': (array(EMPTY, 4), 'without characters'),
    'beyond the file': (element(14, bytes(8), 1 << 30), 'claims 1073741824 bytes'),
    'a small element of nine bytes': (struct.pack('<HHI', 1, 9, 0), 'element of 9'),
    'cut': (b'\0' * 5, 'end within an element'),
    'no variable': (element(9, bytes(8)), 'unknown type 9'),
    'no flags': (element(14, element(5, bytes(8))), 'without flags'),
    'no zlib': (element(15, b'hello'), 'damaged'),
    'a bomb': (element(15, zlib.compress(bytes(70 << 20), 1)), 'more than 67108864'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_refused_with_file_and_place(name, tmp_path):
    content, match = BROKEN[name]
    path = tmp_path / 'a.mat'
    path.write_bytes(HEADER + content)
    with pytest.raises(ValueError, match=rf'a\.mat is no .mat file.*{match}'):
        load_variables(path)


def test_arrays_in_each_other_without_end():
    content = array(NUMBER)
    for _ in range(20):
        content = array(content, 1)
    with pytest.raises(MatlabError, match='more than 16 arrays in each other'):
        unpacked(HEADER + content)


def test_variables_of_other_kinds_are_left_out(tmp_path):
    path = tmp_path / 'a.mat'
    path.write_bytes(HEADER + array(b'', 16) + array(NUMBER))
    assert load_matlab(path, 'x').tolist() == [[7]]


def test_headers_of_neither_order():
    with pytest.raises(MatlabError, match='header ends with'):
        unpacked(HEADER[:-2] + b'XX' + array(NUMBER))
    with pytest.raises(MatlabError, match='header ends with'):
        unpacked(b'MATLAB')
