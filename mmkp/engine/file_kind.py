# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a file is that was given for a checkpoint, told from its first bytes."""

import tarfile
import zipfile
from pathlib import Path

# Bytes that a file begins with (offset, bytes), what it is then, and what to do.
_AGAIN = 'copy or download it again'
_UNPACK = 'unpack it first'
_CONVERT = 'convert its weights'
_CHECKPOINT = 'give the checkpoint of a training'
_PICTURE = 'it may have been given in the place of the checkpoint'
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b'\x89HDF\r\n\x1a\n', 'an HDF5 file, as Keras writes', _CONVERT),
    (0, b'\x93NUMPY', 'an array of NumPy (.npy)', _CHECKPOINT),
    (0, b'\x1f\x8b', 'compressed by gzip', _UNPACK),
    (0, b'BZh', 'compressed by bzip2', _UNPACK),
    (0, b'\xfd7zXZ\0', 'compressed by xz', _UNPACK),
    (0, b'\x28\xb5\x2f\xfd', 'compressed by zstd', _UNPACK),
    (0, b'7z\xbc\xaf\x27\x1c', 'an archive of 7-Zip', _UNPACK),
    (0, b'Rar!', 'an archive of RAR', _UNPACK),
    (4, b'TFL3', 'a model of TensorFlow Lite', _CONVERT),
    (0, b'GGUF', 'a GGUF file of llama.cpp', _CONVERT),
    (0, b'\x89PNG', 'a PNG picture', _PICTURE),
    (0, b'\xff\xd8\xff', 'a JPEG picture', _PICTURE),
    (4, b'ftyp', 'a film', _PICTURE),
    (0, b'%PDF', 'a PDF', _PICTURE),
    (
        0,
        b'version https://git-lfs',
        'a pointer of git-lfs in the place of the file',
        'fetch the file itself by "git lfs pull"',
    ),
)
_TEXT_BYTES = frozenset({9, 10, 12, 13, *range(0x20, 0x7F)})


def is_zip(path: Path) -> bool:
    """Whether a file begins as zip archives do."""
    return _head(path, 4) == b'PK\x03\x04'


def is_pickle(path: Path) -> bool:
    """Whether a file begins as a pickle does, which ``torch.save`` wrote before 1.6."""
    return _head(path, 1) == b'\x80' and _head(path, 2)[1:] <= b'\x05'


def is_safetensors(path: Path) -> bool:
    """Whether a file begins with the header of safetensors."""
    head = _head(path, 9)
    size = int.from_bytes(head[:8], 'little')
    return head[8:] == b'{' and size < 1 << 40


def is_old_tar(path: Path) -> bool:
    """Whether a file is a tar archive in the format of torch before 0.2."""
    names = _tar_names(path)
    return bool({'storages', 'tensors'} & {name.rpartition('/')[2] for name in names})


def describe_file(path: Path) -> tuple[str, str]:
    """Say what a file is that is no checkpoint.

    Args:
        path: of a file that exists.

    Returns:
        What it is, to be put behind 'it is', and what to do.
    """
    head = _head(path, 4096)
    if not head:
        return 'empty', _AGAIN
    if head.startswith(b'PK') and not zipfile.is_zipfile(path):
        return 'truncated', f'the end of its zip archive is missing; {_AGAIN}'
    if not head.strip(b'\0'):
        return 'damaged', f'it holds zeros, as after a power cut; {_AGAIN}'
    kind, remedy = _kind(path, head)
    return f'no checkpoint but {kind}', remedy


def _kind(path: Path, head: bytes) -> tuple[str, str]:
    for offset, signature, kind, remedy in _SIGNATURES:
        if head[offset:].startswith(signature):
            return kind, remedy
    if head.startswith(b'PK'):
        return _kind_of_zip(path)
    if names := _tar_names(path):
        return f'a tar archive of {_some(names)}', _UNPACK
    if head[0] == 8 and head[2:3] in (b'\x12', b'\x1a', b':') and head[1] < 32:
        return 'a network of ONNX', _CHECKPOINT
    if path.suffix in ('.caffemodel', '.pb'):
        return 'weights of another framework', 'use tools/model_converters'
    return _kind_of_text(head) or (
        f'something else (it begins with {head[:8].hex(" ")})',
        _CHECKPOINT,
    )


def _kind_of_text(head: bytes) -> tuple[str, str] | None:
    start = head.removeprefix(b'\xef\xbb\xbf').lstrip()
    if start[:1] == b'<':
        return (
            'a web page or XML, as servers send in the place of a file',
            'open the address in a browser and save the file itself',
        )
    if set(start) <= _TEXT_BYTES:
        line = start[:40].decode('ascii').partition('\n')[0]
        return (
            f'text that begins with {line!r}',
            'is it the config, given in the place of the checkpoint?',
        )
    return None


def _kind_of_zip(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return 'a damaged zip archive', _AGAIN
    if names and all(name.endswith('.npy') for name in names):
        return 'an archive of NumPy arrays (.npz)', _CHECKPOINT
    if 'model.weights.h5' in names:
        return 'a model of Keras (.keras)', _CONVERT
    return f'a zip archive of {_some(names)} without data.pkl', _UNPACK


def _some(names: list[str]) -> str:
    return f'{len(names)} files such as {names[0]!r:.60}' if names else 'no file'


def _tar_names(path: Path) -> list[str]:
    # Zeros, as after a power cut, would pass for an empty tar archive.
    if b'ustar' not in _head(path, 512)[257:263] and path.suffix != '.tar':
        return []
    try:
        with tarfile.open(path, 'r:') as archive:
            return archive.getnames()
    except (tarfile.TarError, OSError, ValueError, EOFError):
        return []


def _head(path: Path, size: int) -> bytes:
    with path.open('rb') as file:
        return file.read(size)
