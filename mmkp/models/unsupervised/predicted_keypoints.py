# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which of the keypoints that a model discovers it predicts."""

from typing import Any

from torch import Tensor


def detect_predicted(model: Any, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Find the keypoints that a model predicts.

    They are all that it discovers, or those of MMPose's
    ``test_cfg.output_keypoint_indices``.

    Args:
        model: of :class:`mmkp.models.unsupervised.UnsupervisedPoseEstimator`.
        inputs: network input, shape (B, 3, H, W).

    Returns:
        Keypoints (x, y) in network-input pixels, (B, K, 2), and their distributions
        over space, (B, K, h, w).
    """
    keypoints, maps = model.detect(inputs)
    kept = (getattr(model, 'test_cfg', None) or {}).get('output_keypoint_indices')
    return (keypoints[:, kept], maps[:, kept]) if kept else (keypoints, maps)
