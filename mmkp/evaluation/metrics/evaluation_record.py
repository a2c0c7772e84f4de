# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the metric keeps of one image."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mmkp.ops.turned_crop import TurnedCrop

from .keypoint_certainty import KeypointCertainty
from .object_keypoints import ObjectView
from .predicted_keypoints import as_array

KeypointGroups = Sequence[int | Sequence[int]]
PURPOSES = ('fit', 'score')


@dataclass(frozen=True)
class EvaluationRecord:
    """Keypoints of one image, small enough to be gathered from all processes.

    Args:
        key: Identifies the image across processes.
        name: File or id for messages.
        purpose: ``'fit'`` or ``'score'``.
        discovered: (K, 2) float64, fractions of the crop.
        untrained: The same from the detector before training, or None.
        annotated: (G, 2) float64, fractions of the crop, NaN where unknown.
        visible: (G,) or (G, 2) bool.
        crop_size: (2,) float64, pixels of the image.
        image_size: (2,) float64, pixels.
        num_nan: Number of annotated points marked visible but not finite.
        certainty: How sure the detector is of the discovered keypoints.
        view: The object's pixels and the crop, where they are asked for.
    """

    key: tuple[str, ...]
    name: str
    purpose: str
    discovered: np.ndarray
    untrained: np.ndarray | None
    annotated: np.ndarray
    visible: np.ndarray
    crop_size: np.ndarray
    image_size: np.ndarray
    num_nan: int
    certainty: KeypointCertainty = field(default_factory=KeypointCertainty)
    view: ObjectView | None = None

    @classmethod
    def from_data_sample(
        cls, data_sample: dict, keypoint_groups: KeypointGroups | None = None
    ) -> 'EvaluationRecord':
        """Read a predicted data sample.

        Args:
            data_sample: A ``PoseDataSample`` as a dict, with ``gt_instances``,
                ``pred_instances`` and the meta keys of ``PackPoseInputs``.
            keypoint_groups: Annotated points to keep; a group of several
                indices stands for their mean.

        Returns:
            The record.

        Raises:
            ValueError: If the sample lacks what is needed; the message names
                the image and the remedy.
        """
        key, name = _identity(data_sample)
        center = _meta(data_sample, 'input_center', name)
        scale = _meta(data_sample, 'input_scale', name)
        if not (scale > 0).all():
            raise ValueError(f'{name}: the crop has size {scale.tolist()} pixels.')
        crop = TurnedCrop.of_sample(
            {**data_sample, 'input_center': center, 'input_scale': scale}
        )
        predictions = data_sample['pred_instances']
        discovered = _single(predictions, 'keypoints', 'pred_instances', name)
        bad = ~np.isfinite(discovered)
        if bad.any():
            raise ValueError(
                f'{name}: predicted keypoint {int(np.argmax(bad.any(axis=1)))} is not '
                'finite. The detector has diverged: lower its learning rate, clip '
                'gradients or load an earlier checkpoint.'
            )
        untrained = None
        if 'untrained_keypoints' in predictions:
            untrained = _single(
                predictions, 'untrained_keypoints', 'pred_instances', name
            )
            untrained = crop.to_crop(untrained)
        annotations = data_sample.get('gt_instances', {})
        annotated = _single(annotations, 'keypoints', 'gt_instances', name)
        visible = _visible(annotations, annotated, name)
        num_nan = int((visible & ~np.isfinite(annotated)).any(axis=1).sum())
        if keypoint_groups is not None:
            annotated, visible = _grouped(annotated, visible, keypoint_groups, name)
        return cls(
            key=key,
            name=name,
            purpose=_purpose(data_sample, name),
            discovered=crop.to_crop(discovered),
            untrained=untrained,
            annotated=crop.to_crop(annotated),
            visible=visible,
            crop_size=scale,
            image_size=_image_size(data_sample, scale),
            num_nan=num_nan,
            certainty=KeypointCertainty.from_data_sample(data_sample),
        )


