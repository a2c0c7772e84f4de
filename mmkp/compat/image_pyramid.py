"""Several sizes of an image in one sample, which MMPose 1.x announces but refuses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mmkp.compat.replacing import replace


def take_image_pyramids() -> bool:
    """Let ``test_cfg.multiscale_test`` work in MMPose's bottom-up estimators.

    ``BottomupResize(aug_scales=...)`` makes several sizes of an image, and
    ``BottomupPoseEstimator.predict`` takes them, but nothing between the two does:
    ``PackPoseInputs`` stacks the sizes into one tensor, ``PoseDataPreprocessor``
    refuses lists of sizes, and ``BasePoseEstimator.forward`` stacks again. Here each
    size stays a tensor, and the preprocessor treats it as a batch of its own.

    Upstream: unreported (that these models cannot be trained either is
    open-mmlab/mmpose#2669); ``image_to_tensor`` in mmpose/datasets/transforms/
    formatting.py, mmpose/models/data_preprocessors/data_preprocessor.py and
    mmpose/models/pose_estimators/base.py of MMPose 1.3.2.

    Returns:
        Whether anything had to be mended.
    """
    from mmpose.datasets.transforms import formatting
    from mmpose.models import PoseDataPreprocessor
    from mmpose.models.pose_estimators import base

    if _packs_pyramids(formatting.image_to_tensor):
        return False
    replace(formatting, 'image_to_tensor', _pack_pyramid)
    replace(PoseDataPreprocessor, 'forward', _prepare_pyramids)
    replace(base.BasePoseEstimator, 'forward', _predict_pyramids)
    return True


def _packs_pyramids(image_to_tensor: Any) -> bool:
    try:
        packed = image_to_tensor([np.zeros((side, side, 3)) for side in (1, 2)])
    except RuntimeError:
        return False
    return len(packed) == 2


def _pack_pyramid(upstream: Any, img: Any) -> Any:
    if not isinstance(img, np.ndarray) and len({np.shape(i) for i in img}) > 1:
        return [upstream(image) for image in img]
    return upstream(img)


def _prepare_pyramids(
    upstream: Any, self: Any, data: dict, training: bool = False
) -> dict:
    sizes = data['inputs']
    if not (_is_sequence(sizes) and sizes and _is_sequence(sizes[0])):
        return upstream(self, data, training)
    # The first size last: what it writes into the samples is to stay.
    prepared: list[Any] = []
    for images in reversed(sizes):
        batch = dict(data, inputs=list(images))
        prepared.insert(0, upstream(self, batch, training))
    inputs = [batch['inputs'] for batch in prepared]
    return dict(inputs=inputs, data_samples=prepared[0]['data_samples'])


def _predict_pyramids(
    upstream: Any,
    self: Any,
    inputs: Any,
    data_samples: Any = None,
    mode: str = 'tensor',
) -> Any:
    is_pyramid = isinstance(inputs, list) and all(i.dim() == 4 for i in inputs)
    if mode != 'predict' or not is_pyramid:
        return upstream(self, inputs, data_samples, mode)
    if self.metainfo is not None:
        for sample in data_samples:
            sample.set_metainfo(self.metainfo)
    return self.predict(inputs, data_samples)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | torch.Tensor)
