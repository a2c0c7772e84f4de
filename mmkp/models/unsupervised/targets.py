# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Annotated keypoints of a batch in which some images have none."""

from collections.abc import Sequence

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.ops.geometry import size_of
from mmkp.ops.precision import per_axis


def keypoint_targets(
    data_samples: Sequence[PoseDataSample], images: Tensor
) -> dict[str, Tensor]:
    """Collect what MMPose's codec ``RegressionLabel`` has encoded.

    Args:
        data_samples: B samples of one object each, with
            ``gt_instance_labels.keypoint_labels`` (1, K, 2), shares of the input's
            width and height, and ``keypoint_weights`` (1, K); those of unlabeled
            images may lack both.
        images: network input, shape (B, 3, H, W).

    Returns:
        ``target_keypoints``, (x, y) in pixels of the network input, (B, K, 2), and
        ``target_weights`` (B, K), 0 for unlabeled images, both float32; {} where no
        sample has them.

    Raises:
        ValueError: samples have several objects, or differ in their number K.
    """
    options = dict(device=images.device, dtype=torch.float32)
    found: dict[int, tuple[Tensor, Tensor]] = {}
    for index, sample in enumerate(data_samples):
        labels = sample.get('gt_instance_labels')
        if labels is not None and 'keypoint_labels' in labels:
            shares = labels.keypoint_labels.to(**options)
            points = shares * per_axis(size_of(images), shares)
            found[index] = (points, labels.keypoint_weights.to(**options))
    shapes = {tuple(points.shape) for points, _ in found.values()}
    if not shapes:
        return {}
    if len(shapes) > 1 or next(iter(shapes))[0] != 1:
        raise ValueError(
            f'the targets of one batch have shapes {sorted(shapes)}, must be one '
            '(1, K, 2): give all data sets the same keypoints, with one object a sample'
        )
    like = next(iter(found.values()))
    nothing = tuple(torch.zeros_like(part) for part in like)
    rows = [found.get(index, nothing) for index in range(len(images))]
    points, weights = (torch.cat(parts) for parts in zip(*rows, strict=True))
    return {'target_keypoints': points, 'target_weights': weights}
