# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A linear map of its own for each landmark."""

import torch
from torch import Tensor, nn


class LandmarkLinear(nn.Module):
    """Landmark-specific linear maps with one bias for all.

    LMDIS (Zhang et al., CVPR 2018, section 3.2) reduces the descriptor of each
    landmark by a map of its own, as the same place is described each time.

    Args:
        num_keypoints: number of maps; the background counts as a landmark.
        in_channels: length of the descriptors.
        out_channels: length of the result.
    """

    def __init__(self, num_keypoints: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.empty(num_keypoints, in_channels, out_channels)
        )
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start Xavier-uniform in each map, the bias at 0."""
        for weight in self.weight.unbind():
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.bias)

    def forward(self, descriptors: Tensor) -> Tensor:
        """Map the descriptors.

        Args:
            descriptors: shape (B, K, C).

        Returns:
            Shape (B, K, O).
        """
        return torch.einsum('bki,kio->bko', descriptors, self.weight) + self.bias
