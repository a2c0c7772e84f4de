# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read and write label files of all formats."""

import shutil
import tempfile
from pathlib import Path

from .formats.catalog import FORMATS
from .formats.format import Format
from .formats.source import Source
from .hdf5_file import one_line
from .label_set import LabelSet


def read_labels(path: str | Path, format: str | None = None) -> LabelSet:
    """Read a file or folder of labels or predictions.

    Args:
        path: File, folder of a format that is one, or folder of a run.
        format: Name in ``FORMATS``; by default what the content is, see
            :func:`find_format`.

    Returns:
        The labels. Nothing that a file holds is run.

    Raises:
        FileNotFoundError: If there is nothing.
        ImportError: If a library is missing; the message has the command.
        ValueError: If it is of no known format, or cannot be read.
    """
    source = Source(path)
    known = FORMATS[_checked(format)] if format else find_format(source)
    if known.read is None:
        raise ValueError(f'{path}: {known.title} is only written, not read')
    try:
        labels = known.read(source)
    except (FileNotFoundError, ImportError):
        raise
    # What a damaged file raises depends on where it is damaged, and on the library.
    except Exception as error:
        if isinstance(error, ValueError) and str(Path(path)) in str(error)[:500]:
            raise
        raise ValueError(
            f'{path} cannot be read as {known.title}: {type(error).__name__}: '
            f'{one_line(error)}'
        ) from error
    return _checked_labels(labels, path)


def write_labels(
    labels: LabelSet,
    path: str | Path,
    format: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels or predictions, whole or not at all.

    What a format does not hold is left out: :func:`mmkp.labels.losses.losses` tells.

    Args:
        labels: To be written.
        path: File, or folder of a format that is one.
        format: Name in ``FORMATS``; by default that of the suffix.
        overwrite: Whether to replace a file. In a folder, files of the same names are
            replaced and others stay.

    Returns:
        The path.

    Raises:
        FileExistsError: If there is something already.
        ImportError: If a library is missing; the message has the command.
        ValueError: If the format is unknown, only read, or cannot hold the labels.
    """
    path = Path(path)
    known = FORMATS[_checked(format)] if format else format_of_name(path)
    if known.write is None:
        raise ValueError(f'{path}: {known.title} is only read, not written')
    if path.is_dir() and not known.is_folder:
        raise FileExistsError(f'{path} is a folder, {known.title} is a file')
    if path.is_file() and known.is_folder:
        raise FileExistsError(f'{path} is a file, {known.title} is a folder')
    is_taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if is_taken and not overwrite:
        raise FileExistsError(f'{path} exists: name another one, or give --overwrite')
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix='.partial_'))
    try:
        made = partial / path.name
        known.write(labels, made)
        _move(made, path)
    finally:
        shutil.rmtree(partial)
    return path


def find_format(source: Source) -> Format:
    """Tell the format of a file by its content, then by its suffix.

    Args:
        source: What lies at a path.

    Raises:
        ValueError: If it is none.
    """
    for known in FORMATS.values():
        if known.read is not None and known.recognize(source):
            return known
    path = source.path
    if not source.is_folder and source.head:
        for known in FORMATS.values():
            if known.read is not None and path.name.lower().endswith(
                tuple(s for s in known.suffixes if s not in ('.csv', '.json', '.h5'))
            ):
                return known
    kind = 'folder' if source.is_folder else 'file'
    raise ValueError(
        f'{path} is a {kind} of no known format of labels (images and films alone have '
        f'none: mmkp discover); these are read: '
        f'{", ".join(k.name for k in FORMATS.values() if k.read)}'
    )


def format_of_name(path: Path) -> Format:
    """Tell the format to write by the suffix.

    Args:
        path: Of a file that need not be there.

    Raises:
        ValueError: If no format has the suffix.
    """
    name = path.name.lower()
    found = [
        (len(suffix), known)
        for known in FORMATS.values()
        for suffix in known.suffixes
        if name.endswith(suffix) and known.write
    ]
    if found:
        return max(found, key=lambda entry: entry[0])[1]
    raise ValueError(
        f"'{path}' does not say its format: name it with -f, one of "
        f'{", ".join(k.name for k in FORMATS.values() if k.write)}'
    )


def _checked(name: str) -> str:
    """A name of a format, or an error that lists them."""
    if name not in FORMATS:
        raise ValueError(f'{name!r} is no format; there are {", ".join(FORMATS)}')
    return name


def _checked_labels(labels: LabelSet, path: str | Path) -> LabelSet:
    """Labels whose parts fit each other."""
    if len(set(labels.keypoint_names)) != len(labels.keypoint_names):
        raise ValueError(f'{path}: names of keypoints repeat: {labels.keypoint_names}')
    return labels


def _move(made: Path, path: Path) -> None:
    """Put what was written in its place, file by file."""
    if made.is_file():
        made.replace(path)
        return
    for file in sorted(made.rglob('*')):
        target = path / file.relative_to(made)
        if file.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
    path.mkdir(parents=True, exist_ok=True)
