# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The control of a top-down experiment: the mean pose, put into every box."""

import warnings
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS, EVALUATOR, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch.utils.data import DataLoader, Subset

from mmkp.evaluation.functional import mean_keypoints, place_keypoints


def evaluate_mean_pose(
    cfg: Config, max_train_samples: int | None = None
) -> dict[str, float]:
    """Score the mean training pose by a config's own test.

    Both data sets are read with the test pipeline, so that a box is the one
    that the network would see: after padding and extension to the aspect ratio
    of the input. Keypoints of the training set are averaged as fractions of
    theirs, over the annotated ones, and put into each box of the test set. No
    network is built.

    Args:
        cfg: Config of a top-down experiment, with ``train_dataloader``,
            ``test_dataloader`` and ``test_evaluator``.
        max_train_samples: Average over so many training samples at most,
            evenly spaced; None for all.

    Returns:
        Name -> figure, as the test of the config gives them.

    Raises:
        ValueError: If the config lacks a part, is not top-down or its data sets
            differ in their keypoints.
    """
    if max_train_samples is not None and max_train_samples < 1:
        raise ValueError(f'max_train_samples={max_train_samples} must be at least 1.')
    for part in ('train_dataloader', 'test_dataloader', 'test_evaluator'):
        if not cfg.get(part):
            raise ValueError(f'the config has no {part}, which the mean pose needs.')
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    mean = _mean_training_pose(cfg, max_train_samples)
    # The test set comes last: MMPose's metrics look up the file of the data set that
    # was built last under its name.
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    num_keypoints = dataset.metainfo.get('num_keypoints', len(mean))
    if num_keypoints != len(mean):
        raise ValueError(
            f'the training set has {len(mean)} keypoints and the test set '
            f'{num_keypoints}: the mean pose needs the same ones.'
        )
    evaluator = _build_evaluator(cfg.test_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    for batch in _loader(cfg, dataset):
        for sample in batch['data_samples']:
            _predict(sample, mean)
        evaluator.process(batch['data_samples'], batch)
    return evaluator.evaluate(len(dataset))


def with_pipeline(dataset: dict, pipeline: list) -> dict:
    """Return a data set's config with another pipeline, unwrapped of repetition.

    Args:
        dataset: Config of a data set, or of one wrapped by ``RepeatDataset``,
            ``ConcatDataset`` or ``CombinedDataset``.
        pipeline: Transforms to read it with. Data sets joined by
            ``CombinedDataset`` keep those that convert their keypoints.

    Returns:
        A changed copy.
    """
    dataset = deepcopy(dataset)
    if 'pipeline' in dataset:
        dataset['pipeline'] = pipeline
    elif 'datasets' in dataset:
        dataset['datasets'] = [
            with_pipeline(part, pipeline) for part in dataset['datasets']
        ]
    elif 'dataset' in dataset:
        return with_pipeline(dataset['dataset'], pipeline)
    else:
        dataset['pipeline'] = pipeline
    return dataset


def _mean_training_pose(cfg: Config, max_samples: int | None) -> np.ndarray:
    """Return the mean keypoints (K, 2) as fractions of the box."""
    test = cfg.test_dataloader.dataset
    if 'pipeline' not in test:
        raise ValueError(
            f'test_dataloader.dataset ({test.get("type")}) has no pipeline of its own '
            'to read the training set with: name one test set.'
        )
    dataset: Any = DATASETS.build(
        with_pipeline(cfg.train_dataloader.dataset, test.pipeline)
    )
    if max_samples is not None and max_samples < len(dataset):
        chosen = np.linspace(0, len(dataset) - 1, max_samples).round().astype(int)
        dataset = Subset(dataset, chosen.tolist())
    rows = [
        (*_annotations(sample), *_box(sample))
        for batch in _loader(cfg, dataset)
        for sample in batch['data_samples']
    ]
    mean = mean_keypoints(*(np.stack(column) for column in zip(*rows, strict=True)))
    unknown = np.isnan(mean).any(axis=1)
    if unknown.all():
        raise ValueError(
            f'no keypoint of the {len(rows)} training samples is annotated, as of '
            'images without labels: the mean pose needs a train_dataloader with labels'
        )
    if unknown.any():
        warnings.warn(
            f'keypoints {np.flatnonzero(unknown).tolist()} are nowhere annotated in '
            "the training set: their mean is taken to be the box's centre.",
            stacklevel=2,
        )
    return np.where(np.isnan(mean), 0.5, mean)


def _loader(cfg: Config, dataset: Any) -> DataLoader:
    """Load a data set in order, once, as the test does."""
    settings = {
        key: value
        for key, value in cfg.test_dataloader.items()
        if key not in ('batch_sampler', 'drop_last')
    }
    settings['dataset'] = dataset
    settings['sampler'] = dict(type='DefaultSampler', shuffle=False)
    return Runner.build_dataloader(settings, seed=0)


def _annotations(sample: PoseDataSample) -> Iterator[np.ndarray]:
    """Give a training sample's keypoints (K, 2), image px, and flags (K,)."""
    instances = sample.gt_instances
    keypoints = instances.get('keypoints')
    if keypoints is None or len(keypoints) != 1:
        raise ValueError(
            f'{sample.get("img_path")}: the mean pose needs one annotated instance a '
            "training sample: use a top-down data set (data_mode='topdown')."
        )
    yield keypoints[0, :, :2]
    flags = instances.get('keypoints_visible', np.ones(keypoints.shape[:2]))
    # MMPose's pairs hold a weight of the loss beside the flag.
    yield (flags[..., 0] if flags.ndim == 3 else flags)[0] > 0


def _box(sample: PoseDataSample) -> Iterator[np.ndarray]:
    """Give centre and scale (2,) of the network's view, image px."""
    for field in ('input_center', 'input_scale'):
        if sample.get(field) is None:
            raise ValueError(
                f'{sample.get("img_path")}: {field} is missing: the test pipeline '
                'needs GetBBoxCenterScale and TopdownAffine, and PackPoseInputs must '
                'keep that meta key.'
            )
        yield np.asarray(sample.get(field), np.float64).reshape(2)


def _predict(sample: PoseDataSample, mean: np.ndarray) -> None:
    """Add the mean pose as the prediction, with the fields a pose estimator gives."""
    center, scale = _box(sample)
    keypoints = place_keypoints(mean, center[None], scale[None]).astype(np.float32)
    scores = np.ones(keypoints.shape[:2], np.float32)
    sample.pred_instances = InstanceData(
        keypoints=keypoints, keypoint_scores=scores, keypoints_visible=scores
    )
    for field in ('bboxes', 'bbox_scores'):
        if field in sample.gt_instances:
            sample.pred_instances.set_field(sample.gt_instances.get(field), field)


def _build_evaluator(evaluator: Any) -> Evaluator:
    """Build an evaluator from what a runner takes: metrics, or a dict with them."""
    if isinstance(evaluator, dict) and 'metrics' in evaluator:
        return EVALUATOR.build({'type': 'Evaluator', **evaluator})
    return Evaluator(evaluator)
