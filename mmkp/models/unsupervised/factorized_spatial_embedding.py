# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that move with the image: factorized spatial embeddings."""

from typing import Any

from mmpose.registry import MODELS

from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator


@MODELS.register_module()
class FactorizedSpatialEmbedding(UnsupervisedPoseEstimator):
    """Unsupervised learning of landmarks by factorized spatial embeddings.

    Thewlis, Bilen and Vedaldi, ICCV 2017, section 3: the detector sees two views of
    each image, x∘g1 and x∘g1∘g2, and its keypoints have to follow g2
    (``EquivarianceLoss``, equation 5) without falling together (``DiversityLoss``,
    equation 8). Nothing is reconstructed.

    Let the pipeline make images larger than the views by ``crop_margin`` on every side
    (146 and 9 for views of 128 pixels in the public code of the method), so that what
    lies beyond their border is kept out of both views.

    Args:
        backbone: config of any MMPose backbone; ``ThewlisNet`` is the paper's.
        head: config of a head with ``locate`` and ``num_keypoints``.
        view_transform: config of g2, any registered view transform, see
            :mod:`mmkp.models.view_transforms`.
        *args: further arguments of :class:`UnsupervisedPoseEstimator`.
        **kwargs: the same by name, above all ``first_view_transform``, g1, and
            ``crop_margin``.

    Raises:
        ValueError: no ``view_transform``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.view_transform is None:
            raise ValueError(
                'FactorizedSpatialEmbedding learns from pairs: give a '
                "`view_transform`, e.g. dict(type='RandomThinPlateSpline')"
            )
