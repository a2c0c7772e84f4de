# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of labeled images must lie where they are annotated."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.losses.mean_over_processes import mean_over_processes
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class KeypointRegressionLoss(nn.Module):
    """Mean distance of keypoints to their annotated places, over labeled ones only.

    Unlabeled images of the batch and keypoints without annotation count nothing, so
    that labeled and unlabeled images train one model. Positions are compared in the
    image, where the annotations are, also where the model sees a warped view of it.

    Args:
        loss_weight: factor on the loss.
        beta: distance, as a share of the longer side of the image, below which the
            squared distance over ``2 beta`` counts, as in a Huber loss; 0 for the
            distance itself.

    Raises:
        ValueError: ``beta`` is negative.
    """

    inputs: tuple[str, ...] = (
        'geometry',
        'source_keypoints',
        'target_keypoints',
        'target_weights',
    )

    def __init__(self, loss_weight: float = 1.0, beta: float = 0.0) -> None:
        super().__init__()
        if not beta >= 0:
            raise ValueError(f'beta must not be negative, got {beta}')
        self.loss_weight = loss_weight
        self.beta = beta

    def forward(
        self,
        geometry: MapGeometry,
        source_keypoints: Tensor,
        target_keypoints: Tensor,
        target_weights: Tensor,
    ) -> Tensor:
        """Compute the loss.

        Args:
            geometry: of the heatmaps, for the length of the image's edge.
            source_keypoints: (x, y) in pixels of the image, shape (B, K, 2).
            target_keypoints: likewise.
            target_weights: how much each keypoint counts, 0 without annotation,
                shape (B, K).

        Returns:
            Weighted mean over labeled keypoints in longer sides of the image, scalar,
            at least float32; 0, with a gradient of 0, where there are none.

        Raises:
            ValueError: the numbers of keypoints differ.
        """
        if source_keypoints.shape != target_keypoints.shape:
            raise ValueError(
                f'the model finds keypoints of shape {tuple(source_keypoints.shape)}, '
                f'the samples have targets of {tuple(target_keypoints.shape)}: set '
                "num_keypoints to the data set's number"
            )
        found, target = full_precision(source_keypoints), target_keypoints
        difference = (found - target.to(found)) / geometry.edge
        squared = difference.square().sum(-1)
        # The gradient of a length is not defined at 0.
        tiny = torch.finfo(squared.dtype).tiny
        distance = squared.clamp_min(tiny).sqrt()
        if self.beta:
            near = squared / (2 * self.beta)
            distance = torch.where(distance < self.beta, near, distance - self.beta / 2)
        weights = target_weights.to(distance)
        return self.loss_weight * mean_over_processes(weights * distance, weights)
