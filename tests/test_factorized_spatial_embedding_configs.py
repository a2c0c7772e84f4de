# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Configs of Factorized Spatial Embeddings: that parts fit, and published figures."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import METRICS, MODELS

FOLDER = (
    Path(__file__).resolve().parents[1]
    / 'configs/unsupervised_2d_keypoint/factorized_spatial_embedding'
)
# The number of keypoints of those that learn labels is that of the labels.
EXPERIMENTS = sorted(
    p
    for p in FOLDER.rglob('*.py')
    if p.parent.name not in ('_base_', 'own')
    and 'faces_20_labeled' not in p.read_text()
)


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_numbers_of_keypoints_and_sizes_agree(path):
    config = Config.fromfile(path)
    wanted = config.model.head.num_keypoints
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert config[loader].dataset.num_keypoints == wanted
    evaluators = config.val_evaluator
    for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
        METRICS.build(evaluator)
    side = 64 if 'light' in path.stem else 146
    for loader in ('train_dataloader', 'test_dataloader'):
        pipeline = config[loader].dataset.pipeline
        (resize,) = (step for step in pipeline if step.type == 'TopdownResize')
        assert tuple(resize.input_size) == (side, side)


def test_the_published_setting_sees_42_cells_of_128_pixels():
    config = Config.fromfile(FOLDER / 'celeba/fse_celeba-aligned-128x128.py')
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        views = model.views(torch.rand(1, 3, 146, 146))
        _, heatmaps = model.detect(views.second)
    assert views.first.shape[-2:] == (128, 128)
    assert tuple(views.warp.image_size) == (128, 128)
    assert heatmaps.shape == (1, 10, 42, 42)
    # The map lies in the middle of the image.
    cells = config.model.head.alignment
    assert cells.first + 41 / 2 * cells.spacing == (128 - 1) / 2
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.betas[0], optimizer.weight_decay) == (
        1e-4,
        0.5,
        5e-4,
    )
    assert config.train_dataloader.batch_size == 32
    losses = config.model.losses
    # 1 in cells of the map
    assert losses.equivariance.loss_weight == (63.5 / cells.spacing) ** 2
    assert losses.diversity.loss_weight == 2 * 500 and losses.diversity.both_views


@pytest.mark.parametrize('loss', ['diversity', 'equivariance'])
def test_ablations_switch_off_one_loss_and_nothing_else(loss):
    whole = Config.fromfile(FOLDER / 'puppets/fse-light_puppets-64x64.py')
    file = FOLDER / f'puppets/fse-light-without-{loss}_puppets-64x64.py'
    ablation = Config.fromfile(file)
    assert ablation.model.losses[loss].loss_weight == 0
    ablation.model.losses[loss].loss_weight = whole.model.losses[loss].loss_weight
    assert ablation.to_dict() == whole.to_dict()
