"""Archives and tensors made to harm: refused by name, in bounded time and memory."""

import json
import struct
import zipfile

import pytest
import torch
from hostile_checkpoints import archive, refused, saved

KINDS = {
    'sparse': (lambda: torch.eye(3).to_sparse(), '_rebuild_sparse_tensor'),
    'rows': (lambda: torch.eye(3).to_sparse_csr(), '_rebuild_sparse_tensor'),
    'quantized': (
        lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        '_rebuild_qtensor',
    ),
    'nested': (lambda: torch.nested.nested_tensor([torch.ones(2)]), '_rebuild_nested'),
    'meta': (lambda: torch.ones(3, device='meta'), '_rebuild_meta'),
}


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('kind', KINDS)
def test_other_kinds_of_tensors(kind, zipped, tmp_path):
    make, match = KINDS[kind]
    path = tmp_path / 'kind.pth'
    path.write_bytes(saved(dict(a=make()), _use_new_zipfile_serialization=zipped))
    refused(path, match)


ZEROS = b'\0' * (1 << 20)
ARCHIVES = {
    'name upwards': (dict(more=[('../../x', b'')]), "'../../x' leads out of it"),
    'name from the root': (dict(more=[('/etc/x', b'')]), "'/etc/x' leads out of it"),
    'name of another system': (dict(more=[('C:\\x', b'')]), 'leads out of it'),
    'backslashes': (dict(more=[('a\\..\\..\\x', b'')]), 'leads out of it'),
    'a record twice': (dict(more=[('archive/data/0', b'\1' * 48)]), 'occurs twice'),
    'two pickles': (dict(more=[('other/data.pkl', b'N.')]), '2 data.pkl'),
    'another method': (dict(method=zipfile.ZIP_LZMA), 'packed otherwise'),
    'a packed pickle': (
        dict(
            program=b'\x80\x04' + b'\x8f0' * (3 << 20) + b'N.',
            method=zipfile.ZIP_DEFLATED,
        ),
        'its pickle is packed',
    ),
    'a bomb': (
        dict(
            more=[(f'archive/{n}', ZEROS * 8) for n in range(40)],
            method=zipfile.ZIP_DEFLATED,
        ),
        'unpack to .* more than 100 times',
    ),
}


@pytest.mark.parametrize('name', ARCHIVES)
def test_archives(name, tmp_path):
    options, match = ARCHIVES[name]
    archive(tmp_path / 'evil.pth', **options)
    refused(tmp_path / 'evil.pth', match)


def tensors(**offsets):
    return {
        name: dict(dtype='F32', shape=[3], data_offsets=list(pair))
        for name, pair in offsets.items()
    }


HEADERS = {
    'two tensors in one place': (tensors(a=(0, 12), b=(0, 12)), 'SafetensorError'),
    'tensors that overlap': (tensors(a=(0, 12), b=(4, 16)), 'SafetensorError'),
    'beyond the file': (
        tensors(a=(0, 12), b=(1 << 40, (1 << 40) + 12)),
        'SafetensorError',
    ),
    'backwards': (tensors(a=(12, 0)), 'SafetensorError'),
    'another size': (tensors(a=(0, 24)), 'SafetensorError'),
    'a huge shape': (
        dict(a=dict(dtype='F32', shape=[1 << 62, 4], data_offsets=[0, 24])),
        'SafetensorError',
    ),
}


@pytest.mark.parametrize('name', HEADERS)
def test_safetensors(name, tmp_path):
    header, match = HEADERS[name]
    content = json.dumps(header).encode()
    path = tmp_path / 'evil.safetensors'
    path.write_bytes(struct.pack('<Q', len(content)) + content + bytes(24))
    refused(path, match)


def test_a_huge_header_of_safetensors(tmp_path):
    path = tmp_path / 'evil.safetensors'
    path.write_bytes(struct.pack('<Q', 1 << 39) + b'{"a":1}')
    refused(path, 'SafetensorError')
