# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The map of a token must move with the image."""

from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.affine_warp import AffineWarp
from mmkp.ops.moments import full_precision


@MODELS.register_module()
class MapEquivarianceLoss(nn.Module):
    """Squared difference of maps and those of a warped image, warped back.

    StableKeypoints (Hedlin et al., CVPR 2024, equation 6): the mean over tokens and
    cells of (map(I) - T^-1 map(T I))^2. As released, gradients run through both, and
    what the warped image does not show counts as 0. :class:`EquivarianceLoss` compares
    positions instead.

    Args:
        loss_weight: factor on the loss.
    """

    inputs: tuple[str, ...] = ('token_maps', 'warped_token_maps', 'warp')

    def __init__(self, loss_weight: float = 1000.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, token_maps: Tensor, warped_token_maps: Tensor, warp: AffineWarp
    ) -> Tensor:
        """Compute the loss.

        Args:
            token_maps: attention, shape (B, k, h, w).
            warped_token_maps: that of the warped image, likewise.
            warp: maps positions in the warped image to the image.

        Returns:
            Mean over images, tokens and cells, scalar, at least float32.
        """
        maps, warped = full_precision(token_maps), full_precision(warped_token_maps)
        back = warp.resized((maps.shape[-1], maps.shape[-2])).inverse()
        return self.loss_weight * (maps - back.images(warped, 'zeros')).square().mean()
