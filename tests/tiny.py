"""A complete discovery experiment that takes seconds, shared by the tests."""

import atexit
import functools
import importlib.util
import itertools
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from mmkp.engine.cli import run_tool

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
RUNTIME = TOOLS.parent / 'configs/_base_/default_runtime.py'

CONFIG = """
_base_ = '{runtime}'
num_keypoints = {num_keypoints}
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
model = dict(
    type='AutoLink',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3,
        bgr_to_rgb=True),
    backbone=dict(type='AutoLinkEncoder', channels=[4, 8]),
    head=dict(
        type='SoftArgmaxHead', in_channels=8, num_keypoints=num_keypoints,
        upsample_channels=[]),
    generator=dict(
        type='EdgeMapGenerator', num_keypoints=num_keypoints, mask_cells=4,
        channels=[4, 4, 4]),
    view_transform=dict(type='RandomThinPlateSpline'),
    losses=dict(
        equivariance=dict(type='EquivarianceLoss'),
        perceptual=dict(type='PerceptualLoss', base_channels=2, image_size=None)),
    test_cfg=dict())
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=(32, 32)),
    dict(type='PackPoseInputs'),
]
dataset = dict(
    type='UnlabeledImageDataset', data_root='{folder}', num_keypoints=num_keypoints,
    test_mode=True, pipeline=pipeline)
train_dataloader = dict(
    batch_size=2, num_workers={num_workers}, drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='UnlabeledImageDataset', data_root='{folder}', num_keypoints=num_keypoints,
        pipeline=[pipeline[0], pipeline[1], dict(type='RandomFlip'), *pipeline[2:]]))
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dataset)
test_dataloader = val_dataloader
val_evaluator = dict(type='PredictionSpread')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-2))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=6),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=6, end=14)]
train_cfg = dict(by_epoch=False, max_iters={max_iters}, val_interval=4)
default_hooks = dict(
    checkpoint=dict(interval=3), logger=dict(interval=2),
    discovery=dict(num_samples=2, tile=64))
randomness = dict(seed={seed})
log_level = 'WARNING'
"""


def draw_figures(folder: Path, number: int = 11, size: int = 48) -> Path:
    """Write images of a bright cross on noise, each somewhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(number):
        image = rng.integers(0, 90, (size, size, 3), dtype=np.uint8)
        x, y = (int(v) for v in rng.integers(14, size - 14, 2))
        cv2.line(image, (x - 9, y), (x + 9, y), (40, 220, 250), 3)
        cv2.line(image, (x, y - 11), (x, y + 11), (250, 90, 60), 3)
        cv2.imwrite(str(folder / f'{index:03d}.png'), image)
    return folder


def write_config(
    folder: Path,
    name: str = 'tiny.py',
    extra: str = '',
    num_keypoints: int = 4,
    num_workers: int = 0,
    max_iters: int = 14,
    seed: int | None = 3,
) -> Path:
    """Write the experiment's config, and its images, into ``folder``."""
    images = folder / 'images'
    if not images.is_dir():
        draw_figures(images)
    path = folder / name
    text = CONFIG.format(
        runtime=RUNTIME,
        folder=images,
        num_keypoints=num_keypoints,
        num_workers=num_workers,
        max_iters=max_iters,
        seed=seed,
    )
    path.write_text(text + extra)
    return path


@pytest.fixture(autouse=True)
def quick_mmengine(monkeypatch):
    """Leave out what takes MMEngine longer than these trainings.

    It pretty-prints the config into each checkpoint, for 0.3 s, and collects garbage
    for each data set, for 0.5 s.
    """
    monkeypatch.setattr(Config, 'pretty_text', property(lambda cfg: cfg.text))
    collector = SimpleNamespace(collect=lambda: 0)
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc', collector)


@functools.cache
def trained() -> tuple[Path, Path]:
    """Config and last checkpoint of a finished training, made once a session."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = write_config(folder)
    call_tool('train.py', config, '--work-dir', folder / 'work')
    return config, folder / 'work' / 'iter_14.pth'


def copy_run(folder: Path) -> Path:
    """Make a folder the work directory of :func:`trained`, which is a run."""
    config, checkpoint = trained()
    shutil.copy(config, folder / 'tiny.py')
    copy = folder / checkpoint.name
    shutil.copy(checkpoint, copy)
    (folder / 'last_checkpoint').write_text(str(copy))
    return folder


_calls = itertools.count()


def call_tool(name: str, *arguments: object) -> None:
    """Run a tool in this process as from the command line.

    Raises:
        SystemExit: with status 2 where the tool tells of a user's error.
    """
    path = TOOLS / name
    arguments = [str(argument) for argument in arguments]
    if name in ('train.py', 'test.py'):
        # MMEngine names its singletons by config and second; tests are faster.
        unique = f'tiny_{next(_calls)}'
        if '--cfg-options' not in arguments:
            arguments.append('--cfg-options')
        place = arguments.index('--cfg-options') + 1
        names = [f'experiment_name={unique}', f'visualizer.name={unique}']
        arguments[place:place] = names
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    with mock.patch.object(sys, 'argv', [str(path), *arguments]):
        run_tool(tool.main)


@METRICS.register_module()
class PredictionSpread(BaseMetric):
    """Standard deviation of the predicted positions."""

    default_prefix = 'tiny'

    def process(self, data_batch, data_samples):
        # Draws on purpose: evaluation must not disturb the training.
        np.random.rand(), torch.rand(1)
        self.results.extend(s['pred_instances']['keypoints'] for s in data_samples)

    def compute_metrics(self, results):
        return dict(spread=float(np.std(np.concatenate(results))))
