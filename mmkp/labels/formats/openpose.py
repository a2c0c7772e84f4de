# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A folder of json files, one an image, as OpenPose's ``--write_json`` has them."""

from pathlib import Path

import numpy as np

from ..frames import stem_of
from ..json_file import read_json
from ..label_set import LabelSet
from ..number_text import plain, write_json
from .coco import number_or_nan
from .source import Source

_END = '_keypoints.json'


def recognize(source: Source) -> bool:
    """Tell whether a folder holds such files.

    Args:
        source: What lies at a path.
    """
    if not source.is_folder:
        content = source.json
        return isinstance(content, dict) and isinstance(content.get('people'), list)
    first = next(iter(sorted(source.path.glob(f'*{_END}'))), None)
    if first is None:
        return False
    content = read_json(first)
    return isinstance(content, dict) and 'people' in content


def read(source: Source) -> LabelSet:
    """Read all files of a folder; a point of confidence 0 at 0, 0 is missing.

    Args:
        source: The folder, or one file.

    Returns:
        The predictions; images are called by the files' names.

    Raises:
        ValueError: If a file has another number of keypoints than the others.
    """
    files = sorted(source.path.glob(f'*{_END}')) if source.is_folder else [source.path]
    if not files:
        raise ValueError(f'{source.path} holds no file *{_END}')
    index: list[int] = []
    rows: list[list[float]] = []
    individuals: list[str] = []
    for place, file in enumerate(files):
        people = read_json(file, dict, nan=True).get('people')
        if not isinstance(people, list):
            raise ValueError(f'{file} has no list "people"')
        for person in people:
            row = person.get('pose_keypoints_2d') if isinstance(person, dict) else None
            if not isinstance(row, list) or not row or len(row) % 3:
                raise ValueError(f'{file}: pose_keypoints_2d is no list of 3 K numbers')
            if rows and len(rows[0]) != len(row):
                raise ValueError(
                    f'{file} has {len(row) // 3} keypoints, others have '
                    f'{len(rows[0]) // 3}'
                )
            rows.append([number_or_nan(value) for value in row])
            index.append(place)
            known = person.get('person_id')
            track = known[0] if isinstance(known, list) and known else -1
            individuals.append(
                str(track) if isinstance(track, int) and track >= 0 else ''
            )
    number = len(rows[0]) // 3 if rows else 0
    triplets = np.array(rows).reshape(len(rows), number, 3)
    missing = (triplets[..., :2] == 0).all(-1) & (triplets[..., 2] == 0)
    return LabelSet(
        keypoint_names=[str(k) for k in range(number)],
        image_names=[_image_name(file) for file in files],
        image_index=np.array(index, np.int64),
        keypoints=np.where(missing[..., None], np.nan, triplets[..., :2]),
        scores=np.where(missing, np.nan, triplets[..., 2]),
        individuals=individuals,
        root=source.path if source.is_folder else source.path.parent,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write a file an image, ``<image>_keypoints.json``, images without objects too.

    Args:
        labels: To be written; labels have the confidence 1.
        path: Folder.

    Raises:
        ValueError: If two images have one name but for folder and suffix.
    """
    path.mkdir(parents=True, exist_ok=True)
    people: list[list[dict]] = [[] for _ in labels.image_names]
    for index, (image, points) in enumerate(
        zip(labels.image_index.tolist(), labels.keypoints, strict=True)
    ):
        scores = np.ones(len(points)) if labels.scores is None else labels.scores[index]
        row: list = []
        for point, score in zip(points, np.nan_to_num(scores), strict=True):
            known = bool(np.isfinite(point).all())
            row += [*(plain(v) for v in point), plain(score)] if known else [0, 0, 0]
        name = labels.individuals[index]
        known_id = name.isdecimal() and str(int(name)) == name
        person = dict(person_id=[int(name) if known_id else -1], pose_keypoints_2d=row)
        for part in ('face', 'hand_left', 'hand_right'):
            person[f'{part}_keypoints_2d'] = []
        people[image].append(person)
    used: dict[str, str] = {}
    for name, found in zip(labels.image_names, people, strict=True):
        stem = stem_of(name) if labels.film is None else name
        if used.setdefault(stem, name) != name:
            raise ValueError(
                f'{path}: {used[stem]} and {name} would both become {stem}{_END}; '
                'convert one folder of images at a time'
            )
        write_json(dict(version=1.3, people=found), path / f'{stem}{_END}')


def _image_name(file: Path) -> str:
    return file.name.removesuffix('.json').removesuffix('_keypoints')
