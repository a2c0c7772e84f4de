# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From a file of labels to a training: a run with its config and its annotations."""

import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from mmkp.apis.label_source import read_labels, write_coco
from mmkp.apis.labeled_objects import with_image_files
from mmkp.apis.run import Run
from mmkp.apis.run_folders import MARK, new_folder
from mmkp.datasets.image_files import find_images
from mmkp.engine import find_resumable_checkpoint, load_checkpoint_file, load_config
from mmkp.engine.named_model import named_metainfo
from mmkp.engine.portable_config import write_portable_config
from mmkp.engine.publish import write_weights
from mmkp.labels import LabelSet
from mmkp.labels.union import subset_of_images

#: A supervised hourglass, and annotated points that move with images without labels.
SUPERVISED = 'hourglass-s2-w64_own-128x128'
SEMI_SUPERVISED = 'fse-semi-supervised_own-64x64'
CONFIG, MODEL, TRAINING = 'config.py', 'model.pth', 'training'
#: Of so many labeled images one is kept for validation.
VALIDATION = 10


def is_label_file(path: str | Path) -> bool:
    """Whether a path is no config but may be a file, or a folder, of labels.

    Args:
        path: as the user writes it.
    """
    return Path(path).exists() and Path(path).suffix != '.py'


def begin_training(
    labels: str | Path,
    unlabeled: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    options: dict[str, Any] | None = None,
    images: str | Path | None = None,
) -> Run:
    """Write the config and the annotations of a training by labels.

    Of labels alone a stacked hourglass learns. With images without labels beside them,
    Thewlis' losses make the points move with all images: whole images with one object.

    Args:
        labels: file of any format that :func:`mmkp.labels.read_labels` reads.
        unlabeled: folder of images without labels.
        out: folder of the run; by default ``runs/train/<name of the labels>``.
        overwrite: whether to empty that folder.
        resume: whether to go on with the newest run of these labels.
        options: dotted keys of the config and their values.
        images: folder of the labeled images, where it is not near the labels.

    Returns:
        The run; ``finish_training`` completes it.

    Raises:
        FileNotFoundError: labels or images do not exist, or there is no run to resume.
        FileExistsError: the folder holds something.
        ValueError: the labels cannot be trained on.
    """
    told = dict(labels=str(labels), unlabeled=str(unlabeled) if unlabeled else None)
    if resume:
        return _begun(labels, out, told)
    given = read_labels(labels, images)
    if unlabeled and len(set(given.image_index.tolist())) < len(given):
        raise ValueError(
            f"'{labels}' has images with several objects, and --unlabeled takes images "
            'of one each: leave it out'
        )
    folder = new_folder('train', labels, out, overwrite)
    run = Run.create(
        folder,
        'train',
        command=shlex.join(sys.argv),
        config=CONFIG,
        keypoint_names=given.keypoint_names,
        links=[list(pair) for pair in given.links],
        swaps=[list(pair) for pair in given.swaps],
        **told,
    )
    given = with_image_files(given, folder)
    parts = _split(given, bool(unlabeled), folder)
    cfg = _config(given, unlabeled, len(parts), folder, options)
    write_portable_config(cfg, folder / CONFIG)
    return run


def finish_training(run: Run, runner: Runner) -> None:
    """Keep the weights that a training has ended with, and its last figures.

    Args:
        run: of :func:`begin_training`.
        runner: that has trained.

    Raises:
        FileNotFoundError: the training has left no checkpoint.
    """
    trained = find_resumable_checkpoint(run.path / TRAINING)
    if trained is None:
        raise FileNotFoundError(f"'{run.path / TRAINING}' holds no checkpoint")
    checkpoint: dict[str, Any] = load_checkpoint_file(trained, 'cpu')
    meta = dict(checkpoint.get('meta') or {})
    write_weights(run.path / MODEL, meta, checkpoint['state_dict'])
    figures = {
        name.removeprefix('val/'): round(float(values.current()), 5)
        for name, values in runner.message_hub.log_scalars.items()
        if name.startswith('val/') and not name.endswith('time')
    }
    run.update(checkpoint=MODEL, finished=True, figures=figures)


def _begun(labels: str | Path, out: str | Path | None, told: dict[str, Any]) -> Run:
    """The newest run that an equal call has begun and not finished."""
    stem = Path(labels).resolve().stem
    folders = [Path(out)] if out else [*Path('runs', 'train').glob(f'{stem}*')]
    marked = [folder for folder in folders if (folder / MARK).is_file()]
    for folder in sorted(marked, key=lambda one: (one / MARK).stat().st_mtime)[::-1]:
        run = Run(folder)
        known = {key: run.info.get(key) for key in told}
        if known == told and not run.info.get('finished'):
            return run
    where = ', '.join(map(str, folders)) or 'runs/train'
    raise FileNotFoundError(
        f"no training by '{labels}' that was interrupted is in {where}: leave out "
        '--resume'
    )


def _split(labels: LabelSet, whole: bool, folder: Path) -> list[list[int]]:
    """Write annotations to train on and, where there are enough, to validate on."""
    labeled = np.unique(labels.image_index).tolist()
    held_out = labeled[VALIDATION // 2 :: VALIDATION] if len(labeled) > 2 else []
    parts = [[i for i in labeled if i not in held_out], held_out]
    for name, places in zip(('train', 'val'), parts, strict=True):
        if places:
            part = subset_of_images(labels, places)
            boxes = part.boxes * np.nan if whole else part.boxes
            write_coco(part, boxes, folder / f'{name}.json')
    told = f'labeled images: {len(parts[0]):,} to train on, {len(held_out):,} to check'
    print(told, file=sys.stderr, flush=True)
    return [part for part in parts if part]


def _config(
    labels: LabelSet,
    unlabeled: str | Path | None,
    num_parts: int,
    folder: Path,
    options: dict[str, Any] | None,
) -> Config:
    """The config: that for one's own labels, with these."""
    root = folder.resolve()
    given: dict[str, Any] = dict(
        data_root=str(root),
        image_folder=str(labels.root.resolve()),
        train_file='train.json',
        val_file='val.json',
        keypoints=labels.keypoint_names,
        links=[[labels.keypoint_names[i] for i in pair] for pair in labels.links],
    )
    if unlabeled:
        number = len(find_images(str(unlabeled)))
        images = max(len(np.unique(labels.image_index)), 1)
        given['unlabeled_root'] = str(Path(unlabeled).resolve())
        given['share'] = [max(1.0, number / images), 1.0]
    cfg = load_config(
        SEMI_SUPERVISED if unlabeled else SUPERVISED, {**given, **(options or {})}
    )
    metainfo = named_metainfo(labels.keypoint_names, labels.links, labels.swaps)
    _set_metainfo(cfg, metainfo)
    for name in ('val', 'test'):
        if num_parts > 1:
            cfg[f'{name}_evaluator'] = [
                dict(type='PCKAccuracy', thr=0.05),
                dict(type='EPE'),
            ]
        elif name == 'val':
            cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    if num_parts == 1:
        cfg.test_dataloader.dataset.ann_file = 'train.json'
    return cfg


def _set_metainfo(cfg: Config, metainfo: dict) -> None:
    """Say what the keypoints are, in each data set that says it."""
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        for part in (dataset, *dataset.get('datasets', ())):
            part.metainfo = metainfo
