# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every trained parameter gets a gradient, or the config says that some do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = [
    path
    for path in sorted((ROOT / 'configs').rglob('*.py'))
    if '_base_' not in path.parts and 'stable_keypoints' not in path.parts
]  # of StableKeypoints the tokens alone are trained
TRAINED_BY_LABELS = ('BottomupPoseEstimator', 'TopdownPoseEstimator')


def without_files(config: Any) -> None:
    """Let networks start at random."""
    if isinstance(config, dict):
        config.update({key: None for key in ('init_cfg', 'weights') if key in config})
    values = config.values() if isinstance(config, dict) else config
    for value in values if isinstance(config, dict | list | tuple) else ():
        without_files(value)


def input_size(config: Any) -> tuple[int, int] | None:
    """The first that a pipeline names."""
    if isinstance(config, dict) and 'input_size' in config:
        return config['input_size']
    values = config.values() if isinstance(config, dict) else config
    found = map(input_size, values if isinstance(config, dict | list | tuple) else ())
    return next(filter(None, found), None)


def tensors(found: Any) -> Iterator[Tensor]:
    if isinstance(found, Tensor):
        yield found
    values = found.values() if isinstance(found, dict) else found
    for value in values if isinstance(found, dict | list | tuple) else ():
        yield from tensors(value)


def reached(found: Iterator[Tensor]) -> set[int]:
    """Ids of the parameters that some tensors were computed from."""
    nodes, seen, parameters = [t.grad_fn for t in found], set(), set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, 'variable'):
            parameters.add(id(node.variable))
        nodes += [following for following, _ in node.next_functions]
    return parameters


def unused(cfg: Config) -> list[str]:
    without_files(cfg.model)
    losses = cfg.model.get('losses') or {}
    losses.pop('regression', None)  # there are no labels here
    if 'losses' in cfg.model and not losses:
        losses['equivariance'] = dict(type='EquivarianceLoss')
    if (cfg.model.get('view_transform') or {}).get('type') == 'OpticalFlowView':
        cfg.model.view_transform = dict(type='RandomThinPlateSpline')
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model).train()
    width, height = input_size(cfg.train_dataloader.dataset) or (128, 128)
    images = torch.rand(2, 3, height, width)
    if cfg.model.type in TRAINED_BY_LABELS:
        names = ('forward_stages', 'stack_heatmaps', 'forward')
        forward = next(getattr(model.head, n) for n in names if hasattr(model.head, n))
        outputs = forward(model.extract_feat(images))
    else:
        outputs = model.loss(images, [])
    used = reached(tensors(outputs))
    trained = [item for item in model.named_parameters() if item[1].requires_grad]
    return [name for name, parameter in trained if id(parameter) not in used]


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config_says_whether_parameters_get_no_gradient(path):
    cfg = Config.fromfile(path)
    found = unused(cfg)
    assert bool(found) == cfg.get('find_unused_parameters', False), found[:5]
