# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Zip archives whose claims are held against their file before anything is unpacked."""

import zipfile
from pathlib import PurePosixPath

#: What a packed archive may unpack to: so many times its size, or so many bytes.
MAX_RATIO = 100
MAX_UNPACKED = 1 << 28
#: Deflate packs a thousand to one at best.
_MAX_DEFLATE = 1032
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_archive(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that unpacks to more than it can hold, or out of its folder.

    Args:
        archive: Opened to read; nothing of it is unpacked.
        size: Of its file in bytes.

    Raises:
        ValueError: If a record has a name that leads elsewhere or occurs twice, is
            packed by another method than deflate, claims more bytes than it can have,
            or all claim more than 256 MiB and a hundred times the file.
    """
    seen: set[str] = set()
    for info in archive.infolist():
        name = info.filename
        path = PurePosixPath(name.replace('\\', '/'))
        if path.is_absolute() or '..' in path.parts or ':' in name[:2]:
            raise ValueError(f'the name of its record {name!r:.80} leads out of it')
        if name in seen:
            raise ValueError(f'its record {name!r:.80} occurs twice')
        seen.add(name)
        if info.compress_type not in _METHODS:
            raise ValueError(f'its record {name!r:.80} is packed otherwise than by zip')
        is_stored = info.compress_type == zipfile.ZIP_STORED
        if info.file_size > info.compress_size * (1 if is_stored else _MAX_DEFLATE):
            raise ValueError(
                f'{name:.80} claims {info.file_size} bytes and has {info.compress_size}'
            )
    # Records that share their bytes would multiply them.
    if sum(info.compress_size for info in archive.infolist()) > size:
        raise ValueError('its records claim more bytes than it has')
    unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > max(MAX_UNPACKED, MAX_RATIO * size):
        raise ValueError(
            f'its {size} bytes unpack to {unpacked}, more than {MAX_RATIO} times as '
            'many; if it is sound, write it without compression'
        )
