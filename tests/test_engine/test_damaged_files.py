"""Whatever happens to a file: equal numbers, or an error of ours, in bounded memory."""

import io
import json
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from caffe_writer import caffemodel
from graph_def_writer import constant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmkp.converters.readers.caffemodel import read_caffemodel
from mmkp.converters.readers.graph_def import GraphNode, read_graph_def
from mmkp.engine import CheckpointError, UntrustedCheckpointError, load_checkpoint_file
from mmkp.labels import read_npz

OURS = (CheckpointError, UntrustedCheckpointError)
VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
STATE = OrderedDict(
    weight=torch.from_numpy(VALUES),
    view=torch.arange(6.0)[2:5],
    half=torch.ones(5, dtype=torch.bfloat16),
    count=torch.tensor(7),
)


def saved(**options):
    buffer = io.BytesIO()
    torch.save(dict(state_dict=STATE, meta=dict(iter=3)), buffer, **options)
    return buffer.getvalue()


def safetensors():
    header = dict(weight=dict(dtype='F32', shape=[3, 4], data_offsets=[0, 48]))
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + VALUES.tobytes()


def read_arrays(path):
    try:
        return read_npz(path)
    except ValueError as error:
        assert str(path) in str(error)
        raise CheckpointError(str(error)) from error


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, weight=VALUES)
    return buffer.getvalue()


#: Content, reader, and whether the format has checksums.
FORMATS = {
    'zip': (saved(), load_checkpoint_file, True),
    'legacy': (
        saved(_use_new_zipfile_serialization=False),
        load_checkpoint_file,
        False,
    ),
    'safetensors': (safetensors(), load_checkpoint_file, False),
    'npz': (npz(), read_arrays, True),
    'graph': (constant('weight', VALUES), read_graph_def, False),
    'caffe': (caffemodel({'conv.weight': VALUES}), read_caffemodel, False),
}


def arrays_in(content):
    """Whatever arrays are in what a reader returned."""
    if isinstance(content, torch.Tensor):
        content = content.detach().float().numpy()
    if isinstance(content, GraphNode):
        content = content.value
    if isinstance(content, np.ndarray):
        return [content]
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        return [array for item in content for array in arrays_in(item)]
    return []


def read_or_refuse(name, content, folder):
    """Arrays of a file, or None where one of our errors says what is wrong."""
    path = folder / 'damaged.pth'
    path.write_bytes(content)
    try:
        found = FORMATS[name][1](path)
    except OURS as error:
        assert 'damaged.pth' in str(error) and '\n' not in str(error)
        return None
    arrays = arrays_in(found)
    # 1032 is the most that deflate can pack.
    assert sum(array.nbytes for array in arrays) <= 1032 * len(content) + (1 << 28)
    return arrays


def assert_unchanged(arrays):
    number_of_values = sum(np.array_equal(array, VALUES) for array in arrays)
    assert number_of_values == 1


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('damaged')


RELAXED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize('name', FORMATS)
@RELAXED
@given(data=st.data())
def test_changed_bytes(name, folder, data):
    content = bytearray(FORMATS[name][0])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    arrays = read_or_refuse(name, bytes(content), folder)
    if arrays is not None and FORMATS[name][2]:
        assert_unchanged(arrays)


@pytest.mark.parametrize('name', FORMATS)
@RELAXED
@given(data=st.data())
def test_truncated_and_spliced(name, folder, data):
    content = FORMATS[name][0]
    end = data.draw(st.integers(0, len(content) - 1))
    start = data.draw(st.integers(0, len(content)))
    arrays = read_or_refuse(name, content[:end] + content[start:], folder)
    if arrays is not None and FORMATS[name][2] and start >= end:
        assert_unchanged(arrays)


@pytest.mark.parametrize('name', FORMATS)
@RELAXED
@given(noise=st.binary(max_size=200))
def test_noise(name, folder, noise):
    read_or_refuse(name, noise, folder)
    read_or_refuse(name, FORMATS[name][0][:30] + noise, folder)


def rewritten(change):
    """The checkpoint with another pickle."""
    source, target = io.BytesIO(FORMATS['zip'][0]), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w') as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith('data.pkl'):
                changed = change(content)
                assert changed != content
                content = changed
            new.writestr(info.filename, content)
    return target.getvalue()


def number(value):
    return b'J' + struct.pack('<i', value) if value > 255 else b'K' + bytes([value])


