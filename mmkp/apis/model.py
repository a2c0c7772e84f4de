# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A trained model, ready to predict."""

import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint_to_model
from mmpose.apis import init_model
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.checkpoint_match import raise_if_mismatched
from mmkp.engine.config import load_config


def load_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | None = None,
    cfg_options: dict | None = None,
    check: bool = True,
) -> nn.Module:
    """Build a model and load its weights; MMPose's ``init_model`` with clear errors.

    Losses are left out, so what they need (weights of a perceptual network) need not
    be there.

    Args:
        config: file, the name of one of this package's configs, or a config that was
            read already.
        checkpoint: file or address of the weights; the model stays untrained when
            None.
        device: such as 'cpu' or 'cuda:0'; by default a GPU where there is one.
        cfg_options: dotted keys and values to override settings of the config file.
        check: whether to look for mistakes in the config file.

    Returns:
        The model in evaluation mode, with ``cfg`` and ``dataset_meta``.

    Raises:
        ConfigError: the config holds a mistake.
        FileNotFoundError: config or checkpoint do not exist.
        CheckpointError: the checkpoint cannot be read.
        CheckpointMismatchError: it is one of another model.
    """
    name = str(getattr(config, 'filename', None) or config)
    if isinstance(config, Config):
        cfg = config.copy()
        cfg.merge_from_dict(cfg_options or {})
    else:
        cfg = load_config(config, cfg_options, check=check)
    if cfg.model.get('losses'):
        cfg.model.losses = None
    if 'init_cfg' in cfg.model.backbone:
        cfg.model.backbone.init_cfg = None
    # None of the config's data sets needs to be there to know the keypoints' colours.
    with warnings.catch_warnings():
        # MMPose finds its own metainfo files wherever one works, and warns each time.
        warnings.filterwarnings('ignore', message='The metainfo config file')
        model = init_model(cfg, None, 'cpu')
    number = _num_predicted(model)
    if number is not None:
        metainfo = discovered_metainfo(number)
        model.dataset_meta = parse_pose_metainfo(metainfo)
    if checkpoint is not None:
        content = CheckpointLoader.load_checkpoint(str(checkpoint), 'cpu', 'silent')
        raise_if_mismatched(model, content, str(checkpoint), name)
        _load_checkpoint_to_model(model, content, strict=False)
        meta = content.get('meta') or {}
        found = meta.get('dataset_meta') or model.dataset_meta
        # A training whose data set spoke of another number of keypoints.
        if number in (None, found.get('num_keypoints')):
            model.dataset_meta = found
    if device is None:
        device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
    return model.to(device).eval()


def _num_predicted(model: nn.Module) -> int | None:
    """Number of keypoints that a model predicts, where it knows."""
    kept = (getattr(model, 'test_cfg', None) or {}).get('output_keypoint_indices')
    known = getattr(model, 'num_keypoints', None)
    regressor = getattr(model, 'regressor', None)
    if regressor is not None:
        known = regressor.num_keypoints
    return len(kept) if known is not None and kept else known
