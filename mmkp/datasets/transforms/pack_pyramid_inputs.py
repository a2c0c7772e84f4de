# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pack the images of several scales."""

from mmpose.datasets.transforms import PackPoseInputs
from mmpose.datasets.transforms.formatting import image_to_tensor
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackPyramidInputs(PackPoseInputs):
    """Pack a sample whose ``img`` may be a list of images of different sizes.

    ``PackPoseInputs`` stacks such a list, which fails, so that MMPose's multi-scale
    test cannot run. Everything else is as there.

    Required key: ``img`` (h, w, 3), or a list of such, as ``BottomupHeightResize``
    makes it. ``meta_keys`` must include ``aug_scales`` for a multi-scale test.
    """

    def transform(self, results: dict) -> dict:
        """Pack one sample.

        Args:
            results: the sample.

        Returns:
            Dict of ``inputs``, a tensor (3, h, w), or a list of such, and
            ``data_samples``.
        """
        images = results['img']
        if not isinstance(images, list):
            return super().transform(results)
        packed = super().transform(dict(results, img=images[0]))
        packed['inputs'] = [image_to_tensor(image) for image in images]
        return packed
