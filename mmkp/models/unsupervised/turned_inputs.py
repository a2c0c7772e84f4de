# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A pose estimator whose inputs may be turned in the image."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.structures import InstanceData, PixelData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.layers.half_turn import HalfTurn
from mmkp.ops.turned_crop import TurnedCrop


class TurnedInputs(TopdownPoseEstimator):
    """Predicts in crops that :class:`ObjectFrameCrop` or ``half_turn`` have turned.

    Attributes:
        half_turn: decides which end of the object is which, or None.
    """

    half_turn: HalfTurn | None

    def settle(self, inputs: Tensor, samples: Sequence[PoseDataSample] = ()) -> Tensor:
        """Turn inputs that lie the other way round by 180 degrees.

        Args:
            inputs: network input, shape (B, 3, H, W).
            samples: B samples whose metainfo is to tell by ``half_turned``, or none.

        Returns:
            Same shape; the inputs themselves without ``half_turn``.
        """
        if self.half_turn is None:
            return inputs
        inputs, turned = self.half_turn(inputs)
        if samples:
            for sample, half in zip(samples, turned.tolist(), strict=True):
                sample.set_metainfo(dict(half_turned=half))
        return inputs

    def settle_views(self, inputs: Tensor, samples: Sequence[PoseDataSample]) -> Tensor:
        """The same for losses, whose samples must hold nothing that turns with them.

        Args:
            inputs: network input, shape (B, 3, H, W).
            samples: of the batch.

        Returns:
            Same shape.

        Raises:
            ValueError: with ``half_turn`` there are annotated keypoints or frames.
        """
        if self.half_turn is not None:
            for sample in samples:
                labels = sample.get('gt_instance_labels', ())
                if 'keypoint_labels' in labels or 'flow' in sample.get('gt_fields', ()):
                    raise ValueError(
                        'half_turn turns images, not their annotated keypoints or '
                        'second frames: leave it out, or train on images alone'
                    )
        return self.settle(inputs)

    def add_pred_to_datasample(
        self,
        batch_pred_instances: list[InstanceData],
        batch_pred_fields: list[PixelData] | None,
        batch_data_samples: list[PoseDataSample],
    ) -> list[PoseDataSample]:
        """Move predictions to image pixels, turned back where the crop is turned."""
        fields = batch_pred_fields or [None] * len(batch_data_samples)
        parts = batch_pred_instances, fields, batch_data_samples
        for instances, maps, sample in zip(*parts, strict=True):
            crop = TurnedCrop.of_sample(sample.metainfo)
            if crop.degrees:
                _turn_back(instances, maps, crop)
        return super().add_pred_to_datasample(
            batch_pred_instances, batch_pred_fields, batch_data_samples
        )


def _turn_back(
    instances: InstanceData, fields: PixelData | None, crop: TurnedCrop
) -> None:
    """Turn keypoints and maps about the middle of the input; MMPose does the rest."""
    turned = crop.unturned(instances.keypoints)
    instances.keypoints = turned.astype(instances.keypoints.dtype)
    if fields is not None and 'heatmaps' in fields:
        maps = fields.heatmaps[None]
        angle = math.radians(crop.degrees)
        cosine, sine = math.cos(angle), math.sin(angle)
        # From a place that is not turned to the turned one, where the maps are read.
        matrix = maps.new_tensor([[[cosine, sine, 0.0], [-sine, cosine, 0.0]]])
        grid = F.affine_grid(matrix, list(maps.shape), align_corners=False)
        fields.heatmaps = F.grid_sample(maps, grid, align_corners=False)[0]
