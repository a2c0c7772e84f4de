"""AutoLink's graph: an edge between any two keypoints, its weight learned."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph


class LearnedEdges(BaseModule):
    """Edges between all pairs of keypoints, with weights that all images share.

    AutoLink (He et al., NeurIPS 2022), section 3.2: the edge map is the maximum over
    edges of weight * exp(-d^2 / thickness). A base for generators that draw it.

    Args:
        num_keypoints: number K of keypoints.
        thickness: squared width of an edge in units of half the longer image
            side squared; the paper's t.
        initial_edge_logit: mean of the logits at the start; softplus(-4) = .018.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: ``thickness`` is not positive.
    """

    edges: Tensor

    def __init__(
        self,
        num_keypoints: int,
        thickness: float = 1e-3,
        initial_edge_logit: float = -4.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if thickness <= 0:
            raise ValueError(f'thickness must be positive, got {thickness}')
        self.num_keypoints = num_keypoints
        self.thickness = thickness
        self.register_buffer('edges', complete_graph(num_keypoints), persistent=False)
        noise = 0.1 * torch.randn(len(self.edges))
        self.edge_logits = nn.Parameter(initial_edge_logit + noise)

    @property
    def edge_weights(self) -> Tensor:
        """Positive weight of each edge, shape (E,), in the order of ``edges``."""
        return F.softplus(self.edge_logits)

    def draw_edges(self, keypoints: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Draw the edge map.

        Args:
            keypoints: (x, y) in network-input pixels, shape (B, K, 2).
            image_size: (W, H) in pixels.

        Returns:
            Edge maps, shape (B, 1, H, W), float32.
        """
        half_side = (max(image_size) - 1) / 2
        thickness_px2 = self.thickness * half_side**2
        return edge_map(
            keypoints, self.edge_weights, image_size, thickness_px2, self.edges
        )
