# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A labelled data set, seen without its labels."""

from collections.abc import Callable, Sequence
from typing import Any

from mmpose.datasets.dataset_wrappers import CombinedDataset
from mmpose.registry import DATASETS

from mmkp.datasets.metainfo import discovered_metainfo, unlabeled_keypoints

KEYPOINT_KEYS = ('keypoints', 'keypoints_visible')


@DATASETS.register_module()
class LabelFreeDataset(CombinedDataset):
    """Images and boxes of any MMPose data set, for the discovery of K keypoints.

    The annotated keypoints are dropped before the pipeline sees them; in training K
    keypoints without annotation take their place (:func:`unlabeled_keypoints`). The
    metainfo, which MMEngine stores in checkpoints and visualizers draw by, is that
    of K discovered keypoints.

    Args:
        num_keypoints: Number K of keypoints to discover.
        dataset: Config of the labelled data set, without pipeline.
        pipeline: Transforms.
        metainfo: Metainfo in MMPose's format in place of that of K keypoints.
        **kwargs: Other arguments of MMPose's ``CombinedDataset``.

    Raises:
        ValueError: If ``num_keypoints`` is no whole number of at least 1.
    """

    # Only read by MMPose when a model is built without checkpoint and config metainfo.
    METAINFO: dict = discovered_metainfo(10)

    def __init__(
        self,
        num_keypoints: int,
        dataset: dict,
        pipeline: Sequence[dict | Callable] = (),
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        self.num_keypoints = num_keypoints
        super().__init__(
            metainfo=metainfo or discovered_metainfo(num_keypoints),
            datasets=[dataset],
            pipeline=list(pipeline),
            **kwargs,
        )

    def get_data_info(self, idx: int) -> dict:
        """Return one sample without keypoints.

        Args:
            idx: Index of the sample.

        Returns:
            The sample of the wrapped data set, less its annotated keypoints.
        """
        sample = super().get_data_info(idx)
        for key in KEYPOINT_KEYS:
            sample.pop(key, None)
        if not self.test_mode:
            sample.update(unlabeled_keypoints(self.num_keypoints))
        return sample
