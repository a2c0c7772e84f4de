"""Edges between keypoints, for models that learn them by a loss on the edge map."""

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.generators.learned_edges import LearnedEdges
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import per_axis


@MODELS.register_module()
class EdgeDrawing(LearnedEdges):
    """Draw AutoLink's edge map, and reconstruct nothing.

    Called as :class:`LMDISGenerator` is. Which edges there are is a matter of the loss,
    see :class:`FigureGroundLoss`.

    Args: see :class:`LearnedEdges`.
    """

    def forward(
        self,
        padded: Tensor,
        keypoints: Tensor,
        distributions: Tensor,
        geometry: MapGeometry,
    ) -> dict[str, Tensor]:
        """Draw the edges.

        Args:
            padded: not used.
            keypoints: (x, y) in pixels of the padded images, shape (B, K, 2).
            distributions: not used.
            geometry: of the distributions, which knows the padding.

        Returns:
            ``edge_map``, shape (B, 1, H, W), float32.
        """
        inner = keypoints - per_axis(geometry.padding, keypoints)
        return {'edge_map': self.draw_edges(inner, geometry.inner_size)}
