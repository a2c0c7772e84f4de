# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""SLEAP's projects and predictions, .slp, through sleap-io.

sleap-io moves the points of files before format 1.1 to pixel centres at integers.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..frames import frame_name, frame_numbers
from ..hdf5_file import import_for
from ..label_set import LabelSet
from .source import Source

_ROOT = 'image_root'


def recognize(source: Source) -> bool:
    """Tell whether an HDF5 file has what every .slp file has.

    Args:
        source: What lies at a path.
    """
    return {'metadata', 'frames', 'instances', 'points'} <= source.hdf5_names


def read(source: Source) -> LabelSet:
    """Read instances: in frames with labels of a person these, else predictions.

    Args:
        source: The file; films and images are not opened.

    Returns:
        The labels; ``scores`` are NaN of instances that a person made. A node that is
        switched off is missing.

    Raises:
        ImportError: If sleap-io is not installed.
        ValueError: If it is no such file, or its instances have several skeletons.
    """
    path = source.path
    slp = import_for('sleap_io.io.slp', path, 'sleap-io')
    with source.hdf5():  # refuses what leads elsewhere or fills the memory
        pass
    return labels_of_sleap(slp.read_labels(str(path), open_videos=False), path)


def write(labels: LabelSet, path: Path) -> None:
    """Write instances, predicted ones where the labels have scores.

    Args:
        labels: To be written; images that are there are named by their whole path, as
            SLEAP does.
        path: File.

    Raises:
        ImportError: If sleap-io is not installed.
    """
    slp = import_for('sleap_io.io.slp', path, 'sleap-io')
    slp.write_labels(str(path), sleap_of_labels(labels, path), verbose=False)


def labels_of_sleap(project: Any, path: Path) -> LabelSet:
    """Turn ``sleap_io.Labels`` into a label set.

    Args:
        project: As sleap-io reads it.
        path: Of its file.

    Raises:
        ValueError: If there is no skeleton or more than one.
    """
    skeleton = _only_skeleton(project, path)
    root = project.provenance.get(_ROOT)
    index, found = _instances(project, path)
    number = len(skeleton.node_names)
    scores = np.full((len(found), number), np.nan)
    object_scores = np.full(len(found), np.nan)
    for place, instance in enumerate(found):
        if 'score' in (instance.points.dtype.names or ()):
            scores[place] = instance.points['score']
            object_scores[place] = instance.score
    predicted = any(hasattr(instance, 'score') for instance in found)
    sizes = [_size(frame.video) for frame in project.labeled_frames]
    labels = LabelSet(
        keypoint_names=[str(name) for name in skeleton.node_names],
        image_names=_frames(project, root),
        image_index=np.array(index, np.int64),
        keypoints=np.array([i.numpy()[:, :2] for i in found]).reshape(-1, number, 2),
        scores=scores if predicted else None,
        object_scores=object_scores if predicted else None,
        individuals=[i.track.name if i.track is not None else '' for i in found],
        image_sizes=np.array(sizes, np.int64).reshape(-1, 2),
        links=[(int(a), int(b)) for a, b in skeleton.edge_inds],
        swaps=_swaps(skeleton),
        root=Path(root) if root else path.parent,
    )
    films = {str(v.filename) for v in project.videos if isinstance(v.filename, str)}
    if len(films) == 1:
        labels.film, labels.root = Path(films.pop()), Path('.')
        rate = project.videos[0].backend_metadata.get('fps') or 0.0
        labels.frames_per_second = float(rate)
    return labels


def _only_skeleton(project: Any, path: Path) -> Any:
    """The skeleton, which all instances share."""
    kinds = {tuple(skeleton.node_names) for skeleton in project.skeletons}
    if len(kinds) != 1:
        raise ValueError(
            f'{path} has {len(kinds)} skeletons with different nodes; write one file '
            'each'
        )
    return project.skeletons[0]


def _instances(project: Any, path: Path) -> tuple[list[int], list[Any]]:
    """Instances of a person, else predicted ones, and the frame of each."""
    index, found, left_out = [], [], 0
    for place, frame in enumerate(project.labeled_frames):
        instances = list(frame.user_instances) or list(frame.predicted_instances)
        left_out += len(frame.instances) - len(instances)
        found += instances
        index += [place] * len(instances)
    if left_out:
        warnings.warn(
            f'{path}: {left_out} predictions in frames that a person has labelled are '
            'left out',
            stacklevel=5,
        )
    return index, found


