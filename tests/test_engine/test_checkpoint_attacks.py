"""Pickles made to harm: refused by name, in bounded time and memory."""

import pickle
import struct

import pytest
import torch
from hostile_checkpoints import archive, refused

from mmkp.engine import load_checkpoint_file


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def stack_global(module, name):
    return text(module) + text(name) + pickle.STACK_GLOBAL


def laughs(levels=200):
    """A list that holds one list nine times, which does so as well, and so on."""
    program = b']q\x00'
    for level in range(levels):
        program += b'0](' + (b'h' + bytes([level])) * 9 + b'eq' + bytes([level + 1])
    return program


def claim(kind=b'ctorch\nFloatStorage\n', key=b'X\x01\x00\x00\x000', count=b'K\x0c'):
    """What the pickle says of a storage."""
    storage = text('storage') + kind + key + text('cpu') + count
    return b'(' + storage + b'tQ'


def tensor(size=b'K\x03K\x04\x86', stride=b'K\x04K\x01\x86', offset=b'K\x00', **odd):
    """A call of _rebuild_tensor_v2."""
    arguments = claim(**odd) + offset + size + stride + b'\x89NtR'
    return b'ctorch._utils\n_rebuild_tensor_v2\n(' + arguments


def integer(value):
    content = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8a' + bytes([len(content)]) + content


COMPLEX = b'cbuiltins\ncomplex\n'
ORDERED_DICT = b'ccollections\nOrderedDict\n'
PROGRAMS = {
    # names
    'modules by a dotted name': (
        stack_global('torch', 'storage.sys.modules') + b'.',
        'torch.storage.sys.modules',
    ),
    'registry of pickles': (
        stack_global('copyreg', '_extension_registry') + b'.',
        'copyreg',
    ),
    'new classes': (
        stack_global('copyreg', '__newobj__') + b')R.',
        'copyreg.__newobj__',
    ),
    'a name that is no text': (b'K\x01K\x02\x93.', 'STACK_GLOBAL requires str'),
    'one function of another': (
        stack_global('torch._utils', '_rebuild_tensor_v2.__globals__') + b'.',
        '__globals__',
    ),
    # texts and keys that grow without bound
    'a laugh that is called': (laughs() + b')R.', r'a call of \[\['),
    'a laugh for attributes': (
        ORDERED_DICT + b')R' + laughs() + b'b.',
        'attributes of',
    ),
    'a laugh for a class': (laughs() + b')\x81.', r'an object of \[\['),
    'a laugh for a storage': (b'(' + laughs() + b'tQ.', 'it refers to'),
    'a laugh for hooks': (
        b'ctorch._utils\n_rebuild_parameter\n('
        + tensor()
        + b'\x89'
        + laughs()
        + b'tR.',
        'hooks',
    ),
    'a laugh for a shape': (tensor(size=laughs()) + b'.', 'shape'),
    'a laugh for a code': (b'cnumpy\ndtype\n' + laughs() + b'\x85R.', r'numpy.dtype\('),
    'a wide key': (b'}((' + b'K\x01' * 99 + b'tNu.', 'a key of 99 items'),
    'keys of one hash': (b'}' + integer(2**61 - 1 << 90) + b'Ns.', 'a key that is'),
    'keys of one hash in a set': (
        b'\x8f(' + integer(2**200) + b'\x90.',
        'a key that is',
    ),
    'complex keys': (b'}' + COMPLEX + b'K\x01K\x02\x86RNs.', 'a key that is'),
    # sizes that are claimed
    'a bytearray of 2**40': (b'\x96' + struct.pack('<Q', 2**40) + b'.', 'bytearray'),
    'bytes of 2**40': (b'\x8e' + struct.pack('<Q', 2**40) + b'.', 'truncated'),
    'text of 2**40': (b'\x8d' + struct.pack('<Q', 2**40) + b'.', 'truncated'),
    'a number of 2**31 bytes': (
        b'\x8b' + struct.pack('<i', 2**31 - 1) + b'.',
        'truncated',
    ),
    'a number of -1 bytes': (
        b'\x8b' + struct.pack('<i', -1) + b'.',
        'negative byte count',
    ),
    'a number of 2**20 digits for a count': (
        tensor(count=b'\x8b' + struct.pack('<i', 2**18) + b'\x01' * 2**18) + b'.',
        'storage of',
    ),
    'a set of repeated numbers': (
        b'cbuiltins\nset\n'
        + tensor(size=b'J\0\0\0\x04\x85', stride=b'K\x00\x85')
        + b'\x85R.',
        'a container of Tensor',
    ),
    'a size of repeated numbers': (
        b'ctorch\nSize\n'
        + tensor(size=b'J\0\0\0\x04\x85', stride=b'K\x00\x85')
        + b'\x85R.',
        'torch.Size of Tensor',
    ),
    # tensors that are not in their storage
    'a shape beyond': (tensor(size=b'K\x04K\x04\x86') + b'.', 'reaches beyond'),
    'a stride beyond': (tensor(stride=b'K\x63K\x01\x86') + b'.', 'reaches beyond'),
    'an offset beyond': (tensor(offset=b'K\x01') + b'.', 'reaches beyond'),
    'a negative stride': (
        tensor(stride=b'J\xff\xff\xff\xffK\x01\x86') + b'.',
        'stride',
    ),
    'a negative offset': (tensor(offset=b'J\xff\xff\xff\xff') + b'.', 'offset'),
    'a shape of numbers with fractions': (
        tensor(size=b'G' + struct.pack('>d', 3.5) + b'K\x04\x86') + b'.',
        'shape',
    ),
    'more sides than strides': (tensor(stride=b'K\x01\x85') + b'.', 'stride'),
    'half a storage': (
        tensor(kind=b'ctorch\nHalfStorage\n') + b'.',
        'should have 12 numbers',
    ),
    'another type than the storage': (
        b'ctorch._utils\n_rebuild_tensor_v3\n('
        + claim()
        + b'K\x00K\x03K\x04\x86K\x04K\x01\x86\x89Nctorch\nfloat64\ntR.',
        'reaches beyond',
    ),
    'a storage that is not there': (tensor(key=text('7')) + b'.', 'data/7'),
    'a storage that leads out': (tensor(key=text('../../x')) + b'.', 'data/../../x'),
    'a storage of a list': (tensor(key=b']') + b'.', 'it refers to'),
    'a storage of a function': (tensor(kind=ORDERED_DICT) + b'.', 'a storage of'),
    'a storage of quantized numbers': (
        tensor(kind=b'ctorch\nQInt8Storage\n') + b'.',
        'torch.QInt8Storage',
    ),
    'a quantized type': (b'ctorch\nquint8\n.', 'torch.quint8'),
    'no tuple for a storage': (b'K\x07Q.', 'it refers to 7'),
    'a storage on a strange device': (
        tensor().replace(text('cpu'), text('../x')) + b'.',
        "don't know how to restore",
    ),
}


