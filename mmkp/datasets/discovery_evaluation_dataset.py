# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Labelled images to fit a regressor on, and labelled images to score it on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmpose.datasets.dataset_wrappers import CombinedDataset
from mmpose.registry import DATASETS

from mmkp.datasets.annotation_checks import hide_undefined_keypoints
from mmkp.datasets.metainfo import discovered_metainfo


@DATASETS.register_module()
class DiscoveryEvaluationDataset(CombinedDataset):
    """Two labelled data sets in one, for the evaluation of discovered keypoints.

    Discovered keypoints have no names, so a linear map from them to annotated points
    is fitted on one set of images and scored on another. One loader serves both:
    samples of the first carry a ``dataset_name`` that ends in ``_fit``, those of the
    second one that ends in ``_score``, and the metric tells them apart after all
    processes have sent their results. Annotated points may differ in number from the
    discovered ones; the metainfo is that of the K discovered keypoints, which is what
    a visualizer draws, and has the names and links of the annotated ones to score as
    ``annotated_names`` and ``annotated_links``. Annotated points that are NaN are
    invisible.

    Args:
        num_keypoints: Number K of discovered keypoints.
        fit: Config of the data set to fit on.
        score: Config of the data set to score on.
        pipeline: Transforms for the samples of both.
        max_fit: Take at most this many samples to fit on, spread evenly over the data
            set; ``None`` takes all.
        max_score: The same for the samples to score.
        metainfo: Metainfo in MMPose's format in place of that of K keypoints.
        **kwargs: Other arguments of MMPose's ``CombinedDataset``.

    Raises:
        ValueError: If ``num_keypoints``, ``max_fit`` or ``max_score`` is no whole
            number of at least 1, or if a data set is empty.
    """

    ROLES = ('fit', 'score')

    # Only read by MMPose when a model is built without checkpoint and config metainfo.
    METAINFO: dict = discovered_metainfo(10)

    def __init__(
        self,
        num_keypoints: int,
        fit: dict,
        score: dict,
        pipeline: Sequence[dict | Callable] = (),
        max_fit: int | None = None,
        max_score: int | None = None,
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            metainfo=metainfo or discovered_metainfo(num_keypoints),
            datasets=[fit, score],
            pipeline=list(pipeline),
            **kwargs,
        )
        scored = self.datasets[1].metainfo
        names = scored.get('keypoint_id2name', {})
        self._metainfo['annotated_names'] = [names[i] for i in range(len(names))]
        self._metainfo['annotated_pairs'] = list(scored.get('flip_pairs', ()))
        self._metainfo['annotated_links'] = list(scored.get('skeleton_links', ()))
        limits = dict(max_fit=max_fit, max_score=max_score)
        self._chosen = [
            self._spread(len(dataset), limit, role)
            for dataset, limit, role in zip(
                self.datasets, limits.values(), self.ROLES, strict=True
            )
        ]
        self._lens = [len(chosen) for chosen in self._chosen]
        self._len = sum(self._lens)

    @staticmethod
    def _spread(total: int, limit: int | None, role: str) -> np.ndarray:
        """Choose indices (N,) spread evenly over a data set."""
        if total == 0:
            raise ValueError(f'the data set to {role} has no samples')
        if limit is not None and (isinstance(limit, bool) or limit < 1):
            raise ValueError(
                f'max_{role} must be at least 1, or None for all; got {limit!r}'
            )
        count = total if limit is None else min(int(limit), total)
        return np.linspace(0, total - 1, count).round().astype(int)

    def indices_of(self, role: str) -> range:
        """Where the samples of one of the two lie.

        Args:
            role: ``'fit'`` or ``'score'``.

        Returns:
            Indices of its samples.

        Raises:
            ValueError: If there is no such role.
        """
        if role not in self.ROLES:
            raise ValueError(f'role={role!r} is none of {self.ROLES}')
        first = self._lens[0]
        return range(first) if role == 'fit' else range(first, self._len)

    def _get_subset_index(self, index: int) -> tuple[int, int]:
        """Return which data set an index falls into, and the index there."""
        subset, place = super()._get_subset_index(index)
        return subset, int(self._chosen[subset][place])

    def get_data_info(self, idx: int) -> dict:
        """Return one labelled sample, tagged with its role.

        Args:
            idx: Index of the sample; those to fit on come first.

        Returns:
            The sample of the wrapped data set; ``dataset_name`` ends in ``_fit`` or
            ``_score``.
        """
        subset, _ = self._get_subset_index(idx)
        sample = super().get_data_info(idx)
        name = self.datasets[subset].metainfo.get('dataset_name', 'dataset')
        sample['dataset_name'] = f'{name}_{self.ROLES[subset]}'
        hide_undefined_keypoints(sample)
        return sample
