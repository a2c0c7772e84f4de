"""Keypoints must move with the image."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.heatmap import cell_positions
from mmkp.ops.warp import ThinPlateSpline


@MODELS.register_module()
class EquivarianceLoss(nn.Module):
    """Expected squared distance between keypoints of an image and of its warp.

    Thewlis et al., ICCV 2017, equation 5: with p the distribution of a keypoint
    over positions u of the image, q its distribution over positions v of the
    warped image and g the map from the warped image to the image,
    E_p E_q |u - g(v)|^2 = E_p |u|^2 + E_q |g(v)|^2 - 2 <E_p u, E_q g(v)>.
    The expanded form costs O(HW), and its minimum is a peaked map; the distance
    of the two means leaves the maps diffuse.

    Args:
        loss_weight: factor on the loss.
        grid: where the cells lie, as in the head.

    The unit of length is half of the longer image side.
    """

    inputs = ('heatmaps', 'warped_heatmaps', 'warp')

    def __init__(self, loss_weight: float = 1.0, grid: str = 'inclusive') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.grid = grid

    def forward(
        self, heatmaps: Tensor, warped_heatmaps: Tensor, warp: ThinPlateSpline
    ) -> Tensor:
        """Compute the loss.

        Args:
            heatmaps: distributions over the image, shape (B, K, h, w).
            warped_heatmaps: distributions over the warped image, (B, K, h, w).
            warp: maps positions in the warped image to the image, in pixels.

        Returns:
            Mean over images and keypoints, scalar.
        """
        height, width = heatmaps.shape[-2:]
        x = cell_positions(width, warp.image_size[0], self.grid, heatmaps)
        y = cell_positions(height, warp.image_size[1], self.grid, heatmaps)
        cells = torch.stack(torch.meshgrid(x, y, indexing='xy'), -1).view(1, -1, 2)
        half_sides = cells.new_tensor(warp.image_size).sub(1).div(2)
        half_side = half_sides.max()
        # Centred on the image, so that the difference of squares stays exact.
        source = warp.points_to_source(cells.expand(len(heatmaps), -1, -1))
        u = (cells - half_sides) / half_side
        gv = (source - half_sides) / half_side
        p, q = heatmaps.flatten(2), warped_heatmaps.flatten(2)
        mean_u, mean_gv = p @ u, q @ gv
        square_u = (p @ u.square().sum(-1, keepdim=True)).squeeze(-1)
        square_gv = (q @ gv.square().sum(-1, keepdim=True)).squeeze(-1)
        distance = square_u + square_gv - 2 * (mean_u * mean_gv).sum(-1)
        return self.loss_weight * distance.mean()
