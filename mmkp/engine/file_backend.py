"""Files that appear whole or not at all."""

import os
from pathlib import Path

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
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f'.{path.name}{_UNFINISHED}')
        with unfinished.open('wb') as file:
            file.write(obj)
            file.flush()
            # Without this a power cut may keep the new name and lose the content.
            os.fsync(file.fileno())
        os.replace(unfinished, path)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a file of text.

        Args:
            obj: content.
            filepath: path of the file, its folder is created when absent.
            encoding: of the file.
        """
        self.put(obj.encode(encoding), filepath)


def remove_unfinished(folder: str | Path) -> None:
    """Delete what killed processes left half written.

    Args:
        folder: where to look, without its sub-folders.
    """
    for path in Path(folder).glob(f'.*{_UNFINISHED}'):
        path.unlink(missing_ok=True)
