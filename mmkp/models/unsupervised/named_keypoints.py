# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A discovery model that predicts the keypoints of a few labels."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.layers.keypoint_regressor import KeypointRegressor
from mmkp.ops.geometry import size_of

_AVERAGED = ('keypoint_scores', 'keypoint_entropies')


def named_by(config: dict | None, num_discovered: int) -> KeypointRegressor | None:
    """Build a regressor, or none.

    Args:
        config: arguments of :class:`KeypointRegressor` but ``num_discovered``, or None.
        num_discovered: number K of discovered keypoints.
    """
    return KeypointRegressor(num_discovered, **config) if config else None


class NamedKeypoints(TopdownPoseEstimator):
    """Predicts by a :class:`KeypointRegressor` from the keypoints that it discovers.

    Attributes:
        regressor: the regression, or None.
    """

    regressor: KeypointRegressor | None

    def with_named(self, outputs: Mapping[str, Any], inputs: Tensor) -> dict[str, Any]:
        """Outputs with ``named_keypoints`` (B, L, 2), in pixels of the images.

        Args:
            outputs: named outputs with ``source_keypoints`` (B, K, 2).
            inputs: network input, shape (B, 3, H, W).
        """
        if self.regressor is None or 'source_keypoints' not in outputs:
            return dict(outputs)
        named = self.regressor(outputs['source_keypoints'], size_of(inputs))
        return dict(outputs, named_keypoints=named)

    @torch.no_grad()
    def add_pred_to_datasample(
        self,
        batch_pred_instances: list[InstanceData],
        batch_pred_fields: list[PixelData] | None,
        batch_data_samples: list[PoseDataSample],
    ) -> list[PoseDataSample]:
        """Replace discovered keypoints by named ones, and move them to image pixels."""
        if self.regressor is not None:
            for found, sample in zip(
                batch_pred_instances, batch_data_samples, strict=True
            ):
                width, height = (int(side) for side in sample.input_size)
                device = self.regressor.linear.weight.device
                values = {
                    name: torch.as_tensor(found[name], device=device)
                    for name in ('keypoints', *_AVERAGED)
                    if name in found
                }
                points = self.regressor(values.pop('keypoints'), (width, height))
                for name in values:
                    del found[name]
                found.keypoints = points.cpu().numpy()
                for name, value in values.items():
                    found[name] = self.regressor.average(value).cpu().numpy()
        return super().add_pred_to_datasample(
            batch_pred_instances, batch_pred_fields, batch_data_samples
        )
