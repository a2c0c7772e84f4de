# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""MMPose's bottom-up estimator, able to test at several scales."""

from typing import Any

from mmpose.models import BottomupPoseEstimator
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class PyramidPoseEstimator(BottomupPoseEstimator):
    """``BottomupPoseEstimator``, whose multi-scale test runs.

    Its ``predict`` takes a list with one batch a scale, but its ``forward`` stacks
    every list first. Everything else, weights included, is the same.
    """

    def forward(
        self, inputs: Tensor | list, data_samples: list | None, mode: str = 'tensor'
    ) -> Any:
        """Compute the losses, the predictions or the maps of a batch.

        Args:
            inputs: images (B, 3, h, w), or a list with one such batch a scale.
            data_samples: B samples.
            mode: 'loss', 'predict' or 'tensor'.

        Returns:
            What ``BottomupPoseEstimator`` returns in this mode.
        """
        pyramid = isinstance(inputs, list) and inputs[0].dim() == 4
        if mode != 'predict' or not pyramid:
            return super().forward(inputs, data_samples, mode)
        for sample in data_samples or ():
            if self.metainfo is not None:
                sample.set_metainfo(self.metainfo)
        return self.predict(inputs, data_samples)
