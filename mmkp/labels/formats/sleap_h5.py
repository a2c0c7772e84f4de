# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""SLEAP's analysis files, .h5: arrays of tracks over all frames of a film.

Read and written with h5py here, as sleap-io reads missing scores as 0, names tracks
where there are none, and so does not give back what SLEAP wrote.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..frames import frame_name, frame_numbers
from ..hdf5_file import import_for
from ..individuals import individual_columns
from ..label_set import LabelSet
from .source import Source

_NEEDED = {'tracks', 'node_names', 'track_names'}
_AXES = ('track', 'xy', 'node', 'frame')  # as MATLAB reads them, SLEAP's own order


def recognize(source: Source) -> bool:
    """Tell whether an HDF5 file has tracks and nodes.

    Args:
        source: What lies at a path.
    """
    return source.hdf5_names >= _NEEDED


def read(source: Source) -> LabelSet:
    """Read all tracks; frames without any are not listed.

    Args:
        source: The file.

    Returns:
        The predictions; ``scores`` are None if all are NaN.

    Raises:
        ValueError: If arrays are missing or do not fit each other.
    """
    with source.hdf5() as file:
        arrays = {name: file[name][()] for name in file if hasattr(file[name], 'shape')}
        dims = json.loads(file['tracks'].attrs.get('dims', json.dumps(_AXES)))
    if sorted(dims) != sorted(_AXES) or arrays['tracks'].ndim != 4:
        raise ValueError(f'{source.path}: the axes of tracks are {dims!r:.80}')
    points = arrays['tracks'].transpose(
        [dims.index(a) for a in ('frame', 'track', 'node', 'xy')]
    )
    points = points.astype(np.float64)
    frames, tracks, nodes, _ = points.shape
    names = _texts(arrays['track_names'])
    parts = _texts(arrays['node_names'])
    if len(parts) != nodes or (names and len(names) != tracks):
        raise ValueError(
            f'{source.path}: {tracks} tracks of {nodes} nodes, but {len(names)} and '
            f'{len(parts)} names'
        )
    order = [d for d in dims if d != 'xy']
    scores = _array(arrays, 'point_scores', order, (frames, tracks, nodes))
    order = [d for d in order if d != 'node']
    object_scores = _array(arrays, 'instance_scores', order, (frames, tracks))
    film = Path(_text(arrays.get('video_path')) or source.path.name.split('.')[0])
    row, column = np.nonzero(np.isfinite(points).any((2, 3)))
    used = np.unique(row)
    known = np.isfinite(points).all(-1)
    points[~known] = np.nan
    return LabelSet(
        keypoint_names=parts,
        image_names=[frame_name(film, int(number)) for number in used],
        image_index=np.searchsorted(used, row),
        keypoints=points[row, column],
        scores=None if np.isnan(scores).all() else scores[row, column],
        object_scores=(
            None if np.isnan(object_scores).all() else object_scores[row, column]
        ),
        individuals=[names[c] if names else '' for c in column],
        links=[(int(a), int(b)) for a, b in arrays.get('edge_inds', ())],
        root=Path('.'),
        film=film,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write all frames up to the last one that is listed.

    Args:
        labels: To be written; images in place of a film are numbered in their order.
        path: File.
    """
    h5py = import_for('h5py', path)
    names, columns = individual_columns(labels)
    numbers = frame_numbers(labels.image_names) if labels.film else None
    if numbers is None:
        numbers = list(range(len(labels.image_names)))
    frames = max(numbers, default=-1) + 1
    tracks, nodes = max(len(names), 1), len(labels.keypoint_names)
    points = np.full((frames, tracks, nodes, 2), np.nan)
    scores = np.full((frames, tracks, nodes), np.nan)
    object_scores = np.full((frames, tracks), np.nan)
    rows = np.array(numbers, np.int64)[labels.image_index]
    points[rows, columns] = labels.keypoints
    if labels.scores is not None:
        scores[rows, columns] = labels.scores
    if labels.object_scores is not None:
        object_scores[rows, columns] = labels.object_scores
    occupancy = np.isfinite(points).any((2, 3)).astype(np.uint8)
    known = [] if names in ([''], []) else names
    parts = labels.keypoint_names
    with h5py.File(path, 'w') as file:
        for name, array in (
            ('tracks', points.transpose(1, 3, 2, 0)),
            ('track_occupancy', occupancy),
            ('point_scores', scores.transpose(1, 2, 0)),
            ('instance_scores', object_scores.T),
            ('tracking_scores', np.full_like(object_scores.T, np.nan)),
        ):
            file.create_dataset(name, data=array, compression='gzip')
        edges = [[parts[a], parts[b]] for a, b in labels.links]
        for name, texts in (
            ('track_names', known),
            ('node_names', parts),
            ('edge_names', edges),
        ):
            file.create_dataset(
                name, data=np.char.encode(np.array(texts, str), 'utf-8')
            )
        file.create_dataset('edge_inds', data=np.array(labels.links, np.int32))
        file.create_dataset('video_path', data=str(labels.film or ''))
        file.create_dataset('video_ind', data=0)
        file.create_dataset('labels_path', data='')
        file.create_dataset('provenance', data='{}')


def _array(
    arrays: dict[str, Any], name: str, order: list[str], shape: tuple[int, ...]
) -> np.ndarray:
    """An array with its axes frame, track and perhaps node, NaN if missing."""
    array = arrays.get(name)
    if array is None:
        return np.full(shape, np.nan)
    wanted = ('frame', 'track', 'node')[: len(shape)]
    array = np.asarray(array, np.float64)
    array = array.transpose([order.index(axis) for axis in wanted])
    if array.shape != shape:
        raise ValueError(f'{name} has the shape {array.shape}, {shape} is expected')
    return array


def _texts(array: Any) -> list[str]:
    return [_text(value) for value in array]


def _text(value: Any) -> str:
    """Text of bytes, of text or of an array of one."""
    value = value.item() if hasattr(value, 'item') else value
    return value.decode('utf-8') if isinstance(value, bytes) else str(value or '')
