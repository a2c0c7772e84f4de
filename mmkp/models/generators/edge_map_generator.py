"""AutoLink's generator: an image from its keypoints' edges and a few blocks of it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.backbones.autolink_encoder import initialize_convolutions
from mmkp.models.generators.learned_edges import LearnedEdges
from mmkp.models.generators.unet import UNet


@MODELS.register_module()
class EdgeMapGenerator(LearnedEdges):
    """Draw learned edges between keypoints and complete a masked image from them.

    AutoLink (He et al., NeurIPS 2022), sections 3.2 and 3.3. All pairs of
    keypoints are joined by an edge with a learned weight, shared by all images;
    the edge map is the maximum over edges of weight * exp(-d^2 / thickness).
    The official code multiplies each stored weight by 512 to give it a larger
    step under Adam; here the logit itself is the parameter, and
    ``paramwise_cfg`` gives ``edge_logits`` a learning-rate multiplier of 512.

    Args:
        num_keypoints: number K of keypoints.
        thickness: squared width of an edge in units of half the longer image
            side squared; the paper's t.
        mask_ratio: share of the image's blocks that the generator cannot see.
        mask_cells: number of blocks along each side.
        channels: channels of the U-Net, see :class:`UNet`.
        initial_edge_logit: mean of the logits at the start, of deviation 0.1;
            softplus(-4) = .018.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: ``mask_ratio`` outside [0, 1] or ``thickness`` not positive.
    """

    def __init__(
        self,
        num_keypoints: int,
        thickness: float = 1e-3,
        mask_ratio: float = 0.8,
        mask_cells: int = 16,
        channels: Sequence[int] = (64, 128, 256, 512, 512),
        initial_edge_logit: float = -4.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_keypoints, thickness, initial_edge_logit, init_cfg)
        if not 0 <= mask_ratio <= 1:
            raise ValueError(f'mask_ratio must lie in [0, 1], got {mask_ratio}')
        self.mask_ratio = mask_ratio
        self.mask_cells = mask_cells
        self.visible_scale = nn.Parameter(torch.ones(()))
        self.unet = UNet(in_channels=4, channels=channels)

    def init_weights(self) -> None:
        """Start as AutoLink does, or from ``init_cfg`` when it names weights."""
        initialize_convolutions(self)
        super().init_weights()

    def sample_mask(self, images: Tensor) -> Tensor:
        """Choose at random which blocks of each image stay visible.

        Args:
            images: shape (B, 3, H, W).

        Returns:
            1 where visible, else 0, shape (B, 1, H, W), dtype of the images.
        """
        shape = (len(images), 1, self.mask_cells, self.mask_cells)
        hidden = torch.rand(shape, device=images.device) < self.mask_ratio
        visible = (~hidden).to(images.dtype)
        return F.interpolate(visible, size=images.shape[-2:], mode='nearest')

    def forward(
        self, images: Tensor, keypoints: Tensor, mask: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Reconstruct images.

        Args:
            images: network input, shape (B, 3, H, W).
            keypoints: (x, y) in network-input pixels, shape (B, K, 2).
            mask: 1 where visible, (B, 1, H, W); drawn at random when None.

        Returns:
            ``edge_map`` (B, 1, H, W), ``masked_images`` (B, 3, H, W) and
            ``reconstruction`` (B, 3, H, W).
        """
        height, width = images.shape[-2:]
        edges = self.draw_edges(keypoints, (width, height))
        if mask is None:
            mask = self.sample_mask(images)
        masked = images * (mask * self.visible_scale)
        reconstruction = self.unet(torch.cat((masked, edges.to(masked.dtype)), dim=1))
        return {
            'edge_map': edges,
            'masked_images': masked,
            'reconstruction': reconstruction,
        }
