"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

_UNFINISHED = '.unfinished'


@register_backend(name='atomic_local', force=True)
class AtomicLocalBackend(LocalBackend):
    """Local files, written under another name and renamed when complete.

    A process killed while it writes leaves the file's former content. Chosen by
    ``backend_args=dict(backend='atomic_local')`` wherever MMEngine takes them.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file of bytes.

        Args:
            obj: content.
            filepath: path of the file, its folder is created when absent.
        """
        with whole_file(filepath) as file:
            file.write(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a file of text.

        Args:
            obj: content.
            filepath: path of the file, its folder is created when absent.
            encoding: of the file.
        """
        self.put(obj.encode(encoding), filepath)


@contextmanager
def whole_file(filepath: str | Path) -> Iterator[BinaryIO]:
    """Write a file that gets its name when it is complete, and leaves nothing else.

    Args:
        filepath: path of the file, its folder is created when absent.

    Yields:
        The file to write into.

    Raises:
        OSError: of the system, such as a full disk, always with the file's name. What
            was written is removed, so that it does not keep the disk full.
    """
    path = Path(filepath)
    unfinished = path.with_name(f'.{path.name}{_UNFINISHED}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open('wb') as file:
            yield file
            file.flush()
            # Without this a power cut may keep the new name and lose the content.
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        try:
            unfinished.unlink(missing_ok=True)
        except OSError:
            pass  # what comes first is told
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def is_unfinished(filepath: str | Path) -> bool:
    """Whether a name is that of a file whose writing was cut short by a kill."""
    name = Path(filepath).name
    return name.startswith('.') and name.endswith(_UNFINISHED)


def remove_unfinished(folder: str | Path) -> None:
    """Delete what killed processes left half written.

    Args:
        folder: where to look, without its sub-folders.
    """
    for path in Path(folder).glob(f'.*{_UNFINISHED}'):
        path.unlink(missing_ok=True)
