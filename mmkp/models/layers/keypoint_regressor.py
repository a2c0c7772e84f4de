# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Named keypoints as an affine function of discovered ones."""

import torch
from torch import Tensor, nn

from mmkp.ops.precision import full_precision, per_axis


class KeypointRegressor(nn.Module):
    """Linear regression, with a bias, from K discovered to L named keypoints.

    The regression by which discovered landmarks are evaluated (Thewlis et al., ICCV
    2017, section 4.1), kept as weights of the model. It works on shares of the network
    input, so that it turns with crops in the frame of the object and scales with all.

    Args:
        num_discovered: number K of discovered keypoints.
        num_keypoints: number L of named keypoints.
    """

    def __init__(self, num_discovered: int, num_keypoints: int) -> None:
        super().__init__()
        self.num_keypoints = num_keypoints
        self.linear = nn.Linear(2 * num_discovered, 2 * num_keypoints)

    def forward(self, keypoints: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Find the named keypoints.

        Args:
            keypoints: discovered ones, (x, y) in pixels of the network input, shape
                (B, K, 2).
            image_size: (W, H) of the network input in pixels.

        Returns:
            Named keypoints, likewise, (B, L, 2) float32.
        """
        with torch.autocast(keypoints.device.type, enabled=False):
            found = full_precision(keypoints)
            shares = found / per_axis(image_size, found)
            named = self.linear(shares.flatten(1)).unflatten(1, (-1, 2))
            return named * per_axis(image_size, found)

    def average(self, values: Tensor) -> Tensor:
        """What the discovered keypoints that a named one depends on have in the mean.

        Args:
            values: such as scores, shape (B, K).

        Returns:
            (B, L), weighed by the absolute weights of the regression.
        """
        weights = self.linear.weight.detach().abs()
        weights = weights.reshape(self.num_keypoints, 2, -1, 2).sum((1, 3))
        shares = weights / weights.sum(1, keepdim=True).clamp_min(1e-12)
        # The mean pose depends on none of them: then all count alike.
        none = (weights.sum(1, keepdim=True) == 0).to(shares) / shares.shape[1]
        return values.to(shares) @ (shares + none).T
