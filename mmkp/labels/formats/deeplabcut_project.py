# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A project of DeepLabCut: config.yaml and labeled-data/<session>/CollectedData_*."""

from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml

from ..deeplabcut import read_skeleton
from ..image_files import copy_images
from ..label_set import LabelSet
from ..number_text import plain_text
from ..text_file import read_text
from ..union import join_label_sets, subset_of_images
from . import deeplabcut_csv, deeplabcut_h5
from .source import Source

_DATA = 'labeled-data'


def recognize(source: Source) -> bool:
    """Tell whether a folder has config.yaml and labeled-data.

    Args:
        source: What lies at a path.
    """
    path = source.path
    if not source.is_folder or not (path / 'config.yaml').is_file():
        return False
    return (path / _DATA).is_dir()


def read(source: Source) -> LabelSet:
    """Read the tables of all sessions, csv or else HDF5.

    Tables under other names, such as machinelabels.csv or ``.HOLDOUT``, are left alone,
    and images that no table lists are not part of the labels.

    Args:
        source: The folder.

    Returns:
        The labels; links are those of config.yaml.

    Raises:
        ValueError: If there is no table, or one cannot be read.
    """
    path = source.path
    found = []
    for folder in sorted(p for p in (path / _DATA).iterdir() if p.is_dir()):
        tables = sorted(folder.glob('CollectedData*.csv'))
        if tables:
            found += [deeplabcut_csv.read(Source(table)) for table in tables]
        else:
            tables = sorted(folder.glob('CollectedData*.h5'))
            found += [deeplabcut_h5.read(Source(table)) for table in tables]
    if not found:
        raise ValueError(f'{path} has no {_DATA}/*/CollectedData_*.csv or .h5')
    config = path / 'config.yaml'
    labels = join_label_sets(found, _parts(config))
    labels.root = path
    labels.links = read_skeleton(config, labels.keypoint_names)
    return labels


def write(labels: LabelSet, path: Path) -> None:
    """Write a project: csv and, where pandas and tables are there, HDF5.

    Args:
        labels: To be written. Images lie in ``labeled-data/<session>/``, where the
            session is the folder that they are in; those that are there are copied.
        path: Folder.

    Raises:
        ValueError: If two images would have one name.
    """
    names = _new_names(labels.image_names, path)
    path.mkdir(parents=True, exist_ok=True)
    copy_images(labels, path, dict(zip(labels.image_names, names, strict=True)))
    renamed = subset_of_images(labels, range(len(names)))
    renamed.image_names, renamed.film = names, None
    renamed.scorer = labels.scorer or 'mmkp'
    renamed.scores = None
    sessions: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        sessions.setdefault(name.split('/')[1], []).append(place)
    several = bool(np.any(np.bincount(labels.image_index, minlength=1) > 1))
    several |= any(labels.individuals)
    for session, places in sessions.items():
        part = subset_of_images(renamed, places)
        if several and not any(part.individuals):
            part.individuals = [name or 'individual1' for name in part.individuals]
        folder = path / _DATA / session
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f'CollectedData_{renamed.scorer}'
        deeplabcut_csv.write(part, stem.with_name(f'{stem.name}.csv'))
        deeplabcut_h5.write(part, stem.with_name(f'{stem.name}.h5'))
    content = _config(renamed, path, several)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (path / 'config.yaml').write_text(text, encoding='utf-8')


def _parts(config: Path) -> list[str]:
    """Body parts of a project in their order, as far as config.yaml has them."""
    try:
        content = yaml.safe_load(read_text(config))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(
            f'{config}: no YAML of plain data: {type(error).__name__}'
        ) from None
    parts: list[Any] = []
    for key in ('bodyparts', 'multianimalbodyparts', 'uniquebodyparts'):
        listed = content.get(key) if isinstance(content, dict) else None
        parts += listed if isinstance(listed, list) else []
    return [plain_text(part, config) for part in parts]


def _new_names(names: list[str], path: Path) -> list[str]:
    """Places of images in a project."""
    found = []
    for name in names:
        parts = PurePosixPath(name.replace('\\', '/')).parts
        if len(parts) == 3 and parts[0] == _DATA:
            found.append('/'.join(parts))
            continue
        folder = '_'.join(part for part in parts[:-1] if part not in ('/', '..', '.'))
        found.append(f'{_DATA}/{folder or "images"}/{parts[-1]}')
    twice = (
        next((name for name in found if found.count(name) > 1), None)
        if len(set(found)) < len(found)
        else None
    )
    if twice:
        raise ValueError(f'{path}: two images would be called {twice}; rename one')
    return found


def _config(labels: LabelSet, path: Path, several: bool) -> dict[str, Any]:
    """What DeepLabCut needs to open a project."""
    names = list(labels.keypoint_names)
    content: dict[str, Any] = dict(
        Task=path.name,
        scorer=labels.scorer,
        date=f'{date.today():%b%d}',
        multianimalproject=several,
        project_path=str(path.absolute()),
        engine='pytorch',
        video_sets={},
        start=0,
        stop=1,
        numframes2pick=20,
    )
    if several:
        content.update(
            individuals=sorted({name for name in labels.individuals if name})
            or ['individual1'],
            uniquebodyparts=[],
            multianimalbodyparts=names,
            bodyparts='MULTI!',
        )
    else:
        content.update(bodyparts=names)
    skeleton = [[names[a], names[b]] for a, b in labels.links]
    content.update(skeleton=skeleton, TrainingFraction=[0.95], iteration=0)
    content.update(default_net_type='resnet_50', batch_size=8, pcutoff=0.6)
    return content
