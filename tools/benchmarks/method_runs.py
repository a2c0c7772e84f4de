# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training of one method on one data set for so many CPU minutes, and its figures.

What :mod:`method_table` runs. A method is a config for a folder of images, a data set
one of ``configs/_base_/datasets``: the table needs no leaf for each pair.
"""

import json
import math
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from method_recipe import survey_of
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from mmpose.registry import METRICS

from mmkp.apis import score_keypoints
from mmkp.apis.discovery_config import (
    CLUSTER_WEIGHTS,
    METHODS,
    choose_method,
    derived_options,
    is_hurried,
    seconds_per_step,
)
from mmkp.apis.survey import Survey
from mmkp.engine import find_resumable_checkpoint, load_config
from mmkp.engine.runner_options import without_validation
from mmkp.evaluation.metrics.cross_fitted_metric import CrossFittedMetric
from mmkp.models.frozen_features import Features

# What is looked at of each set, evenly spaced: labelled images to fit on and to score,
# images without labels for the score.
FIT, SCORE, UNLABELED = 300, 200, 96
#: In place of a config: what `mmkp discover` chooses for the data set.
RECIPE = 'recipe'
DATASET_CONFIGS = Path(__file__).resolve().parents[2] / 'configs/_base_/datasets'


@dataclass(frozen=True)
class DataSet:
    """A data set of the table.

    Args:
        file: in ``configs/_base_/datasets``, or a path.
        num_keypoints: number of keypoints to discover.
        letterbox: keep shapes, white beyond the image, in place of squashing them.
        length: options of the evaluation's protocol where its errors are in units of
            the crop: methods crop in their own ways, a length of the picture is the
            same for all.
    """

    file: str
    num_keypoints: int = 10
    letterbox: bool = False
    length: dict[str, Any] = field(default_factory=dict)


BODY = dict(normalizer=(0, 2), unit='% of head to abdomen')
SIDE = dict(normalizer='none', scale=100 / 64, unit='% of the side')
DATA = dict(
    puppets=DataSet('puppets_discovery', 16, length=SIDE),
    celeba=DataSet('celeba_halved'),
    aflw=DataSet('aflw_mtfl'),
    faces=DataSet('faces'),
    bees=DataSet('bees', 16),
    flies=DataSet('flies', letterbox=True, length=BODY),
    openfield=DataSet('openfield_boxes', letterbox=True),
    seedlings=DataSet('seedlings', letterbox=True),
)


@dataclass(frozen=True)
class Run:
    """What is trained: a line of the table's file.

    Args:
        method: name or path of a config for a folder of images, or :data:`RECIPE`.
        data: name of one of :data:`DATA`, or path of a data set's config.
        minutes: of CPU time to train; 0 measures an untrained detector or, with the
            option ``load_from``, a checkpoint.
        seed: of all random numbers.
        options: dotted keys of the config and their values.
    """

    method: str
    data: str
    minutes: float
    seed: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from other runs."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def stem(self) -> str:
        """A name for its folder."""
        parts = (Path(self.method).stem, Path(self.data).stem, f'{self.minutes:g}min')
        changed = [f'{k.split(".")[-1]}={v}' for k, v in self.options.items()]
        return '_'.join([*parts, f'seed{self.seed}', *changed]).replace('/', '-')


# Registered for the configs of this table alone.
METRICS.register_module(module=CrossFittedMetric, force=True)


def configure(run: Run, work_dir: Path) -> Config:
    """The method's config with the data set's images, measures and time.

    Args:
        run: what to train.
        work_dir: where checkpoints go.

    Returns:
        The config. A method whose learning rate is 0 keeps its number of steps.
    """
    if run.method == RECIPE:
        run = _chosen(run, work_dir)
    data, read = _read(run.data)
    number = read.get('num_keypoints', data.num_keypoints)
    options = dict(num_keypoints=number, **run.options)
    crop = read.get('crop')
    cfg = load_config(run.method, options, str(work_dir))
    without_validation(cfg)
    pipeline = _pipeline(cfg, crop, data.letterbox)
    for name in ('train_dataloader', 'test_dataloader'):
        loader = deepcopy(read[name])
        loader.update(batch_size=cfg[name].batch_size, num_workers=0)
        loader.pop('persistent_workers', None)
        loader.dataset.update(num_keypoints=number, pipeline=pipeline)
        cfg[name] = loader
    for part, most in (('fit', FIT), ('score', SCORE)):
        if part in cfg.test_dataloader.dataset:
            _thin(cfg.test_dataloader.dataset[part], most)
    cfg.test_evaluator = _evaluator(read.test_evaluator, data.length, work_dir)
    cfg.merge_from_dict({'randomness.seed': run.seed, 'log_level': 'ERROR'})
    cfg.default_hooks.discovery = cfg.default_hooks.progress = None
    cfg.default_hooks = {k: v for k, v in cfg.default_hooks.items() if v is not None}
    cfg.default_hooks.checkpoint.update(interval=10**6, max_keep_ckpts=1)
    cfg.visualizer.name = cfg.experiment_name = run.stem
    if run.minutes > 0 and cfg.optim_wrapper.optimizer.lr > 0:
        _limit(cfg, 60 * run.minutes)
    return cfg


def _read(name: str) -> tuple[DataSet, Config]:
    """A data set of the table, and its config."""
    data = DATA.get(name, DataSet(name))
    path = Path(data.file)
    file = path if path.suffix else DATASET_CONFIGS / f'{data.file}.py'
    return data, Config.fromfile(file, lazy_import=False)


def _chosen(run: Run, work_dir: Path) -> Run:
    """The run of what the recipe chooses, with as many steps as there is time for."""
    found = _survey(run.data, work_dir)
    kind = choose_method('recommended', found)
    derived = derived_options(kind, found)
    given = dict(run.options)
    weights = given.pop(CLUSTER_WEIGHTS, None)
    options = {**derived, **given}
    chosen = replace(run, method=METHODS[kind], options=options)
    cfg = configure(chosen, work_dir)
    if not run.minutes or not cfg.get('steps'):
        return chosen
    steps = max(1, int(60 * run.minutes / seconds_per_step(cfg)))
    if weights and is_hurried('recommended', kind, steps):
        return replace(run, method=METHODS['clusters'])
    return replace(chosen, options=dict(options, steps=steps))


@lru_cache(maxsize=1)
def _survey(data: str, work_dir: Path) -> Survey:
    """What the images of a run's data set are like, which it asks for twice."""
    read = _read(data)[1]
    crop, images = read.get('crop'), work_dir / 'looked_at'
    padding = crop.padding if crop else 1.0
    return survey_of(read.train_dataloader.dataset, padding, images)