CLAIMS = {
    'more numbers than the record': (number(12), number(2**30), 'should have'),
    'a number more': (number(12), number(13), 'should have'),
    'a larger shape': (
        number(3) + number(4) + b'\x86',
        number(3) + number(5) + b'\x86',
        'reaches beyond',
    ),
    'a huge shape': (
        number(3) + number(4) + b'\x86',
        number(2**30) + number(2**30) + b'\x86',
        'reaches beyond',
    ),
    'another type': (b'FloatStorage', b'LongStorage ', None),
}


@pytest.mark.parametrize('name', CLAIMS)
def test_claims_of_the_pickle(name, tmp_path):
    old, new, message = CLAIMS[name]
    path = tmp_path / 'claims.pth'
    path.write_bytes(rewritten(lambda program: program.replace(old, new)))
    with pytest.raises((CheckpointError, UntrustedCheckpointError), match=message):
        load_checkpoint_file(path)


def test_numbers_that_are_repeated(tmp_path):
    path = tmp_path / 'expanded.pth'
    torch.save(torch.ones(1).expand(1000), path)
    assert load_checkpoint_file(path).shape == (1000,)
    torch.save(torch.ones(1).expand(2**40), path)
    with pytest.raises(CheckpointError, match='repeats its 4 bytes'):
        load_checkpoint_file(path)


def test_one_flipped_bit_of_a_weight(tmp_path):
    content = bytearray(FORMATS['zip'][0])
    content[content.index(VALUES.tobytes()) + 7] ^= 0x40
    path = tmp_path / 'flipped.pth'
    path.write_bytes(content)
    for trusted, place in (
        (False, r'data/0.*, which holds state_dict\.weight'),
        (True, ''),
    ):
        with pytest.raises(CheckpointError, match=f'flipped.pth .*Bad CRC-32.*{place}'):
            load_checkpoint_file(path, trusted=trusted)


def pickles_and_data(content):
    """The five pickles of a file of torch before 1.6, and what follows them."""
    stream = io.BytesIO(content)
    pickles = []
    for _ in range(5):
        start = stream.tell()
        for _ in pickletools.genops(stream):
            pass
        pickles.append(content[start : stream.tell()])
    return pickles, content[stream.tell() :]


@pytest.mark.parametrize('keys', ['none', 'one less', 'one twice', 'no list'])
def test_storages_without_data(keys, tmp_path):
    pickles, data = pickles_and_data(FORMATS['legacy'][0])
    listed = pickle.loads(pickles[4])
    listed = {
        'none': [],
        'one less': listed[:-1],
        'one twice': [listed[0], listed[0], *listed[2:]],
        'no list': 5,
    }[keys]
    path = tmp_path / 'without.pth'
    path.write_bytes(b''.join(pickles[:4]) + pickle.dumps(listed, 2) + data)
    with pytest.raises(CheckpointError, match='not those that its tensors need'):
        load_checkpoint_file(path)


@pytest.mark.parametrize('container', ['dict', 'set', 'frozenset', 'items', 'call'])
def test_keys_that_overflow_the_stack(container, tmp_path):
    nested = b')' + b'\x85' * 200_000  # tuples of tuples
    program = {
        'dict': b'}' + nested + b'Ns.',
        'items': b'(' + nested + b'Nd.',
        'set': b'\x8f(' + nested + b'\x90.',
        'frozenset': b'(' + nested + b'\x91.',
        'call': b'cbuiltins\nset\n](' + nested + b'e\x85R.',
    }[container]
    path = tmp_path / 'deep.pth'
    path.write_bytes(rewritten(lambda _: b'\x80\x04' + program))
    with pytest.raises(UntrustedCheckpointError, match='tuples in tuples'):
        load_checkpoint_file(path)


def test_archives_that_claim_more_than_they_hold(tmp_path):
    path = tmp_path / 'bomb.pth'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a/data.pkl', pickle.dumps(0, 2))
        archive.writestr('a/data/0', bytes(10**6))
    assert load_checkpoint_file(path) == 0
    content = path.read_bytes()
    size = struct.pack('<I', 10**6)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack('<I', 4 * 10**9)))
    with pytest.raises(CheckpointError, match='claims 4000000000 bytes'):
        load_checkpoint_file(path)


def test_the_other_order_of_bytes(tmp_path):
    source, path = io.BytesIO(FORMATS['zip'][0]), tmp_path / 'big.pth'
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, 'w') as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith('byteorder'):
                content = b'big'
            if content == VALUES.tobytes():
                content = VALUES.astype('>f4').tobytes()
            new.writestr(info.filename, content)
    loaded = load_checkpoint_file(path)['state_dict']['weight']
    np.testing.assert_array_equal(loaded.numpy(), VALUES)
