# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Walk through a protobuf message without its schema or the protobuf library.

Weights of TensorFlow (GraphDef) and of Caffe (NetParameter) are protobuf messages of
which a converter needs a handful of fields. The wire format is described at
https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmkp.engine.checkpoint import CheckpointError

#: Wire types: how many bytes a value takes and what they mean.
VARINT = 0
FIXED64 = 1
LENGTH_DELIMITED = 2
FIXED32 = 5

_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
#: A varint has seven bits a byte and at most 64 bits.
_MAX_VARINT_BYTES = 10
_MAX_FIELD_NUMBER = 2**29 - 1


class ProtobufError(ValueError):
    """The bytes are no protobuf message, or not all of one."""


@contextmanager
def opened_message(path: str | Path, kind: str) -> Iterator[memoryview]:
    """Give the bytes of a file, and say which file it was that is no such message.

    Args:
        path: of the file; ``~`` stands for the home folder.
        kind: what it should be, for messages.

    Yields:
        Its bytes.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: within the block a :class:`ProtobufError` was raised.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'the {kind} {path} can not be found')
    content = path.read_bytes()
    try:
        yield memoryview(content)
    except ProtobufError as error:
        raise CheckpointError(
            f'{path} ({len(content)} bytes) is truncated, damaged or not a {kind} '
            f'({error}). Copy or download it again.'
        ) from error


def iterate_fields(buffer: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Iterate over the fields of one message, in the order of the file.

    Nested messages are not entered: they come as the bytes of the field and are
    iterated by another call. Nothing is copied.

    Args:
        buffer: the message, one byte an item.

    Yields:
        (field number, wire type, value). The value is an unsigned int for wire type 0
        (varint) and a view into ``buffer`` for the others: 8 bytes (1), 4 bytes (5),
        little endian, or any number (2: strings, messages, packed numbers).

    Raises:
        ProtobufError: a field reaches beyond the buffer (the file is truncated) or
            the bytes are none of protobuf's.
    """
    position, end = 0, len(buffer)
    while position < end:
        start = position
        tag, position = read_varint(buffer, position)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _MAX_FIELD_NUMBER:
            raise ProtobufError(f'byte {start} starts no protobuf field')
        if wire_type == VARINT:
            value, position = read_varint(buffer, position)
            yield number, wire_type, value
            continue
        if wire_type == LENGTH_DELIMITED:
            size, position = read_varint(buffer, position)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise ProtobufError(
                f'byte {start} starts a field of the unknown wire type {wire_type}'
            )
        if size > end - position:
            raise ProtobufError(
                f'field {number} at byte {start} has {size} bytes but '
                f'{end - position} are left'
            )
        yield number, wire_type, buffer[position : position + size]
        position += size


def read_varint(buffer: memoryview, position: int) -> tuple[int, int]:
    """Read one varint, an unsigned number of at most 64 bits.

    Args:
        buffer: one byte an item.
        position: index of its first byte.

    Returns:
        The number, and the index of the byte behind it.

    Raises:
        ProtobufError: the buffer ends within the number, or it is too long.
    """
    number = 0
    for count, byte in enumerate(buffer[position : position + _MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position + count + 1
    if len(buffer) - position < _MAX_VARINT_BYTES:
        raise ProtobufError(f'the bytes end within the number at byte {position}')
    raise ProtobufError(f'the number at byte {position} is longer than 64 bits')


def as_bytes(
    value: int | memoryview, wire_type: int = LENGTH_DELIMITED, *others: int
) -> memoryview:
    """Require that a field holds bytes: a string, a message or packed numbers.

    Args:
        value: of a field.
        wire_type: of the field.
        *others: wire types beside 2 that will do.

    Returns:
        The value.

    Raises:
        ProtobufError: it is a number, or of another wire type.
    """
    if isinstance(value, int) or wire_type not in (LENGTH_DELIMITED, *others):
        kind = 'a number' if isinstance(value, int) else f'of wire type {wire_type}'
        raise ProtobufError(f'a field that should hold bytes is {kind}')
    return value


def as_text(value: int | memoryview) -> str:
    """Decode a field that holds text.

    Args:
        value: of a field.

    Returns:
        The text.

    Raises:
        ProtobufError: it is a number, or no UTF-8.
    """
    try:
        return str(as_bytes(value), 'utf-8')
    except UnicodeDecodeError as error:
        raise ProtobufError(f'a name is no text ({error})') from error
