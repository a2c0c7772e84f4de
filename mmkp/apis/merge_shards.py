# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Put the parts of all shards together, in the order of the source."""

import json
import logging
import shlex
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from mmengine.logging import print_log

from mmkp.apis.predictions import FORMAT_FILES, Predictions
from mmkp.apis.record_file import KEYPOINTS, RECORDS, RecordFile
from mmkp.apis.run import Run
from mmkp.apis.shard_part import locked, raise_if_different, states_of
from mmkp.apis.shards import SHARDS, Shard, name_hash
from mmkp.datasets.coco_writer import write_atomically
from mmkp.datasets.sides import pairs_of_partners
from mmkp.labels import read_json

States = dict[Shard, dict[str, Any]]


def merge_shards(out: str | Path, formats: Sequence[str] = ('json',)) -> Predictions:
    """Put the parts of all shards together, such as those copied from other machines.

    Args:
        out: folder of the result, with the folders ``shards/i-of-n``.
        formats: files to write beside ``keypoints.json``.

    Returns:
        The predictions.

    Raises:
        ValueError: a part is missing, not done, damaged, or does not fit the others.
    """
    found = merge_if_complete(out, formats)
    if found is None:
        raise ValueError(f"'{out}' cannot be merged: {missing(states_of(out))}")
    return found


def merge_if_complete(
    out: str | Path, formats: Sequence[str] = ('json',)
) -> Predictions | None:
    """Put the parts together where all are done; one process at a time does it.

    Args:
        out: folder of the result.
        formats: files to write beside ``keypoints.json``.

    Returns:
        The predictions, None where parts are missing.

    Raises:
        ValueError: as :func:`merge_shards`.
    """
    out = Path(out)
    # The last two that finish together both come here: the second one waits, and
    # finds that nothing is left to do. Where the first is killed, it does the rest.
    if not (states := states_of(out)) or missing(states):
        return None
    with locked(out / SHARDS / 'lock'):
        mark = out / SHARDS / _MERGED
        before = read_json(str(mark), dict) if mark.is_file() else {}
        written = before.get('formats', [])
        if not before:
            _write_all(states, out)
        figures = _figures(states)
        predictions = Predictions(out, figures)
        lacking = [one for one in formats if one not in ('json', *written)]
        for format in lacking:
            predictions.write(out / FORMAT_FILES[format], format)
        if not before:
            _describe(states, out, figures)
        text = json.dumps({'formats': [*written, *lacking]})
        write_atomically(mark, text.encode())
    return predictions


def missing(states: States) -> str:
    """Which shards are not done, in words; empty where all are.

    Args:
        states: of :func:`mmkp.apis.shard_part.states_of`.
    """
    if not states:
        return 'it holds no part of a shard'
    count = next(iter(states)).count
    done = {shard.index for shard, state in states.items() if state['done']}
    lacking = [f'{index}/{count}' for index in range(count) if index not in done]
    more = f' and {len(lacking) - 5} more' if len(lacking) > 5 else ''
    return f'{", ".join(lacking[:5])}{more} not done yet' if lacking else ''


def _write_all(states: States, out: Path) -> None:
    """Write ``keypoints.json``, which appears as a whole."""
    first = next(iter(states))
    for shard, state in states.items():
        setting = states[first]['setting']
        raise_if_different(setting, state['setting'], f"shard {shard} of '{out}'")
    if not any(state['images'] for state in states.values()):
        raise ValueError(f"no image of '{states[first]['source']}' can be read")
    listings = [state['listing'] for state in states.values()]
    by_name = any(one is None or one != listings[0] for one in listings)
    if by_name:
        remark = (
            f"files of '{states[first]['source']}' came or went while its shards were "
            'predicted: they are ordered by their names'
        )
        print_log(remark, logger='current', level=logging.WARNING)
    records = MergedRecords(out, list(states), by_name)
    for (shard, state), count in zip(states.items(), records.counts, strict=True):
        if count != state['images']:
            raise ValueError(
                f"'{shard.folder(out) / RECORDS}' holds {count} of {state['images']} "
                'images: copy that part again'
            )
    damaged = [name for one in states.values() for name in one['head'][_DAMAGED]]
    head = {**states[first]['head'], _DAMAGED: sorted(damaged)}
    # What is said of films is that of the first one, where all are films.
    all_films = all(
        'frames_per_second' in one['after'] for one in states.values() if one['images']
    )
    after = [*states.values()][records.numbers[0]]['after'] if all_films else {}
    records.assemble(head, after, done=False)


