"""The protobuf wire reader, on messages written byte by byte here."""

import struct

import pytest

from mmkp.converters.readers.protobuf import ProtobufError, iterate_fields, read_varint


def fields(*parts):
    return list(iterate_fields(memoryview(b''.join(parts))))


def test_every_wire_type():
    found = fields(
        b'\x08\x96\x01',  # field 1: varint 150
        b'\x11' + struct.pack('<d', 2.5),  # field 2: 8 bytes
        b'\x1a\x03abc',  # field 3: 3 bytes
        b'\x25' + struct.pack('<f', -1.5),  # field 4: 4 bytes
        b'\x82\x01\x00',  # field 16: no bytes
    )
    assert [f[:2] for f in found] == [(1, 0), (2, 1), (3, 2), (4, 5), (16, 2)]
    values = [f[2] for f in found]
    assert values[0] == 150
    assert struct.unpack('<d', values[1]) == (2.5,)
    assert bytes(values[2]) == b'abc'
    assert struct.unpack('<f', values[3]) == (-1.5,)
    assert bytes(values[4]) == b''


def test_nothing_is_copied():
    storage = bytearray(b'\x0a\x02ab')
    ((_, _, value),) = iterate_fields(memoryview(storage))
    storage[2] = ord('x')
    assert bytes(value) == b'xb'


def test_negative_number_is_its_two_complement():
    # int64 -1, which takes all ten bytes.
    assert fields(b'\x08' + b'\xff' * 9 + b'\x01') == [(1, 0, 2**64 - 1)]
    assert read_varint(memoryview(b'\x00\xac\x02'), 1) == (300, 3)


def test_empty_message():
    assert fields(b'') == []


@pytest.mark.parametrize(
    ('message', 'reason'),
    [
        (b'\x1a\x03ab', 'field 3 at byte 0 has 3 bytes but 2 are left'),
        (b'\x08\x01\x11\x00', 'field 2 at byte 2 has 8 bytes but 1 are left'),
        (b'\x08', 'end within the number at byte 1'),
        (b'\x08\x96', 'end within the number at byte 1'),
        (b'\x1a\xff\xff\xff\xff\x0f', '4294967295 bytes but 0 are left'),
        (b'\x08' + b'\xff' * 11, 'longer than 64 bits'),
        (b'\x00\x00', 'byte 0 starts no protobuf field'),
        (b'\x0b\x00', 'unknown wire type 3'),
    ],
)
def test_damaged_messages(message, reason):
    with pytest.raises(ProtobufError, match=reason):
        fields(message)
