"""AutoLink: keypoints linked by learned edges that suffice to complete the image."""

from typing import Any

from mmpose.registry import MODELS

from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator


@MODELS.register_module()
class AutoLink(UnsupervisedPoseEstimator):
    """AutoLink (He, Wandt, Rhodin, NeurIPS 2022).

    A detector finds K keypoints, edges with learned weights are drawn between
    them, and a generator restores the image from that edge map and the few
    blocks of the image that stay visible. Whatever is not explained by the
    visible blocks, the shape, has to come from the keypoints. The paper trains
    with a perceptual loss alone; further losses are added by config.

    Args: see :class:`UnsupervisedPoseEstimator`; ``generator`` is required.

    Raises:
        ValueError: no generator.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.generator is None:
            raise ValueError(
                "AutoLink needs a `generator`, e.g. dict(type='EdgeMapGenerator')"
            )
