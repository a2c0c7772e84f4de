# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A trained model that predicts named keypoints by a regression of its own."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.datasets.landmark_dataset import landmark_metainfo
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.portable_config import write_portable_config
from mmkp.engine.publish import write_weights
from mmkp.evaluation.functional.linear_regression import AffineMap

NAMED = 'named.pth'
CONFIG = 'config.py'
_UNLABELED = ('UnlabeledImageDataset', 'LabelFreeDataset')


def named_metainfo(
    names: Sequence[str],
    links: Sequence[tuple[int, int]] = (),
    pairs: Sequence[tuple[int, int]] = (),
) -> dict:
    """Describe named keypoints in the METAINFO format of MMPose.

    Args:
        names: of the L keypoints.
        links: that are drawn, counted from 0.
        pairs: left and right, likewise.

    Returns:
        Dict as ``parse_pose_metainfo`` reads it.
    """
    metainfo = landmark_metainfo(names, list(links), 'named')
    for info in metainfo['keypoint_info'].values():
        info['swap'] = ''
    for left, right in pairs:
        metainfo['keypoint_info'][left]['swap'] = names[right]
        metainfo['keypoint_info'][right]['swap'] = names[left]
    return metainfo


def named_config(cfg: Config, metainfo: dict, ann_file: Path, root: Path) -> Config:
    """The config of a model with a regressor, tested and trained on the labels.

    Its training goes on: by the losses of the discovery on labeled images and those
    without labels, and by the distance of the named keypoints to their labels.

    Args:
        cfg: of the discovery.
        metainfo: of the named keypoints.
        ann_file: COCO file of the labels.
        root: folder of its images.

    Returns:
        The config; it inherits from none.
    """
    number = len(metainfo['keypoint_info'])
    named, model = cfg.copy(), cfg.model
    test_cfg = dict(model.get('test_cfg') or {}, untrained_control=False)
    test_cfg.pop('output_keypoint_indices', None)
    named.model.update(test_cfg=test_cfg, regressor=dict(num_keypoints=number))
    pipeline = list(cfg.test_dataloader.dataset.pipeline)
    labeled = dict(
        type='LandmarkDataset',
        ann_file=str(ann_file.resolve()),
        data_prefix=dict(img=str(root.resolve())),
        metainfo=metainfo,
        clip_boxes=False,
    )
    named.test_dataloader.dataset = dict(labeled, test_mode=True, pipeline=pipeline)
    named.test_evaluator = [
        dict(type='CocoMetric', nms_mode='none', score_mode='bbox'),
        dict(type='PCKAccuracy', thr=0.05),
        dict(type='EPE'),
    ]
    named.test_cfg = dict(type='TestLoop')
    named.val_dataloader, named.val_evaluator, named.val_cfg = None, None, None
    named.visualizer = dict(type='PoseLocalVisualizer', name='visualizer')
    _set_training(named, labeled, metainfo, number)
    return named


def _set_training(named: Config, labeled: dict, metainfo: dict, number: int) -> None:
    """Losses on labels and on images without, half of each batch labeled."""
    losses = dict(named.model.get('losses') or {})
    losses['regression'] = dict(
        type='KeypointRegressionLoss',
        inputs=('geometry', 'named_keypoints', 'target_keypoints', 'target_weights'),
        loss_weight=1.0,
    )
    named.model.losses = losses
    train = named.get('train_dataloader')
    if not train:
        return
    pipeline = list(named.test_dataloader.dataset['pipeline'])
    size = next((s['input_size'] for s in pipeline if 'input_size' in s), (64, 64))
    codec = dict(type='RegressionLabel', input_size=tuple(size))
    steps = [*pipeline[:-1], dict(type='GenerateTarget', encoder=codec), pipeline[-1]]
    swaps = any(info['swap'] for info in metainfo['keypoint_info'].values())
    if swaps:
        where = next(
            i for i, step in enumerate(steps) if step['type'] == 'GetBBoxCenterScale'
        )
        steps.insert(where + 1, dict(type='RandomFlip', direction='horizontal'))
    parts, old = [labeled], train.dataset
    if old.get('type') in _UNLABELED:
        images = {key: value for key, value in old.items() if key != 'pipeline'}
        parts.append(dict(images, num_keypoints=number, metainfo=metainfo))
    train.dataset = dict(
        type='CombinedDataset', metainfo=metainfo, datasets=parts, pipeline=steps
    )


def write_named(
    cfg: Config,
    checkpoint: str | Path,
    regressor: AffineMap,
    metainfo: dict,
    folder: Path,
) -> Path:
    """Write config and checkpoint of a model with its regressor's weights.

    Args:
        cfg: from :func:`named_config`.
        checkpoint: of the discovery.
        regressor: from 2K to 2L shares of the network input.
        metainfo: of the named keypoints.
        folder: gets ``config.py`` and ``named.pth``.

    Returns:
        The written checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    trained = load_checkpoint_file(checkpoint, 'cpu')
    state = dict(trained.get('state_dict', trained))
    for name, values in (('weight', regressor.weights.T), ('bias', regressor.offset)):
        state[f'regressor.linear.{name}'] = torch.tensor(values, dtype=torch.float32)
    meta = dict(dataset_meta=parse_pose_metainfo(metainfo))
    write_portable_config(cfg, folder / CONFIG)
    write_weights(folder / NAMED, meta, state)
    return folder / NAMED
