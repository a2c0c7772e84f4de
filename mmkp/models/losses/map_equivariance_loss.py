# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The map of a token must move with the image."""

from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision
from mmkp.ops.warps.affine import maps_to_source
from mmkp.ops.warps.warp import Warp


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

    inputs: tuple[str, ...] = ('token_maps', 'warped_token_maps', 'warp', 'geometry')

    def __init__(self, loss_weight: float = 1000.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self,
        token_maps: Tensor,
        warped_token_maps: Tensor,
        warp: Warp,
        geometry: MapGeometry,
    ) -> Tensor:
        """Compute the loss.

        Args:
            token_maps: attention, shape (B, k, h, w).
            warped_token_maps: that of the warped image, likewise.
            warp: maps positions in the warped image to the image, an
                :class:`~mmkp.ops.warps.affine.AffineWarp`.
            geometry: where the cells of the maps lie.

        Returns:
            Mean over images, tokens and cells, scalar, at least float32.

        Raises:
            ValueError: the warp is not affine.
        """
        difference = full_precision(token_maps) - maps_to_source(
            warped_token_maps, warp, geometry
        )
        return self.loss_weight * difference.square().mean()
