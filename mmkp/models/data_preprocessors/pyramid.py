# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Batch the images of several scales."""

from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class PyramidDataPreprocessor(PoseDataPreprocessor):
    """Like ``PoseDataPreprocessor``, which knows one scale only.

    Samples that ``PackPyramidInputs`` has packed with several scales become a list with
    one batch a scale; all other samples are treated as there. Images of different
    sizes are padded on the right and below. Arguments are the same.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Move to the device, normalize, pad and stack.

        Args:
            data: ``inputs``, a list of B tensors (3, h, w), or one such list a scale;
                and ``data_samples``, a list of B samples.
            training: whether augmentations of whole batches apply.

        Returns:
            ``inputs`` (B, 3, h, w), or one such tensor a scale, and ``data_samples``,
            whose metainfo describes the first scale.
        """
        scales = data['inputs']
        if not isinstance(scales, list) or not isinstance(scales[0], list | tuple):
            return super().forward(data, training)
        samples = data['data_samples']
        batches: list = []
        # The first scale comes last: it leaves its size in the metainfo.
        for images in reversed(scales):
            batch = super().forward(
                dict(inputs=list(images), data_samples=samples), training
            )
            batches.insert(0, batch['inputs'])
        return dict(inputs=batches, data_samples=batch['data_samples'])