def _pipeline(cfg: Config, crop: Any, letterbox: bool) -> list:
    """The method's test pipeline, with the data set's boxes and shapes."""
    pipeline = deepcopy(cfg.test_dataloader.dataset.pipeline)
    kinds = [step.type for step in pipeline]
    if crop and 'CutOutFigure' in kinds:
        pipeline[kinds.index('CutOutFigure')].padding = crop.padding
    elif crop:
        pipeline[kinds.index('GetBBoxCenterScale')] = crop
    if letterbox:
        resize = pipeline[kinds.index('TopdownResize')]
        resize.update(keep_aspect_ratio=True, pad_val=255)
    return pipeline


def _evaluator(evaluator: Any, length: dict[str, Any], work_dir: Path) -> Any:
    """The data set's own metrics, errors by ridge beside them."""
    if not isinstance(evaluator, dict):
        return evaluator
    options = dict(shots=(), outfile_prefix=str(work_dir / 'figures'))
    if length:
        options['protocol_options'] = {
            **evaluator.get('protocol_options', {}),
            **length,
        }
    return dict(evaluator, type='CrossFittedMetric', **options)


def _thin(dataset: Any, most: int) -> None:
    """Leave so many images of a data set at most."""
    if 'num_images' in dataset:
        dataset.num_images = min(dataset.num_images, most)
        return
    given = dataset.get('indices')
    if given is None:
        given = range(len(DATASETS.build(dict(dataset, pipeline=[]))))
    places = np.linspace(0, len(given) - 1, min(most, len(given))).round().astype(int)
    dataset.indices = [given[place] for place in places]


def _limit(cfg: Config, seconds: float) -> None:
    """Train for so many CPU seconds, with rates that end with them."""
    clock = dict(seconds=seconds, clock='cpu')
    cfg.default_hooks.time_limit = dict(type='TimeLimitHook', **clock)
    cfg.default_hooks.timed_rate = dict(type='TimedLearningRateHook', **clock)
    cfg.param_scheduler = None
    cfg.train_cfg.max_iters = 10**6


def train_and_score(
    run: Run, work_dir: Path, features: Features | None = None
) -> dict[str, Any]:
    """Train, test, and score without labels on images that were trained on.

    Args:
        run: what to train.
        work_dir: where checkpoints go.
        features: of a frozen network, for the score.

    Returns:
        A line of the table: the run, ``steps``, ``cpu_seconds`` of the training,
        ``figures`` of the test by name, and ``score``.
    """
    cfg = configure(run, work_dir)
    runner = Runner.from_cfg(cfg)
    start = time.process_time()
    if run.minutes > 0:
        runner.train()
    seconds = time.process_time() - start
    figures = {k.rsplit('/', 1)[-1]: float(v) for k, v in runner.test().items()}
    rotation = _survey(run.data, work_dir).score_rotation
    return dict(
        asdict(run),
        steps=runner.iter,
        cpu_seconds=round(seconds, 1),
        figures={k: v for k, v in figures.items() if math.isfinite(v)},
        score=score(runner.model, cfg, features, rotation),
        checkpoint=str(cfg.load_from or find_resumable_checkpoint(work_dir)),
    )


def score(
    model: torch.nn.Module, cfg: Config, features: Features | None, rotation_std: float
) -> dict[str, Any]:
    """The score without labels of a model, on training images, as plain types."""
    found = score_keypoints(
        model.eval(), unlabeled(cfg), features=features, rotation_std=rotation_std
    )
    return found.to_dict()


def unlabeled(cfg: Config) -> Iterator[dict]:
    """Training images as the test reads them, evenly spaced."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    step = -(-len(dataset) // UNLABELED)
    return (dataset[index] for index in range(0, len(dataset), step))