@pytest.mark.parametrize('name', PROGRAMS)
def test_pickles(name, tmp_path):
    program, match = PROGRAMS[name]
    archive(tmp_path / 'evil.pth', b'\x80\x04' + program)
    refused(tmp_path / 'evil.pth', match)


def test_these_programs_are_sound_but_for_what_is_refused(tmp_path):
    archive(tmp_path / 'good.pth', b'\x80\x04' + tensor() + b'.')
    assert load_checkpoint_file(tmp_path / 'good.pth').shape == (3, 4)


def test_lists_in_each_other_without_end(tmp_path):
    number = 200_000
    program = b'\x80\x04' + b']' * number + b'a' * (number - 1) + b'.'
    archive(tmp_path / 'deep.pth', program)
    found = load_checkpoint_file(tmp_path / 'deep.pth')
    depth = 0
    while found:
        (found,), depth = found, depth + 1
    assert depth == number - 1


def test_keys_that_all_have_one_hash_are_refused_at_the_first(tmp_path):
    # 50,000 of them would be compared with each other for minutes.
    prime = 2**61 - 1
    keys = b''.join(integer(prime * n << 61) + b'N' for n in range(1, 50_000))
    archive(tmp_path / 'flood.pth', b'\x80\x04}(' + keys + b'u.')
    refused(tmp_path / 'flood.pth', 'a key that is')


def test_ordinary_keys_are_read(tmp_path):
    content = {1: 2, -(2**63): 3, ('a', (1, 2.5)): 4, b'x': 5, frozenset((1, 2)): 6}
    torch.save(content, tmp_path / 'keys.pth')
    assert load_checkpoint_file(tmp_path / 'keys.pth') == content
