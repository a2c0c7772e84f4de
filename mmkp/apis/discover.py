# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From a folder or a film to keypoints that nobody has labeled, in one call."""

import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkp.apis.discovery_config import (
    CLUSTER_WEIGHTS,
    METHODS,
    choose_method,
    derived_options,
    discovery_config,
    is_hurried,
)
from mmkp.apis.discovery_result import TRAINING, finish_discovery
from mmkp.apis.feature_weights import find_lite0
from mmkp.apis.media import Media
from mmkp.apis.run import Run
from mmkp.apis.run_folders import MARK, new_folder
from mmkp.apis.survey import survey
from mmkp.apis.working_images import Boxes, write_working_images
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_boxes import read_boxes
from mmkp.datasets.object_detection import build_detector, is_detector_file
from mmkp.datasets.transforms.cut_out_figure import CutOutFigure
from mmkp.engine import ConfigError, find_resumable_checkpoint
from mmkp.engine.portable_config import write_portable_config
from mmkp.engine.quiet_runner import QuietRunner
from mmkp.engine.runner_options import complete_hooks, set_resume

#: Share of the minutes in which images are read at most.
READING = 0.2
CONFIG, IMAGES = 'config.py', 'images'


def discover(
    source: str | Path,
    k: int = 10,
    minutes: float = 10.0,
    method: str = 'recommended',
    boxes: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Find keypoints that mean the same thing in every image, without labels.

    It looks at the data, chooses a recipe, trains it in the time there is, finds the
    keypoints of every image, scores them, and writes a contact sheet. A call that was
    interrupted goes on when it is repeated.

    Args:
        source: image folder, or film.
        k: number of keypoints.
        minutes: of training.
        method: one of :data:`mmkp.apis.discovery_config.METHODS`.
        boxes: json file of boxes, see :func:`mmkp.datasets.image_boxes.read_boxes`, or
            a detector (``.onnx``): only what is in them is looked at. 'auto' takes
            ``boxes.json`` of the folder where there is one.
        out: folder of the run; by default ``runs/discover/<name of the source>``.
        overwrite: whether to replace a finished run in ``out``.
        seed: of all random numbers.
        options: dotted keys of the config and their values.

    Returns:
        The run.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        FileExistsError: ``out`` holds something else.
        ValueError: no image can be read or has a box, or an argument is none.
    """
    if minutes <= 0:
        raise ValueError(f'minutes must be positive, got {minutes}')
    if method not in METHODS:
        raise ValueError(f"method '{method}' is none of {', '.join(METHODS)}")
    if boxes == 'auto':
        found = Path(source) / 'boxes.json'
        boxes = found if found.is_file() else None
        tell(f'boxes: {boxes or "none, whole images"}')
    settings = dict(
        source=str(Path(source).resolve()),
        k=k,
        minutes=minutes,
        method=method,
        boxes=str(boxes) if boxes else None,
        seed=seed,
        options={key: str(value) for key, value in (options or {}).items()},
    )
    media = Media(source)
    run = _unfinished(source, out, settings)
    if run is None:
        folder = new_folder('discover', source, out, overwrite)
        known = dict(settings=settings, source=str(source))
        run = Run.create(folder, 'discover', command=shlex.join(sys.argv), **known)
    detector = build_detector(boxes) if boxes and is_detector_file(boxes) else None
    if not (run.path / CONFIG).is_file():
        found_boxes = detector or (read_boxes(str(boxes))[0] if boxes else None)
        _prepare(run, media, found_boxes, options)
    _train(run)
    finish_discovery(run, detector or boxes)
    return run


def _unfinished(
    source: str | Path, out: str | Path | None, settings: Mapping[str, Any]
) -> Run | None:
    """The run that an equal call has begun and not finished."""
    if out is not None:
        folders = [Path(out)]
    else:
        stem = Path(source).resolve().stem
        folders = sorted(Path('runs', 'discover').glob(f'{stem}*'))
    for folder in folders:
        if not (folder / MARK).is_file():
            continue
        run = Run(folder)
        if run.info.get('finished'):
            continue
        if run.info.get('settings') == json.loads(json.dumps(settings)):
            tell(f'going on with {folder}')
            return run
    return None


def _prepare(
    run: Run, media: Media, boxes: Boxes | None, options: Mapping[str, Any] | None
) -> None:
    """Look at the data, write working images and the config of the chosen recipe."""
    settings = run.info['settings']
    method, number, derived = _working_images(run, media, boxes)
    derived.update(options or {})
    is_cut = boxes is None
    cfg = _config(run, method, derived, is_cut)
    if 'steps' not in derived and is_hurried(
        settings['method'], method, cfg.get('steps') or 0
    ):
        few = (
            f'{cfg.steps:,} steps are few for such images: clusters of frozen features'
        )
        try:
            cfg = _config(run, 'clusters', derived, is_cut)
            tell(f'{few}, which need no training, are better in so short a time')
            method = 'clusters'
        except (ConfigError, FileNotFoundError) as refused:
            tell(f'{few} would be better in so short a time, but {refused}')
    cfg.work_dir = str(run.path / TRAINING)
    cfg.default_hooks.discovery.out_dir = str(run.path / 'pictures')
    write_portable_config(cfg, run.path / CONFIG)
    steps = cfg.get('steps')
    many = f', {int(steps):,} steps' if steps else ''
    name, k = METHODS[method], settings['k']
    tell(f'{number:,} images are trained on by {name}: {k} keypoints{many}')
    tell(f'pictures as it goes: {run.path / "pictures"}')
    run.update(method=method, config=CONFIG, num_training_images=number)


def _config(run: Run, method: str, options: dict[str, Any], is_cut: bool) -> Config:
    """The config of a method for the working images."""
    settings = run.info['settings']
    if method == 'clusters':
        weights = find_lite0(run.path / TRAINING)
        options = {CLUSTER_WEIGHTS: str(weights), **options}
    return discovery_config(
        method,
        run.path / IMAGES,
        settings['k'],
        settings['minutes'],
        settings['seed'],
        options,
        is_cut,
    )


def _working_images(
    run: Run, media: Media, boxes: Boxes | None
) -> tuple[str, int, dict[str, Any]]:
    """Write them: the method, their number, and what the data says of its config."""
    settings, images = run.info['settings'], run.path / IMAGES
    images.mkdir(exist_ok=True)
    found = survey(media)
    copies = {name for names in found.duplicates for name in names[1:]}
    write = partial(
        write_working_images,
        media,
        images,
        copies,
        boxes,
        seconds=60 * READING * settings['minutes'],
    )
    _tell_all(found.sentences())
    number, scene = 0, None
    if boxes is not None:
        number = write()
        found = survey(Media(images), still=False)
    run.update(score_rotation=found.score_rotation)
    method = choose_method(settings['method'], found)
    derived, cut_out = derived_options(method, found), None
    if method == 'guarded':
        _tell_all(found.object_sentences(boxes is not None))
        if found.scene is not None:
            derived['scene'] = scene = str(run.path / 'scene.png')
            write_image(run.path / 'scene.png', found.scene)
        cut_out = CutOutFigure(scene)
    return method, number or write(cut_out=cut_out), derived


def _train(run: Run) -> None:
    """Train, from where an interrupted call has left off."""
    cfg: Config = run.config
    cfg.work_dir = str(run.path / TRAINING)
    cfg.experiment_name = f'{run.path.name}-{id(run)}'
    if find_resumable_checkpoint(cfg.work_dir):
        set_resume(cfg, 'auto')
    complete_hooks(cfg)
    runner = QuietRunner.from_cfg(cfg)
    runner.silence()
    runner.train()
    run.update(minutes_trained=_minutes(runner))


def _minutes(runner: QuietRunner) -> float | None:
    """Minutes of the training, over all calls."""
    for hook in runner.hooks:
        if type(hook).__name__ == 'TimeLimitHook':
            return round(hook.elapsed / 60, 2)
    return None


def _tell_all(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        tell(sentence)


def tell(sentence: str) -> None:
    """Say something that is no result, on the standard error stream.

    Args:
        sentence: to say.
    """
    print(sentence, file=sys.stderr, flush=True)
