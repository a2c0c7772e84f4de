# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""mmkp's own ``keypoints.json``, alone or in the folder of a run."""

from pathlib import Path
from typing import Any

import numpy as np

from ..frames import frame_rate, stem_of
from ..image_files import sizes_of
from ..json_file import read_json
from ..label_set import LabelSet
from ..number_text import plain, write_json
from .coco import number_or_nan
from .source import Source

NAME = 'keypoints.json'


def recognize(source: Source) -> bool:
    """Tell whether a file, or one in a folder, is what ``mmkp predict`` writes.

    Args:
        source: What lies at a path.
    """
    if source.is_folder:
        return (source.path / NAME).is_file()
    content = source.json
    return isinstance(content, dict) and {'images', 'num_keypoints'} <= set(content)


def read(source: Source) -> LabelSet:
    """Read predictions; names and links are those of the run, where there is one.

    Args:
        source: The file, or the folder of a run.

    Returns:
        The predictions.

    Raises:
        ValueError: If an entry cannot be used.
    """
    path = source.path / NAME if source.is_folder else source.path
    content = read_json(path, dict, nan=True)
    number = content.get('num_keypoints')
    images = content.get('images')
    if not isinstance(number, int) or not 0 <= number < 100_000:
        raise ValueError(f'{path}: num_keypoints is {number!r:.40}, no number')
    if not isinstance(images, list):
        raise ValueError(f'{path}: "images" is no list')
    found = [
        (place, entry)
        for place, image in enumerate(images)
        for entry in _entries(image, place, path)
    ]
    entries = [entry for _, entry in found]
    points = [_pairs(entry.get('keypoints'), number, path) for entry in entries]
    keypoints = np.array(points).reshape(len(found), number, 2)
    labels = LabelSet(
        keypoint_names=_names(content, path, number),
        image_names=[image['image'] for image in images],
        image_index=np.array([place for place, _ in found], np.int64),
        keypoints=keypoints,
        scores=None if content.get('is_labels') else _scores(entries, number),
        visibility=_visibility(entries, keypoints),
        object_scores=_column(entries, 'bbox_score'),
        boxes=_boxes(entries),
        individuals=[str(entry.get('individual') or '') for entry in entries],
        image_sizes=np.array(
            [[_side(image, 'width'), _side(image, 'height')] for image in images],
            np.int64,
        ).reshape(-1, 2),
        times=_column(images, 'time'),
        links=_pairs_of_indices(content.get('links'), number),
        swaps=_swaps(content.get('flip_indices'), number),
    )
    _complete(labels, content, path)
    return labels


def write(labels: LabelSet, path: Path) -> None:
    """Write predictions or labels.

    Args:
        labels: To be written.
        path: File.
    """
    sizes = sizes_of(labels)
    flip = list(range(len(labels.keypoint_names)))
    for left, right in labels.swaps:
        flip[left], flip[right] = int(right), int(left)
    images: list[dict[str, Any]] = []
    for place, name in enumerate(labels.image_names):
        width, height = sizes[place].tolist()
        image = dict(image=name, width=width, height=height, instances=[])
        if labels.times is not None:
            image['time'] = plain(labels.times[place])
        images.append(image)
    for index, place in enumerate(labels.image_index.tolist()):
        images[place]['instances'].append(_instance(labels, index))
    content: dict[str, Any] = dict(
        source=str(labels.film or labels.root),
        num_keypoints=len(flip),
        keypoint_names=labels.keypoint_names,
        links=[[int(a), int(b)] for a, b in labels.links],
        edges=[],
        flip_indices=flip if labels.swaps else [],
        damaged_images=[],
        images=images,
    )
    if labels.film is not None:
        content['frames_per_second'] = plain(labels.frames_per_second)
    if labels.scores is None:
        content['is_labels'] = True
    if labels.scorer:
        content['scorer'] = labels.scorer
    write_json(content, path)


def _instance(labels: LabelSet, index: int) -> dict[str, Any]:
    """One object."""
    points = labels.keypoints[index]
    known = np.isfinite(points).all(1)
    scores = labels.scores[index] if labels.scores is not None else known.astype(float)
    instance: dict[str, Any] = dict(
        keypoints=[[plain(value) for value in point] for point in points],
        keypoint_scores=[plain(score) for score in scores],
        bbox=[plain(value) for value in labels.boxes[index]],
    )
    if labels.object_scores is not None:
        instance['bbox_score'] = plain(labels.object_scores[index])
    if labels.individuals[index]:
        instance['individual'] = labels.individuals[index]
    if (labels.visibility[index] == 1).any():
        instance['keypoint_visibility'] = labels.visibility[index].tolist()
    return instance


