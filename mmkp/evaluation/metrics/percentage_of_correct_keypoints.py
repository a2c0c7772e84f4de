# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""PCK and PCKh whose means say what they are means of."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.evaluation.functional import (
    PCKSummary,
    count_correct_keypoints,
    keypoint_index,
)

NAMED_ITEMS = ('head_size', 'torso', 'bbox')


@METRICS.register_module()
class PercentageOfCorrectKeypoints(BaseMetric):
    """Share of keypoints found within a fraction of a body length, in percent.

    For top-down data sets, one annotated instance a sample. Annotated keypoints
    with ``keypoints_visible`` above 0 count; a prediction is correct if its
    distance, divided by the length, is at most the threshold. Everything is
    float64.

    Figures are named ``PCK@0.2/left_wrist``, or ``PCKh@0.5/...`` for lengths of
    the head: every mean, every group (unweighted mean of its keypoints) and
    every keypoint. With ``means='mpii'`` there are five means: over 14 joints
    (without pelvis and thorax) or 16, ``_pooled`` over all instances or
    ``_unweighted`` over joints, and ``mean7_groups``, which is the same number
    as ``mean14_unweighted``. ``mean14_pooled`` is what MMPose's
    ``MpiiPCKAccuracy`` calls ``PCK``; its ``Head`` is the keypoint
    ``head_top``, while the group ``head`` here is upper neck and head top.

    ``MpiiPCKAccuracy`` adds one pixel to the predictions, and to them alone,
    because annotations in MPII's own files count pixels from 1. Nothing is
    added here: predictions and annotations must be in the same frame, and then
    their distances do not depend on where pixels are counted from. To compare
    both metrics on the same frame, subtract 1 from what MMPose's is given; on
    the author's predictions that pixel turns PCKh@0.5 from 88.02 into 88.00
    and PCKh@0.1 from 28.69 into 27.89. MMPose's metric also wants the error
    below the threshold, in float32.

    A sample without a length (0, not finite, or with one of the two keypoints
    of it not annotated) is left out, and a warning says how many were. A
    keypoint that is never annotated has the figure NaN.

    Args:
        thresholds: Shares of the length.
        norm_item: The length. ``'head_size'``: what the data set gives under
            that name, for ``MpiiDataset`` with ``headbox_file`` 0.6 times the
            diagonal of the head box; ``PackPoseInputs`` packs it.
            ``'torso'``: distance of the keypoints ``torso``. ``'bbox'``: the
            longer side of the box. Two names: distance of those annotated
            keypoints, such as ``('left_eye', 'right_eye')``.
        torso: Names of the keypoints at the ends of the torso: right shoulder
            and left hip for LSP and puppets, left shoulder and right hip for
            FLIC.
        means: ``'mpii'``, or name -> ``dict(average='pooled' | 'unweighted',
            keypoints=[names])`` or ``dict(average='groups')``; None for
            ``mean`` (over keypoints, MMPose's ``PCK``) and ``mean_pooled``.
        groups: Name -> keypoint names; None for those of the preset, else one
            for each pair ``left_...``, ``right_...``.
        per_keypoint: Whether to report every keypoint.
        **kwargs: Of ``BaseMetric``.

    Raises:
        ValueError: If ``norm_item`` or ``torso`` is not understood. Names of
            keypoints are checked with the first batch.
    """

    def __init__(
        self,
        thresholds: Sequence[float] = (0.5, 0.1),
        norm_item: str | Sequence[str] = 'torso',
        torso: Sequence[str] = ('right_shoulder', 'left_hip'),
        means: str | Mapping[str, Mapping] | None = None,
        groups: str | Mapping[str, Sequence[str]] | None = None,
        per_keypoint: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(norm_item, str) and norm_item not in NAMED_ITEMS:
            raise ValueError(
                f'norm_item={norm_item!r} is unknown: use one of {NAMED_ITEMS} or the '
                'names of two keypoints.'
            )
        self.thresholds = tuple(thresholds)
        self.norm_item = norm_item if isinstance(norm_item, str) else tuple(norm_item)
        # The ends of the length, and the setting that names them.
        self.setting = 'torso' if norm_item == 'torso' else 'norm_item'
        self.pair = tuple(torso if norm_item == 'torso' else norm_item)
        if norm_item not in ('head_size', 'bbox') and (
            len(self.pair) != 2 or self.pair[0] == self.pair[1]
        ):
            raise ValueError(
                f'{self.setting}={self.pair!r} must name two different keypoints.'
            )
        self.means = means
        self.groups = groups
        self.per_keypoint = per_keypoint

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints and the length of each sample of a batch.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts, with
                ``pred_instances.keypoints`` and ``gt_instances`` in image px.

        Raises:
            ValueError: If a sample has more than one instance or lacks what
                the length needs.
        """
        if not self.results:
            # A misspelt keypoint is told at the first batch, not after the last.
            PCKSummary(self._names(), self.means, self.groups)
        for sample in data_samples:
            annotations, name = sample['gt_instances'], _name(sample)
            target = np.asarray(annotations['keypoints'], np.float64)
            predicted = np.asarray(sample['pred_instances']['keypoints'], np.float64)
            if len(target) != 1 or predicted.shape != target.shape:
                raise ValueError(
                    f'{name}: predicted keypoints {predicted.shape} and annotated ones '
                    f'{target.shape} must both be (1, keypoints, 2): evaluate a '
                    "top-down data set (data_mode='topdown') of the model's skeleton."
                )
            valid = np.ones(target.shape[1], bool)
            if 'keypoints_visible' in annotations:
                flags = np.asarray(annotations['keypoints_visible'])
                # MMPose's pairs hold a weight of the loss beside the flag.
                valid = (flags[..., 0] if flags.ndim == 3 else flags)[0] > 0
            self.results.append(
                {
                    'predicted': predicted[0],
                    'target': target[0],
                    'valid': valid,
                    'length': self._length(annotations, target[0], valid, name),
                }
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Count and average.

        Args:
            results: What :meth:`process` kept, of all processes.

        Returns:
            Name -> percent.
        """
        names = self._names()
        summary = PCKSummary(names, self.means, self.groups)
        predicted, target, valid, lengths = (
            np.stack([result[key] for result in results])
            for key in ('predicted', 'target', 'valid', 'length')
        )
        counts = count_correct_keypoints(
            predicted, target, valid, lengths, self.thresholds
        )
        self._warn_of_absent(names, counts.count)
        measure = 'PCKh' if self.norm_item == 'head_size' else 'PCK'
        figures = {}
        for index, threshold in enumerate(self.thresholds):
            for name, value in summary.summarize(counts, index).items():
                if self.per_keypoint or name not in names:
                    figures[f'{measure}@{threshold:g}/{name}'] = value
        return figures

    def _length(
        self, annotations: dict, target: np.ndarray, valid: np.ndarray, name: str
    ) -> float:
        if self.norm_item == 'head_size':
            if 'head_size' not in annotations:
                raise ValueError(
                    f"{name}: norm_item='head_size' needs gt_instances.head_size: give "
                    'MpiiDataset its headbox_file (test_mode=True) and keep head_size '
                    'in instance_mapping_table of PackPoseInputs.'
                )
            return np.asarray(annotations['head_size'], np.float64).item()
        if self.norm_item == 'bbox':
            if 'bboxes' not in annotations:
                raise ValueError(f"{name}: norm_item='bbox' needs gt_instances.bboxes.")
            left, top, right, bottom = np.asarray(annotations['bboxes'], np.float64)[0]
            return max(right - left, bottom - top)
        names = self._names()
        first, second = (keypoint_index(k, names, self.setting) for k in self.pair)
        if not (valid[first] and valid[second]):
            return np.nan
        return float(np.linalg.norm(target[first] - target[second]))

    def _names(self) -> list[str]:
        meta = self.dataset_meta or {}
        if 'keypoint_id2name' not in meta:
            raise ValueError(
                'PercentageOfCorrectKeypoints has no names of keypoints: set its '
                "dataset_meta to the data set's metainfo, as MMEngine's runner does."
            )
        by_id = meta['keypoint_id2name']
        return [by_id[index] for index in sorted(by_id)]

    def _warn_of_absent(self, names: list[str], count: np.ndarray) -> None:
        absent = [name for name, number in zip(names, count, strict=True) if not number]
        if absent:
            MMLogger.get_current_instance().warning(
                f'no sample counts for the keypoints {", ".join(absent)}: their PCK is '
                'NaN and means leave them out.'
            )


def _name(sample: dict) -> str:
    return str(sample.get('img_path') or f'sample {sample.get("id")}')
