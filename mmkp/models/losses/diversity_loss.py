"""Keypoints must stand in different places."""

import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DiversityLoss(nn.Module):
    """Mass that keypoints' distributions share with one another.

    Thewlis et al., ICCV 2017, equation 8: K - sum_u max_k p_k(u), after the
    distributions are averaged over windows of m x m cells, which keeps
    keypoints at least m cells apart. Zero when no two of them overlap.

    Args:
        window: side m of the pooling window in heatmap cells.
        loss_weight: factor on the loss.
    """

    inputs = ('heatmaps',)

    def __init__(self, window: int = 4, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.window = window
        self.loss_weight = loss_weight

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            heatmaps: distributions over space, shape (B, K, h, w).

        Returns:
            Mean over images of the shared mass, scalar in [0, K].
        """
        # Padded so that every cell lies in exactly window^2 windows: the pooled
        # maps keep their mass, and zero is reached at the border as well.
        pad = self.window - 1
        pooled = F.avg_pool2d(F.pad(heatmaps, (pad,) * 4), self.window, stride=1)
        shared = pooled.sum((1, 2, 3)) - pooled.amax(1).sum((1, 2))
        return self.loss_weight * shared.mean()
