# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The part that a shard writes: its records, and what is said of them."""

import json
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmkp.apis.media import Media
from mmkp.apis.record_file import RecordFile
from mmkp.apis.shards import SHARDS, Selection, Shard
from mmkp.apis.sources import Source
from mmkp.datasets.coco_writer import write_atomically
from mmkp.labels import read_json
from mmkp.ops.finite import finite_or_none

STATE = 'shard.json'


class ShardPart(RecordFile):
    """Records of a shard, a line each, and ``shard.json`` beside them.

    Only the process of the shard writes them. Unlike those of a whole prediction, the
    lines stay; they are put together with those of the others.

    Args:
        out: folder of the result of all.
        shard: that it is of.

    Attributes:
        state: what ``shard.json`` says: ``shard``, ``done``, ``source``, ``setting``
            (what all shards have in common), ``listing`` (:attr:`Selection.listing`,
            None where it has changed), ``run`` (what the ``run.json`` of the result is
            to say), and of what is done ``head``, ``after`` (of ``keypoints.json``,
            before and behind its images) and ``images``; ``motion`` of films that were
            smoothed.
    """

    def __init__(self, out: str | Path, shard: Shard) -> None:
        self.out, self.shard = Path(out), shard
        self.folder = shard.folder(out)
        self.state = read_state(self.folder) or {'shard': str(shard), 'done': False}
        super().__init__(self.folder, resume=True)

    def update(self, **values: Any) -> None:
        """Write down more in ``shard.json``.

        Args:
            **values: by name; all are plain data.
        """
        self.state.update(values)
        text = json.dumps(finite_or_none(self.state), ensure_ascii=False)
        write_atomically(self.folder / STATE, text.encode())

    def media(
        self, source: Source, frames: range | None, without: Container[str] = ()
    ) -> Media:
        """The images and films of the shard; what was listed is noted.

        Args:
            source: of all shards.
            frames: as :class:`Media` takes them.
            without: names that are not read.
        """
        owns = Selection(self.shard)
        # Below the folder of the result lie pictures of the other shards, too.
        media = Media(source, self.out, frames, without, owns)
        same = self.state.get('listing', owns.listing) == owns.listing
        self.update(listing=owns.listing if same else None)
        return media

    def awaits_motion(self, media: Media) -> bool:
        """Whether keypoints of films are still to be smoothed, which is done once.

        Args:
            media: of the shard.
        """
        return 'motion' not in self.state and any(part.film for part in media.parts)

    def assemble(
        self, before: dict[str, Any], after: dict[str, Any], done: bool = True
    ) -> Path:
        """Write down what is said of the records; see :meth:`RecordFile.assemble`.

        Args:
            before: what the json file of all says before its ``images``.
            after: what it says behind them.
            done: whether no more records will come.

        Returns:
            Path of the records.
        """
        self.update(head=before, after=after, images=len(self))
        return self.path


def read_state(folder: Path) -> dict[str, Any] | None:
    """What ``shard.json`` in the folder of a part says, None where there is none.

    Raises:
        ValueError: it cannot be read.
    """
    path = folder / STATE
    return read_json(str(path), dict) if path.is_file() else None


def states_of(out: str | Path) -> dict[Shard, dict[str, Any]]:
    """What all parts in the folder of a result say of themselves.

    Args:
        out: the folder.

    Returns:
        ``shard.json`` by shard, in their order; shards that have not begun lack.

    Raises:
        ValueError: they are of different numbers of shards.
    """
    found = {}
    for folder in Path(out, SHARDS).glob('*-of-*'):
        name = re.fullmatch(r'(\d+)-of-(\d+)', folder.name)
        if name is not None and (state := read_state(folder)) is not None:
            found[Shard(int(name[1]), int(name[2]))] = state
    if len(counts := sorted({shard.count for shard in found})) > 1:
        raise ValueError(
            f"'{out}' holds parts of {' and of '.join(map(str, counts))} shards: a "
            'result has parts of one number of shards; name another folder with -o'
        )
    return {shard: found[shard] for shard in sorted(found, key=lambda one: one.index)}


def raise_if_different(
    setting: dict[str, Any], other: dict[str, Any], what: str
) -> None:
    """Raise where two shards were not predicted in the same way.

    Args:
        setting: of the one.
        other: of the other.
        what: the other is called.

    Raises:
        ValueError: something differs.
    """
    for name, value in setting.items():
        if other.get(name) != value:
            raise ValueError(
                f'{what} was predicted with another {name} ({_short(other.get(name))}, '
                f'not {_short(value)}): all shards of a result are of one source, '
                'model and options; name another folder with -o'
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 60 else f'{text[:57]}...'


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """Let one process at a time do something; a process that is killed lets go.

    Args:
        path: of the lock, a file.
        busy: message where another process holds it; None waits for that one.

    Raises:
        ValueError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(path), timeout=-1 if busy is None else 0)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(busy) from None
    try:
        yield
    finally:
        lock.release()
