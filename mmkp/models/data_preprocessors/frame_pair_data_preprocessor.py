# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Normalise both frames of a pair, and hand the second one on with its sample."""

from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class FramePairDataPreprocessor(PoseDataPreprocessor):
    """MMPose's data preprocessor for the pairs of frames of ``LoadClipFrame``.

    Inputs of shape (2, 3, H, W) are pairs: the first frames become the network input,
    and the second ones, normalised in the same way, ``gt_fields.second_frame``
    (3, H, W) of the samples, where ``OpticalFlowView`` finds them. Single images
    (3, H, W), as in validation, pass as in MMPose. Arguments are those of MMPose's
    ``PoseDataPreprocessor``.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise one batch.

        Args:
            data: ``inputs``, a list of tensors (2, 3, H, W) or (3, H, W), or one
                tensor of those, and ``data_samples``.
            training: As in MMPose.

        Returns:
            ``inputs`` (B, 3, H, W) and ``data_samples``.
        """
        inputs = data['inputs']
        if inputs[0].dim() == 3:
            return super().forward(data, training)
        # One call for all, so that both frames of a pair are treated alike.
        frames = [pair[i] for i in (0, 1) for pair in inputs]
        result = super().forward({**data, 'inputs': frames}, training)
        first, second = result['inputs'].chunk(2)
        for sample, frame in zip(result['data_samples'], second, strict=True):
            sample.gt_fields.set_field(frame, 'second_frame')
        return {**result, 'inputs': first}
