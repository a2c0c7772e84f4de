"""A stacked hourglass that has seen two puppets for seconds, shared by the tests."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import cv2
import tiny
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS

from mmkp.datasets import PuppetDataset

CONFIG = """
_base_ = '{runtime}'
data_mode = 'topdown'
dataset_type = 'PuppetDataset'
codec = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1.5)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[0.0] * 3, std=[255.0] * 3,
        bgr_to_rgb=True),
    backbone=dict(
        type='StackedHourglass', num_stacks=2, num_keypoints=17, order=2, channels=16),
    head=dict(
        type='StackedHourglassHead', num_stacks=2, num_keypoints=17, decoder=codec,
        loss=dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=100.0)),
    test_cfg=dict(flip_test=False))
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
dataset = dict(
    type='PuppetDataset', image_size=64, seed=5, num_images=2, test_mode=True,
    pipeline=pipeline)
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='PuppetDataset', image_size=64, seed=5, num_images=2,
        pipeline=[
            *pipeline[:3], dict(type='GenerateTarget', encoder=codec), pipeline[3]]))
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dataset)
test_dataloader = val_dataloader
val_evaluator = dict(type='PCKAccuracy', thr=0.1, norm_item='bbox')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-2))
train_cfg = dict(by_epoch=False, max_iters={max_iters}, val_interval={max_iters})
default_hooks = dict(
    checkpoint=dict(interval={max_iters}), logger=dict(interval=20))
randomness = dict(seed=3)
log_level = 'WARNING'
"""


def write_config(
    folder: Path, name: str = 'hourglass.py', extra: str = '', max_iters: int = 6
) -> Path:
    """Write the experiment's config into ``folder``; its data need no disk."""
    path = folder / name
    text = CONFIG.format(runtime=tiny.RUNTIME, max_iters=max_iters)
    path.write_text(text + extra)
    return path


def puppets():
    """The two images (64, 64, 3), BGR, and their keypoints (2, 17, 2)."""
    dataset = PuppetDataset(image_size=64, seed=5, num_images=2)
    items = [dataset.get_data_info(index) for index in range(2)]
    return [i['img'] for i in items], [i['keypoints'][0] for i in items]


def write_images(folder: Path) -> Path:
    """Write the two images as ``0.png`` and ``1.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(puppets()[0]):
        cv2.imwrite(str(folder / f'{index}.png'), image)
    return folder


@functools.cache
def trained() -> tuple[Path, Path]:
    """Config and checkpoint of a short training, made once a session.

    Thirty steps on one batch, without the runner, which takes longer than that.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = write_config(folder)
    write_images(folder / 'images')
    cfg = Config.fromfile(config)
    init_default_scope('mmpose')
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = MODELS.build(cfg.model).train()
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[index] for index in range(2)])
    data = model.data_preprocessor(batch, True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        losses = model(**data, mode='loss')
        optimizer.zero_grad()
        (losses['loss_stack0'] + losses['loss_stack1']).backward()
        optimizer.step()
    path = folder / 'hourglass.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return config, path