def _identity(data_sample: dict) -> tuple[tuple[str, ...], str]:
    fields = ('dataset_name', 'img_path', 'img_id', 'id')
    values = (data_sample.get(field) for field in fields)
    key = tuple('' if value is None else str(value) for value in values)
    if not any(key[1:]):
        raise ValueError(
            'a data sample has neither img_path nor img_id nor id: list them in '
            'meta_keys of PackPoseInputs, or images cannot be told apart.'
        )
    _, path, image_id, instance_id = key
    name = path or f'image {image_id or instance_id}'
    if instance_id and instance_id != image_id:
        name += f' (id {instance_id})'
    return key, name


def _purpose(data_sample: dict, name: str) -> str:
    dataset_name = str(data_sample.get('dataset_name', ''))
    for purpose in PURPOSES:
        if dataset_name.endswith(f'_{purpose}'):
            return purpose
    raise ValueError(
        f'{name}: dataset_name is {dataset_name!r}, which ends neither in _fit nor '
        'in _score, so the metric cannot tell whether to fit the regressor on it or '
        'to score it. Use DiscoveryEvaluationDataset(fit=..., score=...) as dataset.'
    )


def _meta(data_sample: dict, field: str, name: str) -> np.ndarray:
    if data_sample.get(field) is None:
        raise ValueError(
            f'{name}: {field} is missing. The test pipeline needs GetBBoxCenterScale '
            'and TopdownAffine, and PackPoseInputs must keep that meta key.'
        )
    return np.asarray(data_sample[field], dtype=np.float64).reshape(2)


def _image_size(data_sample: dict, crop_size: np.ndarray) -> np.ndarray:
    shape = data_sample.get('ori_shape')
    if shape is None:
        return crop_size
    return np.array([shape[1], shape[0]], dtype=np.float64)


def _single(instances: dict, field: str, where: str, name: str) -> np.ndarray:
    if field not in instances:
        raise ValueError(
            f'{name}: {where}.{field} is missing. '
            + (
                'Images to evaluate on need annotated keypoints.'
                if where == 'gt_instances'
                else 'Is the model a keypoint detector in predict mode?'
            )
        )
    points = as_array(instances[field]).astype(np.float64)
    if points.ndim != 3 or points.shape[0] != 1 or points.shape[2] != 2:
        raise ValueError(
            f'{name}: {where}.{field} has shape {points.shape}; (1, points, 2) is '
            'needed: one instance, (x, y) in image pixels.'
        )
    if points.shape[1] == 0:
        raise ValueError(f'{name}: {where}.{field} holds no point.')
    return points[0]


def _visible(annotations: dict, annotated: np.ndarray, name: str) -> np.ndarray:
    """Return (G, 2) flags; the second entry of MMPose's pairs is a loss weight."""
    if 'keypoints_visible' not in annotations:
        return np.ones(annotated.shape, dtype=bool)
    flags = as_array(annotations['keypoints_visible'])
    flags = flags[..., 0] if flags.ndim == 3 else flags
    if flags.shape != (1, len(annotated)):
        raise ValueError(
            f'{name}: keypoints_visible has shape {flags.shape} for '
            f'{len(annotated)} annotated keypoints.'
        )
    return np.repeat(flags[0, :, None] > 0, 2, axis=1)


def _grouped(
    annotated: np.ndarray, visible: np.ndarray, groups: KeypointGroups, name: str
) -> tuple[np.ndarray, np.ndarray]:
    points, flags = [], []
    for group in groups:
        index = np.atleast_1d(group)
        if index.min() < 0 or index.max() >= len(annotated):
            raise ValueError(
                f'keypoint_groups names annotated point {index.tolist()} but {name} '
                f'has {len(annotated)} points (indices start at 0).'
            )
        points.append(annotated[index].mean(axis=0))
        flags.append(visible[index].all(axis=0))
    return np.stack(points), np.stack(flags)
