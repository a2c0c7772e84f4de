# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The map of a token must be one small peak."""

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.losses.view_loss import ViewLoss
from mmkp.ops.token_maps.localization_targets import peak_gaussians


@MODELS.register_module()
class LocalizationLoss(ViewLoss):
    """Squared difference of maps and a Gaussian at their own peak.

    StableKeypoints (Hedlin et al., CVPR 2024, equation 5): the mean over tokens and
    cells of (map - G)^2, where G has height 1 and lies at the map's highest cell. No
    gradient runs through where that is. The maps are heights in [0, 1], not
    distributions over space.

    Args:
        sigma: standard deviation of the Gaussian in cells.
        loss_weight: factor on the loss.
        both_views: take the mean over the image and its warp; released for the image
            only.

    Raises:
        ValueError: ``sigma`` is not positive.
    """

    inputs: tuple[str, ...] = ('token_maps',)

    def __init__(
        self, sigma: float = 2.0, loss_weight: float = 100.0, both_views: bool = False
    ) -> None:
        super().__init__(loss_weight, both_views)
        if not sigma > 0:
            raise ValueError(f'sigma must be positive, got {sigma}')
        self.sigma = sigma

    def forward(
        self, token_maps: Tensor, warped_token_maps: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            token_maps: attention in [0, 1], shape (B, k, h, w).
            warped_token_maps: that of the warped image, likewise.

        Returns:
            Mean over images, tokens and cells, scalar, at least float32.
        """
        return self.mean_over_views(token_maps, warped_token_maps)

    def of_view(self, maps: Tensor) -> Tensor:
        """Compute the loss of one view, without the weight."""
        return (maps - peak_gaussians(maps, self.sigma)).square().mean()
