"""Archives that unpack to more than they can hold, or to another place."""

import io
import warnings
import zipfile

import numpy as np
import pytest

from mmkp.labels import read_npz


def npy(values):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(values))
    return buffer.getvalue()


def npy_of(shape, descr="'<f8'"):
    """An array that claims a shape and holds nothing."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"
    header = header.ljust(117) + '\n'
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header.encode()


RECORDS = {
    '../a.npy': (npy([1]), 'leads out of it'),
    '/a.npy': (npy([1]), 'leads out of it'),
    'huge': (npy_of('(1099511627776, 1048576)'), 'has 0 bytes'),
    'negative': (npy_of('(-1,)'), 'has 0 bytes'),
    'no numbers': (npy_of("('a', 2)"), 'shape is not valid'),
    'objects': (npy_of('(0,)', "'|O'"), 'holds Python objects'),
    'records with objects': (npy_of('(0,)', "[('a', '|O')]"), 'holds Python objects'),
    'no size': (npy_of('(1099511627776,)', "'|S0'"), 'has 0 bytes'),
}


@pytest.mark.parametrize('name', RECORDS)
def test_one_record(tmp_path, name):
    content, match = RECORDS[name]
    path = tmp_path / 'a.npz'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr(name, content)
    with pytest.raises(ValueError, match=match) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)


def test_a_record_twice(tmp_path):
    path = tmp_path / 'a.npz'
    with warnings.catch_warnings(), zipfile.ZipFile(path, 'w') as archive:
        warnings.simplefilter('ignore')
        archive.writestr('a.npy', npy([1]))
        archive.writestr('a.npy', npy([2]))
    with pytest.raises(ValueError, match=r"'a\.npy' occurs twice"):
        read_npz(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path, zeros = tmp_path / 'a.npz', bytes(8 << 20)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(40):
            archive.writestr(f'{number}.npy', zeros)
    with pytest.raises(ValueError, match='more than 100 times as many'):
        read_npz(path)


@pytest.mark.parametrize('method', [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_numpy_never_writes(tmp_path, method):
    path = tmp_path / 'a.npz'
    with zipfile.ZipFile(path, 'w', method) as archive:
        archive.writestr('a.npy', npy([1]))
    with pytest.raises(ValueError, match='packed otherwise'):
        read_npz(path)


def test_zeros_that_are_packed_well_are_read(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez_compressed(path, masks=np.zeros((50, 400, 400), np.uint8))
    assert path.stat().st_size < 8e6 / 500
    assert read_npz(path)['masks'].shape == (50, 400, 400)
