# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""IMM: keypoints as what an image has to be told of another one's pose."""

from typing import Any

from mmpose.registry import MODELS

from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.view_transforms.views import Views


@MODELS.register_module()
class IMM(UnsupervisedPoseEstimator):
    """Unsupervised learning of object landmarks through conditional image generation.

    IMM (Jakab, Gupta, Bilen, Vedaldi, NeurIPS 2018, section 3). Of two views of an
    object one gives its appearance and one its pose, through no more than the places of
    K keypoints; from both the second one is to be made, which a perceptual loss
    compares. As released, the pose is that of x∘g1, the appearance that of x∘g1∘g2.

    Args: see :class:`UnsupervisedPoseEstimator`; ``generator`` (:class:`IMMGenerator`)
        and ``view_transform`` are required.

    Raises:
        ValueError: no generator, or no ``view_transform``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.generator is None or self.view_transform is None:
            raise ValueError(
                "IMM draws one view from another: give it a generator=dict(type='"
                "IMMGenerator', ...) and a view_transform=dict(type='"
                "RandomThinPlateSpline', preset='imm_source')"
            )

    def reconstruct_first(self, views: Views) -> dict[str, Any]:
        """The first view, drawn from its keypoints and the second one's appearance."""
        return self.reconstruct(views.first, drawn_from=views.second)
