# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that move with the image: factorized spatial embeddings."""

from collections.abc import Iterable
from typing import Any

from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.view_transforms.base import RandomWarp
from mmkp.ops.warps.padding import PaddedWarp
from mmkp.ops.warps.warp import ComposedWarp, Warp


@MODELS.register_module()
class FactorizedSpatialEmbedding(UnsupervisedPoseEstimator):
    """Unsupervised learning of landmarks by factorized spatial embeddings.

    Thewlis, Bilen and Vedaldi, ICCV 2017, section 3: the detector sees two views of
    each image, x∘g1 and x∘g1∘g2, and its keypoints have to follow g2
    (``EquivarianceLoss``, equation 5) without falling together (``DiversityLoss``,
    equation 8). Nothing is reconstructed.

    Both views are sampled from the image itself, so that the second one is not
    blurred twice, and what lies beyond its border can be kept out of both: let the
    pipeline make images larger than the views by ``crop_margin`` on every side (146
    and 9 for views of 128 pixels in the public code of the method). Predictions see
    the whole image at the same scale. Each view gets the colour jitter of its own
    transform.

    Beside ``images``, ``keypoints`` and ``heatmaps``, which are those of x∘g1, losses
    may ask for ``warped_images``, ``warped_keypoints``, ``warped_heatmaps`` and
    ``warp``, the cropped g2.

    Args:
        backbone: config of any MMPose backbone; ``ThewlisNet`` is the paper's.
        head: config of a head with ``locate`` and ``num_keypoints``.
        view_transform: config of g2, any registered view transform that samples its
            warp by itself, see :mod:`mmkp.models.view_transforms`.
        first_view_transform: config of g1; None leaves the first view as it is.
        crop_margin: pixels to cut off every side of both views.
        **kwargs: further arguments of :class:`UnsupervisedPoseEstimator`.

    Raises:
        ValueError: no ``view_transform``, one that cannot be composed, or a negative
            margin.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        view_transform: dict | None = None,
        first_view_transform: dict | None = None,
        crop_margin: int = 0,
        **kwargs: Any,
    ) -> None:
        if view_transform is None:
            raise ValueError(
                'FactorizedSpatialEmbedding learns from pairs: give a '
                "`view_transform`, e.g. dict(type='RandomThinPlateSpline')"
            )
        if crop_margin < 0:
            raise ValueError(f'crop_margin must not be negative, got {crop_margin}')
        super().__init__(backbone, head, view_transform=view_transform, **kwargs)
        self.first_view_transform = (
            MODELS.build(first_view_transform) if first_view_transform else None
        )
        for name in ('view_transform', 'first_view_transform'):
            transform = getattr(self, name)
            if transform is not None and not isinstance(transform, RandomWarp):
                raise ValueError(
                    f'{name} of FactorizedSpatialEmbedding is '
                    f'{type(transform).__name__}, which samples no warp of its own: '
                    'take RandomThinPlateSpline, RandomAffineWarp or RandomLMDISWarp'
                )
        self.crop_margin = crop_margin

    def views(self, inputs: Tensor) -> tuple[Tensor, Tensor, Warp]:
        """Make the two views of each image.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            x∘g1 and x∘g1∘g2, each (B, 3, H - 2 margin, W - 2 margin), and the warp
            that maps positions of the second to the first, in pixels of both.
        """
        warp = self.view_transform.sample(inputs)
        to_image: Warp = warp
        first = inputs
        if self.first_view_transform is not None:
            transform = self.first_view_transform
            first_warp = transform.sample(inputs)
            first = transform.jitter(first_warp.images(inputs, transform.padding_mode))
            to_image = ComposedWarp(first_warp, warp)
        transform = self.view_transform
        second = transform.jitter(to_image.images(inputs, transform.padding_mode))
        if self.crop_margin:
            warp = PaddedWarp(warp, (-self.crop_margin, -self.crop_margin))
            inner = slice(self.crop_margin, -self.crop_margin)
            first, second = first[..., inner, inner], second[..., inner, inner]
        return first, second, warp

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, see the class."""
        first, second, warp = self.views(inputs)
        outputs: dict[str, object] = dict(self.reconstruct(first))
        keypoints, heatmaps = self.detect(second)
        outputs.update(
            warped_images=second,
            warped_keypoints=keypoints,
            warped_heatmaps=heatmaps,
            warp=warp,
        )
        return outputs
