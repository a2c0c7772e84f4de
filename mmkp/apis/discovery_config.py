# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The config of a discovery: which recipe, of how many steps, with which hooks."""

import itertools
import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmpose.registry import MODELS

from mmkp.apis.survey import Survey
from mmkp.engine.config import load_config

#: Configs for a folder of images, by the name of the method on the command line.
METHODS = dict(
    recommended='recommended_folder-64x64',
    guarded='lmdis-guarded_folder-64x64',
    clusters='feature-clusters_efficientnet-lite0_folder-128x128',
    lmdis='lmdis-light_folder-64x64',
    autolink='autolink-equivariance_folder-64x64',
    fse='fse-light_folder-64x64',
    imm='imm-equivariance_folder-64x64',
    tokens='feature-attention_vgg16_folder-128x128',
)
#: Option of the weights that clusters are made of.
CLUSTER_WEIGHTS = 'model.backbone.backbone.init_cfg.checkpoint'
#: Degrees by which views of objects that stand the same way are turned, a deviation.
STANDING_ROTATION = 10.0
#: Of the time, what is left for reading, pictures, scores and prediction.
SPARE = 0.1
#: Images that the pictures of a training show and its figures are of.
SHOWN = 48
#: Below so many steps of the recipe for photographs clusters of frozen features are
#: better: on faces they are after 700 steps and no more after 1,400.
FEW_STEPS = 1000
#: Fewer than these teach nothing, however little time there is.
LEAST_STEPS = 50


def choose_method(method: str, found: Survey) -> str:
    """Name of the method that a folder is trained with.

    Args:
        method: as the user says, 'recommended' or another of :data:`METHODS`.
        found: what the images are like, or what is in their boxes.

    Returns:
        ``method``; of the recommended recipe, which is two, 'guarded' where the
        background tells what the object is.

    Raises:
        ValueError: there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"method '{method}' is none of {', '.join(METHODS)}")
    if method == 'recommended' and found.is_plain:
        return 'guarded'
    return method


def is_hurried(requested: str, chosen: str, steps: int) -> bool:
    """Whether there is too little time for a training of the recommended recipe.

    Args:
        requested: method that the user asked for.
        chosen: method that the data chose.
        steps: that there is time for.
    """
    return requested == chosen == 'recommended' and steps < FEW_STEPS


def derived_options(method: str, found: Survey) -> dict[str, Any]:
    """Options of a method's config that follow from what the images are like.

    Args:
        method: one of :data:`METHODS`.
        found: what they are like.

    Returns:
        Dotted keys and values.
    """
    if method == 'guarded' and found.is_standing:
        return {'model.view_transform.rotation_std': STANDING_ROTATION}
    return {}


def discovery_config(
    method: str,
    images: Path,
    num_keypoints: int,
    minutes: float,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    is_cut: bool = True,
) -> Config:
    """Make the config of a discovery that ends in time.

    A recipe whose config has ``steps`` makes as many as a short trial says there is
    time for, its whole schedule with them; any other trains until the time is up. The
    rates have fallen at the end, whichever comes first.

    Args:
        method: one of :data:`METHODS`.
        images: folder of the working images.
        num_keypoints: K.
        minutes: of the training.
        seed: of all random numbers.
        options: dotted keys of the config and their values.
        is_cut: whether the working images are cut out already, where it cuts out.

    Returns:
        The config; ``work_dir`` is to be set.
    """
    given = dict(data_root=str(images), num_keypoints=num_keypoints, **(options or {}))
    cfg = _read(METHODS[method], given, is_cut)
    limit = dict(seconds=60 * minutes)
    if cfg.get('steps') and 'steps' not in given:
        pace, precision = _pace(cfg)
        given['steps'] = max(LEAST_STEPS, int((1 - SPARE) * 60 * minutes / pace))
        cfg = _read(METHODS[method], given, is_cut)
        if precision:
            cfg.optim_wrapper.dtype = precision
    elif not cfg.get('steps') and cfg.optim_wrapper.optimizer.lr > 0:
        cfg.train_cfg.max_iters = 10**6
    if cfg.optim_wrapper.optimizer.lr > 0:
        cfg.param_scheduler = None
        rates = dict(type='TimedLearningRateHook', by_steps=True, **limit)
        cfg.default_hooks.timed_rate = rates
    cfg.merge_from_dict({'randomness.seed': seed})
    cfg.default_hooks.time_limit = dict(type='TimeLimitHook', **limit)
    cfg.default_hooks.progress = dict(type='ProgressHook', pause=60.0, **limit)
    _show_each_minute(cfg, minutes)
    return cfg


def _read(name: str, given: Mapping[str, Any], is_cut: bool) -> Config:
    """The config for working images, in which nothing is to be cut out twice."""
    cfg = load_config(name, given)
    if not is_cut:
        return cfg
    for loader in ('train_dataloader', 'val_dataloader'):
        dataset = cfg[loader].dataset
        steps = [step for step in dataset.pipeline if step.type != 'CutOutFigure']
        cfg[loader] = dict(cfg[loader], dataset=dict(dataset, pipeline=steps))
    return cfg


def _show_each_minute(cfg: Config, minutes: float) -> None:
    """Validate, which draws, about once a minute, on a few images."""
    for name in ('val_dataloader', 'test_dataloader'):
        cfg[name] = dict(cfg[name], num_workers=0, persistent_workers=False)
    cfg.val_dataloader.dataset = dict(cfg.val_dataloader.dataset, indices=SHOWN)
    if cfg.train_cfg.max_iters < 10**6:
        every = max(1, round(cfg.train_cfg.max_iters / max(minutes, 1)))
        cfg.train_cfg.val_interval = every
        cfg.default_hooks.checkpoint.interval = every


def _pace(cfg: Config) -> tuple[float, str | None]:
    """Seconds a step, and the number type that is fastest here, where one is chosen."""
    if cfg.optim_wrapper.get('dtype') != 'bfloat16':
        return seconds_per_step(cfg), None
    paces = {}
    for precision in ('bfloat16', 'float32'):
        cfg.optim_wrapper.dtype = precision
        paces[precision] = seconds_per_step(cfg)
    best = min(paces, key=lambda precision: paces[precision])
    return paces[best], best


def seconds_per_step(cfg: Config, steps: int = 8) -> float:
    """Time a step of a training takes here: the lower quartile of a few.

    What else the machine does now, it may not do in a minute.

    Args:
        cfg: of the training, which is not begun.
        steps: that are measured, after two that warm up.
    """
    loader = Runner.build_dataloader(dict(deepcopy(cfg.train_dataloader)), seed=0)
    # MMEngine tells how each weight was drawn, whoever asks.
    MMLogger.get_instance(f'mmkp-pace-{id(cfg)}', log_level='ERROR')
    model = MODELS.build(deepcopy(cfg.model)).train()
    model.init_weights()
    optimizer = build_optim_wrapper(model, deepcopy(cfg.optim_wrapper))
    times = []
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    for batch in itertools.islice(batches, steps + 2):
        start = time.perf_counter()
        model.train_step(batch, optimizer)
        times.append(time.perf_counter() - start)
    return float(np.quantile(times[2:], 0.25))