def _entries(image: Any, place: int, path: Path) -> list[dict]:
    """Objects of an image."""
    if not isinstance(image, dict) or not isinstance(image.get('image'), str):
        raise ValueError(f'{path}: images[{place}] has no name "image"')
    instances = image.get('instances', [])
    if not isinstance(instances, list) or not all(
        isinstance(entry, dict) for entry in instances
    ):
        raise ValueError(f'{path}: "instances" of {image["image"]!r:.80} are no list')
    return instances


def _pairs(value: Any, number: int, path: Path) -> np.ndarray:
    """Points (K, 2), NaN where one is null."""
    pairs = value if isinstance(value, list) else []
    if len(pairs) != number or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in pairs
    ):
        raise ValueError(
            f'{path}: keypoints of an instance are no list of {number} pairs [x, y]'
        )
    points = np.array([[number_or_nan(v) for v in pair] for pair in pairs])
    points = points.reshape(number, 2)
    points[np.isnan(points).any(1)] = np.nan
    return points


def _scores(entries: list[dict], number: int) -> np.ndarray:
    """Scores (N, K)."""
    rows = np.full((len(entries), number), np.nan)
    for row, entry in zip(rows, entries, strict=True):
        values = entry.get('keypoint_scores')
        if isinstance(values, list) and len(values) == number:
            row[:] = [number_or_nan(value) for value in values]
    return rows


def _visibility(entries: list[dict], points: np.ndarray) -> np.ndarray:
    """Visibility (N, K), which is written only where a point is hidden."""
    seen = 2 * np.isfinite(points).all(-1).astype(np.int64)
    for row, entry in zip(seen, entries, strict=True):
        values = entry.get('keypoint_visibility')
        if isinstance(values, list) and len(values) == len(row):
            row[np.array([value == 1 for value in values]) & (row > 0)] = 1
    return seen


def _column(entries: list[dict], key: str) -> np.ndarray | None:
    """A number of each entry, None without any."""
    if not any(key in entry for entry in entries):
        return None
    return np.array([number_or_nan(entry.get(key)) for entry in entries])


def _boxes(entries: list[dict]) -> np.ndarray:
    """Corners (N, 4) of the boxes."""
    boxes = np.full((len(entries), 4), np.nan)
    for row, entry in zip(boxes, entries, strict=True):
        box = entry.get('bbox')
        if isinstance(box, list) and len(box) == 4:
            row[:] = [number_or_nan(value) for value in box]
    return boxes


def _side(image: dict, key: str) -> int:
    """Width or height, 0 if unknown."""
    value = number_or_nan(image.get(key))
    return int(value) if 0 < value < 2**31 else 0


def _names(content: dict, path: Path, number: int) -> list[str]:
    """Names of the keypoints: of the file, of its run, or numbers."""
    run = path.parent / 'run.json'
    described = read_json(run, dict) if run.is_file() else {}
    for names in (content.get('keypoint_names'), described.get('keypoint_names')):
        if isinstance(names, list) and len(names) == number:
            return [str(name) for name in names]
    return [str(k) for k in range(number)]


def _swaps(flip: Any, number: int) -> list[tuple[int, int]]:
    """Pairs of keypoints by each one's partner."""
    if not isinstance(flip, list) or len(flip) != number:
        return []
    return [
        (left, right)
        for left, right in enumerate(flip)
        if isinstance(right, int) and left < right < number
    ]


def _pairs_of_indices(value: Any, number: int) -> list[tuple[int, int]]:
    """Links, pairs of numbers of keypoints."""
    return [
        (int(pair[0]), int(pair[1]))
        for pair in (value if isinstance(value, list) else [])
        if isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(k, int) and 0 <= k < number for k in pair)
    ]


def _complete(labels: LabelSet, content: dict, path: Path) -> None:
    """Set folder, film and links, which the file or the run beside it name."""
    run = path.parent / 'run.json'
    described = read_json(run, dict) if run.is_file() else {}
    number = len(labels.keypoint_names)
    labels.links = labels.links or _pairs_of_indices(described.get('links'), number)
    labels.swaps = labels.swaps or _pairs_of_indices(described.get('swaps'), number)
    labels.scorer = str(content.get('scorer') or '')
    source = Path(str(content.get('source') or '.'))
    if labels.times is not None or 'frames_per_second' in content:
        labels.film, labels.root = source, Path('.')
        rate = number_or_nan(content.get('frames_per_second'))
        if not rate > 0 and labels.times is not None:
            rate = frame_rate(labels.image_names, labels.times)
        labels.frames_per_second = round(float(np.nan_to_num(rate)), 3)
    else:
        is_image = len(labels.image_names) == 1 and source.name.startswith(
            stem_of(labels.image_names[0])
        )
        labels.root = source.parent if is_image else source
