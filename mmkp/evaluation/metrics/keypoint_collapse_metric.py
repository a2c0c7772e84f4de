# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Signs of collapse, for validation where nothing is annotated."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.datasets.unlabeled_image_dataset import STANDS_IN
from mmkp.evaluation.functional import CollapseAdvice, CollapseLimits

from .keypoint_certainty import KeypointCertainty, measure_collapse
from .predicted_keypoints import crop_of, predicted_keypoints


class _Record(NamedTuple):
    """One image: keypoints (K, 2) as fractions of the crop, and what else is known."""

    keypoints: np.ndarray
    certainty: KeypointCertainty


@METRICS.register_module()
class KeypointCollapseMetric(BaseMetric):
    """How far discovered keypoints move, keep apart, off the border and are sure.

    It needs no annotation. Figures are in units of the crop: ``spread``,
    ``spread_min``, ``min_distance`` and ``border_share``; ``score`` where the head
    gives scores, and ``entropy`` where it gives entropies or the model's ``test_cfg``
    has ``output_heatmaps=True``, see
    :class:`~mmkp.evaluation.functional.CollapseStatistics`. A figure beyond its
    limit is logged as a warning that says which loss weight or setting to change.

    Args:
        collapse_limits: Fields of
            :class:`~mmkp.evaluation.functional.CollapseLimits`.
        **kwargs: Of ``BaseMetric``.
    """

    default_prefix = 'collapse'

    def __init__(
        self, collapse_limits: dict[str, float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.limits = CollapseLimits(**(collapse_limits or {}))
        self.judged_model: Any = None  # given by JudgedModelHook, for the advice

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints of a batch as fractions of the crop.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts.
        """
        for sample in data_samples:
            if sample.get(STANDS_IN):
                continue
            keypoints = predicted_keypoints(sample)
            origin, scale = crop_of(sample)
            self.results.append(
                _Record(
                    (keypoints[0] - origin) / scale,
                    KeypointCertainty.from_data_sample(sample),
                )
            )

    def compute_metrics(self, results: list[_Record]) -> dict[str, float]:
        """Measure, and warn of what is beyond its limit.

        Args:
            results: What was kept of each image, from all processes.

        Returns:
            Name -> figure, in units of the crop; ``entropy`` and ``score`` only where
            they are known, and ``non_finite_share`` only where it is not 0.
        """
        statistics = measure_collapse(*zip(*results, strict=True))
        for warning in self.limits.warnings(
            statistics, CollapseAdvice(self.judged_model)
        ):
            MMLogger.get_current_instance().warning(warning)
        return {
            name: value
            for name, value in asdict(statistics).items()
            if not (name in ('entropy', 'score') and math.isnan(value))
            and not (name == 'non_finite_share' and value == 0)
        }
