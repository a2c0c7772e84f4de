# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What metrics read of a predicted data sample."""

from typing import Any

import numpy as np
import torch


def as_array(values: Any) -> np.ndarray:
    """Turn a tensor on any device, or what NumPy takes, into an array."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def crop_of(data_sample: dict) -> tuple[np.ndarray, np.ndarray]:
    """Corner (x, y) and size (w, h) of the crop, (2,) float64, pixels of the image."""
    scale = np.asarray(data_sample['input_scale'], np.float64)
    return np.asarray(data_sample['input_center'], np.float64) - scale / 2, scale


def predicted_keypoints(data_sample: dict) -> np.ndarray:
    """Keypoints of the single instance, and those of the untrained detector.

    Args:
        data_sample: A ``PoseDataSample`` as a dict.

    Returns:
        (2, K, 2) float64, pixels of the image; (1, K, 2) without untrained ones.
    """
    instances = data_sample['pred_instances']
    names = ('keypoints', 'untrained_keypoints')
    found = [as_array(instances[name])[0] for name in names if name in instances]
    return np.stack(found).astype(np.float64)