def _figures(states: States) -> dict[str, Any]:
    motion = {k: v for one in states.values() for k, v in one.get('motion', {}).items()}
    figures = dict(images=sum(one['images'] for one in states.values()))
    figures['shards'] = len(states)
    return {**figures, 'motion': motion} if motion else figures


def _describe(states: States, out: Path, figures: dict[str, Any]) -> None:
    """Write ``run.json``, where the model is that of a run."""
    state = next(iter(states.values()))
    if state['run'] is None:
        return
    known = dict(
        state['run'],
        figures=figures,
        keypoint_names=state['head']['keypoint_names'],
        links=state['head']['links'],
        swaps=pairs_of_partners(state['head']['flip_indices']),
    )
    Run.create(out, 'predict', command=shlex.join(sys.argv), **known)


class MergedRecords(RecordFile):
    """The records of all shards, in the order of the source, read one at a time.

    In memory are 26 bytes a record, and its name where names give the order.

    Args:
        out: folder of the result.
        shards: whose parts these are.
        by_name: whether names give the order and not the places in the source, which
            the processes saw differently.

    Attributes:
        numbers: (N,) uint16, of the part that holds each record.
        counts: number of records of each part.

    Raises:
        ValueError: a line is damaged, or an image is there twice.
    """

    def __init__(self, out: Path, shards: Sequence[Shard], by_name: bool) -> None:
        self.result, self.out = out / KEYPOINTS, out
        self.paths = [shard.folder(out) / RECORDS for shard in shards]
        ranks, offsets, numbers = array('q'), array('q'), array('H')
        names: list[str] = []
        hashes = array('Q')
        for number, path in enumerate(self.paths):
            for offset, record in _records(path):
                ranks.append(record['rank'])
                offsets.append(offset)
                numbers.append(number)
                hashes.append(name_hash(record['image']))
                if by_name:
                    names.append(record['image'])
        if len(np.unique(hashes)) < len(hashes):
            raise ValueError(
                f"parts in '{out / SHARDS}' hold an image twice: they are of different "
                'predictions'
            )
        if by_name:
            order = np.array(sorted(range(len(names)), key=names.__getitem__))
        else:
            order = np.argsort(ranks, kind='stable')
        self.numbers = np.array(numbers)
        self.counts = np.bincount(self.numbers, minlength=len(shards)).tolist()
        self.numbers, self.offsets = self.numbers[order], np.array(offsets)[order]

    def __len__(self) -> int:
        return len(self.offsets)

    def _lines(self) -> Iterator[str]:
        with ExitStack() as stack:
            files: dict[int, IO[bytes]] = {}
            for number, offset in zip(self.numbers, self.offsets, strict=True):
                if number not in files:
                    files[number] = stack.enter_context(open(self.paths[number], 'rb'))
                files[number].seek(offset)
                yield json.dumps(self._whole(files[number].readline(), number))

    def _whole(self, line: bytes, number: int) -> dict[str, Any]:
        """A record as one process would have written it."""
        record = json.loads(line)
        del record['rank']
        if 'picture' in record:
            folder = self.paths[number].parent.relative_to(self.out).as_posix()
            record['picture'] = f'{folder}/{record["picture"]}'
        return record


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Where each record of a part begins, in bytes, and the record."""
    if not path.is_file():  # of a shard without images
        return
    offset = 0
    with path.open('rb') as file:
        for number, line in enumerate(file, 1):
            try:
                yield offset, json.loads(line)
            except ValueError:
                raise ValueError(
                    f'{path}, line {number}: it is damaged; remove {path.parent} and '
                    'predict that shard again'
                ) from None
            offset += len(line)


_MERGED, _DAMAGED = 'merged.json', 'damaged_images'
