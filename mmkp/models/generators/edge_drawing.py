"""Edges between keypoints, for models that learn them by a loss on the edge map."""

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.generators.learned_edges import LearnedEdges


@MODELS.register_module()
class EdgeDrawing(LearnedEdges):
    """Draw AutoLink's edge map, and reconstruct nothing.

    Called as :class:`LMDISGenerator` is. Which edges there are is a matter of the loss,
    see :class:`FigureGroundLoss`.

    Args: see :class:`LearnedEdges`.
    """

    def forward(
        self,
        frames: Tensor,
        keypoints: Tensor,
        distributions: Tensor,
        image_size: tuple[int, int],
    ) -> dict[str, Tensor]:
        """Draw the edges.

        Args:
            frames: not used.
            keypoints: (x, y) in pixels of the images, shape (B, K, 2).
            distributions: not used.
            image_size: (W, H) of the images in pixels.

        Returns:
            ``edge_map``, shape (B, 1, H, W), float32.
        """
        return {'edge_map': self.draw_edges(keypoints, image_size)}