def _swaps(skeleton: Any) -> list[tuple[int, int]]:
    """Pairs of left and right nodes."""
    nodes = list(skeleton.node_names)
    pairs = (
        sorted(nodes.index(node.name) for node in symmetry.nodes)
        for symmetry in skeleton.symmetries
    )
    return sorted((pair[0], pair[-1]) for pair in pairs)


def sleap_of_labels(labels: LabelSet, path: Path) -> Any:
    """Turn a label set into ``sleap_io.Labels``.

    Args:
        labels: To be written.
        path: Of the file to write, for messages.
    """
    sio = import_for('sleap_io', path, 'sleap-io')
    names = labels.keypoint_names
    skeleton = sio.Skeleton(nodes=list(names), name='object')
    for start, end in labels.links:
        skeleton.add_edge(names[start], names[end])
    for left, right in labels.swaps:
        skeleton.add_symmetry(names[left], names[right])
    numbers = frame_numbers(labels.image_names) if labels.film else None
    is_film = numbers is not None
    if numbers is None:
        numbers = list(range(len(labels.image_names)))
    video = _video(labels, is_film, sio)
    tracks = {
        name: sio.Track(name=name) for name in dict.fromkeys(labels.individuals) if name
    }
    frames = [
        sio.LabeledFrame(video=video, frame_idx=number, instances=[])
        for number in numbers
    ]
    for index, place in enumerate(labels.image_index.tolist()):
        track = tracks.get(labels.individuals[index])
        frames[place].instances.append(_instance(labels, index, skeleton, track, sio))
    project = sio.Labels(
        labeled_frames=frames,
        videos=[video],
        skeletons=[skeleton],
        tracks=list(tracks.values()),
    )
    if not is_film:
        project.provenance[_ROOT] = str(labels.root)
    return project


def _video(labels: LabelSet, is_film: bool, sio: Any) -> Any:
    """The film, or a list of images, as sleap-io describes closed ones."""
    known: dict[str, Any] = dict(grayscale=False)
    sizes = np.unique(labels.image_sizes, axis=0)
    if len(sizes) == 1 and sizes.all():
        width, height = sizes[0].tolist()
        known['shape'] = (len(labels.image_names), height, width, 3)
    if is_film:
        film = str(labels.film)
        known.update(type='MediaVideo', filename=film)
        if labels.frames_per_second:
            known['fps'] = labels.frames_per_second
        return sio.Video(filename=film, open_backend=False, backend_metadata=known)
    files = []
    for name in labels.image_names:
        file = labels.root / name
        files.append(str(file.absolute()) if file.is_file() else name)
    known.update(type='ImageVideo', filename=files[0], filenames=files)
    return sio.Video(filename=files, open_backend=False, backend_metadata=known)


def _instance(labels: LabelSet, index: int, skeleton: Any, track: Any, sio: Any) -> Any:
    """One object, a predicted one if it has scores."""
    points = labels.keypoints[index]
    scores = None if labels.scores is None else labels.scores[index]
    if scores is None or np.isnan(scores).all():
        return sio.Instance.from_numpy(points, skeleton=skeleton, track=track)
    score = np.nan if labels.object_scores is None else labels.object_scores[index]
    if np.isnan(score):
        score = np.nanmean(scores)
    return sio.PredictedInstance.from_numpy(
        points,
        skeleton=skeleton,
        point_scores=scores,
        score=float(score),
        track=track,
    )


def _frames(project: Any, root: str | None) -> list[str]:
    """Names of the frames; a number before those of films that share a name."""
    frames = project.labeled_frames
    names = [_frame(frame.video, int(frame.frame_idx), root) for frame in frames]
    if len(set(names)) == len(names):
        return names
    numbers = {id(video): number for number, video in enumerate(project.videos)}
    return [
        f'video{numbers.get(id(frame.video), 0)}/{name}'
        for frame, name in zip(frames, names, strict=True)
    ]


def _frame(video: Any, number: int, root: str | None) -> str:
    """Name of a frame or image."""
    if isinstance(video.filename, str):
        return frame_name(video.filename, number)
    file = str(video.filename[number])
    if root and Path(file).is_absolute():
        return Path(os.path.relpath(file, Path(root).absolute())).as_posix()
    return file.replace('\\', '/')


def _size(video: Any) -> list[int]:
    """Width and height of the frames, 0 if unknown."""
    shape = video.backend_metadata.get('shape')
    return [int(shape[2]), int(shape[1])] if shape is not None else [0, 0]
