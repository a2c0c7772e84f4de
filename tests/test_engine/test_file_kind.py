"""Files that are no checkpoint, told by what they are; safetensors, which are."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmkp.engine import CheckpointError, load_checkpoint_file, why_unreadable


def tar_of(*names):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def zip_of(**contents):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, content in contents.items():
            archive.writestr(name.replace('__', '/'), content)
    return buffer.getvalue()


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    return buffer.getvalue()


LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'
FILES = {
    'empty': (b'', 'empty: copy'),
    'zeros': (bytes(5000), 'damaged: it holds zeros'),
    'web page': (b'<!DOCTYPE html><html>log in</html>', 'a web page'),
    'web page after blanks': (b'\n\n <html>', 'a web page'),
    'error in XML': (b'<?xml version="1.0"?><Error>NoSuchKey</Error>', 'a web page'),
    'error in JSON': (b'{"message": "Not Found"}', 'text that begins with .{"message'),
    'git-lfs': (LFS, 'a pointer of git-lfs.*git lfs pull'),
    'config': (b"_base_ = ['x.py']\nmodel = dict()\n", 'is it the config'),
    'gzip': (gzip.compress(b'abc'), 'compressed by gzip: unpack it first'),
    'HDF5': (b'\x89HDF\r\n\x1a\n' + bytes(99), 'an HDF5 file, as Keras'),
    'keras': (zip_of(**{'model.weights.h5': b'a'}), 'a model of Keras'),
    'npy': (b'\x93NUMPY\x01\0' + bytes(99), r'an array of NumPy \(.npy\)'),
    'npz': (npz(), 'an archive of NumPy arrays'),
    'onnx': (b'\x08\x08\x12\x07pytorch\x1a\x051.13', 'a network of ONNX'),
    'png': (b'\x89PNG\r\n\x1a\n' + bytes(99), 'a PNG picture'),
    'jpeg': (b'\xff\xd8\xff\xe0' + bytes(99), 'a JPEG picture'),
    'film': (b'\0\0\0\x20ftypisom' + bytes(99), 'a film'),
    'tar': (tar_of('a.pth', 'b.txt'), "a tar archive of 2 files such as 'a.pth'"),
    'zip': (zip_of(weights__readme=b'a'), "a zip archive of 1 files such as 'weights"),
    'noise': (b'\xf3\x91\x02\x17' * 50, 'something else .it begins with f3 91'),
    'half a zip': (npz()[:-30], 'truncated: the end of its zip archive is missing'),
    'tensorflow lite': (b'\x1c\0\0\0TFL3' + bytes(99), 'TensorFlow Lite'),
}


@pytest.mark.parametrize('name', FILES)
def test_what_a_file_is(name, tmp_path):
    content, message = FILES[name]
    path = tmp_path / 'model.pth'
    path.write_bytes(content)
    with pytest.raises(
        CheckpointError, match=rf'model.pth \(\d+ bytes\) is .*{message}'
    ):
        load_checkpoint_file(path)
    assert why_unreadable(path)


def test_a_plain_pickle(tmp_path):

    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(model=dict(a=np.ones(2)))))
    with pytest.raises(CheckpointError, match='a pickle that torch.save did not write'):
        load_checkpoint_file(path)


def test_a_folder_names_a_file_in_it(tmp_path):
    torch.save({}, tmp_path / 'iter_8.pth')
    with pytest.raises(FileNotFoundError, match='is a folder: .* such as iter_8.pth'):
        load_checkpoint_file(tmp_path)


def safetensors(header, data=b''):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack('<Q', len(text)) + text + data


def entry(begin, end, shape=(2,), dtype='F32'):
    return dict(dtype=dtype, shape=list(shape), data_offsets=[begin, end])


TENSORS = dict(
    weight=torch.arange(6.0).reshape(2, 3),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    **{
        str(dtype): torch.ones(3, dtype=dtype)
        for dtype in (
            torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.uint8,
            torch.int16, torch.int32, torch.int64, torch.bool,
        )
    },
)  # fmt: skip


def test_safetensors_are_read(tmp_path):
    path = tmp_path / 'model.safetensors'
    save_file(TENSORS, path, metadata=dict(format='pt'))
    assert why_unreadable(path) is None
    loaded = load_checkpoint_file(path)
    assert set(loaded) == set(TENSORS)
    for name, value in TENSORS.items():
        assert loaded[name].dtype == value.dtype and loaded[name].shape == value.shape
        assert torch.equal(loaded[name], value)
    assert load_checkpoint_file(path, 'meta')['weight'].is_meta


def test_safetensors_of_another_program(tmp_path):
    path = tmp_path / 'called_otherwise.pth'
    header = dict(__metadata__={}, a=entry(0, 8), b=entry(8, 12, (2, 1), 'BF16'))
    values = np.array([1.5, -2], '<f4').tobytes() + b'\x80\x3f\x00\x40'
    path.write_bytes(safetensors(header, values))
    loaded = load_checkpoint_file(path)
    assert loaded['a'].tolist() == [1.5, -2]
    assert loaded['b'].dtype == torch.bfloat16 and loaded['b'].tolist() == [[1], [2]]


WRONG = {
    'truncated': (dict(a=entry(0, 8)), bytes(7)),
    'too long': (dict(a=entry(0, 8)), bytes(9)),
    'another size': (dict(a=entry(0, 8, (3,))), bytes(8)),
    'overlapping': (dict(a=entry(0, 8), b=entry(4, 12)), bytes(12)),
    'a gap': (dict(a=entry(0, 8), b=entry(12, 20)), bytes(20)),
    'huge': (dict(a=entry(0, 2**62, (2**60,))), bytes(8)),
    'negative': (dict(a=entry(0, 8, (-2, -1))), bytes(8)),
    'fractions': (dict(a=entry(0, 8, (2.0,))), bytes(8)),
    'nothing times much': (dict(a=entry(0, 0, (0, 2**70))), b''),
    'no offsets': (dict(a=dict(dtype='F32', shape=[2])), bytes(8)),
    'no entry': (dict(a=5), b''),
    'another type': (dict(a=entry(0, 8, (2,), 'F33')), bytes(8)),
    'twice': (b'{"a": {}, "a": {}}', b''),
    'deep': (b'{"a": ' + b'[' * 9999 + b']' * 9999 + b'}', b''),
    'no text': (b'{\xff\xfe}', b''),
}


@pytest.mark.parametrize('name', WRONG)
def test_damaged_safetensors(name, tmp_path):
    path = tmp_path / 'model.safetensors'
    path.write_bytes(safetensors(*WRONG[name]))
    with pytest.raises(CheckpointError, match='model.safetensors'):
        load_checkpoint_file(path)


def test_a_header_that_is_longer_than_the_file(tmp_path):
    path = tmp_path / 'model.safetensors'
    path.write_bytes(struct.pack('<Q', 2**39) + b'{"a":')
    with pytest.raises(CheckpointError, match='header'):
        load_checkpoint_file(path)
