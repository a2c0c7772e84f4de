# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Neurodata Without Borders with ndx-pose, .nwb.

Written as ``PoseEstimation``, one an individual, here with pynwb: sleap-io's writer
cuts the rate to whole numbers, leaves out missing points and reads tracks without their
names. ``PoseTraining``, as sleap-io writes labels, is read through it.
"""

import re
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..frames import frame_name, frame_numbers, frame_rate
from ..hdf5_file import import_for
from ..individuals import individual_columns
from ..label_set import LabelSet
from .slp import labels_of_sleap
from .source import Source

_FRAME = 'pixels from the centre of the top left pixel, x to the right, y down'
_IMAGES = 'pose_images'
_KNOWN_TIMES = 'frames of a film'


def recognize(source: Source) -> bool:
    """Tell whether an HDF5 file says which version of NWB it has.

    Args:
        source: What lies at a path.
    """
    return '@nwb_version' in source.hdf5_names


def read(source: Source) -> LabelSet:
    """Read all pose estimations, or else the pose training, of a file.

    Args:
        source: The file; the schemas of the installed packages are used, not its own.

    Returns:
        The labels.

    Raises:
        ImportError: If pynwb or ndx-pose is not installed.
        ValueError: If it holds no poses, or of several skeletons.
    """
    path = source.path
    pynwb = import_for('pynwb', path)
    import_for('ndx_pose', path, 'ndx-pose')
    with source.hdf5():  # refuses what leads elsewhere or fills the memory
        pass
    with pynwb.NWBHDF5IO(str(path), 'r', load_namespaces=False) as file:
        content = file.read()
        found = [
            item
            for item in content.objects.values()
            if item.neurodata_type == 'PoseEstimation'
        ]
        if found:
            found.sort(key=lambda item: item.name)
            return _labels(found, content, path)
        if not any(
            i.neurodata_type == 'PoseTraining' for i in content.objects.values()
        ):
            raise ValueError(f'{path} holds neither PoseEstimation nor PoseTraining')
    annotations = import_for('sleap_io.io.nwb_annotations', path, 'sleap-io')
    return labels_of_sleap(annotations.load_labels(str(path)), path)


def write(labels: LabelSet, path: Path) -> None:
    """Write a pose estimation an individual, NaN where it is not there.

    Args:
        labels: To be written; labels have no confidence. Images are listed as an image
            series; without times, frames and images are a second apart.
        path: File.

    Raises:
        ImportError: If pynwb or ndx-pose is not installed.
    """
    pynwb = import_for('pynwb', path)
    pose = import_for('ndx_pose', path, 'ndx-pose')
    file = pynwb.NWBFile(
        session_description='poses written by mmkp',
        identifier=str(uuid.uuid4()),
        session_start_time=datetime.now().astimezone(),
    )
    times = labels.times
    if times is None:
        count = range(len(labels.image_names))
        numbers = frame_numbers(labels.image_names) if labels.film else None
        times = np.array(numbers or count) / (labels.frames_per_second or 1.0)
    times = np.asarray(times, np.float64)
    file.add_acquisition(_images(labels, times, pynwb))
    nodes = list(labels.keypoint_names)
    skeleton = pose.Skeleton(
        name='object',
        nodes=nodes,
        edges=np.array(labels.links, np.uint8).reshape(-1, 2) if labels.links else None,
    )
    module = file.create_processing_module('behavior', 'poses')
    module.add(pose.Skeletons(skeletons=[skeleton]))
    names, columns = individual_columns(labels)
    for column, name in enumerate(names or ['']):
        chosen = [index for index, c in enumerate(columns) if c == column]
        module.add(_estimation(labels, chosen, name, times, skeleton, pose))
    with pynwb.NWBHDF5IO(str(path), 'w') as handle:
        handle.write(file)


def _images(labels: LabelSet, times: np.ndarray, pynwb: Any) -> Any:
    """The list of images, or of names of frames."""
    has_times = labels.times is not None or bool(labels.frames_per_second)
    return pynwb.image.ImageSeries(
        name=_IMAGES,
        description=_KNOWN_TIMES if has_times else 'images, or frames of unknown times',
        external_file=list(labels.image_names),
        starting_frame=list(range(len(labels.image_names))),
        format='external',
        unit='n.a.',
        timestamps=times,
    )


def _estimation(
    labels: LabelSet,
    chosen: list[int],
    name: str,
    times: np.ndarray,
    skeleton: Any,
    pose: Any,
) -> Any:
    """Poses of one individual in all images."""
    number = len(labels.keypoint_names)
    points = np.full((len(times), number, 2), np.nan)
    scores = np.full((len(times), number), np.nan)
    points[labels.image_index[chosen]] = labels.keypoints[chosen]
    if labels.scores is not None:
        scores[labels.image_index[chosen]] = labels.scores[chosen]
    series = [
        pose.PoseEstimationSeries(
            name=safe,
            description=node,
            data=points[:, part],
            unit='pixels',
            reference_frame=_FRAME,
            timestamps=times,
            confidence=None if labels.scores is None else scores[:, part],
            confidence_definition=None if labels.scores is None else 'of the model',
        )
        for part, (node, safe) in enumerate(
            zip(labels.keypoint_names, _safe(labels.keypoint_names), strict=True)
        )
    ]
    return pose.PoseEstimation(
        name=_safe([name or 'PoseEstimation'])[0],
        pose_estimation_series=series,
        description=name or 'the only object of each image',
        original_videos=[str(labels.film)] if labels.film else None,
        scorer=labels.scorer or 'mmkp',
        skeleton=skeleton,
        source_software='mmkp',
    )


def _labels(found: list[Any], content: Any, path: Path) -> LabelSet:
    """One label set of all pose estimations."""
    nodes = _nodes(found[0])
    if any(_nodes(item) != nodes for item in found):
        raise ValueError(f'{path} has poses of several skeletons; write one file each')
    first = found[0]
    times = _times(next(iter(first.pose_estimation_series.values())))
    film = next((str(v) for v in first.original_videos or () if v), None)
    names = _image_names(content, film, len(times))
    index, keypoints, scores, individuals = [], [], [], []
    for item in found:
        points, confidence = _arrays(item, nodes, len(times), path)
        there = np.flatnonzero(np.isfinite(points).any((1, 2)))
        index += there.tolist()
        keypoints.append(points[there])
        scores.append(confidence[there])
        plain = item.description == 'the only object of each image'
        own = item.source_software == 'mmkp' and item.description
        individuals += ['' if plain else own or item.name] * len(there)
    order = np.argsort(index, kind='stable')
    all_scores = np.concatenate(scores)[order]
    edges = first.skeleton.edges if first.skeleton is not None else None
    images = content.acquisition.get(_IMAGES)
    has_times = film and (images is None or images.description == _KNOWN_TIMES)
    points = np.concatenate(keypoints)[order]
    points[~np.isfinite(points).all(-1)] = np.nan
    return LabelSet(
        keypoint_names=nodes,
        image_names=names,
        image_index=np.array(index, np.int64)[order],
        keypoints=points,
        scores=None if np.isnan(all_scores).all() else all_scores,
        individuals=[individuals[place] for place in order],
        times=times if has_times else None,
        links=[(int(a), int(b)) for a, b in edges] if edges is not None else [],
        root=Path('.') if film else path.parent,
        film=Path(film) if film else None,
        frames_per_second=frame_rate(names, times) if has_times else 0.0,
        scorer='' if first.scorer == 'mmkp' else str(first.scorer or ''),
    )


def _nodes(item: Any) -> list[str]:
    """Names of the keypoints of a pose estimation."""
    if item.skeleton is not None:
        return [str(node) for node in item.skeleton.nodes[:]]
    return [str(name) for name in item.pose_estimation_series]


def _arrays(
    item: Any, nodes: list[str], length: int, path: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, K, 2) and confidences (T, K) of a pose estimation."""
    points = np.full((length, len(nodes), 2), np.nan)
    scores = np.full((length, len(nodes)), np.nan)
    series = item.pose_estimation_series
    for part, (node, safe) in enumerate(zip(nodes, _safe(nodes), strict=True)):
        one = series.get(safe) or series.get(node)
        if one is None:
            continue
        data = np.asarray(one.data[:], np.float64)
        if data.ndim != 2 or len(data) != length or data.shape[1] < 2:
            raise ValueError(
                f'{path}: the series {node!r:.60} has the shape {data.shape}, '
                f'{length} frames of x, y are expected'
            )
        points[:, part] = data[:, :2]
        if one.confidence is not None:
            scores[:, part] = one.confidence[:]
    return points, scores


def _times(series: Any) -> np.ndarray:
    """Times (T,) in seconds of a series."""
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], np.float64)
    start, rate = series.starting_time or 0.0, series.rate or 1.0
    return start + np.arange(len(series.data)) / rate


def _image_names(content: Any, film: str | None, length: int) -> list[str]:
    """Names of the images: as mmkp lists them, or numbers of frames."""
    images = content.acquisition.get(_IMAGES)
    if images is not None and images.external_file is not None:
        names = [str(name) for name in images.external_file[:]]
        if len(names) == length:
            return names
    return [frame_name(film or 'frame', number) for number in range(length)]


def _safe(names: list[str]) -> list[str]:
    """Names that HDF5 and NWB take, each its own."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r'[/:.]', '_', name)
        found.append(plain if plain not in found else f'{plain}_{len(found)}')
    return found
